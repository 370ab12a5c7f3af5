"""What a function asks for and does not get here, its own log says."""

import io
import json
import zipfile

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
