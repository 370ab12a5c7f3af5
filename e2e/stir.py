"""A bit of everything that a daemon does, so that each of its tasks has something to do."""

import json
import socket
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import package
from botocore.exceptions import BotoCoreError, ClientError
from daemon import ACCOUNT, REGION, wait_until
from package import deploy

SNAP_START = {"ApplyOn": "PublishedVersions"}


BUCKET = "stir"


def with_bucket(config, directory):
    """A daemon's configuration with a bucket in the directory, which one of the steps needs."""
    return f'{config}\n[code.buckets.{BUCKET}]\ndir = "{directory}"\n'


class Stir:
    """Steps that work in any order. What is asked of each is checked in it."""

    def __init__(self, daemon, directory):
        self.daemon = daemon
        self.directory = directory
        self.client = daemon.client()

    def all_at_once(self):
        """What went wrong, step by step."""
        steps = [getattr(self, name) for name in vars(type(self)) if name.startswith("do_")]
        with ThreadPoolExecutor(len(steps)) as pool:
            return [error for error in pool.map(attempted, steps) if error]

    def function(self, handler, **configuration):
        function = deploy(self.daemon, handler, **configuration)
        function.settle()
        return function

    def do_call_and_update(self):
        function = self.function("probe.environment")
        assert function.call({})["environ"]["AWS_LAMBDA_FUNCTION_NAME"] == function.name
        function.configure(Environment={"Variables": {"EDITION": "2"}})
        wait_until(lambda: function.call({})["environ"].get("EDITION") == "2", 20, "the new version serves")
        location = self.client.get_function(FunctionName=function.name)["Code"]["Location"]
        assert urllib.request.urlopen(location, timeout=20).read(2) == b"PK"
        self.client.delete_function(FunctionName=function.name)

    def do_run_out_of_time(self):
        function = self.function("probe.sleep", Timeout=1, TracingConfig={"Mode": "Active"})
        result = function.invoke({"seconds": 30})
        assert "timed out" in result.json["errorMessage"], result.json
        self.hang_up_on(function)

    def hang_up_on(self, function):
        """A caller that does not wait for the end, which comes all the same."""
        connection = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=20)
        body = json.dumps({"seconds": 0.5, "print": "hung up"})
        headers = {
            "Host": "x",
            "Content-Length": len(body),
            "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/lambda/aws4_request, SignedHeaders=host, Signature=0",
            "X-Amz-Date": "20260101T000000Z",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"POST /2015-03-31/functions/{function.name}/invocations HTTP/1.1\r\n{lines}\r\n{body}".encode())
        function.wait_for_message("hung up")
        connection.close()
        # Its end is not in the way of the next.
        assert function.call({"seconds": 0})["slept"] == 0

    def do_events_that_call_aws(self):
        logs = self.daemon.client("logs")
        group, event = f"/stir/{uuid4().hex}", uuid4().hex
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        function = self.function("probe.record")
        result = function.invoke({"group": group, "stream": "s", "id": event}, InvocationType="Event")
        assert result.status == 202

        def written():
            return [found for found in logs.filter_log_events(logGroupName=group)["events"] if event in found["message"]]

        wait_until(written, 25, "the event has run", lambda: self.daemon.log()[-2000:])

    def do_templates(self):
        assert self.daemon.state()["templates"], "the state has all its parts"
        function = self.function("clone.handler", MemorySize=256, SnapStart=SNAP_START)
        version = self.client.publish_version(FunctionName=function.name)["Version"]
        name = f"{function.name}:{version}"

        def active():
            return self.client.get_function_configuration(FunctionName=name)["State"] == "Active"

        wait_until(active, 40, "the version is prepared")
        for _ in range(2):
            assert package.invoke(self.client, name, {}).error is None
        self.client.delete_function(FunctionName=function.name)

    def do_code_from_a_bucket(self):
        key = f"{uuid4().hex}.zip"
        (self.directory / key).write_bytes(package.make_zip({"app.py": "def handler(event, context):\n    return 'kept'\n"}))
        code = {"S3Bucket": BUCKET, "S3Key": key}
        name = f"bucket-{uuid4().hex}"
        self.client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=package.ROLE, Code=code)
        function = package.Function(self.daemon, self.client, name)
        function.settle()
        assert function.call({}) == "kept"

    def do_a_live_directory(self):
        code = self.directory / uuid4().hex
        code.mkdir()
        (code / "app.py").write_text("def handler(event, context):\n    return 'live'\n")
        function = self.function("app.handler", Tags={"hearth:live-dir": str(code)})
        assert function.call({}) == "live"


def attempted(step):
    try:
        step()
    except (AssertionError, BotoCoreError, ClientError, OSError) as error:
        return f"{step.__name__}: {error!r}"
