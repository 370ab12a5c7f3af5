"""Clients that hold on to what they were given: however many of them there are, another tenant's calls are answered beside them."""

import json
import selectors
import socket
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from daemon import REGION, Daemon, wait_until, within
from package import deploy
from test_bad_input import resident
from test_operators import ask

MIB = 1 << 20
LONE, OTHER = "111111111111", "222222222222"
# Roles are of other accounts here, and no matter.
KEYS = 'roles = "lenient"\n' + "".join(
    f'[[access_keys]]\nid = "AKID{account}"\nsecret = "the-secret-of-{account}"\naccount = "{account}"\n' for account in (LONE, OTHER)
) + '[[operator_keys]]\nid = "OPERATOR"\nsecret = "an-operators-secret"\n'
INVOKE = "/2015-03-31/functions/{}/invocations"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("stalled"), KEYS).start()
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def function(guarded):
    """What the other tenant calls meanwhile."""
    function = deploy(guarded, "probe.length", client=client(guarded, OTHER), MemorySize=512)
    function.call({"text": "x"})
    return function


def client(daemon, account):
    return daemon.client(account=f"AKID{account}", secret=f"the-secret-of-{account}")


def head(daemon, account, length, secret=None, payload_hash=None, path=INVOKE.format("f"), key=None):
    """The head of a signed request whose body has so many bytes."""
    request = botocore.awsrequest.AWSRequest("POST", f"{daemon.endpoint}{path}", data=b"")
    if payload_hash:
        request.headers["X-Amz-Content-SHA256"] = payload_hash
    credentials = botocore.credentials.Credentials(key or f"AKID{account}", secret or f"the-secret-of-{account}")
    botocore.auth.SigV4Auth(credentials, "lambda", REGION).add_auth(request)
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nContent-Length: {length}\r\n{lines}\r\n".encode()


@contextmanager
def attackers(daemon, count, data, address="127.0.0.1"):
    """So many connections, each of which has sent what it could of `data` and never sends the rest."""
    with ExitStack() as stack:
        place = ("127.0.0.1", daemon.port)
        streams = [
            stack.enter_context(socket.create_connection(place, timeout=10, source_address=(address, 0))) for _ in range(count)
        ]
        for stream in streams:
            stream.settimeout(0.5)
            try:
                stream.sendall(data)
            except OSError:
                pass
            stream.settimeout(10)
        yield streams


def still_open(streams):
    """Those that were neither answered nor closed."""
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        return len(streams) - len(selector.select(0))


def answered(function, rounds=3):
    """Calls of every size are answered, as far as anybody may tell at once: nothing waits for an attacker's deadline."""
    with within(20):
        for _ in range(rounds):
            for size in (10, 200_000, 2_000_000):
                assert function.call({"text": "x" * size})["length"] == size


class TestBodiesThatDoNotEnd:
    def test_under_a_wrong_signature(self, guarded, function):
        """The key's id is no secret. Nobody can say whose these are before they end: they get a part of their own."""
        before = resident(guarded)
        data = head(guarded, LONE, 6 * MIB, secret="wrong") + bytes(6 * MIB - 1)
        with attackers(guarded, 185, data) as streams:
            assert still_open(streams) > 0
            answered(function)
            assert still_open(streams) > 0
            assert resident(guarded) - before < 400 * MIB

    def test_under_the_other_tenants_own_key_and_a_wrong_signature(self, guarded, function):
        data = head(guarded, OTHER, 6 * MIB, secret="wrong") + bytes(6 * MIB - 1)
        with attackers(guarded, 100, data):
            answered(function)

    def test_under_a_right_signature(self, guarded, function):
        """An account has a part, and no more than that."""
        data = head(guarded, LONE, 6 * MIB, payload_hash="00" * 32) + bytes(6 * MIB - 1)
        with attackers(guarded, 100, data) as streams:
            answered(function)
            assert still_open(streams) > 0

    def test_a_wrong_signature_over_the_head_is_refused_before_the_body(self, guarded):
        with attackers(guarded, 1, head(guarded, LONE, 6 * MIB, secret="wrong", payload_hash="00" * 32)) as [stream]:
            assert stream.recv(1000).startswith(b"HTTP/1.1 403")

    def test_of_another_hash_than_the_head_says_are_refused(self, guarded):
        with attackers(guarded, 1, head(guarded, LONE, 2, payload_hash="00" * 32) + b"{}") as [stream]:
            answer = stream.recv(10000)
            assert answer.startswith(b"HTTP/1.1 403") and b"InvalidSignatureException" in answer

    @pytest.mark.parametrize("sent", [0, 1, 70_000])
    def test_of_which_little_comes(self, guarded, function, sent):
        data = head(guarded, LONE, 6 * MIB, secret="wrong") + bytes(sent)
        with attackers(guarded, 1000, data) as streams:
            answered(function)
            assert still_open(streams) > 0

    def test_that_come_byte_by_byte(self, guarded, function):
        data = head(guarded, LONE, 200_000, secret="wrong") + bytes(100_000)
        with attackers(guarded, 500, data) as streams:
            for _ in range(5):
                for stream in streams:
                    try:
                        stream.send(b"x")
                    except OSError:
                        pass
                answered(function, rounds=1)

    @pytest.mark.parametrize(("address", "named"), [("127.0.0.1", "OPERATOR"), ("127.0.0.2", f"AKID{OTHER}")])
    def test_that_move_and_fill_all_that_is_for_unproven_ones(self, guarded, function, address, named):
        """Whoever has less than its part gets it: each key beside others, and each address whatever keys are named there."""
        ended = threading.Event()

        def feed(streams):
            while not ended.wait(0.1):
                for stream in streams:
                    with suppress(OSError):
                        stream.send(bytes(8192))

        data = [head(guarded, LONE, 6 * MIB, secret="wrong", key=key) + bytes(3 * MIB) for key in (named, f"AKID{LONE}")]
        with attackers(guarded, 25, data[0], address) as some, attackers(guarded, 25, data[1], address) as others:
            feeder = threading.Thread(target=feed, args=(some + others,))
            feeder.start()
            try:
                answered(function)
                assert still_open(some + others) > 0
            finally:
                ended.set()
                feeder.join()

    def test_of_ten_gigabytes_are_refused_and_hold_nothing(self, guarded, function):
        data = head(guarded, LONE, 10_000_000_000, payload_hash="00" * 32)
        with attackers(guarded, 200, data) as streams:
            answered(function)
            assert streams[0].recv(100).startswith(b"HTTP/1.1 413")


