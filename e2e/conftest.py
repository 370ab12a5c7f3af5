"""One daemon for the whole session; tests that break or configure theirs start their own."""

import boto3
import pytest

import package
from daemon import HEARTH, Daemon, wait_until
from host import Footprint


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    """The daemon that ordinary tests share. At the end it must stop cleanly and leave nothing behind."""
    if not HEARTH.exists():
        pytest.exit(f"{HEARTH} is missing: run `make build` first", returncode=2)
    daemon = Daemon(tmp_path_factory.mktemp("daemon")).start()
    yield daemon
    footprint = Footprint.of(daemon)
    daemon.stop()
    wait_until(footprint.gone, 1, "the stopped daemon has left nothing", footprint.remains)


@pytest.fixture
def own_daemon(tmp_path):
    """Starts daemons that belong to one test: `own_daemon(config="...")`."""
    started = []

    def start(config="", **arguments):
        directory = tmp_path / f"daemon-{len(started)}"
        directory.mkdir()
        started.append(Daemon(directory, config, **arguments))
        return started[-1].start()

    yield start
    for daemon in started:
        if daemon.process:
            footprint = Footprint.of(daemon)
            daemon.stop()
            wait_until(footprint.gone, 1, "the stopped daemon has left nothing", footprint.remains)


@pytest.fixture
def aws(daemon, monkeypatch):
    """Clients as a user has them: plain `boto3.client(service)`, nothing but the environment says where."""
    for name, value in daemon.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    session = boto3.session.Session()
    return lambda service: session.client(service)


@pytest.fixture(scope="session")
def client(daemon):
    return daemon.client()


@pytest.fixture(scope="session")
def unchecked(daemon):
    """A client that sends what it is told to, valid or not."""
    return daemon.client(parameter_validation=False)


@pytest.fixture
def deploy(daemon):
    """Deploys a sample function and removes it after the test."""
    functions = []

    def make(handler, runtime="python3.11", **arguments):
        functions.append(package.deploy(daemon, handler, runtime, **arguments))
        return functions[-1]

    yield make
    for function in functions:
        try:
            function.delete()
        except function.client.exceptions.ResourceNotFoundException:
            pass
