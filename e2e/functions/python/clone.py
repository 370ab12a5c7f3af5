"""Draws from every source of randomness at initialisation, so that copies which share a state would repeat themselves."""

import os
import time

import boto3
from draw import draw
from snapshot_restore_py import register_after_restore, register_before_snapshot

HOOKS = []


@register_before_snapshot
def before():
    HOOKS.append("before")


@register_after_restore
def after():
    HOOKS.append("after")


INIT_MONOTONIC = time.monotonic()
INIT_WALL = time.time()
CREDENTIALS = boto3.Session().get_credentials()
INIT_KEY = CREDENTIALS.get_frozen_credentials().access_key if CREDENTIALS else None


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
