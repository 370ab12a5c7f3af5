"""What a function asks for and does not get here, its own log says."""

import io
import json
import zipfile

import pytest

from package import make_zip, unique

PACKAGE = make_zip({"app.py": "def handler(event, context):\n    return 'fine'\n"})


def layer(client, *names):
    name = unique("extended")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry in names:
            archive.writestr(entry, "#!/bin/sh\nexit 1\n")
    return client.publish_layer_version(LayerName=name, Content={"ZipFile": buffer.getvalue()})["LayerVersionArn"]


def notices(function):
    return [message for message in function.messages() if message.startswith("[WARN] ")]


def test_extensions_in_layers_are_named_as_not_started(deploy, client):
    arns = [layer(client, "extensions/collector"), layer(client, "extensions/secrets", "python/x.py")]
    function = deploy("app.handler", package=PACKAGE, Layers=arns)
    assert function.call() == "fine"
    [message] = function.wait_for_message(r"^\[WARN\] ")
    assert message == (
        "[WARN] The layers hold extensions, which Hearth does not start, as it has no Extensions API: collector, secrets\n"
    )


def test_in_logs_of_json_too(deploy, client):
    function = deploy("app.handler", package=PACKAGE, Layers=[layer(client, "extensions/x")], LoggingConfig={"LogFormat": "JSON"})
    assert function.call() == "fine"
    [message] = function.wait_for_message("does not start")
    record = json.loads(message)
    assert record["type"] == "platform.hearthNotice"
    assert record["record"]["message"].endswith("Extensions API: x")


def test_tracing_says_that_no_traces_are_sent(deploy):
    function = deploy("app.handler", package=PACKAGE, TracingConfig={"Mode": "Active"})
    assert function.call() == "fine"
    [message] = function.wait_for_message(r"^\[WARN\] ")
    assert "no X-Ray" in message


def test_ordinary_functions_get_no_notice(deploy, client):
    function = deploy("app.handler", package=PACKAGE, Layers=[layer(client, "python/x.py")])
    assert function.call() == "fine"
    function.wait_for_message("^REPORT ")
    assert notices(function) == []


PYTHON_CALLS = """
import socket, urllib.request
def by_name(event, context):
    urllib.request.urlopen("http://example.com/", timeout=5)
def by_address(event, context):
    socket.create_connection(("192.0.2.1", 80), timeout=5)
def otherwise(event, context):
    raise ValueError("something else")
"""
NODE_CALLS = """
export const plain = async () => { await fetch("http://example.com/"); };
"""


@pytest.mark.parametrize(
    "runtime, handler, files",
    [
        ("python3.11", "app.by_name", {"app.py": PYTHON_CALLS}),
        ("python3.11", "app.by_address", {"app.py": PYTHON_CALLS}),
        ("nodejs20.x", "index.plain", {"index.mjs": NODE_CALLS}),
    ],
)
def test_a_call_that_fails_for_want_of_a_network_says_how_to_get_one(deploy, runtime, handler, files):
    function = deploy(handler, runtime=runtime, package=make_zip(files))
    assert function.invoke({}).error
    function.wait_for_message("^REPORT")
    [message] = notices(function)
    assert "no network" in message and "hearth:network=egress" in message


def test_other_errors_say_nothing_of_a_network(deploy):
    function = deploy("app.otherwise", package=make_zip({"app.py": PYTHON_CALLS}))
    assert function.invoke({}).error
    function.wait_for_message("^REPORT")
    assert notices(function) == []