class TestPayloads:
    def test_of_running_functions_hold_nothing(self, own_daemon):
        """More large events than an account's part of the memory has room for are with functions, and the next is taken."""
        daemon = own_daemon(f"{KEYS}[requests]\nbody_memory_mib = 256\n")
        sleeper = deploy(daemon, "probe.sleep", client=client(daemon, LONE), MemorySize=256, Timeout=60)
        event = {"seconds": 40, "text": "x" * (6 * MIB - 100)}

        def running():
            status, text = ask(daemon, ("OPERATOR", "an-operators-secret"), "GET", "state")
            return sum(version["sandboxes"]["busy"] for version in text["engine"]["versions"])

        with ThreadPoolExecutor(20) as threads:
            calls = [threads.submit(sleeper.call, event) for _ in range(20)]
            wait_until(lambda: running() == 20, 60, "all run")
            assert sleeper.call({**event, "seconds": 0})["slept"] == 0
            assert not any(call.done() for call in calls)
            assert all(call.result()["slept"] == 40 for call in calls)


class TestConnections:
    def test_on_which_nothing_comes(self, guarded, function):
        with attackers(guarded, 1000, b"") as streams:
            answered(function)
            assert still_open(streams) == 1000

    def test_whose_heads_do_not_end(self, guarded, function):
        with attackers(guarded, 500, b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ") as streams:
            answered(function)
            assert still_open(streams) == 500

    def test_beyond_the_limit_make_room(self, own_daemon):
        """Those that hold all places, with and without a request begun, give way to who calls."""
        daemon = own_daemon(f"{KEYS}[requests]\nconnections = 100\n")
        function = deploy(daemon, "probe.length", client=client(daemon, OTHER), MemorySize=512)
        unproven = head(daemon, LONE, 100_000, secret="wrong") + b"x"
        with attackers(daemon, 60, b""), attackers(daemon, 60, b"GET / HTTP/1.1\r\nHost: x"), attackers(daemon, 60, unproven):
            # Over connections of its own: those from before are in use.
            function.client = client(daemon, OTHER)
            answered(function)

    def test_on_which_requests_are_sent_and_answers_are_not_read(self, guarded, function):
        before = resident(guarded)
        request = b"GET /2015-03-31/functions/ HTTP/1.1\r\nHost: x\r\n\r\n"
        with attackers(guarded, 100, request * 2000):
            answered(function)
            assert resident(guarded) - before < 200 * MIB


class TestAnswers:
    """Connections on which large answers are asked for and not read."""

    BYTES = 6 * MIB

    def ask(self, daemon, function, stack, receive_buffer=4096):
        """A connection on which the function's answer has begun to come, or which was closed instead."""
        stream = stack.enter_context(socket.socket())
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        stream.settimeout(60)
        stream.connect(("127.0.0.1", daemon.port))
        payload = json.dumps({"bytes": self.BYTES}).encode()
        path = INVOKE.format(function.name)
        request = botocore.awsrequest.AWSRequest("POST", f"{daemon.endpoint}{path}", data=payload)
        credentials = botocore.credentials.Credentials(f"AKID{LONE}", f"the-secret-of-{LONE}")
        botocore.auth.SigV4Auth(credentials, "lambda", REGION).add_auth(request)
        lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        line = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nContent-Length: {len(payload)}\r\n"
        stream.sendall(f"{line}{lines}\r\n".encode() + payload)
        stream.recv(1, socket.MSG_PEEK)
        return stream

    @pytest.fixture(scope="class")
    def large(self, guarded):
        return deploy(guarded, "probe.size", client=client(guarded, LONE), MemorySize=256)

    def test_take_no_more_than_their_accounts_part(self, guarded, large, function):
        large.invoke({"bytes": self.BYTES})
        before = resident(guarded)
        with ExitStack() as stack:
            for _ in range(60):
                self.ask(guarded, large, stack)
                assert resident(guarded) - before < 200 * MIB
            answered(function)
        assert len(large.invoke({"bytes": self.BYTES}).body) == self.BYTES

    def test_that_are_read_slowly_come_whole(self, guarded, large):
        """While others of the same account need its room, and those that read nothing are cut off for them."""
        with ExitStack() as stack, ThreadPoolExecutor(1) as threads:
            slow = self.ask(guarded, large, stack, receive_buffer=65536)
            crowd = threads.submit(lambda: [self.ask(guarded, large, stack) for _ in range(40)])
            answer = b""
            while not wait([crowd], 0.25).done:
                answer += slow.recv(MIB // 64, socket.MSG_WAITALL)
            crowd.result()
            while not answer.endswith(b'x"'):
                more = slow.recv(MIB)
                assert more, "closed before the end"
                answer += more
            head, body = answer.split(b"\r\n\r\n", 1)
            assert head.startswith(b"HTTP/1.1 200") and len(body) == self.BYTES
