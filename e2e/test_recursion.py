"""Functions that call themselves, or each other in a circle, are stopped."""


import pytest
from daemon import wait_until
from package import make_zip

PACKAGE = make_zip({"app.py": """
import json, boto3

def handler(event, context):
    print("CALLED", event["depth"], flush=True)
    if event["depth"] >= 40:
        return "the bottom"
    names = event["functions"]
    event = {**event, "depth": event["depth"] + 1, "functions": names[1:] + names[:1]}
    client = boto3.client("lambda")
    try:
        answer = client.invoke(FunctionName=event["functions"][0], InvocationType=event["kind"], Payload=json.dumps(event))
    except client.exceptions.ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return json.load(answer["Payload"]) if event["kind"] == "RequestResponse" else "queued"
"""})
STOPPED = [
    "RecursiveInvocationException",
    "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and stopped your"
    " function's invocation.",
]


def depths(function):
    return sorted(int(message.split()[1]) for message in function.messages() if message.startswith("CALLED"))


def asked(*functions, kind="RequestResponse"):
    return {"functions": [function.name for function in functions], "depth": 1, "kind": kind}


def test_a_function_that_calls_itself_runs_sixteen_times(deploy):
    function = deploy("app.handler", package=PACKAGE, Timeout=120)
    assert function.call(asked(function)) == STOPPED
    wait_until(lambda: depths(function) == list(range(1, 17)), what="sixteen calls", found=lambda: depths(function))


def test_with_events_too(deploy):
    function = deploy("app.handler", package=PACKAGE, Timeout=60)
    assert function.call(asked(function, kind="Event")) == "queued"
    wait_until(lambda: depths(function) == list(range(1, 17)), 60, "sixteen calls", found=lambda: depths(function))


def test_two_functions_that_call_each_other_are_stopped(deploy):
    one, other = (deploy("app.handler", package=PACKAGE, Timeout=120) for _ in range(2))
    assert one.call(asked(one, other)) == STOPPED


def test_not_where_the_function_allows_it(deploy):
    function = deploy("app.handler", package=PACKAGE, Timeout=120)
    function.client.put_function_recursion_config(FunctionName=function.name, RecursiveLoop="Allow")
    assert function.call(asked(function)) == "the bottom"


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_many_calls_from_outside_are_no_loop(deploy, kind):
    function = deploy("app.handler", package=PACKAGE)
    for _ in range(30):
        assert function.invoke({"depth": 40}, InvocationType=kind).error is None
