"""Provisioned concurrency through unmodified boto3: the operations, and what a function feels of it."""

import re
from concurrent.futures import ThreadPoolExecutor

import package
import pytest
from daemon import ACCOUNT, REGION, refused, wait_until
from package import make_zip, unique

CODE = """
import os, time
INIT = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
SANDBOX = os.urandom(8).hex()

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    if event.get("exit"):
        os._exit(1)
    return {"init": INIT, "sandbox": SANDBOX, "version": context.function_version}
"""
BROKEN = "raise RuntimeError('never')\n"
NOT_CONFIGURED = "No Provisioned Concurrency Config found for this function"


@pytest.fixture
def function(deploy):
    """With the published versions 1 and 2, and the alias `live` of 1."""
    function = deploy("app.handler", package=make_zip({"app.py": CODE}))
    publish(function)
    function.configure(Description="two")
    publish(function)
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    return function


def publish(function):
    return function.client.publish_version(FunctionName=function.name)["Version"]


def put(function, qualifier, count):
    return function.client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def get(function, qualifier):
    return function.client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier=qualifier)


def delete(function, qualifier):
    return function.client.delete_provisioned_concurrency_config(FunctionName=function.name, Qualifier=qualifier)


def wait_ready(function, qualifier, count):
    def ready():
        config = get(function, qualifier)
        assert config["Status"] != "FAILED", config
        return config["Status"] == "READY" and config["AvailableProvisionedConcurrentExecutions"] == count and config

    config = wait_until(ready, 60, f"{qualifier} has {count} ready")
    assert config["AllocatedProvisionedConcurrentExecutions"] == config["RequestedProvisionedConcurrentExecutions"] == count
    return config


def call(function, qualifier, event=None):
    return function.call(event or {}, Qualifier=qualifier)


class TestOperations:
    def test_from_in_progress_to_ready_to_gone(self, client, function):
        answer = put(function, "1", 2)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
        assert answer["Status"] == "IN_PROGRESS"
        assert answer["RequestedProvisionedConcurrentExecutions"] == 2
        assert answer["AllocatedProvisionedConcurrentExecutions"] <= 2
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", answer["LastModified"])
        config = wait_ready(function, "1", 2)
        assert "StatusReason" not in config
        assert config["LastModified"] == answer["LastModified"]
        put(function, "1", 1)
        wait_ready(function, "1", 1)
        assert delete(function, "1")["ResponseMetadata"]["HTTPStatusCode"] == 204
        with refused(client, "ProvisionedConcurrencyConfigNotFoundException", 404, NOT_CONFIGURED):
            get(function, "1")
        assert delete(function, "1")["ResponseMetadata"]["HTTPStatusCode"] == 204

    def test_is_listed_in_pages(self, client, function):
        assert client.list_provisioned_concurrency_configs(FunctionName=function.name)["ProvisionedConcurrencyConfigs"] == []
        put(function, "2", 1)
        put(function, "live", 1)
        pages = list(
            client.get_paginator("list_provisioned_concurrency_configs").paginate(
                FunctionName=function.name, PaginationConfig={"PageSize": 1}
            )
        )
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
        configs = [config for page in pages for config in page["ProvisionedConcurrencyConfigs"]]
        assert len(pages) == 2
        assert [config["FunctionArn"] for config in configs] == [f"{arn}:2", f"{arn}:live"]

    def test_refusals(self, client, unchecked, function):
        unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        with refused(client, "InvalidParameterValueException", 400, unpublished):
            put(function, "$LATEST", 1)
        qualified = "The function resource provided must be an alias or a published version."
        for operation in (get, delete):
            with refused(client, "InvalidParameterValueException", 400, qualified):
                operation(function, "$LATEST")
            with refused(client, "ResourceNotFoundException", 404, "Cannot find alias arn: .*:nope"):
                operation(function, "nope")
            with refused(client, "ResourceNotFoundException", 404, "Function not found: .*:9"):
                operation(function, "9")
        with refused(client, "ResourceNotFoundException", 404, "Cannot find alias arn: .*:nope"):
            put(function, "nope", 1)
        with refused(client, "ResourceNotFoundException", 404, "Function not found: .*:nowhere"):
            client.list_provisioned_concurrency_configs(FunctionName="nowhere")
        with refused(unchecked, "ValidationException", 400, "provisionedConcurrentExecutions"):
            unchecked.put_provisioned_concurrency_config(
                FunctionName=function.name, Qualifier="1", ProvisionedConcurrentExecutions=0
            )
        client.update_alias(
            FunctionName=function.name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}}
        )
        with refused(client, "InvalidParameterValueException", 400, "Alias with weights can not be used"):
            put(function, "live", 1)

    def test_an_alias_and_its_version_exclude_each_other(self, client, function):
        put(function, "1", 1)
        with refused(client, "ResourceConflictException", 409, "already Provisioned version"):
            put(function, "live", 1)
        delete(function, "1")
        put(function, "live", 1)
        with refused(client, "ResourceConflictException", 409, "Version is pointed by a Provisioned Concurrency alias"):
            put(function, "1", 1)

    def test_limits_and_account_settings(self, daemon):
        client = daemon.client(account="444444444444")
        function = package.deploy(daemon, "app.handler", package=make_zip({"app.py": CODE}), client=client)
        publish(function)
        with refused(client, "InvalidParameterValueException", 400, r"greater than account's unreserved concurrency \[1000\]"):
            put(function, "1", 1001)
        with refused(client, "InvalidParameterValueException", 400, r"below its minimum value of \[100\]"):
            put(function, "1", 901)
        put(function, "1", 2)
        assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 998
        with refused(client, "InvalidParameterValueException", 400, r"total provisioned concurrency \[2\]"):
            client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
        client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=2)
        assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 998
        with refused(client, "InvalidParameterValueException", 400, "should not be greater than the reservedConcurrentExecution"):
            put(function, "1", 3)
        function.delete()
        assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000


