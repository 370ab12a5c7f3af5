"""The AWS CLI, unmodified: only AWS_ENDPOINT_URL says where."""

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from daemon import ACCOUNT, REGION, wait_until
from package import ROLE, make_zip, python_zip, unique

AWS = Path(sys.executable).with_name("aws")


def version_two():
    """An AWS CLI of major version 2, which alone has `aws logs tail`; Debian packages one."""
    for candidate in ["/usr/bin/aws", "/usr/local/bin/aws", shutil.which("aws")]:
        if candidate and Path(candidate).exists():
            shown = subprocess.run([candidate, "--version"], capture_output=True, text=True).stdout
            if shown.startswith("aws-cli/2."):
                return candidate
    return None


@pytest.fixture
def cli(daemon, tmp_path):
    def run(*arguments, fails=False, program=AWS):
        command = [str(part) for part in (program, *arguments)]
        done = subprocess.run(
            command, env=daemon.environment(), cwd=tmp_path, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )
        assert (done.returncode != 0) == fails, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        if fails:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout

    return run


def test_a_function_from_create_to_delete(cli, tmp_path):
    name = unique("cli")
    (tmp_path / "code.zip").write_bytes(make_zip({"app.py": "def handler(event, context):\n    return {'got': event}\n"}))
    (tmp_path / "next.zip").write_bytes(make_zip({"app.py": "def handler(event, context):\n    return 'next'\n"}))
    named = ("--function-name", name)
    created = cli(
        "lambda", "create-function", *named, "--runtime", "python3.11", "--handler", "app.handler", "--role", ROLE,
        "--zip-file", "fileb://code.zip", "--environment", "Variables={STAGE=1,LEVEL=2}", "--tags", "team=orders", "--timeout", "10",
    )  # fmt: skip
    assert created["FunctionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    cli("lambda", "wait", "function-active-v2", *named)
    shown = cli("lambda", "get-function", *named)
    assert shown["Configuration"]["Environment"] == {"Variables": {"STAGE": "1", "LEVEL": "2"}}
    assert shown["Tags"]["team"] == "orders"

    answer = cli("lambda", "invoke", *named, "--payload", '{"k": "ü"}', "--log-type", "Tail", "out.json")
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert json.loads((tmp_path / "out.json").read_text()) == {"got": {"k": "ü"}}
    assert answer["LogResult"]

    listed = cli("lambda", "list-functions", "--query", f"Functions[?FunctionName=='{name}'].Runtime", "--output", "text")
    assert listed.strip() == "python3.11"
    assert cli("lambda", "publish-version", *named)["Version"] == "1"
    cli("lambda", "create-alias", *named, "--name", "prod", "--function-version", "1")
    cli("lambda", "update-function-code", *named, "--zip-file", "fileb://next.zip")
    cli("lambda", "wait", "function-updated-v2", *named)
    cli("lambda", "invoke", *named, "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == "next"
    cli("lambda", "invoke", *named, "--qualifier", "prod", "--payload", "[1]", "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == {"got": [1]}
    cli("lambda", "update-function-configuration", *named, "--memory-size", "256")
    cli("lambda", "wait", "function-updated", *named)
    assert cli("lambda", "list-versions-by-function", *named)["Versions"][1]["Version"] == "1"
    cli("lambda", "delete-function", *named)
    assert "(ResourceNotFoundException)" in cli("lambda", "get-function", *named, fails=True)


def test_other_operations_answer(cli, tmp_path):
    name = unique("cli")
    named = ("--function-name", name)
    (tmp_path / "code.zip").write_bytes(python_zip())
    cli(
        "lambda", "create-function", *named, "--runtime", "python3.11", "--handler", "probe.echo", "--role", ROLE,
        "--zip-file", "fileb://code.zip",
    )  # fmt: skip
    cli("lambda", "wait", "function-active", *named)
    cli("lambda", "put-function-concurrency", *named, "--reserved-concurrent-executions", "3")
    assert cli("lambda", "get-function-concurrency", *named) == {"ReservedConcurrentExecutions": 3}
    cli("lambda", "put-function-event-invoke-config", *named, "--maximum-retry-attempts", "0")
    added = cli(
        "lambda", "add-permission", *named, "--statement-id", "s", "--action", "lambda:InvokeFunction", "--principal",
        "events.amazonaws.com",
    )  # fmt: skip
    assert json.loads(added["Statement"])["Sid"] == "s"
    assert json.loads(cli("lambda", "get-policy", *named)["Policy"])["Statement"]
    assert cli("lambda", "get-account-settings")["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert "(ResourceConflictException)" in cli(
        "lambda", "create-function", *named, "--runtime", "python3.11", "--handler", "a.b", "--role", ROLE,
        "--zip-file", "fileb://code.zip", fails=True,
    )  # fmt: skip
    cli("lambda", "delete-function", *named)


def test_sts_says_who_is_calling(cli):
    assert cli("sts", "get-caller-identity")["Account"] == ACCOUNT


def test_iam_makes_roles(cli):
    name = unique("role")
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    role = cli("iam", "create-role", "--role-name", name, "--assume-role-policy-document", json.dumps(document))["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/{name}"
    assert role["AssumeRolePolicyDocument"] == document
    assert cli("iam", "get-role", "--role-name", name)["Role"]["RoleId"] == role["RoleId"]
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    cli("iam", "attach-role-policy", "--role-name", name, "--policy-arn", policy)
    attached = cli("iam", "list-attached-role-policies", "--role-name", name)["AttachedPolicies"]
    assert [found["PolicyArn"] for found in attached] == [policy]
    assert name in [found["RoleName"] for found in cli("iam", "list-roles")["Roles"]]
    assert "(EntityAlreadyExists)" in cli(
        "iam", "create-role", "--role-name", name, "--assume-role-policy-document", json.dumps(document), fails=True
    )
    cli("iam", "detach-role-policy", "--role-name", name, "--policy-arn", policy)
    cli("iam", "delete-role", "--role-name", name)
    assert "(NoSuchEntity)" in cli("iam", "get-role", "--role-name", name, fails=True)


class TestLogsTail:
    @pytest.fixture(autouse=True)
    def program(self):
        found = version_two()
        if not found:
            pytest.skip("no AWS CLI 2 on this host: apt-get install awscli")
        return found

    def test_prints_what_functions_wrote(self, cli, deploy, daemon, program):
        function = deploy("probe.sleep")
        function.call({"print": "to be seen, ü"})
        function.wait_for_message("REPORT")
        shown = cli("logs", "tail", function.log_group, "--endpoint-url", daemon.endpoint, program=program)
        assert "to be seen, ü" in shown
        assert "REPORT RequestId" in shown

    def test_follows_what_functions_write(self, deploy, daemon, program):
        function = deploy("probe.sleep")
        function.call({"print": "before"})
        function.wait_for_message("REPORT")
        command = [program, "logs", "tail", function.log_group, "--follow", "--endpoint-url", daemon.endpoint]
        environment = daemon.environment() | {"PYTHONUNBUFFERED": "1"}
        follower = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            lines = iter(follower.stdout.readline, "")
            assert any("before" in line for line in lines)
            function.call({"print": "while following"})
            assert any("while following" in line for line in lines)
        finally:
            follower.kill()
            follower.wait()

    def test_of_an_unknown_group_fails(self, cli, daemon, program):
        text = cli("logs", "tail", "/nowhere", "--endpoint-url", daemon.endpoint, program=program, fails=True)
        assert "ResourceNotFoundException" in text


def test_live_tail_streams_events(daemon, deploy):
    """What `aws logs start-live-tail` reads: an event stream that begins with sessionStart."""
    function = deploy("probe.sleep")
    function.call({})
    function.wait_for_message("REPORT")
    logs = daemon.client("logs", inject_host_prefix=False)
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{function.log_group}"
    events = iter(logs.start_live_tail(logGroupIdentifiers=[group])["responseStream"])
    assert "sessionStart" in next(events)
    function.call({"print": "live"})
    deadline = time.monotonic() + 20
    seen = []
    while not any("live" in message for message in seen):
        assert time.monotonic() < deadline, seen
        update = next(events).get("sessionUpdate", {})
        seen += [result["message"] for result in update.get("sessionResults", [])]


def test_live_tail_with_its_host_prefix(daemon, monkeypatch):
    """SDKs put a prefix before the endpoint's name, which then has to be one: any name under localhost will do."""
    asked = []
    resolve = socket.getaddrinfo

    def under_localhost(host, *arguments, **options):
        asked.append(host)
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", under_localhost)
    logs = boto3.session.Session().client(
        "logs", endpoint_url=f"http://hearth.localhost:{daemon.port}", region_name=REGION,
        aws_access_key_id=ACCOUNT, aws_secret_access_key="any",
    )  # fmt: skip
    group = f"/{unique('live')}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
    assert "sessionStart" in next(iter(logs.start_live_tail(logGroupIdentifiers=[arn])["responseStream"]))
    assert "stream-hearth.localhost" in asked
    logs.delete_log_group(logGroupName=group)


def test_logs_groups_are_managed(cli):
    group = f"/{unique('group')}"
    cli("logs", "create-log-group", "--log-group-name", group)
    cli("logs", "put-retention-policy", "--log-group-name", group, "--retention-in-days", "7")
    found = cli("logs", "describe-log-groups", "--log-group-name-prefix", group)["logGroups"]
    assert [(entry["logGroupName"], entry["retentionInDays"]) for entry in found] == [(group, 7)]
    cli("logs", "create-log-stream", "--log-group-name", group, "--log-stream-name", "s")
    now = int(time.time() * 1000)
    events = json.dumps([{"timestamp": now, "message": "hand-written"}])
    cli("logs", "put-log-events", "--log-group-name", group, "--log-stream-name", "s", "--log-events", events)

    def messages():
        shown = cli("logs", "get-log-events", "--log-group-name", group, "--log-stream-name", "s", "--start-from-head")
        return [event["message"] for event in shown["events"]]

    wait_until(lambda: messages() == ["hand-written"])
    assert "(ResourceAlreadyExistsException)" in cli("logs", "create-log-group", "--log-group-name", group, fails=True)
    cli("logs", "delete-log-group", "--log-group-name", group)
    assert cli("logs", "describe-log-groups", "--log-group-name-prefix", group)["logGroups"] == []
