"""Every example that a `--help` shows does what it says, or it is said here why it is not run."""

import re
import subprocess

from daemon import HEARTH, wait_until
from package import make_zip

APP = "def handler(event, context):\n    return event\n"
# Beside a daemon without keys, in an order in which each finds what it needs.
RUN = """
hearth deploy my-function
hearth invoke my-function '{"number": 21}'
hearth deploy app.zip --runtime python3.11 --handler app.handler
hearth invoke app '{"number": 21}'
hearth invoke app @event.json --tail
hearth invoke app:live --async
echo 1 | hearth invoke app -
hearth logs app
hearth logs app --since 5 --filter ERROR
hearth functions
hearth functions list
hearth functions --json
hearth functions delete app
hearth runtime
hearth runtime list
hearth pool
hearth pool set archive --frequency rare
hearth pool set gold --kind dedicated --account 123456789012
hearth pool set bought --min 1 --target 2 --instance-memory 4096
hearth pool list
hearth pool show gold
hearth capacity
hearth capacity add share-1 --memory 4096 --pool gold
hearth capacity remove share-1
hearth capacity add common --memory 2048 --shared true
hearth capacity list
hearth capacity show node
hearth capacity policy
hearth capacity policy 123456789012 --shortage borrow:general reject
hearth capacity policy 123456789012 --shortage borrow:general wait:30
hearth capacity policy 123456789012 --spread 1:3
hearth capacity group friends 123456789012 210987654321
hearth capacity add share-1 --memory 4096 --pool gold --lease 8h
hearth capacity reclaim share-1 --in 2m
hearth capacity log -n 100
hearth pool delete gold
hearth top --once
hearth doctor
hearth config print
hearth sim --trace calls.csv
hearth sim --trace calls.csv --policy hearth fixed:600 --plot curves.svg
hearth account create 123456789012 --name shop
hearth account
hearth account list
hearth account disable 123456789012
hearth account enable 123456789012
""".strip().splitlines()
# As the operator of a daemon with keys; AKIAEXAMPLE stands for the account's, which the second line makes.
KEYS = """
hearth account create 123456789012 --name shop
hearth key create --account 123456789012 --name ci
hearth key
hearth key list
hearth key rotate AKIAEXAMPLE --keep 2h
hearth key delete AKIAEXAMPLE
hearth key create --operator
""".strip().splitlines()
ELSEWHERE = {
    "hearth serve &": "test_first_start.py",
    "hearth serve": "test_first_start.py",
    "hearth serve --listen 4599 --data ~/hearth": "test_terminal.py",
    "hearth serve --config /etc/hearth.toml": "test_documents.py",
    "hearth config check /etc/hearth.toml": "test_documents.py",
    "hearth config print --config /etc/hearth.toml": "test_documents.py",
    "hearth doctor --config /etc/hearth.toml --json": "test_first_start.py",
    "hearth deploy my-function --network egress --env STAGE=test --watch": "test_hearth_cli.py",
    "hearth logs -f my-function": "test_documents.py",
    "hearth logs -f app": "test_documents.py",
    "hearth runtime add python3.11 nodejs20.x": "test_documents.py",
    "hearth runtime add python3.11 nodejs20.x provided.al2023": "test_documents.py",
    "hearth runtime remove nodejs18.x": "the runtimes of these tests stay",
    "hearth top": "test_documents.py",
    "hearth top --json --interval 5 | jq .calls": "test_terminal.py",
    "hearth demo": "test_terminal.py",
    "hearth demo --once --listen 4599": "test_terminal.py",
    "hearth completions bash > /etc/bash_completion.d/hearth": "test_terminal.py",
    "source <(hearth completions zsh)": "test_terminal.py",
}


def examples(*command):
    """Those of the command and of all below it."""
    text = subprocess.run([HEARTH, *command, "--help"], capture_output=True, text=True, check=True).stdout
    shown = re.search(r"^Examples:\n((?:  .*\n?)+)", text, re.MULTILINE)
    assert shown, command
    found = [line.strip() for line in shown[1].splitlines()]
    below = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    for name in re.findall(r"^  ([a-z]+)  ", below[1] if below else "", re.MULTILINE):
        if name != "help":
            found += examples(*command, name)
    return found


def test_each_is_run_here_or_elsewhere():
    assert sorted({*RUN, *KEYS, *ELSEWHERE}) == sorted(set(examples()))


def run(daemon, line, directory, **variables):
    environment = daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint} | variables
    environment["PATH"] = f"{HEARTH.parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line], cwd=directory, env=environment, capture_output=True, text=True,
        timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_each_does_what_it_says(own_daemon, tmp_path):
    daemon = own_daemon()
    (tmp_path / "my-function").mkdir()
    (tmp_path / "my-function" / "app.py").write_text(APP)
    (tmp_path / "app.zip").write_bytes(make_zip({"app.py": APP}))
    (tmp_path / "event.json").write_text('{"number": 21}')
    (tmp_path / "calls.csv").write_text("app,func,end_timestamp,duration\n" + "".join(f"a,f,{at}.5,0.25\n" for at in range(1, 900, 7)))
    for line in RUN:
        if line.endswith("--lease 8h"):
            wait_until(lambda: "share-1" not in run(daemon, "hearth capacity list", tmp_path), 20, "the instance that was removed is gone")
        run(daemon, line, tmp_path)
        if line.startswith("hearth deploy app.zip"):
            client = daemon.client()
            client.publish_version(FunctionName="app")
            client.create_alias(FunctionName="app", Name="live", FunctionVersion="1")


def test_each_about_keys_does_what_it_says(own_daemon, tmp_path):
    daemon = own_daemon('[[operator_keys]]\nid = "OPERATOR"\nsecret = "a-secret"\n')
    key = None
    for line in KEYS:
        shown = run(daemon, line.replace("AKIAEXAMPLE", key or ""), tmp_path, HEARTH_OPERATOR_KEY_ID="OPERATOR", HEARTH_OPERATOR_SECRET="a-secret")
        if found := re.search(r"AKIA\w+", shown):
            key = key or found[0]
