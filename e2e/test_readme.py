"""What the README tells newcomers to type."""

import json
import os
import re
import subprocess
import sys

import pytest

from daemon import HEARTH, ROOT, wait_until
from terminal import Terminal
from test_cli import AWS, version_two
from test_documents import Shell, assert_narrow


def blocks(language):
    """The examples of the part that a newcomer follows first."""
    text = (ROOT / "README.md").read_text()
    part = text.split("## Your AWS tools", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)


def test_the_first_function_works_as_written(daemon, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["PATH"] = f"{AWS.parent}:{environment['PATH']}"
    environment["AWS_PAGER"] = ""
    (shell,) = blocks("sh")
    assert "http://127.0.0.1:4566" in shell
    shell = shell.replace("http://127.0.0.1:4566", daemon.endpoint)

    def run(*command):
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    assert '{"answer": 42}' in run("bash", "-euo", "pipefail", "-c", shell)
    exports = "; ".join(shell.splitlines()[:2])
    (python,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "deploying.md").read_text(), re.DOTALL)
    (tmp_path / "call.py").write_text(python)
    assert json.loads(run("bash", "-c", f'{exports}; exec "$@"', "bash", sys.executable, "call.py").replace("'", '"')) == {"answer": 42}
    tail = f"{exports}; {shell.splitlines()[-1]}"
    wait_until(lambda: "called with {'number': 21}" in run("bash", "-c", tail), 20, "the log tells of the call")


def test_the_recording_is_what_a_terminal_shows(own_daemon, tmp_path):
    """Each command of the first block is typed; times and how the calls started are this machine's own."""
    (recording,) = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text('def handler(event, context):\n    return {"answer": event["number"] * 2}\n')
    with Shell(tmp_path, HEARTH_ENDPOINT=own_daemon().endpoint) as shell:
        for command, answer in re.findall(r"^\$ (.*)\n((?:[^$\n].*\n)*)", recording, re.MULTILINE):
            expected = re.sub(r"^\w+ (?=\\\()", r"\\w+ ", re.sub(r"\d+\\\.\d(?= |,)", r"\\d+\\.\\d", re.escape(answer).replace("\\ ", " ")))
            assert_narrow(shell.type(command, expected))


@pytest.mark.parametrize("cli", ["one", "two"])
def test_each_line_works_when_it_is_typed(own_daemon, tmp_path, cli):
    """In a terminal of 80 columns, with the AWS CLI 1, and with 2 as Debian has it."""
    aws = AWS if cli == "one" else version_two()
    if not aws:
        pytest.skip("no AWS CLI 2 on this host: apt-get install awscli")
    daemon = own_daemon()
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "aws").symlink_to(aws)
    (programs / "hearth").symlink_to(HEARTH)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"PATH": f"{programs}:{environment['PATH']}", "HOME": str(tmp_path), "PS1": "[$?] ready: ", "PS2": "more: "}
    (shell,) = blocks("sh")
    lines = shell.replace("http://127.0.0.1:4566", daemon.endpoint).splitlines()
    with Terminal("bash", "--norc", "-i", columns=80, cwd=tmp_path, environment=environment) as terminal:
        terminal.wait_for(r"\[0\] ready: $")

        def type_in(line):
            before = len(terminal.screen)
            terminal.type(line)
            shown = lambda: terminal.screen[before:]
            terminal.wait_for(r"(?s).{%d}.*\n(\[\d+\] ready|more): $" % before, 120)
            assert shown().rstrip().endswith(("[0] ready:", "more:")), shown()
            return shown()

        answers = [type_in(line) for line in lines]
        assert '{"answer": 42}' in answers[-2]
        wait_until(lambda: "called with" in type_in(lines[-1]), 20, "the log tells of the call")
        type_in(f"export HEARTH_ENDPOINT={daemon.endpoint}")
        assert re.search(r'{"answer": 42}', type_in("hearth invoke app '{\"number\": 21}'"))
        assert "called with" in type_in("hearth logs app")
