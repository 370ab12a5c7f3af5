"""Asynchronous invocations among neighbours, over restarts and in damaged stores."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import failpoint
import package
import pytest
from daemon import ACCOUNT, wait_until

NEIGHBOUR = "210987654321"
# Eight sandboxes of 256 MiB.
SMALL = "[node]\nmemory_mib = 2048\nblanks_per_runtime = 1\n"


@pytest.fixture
def flood():
    """Sends many events to a function at once."""
    with ThreadPoolExecutor(16) as pool:

        def send(function, count, event):
            answers = pool.map(lambda _: function.invoke(event, InvocationType="Event").status, range(count))
            assert set(answers) == {202}

        yield send


def deploy(daemon, account=ACCOUNT, handler="probe.sleep", **configuration):
    return package.deploy(daemon, handler, client=daemon.client(account=account), MemorySize=256, **configuration)


def queued(daemon):
    return daemon.state()["events"]["queued"]


def stored(daemon):
    """The store of a daemon that does not run."""
    assert daemon.process is None
    return sqlite3.connect(daemon.data / "store" / "store.sqlite")


class TestNeighbours:
    def test_a_backlog_of_one_account_holds_up_no_event_of_another(self, own_daemon, flood):
        daemon = own_daemon(SMALL)
        busy, quiet = deploy(daemon), deploy(daemon, NEIGHBOUR)
        flood(busy, 300, {"seconds": 1})
        quiet.invoke({"print": "not held up", "seconds": 0}, InvocationType="Event")
        quiet.wait_for_message("not held up", 60)
        left = queued(daemon)
        assert left > 200, f"only {left} of the backlog were left"

    def test_events_that_run_for_long_leave_room_for_others(self, own_daemon, flood):
        """None of the slow ones ends before the others have run: those of another account, and of another function."""
        daemon = own_daemon(SMALL)
        slow, own, other = deploy(daemon, Timeout=900), deploy(daemon), deploy(daemon, NEIGHBOUR)
        flood(slow, 30, {"seconds": 800})
        wait_until(lambda: daemon.state()["engine"]["sandboxes"]["busy"] >= 3, 30, "some of them run")
        for function in (other, own):
            function.invoke({"print": "beside them", "seconds": 0}, InvocationType="Event")
            function.wait_for_message("beside them", 30)
        assert not any(message.startswith("END") for message in slow.messages()), "one of the slow ones has ended"
        daemon.kill()

    def test_a_function_at_its_limit_holds_up_no_other(self, own_daemon, flood):
        daemon = own_daemon(SMALL)
        limited, other = deploy(daemon, Timeout=900), deploy(daemon)
        limited.client.put_function_concurrency(FunctionName=limited.name, ReservedConcurrentExecutions=1)
        flood(limited, 300, {"seconds": 800})
        other.invoke({"print": "not held up", "seconds": 0}, InvocationType="Event")
        other.wait_for_message("not held up", 30)
        wait_until(lambda: queued(daemon) == 300)
        daemon.kill()


class TestRestart:
    def test_events_begin_when_all_that_they_need_is_connected(self, own_daemon):
        program = failpoint.debug_program()
        daemon = own_daemon(SMALL, program=program)
        function = deploy(daemon, Timeout=900)
        function.invoke({"print": "it began", "seconds": 0}, InvocationType="Event")
        function.wait_for_message("it began")
        wait_until(lambda: queued(daemon) == 0)
        function.invoke({"print": "slept", "seconds": 800}, InvocationType="Event")
        wait_until(lambda: daemon.state()["events"]["running"] == 1)
        daemon.kill()
        with stored(daemon) as store:
            # As if its lease had run out meanwhile.
            store.execute("UPDATE message SET visible_at = 0")
        daemon.variables = {failpoint.VARIABLE: "events.start"}
        daemon.spawn()
        thread = failpoint.await_standing(daemon, "events.start")
        # The node has begun to make sandboxes: what waited for nothing else would have begun as well.
        failpoint.outside(daemon, b"__launcher")
        [(deliveries,)] = sqlite3.connect(f"file:{daemon.data}/store/store.sqlite?mode=ro", uri=True).execute(
            "SELECT deliveries FROM message"
        )
        assert deliveries == 1
        failpoint.let_go(thread)
        wait_until(daemon.healthy, 15)
        wait_until(lambda: daemon.state()["events"]["running"] == 1)
        daemon.kill()

    def test_events_of_an_earlier_release_are_run(self, own_daemon):
        """Its store had one queue for all, and events without the mark of their form."""
        daemon = own_daemon(SMALL)
        function = deploy(daemon)
        limit = {"FunctionName": function.name}
        function.client.put_function_concurrency(**limit, ReservedConcurrentExecutions=1)
        function.invoke({"seconds": 800}, InvocationType="Event")
        function.invoke({"print": "kept", "seconds": 0}, InvocationType="Event")
        daemon.kill()
        with stored(daemon) as store:
            store.executescript(
                """
                DELETE FROM message WHERE body IN (SELECT row FROM body WHERE instr(body, 'kept') = 0);
                UPDATE message SET queue = 'invoke', visible_at = enqueued_at;
                UPDATE body SET body = CAST(substr(body, 2) AS BLOB);
                DELETE FROM queue; INSERT INTO queue VALUES ('events', 'invoke', 1);
                DELETE FROM meta WHERE name <> 'revision'; PRAGMA user_version = 1;
                """
            )
        daemon.start()
        function.wait_for_message("kept")
        wait_until(lambda: queued(daemon) == 0)

    def test_an_event_that_cannot_be_read_is_kept_and_shown(self, own_daemon):
        daemon = own_daemon(SMALL)
        function = deploy(daemon)
        function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
        function.invoke({"seconds": 800}, InvocationType="Event")
        function.invoke({"print": "read again", "seconds": 0}, InvocationType="Event")
        daemon.kill()
        with stored(daemon) as store:
            store.execute("DELETE FROM message WHERE body IN (SELECT row FROM body WHERE instr(body, 'read again') = 0)")
            store.execute("UPDATE queue SET messages = 1")
            store.execute("UPDATE message SET visible_at = 0")
            [(body,)] = store.execute("SELECT body FROM body WHERE instr(body, 'read again') > 0").fetchall()
            store.execute("UPDATE body SET body = ?", (b"\xee" + body[1:],))
        daemon.start()
        wait_until(lambda: daemon.state()["events"] == {"queued": 0, "running": 0, "put_aside": 1}, 20)
        assert "an event cannot be read and is put aside" in daemon.log()
        other = deploy(daemon)
        other.invoke({"print": "goes on", "seconds": 0}, InvocationType="Event")
        other.wait_for_message("goes on")
        daemon.stop()
        with stored(daemon) as store:
            store.execute("UPDATE body SET body = ?", (body,))
        daemon.start()
        function.wait_for_message("read again")
        wait_until(lambda: daemon.state()["events"] == {"queued": 0, "running": 0, "put_aside": 0}, 20)
