"""Hearth's commands as they are met: in a terminal, in a pipe, with a daemon that is not there, with Ctrl-C."""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading

import pytest

import package
from daemon import ACCOUNT, HEARTH, ROOT, RUNTIMES, free_port, wait_until
from package import unique
from terminal import CTRL_C, Terminal

HANDLER = "def handler(event, context):\n    return {'answer': 1}\n"


def run(*arguments, **options):
    options.setdefault("timeout", 60)
    return subprocess.run([str(part) for part in (HEARTH, *arguments)], capture_output=True, text=True, **options)


@pytest.fixture
def directory(tmp_path):
    directory = tmp_path / unique("own")
    directory.mkdir()
    (directory / "app.py").write_text(HANDLER)
    return directory


class TestTables:
    @pytest.mark.parametrize("columns", [80, 40])
    def test_fit_the_terminal(self, own_daemon, columns):
        daemon = own_daemon()
        package.deploy(daemon, "probe.sleep", name="a-function-of-some-length").call({})
        for command in (
            ["pool", "set", "gold", "--kind", "dedicated", "--account", ACCOUNT, "--variable", "true", "--price", "0.25"],
            ["capacity", "add", "share-1", "--memory", "4096", "--pool", "gold", "--lease", "8h", "--label", "rack 7", "--cost", "1.5"],
            ["capacity", "policy", ACCOUNT, "--shortage", "borrow:general", "wait:30", "reject", "--price-max", "2"],
            ["capacity", "group", "friends", ACCOUNT, "210987654321"],
        ):
            done = run(*command, "--endpoint", daemon.endpoint, env=daemon.environment())
            assert done.returncode == 0, done.stderr
        shown = ""
        for command in ("functions", "runtime", "pool", "capacity", "capacity policy", "capacity group", "top --once"):
            with Terminal(HEARTH, *command.split(), columns=columns, environment=daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint}) as terminal:
                assert terminal.finish() == 0, terminal.screen
            # No table any more, but lines that the terminal wraps.
            wide = [line for line in terminal.screen.splitlines() if len(line) > columns and not re.match(r" *[\w /]+: ", line)]
            assert not wide, f"{command}\n{terminal.screen}"
            shown += terminal.screen
        if columns == 80:
            for whole in ("share-1", "gold", ACCOUNT, "friends", "python3.11", "general"):
                assert re.search(rf"(?<!\S){whole}(?!\S)", shown), whole

    def test_have_no_escapes_where_nobody_sees_them(self, daemon):
        piped = run("functions", "--endpoint", daemon.endpoint)
        assert piped.returncode == 0 and "\x1b" not in piped.stdout + piped.stderr
        with Terminal("sh", "-c", f"{HEARTH} functions delete nobody --endpoint {daemon.endpoint} | cat; {HEARTH} nonsense") as plain:
            plain.finish()
        assert "Function not found" in plain.screen
        raw = subprocess.run(
            ["script", "-qec", f"{HEARTH} functions delete nobody --endpoint {daemon.endpoint}", "/dev/null"],
            capture_output=True, text=True, env=os.environ | {"NO_COLOR": "1", "TERM": "xterm"}, timeout=60,
        )  # fmt: skip
        assert "error: " in raw.stdout and "\x1b" not in raw.stdout


class TestPipes:
    @pytest.mark.parametrize("command", ["completions bash", "completions zsh", "config print", "--help", "functions", "top --json --interval 0.1"])
    def test_may_be_closed(self, daemon, command):
        script = f"set -o pipefail; {HEARTH} {command} | head -n 1 >/dev/null"
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, env=daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint}, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, ""), done

    def test_may_be_closed_while_an_answer_is_printed(self, daemon, deploy):
        function = deploy("probe.echo")
        payload = json.dumps("x" * 500_000)
        command = f"set -o pipefail; {HEARTH} invoke {function.name} - --endpoint {daemon.endpoint} | head -c 1 >/dev/null"
        done = subprocess.run(["bash", "-c", command], input=payload, capture_output=True, text=True, env=daemon.environment(), timeout=60)
        assert done.returncode == 0 and "error" not in done.stderr, done


