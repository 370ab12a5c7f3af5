"""`hearth sim` on a small trace, as a user runs it."""

import json
import subprocess

import pytest
from daemon import HEARTH

FIELDS = {
    "trace", "policy", "invocations", "cold_starts", "idle_gib_s", "evictions", "start_delay_p50_ms", "start_delay_p99_ms",
}
# One function that is called every five minutes for two hours.
TRACE = "HashOwner,HashApp,HashFunction,Trigger," + ",".join(str(minute) for minute in range(120)) + "\n" + \
    "o,a,f,http," + ",".join("1" if minute % 5 == 0 else "0" for minute in range(120)) + "\n"


def sim(*arguments):
    return subprocess.run([HEARTH, "sim", *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "small_invocations.csv"
    path.write_text(TRACE)
    (tmp_path / "small_memory.csv").write_text("HashApp,HashFunction,AverageAllocatedMb\na,f,1024\n")
    return path


def test_rows_and_plot(trace, tmp_path):
    plot = tmp_path / "plot.svg"
    policies = ["fixed:60", "fixed:600", "hearth:0.3", "hybrid", "greedy-dual", "never", "oracle"]
    done = sim("--json", "--trace", trace, "--policy", *policies, "--plot", plot)
    assert done.returncode == 0, done.stderr
    rows = {row["policy"]: row for row in json.loads(done.stdout)}
    assert list(rows) == policies
    assert all(row.keys() >= FIELDS and row["trace"] == "small_invocations" for row in rows.values())
    assert {row["invocations"] for row in rows.values()} == {24}
    assert rows["fixed:60"]["cold_starts"] == 24
    assert rows["fixed:600"]["cold_starts"] == rows["never"]["cold_starts"] == rows["oracle"]["cold_starts"] == 1
    # An idle GiB for all but the runs of those two hours, and for at most a minute after each call.
    assert 5_000 < rows["never"]["idle_gib_s"] <= 7_200
    assert 1_000 < rows["fixed:60"]["idle_gib_s"] <= 24 * 60
    assert plot.read_text().count("<polyline") == 6
    assert sim("--json", "--trace", trace, "--policy", *policies).stdout == done.stdout


def test_a_table_without_json(trace):
    done = sim("--trace", trace, "--policy", "fixed:600", "fixed:60")
    assert done.returncode == 0 and "100.0 %" in done.stdout and "2400.0 %" in done.stdout, done.stdout


@pytest.mark.parametrize("arguments, hint", [
    (["--policy", "lru"], "no keep-alive policy"),
    (["--policy", "fixed:soon"], "no keep-alive policy"),
    (["--trace", "/nonexistent"], "/nonexistent"),
])
def test_what_is_wrong_is_said(trace, arguments, hint):
    done = sim("--trace", trace, *arguments)
    assert done.returncode != 0 and hint in done.stderr, done.stderr
