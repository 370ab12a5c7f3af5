"""Hostile and broken clients: the right AWS error, and never a panic, a hang or a leak."""

import datetime
import http.client
import io
import json
import os
import re
import socket
import struct
import subprocess
import time
import zipfile
import zlib
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from daemon import ACCOUNT, HEARTH, REGION, Daemon, refused, wait_until, within
from load import AUTHORIZATION, Connection
from package import ROLE, deploy, make_zip, unique

FUNCTIONS = "/2015-03-31/functions"


@pytest.fixture(autouse=True)
def unharmed(daemon):
    """Whatever was sent, the daemon is the same process afterwards, healthy, and did not panic."""
    before = daemon.process.pid
    yield
    assert daemon.process.pid == before
    assert daemon.healthy()
    daemon.assert_no_panic()


@pytest.fixture
def connection(daemon):
    connection = Connection(daemon, timeout=20)
    yield connection
    connection.close()


def raw(daemon, data, seconds=10):
    """Sends bytes and answers with what came back until the other side closed or fell silent."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=seconds) as stream:
        try:
            stream.sendall(data)
        except (ConnectionError, TimeoutError):
            pass
        received = b""
        try:
            while len(received) < 1 << 16:
                piece = stream.recv(65536)
                if not piece:
                    break
                received += piece
        except (ConnectionError, TimeoutError):
            pass
        return received


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [b"garbage", b"{", b"[]", b"7", b"null", b'"text"', b"\xff\xfe\x00", b'{"FunctionName": "x"', b"[" * 100_000],
        ids=lambda body: repr(body[:12]),
    )
    def test_that_are_not_the_json_they_should_be(self, connection, body):
        for method, path in [("POST", FUNCTIONS), ("PUT", f"{FUNCTIONS}/x/configuration"), ("POST", f"{FUNCTIONS}/x/aliases")]:
            status, headers, answer = connection.request(method, path, body, {"Content-Type": "application/json"})
            assert 400 <= status < 500, (status, answer)
            assert headers["x-amzn-ErrorType"], headers
            assert json.loads(answer).get("message") or json.loads(answer).get("Message")

    @pytest.mark.parametrize(
        "changes",
        [
            {"Timeout": "ten"},
            {"Timeout": 1.5},
            {"Timeout": 10**30},
            {"MemorySize": [128]},
            {"FunctionName": 7},
            {"Code": "zip"},
            {"Code": {"ZipFile": "*** not base64 ***"}},
            {"Environment": {"Variables": {"A": 1}}},
            {"Environment": {"Variables": []}},
            {"Layers": "layer"},
            {"Tags": ["a"]},
            {"Publish": "yes"},
        ],
        ids=repr,
    )
    def test_with_wrong_types(self, connection, changes):
        request = {"FunctionName": unique("typed"), "Runtime": "python3.11", "Handler": "a.b", "Role": ROLE, "Code": {"ZipFile": ""}}
        status, headers, answer = connection.request("POST", FUNCTIONS, json.dumps(request | changes))
        assert status == 400, (status, answer)
        assert headers["x-amzn-ErrorType"] in {
            "SerializationException",
            "InvalidParameterValueException",
            "ValidationException",
            "InvalidRequestContentException",
        }

    def test_nested_without_end(self, connection, deploy):
        """A payload is not parsed deeper than is safe; a deep one is either run or refused."""
        function = deploy("probe.length")
        status, headers, answer = connection.invoke(function.name, b'{"text": "x", "deep": ' + b"[" * 500_000 + b"]" * 500_000 + b"}")
        assert status in (200, 400), answer[:200]
        if status == 400:
            assert headers["x-amzn-ErrorType"] == "InvalidRequestContentException"

    def test_larger_than_any_operation_takes(self, daemon):
        """Declared or sent: refused before it is held in memory."""
        head = f"POST {FUNCTIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n"
        large = 72 << 20
        answer = raw(daemon, f"{head}Content-Length: {large}\r\n\r\n".encode() + bytes(large), 60)
        assert answer.startswith(b"HTTP/1.1 413"), answer[:300]
        assert b"RequestEntityTooLargeException" in answer
        # Nothing of it is sent: the answer does not wait for it, and neither does the end of the connection.
        for path in (FUNCTIONS, f"{FUNCTIONS}/x/invocations", "/"):
            head_only = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\nContent-Length: 10000000000\r\n\r\n"
            with within(20):
                answer = raw(daemon, head_only.encode(), 30)
            assert answer.startswith(b"HTTP/1.1 413") and b"RequestEntityTooLargeException" in answer, answer[:300]
        before = resident(daemon)
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as stream:
            stream.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            block = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
            sent = 0
            try:
                while sent < 300:
                    stream.sendall(block)
                    sent += 1
            except (ConnectionError, TimeoutError):
                pass
        assert resident(daemon) - before < 256 << 20

    def test_control_operations_have_small_bodies(self, connection, deploy):
        function = deploy("probe.echo")
        status, headers, _ = connection.request(
            "PUT", f"{FUNCTIONS}/{function.name}/configuration", json.dumps({"Description": "x" * (9 << 20)})
        )
        assert status in (400, 413)
        assert headers["x-amzn-ErrorType"]


def resident(daemon):
    with open(f"/proc/{daemon.process.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


class TestProtocol:
    @pytest.mark.parametrize(
        "data",
        [
            os.urandom(4096),
            b"\0" * 4096,
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 4096,
            bytes.fromhex("16030100e2") + os.urandom(226),
            b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /%zz%/..%2f..%2fetc HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
        ids=lambda data: repr(data[:24]),
    )
    def test_garbage_is_answered_or_cut_off(self, daemon, data):
        with within(35):
            answer = raw(daemon, data, 30)
        assert answer == b"" or not re.match(rb"HTTP/1.1 (2|5)", answer), answer[:200]

    def test_headers_without_end_are_cut_off(self, daemon):
        """A gigabyte of headers is offered; only a little of it is ever taken."""
        before = resident(daemon)
        sent = 0
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            block = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(1000))
            try:
                while sent < 1 << 30:
                    stream.sendall(block)
                    sent += len(block)
            except (ConnectionError, TimeoutError):
                pass
        assert sent < 64 << 20
        assert resident(daemon) - before < 64 << 20

    def test_slow_clients_hold_up_nobody_and_are_dropped(self, daemon, deploy):
        function = deploy("probe.echo", MemorySize=256)
        function.call(1)
        idle = []
        try:
            for number in range(200):
                stream = socket.create_connection(("127.0.0.1", daemon.port), timeout=5)
                stream.sendall(b"" if number % 2 else b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nContent-")
                idle.append(stream)
            with within(10):
                for _ in range(20):
                    assert function.call(1) == 1
            half = idle[0]
            half.settimeout(90)
            with within(95):
                try:
                    assert half.recv(1000)[:12] in (b"", b"HTTP/1.1 408", b"HTTP/1.1 400")
                except ConnectionError:
                    pass
        finally:
            for stream in idle:
                stream.close()

    def test_a_client_that_leaves_in_mid_call_leaks_nothing(self, daemon, deploy):
        function = deploy("probe.sleep", MemorySize=256)
        function.call({})

        def descriptors():
            return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))

        before = descriptors()
        for _ in range(30):
            with socket.create_connection(("127.0.0.1", daemon.port)) as stream:
                stream.sendall(
                    f"POST {FUNCTIONS}/{function.name}/invocations HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n"
                    "Content-Length: 2\r\n\r\n{}".encode()
                )
        assert function.call({})["slept"] == 0
        wait_until(lambda: descriptors() < before + 150, 20)

    @pytest.mark.parametrize("name", ["..%2F..%2Fetc", "%00", "a%0d%0ab", "%F0%9F%94%A5", "x" * 5000, "arn:aws:lambda", "%"])
    def test_names_that_are_none(self, connection, name):
        for method, rest in [("GET", ""), ("POST", "/invocations"), ("DELETE", ""), ("GET", "/policy")]:
            status, headers, _ = connection.request(method, f"{FUNCTIONS}/{name}{rest}", b"{}" if method == "POST" else None)
            assert 400 <= status < 500, (method, name, status)
            assert headers["x-amzn-ErrorType"]


class TestArchives:
    """What is refused leaves no function behind; what is accepted is unpacked below its own directory only."""

    def create(self, client, data):
        name = unique("archive")
        client.create_function(
            FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": data}, Timeout=10
        )
        return name

    def refuse(self, client, data):
        with refused(client, "InvalidParameterValueException", 400):
            self.create(client, data)

    @pytest.mark.parametrize("entry", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "a/../../../../../../../../../../tmp/evil"])
    def test_paths_out_of_the_archive(self, client, daemon, entry):
        data = make_zip({"app.py": "def handler(e, c): return 'ran'", entry: "evil"})
        try:
            name = self.create(client, data)
        except client.exceptions.InvalidParameterValueException:
            pass
        else:
            wait_until(lambda: client.get_function_configuration(FunctionName=name)["State"] in ("Active", "Failed"))
            client.delete_function(FunctionName=name)
        assert not os.path.exists("/tmp/evil") and not os.path.exists("/etc/evil")
        for root, _, names in os.walk(daemon.data.parent):
            for found in names:
                assert found != "evil" or "/code/" in root or "task" in root or "unpacked" in root, os.path.join(root, found)

    def link(self, target, name="link", then=None):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, target)
            app = zipfile.ZipInfo("app.py")
            archive.writestr(app, "def handler(event, context):\n    return open('/var/task/link').read(100)\n")
            if then:
                archive.writestr(then, "evil")
        return buffer.getvalue()

    def test_links_out_of_the_archive(self, client, daemon, tmp_path):
        """They are followed only inside the sandbox; of the host nothing is read, written or removed through them."""
        secret = tmp_path / "secret"
        secret.write_text("of the host")
        for target in [str(secret), "../" * 30 + str(secret).lstrip("/"), "/proc/1/environ", "/", str(daemon.data)]:
            name = self.create(client, self.link(target))
            wait_until(lambda name=name: client.get_function_configuration(FunctionName=name)["State"] == "Active")
            answer = client.invoke(FunctionName=name)
            assert answer["FunctionError"] == "Unhandled"
            assert re.search("No such file|Is a directory|Permission denied", answer["Payload"].read().decode()), target
            client.delete_function(FunctionName=name)
        assert secret.read_text() == "of the host" and daemon.data.is_dir()

    def test_writing_through_a_link(self, client, tmp_path):
        with refused(client, "InvalidParameterValueException", 400, "it lies below a file or link"):
            self.create(client, self.link(str(tmp_path), then="link/evil"))
        assert list(tmp_path.iterdir()) == []

    def test_bombs(self, client, daemon):
        before = resident(daemon)
        with within(60):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
                with archive.open("bomb", "w", force_zip64=True) as file:
                    for _ in range(1024):
                        file.write(bytes(1 << 20))
            self.refuse(client, buffer.getvalue())
            self.refuse(client, lying_zip(100, 600 << 20))
        assert resident(daemon) - before < 300 << 20

    def test_more_files_than_anyone_needs(self, client):
        with within(90):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                for number in range(300_000):
                    archive.writestr(zipfile.ZipInfo(f"{number}"), "")
            try:
                name = self.create(client, buffer.getvalue())
            except client.exceptions.InvalidParameterValueException:
                return
            wait_until(lambda: client.get_function_configuration(FunctionName=name)["State"] in ("Active", "Failed"), 60)
            client.delete_function(FunctionName=name)

    def test_broken_in_every_way(self, client):
        whole = make_zip({"app.py": "def handler(e, c): return 1", "b": "x" * 1000})
        for data in [
            whole[:-10],
            whole[:40],
            whole[20:],
            b"PK\5\6" + b"\0" * 18 + b"rest",
            b"PK\5\6" + b"\xff" * 18,
            b"PK\3\4" + os.urandom(500),
            whole.replace(zlib.crc32(b"x" * 1000).to_bytes(4, "little"), b"\0\0\0\0"),
            whole[:-6] + struct.pack("<I", 0xFFFFFFF0) + b"\0\0",
        ]:
            self.refuse(client, data)

    def test_names_that_are_no_names(self, client):
        for name in ["a\0b", "", "x" * 5000, "a/" * 2000 + "b"]:
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                entry = zipfile.ZipInfo("placeholder")
                entry.filename = name
                archive.writestr(entry, "x")
            try:
                created = self.create(client, buffer.getvalue())
            except client.exceptions.InvalidParameterValueException:
                continue
            client.get_function(FunctionName=created)
            wait_until(lambda created=created: client.get_function_configuration(FunctionName=created)["State"] != "Pending")
            client.delete_function(FunctionName=created)


def lying_zip(declared, actual):
    """One entry that says it unpacks to `declared` bytes and unpacks to `actual`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(actual >> 20)) + packer.flush()
    fields = (20, 0, 8, 0, 0x5A21, 0, len(data), declared, 3, 0)
    local = b"PK\3\4" + struct.pack("<HHHHHIIIHH", *fields) + b"big" + data
    central = b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", 20, *fields, 0, 0, 0, 0, 0) + b"big"
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


