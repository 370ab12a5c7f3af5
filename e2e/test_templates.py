"""Starts from saved templates: that copies share nothing they must not, and that whatever goes wrong costs only time.

HEARTH_FULL=1 restores a thousand copies per runtime.
"""

import hashlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import package
from daemon import refused, wait_until
from host import descendants

FULL = bool(os.environ.get("HEARTH_FULL"))
COPIES = 1000 if FULL else 30
# Every invocation is a cold start.
CONFIG = """
[node]
keep_alive = "fixed:0"
"""


def templates(daemon):
    return daemon.state()["templates"]


def asking(function):
    client = function.daemon.client()
    client.meta.events.register("before-sign.lambda", lambda request, **_: request.headers.add_header("x-hearth-timeline", "1"))
    return client


def start(function, payload=None):
    """How a cold start came about, and what the function answered."""
    result = package.invoke(asking(function), function.name, payload or {})
    assert result.error is None, result
    return result.headers["x-hearth-timeline"].split(" ")[0].rstrip(":"), result.json


def until_saved(function):
    """Cold starts until there is a template."""
    assert [start(function)[0] for _ in range(2)].count("template") == 0, "two cold starts are not frequent"
    wait_until(lambda: start(function)[0] == "template", 30, "a template is used", lambda: function.daemon.log()[-3000:])
    return function


def until_saving(function):
    """Cold starts until a template is being made, or is there."""

    def is_saving():
        start(function)
        state = templates(function.daemon)
        return state["making"] or state["images"]

    wait_until(is_saving, 30, "a template is being made")
    return function


def copies(function, count):
    """What as many copies answered to their first call. A sandbox that has just answered may get another call."""
    answers = []
    with ThreadPoolExecutor(2) as pool:
        while len(answers) < count:
            started = list(pool.map(lambda _: start(function), range(count - len(answers))))
            assert {kind for kind, _ in started} <= {"template", "warm"}
            answers += [answer for kind, answer in started if kind == "template"]
    return answers


@pytest.fixture
def templating(own_daemon):
    """A daemon of its own; skipped where no sandbox can be saved."""
    daemon = own_daemon(CONFIG)
    state = templates(daemon)
    if not state["available"]:
        pytest.skip(state["reason"])
    return daemon


@pytest.mark.timeout(900 if FULL else 180)
@pytest.mark.parametrize(
    ("handler", "runtime"),
    [("clone.handler", "python3.11"), ("clone.handler", "nodejs20.x"), ("clone", "provided.al2023")],
    ids=["python", "node", "rust"],
)
class TestCopies:
    def test_share_no_randomness_and_have_the_right_time(self, templating, handler, runtime):
        function = until_saved(package.deploy(templating, handler, runtime, MemorySize=256))
        began = time.time()
        answers = copies(function, COPIES)
        for source in answers[0]["drawn"]:
            drawn = [answer["drawn"][source] for answer in answers] + [answers[0].get("at_init", {}).get(source)]
            assert len(set(map(str, drawn))) == COPIES + 1, f"{source} repeats: {drawn[:5]}"
        assert len({answer["request_id"] for answer in answers}) == COPIES
        for answer in answers:
            assert began - 1 <= answer["wall"] <= time.time() + 1
            assert 0 <= answer["monotonic"] <= time.time() - began + 60
            assert answer["initialization"] == "snap-start"
        streams = [answer["log_stream"] for answer in answers if "log_stream" in answer]
        assert len(set(streams)) == len(streams)


class TestPython:
    def test_runs_hooks_and_has_credentials_of_its_own(self, templating):
        function = until_saved(package.deploy(templating, "clone.handler", MemorySize=256))
        answers = copies(function, 3)
        for answer in answers:
            assert answer["hooks"] == ["before", "after"]
            assert answer["key"] and answer["key"] != answer["init_key"], "credentials of the template are never used"
        assert len({answer["key"] for answer in answers}) == 3
        assert len({answer["hostname"] for answer in answers}) == 3

    def test_keeps_what_initialisation_wrote(self, templating):
        code = "import time\nopen('/tmp/kept', 'w').write('kept')\ntime.sleep(0.3)\ndef handler(event, context):\n    return open('/tmp/kept').read()\n"
        function = until_saved(package.deploy(templating, "own.handler", package=package.make_zip({"own.py": code})))
        assert copies(function, 2) == ["kept", "kept"]


