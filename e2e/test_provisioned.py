"""Provisioned concurrency against the real daemon: sandboxes that are there before anybody calls."""

import pytest
from daemon import wait_until


@pytest.fixture
def published(deploy):
    """A function with a published version and an alias `live` that means it."""

    def make(handler, **arguments):
        function = deploy(handler, **arguments)
        version = function.client.publish_version(FunctionName=function.name)["Version"]
        function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
        return function

    return make


def provision(function, count, qualifier="live"):
    return function.client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def provisioned(function, qualifier="live"):
    return function.client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier=qualifier)


def wait_ready(function):
    wait_until(lambda: provisioned(function)["Status"] == "READY", 30, "all that is provisioned is ready")


def initialisation(function):
    """How the sandbox that serves the alias came to be, and the version it runs."""
    environment = function.call({}, Qualifier="live")["environ"]
    return environment["AWS_LAMBDA_INITIALIZATION_TYPE"], environment["AWS_LAMBDA_FUNCTION_VERSION"]


def test_provisioned_sandboxes_are_ready_before_the_first_call(published):
    function = published("probe.environment")
    answer = provision(function, 2)
    assert answer["Status"] == "IN_PROGRESS"
    wait_ready(function)
    status = provisioned(function)
    assert status["AllocatedProvisionedConcurrentExecutions"] == 2
    assert status["AvailableProvisionedConcurrentExecutions"] == 2
    listed = function.client.list_provisioned_concurrency_configs(FunctionName=function.name)["ProvisionedConcurrencyConfigs"]
    asked = {name: value for name, value in status.items() if name != "ResponseMetadata"}
    assert listed == [{"FunctionArn": f"{function.arn}:live", **asked}]
    assert initialisation(function)[0] == "provisioned-concurrency"
    function.wait_for_message(r"INIT_REPORT Init Duration: .*Status: success")


def test_they_follow_the_alias_to_another_version(published):
    function = published("probe.environment")
    provision(function, 1)
    wait_ready(function)
    function.configure(Environment={"Variables": {"EDITION": "2"}})
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.update_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    wait_ready(function)
    assert initialisation(function) == ("provisioned-concurrency", version)


def test_a_failing_initialisation_is_told(published):
    function = published("bad_init.handler", Environment={"Variables": {"HOW": "raise"}})
    provision(function, 1)
    wait_until(lambda: provisioned(function)["Status"] == "FAILED", 30, "the failure is told")
    assert "FUNCTION_ERROR_INIT_FAILURE" in provisioned(function)["StatusReason"]


def test_without_configuration_they_end(published):
    function = published("probe.environment")
    provision(function, 1)
    wait_ready(function)
    function.client.delete_provisioned_concurrency_config(FunctionName=function.name, Qualifier="live")
    wait_until(lambda: initialisation(function)[0] == "on-demand", 30, "nothing provisioned serves any more")
