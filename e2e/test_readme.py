"""What the README tells newcomers to type."""

import json
import os
import re
import subprocess
import sys

from daemon import ROOT, wait_until
from test_cli import AWS


def blocks(language):
    """The examples of the part that a newcomer follows first."""
    text = (ROOT / "README.md").read_text()
    part = text.split("## Your first function", 1)[1].split("\n## ", 1)[0]
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
    exports = shell.splitlines()[0]
    (python,) = blocks("python")
    (tmp_path / "call.py").write_text(python)
    assert json.loads(run("bash", "-c", f'{exports}; exec "$@"', "bash", sys.executable, "call.py").replace("'", '"')) == {"answer": 42}
    tail = f"{exports}; {shell.splitlines()[-1]}"
    wait_until(lambda: "called with {'number': 21}" in run("bash", "-c", tail), 20, "the log tells of the call")
