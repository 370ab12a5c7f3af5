"""kill -9 at each step of what a daemon does: nothing is left, nothing half made is used, and the next answer is right."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import package
import pytest
from botocore.exceptions import ConnectionClosedError
from daemon import wait_until
from failpoint import VARIABLE, await_standing, debug_program, kill, outside, passing, remains
from host import Footprint, descendants
from package import deploy
from test_crash import make_log, recorded
from test_templates import CONFIG, start, templates

SNAP_START = {"ApplyOn": "PublishedVersions"}
SAVING = ["save.ask", "save.saved", "save.packed", "save.done", "keep.begin", "keep.chunks", "keep.image"]
RESTORING = ["rest.images", "rest.spaces", "rest.adopted", "rest.done"]
# Of the daemon, of its launcher, and of what becomes a sandbox.
STARTING = ["born", "park.ask", "park.asked", "assign.ask", "assign.done"]
STARTING += ["zyg.cloned", "zyg.exec", "zyg.asked", "born.told", "born.go", "cradle"]
STARTING += ["birth.cloned", "birth.go", "birth.ids", "birth.net", "birth.mounts", "birth.tied"]


@pytest.fixture(scope="module")
def program():
    """Built where `scripts/test` has not done so already."""
    return debug_program()


@pytest.fixture
def failing(own_daemon, program):
    """Starts a daemon, told of a point or not; it has left nothing when it has stopped."""
    daemons = []

    def started(point=None):
        daemons.append(own_daemon(CONFIG, program=program, variables={VARIABLE: point} if point else {}))
        return daemons[-1]

    yield started
    for daemon in daemons:
        if daemon.process:
            daemon.stop()
        wait_until(lambda: not remains(daemon), 5, "nothing of it is on the host", lambda: remains(daemon))


@pytest.fixture
def saving(failing):
    """The same, where sandboxes can be saved."""

    def started(point=None):
        daemon = failing(point)
        state = templates(daemon)
        if not state["available"]:
            pytest.skip(state["reason"])
        return daemon

    return started


@pytest.fixture
def saved(saving):
    """A version that has a template."""
    version = publish(saving())
    assert_starts_from_its_template(version)
    return version


def restart(daemon, point):
    daemon.stop()
    daemon.variables = {VARIABLE: point}
    daemon.start()


def kill_and_restart(daemon):
    """Kills the daemon where it is, starts it with no point, and waits until nothing of the former is left."""
    footprint = Footprint.of(daemon)
    kill(daemon.process.pid)
    daemon.process.wait()
    daemon.variables = {}
    daemon.start()
    wait_until(footprint.gone, 5, "nothing is left of the killed daemon", footprint.remains)
    daemon.assert_no_panic()


@contextmanager
def no_wrong_answer(function):
    """A call under way whose daemon dies within the block: its connection ends, unless it was answered before."""
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(function.invoke, {})
        yield
        wait([call], timeout=20)
        ended = call.exception(timeout=0)
        assert isinstance(ended, ConnectionClosedError) or call.result().error is None, call


def publish(daemon):
    """A version that is being prepared."""
    function = deploy(daemon, "clone.handler", MemorySize=256, SnapStart=SNAP_START)
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    return package.Function(daemon, function.client, f"{function.name}:{version}")


def settled(version):
    """The version's configuration once it is no longer being prepared."""

    def prepared():
        found = version.client.get_function_configuration(FunctionName=version.name)
        return found if found["State"] != "Pending" else None

    return wait_until(prepared, 40, "the version is prepared", lambda: version.daemon.log()[-3000:])


def assert_starts_from_its_template(version):
    found = settled(version)
    assert (found["State"], found["SnapStart"]["OptimizationStatus"]) == ("Active", "On"), found
    # What has just answered may get another call.
    kind, answer = wait_until(lambda: next((seen for seen in [start(version)] if seen[0] != "warm"), None))
    assert (kind, answer["hooks"]) == ("template", ["before", "after"])
    assert templates(version.daemon)["images"] == 1


class TestKilledDaemon:
    @pytest.mark.parametrize("point", SAVING)
    def test_while_it_saves(self, saving, point):
        daemon = saving(point)
        version = publish(daemon)
        await_standing(daemon, point)
        assert daemon.client().get_function_configuration(FunctionName=version.name)["State"] == "Pending"
        kill_and_restart(daemon)
        assert_starts_from_its_template(version)

    def test_while_it_restores(self, saved):
        daemon = saved.daemon
        for point in RESTORING:
            restart(daemon, point)
            with no_wrong_answer(saved):
                await_standing(daemon, point)
                kill_and_restart(daemon)
            assert_starts_from_its_template(saved)

    @pytest.mark.parametrize("point", STARTING)
    def test_while_a_sandbox_starts(self, failing, point):
        daemon = failing(point)
        function = deploy(daemon, "probe.state")
        with no_wrong_answer(function):
            await_standing(daemon, point)
            kill_and_restart(daemon)
        assert function.call({})["calls"] == 1

    def test_before_it_serves(self, saving):
        """CRIU is asked what it is before there is anybody to answer."""
        daemon = saving()
        daemon.stop()
        daemon.variables = {VARIABLE: "criu.exec"}
        daemon.spawn()
        await_standing(daemon, "criu.exec")
        kill_and_restart(daemon)
        assert templates(daemon)["available"]


