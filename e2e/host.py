"""What a daemon has on the host: processes, cgroups, mounts, network namespaces. Seen from the outside, through /proc."""

import os
from dataclasses import dataclass, field
from pathlib import Path


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _inode(path):
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return None


@dataclass(frozen=True)
class Process:
    pid: int
    started: int

    @classmethod
    def of(cls, pid):
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        return cls(pid, int(fields[19])) if fields else None

    @property
    def alive(self):
        fields = _read(f"/proc/{self.pid}/stat").rpartition(b")")[2].split()
        return bool(fields) and int(fields[19]) == self.started and fields[0] not in (b"Z", b"X")

    @property
    def inner_pid(self):
        """Its number in its own pid namespace."""
        for line in _read(f"/proc/{self.pid}/status").splitlines():
            if line.startswith(b"NSpid:"):
                return int(line.split()[-1])
        return None


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(pid):
    parents = {}
    for other in pids():
        fields = _read(f"/proc/{other}/stat").rpartition(b")")[2].split()
        if fields:
            parents.setdefault(int(fields[1]), []).append(other)
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return [process for process in map(Process.of, found) if process]


def sandbox_processes(function_name):
    """Processes of sandboxes that run this function: the runtime and what it started, and the agent above it."""
    needle = f"AWS_LAMBDA_FUNCTION_NAME={function_name}\0".encode()
    inside = {}
    for pid in pids():
        if needle in _read(f"/proc/{pid}/environ"):
            inside[pid] = _link(f"/proc/{pid}/ns/pid")
    spaces = set(inside.values()) - {None, _link("/proc/self/ns/pid")}
    members = [Process.of(pid) for pid in pids() if _link(f"/proc/{pid}/ns/pid") in spaces]
    return sorted((member for member in members if member), key=lambda member: member.inner_pid or 0)


def cgroup_directories(pid):
    """Every cgroup directory that this process is in, with its inode, on whatever hierarchies the host has."""
    found = set()
    for line in _read(f"/proc/{pid}/cgroup").decode().splitlines():
        _, controllers, path = line.split(":", 2)
        names = [controllers, controllers.removeprefix("name="), "unified", ""] if controllers else ["unified", ""]
        for name in names:
            directory = Path("/sys/fs/cgroup") / name / path.lstrip("/")
            if path != "/" and directory.is_dir():
                found.add(directory)
                break
    return {(directory, directory.stat().st_ino) for directory in found}


def mount_points():
    return [line.split()[4] for line in _read("/proc/self/mountinfo").decode().splitlines()]


def pinned_namespaces():
    """Those that a mount keeps alive without any process."""
    lines = (line.split() for line in _read("/proc/self/mountinfo").decode().splitlines())
    return {fields[3] for fields in lines if "nsfs" in fields}


@dataclass
class Footprint:
    """What a daemon held at one moment; `remains` says what of it is still there.

    A network namespace lives as long as a process in it or a mount of it. Its number alone tells nothing: the kernel gives it
    to a new one.
    """

    processes: list = field(default_factory=list)
    cgroups: set = field(default_factory=set)
    namespaces: set = field(default_factory=set)
    daemon: object = None

    @classmethod
    def of(cls, daemon):
        own = _link("/proc/self/ns/net")
        processes = descendants(daemon.process.pid)
        everyone = [*processes, Process.of(daemon.process.pid)]
        inherited = cgroup_directories(os.getpid())
        cgroups = set().union(*(cgroup_directories(process.pid) for process in processes)) - inherited
        namespaces = {_link(f"/proc/{process.pid}/ns/net") for process in everyone} - {own, None}
        return cls(everyone, cgroups, namespaces, daemon)

    @property
    def sandboxes(self):
        return len(self.namespaces)

    def remains(self):
        return {
            "processes": [(process.pid, _read(f"/proc/{process.pid}/cmdline")) for process in self.processes if process.alive],
            "cgroups": sorted(str(path) for path, inode in self.cgroups if "sb-" in path.name and _inode(path) == inode),
            "namespaces": sorted(self.namespaces & pinned_namespaces()),
            "mounts": [point for point in mount_points() if point.startswith(str(self.daemon.data)) and "sandbox" in point],
        }

    def gone(self):
        return not any(self.remains().values())
