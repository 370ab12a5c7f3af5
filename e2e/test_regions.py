"""What is in one Region is not in another: a request's Region is the one that it is signed for."""

import json
import subprocess

import pytest
from botocore.exceptions import ClientError
from daemon import ACCOUNT, HEARTH, REGION, refused, wait_until
from package import make_zip, unique

KEYS = f'[[access_keys]]\nid = "AKIDEXAMPLE"\nsecret = "a-secret"\naccount = "{ACCOUNT}"\n'
OTHER = "ap-south-1"
REGIONS = [REGION, OTHER]
CODE = """
import boto3, json, os

def handler(event, context):
    if event.get("call"):
        client = boto3.client("lambda", region_name=event.get("region"))
        return json.load(client.invoke(FunctionName=context.function_name, Payload=json.dumps({}))["Payload"])
    print("said in", MARK)
    return {"mark": MARK, "region": os.environ["AWS_REGION"], "default": os.environ["AWS_DEFAULT_REGION"], "arn": context.invoked_function_arn}
"""


def arn(region, name):
    return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"


def deploy_in(daemon, region, name, mark=None, **arguments):
    client = daemon.client(region=region)
    package = make_zip({"app.py": f"MARK = {mark or region!r}\n{CODE}"})
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role, Timeout=30, Code={"ZipFile": package}, **arguments
    )
    wait_until(lambda: client.get_function_configuration(FunctionName=name)["State"] == "Active", 30)
    return client


def call(client, name, payload=None, **arguments):
    answer = client.invoke(FunctionName=name, Payload=json.dumps(payload or {}), **arguments)
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.load(answer["Payload"])


