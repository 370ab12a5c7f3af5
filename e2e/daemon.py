"""A `hearth serve` process of the suite's own, and clients for it."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import boto3
import botocore.config

ROOT = Path(__file__).resolve().parent.parent
HEARTH = Path(os.environ.get("HEARTH_BIN", ROOT / "target" / "release" / "hearth"))
RUNTIMES = Path(os.environ.get("HEARTH_RUNTIMES", ROOT / "target" / "runtimes"))
ACCOUNT = "123456789012"
REGION = "eu-central-1"

# One try only: a test must see the first answer, not the fifth.
ONE_TRY = botocore.config.Config(
    retries={"total_max_attempts": 1}, read_timeout=150, connect_timeout=5, max_pool_connections=64
)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(predicate, seconds=10, what=None, found=lambda: ""):
    """The predicate's first true value; an error, with what was `found`, once the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or predicate.__doc__ or predicate} {found()}")
        time.sleep(0.01)


@contextmanager
def within(seconds):
    """Fails if the block takes longer: for what must not hang, not for how fast it is."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@contextmanager
def refused(client, code, status, text=None):
    """The block's call is answered with exactly this AWS error; `text` is a pattern its message matches."""
    try:
        yield
    except client.exceptions.ClientError as error:
        answer = error.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), answer
        message = answer["Error"]["Message"] or answer.get("message") or answer.get("Message") or ""
        assert text is None or re.search(text, message), message
    else:
        raise AssertionError(f"the call was accepted; expected {code}")


class Daemon:
    def __init__(self, directory: Path, config="", host="127.0.0.1", wrapper=(), program=HEARTH, variables=None):
        self.wrapper = wrapper
        self.directory = directory
        self.data = directory / "data"
        self.host = host
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.stderr = directory / "stderr"
        self.config = directory / "hearth.toml"
        self.config.write_text(f'runtimes_dir = "{RUNTIMES}"\nregion = "{REGION}"\n{config}')
        self.program = program
        # Beyond the suite's own, for the next start.
        self.variables = variables or {}
        self.process = None
        self.sessions = threading.local()

    def spawn(self):
        command = [*self.wrapper, self.program, "serve", "--config", self.config, "--listen", f"{self.host}:{self.port}", "--data", self.data]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | self.variables
        with open(self.stderr, "ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

    def start(self):
        self.spawn()
        wait_until(lambda: self.process.poll() is not None or self.healthy(), 15, "the daemon answers its health check")
        assert self.process.poll() is None, f"hearth serve ended at once:\n{self.log()}"
        return self

    def healthy(self):
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_hearth/health", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self):
        """Clean shutdown: exit code 0, nothing left, nothing panicked on the way."""
        if self.process is None:
            return
        code = self.process.poll()
        if code is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                code = self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.kill()
                code = "none within 40 s of SIGTERM"
        self.process = None
        assert code == 0, f"exit code {code}:\n{self.log()[-4000:]}"
        self.assert_no_panic()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def assert_no_panic(self):
        # But for those that a test wants: `hearth_sys::failpoint`.
        panics = [line for line in self.log().splitlines() if "panicked at" in line and "failpoint.rs" not in line]
        assert not panics, panics

    def log(self):
        return self.stderr.read_text(errors="replace")

    def state(self):
        """What the daemon's own views show."""
        with urllib.request.urlopen(f"{self.endpoint}/_hearth/state") as answer:
            return json.load(answer)

    def environment(self, account=ACCOUNT):
        """For child processes that are AWS clients."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return clean | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_PAGER": "",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service="lambda", account=ACCOUNT, secret="any", region=REGION, token=None, **config):
        """A boto3 client that makes one try; cheap to make anew for another account or configuration."""
        if not hasattr(self.sessions, "session"):
            self.sessions.session = boto3.session.Session()
        return self.sessions.session.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=ONE_TRY.merge(botocore.config.Config(**config)),
        )
