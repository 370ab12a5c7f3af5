"""Python functions as they run on Lambda, driven by boto3."""

import base64
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from daemon import ACCOUNT, REGION, refused, wait_until, within
from package import deploy as deploy_function
from package import FUNCTIONS, make_zip, python_zip, unique

REQUEST_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
STREAM = r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}"
MEGABYTE = 1024 * 1024


class TestPayloads:
    @pytest.mark.parametrize(
        "event",
        [
            {"a": [1, 2.5, None, True, {"b": []}]},
            [],
            "text",
            7,
            None,
            {"unicode": "grüße, 世界, 🔥, \u0000, \ud7ff"},
            {"": {"nested": {"deep": list(range(100))}}},
        ],
        ids=repr,
    )
    def test_json_comes_back_as_it_went_in(self, echo, event):
        assert echo.call(event) == event

    @pytest.fixture(scope="class")
    def echo(self, daemon):
        return deploy_function(daemon, "probe.echo", MemorySize=512)

    def test_no_payload_is_an_empty_object(self, echo):
        assert echo.call() == {}

    def test_unicode_is_sent_as_it_is(self, echo):
        result = echo.invoke('{"k": "grüße 🔥"}'.encode())
        assert result.json == {"k": "grüße 🔥"}

    def test_binary_travels_as_base64(self, deploy):
        function = deploy("probe.binary")
        data = bytes(range(256)) * 100
        answer = function.call({"data": base64.b64encode(data).decode()})
        assert base64.b64decode(answer["body"]) == data[::-1]

    def test_six_megabytes_go_in(self, deploy):
        function = deploy("probe.length", MemorySize=512)
        text = "x" * (6 * MEGABYTE - len('{"text": "y"}'))
        payload = json.dumps({"text": text + "y"}).encode()
        assert len(payload) == 6 * MEGABYTE
        assert function.call(payload) == {"length": len(text) + 1, "last": "y"}

    def test_one_byte_more_is_refused(self, echo):
        expected = "^Request must be smaller than 6291456 bytes for the InvokeFunction operation$"
        with refused(echo.client, "RequestEntityTooLargeException", 413, expected):
            echo.invoke(b'"' + b"x" * (6 * MEGABYTE - 1) + b'"')

    def test_six_megabytes_come_out(self, deploy):
        function = deploy("probe.size", MemorySize=512)
        result = function.invoke({"bytes": 6 * MEGABYTE})
        assert result.error is None
        assert len(result.body) == 6 * MEGABYTE

    def test_more_is_an_error_of_the_function(self, deploy):
        function = deploy("probe.size", MemorySize=512)
        result = function.invoke({"bytes": 6 * MEGABYTE + 200})
        assert (result.status, result.error) == (200, "Unhandled")
        assert result.json["errorType"] == "Function.ResponseSizeTooLarge"
        assert re.match(r"Response payload size exceeded maximum allowed payload size \(\d+ bytes\)\.", result.json["errorMessage"])
        assert function.call({"bytes": 10}) == "x" * 8

    @pytest.mark.parametrize("payload", [b"garbage", b"{", b'{"a":}', b"\xff\xfe", b"{}{}", b"'a'"])
    def test_what_is_not_json_is_refused(self, echo, payload):
        with pytest.raises(echo.client.exceptions.InvalidRequestContentException) as refusal:
            echo.invoke(payload)
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert refusal.value.response["Error"]["Message"].startswith("Could not parse request body into json")

    def test_none_is_null(self, deploy):
        assert deploy("probe.nothing").invoke({}).body == b"null"


