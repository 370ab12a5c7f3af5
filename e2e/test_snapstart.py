"""SnapStart through unmodified boto3: the states of a published version, and what its function feels of them."""

import json
import re

import package
import pytest
from daemon import refused, wait_until
from package import make_zip, unique

ON = {"ApplyOn": "PublishedVersions"}
NOT_READY = "Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE."

CODE = """
import os, time
SEEN = []
time.sleep(float(os.environ.get("INIT_S", "0")))

try:
    from snapshot_restore_py import register_after_restore, register_before_snapshot
    register_before_snapshot(lambda: SEEN.append("first before"))
    register_before_snapshot(lambda: SEEN.append("second before"))
    register_after_restore(lambda: SEEN.append("first after"))
    register_after_restore(lambda: SEEN.append("second after"))
    @register_before_snapshot
    def before():
        if os.environ.get("FAIL") == "before":
            raise ValueError("no snapshot today")
    @register_after_restore
    def after():
        if os.environ.get("FAIL") == "after":
            raise ValueError("no way back")
        time.sleep(float(os.environ.get("AFTER_S", "0")))
except ImportError:
    SEEN.append("no hooks")

def handler(event, context):
    time.sleep(event.get("sleep", 0) if isinstance(event, dict) else 0)
    return {"init": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "seen": SEEN, "version": context.function_version,
            "event": event}
"""
PYTHON = make_zip({"app.py": CODE})


@pytest.fixture
def make(deploy):
    def make(**configuration):
        configuration.setdefault("SnapStart", ON)
        return deploy("app.handler", package=PYTHON, **configuration)

    return make


def publish(function):
    return function.client.publish_version(FunctionName=function.name)


def configuration(function, qualifier="1"):
    return function.client.get_function_configuration(FunctionName=function.name, Qualifier=qualifier)


def settled(function, qualifier="1"):
    """The version's configuration once it is no longer Pending."""

    def state():
        found = configuration(function, qualifier)
        return found["State"] != "Pending" and found

    return wait_until(state, 60, f"{function.name}:{qualifier} is not Pending any more")


def active(function, qualifier="1"):
    found = settled(function, qualifier)
    assert found["State"] == "Active", found
    return found


def has_template(function, qualifier="1"):
    """Whether this host made a template of the version; if not, the version says so."""
    found = active(function, qualifier)
    on = found["SnapStart"]["OptimizationStatus"] == "On"
    assert on or "SnapStart has no effect on this host" in found["StateReason"], found
    return on


@pytest.fixture(scope="session")
def templates(daemon):
    """Skips where this host saves no sandboxes."""
    function = package.deploy(daemon, "app.handler", package=PYTHON, name=unique("savable"), SnapStart=ON)
    publish(function)
    saves = has_template(function)
    reason = configuration(function).get("StateReason")
    function.delete()
    return saves, reason


@pytest.fixture
def needs_templates(templates):
    saves, reason = templates
    if not saves:
        pytest.skip(reason)