class TestFullDisk:
    """What was asked for and could not be written is a failure."""

    COMMANDS = [
        "--help", "--version", "help deploy", "deploy --help", "completions bash", "config print", "functions", "--json functions", "runtime",
        "doctor", "pool", "capacity", "capacity log", "capacity policy", "capacity group", "key", "account", "top --once",
        "--json top", "sim --trace {sim}", "deploy {code}", "invoke {name}", "logs {name}", "logs -f {name}",
    ]  # fmt: skip

    def test_is_said_by_each_command(self, daemon, directory, tmp_path):
        environment = daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint}
        trace = tmp_path / "calls.csv"
        trace.write_text("app,func,end_timestamp,duration\na,f,10.0,0.5\na,f,20.0,0.5\n")
        for command in ("deploy {code}", "invoke {name}"):
            done = run(*command.format(code=directory, name=directory.name).split(), env=environment)
            assert done.returncode == 0, done.stderr
        wait_until(lambda: "REPORT" in run("logs", directory.name, env=environment).stdout, 20, "its log is written")
        assert run("pool", "set", "for-the-log", env=environment).returncode == 0
        for command in self.COMMANDS:
            words = command.format(code=directory, name=directory.name, sim=trace).split()
            with open("/dev/full", "w") as full:
                done = subprocess.run([HEARTH, *words], stdout=full, stderr=subprocess.PIPE, text=True, env=environment, timeout=60)
            assert done.returncode == 1, f"{command}: {done}"
            assert "cannot write to standard output: No space left on device" in done.stderr, f"{command}: {done}"
            assert "panicked" not in done.stderr, command
            heard = subprocess.run(f"set -o pipefail; {HEARTH} {' '.join(words)} | head -n 0", shell=True, executable="/bin/bash",
                                   stderr=subprocess.PIPE, text=True, env=environment, timeout=60)  # fmt: skip
            assert heard.returncode == 0 and "error" not in heard.stderr, f"{command}: {heard}"


class TestEndpoint:
    @pytest.mark.parametrize("form", ["127.0.0.1:{port}", "{port}", ":{port}", "http://localhost:{port}/", "localhost:{port}"])
    def test_is_written_as_people_do(self, daemon, form):
        environment = daemon.environment() | {"HEARTH_ENDPOINT": form.format(port=daemon.port)}
        done = run("functions", env=environment)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("wrong, words", [("https://127.0.0.1:4566", "http://"), ("not an address", "no address such as")])
    def test_that_is_wrong_says_what_is_right(self, wrong, words):
        done = run("functions", "--endpoint", wrong)
        assert done.returncode == 1 and words in done.stderr

    @pytest.mark.parametrize(
        "command",
        ["functions", "invoke x", "logs x", "deploy .", "pool", "pool set x", "capacity", "capacity log", "capacity show x", "top", "top --json"],
    )
    def test_without_a_daemon_says_what_to_do(self, tmp_path, command):
        (tmp_path / "app.py").write_text(HANDLER)
        done = run(*command.split(), "--endpoint", f"127.0.0.1:{free_port()}", cwd=tmp_path)
        assert done.returncode == 1 and "start one with `hearth serve`" in done.stderr

    def test_of_a_daemon_that_wants_a_key_says_so(self, own_daemon):
        daemon = own_daemon('[[access_keys]]\nid = "AKIAHEARTHEXAMPLE000"\nsecret = "a-long-enough-secret"\naccount = "123456789012"\n')
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        for command in ("functions", "invoke x", "logs x", "pool", "capacity", "top --once", "runtime"):
            done = run(*command.split(), "--endpoint", daemon.endpoint, env=environment)
            assert done.returncode == 1 and "AWS_ACCESS_KEY_ID" in done.stderr, f"{command}: {done}"

    def test_of_another_program_says_so(self):
        with socket.create_server(("127.0.0.1", 0)) as server:

            def answer():
                while True:
                    try:
                        connection, _ = server.accept()
                    except OSError:
                        return
                    with connection:
                        connection.recv(65536)
                        connection.sendall(b"SSH-2.0-other\r\n")

            threading.Thread(target=answer, daemon=True).start()
            done = run("functions", "--endpoint", f"127.0.0.1:{server.getsockname()[1]}")
        assert done.returncode == 1 and "is it a Hearth daemon" in done.stderr

    def test_to_listen_on_may_be_a_port(self, tmp_path):
        port = free_port()
        command = [HEARTH, "serve", "--listen", str(port), "--data", tmp_path / "with a blank" / "data"]
        with open(tmp_path / "log", "w+") as log:
            process = subprocess.Popen([str(part) for part in command], stderr=log, stdin=subprocess.DEVNULL)
            try:
                wait_until(lambda: run("functions", "--endpoint", str(port)).returncode == 0, 20, "it answers", (tmp_path / "log").read_text)
                second = run("serve", "--listen", str(port), "--data", tmp_path / "other")
                assert second.returncode == 1 and f"cannot listen on 127.0.0.1:{port}" in second.stderr
                beside = run("serve", "--listen", str(free_port()), "--data", tmp_path / "with a blank" / "data")
                assert beside.returncode == 1 and "is in use by another process" in beside.stderr, beside.stderr
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(40) == 0


