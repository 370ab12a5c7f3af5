"""A panic in any task of the daemon: where everybody counts on the task the daemon ends, else it goes on; no accepted event is lost."""

from concurrent.futures import ThreadPoolExecutor, wait

import re

import pytest
from daemon import ROOT, wait_until
from failpoint import VARIABLE, await_standing, debug_program, kill
from package import deploy
from stir import Stir, with_bucket
from test_capacity import Admin, Hook
from test_crash import make_log, recorded
from test_failpoints import queued

# Timers, the queue, the engine under its lock, what the store and the logs are written by, whatever is watched over.
ENDING = ["timers", "event queue", "host memory", "memories", "serving", "settling", "preparing", "admit"]
ENDING += ["store-writer", "store-reader-0", "log-writer"]
# What serves one call or one sandbox.
MENDING = ["create", "start", "session", "attempt of an event", "turn of a queue"]
# What serves one call, sandbox or template, and comes to something only while a daemon is kept busy.
STIRRED = [
    "assignment", "event", "freezer", "giving way", "hastening", "look for a runtime", "look for a template",
    "making of a sandbox", "making of a template", "notice", "read a bucket", "reading of a package", "removal of templates",
    "removal of what is not current", "restore", "save", "time-out", "tunnel", "tunnel of a function", "view", "work on a package",
    "work on logs",
]
# The same of what everybody counts on.
STIRRED_ENDING = ["destruction of a sandbox"]
CAPACITY = ["call of the capacity hook", "release of an instance"]
# Those in which no panic is tried, and why.
UNTRIED = {
    "live directory": "it waits for the end of an attachment that hangs; one of the account's few counts as hanging until the next start then",
    "alarm": "it ends the daemon and does nothing else",
    "return of an event": "it is what is done after a panic; if it panics too the lease runs out",
    "removal of a template": "only broken templates are removed so; the image stays until the next start then",
    "removal of code": "packages are removed after minutes; one that is still there is looked at again",
    "watch of the store": "nobody in the daemon watches the store",
}


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


def tasks():
    """The names of all tasks and threads that the daemon starts, as they stand in the code."""
    started = re.compile(r"(?:\.|::)(?:system|contained|contained_blocking|blocking|background|run|contain)\(\s*(?:[a-z_.()]+,\s*)?\"([a-zA-Z][a-z -]*)\"")
    threads = re.compile(r"system_thread\((?:format!\()?\"([^\"]+)\"")
    files = [path for path in ROOT.glob("crates/*/src/**/*.rs") if path.parts[-3] != "tasks" and not {"launcher", "cli"} & {*path.parts}]
    found = set()
    for path in files:
        text = path.read_text().partition("#[cfg(test)]\nmod tests {")[0]
        found.update(started.findall(text))
        found.update(name.replace("{number}", "0") for name in threads.findall(text))
    return found


def test_a_panic_is_tried_in_every_task():
    tried = {*ENDING, *MENDING, *STIRRED, *STIRRED_ENDING, *CAPACITY, *UNTRIED}
    assert tasks() - tried == set()
    assert set(UNTRIED) <= tasks(), "a task that is gone"


def reached(daemon, task):
    return f"at {task}, as a test wants it" in daemon.log()


@pytest.mark.parametrize("task", STIRRED)
def test_costs_no_more_than_what_was_under_way(own_daemon, program, tmp_path, task):
    # Idle sandboxes are frozen, and end a little later.
    config = with_bucket('[node]\nkeep_alive = "fixed:2"\nfreeze_after_ms = 500\n', tmp_path)
    daemon = own_daemon(config, program=program, variables={VARIABLE: f"panic:{task}"})
    stir = Stir(daemon, tmp_path)
    # One of them may be what was under way; nobody waits for it for ever.
    broken = stir.all_at_once()
    wait_until(lambda: reached(daemon, task), 10, "somebody comes to it", lambda: broken)
    assert daemon.process.poll() is None, daemon.log()[-3000:]
    assert len(broken) <= 1, broken
    assert stir.all_at_once() == []


@pytest.mark.parametrize("task", STIRRED_ENDING)
def test_ends_a_busy_daemon_which_goes_on_when_started_again(own_daemon, program, tmp_path, task):
    config = with_bucket('[node]\nkeep_alive = "fixed:0"\n', tmp_path)
    daemon = own_daemon(config, program=program, variables={VARIABLE: f"panic:{task}"})
    stir = Stir(daemon, tmp_path)
    broken = stir.all_at_once()
    start_again(daemon, task, lambda: broken)
    assert stir.all_at_once() == []


def start_again(daemon, task, found=lambda: ""):
    wait_until(lambda: daemon.process.poll() is not None, 10, "the daemon ends", found)
    assert daemon.process.returncode != 0
    assert reached(daemon, task)
    daemon.stderr.write_text("")
    daemon.variables = {}
    daemon.start()


@pytest.mark.parametrize("task", CAPACITY)
def test_of_capacity_loses_no_instance(own_daemon, program, tmp_path, task):
    hook = Hook(tmp_path / "hook")
    admin = Admin(own_daemon(hook.config(), program=program, variables={VARIABLE: f"panic:{task}"}))
    pool = {"max": 4, "instance_memory_mib": 512}
    admin.set("pools/bought", min=1, target=1, **pool)
    if task == "call of the capacity hook":
        start_again(admin.daemon, task)
    instances = lambda: [found for found in admin("GET", "instances")[1]["instances"] if found["source"] == "hook"]  # noqa: E731
    wait_until(instances, 20, "an instance from the hook")
    admin.set("pools/bought", min=0, target=0, **{**pool, "max": 0})
    if task == "release of an instance":
        start_again(admin.daemon, task)
    wait_until(lambda: hook.requests("release"), 20, "it is given back")
    wait_until(lambda: not instances(), 20, "it is gone")
    assert {request["token"] for request in hook.requests("release")} == {request["token"] for request in hook.requests("acquire")}
