"""Node functions as they run on Lambda, driven by boto3."""

import base64
import json
import re

import pytest
from daemon import within
from package import make_zip, unique

NODE = "nodejs20.x"
MEGABYTE = 1024 * 1024


@pytest.fixture
def node(deploy):
    return lambda handler, **configuration: deploy(handler, NODE, **{"MemorySize": 256} | configuration)


class TestAnswers:
    @pytest.mark.parametrize("event", [{"a": [1, None, {}]}, "text", 7, None, {"unicode": "grüße, 世界, 🔥"}], ids=repr)
    def test_json_comes_back_as_it_went_in(self, node, event):
        assert node("index.echo").call(event) == event

    def test_undefined_is_null(self, node):
        assert node("index.nothing").invoke({}).body == b"null"

    def test_by_callback(self, node):
        assert node("callback.answer").call({"number": 21}) == {"doubled": 42}

    def test_by_callback_without_waiting_for_the_event_loop(self, node):
        with within(20):
            assert node("callback.early").call({}) == "early"

    def test_six_megabytes_each_way(self, node):
        text = "x" * (6 * MEGABYTE - len('{"text": ""}'))
        assert node("index.length", MemorySize=512).call({"text": text}) == {"length": len(text)}
        assert len(node("index.size", MemorySize=512).invoke({"bytes": 6 * MEGABYTE}).body) == 6 * MEGABYTE

    def test_more_than_six_megabytes_is_an_error_of_the_function(self, node):
        result = node("index.size", MemorySize=512).invoke({"bytes": 6 * MEGABYTE + 200})
        assert result.error == "Unhandled"
        assert result.json["errorType"] == "Function.ResponseSizeTooLarge"

    def test_modules_run_once_top_level_await_included(self, node):
        function = node("index.state")
        answers = [function.call({}) for _ in range(4)]
        assert [answer["calls"] for answer in answers] == [1, 2, 3, 4]
        assert len({answer["initId"] for answer in answers}) == 1
        assert answers[0]["ready"] == "ready"


class TestContext:
    def test_says_who_is_running_and_for_how_long(self, node):
        function = node("index.context", Timeout=20, Environment={"Variables": {"COLOUR": "grün"}})
        sent = {"custom": {"k": "v"}}
        result = function.invoke({}, ClientContext=base64.b64encode(json.dumps(sent).encode()).decode())
        seen = result.json
        assert seen["awsRequestId"] == result.request_id
        assert 15_000 < seen["remaining"] <= 20_000
        assert seen["invokedFunctionArn"] == function.arn
        assert seen["functionName"] == function.name
        assert seen["functionVersion"] == "$LATEST"
        assert seen["memoryLimitInMB"] == "256"
        assert seen["logGroupName"] == function.log_group
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen["logStreamName"])
        assert seen["clientContext"]["custom"] == {"k": "v"}
        environment = seen["environment"]
        assert environment["COLOUR"] == "grün"
        assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs20.x"
        assert environment["_HANDLER"] == "index.context"
        assert environment["TZ"] == ":UTC"
        assert "/opt/nodejs/node_modules" in environment["NODE_PATH"]
        assert seen["cwd"] == "/var/task"


