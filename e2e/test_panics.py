"""A panic in any task of the daemon: where everybody counts on the task the daemon ends, else it goes on; no accepted event is lost."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from daemon import wait_until
from failpoint import VARIABLE, await_standing, debug_program, kill
from package import deploy
from test_crash import make_log, recorded
from test_failpoints import queued

# Timers, the queue, the engine under its lock, what the store and the logs are written by, whatever is watched over.
ENDING = ["timers", "event queue", "host memory", "memories", "serving", "settling", "preparing", "admit"]
ENDING += ["store-writer", "store-reader-0", "log-writer"]
# What serves one call or one sandbox.
MENDING = ["create", "start", "session", "queue.work"]


@pytest.fixture(scope="module")
def program():
    return debug_program()


@pytest.fixture
def accepted(own_daemon, program):
    """A daemon that is not running, with an event that it has accepted and nobody has run; how often it has run, and its log group."""
    daemon = own_daemon(program=program, variables={VARIABLE: "queue.added"})
    group = make_log(daemon)
    function = deploy(daemon, "probe.record")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(function.invoke, {"group": group, "stream": "s", "id": "e"}, InvocationType="Event")
        await_standing(daemon, "queue.added")
        kill(daemon.process.pid)
        daemon.process.wait()
        wait([call], timeout=20)
    return daemon, function, group


def assert_not_lost(daemon, group):
    wait_until(lambda: queued(daemon) == 0, 25, "the queue is empty", lambda: daemon.log()[-3000:])
    assert "e" in recorded(daemon, group)


@pytest.mark.parametrize("point", ENDING)
def test_where_everybody_counts_on_it_ends_the_daemon(accepted, point):
    daemon, function, group = accepted
    daemon.variables = {VARIABLE: f"panic:{point}"}
    daemon.spawn()
    wait_until(lambda: daemon.process.poll() is not None, 10, "the daemon ends", lambda: daemon.log()[-3000:])
    assert daemon.process.returncode != 0
    assert f"at {point}, as a test wants it" in daemon.log()
    assert "panicked" in daemon.log()
    daemon.stderr.write_text("")
    daemon.variables = {}
    daemon.start()
    assert_not_lost(daemon, group)
    assert function.invoke({"group": group, "stream": "s", "id": "f"}).error is None


@pytest.mark.parametrize("point", MENDING)
def test_where_it_serves_one_call_costs_that_alone(accepted, point):
    daemon, function, group = accepted
    daemon.variables = {VARIABLE: f"panic:{point}"}
    daemon.start()
    assert_not_lost(daemon, group)
    assert f"at {point}, as a test wants it" in daemon.log()
    assert function.invoke({"group": group, "stream": "s", "id": "f"}).error is None