def messages(daemon, region, name):
    logs = daemon.client("logs", region=region)
    try:
        return [event["message"].strip() for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


@pytest.fixture
def both(own_daemon):
    """A daemon with a function of one name in two Regions, other code in each."""
    daemon = own_daemon()
    for region in REGIONS:
        deploy_in(daemon, region, "app")
    return daemon


def test_functions_of_one_name_answer_apart(both):
    for region in REGIONS:
        client = both.client(region=region)
        expected = {"mark": region, "region": region, "default": region, "arn": arn(region, "app")}
        assert call(client, "app") == call(client, arn(region, "app")) == expected
        assert [found["FunctionArn"] for found in client.list_functions()["Functions"]] == [arn(region, "app")]
        wait_until(lambda region=region: f"said in {region}" in messages(both, region, "app"))
        assert not any(f"said in {other}" in messages(both, region, "app") for other in REGIONS if other != region)
    both.client(region=OTHER).delete_function(FunctionName="app")
    both.stop()
    both.start()
    assert both.client(region=OTHER).list_functions()["Functions"] == []
    assert call(both.client(), "app")["mark"] == REGION
    assert f"said in {OTHER}" in messages(both, OTHER, "app"), "logs outlive functions and daemons, each in its Region"


def test_aliases_and_versions_are_of_their_region(both):
    here, there = both.client(), both.client(region=OTHER)
    there.publish_version(FunctionName="app")
    there.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    assert call(there, "app:live")["arn"] == f"{arn(OTHER, 'app')}:live"
    assert here.list_aliases(FunctionName="app")["Aliases"] == []
    with refused(here, "ResourceNotFoundException", 404):
        here.invoke(FunctionName="app", Qualifier="live")
    assert here.publish_version(FunctionName="app")["FunctionArn"] == f"{arn(REGION, 'app')}:1"
    there.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    with refused(there, "TooManyRequestsException", 429):
        there.invoke(FunctionName="app")
    assert call(here, "app")["mark"] == REGION


def test_layers_of_another_region_are_refused(both):
    here, there = both.client(), both.client(region=OTHER)
    layers = {
        region: both.client(region=region).publish_layer_version(LayerName="l", Content={"ZipFile": make_zip({"python/x.py": ""})})
        for region in REGIONS
    }
    assert [layers[region]["LayerVersionArn"] for region in REGIONS] == [f"arn:aws:lambda:{region}:{ACCOUNT}:layer:l:1" for region in REGIONS]
    theirs = layers[OTHER]["LayerVersionArn"]
    text = f"^Layers are not in the same region as the function. Layers are expected to be in region {REGION}.$"
    with refused(here, "InvalidParameterValueException", 400, text):
        here.update_function_configuration(FunctionName="app", Layers=[theirs])
    there.update_function_configuration(FunctionName="app", Layers=[theirs])
    assert len(there.list_layers()["Layers"]) == 1


def test_a_functions_own_calls_go_where_they_are_signed_for(both):
    for region in REGIONS:
        client = both.client(region=region)
        assert call(client, "app", {"call": True})["mark"] == region, "its own Region"
        for other in REGIONS:
            assert call(client, "app", {"call": True, "region": other})["mark"] == other


def test_events_are_queued_and_delivered_in_their_region(both):
    for region in REGIONS:
        client = both.client(region=region)
        deploy_in(both, region, "told", mark=f"told {region}")
        client.put_function_event_invoke_config(
            FunctionName="app", DestinationConfig={"OnSuccess": {"Destination": arn(region, "told")}}
        )
        assert client.invoke(FunctionName="app", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    for region in REGIONS:
        wait_until(lambda region=region: f"said in told {region}" in messages(both, region, "told"), 30)
        assert sum(message == f"said in {region}" for message in messages(both, region, "app")) == 1


def test_identities_have_no_region(both):
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    both.client("iam", region=OTHER).create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
    for region in [*REGIONS, "us-east-1"]:
        assert both.client("iam", region=region).get_role(RoleName="r")["Role"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/r"
        assert both.client("sts", region=region).get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.parametrize("keys", ["", KEYS])
def test_what_is_no_regions_name_is_refused(own_daemon, keys):
    daemon = own_daemon(keys)

    def client(service, region):
        return daemon.client(service, account="AKIDEXAMPLE", secret="a-secret", region=region)

    assert client("lambda", OTHER).list_functions()["Functions"] == []
    text = "^Credential should be scoped to a valid region, not 'AP-SOUTH-1'."
    for service, code, status, ask in [
        ("lambda", "InvalidSignatureException", 403, lambda client: client.list_functions()),
        ("logs", "InvalidSignatureException", 400, lambda client: client.describe_log_groups()),
        ("sts", "SignatureDoesNotMatch", 403, lambda client: client.get_caller_identity()),
    ]:
        with refused(client(service, "AP-SOUTH-1"), code, status, text):
            ask(client(service, "AP-SOUTH-1"))


def test_hearths_own_commands_name_a_region_as_the_aws_cli_does(both):
    def mark(*options, **variables):
        environment = {name: value for name, value in both.environment().items() if name != "AWS_DEFAULT_REGION"} | variables
        command = [HEARTH, "--endpoint", both.endpoint, *options, "invoke", "app", "{}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)["mark"]

    assert mark() == REGION, "the daemon's own"
    assert mark(AWS_DEFAULT_REGION=OTHER) == OTHER
    assert mark(AWS_REGION=OTHER, AWS_DEFAULT_REGION=REGION) == OTHER
    assert mark("--region", REGION, AWS_REGION=OTHER) == REGION


def test_arns_of_another_region_are_refused(daemon, client, deploy):
    function = deploy("probe.echo")
    arn = function.arn.replace(REGION, OTHER)
    layer = f"arn:aws:lambda:{OTHER}:{ACCOUNT}:layer:l"
    destination = {"OnSuccess": {"Destination": function.arn.replace(REGION, OTHER) + "x"}}
    calls = [
        lambda: client.invoke(FunctionName=arn),
        lambda: client.get_function(FunctionName=arn),
        lambda: client.update_function_configuration(FunctionName=arn, Timeout=4),
        lambda: client.publish_version(FunctionName=arn),
        lambda: client.create_alias(FunctionName=arn, Name="a", FunctionVersion="$LATEST"),
        lambda: client.list_aliases(FunctionName=arn),
        lambda: client.get_policy(FunctionName=arn),
        lambda: client.add_permission(FunctionName=arn, StatementId="s", Action="lambda:InvokeFunction", Principal="*"),
        lambda: client.put_function_concurrency(FunctionName=arn, ReservedConcurrentExecutions=1),
        lambda: client.get_function_concurrency(FunctionName=arn),
        lambda: client.put_function_event_invoke_config(FunctionName=arn, MaximumRetryAttempts=0),
        lambda: client.put_function_event_invoke_config(FunctionName=function.name, DestinationConfig=destination),
        lambda: client.put_function_recursion_config(FunctionName=arn, RecursiveLoop="Allow"),
        lambda: client.put_runtime_management_config(FunctionName=arn, UpdateRuntimeOn="Auto"),
        lambda: client.tag_resource(Resource=arn, Tags={"a": "b"}),
        lambda: client.list_tags(Resource=arn),
        lambda: client.delete_function(FunctionName=arn),
        lambda: client.list_layer_versions(LayerName=layer),
        lambda: client.get_layer_version_by_arn(Arn=f"{layer}:1"),
        lambda: client.publish_layer_version(LayerName=layer, Content={"ZipFile": b"x"}),
        lambda: client.update_function_configuration(FunctionName=function.name, Layers=[f"{layer}:1"]),
    ]
    logs = daemon.client("logs")
    group = f"arn:aws:logs:{OTHER}:{ACCOUNT}:log-group:{function.log_group}"
    function.call()
    function.wait_for_message("^REPORT ")
    calls += [
        lambda: logs.filter_log_events(logGroupIdentifier=group),
        lambda: logs.list_tags_for_resource(resourceArn=group),
        lambda: logs.describe_log_streams(logGroupIdentifier=group),
        lambda: daemon.client("logs", inject_host_prefix=False).start_live_tail(logGroupIdentifiers=[group]),
    ]
    for number, call in enumerate(calls):
        with pytest.raises(ClientError) as error:
            call()
        assert 400 <= error.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500, number
    assert function.call({"still": "here"}) == {"still": "here"}