class TestErrors:
    def test_carry_type_message_and_trace(self, node):
        function = node("index.fail")
        result = function.invoke({"message": "no such order: 7"}, LogType="Tail")
        assert (result.status, result.error) == (200, "Unhandled")
        body = result.json
        assert (body["errorType"], body["errorMessage"]) == ("OrderRejected", "no such order: 7")
        assert body["trace"][0] == "OrderRejected: no such order: 7"
        assert "/var/task/index.mjs" in body["trace"][1]
        assert re.search(rf"\t{result.request_id}\tERROR\tInvoke Error", result.log)
        assert function.invoke({}).json["errorMessage"] == "no such order"

    def test_by_callback(self, node):
        body = node("callback.failure").invoke({}).json
        assert (body["errorType"], body["errorMessage"]) == ("TypeError", "by callback")

    def test_of_any_value(self, node):
        result = node("index.rejectText").invoke({})
        assert result.error == "Unhandled"
        assert result.json["errorMessage"] == "only text"

    def test_unhandled_rejections_end_the_process(self, node):
        result = node("index.unhandledRejection").invoke({})
        assert result.error == "Unhandled"
        assert result.json["errorType"] == "Runtime.UnhandledPromiseRejection"
        assert "nobody listens" in result.json["errorMessage"]

    def test_uncaught_exceptions_end_the_process(self, node):
        result = node("index.uncaught").invoke({})
        assert result.error == "Unhandled"
        assert result.json["errorMessage"] == "outside of the handler"

    def test_process_exit(self, node):
        result = node("index.exit").invoke({"code": 4})
        assert result.json["errorType"] == "Runtime.ExitError"
        assert result.json["errorMessage"] == f"RequestId: {result.request_id} Error: Runtime exited with error: exit status 4"

    @pytest.mark.parametrize(
        ("handler", "files", "kind"),
        [
            ("absent.handler", {"index.mjs": ""}, "Runtime.ImportModuleError"),
            ("index.absent", {"index.mjs": "export const x = 1;"}, "Runtime.HandlerNotFound"),
            ("index.handler", {"index.mjs": "export const handler = ("}, "Runtime.UserCodeSyntaxError"),
            ("index.handler", {"index.js": "exports.handler = ("}, "Runtime.UserCodeSyntaxError"),
            ("index.handler", {"index.mjs": "throw new RangeError('at import');"}, "RangeError"),
            ("index.handler", {"index.js": "require('nowhere');"}, "Runtime.ImportModuleError"),
        ],
    )
    def test_of_loading_the_handler(self, node, handler, files, kind):
        result = node(handler, package=make_zip(files)).invoke({})
        assert (result.status, result.error) == (200, "Unhandled")
        assert result.json["errorType"] == kind, result

    def test_of_time(self, node):
        result = node("index.sleep", Timeout=1).invoke({"seconds": 30})
        assert result.json["errorType"] == "Sandbox.Timedout"
        assert result.json["errorMessage"] == f"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds"


def test_logs_carry_request_id_and_level(node):
    function = node("index.log")
    result = function.invoke({"text": "grüße"})
    function.wait_for_message(f"END RequestId: {result.request_id}")
    messages = function.messages()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert any(re.match(rf"{stamp}\t{result.request_id}\tINFO\tlog grüße", message) for message in messages)
    assert any(re.match(rf"{stamp}\t{result.request_id}\tERROR\terror grüße", message) for message in messages)
    assert any(re.match(rf"{stamp}\t{result.request_id}\tINFO\ttwo\s+lines", message) for message in messages)


def test_layers_lie_in_opt(node, client):
    content = make_zip({"nodejs/node_modules/from-layer/index.mjs": "export const answer = 42;"})
    arn = client.publish_layer_version(LayerName=unique("node"), Content={"ZipFile": content})["LayerVersionArn"]
    assert node("index.layers", Layers=[arn]).call({})["answer"] == 42


def test_the_sdk_reaches_hearth_without_any_setting(node):
    inner = node("index.echo")
    outer = node("index.callAnother", MemorySize=512)
    seen = outer.call({"function": inner.name, "payload": {"from": "inside"}})
    assert seen == {"status": 200, "payload": {"from": "inside"}}


def test_common_js_and_modules_by_package_json(node):
    files = {"package.json": '{"type": "module"}', "index.js": "export const handler = async () => import.meta.url;"}
    assert node("index.handler", package=make_zip(files)).call({}) == "file:///var/task/index.js"
    files = {"src/index.js": "exports.handler = async () => __filename;"}
    assert node("src/index.handler", package=make_zip(files)).call({}) == "/var/task/src/index.js"
