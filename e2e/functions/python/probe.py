"""Ordinary handlers: each shows one thing that a Python function sees or does on Lambda."""

import asyncio
import base64
import json
import logging
import os
import signal
import sys
import time
import uuid

INIT_ID = uuid.uuid4().hex
CALLS = 0
print("module level runs")


def echo(event, context):
    return event


def state(event, context):
    """Which process this is, and how often it was called."""
    global CALLS
    CALLS += 1
    return {"init_id": INIT_ID, "calls": CALLS, "pid": os.getpid(), "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"]}


def context(event, context):
    client = context.client_context
    return {
        "aws_request_id": context.aws_request_id,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "invoked_function_arn": context.invoked_function_arn,
        "function_name": context.function_name,
        "function_version": context.function_version,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "client_context": client and {"custom": client.custom, "env": client.env, "app_title": client.client.app_title},
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
    }


def environment(event, context):
    return {
        "environ": dict(os.environ),
        "path": sys.path,
        "cwd": os.getcwd(),
        "uid": os.getuid(),
        "task": sorted(os.listdir("/var/task")),
        "zone": time.tzname[0],
        "encoding": sys.getfilesystemencoding(),
        "hostname": os.uname().nodename,
    }


def layers(event, context):
    import from_layer  # found in /opt/python

    listing = {}
    for root, _, names in os.walk("/opt"):
        for name in names:
            with open(os.path.join(root, name)) as file:
                listing[os.path.join(root, name)] = file.read()
    return {"answer": from_layer.ANSWER, "files": listing}


def tmp(event, context):
    """Appends one line a call to a file in /tmp."""
    with open("/tmp/kept", "a") as file:
        file.write("x")
    if event.get("then") == "sleep":
        time.sleep(60)
    return {"size": os.path.getsize("/tmp/kept"), "init_id": INIT_ID}


def writes(event, context):
    """Where can a file be made?"""
    refused = {}
    for directory in event["directories"]:
        try:
            with open(os.path.join(directory, "written"), "w") as file:
                file.write("x")
            refused[directory] = None
        except OSError as error:
            refused[directory] = error.strerror
    return refused


def sleep(event, context):
    if event.get("print"):
        print(event["print"], flush=True)
    time.sleep(event.get("seconds", 0))
    return {"slept": event.get("seconds", 0), "init_id": INIT_ID, "request_id": context.aws_request_id}


class OrderRejected(Exception):
    pass


def check_order(event):
    raise OrderRejected(event.get("message", "no such order"))


def fail(event, context):
    check_order(event)


def chained(event, context):
    try:
        {}["missing"]
    except KeyError as error:
        raise ValueError("second") from error


def unserializable(event, context):
    return {"when": object()}


def leave(event, context):
    print("last words", flush=True)
    sys.exit(event.get("code", 0))


def die(event, context):
    os.kill(os.getpid(), getattr(signal, event["signal"]))
    time.sleep(30)


def hog(event, context):
    held = []
    while True:
        block = bytearray(8 * 1024 * 1024)
        block[::4096] = b"x" * len(block[::4096])
        held.append(block)


def size(event, context):
    """A response of exactly `bytes` bytes once serialized."""
    return "x" * (event["bytes"] - 2)


def length(event, context):
    return {"length": len(event["text"]), "last": event["text"][-1]}


def binary(event, context):
    """Any bytes, as a function puts them into JSON."""
    data = base64.b64decode(event["data"])
    return {"isBase64Encoded": True, "body": base64.b64encode(data[::-1]).decode()}


def nothing(event, context):
    return None


def coroutine(event, context):
    async def work(number):
        await asyncio.sleep(0.01)
        return number * number

    async def everything():
        return await asyncio.gather(*(work(number) for number in range(event["count"])))

    return asyncio.run(everything())


def generator(event, context):
    return list(letter.upper() for letter in event["letters"])


def raw_coroutine(event, context):
    async def never_awaited():
        return 1

    coroutine = never_awaited()
    try:
        return json.dumps(coroutine)
    finally:
        coroutine.close()


def log(event, context):
    print(event["stdout"])
    print(event["stderr"], file=sys.stderr)
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.info("info %s", event["logger"])
    logger.warning("warning %s", event["logger"])
    sys.stdout.write("several\nlines\nat once\n")
    return None


def log_json(event, context):
    logger = logging.getLogger()
    logger.debug("unheard")
    logger.info("heard", extra={"order": 17})
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("caught")
    return None


def flood(event, context):
    line = event["line"] * event["repeat"]
    for _ in range(event.get("lines", 1)):
        print(line)
    print("after the flood")
    return {"written": len(line) * event.get("lines", 1)}


def call_another(event, context):
    """Calls a function through boto3 as on Lambda: no endpoint, no credentials, no Region given unless the event has one."""
    import boto3

    answer = boto3.client("lambda", region_name=event.get("region")).invoke(FunctionName=event["function"], Payload=json.dumps(event["payload"]))
    identity = boto3.client("sts").get_caller_identity()
    return {
        "status": answer["StatusCode"],
        "error": answer.get("FunctionError"),
        "payload": json.loads(answer["Payload"].read()),
        "arn": identity["Arn"],
        "account": identity["Account"],
    }


def record(event, context):
    """Leaves a durable trace of having run: an event in a log stream that the caller made."""
    import boto3

    time.sleep(event.get("seconds", 0))
    boto3.client("logs").put_log_events(
        logGroupName=event["group"],
        logStreamName=event["stream"],
        logEvents=[{"timestamp": int(time.time() * 1000), "message": json.dumps({"id": event["id"], "request_id": context.aws_request_id})}],
    )
    if event.get("fail"):
        raise RuntimeError("as asked")


def background(event, context):
    """Leaves a child running that goes on after the answer."""
    if os.fork() == 0:
        while True:
            time.sleep(1)
    return {"pid": os.getpid()}


def fetch_admin(event, context):
    """What the daemon answers to this function on pages that are for operators."""
    import urllib.error
    import urllib.request

    url = os.environ["AWS_ENDPOINT_URL"] + event["path"]
    data = event["body"].encode() if "body" in event else None
    request = urllib.request.Request(url, data=data, method=event.get("method", "GET"))
    try:
        with urllib.request.urlopen(request) as answer:
            return {"status": answer.status}
    except urllib.error.HTTPError as error:
        return {"status": error.code}