class TestRunningDaemon:
    def test_is_asked_for_its_runtimes(self, daemon, tmp_path):
        environment = daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint, "HOME": str(tmp_path)}
        assert "python3.11" in run("runtime", env=environment).stdout
        listed = run("runtime", "list", "--data", tmp_path / "empty", env=environment)
        assert listed.returncode == 0 and "no runtimes yet" in listed.stdout, "what is named holds"
        (tmp_path / "hearth.toml").write_text(f'runtimes_dir = "{RUNTIMES}"\n')
        assert "python3.11" in run("runtime", "list", "--config", tmp_path / "hearth.toml").stdout

    def test_is_told_of_by_doctor(self, daemon):
        done = run("doctor", env=daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint})
        assert f"daemon: answers at {daemon.endpoint}, process {daemon.process.pid}" in done.stdout
        assert re.search(r"runtimes: .*python3\.11", done.stdout)
        alone = run("doctor", "--endpoint", str(free_port()), "--config", daemon.config)
        assert "daemon: none answers at http://127.0.0.1:" in alone.stdout and "python3.11" in alone.stdout


class TestInterrupt:
    def test_of_a_call_says_what_goes_on(self, daemon, deploy):
        function = deploy("probe.sleep")
        command = (HEARTH, "invoke", function.name, '{"seconds": 20}', "--endpoint", daemon.endpoint)
        with Terminal(*command, environment=daemon.environment()) as terminal:
            wait_until(lambda: any(found["sandboxes"]["busy"] and found["key"]["function"] == function.name
                                   for found in daemon.state()["engine"]["versions"]), 20, "it runs")  # fmt: skip
            terminal.press(CTRL_C)
            assert terminal.finish() == 130
        assert f"stopped waiting for {function.name}" in terminal.screen

    def test_of_the_daemon_says_what_is_awaited(self, own_daemon):
        daemon = own_daemon()
        function = package.deploy(daemon, "probe.sleep")
        caller = threading.Thread(target=function.call, args=({"seconds": 4},))
        caller.start()
        wait_until(lambda: daemon.state()["engine"]["sandboxes"]["busy"], 20, "it runs")
        daemon.process.send_signal(signal.SIGINT)
        wait_until(lambda: f"calls that run: {function.name} (1)" in daemon.log(), 10, "the log says what is awaited")
        caller.join()
        daemon.stop()


class TestLogs:
    def test_of_what_is_not_there(self, daemon, deploy):
        environment = daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint}
        for follow in ([], ["-f"]):
            done = run("logs", "nobody", *follow, env=environment)
            assert done.returncode == 1 and "there is no function nobody" in done.stderr
        assert "was never called" in run("logs", deploy("probe.echo").name, env=environment).stderr

    def test_of_an_arn_and_of_a_group_of_its_own(self, daemon, deploy):
        environment = daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint}
        function = deploy("probe.sleep", LoggingConfig={"LogFormat": "Text", "LogGroup": "/own/group"})
        function.call({"print": "to be found"})
        wait_until(lambda: "to be found" in run("logs", function.arn, env=environment).stdout, 20, "its log is shown")


class TestDeploy:
    def test_has_what_the_api_has(self, daemon, directory):
        client = daemon.client()
        layer = client.publish_layer_version(LayerName=unique("own"), Content={"ZipFile": package.make_zip({"python/extra.py": "X = 1\n"})})
        environment = daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint}
        options = ["--network", "egress", "--layer", layer["LayerVersionArn"], "--tag", "team=orders", "--env", "STAGE=a=b"]
        done = run("deploy", directory, *options, env=environment)
        assert done.returncode == 0, done.stderr
        shown = client.get_function(FunctionName=directory.name)
        assert shown["Tags"] == {"hearth:network": "egress", "team": "orders"}
        found = shown["Configuration"]
        assert (found["Layers"][0]["Arn"], found["Environment"]["Variables"]) == (layer["LayerVersionArn"], {"STAGE": "a=b"})
        assert found["Role"] == f"arn:aws:iam::{ACCOUNT}:role/hearth"
        role = daemon.client("iam").create_role(RoleName=unique("deployed"), AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
        }))["Role"]  # fmt: skip
        done = run("deploy", directory, "--role", role["RoleName"], "--network", "none", "--tag", "team=bills", env=environment)
        assert done.returncode == 0, done.stderr
        shown = client.get_function(FunctionName=directory.name)
        assert shown["Tags"] == {"hearth:network": "none", "team": "bills"}
        assert shown["Configuration"]["Role"] == role["Arn"]

    @pytest.mark.parametrize(
        "options, words",
        [
            (["--env", "novalue"], "NAME=VALUE"),
            (["--tag", "=x"], "NAME=VALUE"),
            (["--network", "all"], "egress"),
            (["--role", "nobody-made-it"], "there is no role nobody-made-it"),
        ],
    )
    def test_says_what_is_wrong(self, daemon, directory, options, words):
        done = run("deploy", directory, *options, "--endpoint", daemon.endpoint, env=daemon.environment())
        assert done.returncode != 0 and words in done.stderr

    def test_goes_on_watching_after_connections_were_closed(self, daemon, directory):
        """What lies between closes each connection that has been quiet for a moment, as any server does in the end."""
        with closing_proxy(daemon.port) as (port, closed):
            with Terminal(HEARTH, "deploy", "--watch", directory, "--endpoint", str(port), environment=daemon.environment()) as terminal:
                terminal.wait_for("watching")
                wait_until(lambda: closed["open"] == 0, 20, "its connections are closed")
                (directory / "app.py").write_text(HANDLER.replace("1", "2"))
                terminal.wait_for(r"deployed in \d+ ms")
                assert "error" not in terminal.screen, terminal.screen


