"""A function whose runtime this machine does not have yet: `hearth deploy` offers to add it."""

import os
import signal
import socket
import subprocess

import pytest

import package
from daemon import HEARTH, RUNTIMES, Daemon
from package import unique
from terminal import CTRL_C, Terminal

NOWHERE = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "0"}


@pytest.fixture
def bare(tmp_path):
    """A daemon without any runtime."""
    daemon = Daemon(tmp_path)
    daemon.config.write_text(daemon.config.read_text().replace(str(RUNTIMES), str(tmp_path / "runtimes")))
    yield daemon.start()
    daemon.stop()


@pytest.fixture
def environment(bare):
    return bare.environment() | {"HEARTH_ENDPOINT": bare.endpoint}


@pytest.fixture
def python(tmp_path):
    directory = tmp_path / unique("own")
    directory.mkdir()
    (directory / "app.py").write_text("def handler(event, context):\n    return {'answer': 42}\n")
    return directory


@pytest.fixture
def program(tmp_path):
    """One whose runtime takes neither a network nor time."""
    directory = tmp_path / unique("own")
    directory.mkdir()
    (directory / "bootstrap").write_bytes(package.rust_bootstrap())
    (directory / "bootstrap").chmod(0o755)
    return directory


@pytest.fixture
def silent():
    """A registry that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def hearth(environment, *arguments, **options):
    command = [str(part) for part in (HEARTH, *arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, stdin=subprocess.DEVNULL, **options)


def none_is_there(environment, bare):
    assert "no runtimes yet" in hearth(environment, "runtime").stdout
    assert bare.client().list_functions()["Functions"] == []
    return True


def waiting(silent):
    """What a silent registry is asked through, and the variables that send it there."""
    return {"PIP_INDEX_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/simple", "PIP_RETRIES": "0"}


class TestOffer:
    @pytest.mark.parametrize("answer", ["", "y", "Yes"])
    def test_that_is_taken(self, environment, program, answer):
        with Terminal(HEARTH, "deploy", program, environment=environment) as terminal:
            terminal.wait_for(r"provided\.al2023 is not installed on this machine\. Add it now\? \[Y/n\] $")
            terminal.type(answer)
            assert terminal.finish() == 0, terminal.screen
        progress, deployed, _ = terminal.screen.partition(f"deployed {program.name}")
        assert deployed and "ready provided.al2023" in progress, terminal.screen
        assert max(len(line) for line in progress.splitlines()) <= 80, terminal.screen
        assert "provided.al2023" in hearth(environment, "runtime").stdout

    @pytest.mark.parametrize("answer", ["n\n", "what?\n", "\x04"])
    def test_that_is_not_taken(self, environment, bare, program, answer):
        with Terminal(HEARTH, "deploy", program, environment=environment) as terminal:
            terminal.wait_for(r"Add it now\? \[Y/n\] $")
            terminal.press(answer.encode())
            assert terminal.finish() == 1, terminal.screen
        assert "hearth runtime add provided.al2023" in terminal.screen
        assert none_is_there(environment, bare)

    def test_is_made_to_terminals_alone(self, environment, bare, program):
        done = hearth(environment, "deploy", program)
        assert done.returncode == 1 and "Add it now" not in done.stderr
        assert "hearth runtime add provided.al2023" in done.stderr
        assert none_is_there(environment, bare)
        assert hearth(environment, "deploy", program, "--add-runtime").returncode == 0

    def test_is_not_made_for_what_cannot_be_added(self, environment, program):
        with Terminal(HEARTH, "deploy", program, "--runtime", "java21", "--handler", "x", environment=environment) as terminal:
            assert terminal.finish() == 1
        assert "java21" in terminal.screen and "Add it now" not in terminal.screen


class TestAddition:
    def test_without_a_network_says_so_shortly(self, environment, bare, python):
        done = hearth(environment | NOWHERE, "deploy", python, "--add-runtime")
        assert done.returncode == 1
        assert "PyPI (pypi.org) cannot be reached: see to this machine's network" in done.stderr
        assert "PIP_INDEX_URL" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
        assert none_is_there(environment, bare)

    def test_that_ctrl_c_ends_leaves_nothing_that_is_used(self, environment, bare, python, silent):
        with Terminal(HEARTH, "deploy", python, environment=environment | waiting(silent)) as terminal:
            terminal.wait_for(r"Add it now\? \[Y/n\] $")
            terminal.type("y")
            terminal.wait_for("installing awslambdaric")
            connection, _ = silent.accept()
            terminal.press(CTRL_C)
            assert terminal.finish() != 0
            # What it ran has ended too, and with it the connection.
            connection.settimeout(20)
            while connection.recv(65536):
                pass
        assert none_is_there(environment, bare)
        assert "python3.11 is not installed" in hearth(environment, "deploy", python).stderr
        assert hearth(environment, "deploy", python, "--add-runtime").returncode == 0
        assert hearth(environment, "invoke", python.name).stdout == '{"answer": 42}\n'

    def test_that_is_killed_is_waited_for_by_the_next(self, environment, bare, python, silent):
        """What it ran is not killed with it, and still writes to where the next one would."""
        command = [HEARTH, "runtime", "add", "python3.11"]
        first = subprocess.Popen(command, env=environment | waiting(silent), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        connection, _ = silent.accept()
        first.send_signal(signal.SIGTERM)
        assert first.wait(20) == -signal.SIGTERM
        with Terminal(*command, environment=environment) as second:
            second.wait_for("waiting for another addition to end")
            assert none_is_there(environment, bare)
            connection.close()
            assert second.finish(120) == 0, second.screen
        assert hearth(environment, "deploy", python).returncode == 0
        assert hearth(environment, "invoke", python.name).stdout == '{"answer": 42}\n'

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
    def test_on_a_full_disk_says_so_and_leaves_nothing_that_is_used(self, environment, bare, tmp_path):
        script = 'mount -t tmpfs -o size=1m none "$0" && { "$@"; code=$?; ls "$0"; exit $code; }'
        place = tmp_path / "place"
        place.mkdir()
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, place, HEARTH, "runtime", "--data", place]
        done = subprocess.run([*command, "add", "provided.al2023"], capture_output=True, text=True, env=environment, timeout=120)
        assert done.returncode == 1 and "No space left on device" in done.stderr, done
        assert "provided.al2023.toml" not in done.stdout
