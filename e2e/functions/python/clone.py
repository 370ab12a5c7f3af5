"""Draws from every source of randomness at initialisation, so that copies which share a state would repeat themselves."""

import os
import random
import ssl
import tempfile
import time
import uuid

import boto3
from snapshot_restore_py import register_after_restore, register_before_snapshot

HOOKS = []


@register_before_snapshot
def before():
    HOOKS.append("before")


@register_after_restore
def after():
    HOOKS.append("after")


OWN = random.Random(7)
CONTEXT = ssl.create_default_context()
INIT_MONOTONIC = time.monotonic()
INIT_WALL = time.time()
CREDENTIALS = boto3.Session().get_credentials()
INIT_KEY = CREDENTIALS.get_frozen_credentials().access_key if CREDENTIALS else None


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = CONTEXT.wrap_bio(incoming, outgoing, server_hostname="example.com")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def draw():
    hello = client_hello()
    return {
        "random": random.random().hex(),
        "getrandbits": random.getrandbits(128),
        "urandom": os.urandom(16).hex(),
        "uuid4": str(uuid.uuid4()),
        "uuid1": str(uuid.uuid1()),
        "rand_bytes": ssl.RAND_bytes(16).hex(),
        # Record and handshake headers, version; then random, session id and key shares.
        "tls_random": hello[11:43].hex(),
        "tls_session": hello[44:76].hex(),
        "tempfile": os.path.basename(tempfile.mktemp()),
    }


AT_INIT = draw()
time.sleep(0.3)


def handler(event, context):
    return {
        "drawn": draw(),
        "at_init": AT_INIT,
        "hooks": HOOKS,
        "wall": time.time(),
        "monotonic": time.monotonic() - INIT_MONOTONIC,
        "since_init": time.time() - INIT_WALL,
        "key": CREDENTIALS.get_frozen_credentials().access_key if CREDENTIALS else None,
        "init_key": INIT_KEY,
        "hostname": os.uname().nodename,
        "log_stream": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        "initialization": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
        "request_id": context.aws_request_id,
    }