class TestSandboxes:
    def test_are_initialised_before_anybody_calls(self, function):
        put(function, "1", 1)
        wait_ready(function, "1", 1)
        result = function.invoke({}, Qualifier="1", LogType="Tail")
        assert result.json["init"] == "provisioned-concurrency"
        assert "Init Duration" not in result.log, result.log
        assert call(function, "2")["init"] == "on-demand"
        logged = function.wait_for_message(r"INIT_REPORT Init Duration: [\d.]+ ms")
        assert logged

    def test_spill_over_to_sandboxes_on_demand(self, function):
        put(function, "1", 1)
        wait_ready(function, "1", 1)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: call(function, "1", {"sleep": 1.5}), range(2)))
        assert sorted(answer["init"] for answer in answers) == ["on-demand", "provisioned-concurrency"]

    def test_follow_their_alias(self, client, function):
        put(function, "live", 1)
        wait_ready(function, "live", 1)
        first = call(function, "live")
        assert (first["init"], first["version"]) == ("provisioned-concurrency", "1")
        client.update_alias(FunctionName=function.name, Name="live", FunctionVersion="2")
        wait_ready(function, "live", 1)
        moved = call(function, "live")
        assert (moved["init"], moved["version"]) == ("provisioned-concurrency", "2")
        assert call(function, "2")["sandbox"] == moved["sandbox"]
        wait_until(lambda: call(function, "1")["init"] == "on-demand", 20, "version 1 has none any more")

    def test_are_replaced_when_they_die(self, function):
        put(function, "1", 1)
        wait_ready(function, "1", 1)
        before = call(function, "1")
        assert function.invoke({"exit": True}, Qualifier="1").error == "Unhandled"
        wait_ready(function, "1", 1)
        after = call(function, "1")
        assert after["init"] == "provisioned-concurrency"
        assert after["sandbox"] != before["sandbox"]

    def test_that_cannot_be_initialised_are_told(self, client, deploy):
        function = deploy("app.handler", package=make_zip({"app.py": BROKEN}))
        publish(function)
        put(function, "1", 1)
        config = wait_until(lambda: get(function, "1")["Status"] == "FAILED" and get(function, "1"), 60, "it failed")
        assert config["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
        assert config["AllocatedProvisionedConcurrentExecutions"] == 0
        function.wait_for_message(r"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error")

    def test_take_the_whole_reservation(self, client, function):
        put(function, "1", 1)
        client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
        wait_ready(function, "1", 1)
        with refused(client, "TooManyRequestsException", 429) as _:
            function.invoke({})
        assert call(function, "1")["init"] == "provisioned-concurrency"

    def test_are_there_again_after_the_daemons_end(self, own_daemon):
        daemon = own_daemon()
        function = package.deploy(daemon, "app.handler", package=make_zip({"app.py": CODE}), name=unique("lasting"))
        publish(function)
        put(function, "1", 1)
        wait_ready(function, "1", 1)
        before = call(function, "1")
        daemon.kill()
        daemon.start()
        wait_ready(function, "1", 1)
        after = call(function, "1")
        assert after["init"] == "provisioned-concurrency"
        assert after["sandbox"] != before["sandbox"]
