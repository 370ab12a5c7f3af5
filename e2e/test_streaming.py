"""InvokeWithResponseStream: chunks as the function sends them, errors in the last event."""

import base64
import json
import time

import pytest

NODE = "nodejs20.x"
RUST = "provided.al2023"


def stream(function, payload, **arguments):
    """The call's answer, chunks with their times of arrival, and the InvokeComplete event."""
    answer = function.client.invoke_with_response_stream(
        FunctionName=function.name, Payload=json.dumps(payload), **arguments
    )
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    chunks, complete = [], []
    for event in answer["EventStream"]:
        if "PayloadChunk" in event:
            assert not complete
            chunks.append((time.monotonic(), event["PayloadChunk"]["Payload"]))
        else:
            complete.append(event["InvokeComplete"])
    assert len(complete) == 1
    return answer, chunks, complete[0]


def whole(chunks):
    return b"".join(data for _, data in chunks)


def test_node_streams_chunks_as_they_come(deploy):
    function = deploy("index.stream", NODE, MemorySize=256)
    _, chunks, complete = stream(function, {"chunks": 4, "pause": 300})
    assert whole(chunks) == b"chunk 0\nchunk 1\nchunk 2\nchunk 3\n"
    assert len(chunks) >= 4
    assert chunks[-1][0] - chunks[0][0] > 0.5
    assert "ErrorCode" not in complete


def test_rust_streams_chunks_as_they_come(deploy):
    function = deploy("stream", RUST)
    _, chunks, complete = stream(function, {"chunks": 4, "pause_ms": 300})
    body = whole(chunks)
    assert body.endswith(b"chunk 0\nchunk 1\nchunk 2\nchunk 3\n")
    assert chunks[-1][0] - chunks[0][0] > 0.5
    assert "ErrorCode" not in complete


def test_the_http_form_has_a_prelude_and_eight_zero_bytes(deploy):
    function = deploy("index.streamHttp", NODE, MemorySize=256)
    _, chunks, _ = stream(function, {})
    prelude, body = whole(chunks).split(b"\0" * 8)
    assert json.loads(prelude) == {"statusCode": 201, "headers": {"content-type": "text/html"}, "cookies": ["a=1"]}
    assert body == b"<p>streamed</p>"


def test_ten_megabytes_pass(deploy):
    function = deploy("index.streamLarge", NODE, MemorySize=512)
    _, chunks, complete = stream(function, {"bytes": 10 << 20})
    assert whole(chunks) == b"x" * (10 << 20)
    assert "ErrorCode" not in complete


def test_an_error_in_the_middle_comes_in_the_last_event(deploy):
    function = deploy("index.streamFail", NODE, MemorySize=256)
    _, chunks, complete = stream(function, {})
    assert whole(chunks) == b"before "
    assert complete["ErrorCode"] == "OrderRejected"
    assert "in the middle" in complete["ErrorDetails"]
    _, again, _ = stream(function, {})
    assert whole(again) == b"before "


def test_a_timeout_in_the_middle_comes_in_the_last_event(deploy):
    function = deploy("index.streamTimeout", NODE, MemorySize=256, Timeout=2)
    _, chunks, complete = stream(function, {})
    assert whole(chunks) == b"before "
    assert complete["ErrorCode"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in complete["ErrorDetails"]


def test_the_log_tail_comes_in_the_last_event(deploy):
    function = deploy("index.stream", NODE, MemorySize=256)
    _, _, complete = stream(function, {"chunks": 1}, LogType="Tail")
    log = base64.b64decode(complete["LogResult"]).decode()
    assert "START RequestId" in log
    assert "REPORT RequestId" in log


@pytest.mark.parametrize(("handler", "runtime"), [("probe.echo", "python3.11"), ("index.echo", NODE), ("echo", RUST)])
def test_a_function_that_does_not_stream_answers_in_one_piece(deploy, handler, runtime):
    function = deploy(handler, runtime, MemorySize=256)
    _, chunks, complete = stream(function, {"a": 1})
    assert json.loads(whole(chunks)) == {"a": 1}
    assert "ErrorCode" not in complete


def test_a_failing_function_that_does_not_stream(deploy):
    function = deploy("probe.fail")
    _, chunks, complete = stream(function, {"message": "no"})
    assert complete["ErrorCode"] == "Unhandled" or complete["ErrorCode"] == "OrderRejected"
    assert b"no" in whole(chunks) or "no" in complete["ErrorDetails"]


def test_a_streaming_function_answers_an_ordinary_invoke_too(deploy):
    function = deploy("index.stream", NODE, MemorySize=256)
    result = function.invoke({"chunks": 3})
    assert result.error is None
    assert result.body == b"chunk 0\nchunk 1\nchunk 2\n"


def test_a_caller_that_goes_away_does_not_disturb_the_next(deploy):
    function = deploy("index.stream", NODE, MemorySize=256)
    answer = function.client.invoke_with_response_stream(
        FunctionName=function.name, Payload=json.dumps({"chunks": 20, "pause": 100})
    )
    next(iter(answer["EventStream"]))
    answer["EventStream"].close()
    _, chunks, _ = stream(function, {"chunks": 2})
    assert whole(chunks) == b"chunk 0\nchunk 1\n"


def test_is_refused_like_an_ordinary_invoke(client, deploy):
    function = deploy("probe.echo")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke_with_response_stream(FunctionName="nowhere")
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke_with_response_stream(FunctionName=function.name, Payload=b"{")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke_with_response_stream(FunctionName=function.name, Payload=b"{}")