class TestContext:
    def test_says_who_is_running_and_for_how_long(self, deploy):
        function = deploy("probe.context", Timeout=20, MemorySize=192)
        result = function.invoke({})
        seen = result.json
        assert seen["aws_request_id"] == result.request_id
        assert 15_000 < seen["remaining_ms"] <= 20_000
        assert seen["invoked_function_arn"] == function.arn
        assert seen["function_name"] == function.name
        assert seen["function_version"] == "$LATEST"
        assert seen["memory_limit_in_mb"] == "192"
        assert seen["log_group_name"] == function.log_group
        assert re.fullmatch(STREAM, seen["log_stream_name"])
        assert seen["client_context"] is None
        assert re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};", seen["trace_id"])

    def test_names_the_function_as_the_caller_did(self, deploy, client):
        function = deploy("probe.context")
        client.publish_version(FunctionName=function.name)
        client.create_alias(FunctionName=function.name, Name="prod", FunctionVersion="1")
        for qualifier, version in [("$LATEST", "$LATEST"), ("1", "1"), ("prod", "1")]:
            result = function.invoke({}, Qualifier=qualifier)
            assert result.json["invoked_function_arn"] == f"{function.arn}:{qualifier}"
            assert result.json["function_version"] == version
            assert result.version == version

    def test_carries_the_clients_context(self, deploy):
        function = deploy("probe.context")
        sent = {"custom": {"k": "v"}, "env": {"locale": "de"}, "client": {"app_title": "shop"}}
        seen = function.call({}, ClientContext=base64.b64encode(json.dumps(sent).encode()).decode())
        assert seen["client_context"] == {"custom": {"k": "v"}, "env": {"locale": "de"}, "app_title": "shop"}

    @pytest.mark.parametrize("text", ["not base64!", base64.b64encode(b"not json").decode(), "e30=" * 1000])
    def test_a_bad_clients_context_is_refused(self, deploy, text):
        function = deploy("probe.context")
        with pytest.raises(function.client.exceptions.ClientError) as refusal:
            function.invoke({}, ClientContext=text)
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert refusal.value.response["Error"]["Code"] in {"InvalidRequestContentException", "InvalidParameterValueException"}

    def test_a_trace_header_is_handed_on(self, deploy):
        function = deploy("probe.context")
        trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

        def add(request, **_):
            request.headers["X-Amzn-Trace-Id"] = trace

        client = function.daemon.client()
        client.meta.events.register("before-sign.lambda.Invoke", add)
        seen = json.loads(client.invoke(FunctionName=function.name)["Payload"].read())
        assert seen["trace_id"].startswith("Root=1-5759e988-bd862e3fe1be46a994272793;")
        assert "Sampled=1" in seen["trace_id"]


class TestEnvironment:
    def test_is_lambdas_and_the_users(self, deploy):
        function = deploy("probe.environment", Environment={"Variables": {"COLOUR": "grün", "PYTHONDONTWRITEBYTECODE": "1"}})
        seen = function.call({})
        environ = seen["environ"]
        expected = {
            "COLOUR": "grün",
            "_HANDLER": "probe.environment",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
        }
        assert {key: environ.get(key) for key in expected} == expected
        assert re.fullmatch(STREAM, environ["AWS_LAMBDA_LOG_STREAM_NAME"])
        for key in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "PATH"]:
            assert environ[key], key
        assert "/opt/bin" in environ["PATH"].split(":")
        assert "/opt/lib" in environ["LD_LIBRARY_PATH"].split(":")
        assert seen["cwd"] == "/var/task"
        assert "/var/task" in seen["path"]
        assert "/opt/python" in seen["path"]
        assert seen["task"] == sorted(path.name for path in (FUNCTIONS / "python").glob("*.py"))
        assert seen["zone"] == "UTC"
        assert seen["encoding"] == "utf-8"
        assert seen["uid"] != 0

    def test_has_nothing_of_the_hosts(self, deploy):
        seen = deploy("probe.environment").call({})
        for name in seen["environ"]:
            assert not name.startswith(("HEARTH", "PYTEST", "CARGO", "RUST", "SSH", "HOME_")), name
        assert seen["hostname"] != socket.gethostname()

    def test_only_tmp_can_be_written(self, deploy):
        directories = ["/tmp", "/var/task", "/opt", "/", "/usr/lib", "/etc", "/var/runtime", "/proc", "/sys", "/bin"]
        refused = deploy("probe.writes").call({"directories": directories})
        assert refused.pop("/tmp") is None
        assert all(refused.values()), refused