class TestQueuedEvent:
    @pytest.mark.parametrize(
        ("point", "runs"), [("queue.add", 0), ("queue.added", 1), ("queue.ack", 2), ("queue.acked", 1)]
    )
    def test_runs_if_it_was_accepted(self, failing, point, runs):
        """Once, and once more where its end was not on disk yet."""
        daemon = failing(point)
        group = make_log(daemon)
        function = deploy(daemon, "probe.record")
        event = {"group": group, "stream": "s", "id": "e"}
        with ThreadPoolExecutor(1) as pool:
            accepted = pool.submit(function.invoke, event, InvocationType="Event")
            await_standing(daemon, point)
            kill_and_restart(daemon)
            wait([accepted], timeout=20)
            if point.startswith("queue.add"):
                assert isinstance(accepted.exception(timeout=0), ConnectionClosedError), accepted
            else:
                assert accepted.result(timeout=0).status == 202
        # What is not queued any more does not run again.
        wait_until(lambda: queued(daemon) == 0, 40, "the queue is empty", lambda: daemon.log()[-3000:])
        assert recorded(daemon, group) == ["e"] * runs


def queued(daemon):
    return daemon.state()["events"]["queued"]


class TestKilledCriu:
    @pytest.mark.parametrize("point", ["save.ask", "save.saved"])
    def test_in_a_save_leaves_a_version_without_template(self, saving, point):
        daemon = saving(point)
        version = publish(daemon)
        await_standing(daemon, point)
        kill_all(outside(daemon, b"criu"))
        with passing(daemon, point):
            found = settled(version)
            assert (found["State"], found["SnapStart"]["OptimizationStatus"]) == ("Active", "Off"), found
            assert templates(daemon)["images"] == 0
            kind, answer = start(version)
            assert kind != "template" and answer["drawn"]

    @pytest.mark.parametrize("point", ["rest.images", "rest.spaces"])
    def test_in_a_restore_costs_the_call_nothing(self, saved, point):
        assert_survives(saved, point, lambda: outside(saved.daemon, b"criu"))


class TestKilledCopy:
    def test_before_it_is_handed_over_costs_the_call_nothing(self, saved):
        assert_survives(saved, "rest.done", lambda: agents_of_copies(saved.daemon))


def assert_survives(version, point, victims):
    """The call whose restore stands at the point is answered, by a sandbox that started otherwise."""
    daemon = version.daemon
    restart(daemon, point)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(start, version)
        await_standing(daemon, point)
        kill_all(victims())
        with passing(daemon, point):
            kind, answer = call.result(timeout=40)
            assert kind != "template" and answer["drawn"]
            assert start(version)[1]["drawn"]


class TestKilledLauncher:
    """Every sandbox ends with it; the daemon goes on with another."""

    def kill(self, daemon):
        footprint = Footprint.of(daemon)
        (launcher,) = [process for process in descendants(daemon.process.pid) if is_launcher(process, daemon)]
        # The daemon lives on; all that came of the launcher does not.
        footprint.processes = [process for process in footprint.processes if process.pid != daemon.process.pid]
        kill(launcher.pid)
        return footprint

    def test_costs_running_calls_their_sandbox_and_others_nothing(self, own_daemon, program):
        daemon = own_daemon(program=program)
        busy, idle = deploy(daemon, "probe.sleep"), deploy(daemon, "probe.state")
        before = idle.call({})
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(busy.invoke, {"seconds": 60, "print": "running"})
            busy.wait_for_message("running")
            footprint = self.kill(daemon)
            result = running.result(timeout=20)
        assert (result.status, result.error, result.json["errorType"]) == (200, "Unhandled", "Runtime.ExitError"), result
        # Until it is dead, an idle sandbox may be given a call, which then ends as one that ran.
        wait_until(footprint.gone, 10, "nothing is left of what was the launcher's", footprint.remains)
        for _ in range(4):
            assert idle.call({})["init_id"] != before["init_id"]
            assert busy.call({"seconds": 0})["slept"] == 0
        daemon.assert_no_panic()

    @pytest.mark.parametrize("point", ["assign.ask", "assign.done"])
    def test_while_a_call_starts_costs_it_nothing(self, failing, point):
        daemon = failing(point)
        function = deploy(daemon, "probe.state")
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(function.call, {})
            await_standing(daemon, point)
            footprint = self.kill(daemon)
            wait_until(footprint.gone, 10, "nothing is left of what was the launcher's", footprint.remains)
            with passing(daemon, point):
                assert call.result(timeout=40)["calls"] == 1

    def test_in_a_restore_costs_neither_call_nor_template(self, saved):
        daemon = saved.daemon
        restart(daemon, "rest.spaces")
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(start, saved)
            await_standing(daemon, "rest.spaces")
            self.kill(daemon)
            with passing(daemon, "rest.spaces"):
                assert call.result(timeout=40)[1]["drawn"]
                assert_starts_from_its_template(saved)


def is_launcher(process, daemon):
    try:
        with open(f"/proc/{process.pid}/stat") as stat, open(f"/proc/{process.pid}/cmdline") as command:
            parent = int(stat.read().rpartition(")")[2].split()[1])
            return parent == daemon.process.pid and "__launcher" in command.read()
    except OSError:
        return False


def kill_all(victims):
    assert victims
    for pid in victims:
        kill(pid)


def agents_of_copies(daemon):
    return [process.pid for process in descendants(daemon.process.pid) if is_agent_of_copy(process)]


def is_agent_of_copy(process):
    """Sandboxes that are not in the engine's books have large numbers."""
    try:
        with open(f"/proc/{process.pid}/cgroup") as groups:
            return process.inner_pid == 1 and any(int(line.rpartition("sb-")[2]) >= 1 << 40 for line in groups if "sb-" in line)
    except OSError:
        return False