class closing_proxy:
    def __init__(self, port):
        self.port, self.counts, self.lock = port, {"open": 0}, threading.Lock()

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()
        return self.server.getsockname()[1], self.counts

    def __exit__(self, *_):
        self.server.close()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with self.lock:
                self.counts["open"] += 1
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        """Closes when nothing comes for a while after an answer."""
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            answered = False
            while ready := select.select([client, server], [], [], 0.3 if answered else 60)[0]:
                data = ready[0].recv(65536)
                if not data:
                    break
                answered = ready[0] is server
                (client if answered else server).sendall(data)
        with self.lock:
            self.counts["open"] -= 1


class TestDemo:
    @pytest.fixture
    def samples(self, tmp_path):
        """Those of the project; the Rust one as prepared by the suite's own."""
        samples = tmp_path / "samples"
        shutil.copytree(ROOT / "samples", samples, ignore=shutil.ignore_patterns("target"))
        bootstrap = samples / "rust-hello" / "dist" / "bootstrap"
        if not bootstrap.exists():
            bootstrap.parent.mkdir(exist_ok=True)
            bootstrap.write_bytes(package.rust_bootstrap())
            bootstrap.chmod(0o755)
        return samples

    def demo(self, tmp_path, samples, port, **options):
        (tmp_path / "hearth.toml").write_text(f'listen = "127.0.0.1:{port}"\nruntimes_dir = "{RUNTIMES}"\n')
        command = (HEARTH, "demo", "--config", tmp_path / "hearth.toml", "--data", tmp_path / "demo data", "--samples", samples)
        return Terminal(*command, **options)

    def test_runs_beside_another_and_ends_with_its_daemon(self, tmp_path, samples):
        with self.demo(tmp_path, samples, free_port()) as first:
            first.wait_for("until Ctrl-C", 120)
            endpoint = first.wait_for(r"serving on (http://\S+)")[1]
            assert max(len(line) for line in first.screen.splitlines()) <= 80, first.screen
            with self.demo(tmp_path, samples, endpoint.rpartition(":")[2]) as second:
                second.wait_for("until Ctrl-C", 120)
                other = second.wait_for(r"serving on (http://\S+)")[1]
                assert other != endpoint and "is taken by another program" in second.screen
                assert other in second.wait_for(r"Try next[^$]*")[0]
                second.press(CTRL_C)
                assert second.finish() == 0, second.screen
            assert run("functions", "--endpoint", endpoint).returncode == 0
            told = json.loads(run("--json", "doctor", "--endpoint", endpoint).stdout)["daemon"]["told"]
            os.kill(int(re.search(r"process (\d+)", told)[1]), signal.SIGKILL)
            assert first.finish() == 1
            assert "the daemon ended by itself" in first.screen

    @pytest.mark.parametrize("ending", ["Ctrl-C", signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    @pytest.mark.parametrize("when", ["ready", "deploying"])
    def test_ends_its_daemon_whoever_ends_it(self, tmp_path, samples, ending, when):
        port = free_port()
        with self.demo(tmp_path, samples, port) as demo:
            if when == "ready":
                demo.wait_for("until Ctrl-C", 120)
            else:
                wait_until(lambda: run("functions", "--endpoint", str(port)).returncode == 0, 60, "its daemon answers")
            demo.press(CTRL_C) if ending == "Ctrl-C" else demo.process.send_signal(ending)
            code = demo.finish()
            assert code == (0 if "until Ctrl-C" in demo.screen else 130), demo.screen
            assert "error" not in demo.screen, demo.screen
        with socket.create_server(("127.0.0.1", port)):
            """Nobody listens there any more."""