class TestLayers:
    def test_lie_in_opt_later_ones_over_earlier_ones(self, deploy, client):
        arns = []
        for content in [
            {"python/from_layer.py": "ANSWER = 1\n", "data.txt": "one", "only-first.txt": "first"},
            {"python/from_layer.py": "ANSWER = 2\n", "data.txt": "two", "lib/deep/er.txt": "deep"},
        ]:
            layer = client.publish_layer_version(LayerName=unique("over"), Content={"ZipFile": make_zip(content)})
            arns.append(layer["LayerVersionArn"])
        seen = deploy("probe.layers", Layers=arns).call({})
        assert seen["answer"] == 2
        assert seen["files"]["/opt/data.txt"] == "two"
        assert seen["files"]["/opt/only-first.txt"] == "first"
        assert seen["files"]["/opt/lib/deep/er.txt"] == "deep"
        assert deploy("probe.layers", Layers=arns[::-1]).call({})["answer"] == 1


class TestWarmth:
    def test_module_level_code_runs_once(self, deploy):
        function = deploy("probe.state")
        answers = [function.call({}) for _ in range(5)]
        assert [answer["calls"] for answer in answers] == [1, 2, 3, 4, 5]
        assert len({answer["init_id"] for answer in answers}) == 1
        assert sum("module level runs" in message for message in wait_for_reports(function, 5)) == 1

    def test_tmp_is_kept_between_calls(self, deploy):
        function = deploy("probe.tmp")
        assert [function.call({})["size"] for _ in range(3)] == [1, 2, 3]

    def test_tmp_is_not_shared_with_another_function(self, deploy):
        first, second = deploy("probe.tmp"), deploy("probe.tmp")
        first.call({})
        assert second.call({})["size"] == 1

    def test_a_new_configuration_starts_anew(self, deploy):
        function = deploy("probe.state")
        before = function.call({})
        function.configure(Environment={"Variables": {"STAGE": "2"}})
        after = function.call({})
        assert after["calls"] == 1
        assert after["init_id"] != before["init_id"]

    def test_versions_do_not_share_processes(self, deploy, client):
        function = deploy("probe.state")
        client.publish_version(FunctionName=function.name)
        latest, published = function.call({}), function.call({}, Qualifier="1")
        assert latest["init_id"] != published["init_id"]
        assert (latest["version"], published["version"]) == ("$LATEST", "1")

    def test_a_child_left_running_does_not_hold_back_the_answer(self, deploy):
        function = deploy("probe.background")
        with within(15):
            first, second = function.call({}), function.call({})
        assert first["pid"] == second["pid"]


def wait_for_reports(function, count):
    def reported():
        messages = function.messages()
        return messages if sum(message.startswith("REPORT") for message in messages) >= count else None

    return wait_until(reported, 10, f"{count} REPORT lines of {function.name}")


