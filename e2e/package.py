"""Deployment packages made in memory, and functions deployed from them."""

import base64
import io
import itertools
import json
import re
import subprocess
import warnings
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from daemon import ACCOUNT, REGION, ROOT, wait_until

FUNCTIONS = Path(__file__).resolve().parent / "functions"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/e2e"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
NUMBERS = itertools.count(1)


def unique(prefix):
    return f"{prefix}-{next(NUMBERS)}"


def make_zip(files, mode=0o644, compression=zipfile.ZIP_DEFLATED):
    """A zip of {name: text or bytes}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = compression
            entry.external_attr = (0o100755 if name == "bootstrap" else 0o100000 | mode) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


@dataclass(frozen=True)
class Entry:
    """One entry of an archive, named and typed as its maker likes; without a mode, as archivers of Windows write it."""

    name: str | bytes
    content: str | bytes = b""
    mode: int | None = 0o100644
    compression: int = zipfile.ZIP_DEFLATED


def link(name, target):
    return Entry(name, target, 0o120777)


def directory(name):
    return Entry(name, mode=0o040755)


def make_archive(*entries):
    """A zip of entries that need not make sense together, in their order."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        # That a name occurs twice is what some tests are about.
        warnings.simplefilter("ignore")
        for entry in entries:
            info = RawName("placeholder", (2026, 1, 1, 0, 0, 0))
            info.filename, info.compress_type = entry.name, entry.compression
            info.create_system = 0 if entry.mode is None else 3
            info.external_attr = (entry.mode or 0) << 16
            archive.writestr(info, entry.content)
    return buffer.getvalue()


class RawName(zipfile.ZipInfo):
    """Keeps names that are bytes as they are, without saying that they are UTF-8."""

    __slots__ = ()

    def _encodeFilenameFlags(self):  # noqa: N802
        return (self.filename, self.flag_bits) if isinstance(self.filename, bytes) else super()._encodeFilenameFlags()


@cache
def shell_bootstrap():
    """A runtime in shell, which runs the scripts that it is called with."""
    return (FUNCTIONS / "shell" / "bootstrap").read_bytes()


def run_script(function, script):
    """What a script prints that such a function runs."""
    said = function.call(base64.b64encode(script.encode()).decode())
    return base64.b64decode(said).decode()


@cache
def python_zip():
    return make_zip({path.name: path.read_bytes() for path in sorted((FUNCTIONS / "python").glob("*.py"))})


@cache
def node_zip():
    return make_zip({path.name: path.read_bytes() for path in sorted((FUNCTIONS / "node").iterdir()) if path.is_file()})


@cache
def rust_bootstrap():
    """The sample functions' program, built with the official runtime client."""
    target = ROOT / "target" / "e2e-functions"
    manifest = FUNCTIONS / "rust" / "Cargo.toml"
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", manifest, "--target-dir", target], check=True
    )
    return (target / "release" / "bootstrap").read_bytes()


@cache
def rust_zip():
    return make_zip({"bootstrap": rust_bootstrap()})


PACKAGES = {"python3.11": python_zip, "nodejs20.x": node_zip, "provided.al2023": rust_zip, "provided.al2": rust_zip}
NOTHING = object()


class Result:
    """What one Invoke answered."""

    def __init__(self, answer):
        self.status = answer["StatusCode"]
        self.error = answer.get("FunctionError")
        self.version = answer.get("ExecutedVersion")
        self.request_id = answer["ResponseMetadata"]["RequestId"]
        self.headers = answer["ResponseMetadata"]["HTTPHeaders"]
        self.body = answer["Payload"].read()
        self.log = base64.b64decode(answer["LogResult"]).decode(errors="replace") if "LogResult" in answer else None

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Result(status={self.status}, error={self.error}, body={self.body[:2000]!r}, log={self.log!r})"


def invoke(client, name, payload=NOTHING, **arguments):
    if payload is not NOTHING:
        arguments["Payload"] = payload if isinstance(payload, bytes) else json.dumps(payload)
    return Result(client.invoke(FunctionName=name, **arguments))


class Function:
    def __init__(self, daemon, client, name):
        self.daemon = daemon
        self.client = client
        self.name = name
        self.arn = f"arn:aws:lambda:{REGION}:{client._request_signer._credentials.access_key}:function:{name}"
        self.log_group = f"/aws/lambda/{name}"

    def invoke(self, payload=NOTHING, **arguments):
        return invoke(self.client, self.name, payload, **arguments)

    def call(self, payload=NOTHING, **arguments):
        """The function's answer, when it is bound to succeed."""
        result = self.invoke(payload, **arguments)
        assert result.error is None, result
        assert result.status == 200, result
        return result.json

    def configure(self, **arguments):
        self.client.update_function_configuration(FunctionName=self.name, **arguments)
        self.settle()

    def update_code(self, package):
        self.client.update_function_code(FunctionName=self.name, ZipFile=package)
        self.settle()

    def settle(self):
        def settled():
            configuration = self.client.get_function_configuration(FunctionName=self.name)
            assert configuration.get("LastUpdateStatus") != "Failed", configuration
            return configuration["State"] == "Active" and configuration.get("LastUpdateStatus") == "Successful"

        wait_until(settled, 30, f"{self.name} is active")

    def messages(self):
        """Everything that is in the function's log group, oldest first."""
        own = self.client._request_signer._credentials
        logs = self.daemon.client("logs", account=own.access_key, secret=own.secret_key, token=own.token)
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=self.log_group))
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for page in pages for event in page["events"]]

    def wait_for_message(self, pattern, seconds=10):
        def matching():
            return [message for message in self.messages() if re.search(pattern, message)]

        return wait_until(matching, seconds, f"a log event like {pattern!r} in {self.log_group}")

    def delete(self):
        self.client.delete_function(FunctionName=self.name)


def make_role(daemon, client):
    """The role of the suite's functions, where roles are looked at: they may do what they like."""
    credentials = client._request_signer._credentials
    iam = daemon.client("iam", account=credentials.access_key, secret=credentials.secret_key)
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        name = ROLE.rsplit("/", 1)[1]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def deploy(daemon, handler, runtime="python3.11", package=None, client=None, name=None, **configuration):
    """Creates a function and waits until it can be called."""
    client = client or daemon.client()
    name = name or unique(re.sub(r"[^a-zA-Z0-9]+", "-", handler).strip("-")[:40])
    configuration.setdefault("Timeout", 30)
    if "access_keys" in daemon.config.read_text():
        make_role(daemon, client)
    client.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler=handler,
        Role=ROLE,
        Code={"ZipFile": package or PACKAGES[runtime]()},
        **configuration,
    )
    function = Function(daemon, client, name)
    function.settle()
    return function
