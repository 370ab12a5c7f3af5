"""What Hearth tells about itself: how an invocation started, and where its time went."""

import json
import re
import subprocess
import urllib.request

import package
from daemon import HEARTH, refused, wait_until

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
        assert re.fullmatch(rf"({COLD_KINDS}) \(first\): {PHASES}, run [\d.]+ ms", first), first
        second = timeline(function)
        assert re.fullmatch(r"warm: queue [\d.]+, run [\d.]+ ms", second), second

    def test_tells_why_there_was_no_sandbox(self, own_daemon):
        daemon = own_daemon('[node]\nkeep_alive = "fixed:2"\n')
        function = package.deploy(daemon, "probe.sleep")

        def reason():
            return re.search(r"\((.*)\)", timeline(function))[1]

        def gone(*states):
            names = [f'hearth_sandboxes{{state="{state}"}}' for state in states]
            wait_until(lambda: not any(map(metrics(daemon).get, names)), 20, "the sandbox is gone")

        assert reason() == "first"
        function.client.update_function_configuration(FunctionName=function.name, Environment={"Variables": {"COLOUR": "blue"}})
        function.client.get_waiter("function_updated_v2").wait(FunctionName=function.name)
        assert reason() == "updated"
        gone("busy", "finishing", "idle")
        assert reason() == "expired"
        function.client.update_function_configuration(FunctionName=function.name, Timeout=1)
        function.client.get_waiter("function_updated_v2").wait(FunctionName=function.name)
        assert function.invoke({"seconds": 60}).error == "Unhandled"
        gone("busy", "finishing", "ending")
        assert reason() == "failed"

    def test_is_told_only_to_those_who_ask(self, deploy):
        assert "x-hearth-timeline" not in deploy("probe.sleep").invoke().headers

    def test_of_a_streamed_answer_has_all_but_its_end(self, deploy):
        function = deploy("probe.sleep")
        answer = asking(function).invoke_with_response_stream(FunctionName=function.name)
        told = answer["ResponseMetadata"]["HTTPHeaders"]["x-hearth-timeline"]
        assert re.fullmatch(rf"({COLD_KINDS}) \(first\): {PHASES}(, run [\d.]+)? ms", told), told

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


def metrics(daemon):
    """Every sample by its name and labels."""
    with urllib.request.urlopen(f"{daemon.endpoint}/_hearth/metrics") as answer:
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        text = answer.read().decode()
    assert text.endswith("# EOF\n")
    samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


class TestMetrics:
    def test_count_what_happens(self, own_daemon):
        daemon = own_daemon()
        function = package.deploy(daemon, "probe.sleep")
        function.call({})
        function.call({})
        assert function.invoke({"seconds": "no number"}).error == "Unhandled"
        seen = metrics(daemon)
        cold = {name: value for name, value in seen.items() if name.startswith("hearth_starts_total") and "warm" not in name}
        assert list(cold.values()) == [1] and 'reason="first"' in next(iter(cold))
        assert seen['hearth_starts_total{kind="warm",reason="none"}'] == 2
        assert seen['hearth_invocations_total{outcome="error"}'] == 1
        assert seen['hearth_invocations_total{outcome="success"}'] == 2
        assert seen['hearth_phase_seconds_count{phase="run",kind="warm"}'] == 2
        assert seen['hearth_phase_seconds_bucket{le="+Inf",phase="run",kind="warm"}'] == 2
        assert sum(seen[f'hearth_sandboxes{{state="{state}"}}'] for state in ("idle", "finishing", "busy")) == 1
        assert seen["hearth_memory_promised_bytes"] >= 128 * 2**20
        assert seen["hearth_daemon_resident_memory_bytes"] > 2**20
        assert seen["hearth_engine_anomalies_total"] == 0

    def test_count_what_is_refused_and_what_waits(self, own_daemon):
        daemon = own_daemon()
        function = package.deploy(daemon, "probe.sleep")
        daemon.client().put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
        with refused(daemon.client(), "TooManyRequestsException", 429):
            daemon.client().invoke(FunctionName=function.name)
        assert metrics(daemon)['hearth_refusals_total{reason="reserved-concurrency"}'] == 1
        assert metrics(daemon)["hearth_events_queued"] == 0
        daemon.client().delete_function_concurrency(FunctionName=function.name)
        daemon.client().invoke(FunctionName=function.name, InvocationType="Event", Payload=b'{"seconds": 3}')
        wait_until(lambda: metrics(daemon)["hearth_events_running"] == 1, 10, "the event runs")
        assert metrics(daemon)["hearth_events_queued"] == 1


def hearth(daemon, *arguments):
    command = [HEARTH, *arguments, "--endpoint", daemon.endpoint]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=daemon.environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestTop:
    def test_once_is_a_page_of_text(self, daemon, deploy):
        function = deploy("probe.sleep")
        function.call({})
        page = hearth(daemon, "top", "--once", "--interval", "0.1")
        assert daemon.endpoint in page
        assert re.search(r"^memory .* promised, daemon \d+ MiB$", page, re.M), page
        assert re.search(r"^starts .*warm|^starts .*\(\d+\)", page, re.M), page
        assert re.search(rf"^{function.name} +\d{{12}} +128 +\d+ +\d+ +1 ", page, re.M), page
        assert max(len(line) for line in page.splitlines()) <= 100
        assert "quit" not in page, "nobody is there to press keys"

    def test_json_is_for_programs(self, daemon, deploy):
        function = deploy("probe.sleep")
        function.call({})
        told = json.loads(hearth(daemon, "top", "--once", "--json", "--interval", "0.1"))
        assert [found["sandboxes"]["idle"] for found in told["functions"] if found["name"] == function.name] == [1]
        assert told["memory"]["promised_mib"] >= 128
        assert told["calls"]["total"] >= 1 and told["calls"]["waiting"] == 0
        assert told["events"] == {"queued": 0, "running": 0}
        assert {"python3.11", "nodejs20.x"} <= {runtime["name"] for runtime in told["runtimes"]}

    def test_json_goes_on_until_nobody_reads(self, daemon):
        command = [HEARTH, "top", "--json", "--interval", "0.1", "--endpoint", daemon.endpoint]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=daemon.environment()) as top:
            lines = [json.loads(top.stdout.readline()) for _ in range(2)]
            assert all(line["endpoint"] == daemon.endpoint for line in lines)
            top.stdout.close()
            assert top.wait(30) == 0

    def test_without_a_daemon_says_what_to_do(self, daemon):
        done = subprocess.run([HEARTH, "top", "--endpoint", "http://127.0.0.1:1"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "hearth serve" in done.stderr
