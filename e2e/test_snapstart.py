"""SnapStart through unmodified boto3: the states of a published version, and what its function feels of them."""

import pytest
from daemon import refused, wait_until
from package import make_zip

ON = {"ApplyOn": "PublishedVersions"}

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