class TestSignatures:
    KEYS = f'[[access_keys]]\nid = "AKIDEXAMPLE"\nsecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"\naccount = "{ACCOUNT}"\n'
    ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

    @pytest.fixture(scope="class")
    def guarded(self, tmp_path_factory):
        daemon = Daemon(tmp_path_factory.mktemp("guarded"), self.KEYS).start()
        yield daemon
        daemon.stop()

    def test_of_a_known_key_are_accepted(self, guarded):
        client = guarded.client(account=self.ID, secret=self.SECRET)
        assert client.list_functions()["Functions"] == []
        function = deploy(guarded, "probe.echo", client=client)
        assert function.call({"ü": [1]}) == {"ü": [1]}
        client.create_alias(FunctionName=function.name, Name="prod", FunctionVersion="$LATEST")
        assert client.get_alias(FunctionName=function.name, Name="prod")["AliasArn"].startswith(f"arn:aws:lambda:{REGION}:{ACCOUNT}")
        client.tag_resource(Resource=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}", Tags={"a b": "ü @ =+/"})
        assert guarded.client("sts", account=self.ID, secret=self.SECRET).get_caller_identity()["Account"] == ACCOUNT

    @pytest.mark.parametrize("service", ["lambda", "sts", "iam", "logs"])
    def test_that_are_wrong_are_refused(self, guarded, service):
        call = {"lambda": "list_functions", "sts": "get_caller_identity", "iam": "list_roles", "logs": "describe_log_groups"}[service]
        wrong = guarded.client(service, account=self.ID, secret="wrong")
        code = "SignatureDoesNotMatch" if service in ("sts", "iam") else "InvalidSignatureException"
        status = 400 if service == "logs" else 403
        with refused(wrong, code, status, "^The request signature we calculated does not match the signature you provided."):
            getattr(wrong, call)()
        unknown = guarded.client(service, account="AKIDUNKNOWN", secret="x")
        code = "InvalidClientTokenId" if service in ("sts", "iam") else "UnrecognizedClientException"
        with refused(unknown, code, status, "^The security token included in the request is invalid"):
            getattr(unknown, call)()

    def signed(self, guarded, moment=None, tamper=None):
        """A signed GET, made at another time or changed after it was signed."""
        request = botocore.awsrequest.AWSRequest("GET", f"{guarded.endpoint}{FUNCTIONS}/?MaxItems=1")
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(self.ID, self.SECRET), "lambda", REGION)
        if moment:
            when = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
            with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: when.replace(tzinfo=None)):
                signer.add_auth(request)
        else:
            signer.add_auth(request)
        headers = dict(request.headers.items())
        path = f"{FUNCTIONS}/?MaxItems=1"
        if tamper:
            path = tamper(headers, path) or path
        connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers["x-amzn-ErrorType"], json.loads(body)

    def test_that_are_expired_or_of_the_future_are_refused(self, guarded):
        assert self.signed(guarded)[0] == 200
        for offset, text in [(-3600, "Signature expired"), (3600, "Signature not yet current")]:
            status, kind, body = self.signed(guarded, time.time() + offset)
            assert (status, kind) == (403, "InvalidSignatureException"), body
            assert text in body["message"]

    def test_that_do_not_cover_what_was_sent_are_refused(self, guarded):
        def other_query(headers, path):
            return path.replace("MaxItems=1", "MaxItems=2")

        def other_path(headers, path):
            return path.replace("/functions/", "/functions/x")

        def other_date(headers, path):
            second = headers["X-Amz-Date"][-2]
            headers["X-Amz-Date"] = headers["X-Amz-Date"][:-2] + ("2Z" if second == "1" else "1Z")

        for tamper in [other_query, other_path, other_date]:
            status, kind, body = self.signed(guarded, tamper=tamper)
            assert (status, kind) == (403, "InvalidSignatureException"), (tamper.__name__, body)

    def test_that_are_missing_or_garbled_are_refused(self, guarded):
        def without(headers, path):
            del headers["Authorization"]

        def garbled(text):
            def change(headers, path):
                headers["Authorization"] = text

            return change

        status, kind, _ = self.signed(guarded, tamper=without)
        assert (status, kind) == (403, "MissingAuthenticationTokenException")
        for text in [
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=",
            "AWS4-HMAC-SHA256 " + "Credential=" * 5000,
            f"AWS4-HMAC-SHA256 Credential={self.ID}/20260101/{REGION}/lambda/aws4_request, SignedHeaders={'a;' * 4000}host, Signature=00",
            "Basic dXNlcjpwYXNz",
            "Bearer x",
        ]:
            status, kind, body = self.signed(guarded, tamper=garbled(text))
            assert status in (400, 403), (text[:60], status, body)
            assert kind in {
                "IncompleteSignatureException",
                "InvalidSignatureException",
                "MissingAuthenticationTokenException",
                "UnrecognizedClientException",
            }, (text[:60], kind)

    def test_a_body_that_was_changed_is_refused(self, guarded):
        client = guarded.client(account=self.ID, secret=self.SECRET)

        def change(request, **_):
            request.body = b'{"FunctionName": "changed"}'
            request.headers["Content-Length"] = str(len(request.body))

        client.meta.events.register("before-send.lambda.CreateAlias", change)
        with refused(client, "InvalidSignatureException", 403):
            client.create_alias(FunctionName="f", Name="a", FunctionVersion="1")

    def test_functions_call_with_their_roles_session(self, guarded):
        client = guarded.client(account=self.ID, secret=self.SECRET)
        inner = deploy(guarded, "probe.echo", client=client)
        outer = deploy(guarded, "probe.call_another", client=client, MemorySize=512)
        seen = outer.call({"function": inner.name, "payload": {"n": 1}})
        assert (seen["payload"], seen["account"]) == ({"n": 1}, ACCOUNT)


