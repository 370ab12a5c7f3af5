"""What destinations are told of asynchronous invocations."""

import json

import pytest
from daemon import ACCOUNT, REGION, refused
from package import make_zip

PACKAGE = make_zip({"app.py": """
import json

def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    return {"seen": event["number"]}

def listen(event, context):
    print("HEARD " + json.dumps(event))
"""})


@pytest.fixture
def caller_and_listener(deploy):
    caller, listener = deploy("app.handler", package=PACKAGE), deploy("app.listen", package=PACKAGE)
    to_listener = {"Destination": listener.arn}
    version = caller.client.publish_version(FunctionName=caller.name)["Version"]
    for qualifier in ("$LATEST", version):
        caller.client.put_function_event_invoke_config(
            FunctionName=caller.name,
            Qualifier=qualifier,
            MaximumRetryAttempts=0,
            DestinationConfig={"OnSuccess": to_listener, "OnFailure": to_listener},
        )
    return caller, listener


def heard(listener):
    [message] = listener.wait_for_message("^HEARD ", 20)
    return json.loads(message.removeprefix("HEARD "))


@pytest.mark.parametrize("qualifier", ["$LATEST", "1"])
def test_success_is_told_with_what_was_asked_and_answered_by_which_version(caller_and_listener, qualifier):
    caller, listener = caller_and_listener
    request = caller.invoke({"number": 7}, InvocationType="Event", Qualifier=qualifier).request_id
    record = heard(listener)
    context = record["requestContext"]
    assert (context["requestId"], context["condition"], context["approximateInvokeCount"]) == (request, "Success", 1)
    assert context["functionArn"] == f"{caller.arn}:{qualifier}"
    assert (record["requestPayload"], record["responsePayload"]) == ({"number": 7}, {"seen": 7})
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": qualifier}


def test_failure_is_told_with_the_error(caller_and_listener):
    caller, listener = caller_and_listener
    caller.invoke({"number": 7, "fail": True}, InvocationType="Event")
    record = heard(listener)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    context = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responseContext"] == context
    assert record["responsePayload"]["errorMessage"] == "as asked"


def target(service, name="dead"):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def test_where_nobody_delivers_is_refused(deploy):
    """An event that failed would be lost where its owner believes it is kept."""
    caller = deploy("app.handler", package=PACKAGE)
    client = caller.client
    for arn in [target("sqs"), target("sns"), target("events", "event-bus/b"), "arn:aws:s3:::bucket", caller.arn + "-none", f"{caller.arn}-none:1"]:
        with refused(client, "InvalidParameterValueException", 400, "^The destination ARN .* is invalid"):
            client.put_function_event_invoke_config(FunctionName=caller.name, DestinationConfig={"OnFailure": {"Destination": arn}})
    for arn in [target("sqs"), target("sns")]:
        with refused(client, "InvalidParameterValueException", 400, "dead letter target .* is invalid: .* functions alone.*OnFailure"):
            caller.configure(DeadLetterConfig={"TargetArn": arn})
    with refused(client, "InvalidParameterValueException", 400, "dead letter target .* is invalid"):
        deploy("app.handler", package=PACKAGE, DeadLetterConfig={"TargetArn": target("sqs")})
    caller.configure(DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in client.get_function_configuration(FunctionName=caller.name)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_event_invoke_config(FunctionName=caller.name)


def test_a_qualifier_that_is_not_there_is_no_destination(deploy):
    caller, listener = deploy("app.handler", package=PACKAGE), deploy("app.listen", package=PACKAGE)
    with refused(caller.client, "InvalidParameterValueException", 400, "^The destination ARN .*:prod is invalid.$"):
        caller.client.put_function_event_invoke_config(
            FunctionName=caller.name, DestinationConfig={"OnSuccess": {"Destination": f"{listener.arn}:prod"}}
        )
