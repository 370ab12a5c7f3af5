"""Hearth's own commands against a running daemon."""

import json
import subprocess

import pytest
from daemon import HEARTH, wait_until
from package import unique

HANDLER = "def handler(event, context):\n    print('called with', event)\n    return {'answer': event['number'] * 2}\n"


@pytest.fixture
def hearth(daemon, tmp_path):
    """`hearth ARGUMENTS`: standard output, or standard error if it is to fail."""

    def run(*arguments, fails=False, stdin=None):
        command = [str(part) for part in (HEARTH, *arguments, "--endpoint", daemon.endpoint)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, input=stdin)
        assert (done.returncode != 0) == fails, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "panicked" not in done.stderr
        return done.stderr if fails else done.stdout

    return run


@pytest.fixture
def directory(tmp_path):
    directory = tmp_path / unique("own")
    directory.mkdir()
    (directory / "app.py").write_text(HANDLER)
    return directory


def test_a_directory_is_deployed_called_and_read_of(hearth, directory):
    name = directory.name
    hearth("deploy", directory)
    payload = '{"number": 21}'
    assert json.loads(hearth("invoke", name, payload)) == {"answer": 42}
    assert json.loads(hearth("invoke", name, "-p", payload)) == {"answer": 42}
    assert json.loads(hearth("invoke", name, "-", stdin=payload)) == {"answer": 42}
    (directory.parent / "event.json").write_text(payload)
    assert json.loads(hearth("invoke", name, "@event.json")) == {"answer": 42}
    seen = json.loads(hearth("--json", "invoke", name, payload, "--tail"))
    assert (seen["payload"], seen["functionError"], seen["executedVersion"]) == ({"answer": 42}, None, "$LATEST")
    assert "called with {'number': 21}" in seen["log"]
    assert "queued" in hearth("invoke", name, payload, "--async")
    wait_until(lambda: hearth("logs", name).count("called with") >= 6, 20, "the log tells of all calls")
    assert name in json.dumps(json.loads(hearth("--json", "functions")))


def test_what_fails_says_so(hearth, directory):
    hearth("deploy", directory)
    assert "failed" in hearth("invoke", directory.name, "{}", fails=True)
    assert "InvalidRequestContent" in hearth("invoke", directory.name, "garbage", fails=True)
    assert "Function not found" in hearth("invoke", "nobody", fails=True)
    assert "cannot be used with" in hearth("invoke", directory.name, "1", "--payload", "2", fails=True)
    hearth("deploy", directory.parent / "nowhere", fails=True)


def test_what_is_watched_is_deployed_when_it_changes(hearth, directory, daemon):
    command = [HEARTH, "deploy", "--watch", directory, "--endpoint", daemon.endpoint]
    with open(directory.parent / "watch.log", "wb") as log:
        watching = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:

        def answers(expected):
            command = [str(part) for part in (HEARTH, "invoke", directory.name, '{"number": 21}', "--endpoint", daemon.endpoint)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            return done.returncode == 0 and json.loads(done.stdout) == {"answer": expected}

        wait_until(lambda: answers(42), 20, "the first deployment answers")
        (directory / "app.py").write_text(HANDLER.replace("* 2", "* 3"))
        wait_until(lambda: answers(63), 20, "the changed function answers")
    finally:
        watching.terminate()
        watching.wait(10)