class TestListening:
    @pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
    def test_beyond_loopback_without_keys_is_refused(self, tmp_path, host):
        daemon = Daemon(tmp_path, host=host)
        daemon.spawn()
        assert daemon.process.wait(10) != 0
        text = daemon.log()
        assert "key" in text and "loopback" in text, text
        assert "panicked" not in text

    def test_beyond_loopback_with_keys_is_allowed(self, own_daemon):
        daemon = own_daemon(TestSignatures.KEYS, host="0.0.0.0")
        client = daemon.client(account=TestSignatures.ID, secret=TestSignatures.SECRET)
        assert client.list_functions()["Functions"] == []
        with refused(client, "UnrecognizedClientException", 403):
            daemon.client().list_functions()


class TestDataDirectory:
    def test_is_for_nobody_else_to_read(self, own_daemon):
        daemon = own_daemon()
        deploy(daemon, "probe.echo").call({})
        private = [daemon.data, *(daemon.data / name for name in ("store", "logs", "code", "templates"))]
        assert {path.name: path.stat().st_mode & 0o077 for path in private} == {path.name: 0 for path in private}


class TestConfiguration:
    def check(self, tmp_path, text):
        path = tmp_path / "hearth.toml"
        path.write_text(text)
        return subprocess.run([HEARTH, "config", "check", path], capture_output=True, text=True, timeout=10)

    def test_that_is_right_is_accepted(self, tmp_path):
        done = self.check(tmp_path, TestSignatures.KEYS)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("text", ["no toml", "unknown_key = 1\n", "listen = 7\n", "[[access_keys]]\nid = 1\n"])
    def test_that_is_wrong_is_refused_with_its_place(self, tmp_path, text):
        done = self.check(tmp_path, text)
        assert done.returncode != 0
        assert "hearth.toml" in done.stdout + done.stderr
        assert "panicked" not in done.stderr
