"""Interpreters that wait ahead of need: quick, and no function can tell."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import package
import pytest
from package import deploy as deploy_function
from daemon import wait_until
from host import descendants
from package import make_zip, unique
from test_views import asking

# What a function sees of how its interpreter started. A variable of this name is read when Python starts.
PYTHON = """
import json, os, resource, signal, sys, time
import __main__

LOADED = sorted(name for name in sys.modules if name.partition(".")[0] == "awslambdaric")

def handler(event, context):
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {
        "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "flags": list(sys.flags), "executable": sys.executable,
        "main": sorted(name for name in vars(__main__)), "main_file": __main__.__file__, "main_spec": __main__.__spec__,
        "main_loader": [type(__main__.__loader__).__name__, __main__.__loader__.name, __main__.__loader__.path], "main_doc": __main__.__doc__,
        "cwd": os.getcwd(), "variables": sorted(os.environ), "zone": list(time.tzname), "stdin": os.readlink("/proc/self/fd/0"),
        "pipes": [os.readlink(f"/proc/self/fd/{fd}")[:5] for fd in (1, 2)], "descriptors": len(os.listdir("/proc/self/fd")),
        "inheritable": len([fd for fd in range(256) if is_inheritable(fd)]),
        "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE,
                   resource.RLIMIT_MEMLOCK, resource.RLIMIT_STACK, resource.RLIMIT_MSGQUEUE)],
        "rights": {name: status[name].strip() for name in ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapAmb",
                   "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "SigCgt", "Threads")},
        "leads": [os.getpid() == os.getsid(0), os.getpid() == os.getpgid(0), os.getppid()],
        "dumpable": os.access("/proc/self/mem", os.R_OK), "mask": os.umask(0o022), "oom": open("/proc/self/oom_score_adj").read(),
        "names": [os.readlink(f"/proc/self/ns/{kind}") == os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "mnt")],
        "loaded": LOADED, "encoding": [sys.stdout.encoding, sys.getfilesystemencoding()], "modules": "park" in sys.modules,
    }

