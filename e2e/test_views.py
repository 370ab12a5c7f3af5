"""What Hearth tells about itself: how an invocation started, and where its time went."""

import json
import re

import package
from daemon import wait_until

COLD_KINDS = "template|zygote|preboot|blank|boot"
PHASES = r"queue [\d.]+, sandbox [\d.]+, init [\d.]+"


def asking(function):
    """The function's client, asking with every request how it started."""
    client = function.daemon.client()
    client.meta.events.register("before-sign.lambda", lambda request, **_: request.headers.add_header("x-hearth-timeline", "1"))
    return client


def timeline(function):
    return package.invoke(asking(function), function.name).headers["x-hearth-timeline"]


class TestTimeline:
    def test_tells_cold_from_warm(self, deploy):
        function = deploy("probe.sleep")
        first = timeline(function)
        assert re.fullmatch(rf"({COLD_KINDS}) \(no-sandbox\): {PHASES}, run [\d.]+ ms", first), first
        second = timeline(function)
        assert re.fullmatch(r"warm: queue [\d.]+, run [\d.]+ ms", second), second

    def test_is_told_only_to_those_who_ask(self, deploy):
        assert "x-hearth-timeline" not in deploy("probe.sleep").invoke().headers

    def test_of_a_streamed_answer_has_all_but_its_end(self, deploy):
        function = deploy("probe.sleep")
        answer = asking(function).invoke_with_response_stream(FunctionName=function.name)
        told = answer["ResponseMetadata"]["HTTPHeaders"]["x-hearth-timeline"]
        assert re.fullmatch(rf"({COLD_KINDS}) \(no-sandbox\): {PHASES}(, run [\d.]+)? ms", told), told

    def test_is_in_the_json_report_of_a_cold_start_alone(self, deploy):
        function = deploy("probe.sleep", LoggingConfig={"LogFormat": "JSON"})
        function.call({})
        function.call({})
        found = wait_until(lambda: reports(function) if len(reports(function)) == 2 else None, 10, "two reports")
        cold, warm = found
        assert [span["name"] for span in cold["spans"]] == ["queue", "sandbox", "init"]
        assert all(span["durationMs"] >= 0 and re.match(r"20\d\d-", span["start"]) for span in cold["spans"])
        assert abs(cold["spans"][2]["durationMs"] - cold["metrics"]["initDurationMs"]) < 0.002
        assert "spans" not in warm


def reports(function):
    records = [json.loads(message) for message in function.messages() if message.startswith("{")]
    return [record["record"] for record in records if record.get("type") == "platform.report"]