class TestStates:
    def test_a_version_is_pending_and_then_active(self, client, make):
        function = make()
        latest = configuration(function, "$LATEST")
        assert latest["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
        published = publish(function)
        assert (published["State"], published["StateReasonCode"]) == ("Pending", "Creating")
        assert published["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
        waiting = {"Delay": 1, "MaxAttempts": 60}
        client.get_waiter("published_version_active").wait(FunctionName=function.name, Qualifier="1", WaiterConfig=waiting)
        client.get_waiter("function_active_v2").wait(FunctionName=function.name, Qualifier="1", WaiterConfig=waiting)
        client.get_waiter("function_updated_v2").wait(FunctionName=function.name, Qualifier="1", WaiterConfig=waiting)
        has_template(function)
        assert function.call("x", Qualifier="1")["version"] == "1"
        assert publish(function)["Version"] == "1"
        client.delete_function(FunctionName=function.name, Qualifier="1")
        with refused(client, "ResourceNotFoundException", 404):
            function.invoke({}, Qualifier="1")

    def test_is_set_and_unset_with_the_configuration(self, client, make):
        function = make(SnapStart={"ApplyOn": "None"})
        assert publish(function)["State"] == "Active"
        function.configure(SnapStart=ON)
        assert publish(function)["State"] == "Pending"
        assert active(function, "2")["SnapStart"]["ApplyOn"] == "PublishedVersions"
        function.configure(SnapStart={"ApplyOn": "None"})
        assert publish(function)["State"] == "Active"
        listed = client.list_versions_by_function(FunctionName=function.name)["Versions"]
        assert [version["SnapStart"]["ApplyOn"] for version in listed] == ["None", "None", "PublishedVersions", "None"]

    def test_versions_published_with_code_are_prepared(self, client, make):
        function = make()
        answer = client.update_function_code(
            FunctionName=function.name, ZipFile=make_zip({"app.py": CODE + "# other\n"}), Publish=True
        )
        assert (answer["Version"], answer["State"]) == ("1", "Pending")
        assert function.settle() is None
        active(function)
        assert function.call("x", Qualifier="1")["version"] == "1"

    def test_what_does_not_go_together(self, client, make):
        function = make()
        publish(function)
        active(function)
        with refused(client, "InvalidParameterValueException", 400, "not supported for SnapStart enabled functions"):
            client.put_provisioned_concurrency_config(
                FunctionName=function.name, Qualifier="1", ProvisionedConcurrentExecutions=1
            )
        with refused(client, "InvalidParameterValueException", 400, "not supported for SnapStart enabled functions"):
            client.update_function_configuration(FunctionName=function.name, EphemeralStorage={"Size": 1024})

    def test_every_runtime_has_it(self, deploy):
        for handler, runtime in (("index.echo", "nodejs20.x"), ("echo", "provided.al2023")):
            function = deploy(handler, runtime, SnapStart=ON)
            publish(function)
            active(function)
            assert function.invoke({}, Qualifier="1").error is None


@pytest.mark.usefixtures("needs_templates")
class TestPreparation:
    def test_invocations_are_refused_until_it_is_over(self, client, make):
        function = make(Environment={"Variables": {"INIT_S": "3"}})
        assert publish(function)["State"] == "Pending"
        client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
        for qualifier in ("1", "live"):
            with refused(client, "SnapStartNotReadyException", 409, NOT_READY):
                function.invoke({}, Qualifier=qualifier)
        with refused(client, "SnapStartNotReadyException", 409, NOT_READY):
            function.invoke({}, Qualifier="1", InvocationType="Event")
        assert active(function)["SnapStart"]["OptimizationStatus"] == "On"
        answer = function.call("x", Qualifier="live")
        assert answer["init"] == "snap-start"

    @pytest.mark.parametrize(
        ("code", "variables", "reason_code", "text"),
        [
            ("raise RuntimeError('never')\n", {}, "FunctionError", "never"),
            ("import os\nos._exit(3)\n", {}, "FunctionError.RuntimeInitError", "Runtime.ExitError"),
            (CODE, {"FAIL": "before"}, "FunctionError", "Runtime.BeforeSnapshotError.*no snapshot today"),
        ],
    )
    def test_a_version_that_does_not_come_up_has_failed(self, client, deploy, code, variables, reason_code, text):
        function = deploy(
            "app.handler", package=make_zip({"app.py": code}), SnapStart=ON, Environment={"Variables": variables}
        )
        publish(function)
        failed = settled(function)
        assert (failed["State"], failed["StateReasonCode"], failed["LastUpdateStatus"]) == ("Failed", reason_code, "Failed")
        assert re.search(text, failed["StateReason"]), failed["StateReason"]
        assert failed["SnapStart"]["OptimizationStatus"] == "Off"
        with refused(client, "ResourceConflictException", 409, "state: Failed"):
            function.invoke({}, Qualifier="1")
        with refused(client, "ResourceConflictException", 409, "state: Failed"):
            client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")

    def test_hooks_run_in_their_order(self, make):
        function = make()
        publish(function)
        active(function)
        seen = function.call("x", Qualifier="1")["seen"]
        assert seen == ["second before", "first before", "first after", "second after"]

    def test_a_failing_hook_after_the_restore_is_told_to_the_caller(self, client, make):
        function = make(Environment={"Variables": {"FAIL": "after"}})
        publish(function)
        active(function)
        with refused(client, "SnapStartException", 400, "no way back"):
            function.invoke({}, Qualifier="1")
        function.wait_for_message(r"RESTORE_REPORT Restore Duration: [\d.]+ ms\tStatus: error\tError Type: Runtime.AfterRestoreError")

    def test_a_restore_has_ten_seconds(self, client, make):
        function = make(Environment={"Variables": {"AFTER_S": "15"}})
        publish(function)
        active(function)
        with refused(client, "SnapStartTimeoutException", 408):
            function.invoke({}, Qualifier="1")
        function.wait_for_message(r"RESTORE_REPORT Restore Duration: [\d.]+ ms\tStatus: timeout")

    def test_the_log_tells_of_both_lives(self, make):
        function = make()
        publish(function)
        active(function)
        result = function.invoke("x", Qualifier="1", LogType="Tail")
        report = [line for line in result.log.splitlines() if line.startswith("REPORT")][0]
        assert "\tRestore Duration: " in report and "\tBilled Restore Duration: " in report, report
        assert "Init Duration" not in report
        again = function.invoke("x", Qualifier="1", LogType="Tail")
        assert "Restore Duration" not in again.log
        function.wait_for_message(r"^RESTORE_START Runtime Version: python:3\.11\.v1\tRuntime Version ARN: arn:aws:lambda:")
        function.wait_for_message(r"^RESTORE_REPORT Restore Duration: [\d.]+ ms\n?$")
        function.wait_for_message(r"^INIT_REPORT Init Duration: [\d.]+ ms\tPhase: snap-start\tStatus: success")

    def test_the_json_log_tells_the_same(self, make):
        function = make(LoggingConfig={"LogFormat": "JSON"})
        publish(function)
        active(function)
        function.call("x", Qualifier="1")

        def kinds():
            records = [json.loads(message) for message in function.messages() if message.startswith("{")]
            found = {record["type"]: record["record"] for record in records if "type" in record}
            return found if "platform.report" in found else None

        found = wait_until(kinds, 10, "a report")
        assert found["platform.initStart"]["initializationType"] == "snap-start"
        assert found["platform.initReport"]["phase"] == "snap-start"
        assert found["platform.restoreStart"]["functionVersion"] == "1"
        assert found["platform.restoreReport"]["status"] == "success"
        assert found["platform.report"]["metrics"]["restoreDurationMs"] > 0

    def test_a_restart_finishes_what_was_pending(self, own_daemon):
        daemon = own_daemon()
        function = package.deploy(
            daemon, "app.handler", package=PYTHON, name=unique("pending"), SnapStart=ON, Environment={"Variables": {"INIT_S": "3"}}
        )
        publish(function)
        daemon.kill()
        daemon.start()
        assert active(function)["SnapStart"]["OptimizationStatus"] == "On"
        assert function.call("x", Qualifier="1")["init"] == "snap-start"

    def test_an_accepted_event_waits_for_its_version(self, client, make):
        function = make(Environment={"Variables": {"INIT_S": "0"}}, Timeout=60)
        publish(function)
        active(function)
        client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
        client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
        function.invoke({"sleep": 2}, Qualifier="1", InvocationType="Event")
        function.wait_for_message("START RequestId")
        # It is throttled, and comes up again while its version is being prepared.
        function.invoke({"mark": "waited"}, Qualifier="live", InvocationType="Event")
        function.configure(Environment={"Variables": {"INIT_S": "6"}})
        assert publish(function)["State"] == "Pending"
        client.update_alias(FunctionName=function.name, Name="live", FunctionVersion="2")
        active(function, "2")
        function.wait_for_message(r"START RequestId: \S+ Version: 2", 30)