def is_inheritable(fd):
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False
"""

NODE = """
exports.handler = async () => ({
  argv: process.argv, execArgv: process.execArgv.slice(0, -1), cwd: process.cwd(), variables: Object.keys(process.env).sort(),
  zone: new Date(0).getTimezoneOffset(), heap: require("v8").getHeapStatistics().heap_size_limit,
  stdin: require("fs").readlinkSync("/proc/self/fd/0"), paths: require("module").globalPaths, main: require.main?.filename,
});
"""

SOURCES = {"python3.11": {"parked.py": PYTHON}, "nodejs20.x": {"parked.js": NODE}}
# Nobody sets this, and both interpreters might read it as they start.
EXECUTED = {"python3.11": "PYTHONX", "nodejs20.x": "NODE_X"}
AHEAD = ("preboot", "zygote")
FULL = bool(os.environ.get("HEARTH_FULL"))
SIBLINGS = 1000 if FULL else 30


def deploy(daemon, runtime, files=None, environment=None, **arguments):
    files = SOURCES[runtime] | (files or {})
    environment = {"Variables": environment or {}}
    return deploy_function(
        daemon, "parked.handler", runtime, package=make_zip(files), Environment=environment, **arguments
    )


def start(function, event=None):
    """How it started, and what its handler says."""
    result = package.invoke(asking(function), function.name, event)
    assert result.error is None, result.body
    return result.headers["x-hearth-timeline"].split(" ")[0], result.json


def started(daemon, runtime, kinds, **arguments):
    """What the handler says of a start of one of these kinds: until the pool is filled there are others."""

    def seen():
        kind, said = start(deploy(daemon, runtime, **arguments))
        return said if kind in kinds else None

    return wait_until(seen, 30, f"a start of {runtime} by {kinds}")


@pytest.mark.parametrize("runtime", SOURCES)
class TestNobodyCanTell:
    def test_what_was_parked_from_what_was_executed(self, daemon, runtime):
        executed = EXECUTED[runtime]
        seen = started(daemon, runtime, AHEAD, environment={"TZ": "Europe/Berlin", "A_" + executed: "1"})
        expected = started(daemon, runtime, ["blank"], environment={"TZ": "Europe/Berlin", executed: "1"})
        seen["variables"].remove("A_" + executed)
        expected["variables"].remove(executed)
        assert seen == expected

    def test_where_its_variables_are_read_at_start(self, daemon, runtime):
        _, seen = start(deploy(daemon, runtime, environment={EXECUTED[runtime]: "1", "MY_OWN": "x"}))
        assert {EXECUTED[runtime], "MY_OWN"} <= set(seen["variables"])


class TestPython:
    def test_exit_codes_are_the_functions(self, daemon):
        source = "import atexit, sys\natexit.register(print, 'at exit')\ndef handler(event, context):\n    sys.exit(event)\n"
        function = deploy_function(daemon, "own.handler", package=make_zip({"own.py": source}))
        for _ in range(2):
            result = function.invoke(7)
            assert result.error == "Unhandled" and "exit status 7" in json.dumps(result.json), result.body


@pytest.mark.timeout(600 if FULL else 180)
class TestSiblings:
    """HEARTH_FULL=1 starts a thousand of each kind."""

    @pytest.mark.parametrize(("parking", "kind"), [("zygote", "zygote"), ("exec", "preboot")])
    def test_have_nothing_random_in_common(self, own_daemon, parking, kind):
        daemon = own_daemon(f'[node]\nparking = "{parking}"\nkeep_alive = "fixed:0"\n[templates]\nautomatic = false\n')
        function = deploy_function(daemon, "siblings.handler")
        answers = self.starts(function, SIBLINGS, kind)
        for source in answers[0]["now"]:
            drawn = [answer[when][source] for answer in answers for when in ("at_init", "now")]
            assert len(set(drawn)) == 2 * SIBLINGS, f"{source} repeats: {sorted(drawn)[:9]}"
        # The seed of hashes is an interpreter's from its start on: that of a zygote is all its children's (THREAT_MODEL.md).
        assert len({answer["hash"] for answer in answers}) == (1 if kind == "zygote" else SIBLINGS)

    def test_a_function_can_have_a_hash_seed_of_its_own(self, own_daemon):
        daemon = own_daemon('[node]\nkeep_alive = "fixed:0"\n')
        function = deploy_function(daemon, "siblings.handler", Environment={"Variables": {"PYTHONHASHSEED": "random"}})
        assert len({answer["hash"] for answer in self.starts(function, 4, "blank")}) == 4

    def starts(self, function, count, kind):
        """What as many starts of this kind answered. Until the pool is filled, or while it is not, there are others."""
        answers = []
        with ThreadPoolExecutor(2) as pool:
            while len(answers) < count:
                seen = list(pool.map(lambda _: start(function), range(count - len(answers))))
                answers += [answer for how, answer in seen if how == kind]
        return answers


class TestZygote:
    def test_sandboxes_are_born_of_it(self, daemon):
        started(daemon, "python3.11", ["zygote"])
        assert zygotes(daemon)

    def test_its_end_costs_nobody_anything_and_leaves_nothing(self, own_daemon):
        daemon = own_daemon()
        for _ in range(3):
            started(daemon, "python3.11", ["zygote"])
            killed = zygotes(daemon)
            for zygote in killed:
                os.kill(zygote.pid, signal.SIGKILL)
            assert start(deploy(daemon, "python3.11"))[0] != "warm"
            wait_until(lambda: not any(zygote.alive for zygote in killed), 10, "they are dead")
        started(daemon, "python3.11", ["zygote"])

    def test_it_can_be_done_without(self, own_daemon):
        daemon = own_daemon('[node]\nparking = "exec"')
        started(daemon, "python3.11", ["preboot"])
        assert not zygotes(daemon)


def zygotes(daemon):
    """The processes from which interpreters are forked; those that wait look alike, but are in sandboxes."""
    return [
        process
        for process in descendants(daemon.process.pid)
        if b"/.hearth/zygote.py" in command(process.pid) and process.inner_pid == process.pid
    ]


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class TestNode:
    def test_the_heap_is_of_the_functions_size(self, daemon):
        sizes = {size: start(deploy(daemon, "nodejs20.x", MemorySize=size))[1]["heap"] for size in (128, 512)}
        assert sizes[128] < 200 << 20 < sizes[512], sizes

    def test_one_of_the_size_waits_before_the_first_call(self, own_daemon):
        daemon = own_daemon()
        function = deploy(daemon, "nodejs20.x", MemorySize=640)

        def is_ready():
            state = daemon.state()
            names = dict(zip(state["roots"], state["engine"]["roots"], strict=True))
            return names.get("nodejs20.x, 640 MiB", {}).get("ready")

        wait_until(is_ready, 30, "a sandbox of the size waits")
        assert start(function)[0] == "preboot"