class TestErrors:
    def test_of_the_handler_carry_type_message_and_trace(self, deploy):
        function = deploy("probe.fail")
        result = function.invoke({"message": "no such order: 7"})
        assert (result.status, result.error, result.version) == (200, "Unhandled", "$LATEST")
        body = result.json
        assert set(body) == {"errorMessage", "errorType", "requestId", "stackTrace"}
        assert body["errorMessage"] == "no such order: 7"
        assert body["errorType"] == "OrderRejected"
        assert body["requestId"] == result.request_id
        assert '"/var/task/probe.py"' in body["stackTrace"][0]
        assert "check_order(event)" in body["stackTrace"][0]
        assert "raise OrderRejected" in body["stackTrace"][1]
        found = function.wait_for_message(r"\[ERROR\] OrderRejected: no such order: 7")
        assert "Traceback (most recent call last):" in found[0]

    def test_leave_the_process_running(self, deploy):
        function = deploy("probe.sleep")
        before = function.call({})
        failed = function.invoke({"seconds": "not a number"})
        assert failed.json["errorType"] == "TypeError"
        assert function.call({})["init_id"] == before["init_id"]

    def test_caused_by_another(self, deploy):
        body = deploy("probe.chained").invoke({}).json
        assert (body["errorType"], body["errorMessage"]) == ("ValueError", "second")

    def test_of_marshalling(self, deploy):
        body = deploy("probe.unserializable").invoke({}).json
        assert body["errorType"] == "Runtime.MarshalError"
        assert "Object of type object is not JSON serializable" in body["errorMessage"]

    @pytest.mark.parametrize(
        ("handler", "files", "kind", "message"),
        [
            ("absent.handler", {"app.py": ""}, "Runtime.ImportModuleError", "Unable to import module 'absent': No module named 'absent'"),
            ("app.absent", {"app.py": "x = 1"}, "Runtime.HandlerNotFound", "Handler 'absent' missing on module 'app'"),
            ("app", {"app.py": "x = 1"}, "Runtime.MalformedHandlerName", "Bad handler 'app'"),
            ("app.handler", {"app.py": "def handler(:\n"}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
            ("app.handler", {"app.py": "import boto9"}, "Runtime.ImportModuleError", "No module named 'boto9'"),
            ("app.handler", {"app.py": "1 / 0"}, "ZeroDivisionError", "division by zero"),
        ],
    )
    def test_of_loading_the_handler(self, deploy, handler, files, kind, message):
        function = deploy(handler, package=make_zip(files))
        for _ in range(2):
            result = function.invoke({})
            assert (result.status, result.error) == (200, "Unhandled")
            assert result.json["errorType"] == kind
            assert message in result.json["errorMessage"]

    def test_of_initialisation_are_reported_again_on_every_call(self, deploy):
        function = deploy("bad_init.handler", Environment={"Variables": {"HOW": "raise"}})
        for _ in range(3):
            body = function.invoke({}).json
            assert (body["errorType"], body["errorMessage"]) == ("RuntimeError", "cannot start")

    def test_initialisation_that_exits(self, deploy):
        function = deploy("bad_init.handler", Environment={"Variables": {"HOW": "exit"}})
        result = function.invoke({}, LogType="Tail")
        assert result.error == "Unhandled"
        assert result.json["errorType"] == "Runtime.ExitError"
        assert result.json["errorMessage"] == f"RequestId: {result.request_id} Error: Runtime exited with error: exit status 7"

    def test_fixed_code_runs_after_failing_code(self, deploy):
        function = deploy("app.handler", package=make_zip({"app.py": "import boto9"}))
        assert function.invoke({}).error == "Unhandled"
        function.update_code(make_zip({"app.py": "def handler(event, context):\n    return 'fixed'\n"}))
        assert function.call({}) == "fixed"


class TestEnds:
    @pytest.mark.parametrize("code", [1, 3])
    def test_by_sys_exit(self, deploy, code):
        function = deploy("probe.leave")
        result = function.invoke({"code": code}, LogType="Tail")
        assert (result.status, result.error) == (200, "Unhandled")
        text = f"RequestId: {result.request_id} Error: Runtime exited with error: exit status {code}"
        assert result.json == {"errorType": "Runtime.ExitError", "errorMessage": text}
        assert "last words" in result.log
        assert text in result.log
        assert re.search(r"REPORT .*\tStatus: error\tError Type: Runtime.ExitError", result.log)
        assert function.invoke({"code": code}).json["errorType"] == "Runtime.ExitError"

    def test_by_sys_exit_without_an_error(self, deploy):
        result = deploy("probe.leave").invoke({"code": 0})
        assert result.json["errorType"] == "Runtime.ExitError"
        assert result.json["errorMessage"] == f"RequestId: {result.request_id} Error: Runtime exited without providing a reason"

    @pytest.mark.parametrize(
        ("signal", "text"), [("SIGKILL", "killed"), ("SIGSEGV", "segmentation fault"), ("SIGABRT", "aborted")]
    )
    def test_by_signal(self, deploy, signal, text):
        result = deploy("probe.die").invoke({"signal": signal})
        assert result.json["errorType"] == "Runtime.ExitError"
        assert result.json["errorMessage"].startswith(f"RequestId: {result.request_id} Error: Runtime exited with error: signal: {text}")

    def test_by_timeout(self, deploy):
        function = deploy("probe.sleep", Timeout=1)
        with within(8):
            result = function.invoke({"seconds": 30}, LogType="Tail")
        assert (result.status, result.error) == (200, "Unhandled")
        text = f"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds"
        assert result.json == {"errorType": "Sandbox.Timedout", "errorMessage": text}
        assert re.search(rf"\d{{4}}-\d\d-\d\dT[\d:.]+Z {result.request_id} Task timed out after 1\.00 seconds", result.log)
        assert re.search(r"REPORT .*\tDuration: 10\d\d\.\d\d ms\t.*\tStatus: timeout", result.log)
        assert function.call({"seconds": 0})["slept"] == 0

    def test_by_timeout_leave_no_process_for_the_next_call(self, deploy):
        function = deploy("probe.tmp", Timeout=2)
        first = function.call({})
        assert function.invoke({"then": "sleep"}).json["errorType"] == "Sandbox.Timedout"
        assert function.call({})["init_id"] != first["init_id"]

    def test_by_want_of_memory(self, deploy):
        function = deploy("probe.hog", MemorySize=128, Timeout=25)
        result = function.invoke({}, LogType="Tail")
        assert result.error == "Unhandled"
        assert result.json["errorType"] in {"Runtime.ExitError", "Runtime.OutOfMemory"}
        expected = f"RequestId: {result.request_id} Error: Runtime exited with error: signal: killed"
        assert result.json["errorMessage"] == expected
        used = int(re.search(r"Max Memory Used: (\d+) MB", result.log).group(1))
        assert 100 <= used <= 128


class TestInit:
    def test_longer_than_ten_seconds_is_run_again_within_the_call(self, deploy):
        function = deploy("slow_init.handler", Timeout=40, Environment={"Variables": {"INIT_SECONDS": "12"}})
        result = function.invoke({}, LogType="Tail")
        assert result.error is None, result
        assert re.search(r"INIT_REPORT Init Duration: 1\d{4}\.\d\d ms\tPhase: init\tStatus: timeout", result.log)
        assert function.call({}) == result.json

    def test_that_takes_longer_than_the_timeout_times_out(self, deploy):
        function = deploy("slow_init.handler", Timeout=2, Environment={"Variables": {"INIT_SECONDS": "60"}})
        result = function.invoke({})
        assert result.json["errorType"] == "Sandbox.Timedout"
        assert result.json["errorMessage"].endswith("Task timed out after 2.00 seconds")


class TestForms:
    def test_asyncio(self, deploy):
        assert deploy("probe.coroutine").call({"count": 5}) == [0, 1, 4, 9, 16]

    def test_generators(self, deploy):
        assert deploy("probe.generator").call({"letters": "abc"}) == ["A", "B", "C"]

    def test_a_coroutine_is_no_answer(self, deploy):
        result = deploy("probe.raw_coroutine").invoke({})
        assert result.error == "Unhandled"
        assert "coroutine is not JSON serializable" in result.json["errorMessage"]

    def test_handlers_in_packages(self, deploy):
        package = make_zip({"shop/__init__.py": "", "shop/orders.py": "def take(event, context):\n    return __name__\n"})
        assert deploy("shop.orders.take", package=package).call({}) == "shop.orders"
        assert deploy("shop/orders.take", package=package).call({}) in ("shop.orders", "shop/orders")


def json_lines(function):
    """The log's records; what the module prints while it is imported stays plain text, as in Lambda."""
    return [json.loads(message) for message in function.messages() if message.startswith("{")]


class TestLogs:
    def test_have_start_end_and_report_lines(self, deploy):
        function = deploy("probe.log")
        result = function.invoke({"stdout": "to stdout, ü", "stderr": "to stderr", "logger": "seven"})
        messages = wait_for_reports(function, 1)
        request = result.request_id
        arn = function.client.get_function_configuration(FunctionName=function.name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
        assert messages[0] == f"INIT_START Runtime Version: python:3.11.v1\tRuntime Version ARN: {arn}\n"
        start = messages.index(f"START RequestId: {request} Version: $LATEST\n")
        end = messages.index(f"END RequestId: {request}\n")
        body = [message.rstrip("\n") for message in messages[start + 1 : end]]
        assert "to stdout, ü" in body
        assert "to stderr" in body
        assert any(re.fullmatch(rf"\[INFO\]\t\d{{4}}-[\d:TZ.-]+\t{request}\tinfo seven", line) for line in body)
        assert any(re.fullmatch(rf"\[WARNING\]\t\d{{4}}-[\d:TZ.-]+\t{request}\twarning seven", line) for line in body)
        report = messages[end + 1]
        pattern = (
            rf"REPORT RequestId: {request}\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\t"
            r"Memory Size: 128 MB\tMax Memory Used: (\d+) MB\tInit Duration: (\d+\.\d\d) ms\t?\n*"
        )
        match = re.fullmatch(pattern, report)
        assert match, report
        duration, billed, used, init = map(float, match.groups())
        assert duration + init <= billed < duration + init + 2
        assert 5 < used <= 128

    def test_have_no_events_for_blank_lines(self, deploy):
        package = make_zip({"app.py": "def handler(event, context):\n    print('one\\n\\n\\n two\\n\\n')\n    print()\n    print(' ')\n"})
        function = deploy("app.handler", package=package)
        request = function.invoke({}).request_id
        messages = wait_for_reports(function, 1)
        start = messages.index(f"START RequestId: {request} Version: $LATEST\n")
        end = messages.index(f"END RequestId: {request}\n")
        assert messages[start + 1 : end] == ["one\n", " two\n", " \n"]

    def test_name_no_status_of_what_a_handler_raised(self, deploy):
        """As on Lambda: only what ends a runtime, or its time, is told there."""
        function = deploy("app.handler", package=make_zip({"app.py": "def handler(event, context):\n    raise ValueError('no')\n"}))
        result = function.invoke({}, LogType="Tail")
        assert (result.error, result.json["errorType"]) == ("Unhandled", "ValueError")
        report = result.log.splitlines()[-1]
        assert report.startswith(f"REPORT RequestId: {result.request_id}\t") and "Status" not in report, report

    def test_tail_of_a_cold_call_is_as_recorded(self, deploy):
        lines = deploy("probe.echo").invoke({}, LogType="Tail").log.split("\n")
        assert lines[0] == "module level runs", "without a line that says INIT_START"
        assert lines[1].startswith("START RequestId: ")
        assert re.search(r"\tInit Duration: \d+\.\d\d ms\t$", lines[-2]), lines

    def test_of_warm_calls_have_no_init_duration(self, deploy):
        function = deploy("probe.echo")
        function.call({})
        warm = function.invoke({}, LogType="Tail")
        assert "Init Duration" not in warm.log
        assert "INIT_START" not in warm.log

    def test_are_kept_per_sandbox_in_a_stream(self, deploy, daemon):
        function = deploy("probe.context")
        stream = function.call({})["log_stream_name"]
        wait_for_reports(function, 1)
        logs = daemon.client("logs")
        groups = logs.describe_log_groups(logGroupNamePrefix=function.log_group)["logGroups"]
        assert [group["logGroupName"] for group in groups] == [function.log_group]
        streams = logs.describe_log_streams(logGroupName=function.log_group)["logStreams"]
        assert [found["logStreamName"] for found in streams] == [stream]
        events = logs.get_log_events(logGroupName=function.log_group, logStreamName=stream, startFromHead=True)["events"]
        assert any(event["message"].startswith("REPORT") for event in events)
        now = time.time() * 1000
        assert all(now - 60_000 < event["timestamp"] <= now + 1000 for event in events)

    def test_are_found_by_filter(self, deploy, daemon):
        function = deploy("probe.log")
        function.call({"stdout": "needle in it", "stderr": "hay", "logger": "hay"})
        wait_for_reports(function, 1)
        logs = daemon.client("logs")
        found = logs.filter_log_events(logGroupName=function.log_group, filterPattern="needle")["events"]
        assert [event["message"].rstrip() for event in found] == ["needle in it"]
        early = logs.filter_log_events(logGroupName=function.log_group, endTime=1000)["events"]
        assert early == []

    def test_go_where_the_configuration_says(self, deploy, daemon):
        group = f"/shop/{unique('group')}"
        function = deploy("probe.log", LoggingConfig={"LogGroup": group})
        function.call({"stdout": "elsewhere", "stderr": "", "logger": ""})
        function.log_group = group
        assert function.wait_for_message("elsewhere")

    def test_tail_is_the_last_four_kilobytes(self, deploy):
        function = deploy("probe.flood", MemorySize=256)
        result = function.invoke({"line": "abc", "repeat": 100, "lines": 100}, LogType="Tail")
        assert 3900 < len(result.log.encode()) <= 4096
        assert "after the flood" in result.log
        assert f"END RequestId: {result.request_id}" in result.log
        assert result.log.rstrip().splitlines()[-1].startswith("REPORT RequestId")

    def test_no_tail_unless_asked_for(self, deploy):
        result = deploy("probe.echo").invoke({})
        assert result.log is None
        assert "x-amz-log-result" not in result.headers

    def test_as_json(self, deploy):
        function = deploy("probe.log_json", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"})
        result = function.invoke({})
        assert result.error is None, result
        lines = wait_until(lambda: json_lines(function) if any("platform.report" in m for m in function.messages()) else None)
        system = {line["type"]: line["record"] for line in lines if "type" in line}
        assert system["platform.start"] == {"requestId": result.request_id, "version": "$LATEST"}
        assert system["platform.initStart"]["functionName"] == function.name
        metrics = system["platform.report"]["metrics"]
        assert metrics["memorySizeMB"] == 128
        assert metrics["durationMs"] > 0
        assert metrics["billedDurationMs"] >= metrics["durationMs"]
        assert system["platform.report"]["status"] == "success"
        application = {line["message"]: line for line in lines if "message" in line}
        assert "unheard" not in application
        heard = application["heard"]
        assert (heard["level"], heard["requestId"], heard["order"]) == ("INFO", result.request_id, 17)
        assert application["caught"]["errorType"] == "ZeroDivisionError"

    def test_below_the_system_level_are_left_out(self, deploy):
        function = deploy("probe.log_json", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "ERROR", "SystemLogLevel": "WARN"})
        function.call({})
        function.wait_for_message("caught")
        assert [line.get("message") for line in json_lines(function)] == ["caught"]


class TestInvocationTypes:
    def test_dry_run_checks_and_does_not_run(self, deploy):
        function = deploy("probe.state")
        result = function.invoke({}, InvocationType="DryRun")
        assert (result.status, result.body) == (204, b"")
        assert function.call({})["calls"] == 1
        with pytest.raises(function.client.exceptions.ResourceNotFoundException):
            function.client.invoke(FunctionName="nowhere", InvocationType="DryRun")

    def test_event_is_accepted_and_runs_later(self, deploy):
        function = deploy("probe.sleep")
        result = function.invoke({"print": "it ran: üö", "seconds": 0}, InvocationType="Event")
        assert (result.status, result.body) == (202, b"")
        function.wait_for_message("it ran: üö")
        function.wait_for_message(f"END RequestId: {result.request_id}")

    def test_an_event_is_at_most_one_megabyte(self, deploy):
        function = deploy("probe.length", MemorySize=256)
        fits = json.dumps({"text": "x" * (MEGABYTE - len('{"text": ""}'))}).encode()
        assert len(fits) == MEGABYTE
        assert function.invoke(fits, InvocationType="Event").status == 202
        expected = r"^1048577 byte payload is too large for the Event invocation type \(limit 1048576 bytes\)$"
        with refused(function.client, "RequestEntityTooLargeException", 413, expected):
            function.invoke(fits + b" ", InvocationType="Event")

    def test_an_event_that_fails_is_retried_as_configured(self, deploy, client):
        """No retry where none is allowed; else the first after a minute, with the same request id."""
        never, once = deploy("probe.fail"), deploy("probe.fail")
        client.put_function_event_invoke_config(FunctionName=never.name, MaximumRetryAttempts=0)
        client.put_function_event_invoke_config(FunctionName=once.name, MaximumRetryAttempts=1)
        requests = {function: function.invoke({}, InvocationType="Event").request_id for function in (never, once)}

        def starts(function):
            return sum(message.startswith(f"START RequestId: {requests[function]}") for message in function.messages())

        wait_until(lambda: starts(never) == 1 and starts(once) == 1, 15)
        began = time.monotonic()
        wait_until(lambda: starts(once) == 2, 90)
        assert time.monotonic() - began > 50
        assert starts(never) == 1

    def test_an_old_invoke_async_call_works(self, deploy):
        function = deploy("probe.sleep")
        answer = function.client.invoke_async(FunctionName=function.name, InvokeArgs=json.dumps({"print": "old way"}))
        assert answer["Status"] == 202
        function.wait_for_message("old way")

    def test_an_unknown_type_is_refused(self, unchecked, deploy):
        function = deploy("probe.echo")
        for argument in [{"InvocationType": "Perhaps"}, {"LogType": "Head"}]:
            with pytest.raises(unchecked.exceptions.ClientError) as refusal:
                unchecked.invoke(FunctionName=function.name, **argument)
            assert refusal.value.response["Error"]["Code"] in {"ValidationException", "InvalidParameterValueException"}
            assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


class TestQualifiers:
    def test_in_the_name_the_arn_or_the_query(self, deploy, client):
        function = deploy("probe.state")
        client.publish_version(FunctionName=function.name)
        for name in [f"{function.name}:1", f"{function.arn}:1", f"{ACCOUNT}:function:{function.name}:1"]:
            assert json.loads(client.invoke(FunctionName=name)["Payload"].read())["version"] == "1"
        assert json.loads(client.invoke(FunctionName=f"{function.name}:1", Qualifier="1")["Payload"].read())["version"] == "1"

    def test_that_disagree_are_refused(self, deploy, client):
        function = deploy("probe.state")
        client.publish_version(FunctionName=function.name)
        for name in [f"{function.name}:1", f"{function.arn}:1"]:
            with pytest.raises(client.exceptions.InvalidParameterValueException) as refusal:
                client.invoke(FunctionName=name, Qualifier="$LATEST")
            text = "The derived qualifier from the function name does not match the specified qualifier."
            assert refusal.value.response["Error"]["Message"] == text

    def test_that_name_nothing_are_not_found(self, deploy, client):
        function = deploy("probe.state")
        for qualifier in ["9", "none"]:
            with pytest.raises(client.exceptions.ResourceNotFoundException) as refusal:
                client.invoke(FunctionName=function.name, Qualifier=qualifier)
            assert refusal.value.response["Error"]["Message"] == f"Function not found: {function.arn}:{qualifier}"


class TestOwnCalls:
    def test_reach_hearth_without_any_setting(self, deploy):
        inner = deploy("probe.echo")
        outer = deploy("probe.call_another", MemorySize=512)
        seen = outer.call({"function": inner.name, "payload": {"from": "inside"}})
        assert (seen["status"], seen["error"], seen["payload"]) == (200, None, {"from": "inside"})
        assert seen["account"] == ACCOUNT
        assert seen["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/e2e/{outer.name}"

    def test_go_elsewhere_if_the_user_says_so(self, deploy):
        outer = deploy(
            "probe.call_another",
            MemorySize=512,
            Timeout=60,
            Environment={"Variables": {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}},
        )
        result = outer.invoke({"function": "any", "payload": {}})
        assert result.json["errorType"] == "EndpointConnectionError"


def test_concurrent_calls_run_in_sandboxes_of_their_own(deploy):
    function = deploy("probe.sleep")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: function.call({"seconds": 1}), range(6)))
    assert len({answer["init_id"] for answer in answers}) == 6
    assert len({answer["request_id"] for answer in answers}) == 6


def test_the_same_package_serves_other_handlers(deploy):
    package = python_zip()
    assert deploy("probe.echo", package=package).call([1]) == [1]
    assert deploy("probe.nothing", package=package).call([1]) is None


def test_a_runtime_that_is_not_there_is_refused(deploy, client):
    """One that Lambda does not have at once; one that this host lacks names the command that adds it."""
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="(?i)runtime"):
        deploy("probe.echo", runtime="python2.7", package=python_zip())
    not_installed = "^The runtime python3.14 is not installed on this host. Install it with `hearth runtime add python3.14`"
    with refused(client, "InvalidParameterValueException", 400, not_installed):
        deploy("probe.echo", runtime="python3.14", package=python_zip())
    with refused(client, "InvalidParameterValueException", 400, "^The runtime java21 is not supported by Hearth$"):
        deploy("probe.echo", runtime="java21", package=python_zip())
    function = deploy("probe.echo", package=python_zip())
    with refused(client, "InvalidParameterValueException", 400, not_installed):
        function.configure(Runtime="python3.14")
    assert function.call({"n": 1}) == {"n": 1}