class TestSnapStart:
    def test_published_versions_start_from_their_template_at_once(self, templating):
        function = package.deploy(templating, "clone.handler", MemorySize=256, SnapStart={"ApplyOn": "PublishedVersions"})
        version = function.client.publish_version(FunctionName=function.name)["Version"]
        of_version = package.Function(templating, function.client, f"{function.name}:{version}")
        wait_until(lambda: function.client.get_function(FunctionName=of_version.name)["Configuration"]["State"] == "Active", 30)
        configuration = function.client.get_function_configuration(FunctionName=of_version.name)
        assert configuration["SnapStart"]["OptimizationStatus"] == "On"
        kind, answer = start(of_version)
        assert (kind, answer["hooks"], answer["initialization"]) == ("template", ["before", "after"], "snap-start")

    def test_a_failing_hook_fails_the_version_or_the_call(self, templating):
        code = (
            "from snapshot_restore_py import register_before_snapshot, register_after_restore\n"
            "import os\n"
            "def fail(): raise ValueError('hook ' + os.environ['WHEN'])\n"
            "{'before': register_before_snapshot, 'after': register_after_restore}[os.environ['WHEN']](fail)\n"
            "def handler(event, context): return 1\n"
        )
        for when in ("before", "after"):
            function = package.deploy(
                templating,
                "own.handler",
                package=package.make_zip({"own.py": code}),
                SnapStart={"ApplyOn": "PublishedVersions"},
                Environment={"Variables": {"WHEN": when}},
            )
            name = f"{function.name}:{function.client.publish_version(FunctionName=function.name)['Version']}"
            settled = wait_until(lambda: self.unless_pending(function, name), 30, "the version is prepared")
            assert settled == ("Failed" if when == "before" else "Active")
            if when == "after":
                with refused(function.client, "SnapStartException", 400, "hook after"):
                    package.invoke(function.client, name, {})

    def unless_pending(self, function, name):
        state = function.client.get_function_configuration(FunctionName=name)["State"]
        return state if state != "Pending" else None


class TestTrouble:
    def test_is_never_seen_by_a_call(self, templating):
        """Damage on disk, after a restart: the start is an ordinary one, and the image is gone."""
        function = until_saved(package.deploy(templating, "clone.handler", MemorySize=256))
        templating.stop()
        chunks = [path for path in (templating.data / "templates").rglob("*") if path.is_file() and "chunks" in path.parts]
        for chunk in chunks:
            bytes_ = bytearray(chunk.read_bytes())
            bytes_[len(bytes_) // 2] ^= 1
            chunk.write_bytes(bytes_)
        templating.start()
        kind, _ = start(function)
        assert kind != "template"
        assert "panicked" not in templating.log()

    def test_templates_outlive_the_daemon(self, templating):
        function = until_saved(package.deploy(templating, "clone.handler", MemorySize=256))
        instance = hashlib.sha256(str(templating.data.resolve()).encode()).hexdigest()[:16]
        in_memory = Path(f"/dev/shm/hearth-{instance}")
        assert in_memory.exists()
        templating.stop()
        assert not in_memory.exists(), "a stopped daemon leaves nothing in memory"
        templating.start()
        assert start(function)[0] == "template"

    def test_templates_of_deleted_functions_are_removed(self, templating):
        function = until_saved(package.deploy(templating, "clone.handler", MemorySize=256))
        function.delete()
        wait_until(lambda: templates(templating) | {"images": 0, "disk_bytes": 0, "memory_bytes": 0} == templates(templating), 10)

    @pytest.mark.parametrize("step", range(6))
    def test_killed_daemons_leave_no_process_and_no_half_made_template(self, templating, step):
        """kill -9 of the daemon somewhere in a save: a little later each time."""
        function = until_saving(package.deploy(templating, "clone.handler", MemorySize=256))
        family = descendants(templating.process.pid)
        time.sleep(0.1 * step)
        family += descendants(templating.process.pid)
        templating.kill()
        wait_until(lambda: not any(process.alive for process in family), 10, "nothing of it is left")
        templating.start()
        function.settle()
        kind, answer = start(function)
        assert answer["drawn"]
        assert kind == "template" or not templates(templating)["images"]

    def test_killed_criu_costs_a_call_nothing(self, templating):
        function = until_saved(package.deploy(templating, "clone.handler", MemorySize=256))
        killed = 0
        # A restore takes a few milliseconds, about as long as one look at all processes.
        for _ in range(100):
            with ThreadPoolExecutor(1) as pool:
                call = pool.submit(start, function)
                while not call.done():
                    for process in descendants(templating.process.pid):
                        # It may end between any two of these.
                        with suppress(FileNotFoundError, ProcessLookupError):
                            if process.alive and b"swrk" in Path(f"/proc/{process.pid}/cmdline").read_bytes():
                                os.kill(process.pid, signal.SIGKILL)
                                killed += 1
                assert call.result()[1]["drawn"]
            if killed:
                break
        assert killed, "no restore was met"
