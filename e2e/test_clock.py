"""The host's clock is set a day forth and back while the daemon runs: nothing that was accepted is lost, and calls go on."""

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from daemon import Daemon, refused, wait_until
from package import deploy, make_zip, unique

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
DAY = 86_400
PROBE = make_zip({"app.py": """
import json, boto3

def handler(event, context):
    print("met", json.dumps(event))
    if event.get("list"):
        return len(boto3.client("lambda").list_functions()["Functions"])
    return event
"""})

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="no libfaketime on this host: apt-get install libfaketime")


class Clock:
    """The daemon's wall clock. What counts time that passes is not touched, as where a host's clock is set."""

    def __init__(self, directory):
        self.file = directory / "clock"
        self.set(0)

    def set(self, seconds):
        self.offset = seconds
        self.file.with_suffix(".new").write_text(f"{seconds:+d}")
        self.file.with_suffix(".new").replace(self.file)

    def variables(self):
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def stepped(tmp_path_factory, clock):
    daemon = Daemon(tmp_path_factory.mktemp("stepped"), variables=clock.variables()).start()
    yield daemon
    daemon.stop()


def daemons_time(daemon):
    """As an answer of the daemon shows it."""
    name = unique("clock")
    client = daemon.client("iam")
    made = client.create_role(RoleName=name, AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}')
    return made["Role"]["CreateDate"]


def messages(daemon, function, text):
    logs = daemon.client("logs")
    try:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event for event in events if text in event["message"]]


@pytest.mark.parametrize("step", [DAY, -DAY, 0], ids=["forth", "back", "right"])
def test_calls_events_logs_and_changes_go_on(stepped, clock, step):
    function = deploy(stepped, "app.handler", package=PROBE)
    assert function.call({"before": step}) == {"before": step}
    function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=json.dumps({"queued": step}))
    clock.set(step)
    shown = (daemons_time(stepped) - datetime.now(timezone.utc)).total_seconds()
    assert abs(shown - step) < 60, "the daemon's clock was set"
    assert function.call({"after": step}) == {"after": step}
    assert function.call({"list": True}) > 0, "with credentials that were issued before"
    function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=json.dumps({"queued later": step}))
    for text in ('"queued"', '"queued later"', '"after"'):
        wait_until(lambda: messages(stepped, function, text), 20, f"the log has {text}")
    function.client.update_function_code(FunctionName=function.name, ZipFile=make_zip({"app.py": "def handler(event, context):\n    return 'new'\n"}))
    function.settle()
    assert function.call({}) == "new"
    other = deploy(stepped, "app.handler", package=PROBE)
    assert other.call({"cold": step}) == {"cold": step}


def test_sessions_end_by_the_clock_that_clients_have(stepped, clock):
    clock.set(0)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    role = stepped.client("iam").create_role(RoleName=unique("session"), AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    issued = stepped.client("sts").assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]
    session = stepped.client("sts", account=issued["AccessKeyId"], secret=issued["SecretAccessKey"], token=issued["SessionToken"])
    session.get_caller_identity()
    clock.set(DAY)
    with refused(session, "ExpiredToken", 403):
        session.get_caller_identity()
    clock.set(0)
    session.get_caller_identity()


def test_events_that_wait_for_another_try_are_tried_again(stepped, clock):
    """Their times are counted by the store's own clock, which nobody sets."""
    clock.set(0)
    package = make_zip({"app.py": """
import time

def handler(event, context):
    print("tried", event)
    raise ValueError("always")
"""})
    function = deploy(stepped, "app.handler", package=package)
    function.client.put_function_event_invoke_config(FunctionName=function.name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=21600)
    function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload="1")
    wait_until(lambda: len(messages(stepped, function, "tried 1")) == 1, 20, "the event was tried")
    clock.set(-DAY)
    wait_until(lambda: len(messages(stepped, function, "tried 1")) == 2, 120, "the event is tried again")
    clock.set(0)


def test_a_daemon_that_starts_after_a_step_has_everything(tmp_path):
    clock = Clock(tmp_path)
    daemon = Daemon(tmp_path, variables=clock.variables()).start()
    function = deploy(daemon, "app.handler", package=PROBE)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=json.dumps({"kept": 1}))
    daemon.stop()
    clock.set(-DAY)
    daemon.start()
    function.client.delete_function_concurrency(FunctionName=function.name)
    wait_until(lambda: messages(daemon, function, '"kept"'), 90, "the event runs")
    daemon.stop()
