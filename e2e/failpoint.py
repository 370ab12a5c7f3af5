"""Processes of a daemon that stand still where a test told them to; see `hearth_sys::failpoint`. Debug builds alone do so."""

import hashlib
import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

from daemon import ROOT, wait_until
from host import Process, _read, descendants

VARIABLE = "HEARTH_FAILPOINT"


def debug_program():
    """Built from what is here; release builds have no points."""
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--package", "hearth"], cwd=ROOT, check=True)
    return ROOT / "target" / "debug" / "hearth"


def standing(daemon, point):
    """Thread ids at the point, of the daemon or of what came from it."""
    # Linux shows 15 bytes of a name.
    wanted = f"at {point}"[:15].encode() + b"\n"
    found = []
    for pid in [daemon.process.pid, *(process.pid for process in descendants(daemon.process.pid))]:
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        found += [int(tid) for tid in threads if _read(f"/proc/{pid}/task/{tid}/comm") == wanted]
    return found


def await_standing(daemon, point):
    return wait_until(lambda: standing(daemon, point), 20, f"somebody stands at {point}", lambda: daemon.log()[-3000:])[0]


def let_go(tid):
    try:
        os.setpriority(os.PRIO_PROCESS, tid, os.getpriority(os.PRIO_PROCESS, tid) + 1)
    except (ProcessLookupError, PermissionError):
        pass


@contextmanager
def passing(daemon, point):
    """Whoever comes to the point goes on at once."""
    over = threading.Event()

    def pump():
        while not over.wait(0.002):
            for tid in standing(daemon, point):
                let_go(tid)

    thread = threading.Thread(target=pump)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def kill(pid):
    """SIGKILL, and the proof that it was this that ended the process."""
    process = Process.of(pid)
    assert process and process.alive, f"{pid} has ended before it was killed"
    os.kill(pid, signal.SIGKILL)
    return process


def outside(daemon, words):
    """Processes of the daemon's with these words in their command line, in no pid name space of their own."""

    def found():
        family = [(process, _read(f"/proc/{process.pid}/cmdline")) for process in descendants(daemon.process.pid)]
        outsiders = [(process.pid, line.replace(b"\0", b" ")) for process, line in family if process.inner_pid == process.pid]
        return [pid for pid, line in outsiders if words in line]

    return wait_until(found, 10, f"a process {words}")


def instance(daemon):
    return hashlib.sha256(os.fsencode(daemon.data.resolve())).hexdigest()[:16]


def remains(daemon):
    """What is on the host of a daemon that has ended in order, beside the data that it keeps."""
    name = f"hearth-{instance(daemon)}"
    lasting = ("launcher.lock", "criu")
    run = [path for path in (daemon.data / "run").rglob("*") if path.name not in lasting]
    half_made = [path for path in (daemon.data / "templates").rglob(".new-*")]
    # Other daemons' groups come and go meanwhile.
    groups = [Path(parent) / name for parent, children, _ in os.walk("/sys/fs/cgroup") if name in children]
    in_memory = [path for path in [Path("/dev/shm") / name] if path.exists()]
    return run + half_made + groups + in_memory
