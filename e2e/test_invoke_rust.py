"""Rust functions, built with the official runtime client and deployed as `bootstrap`, driven by boto3."""

import re

import pytest
from daemon import REGION
from package import make_zip, rust_bootstrap

RUST = "provided.al2023"
MEGABYTE = 1024 * 1024


@pytest.fixture
def rust(deploy):
    return lambda handler, runtime=RUST, **configuration: deploy(handler, runtime, **configuration)


@pytest.mark.parametrize("event", [{"a": [1, None, {}]}, "text", 7, None, {"unicode": "grüße, 世界, 🔥"}], ids=repr)
def test_json_comes_back_as_it_went_in(rust, event):
    assert rust("echo").call(event) == event


def test_context_and_environment_are_lambdas(rust):
    function = rust("context", Timeout=20, Environment={"Variables": {"COLOUR": "grün"}})
    result = function.invoke({"n": 1})
    seen = result.json
    assert seen["event"] == {"n": 1}
    assert seen["request_id"] == result.request_id
    assert seen["deadline"] > 1_700_000_000_000
    assert seen["invoked_function_arn"] == function.arn
    assert seen["xray_trace_id"].startswith("Root=1-")
    assert seen["function_name"] == function.name
    assert seen["memory"] == 128
    assert seen["version"] == "$LATEST"
    assert seen["log_group"] == function.log_group
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen["log_stream"])
    environment = seen["environment"]
    assert environment["COLOUR"] == "grün"
    assert environment["AWS_REGION"] == REGION
    assert environment["_HANDLER"] == "context"
    assert environment["LAMBDA_TASK_ROOT"] == "/var/task"
    assert "AWS_EXECUTION_ENV" not in environment
    assert [function.call({})["calls"] for _ in range(3)] == [2, 3, 4]


def test_provided_al2_runs_the_same_package(rust):
    assert rust("echo", runtime="provided.al2").call([1]) == [1]


def test_six_megabytes_each_way(rust):
    payload = b'"' + b"x" * (6 * MEGABYTE - 2) + b'"'
    assert rust("echo", MemorySize=512).invoke(payload).body == payload


def test_errors_carry_type_and_message(rust):
    function = rust("fail")
    result = function.invoke({"message": "no such order: 7"}, LogType="Tail")
    assert (result.status, result.error) == (200, "Unhandled")
    assert result.json["errorMessage"] == "no such order: 7"
    assert "about to fail" in result.log


def test_a_panic_is_an_error_and_the_process_lives_on(rust):
    function = rust("panic")
    for _ in range(2):
        result = function.invoke({})
        assert result.error == "Unhandled"
        assert "panic in the handler" in result.json["errorMessage"]


def test_exit_is_an_exit_error(rust):
    result = rust("exit").invoke({"code": 5})
    text = f"RequestId: {result.request_id} Error: Runtime exited with error: exit status 5"
    assert result.json == {"errorType": "Runtime.ExitError", "errorMessage": text}


def test_a_failing_initialisation_is_an_exit_error(rust):
    result = rust("init-error").invoke({}, LogType="Tail")
    assert result.error == "Unhandled"
    assert result.json["errorType"] == "Runtime.ExitError"
    assert result.json["errorMessage"].endswith("Runtime exited with error: exit status 1")
    assert "no database today" in result.log


def test_timeouts(rust):
    function = rust("sleep", Timeout=1)
    result = function.invoke({"seconds": 30})
    assert result.json["errorType"] == "Sandbox.Timedout"
    assert result.json["errorMessage"] == f"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds"
    assert function.call({"seconds": 0})["slept"] == 0


def test_a_package_without_bootstrap_says_so(rust):
    result = rust("any", package=make_zip({"other": "x"})).invoke({})
    assert result.json["errorType"] == "Runtime.InvalidEntrypoint"
    assert "Couldn't find valid bootstrap(s)" in result.json["errorMessage"]


@pytest.mark.parametrize("content", [b"\x7fELF nonsense", b"", "echo a script that does not name its interpreter\n"], ids=repr)
def test_a_bootstrap_that_is_no_program_says_so(rust, content):
    result = rust("any", package=make_zip({"bootstrap": content})).invoke({}, LogType="Tail")
    assert result.error == "Unhandled"
    text = f"RequestId: {result.request_id} Error: fork/exec /var/task/bootstrap: exec format error"
    assert result.json == {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": text}
    assert "that does not name" not in result.log


def test_a_shell_script_is_a_bootstrap(rust):
    script = "#!/bin/sh\necho \"shell ready in $LAMBDA_TASK_ROOT\"\nexec sleep 60\n"
    function = rust("any", package=make_zip({"bootstrap": script}), Timeout=1)
    result = function.invoke({}, LogType="Tail")
    assert result.json["errorType"] == "Sandbox.Timedout"
    assert "shell ready in /var/task" in result.log


def test_a_bootstrap_may_come_in_a_layer(rust, client):
    content = make_zip({"bootstrap": rust_bootstrap()})
    arn = client.publish_layer_version(LayerName="boot", Content={"ZipFile": content})["LayerVersionArn"]
    function = rust("echo", package=make_zip({"data": "x"}), Layers=[arn])
    assert function.call("from a layer") == "from a layer"
