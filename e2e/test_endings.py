"""Sandboxes that end, or should, at the wrong moment: every call is answered, and nothing stays behind."""

import json
import random
import signal
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from daemon import wait_until, within
from host import Footprint, sandbox_processes
from package import deploy as deploy_to
from package import make_zip

DIES_AFTERWARDS = make_zip({"app.py": """
import os, threading

def handler(event, context):
    threading.Timer(event["after"], os._exit, [1]).start()
    return "answered"
"""})
ASKS_FOR_NO_MORE = make_zip({"app.py": """
import time
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

def handler(event, context):
    LambdaRuntimeClient.wait_next_invocation = lambda self: time.sleep(1000)
    return "answered"
"""})


def state(daemon):
    with urllib.request.urlopen(f"{daemon.endpoint}/_hearth/state") as answer:
        return json.load(answer)


def test_a_call_that_finds_its_sandbox_dying_is_answered(deploy):
    function = deploy("app.handler", package=DIES_AFTERWARDS, Timeout=2)
    function.call({"after": 0.002})

    def call(_):
        # At any time within what the end of a sandbox takes.
        time.sleep(random.random() * 0.015)
        return function.invoke({"after": 0.002})

    with within(60), ThreadPoolExecutor(3) as pool:
        results = list(pool.map(call, range(600)))
    # Some runtimes die with the next event in hand, and that call fails as on Lambda.
    kinds = Counter("answered" if result.error is None else result.json["errorType"] for result in results)
    assert set(kinds) <= {"answered", "Runtime.ExitError"}, kinds
    assert kinds["answered"] > 200, kinds


def test_a_runtime_that_asks_for_no_more_is_ended_when_its_time_is_up(deploy):
    function = deploy("app.handler", package=ASKS_FOR_NO_MORE, Timeout=1)
    assert [function.call() for _ in range(3)] == ["answered"] * 3
    wait_until(lambda: not any(process.alive for process in sandbox_processes(function.name)), 10, "all have ended")


def test_a_shutdown_whose_time_is_up_begins_nothing_more(own_daemon):
    daemon = own_daemon(config="[node]\nmemory_mib = 300\n[shutdown]\ngrace_s = 1\n")
    running, waiting = (deploy_to(daemon, "probe.sleep", MemorySize=256, Timeout=60) for _ in range(2))
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(running.invoke, {"seconds": 30, "print": "running"})
        running.wait_for_message("running")
        waiting.invoke({"seconds": 30}, InvocationType="Event")
        wait_until(lambda: state(daemon)["engine"]["queued"] == 1)
        footprint = Footprint.of(daemon)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(15)
        daemon.stop()
        assert call.exception(timeout=30) or call.result().error
    wait_until(footprint.gone, 1, "the stopped daemon has left nothing", footprint.remains)
    daemon.start()
    assert state(daemon)["events"]["queued"] == 1, "the event is for another day"
