"""One Hearth is one Region: what is signed for another, or names one, does not quietly mean this one."""

import pytest
from botocore.exceptions import ClientError
from daemon import ACCOUNT, REGION, refused
from package import unique

KEYS = f'[[access_keys]]\nid = "AKIDEXAMPLE"\nsecret = "a-secret"\naccount = "{ACCOUNT}"\n'
OTHER = "ap-south-1"
CALLS = {
    "lambda": lambda client: client.list_functions(),
    "logs": lambda client: client.describe_log_groups(),
    "iam": lambda client: client.list_roles(),
    "sts": lambda client: client.get_caller_identity(),
}


@pytest.mark.parametrize("service", CALLS)
def test_signatures_for_another_region_are_refused(own_daemon, service):
    daemon = own_daemon(KEYS)

    def client(region):
        return daemon.client(service, account="AKIDEXAMPLE", secret="a-secret", region=region)

    code = "SignatureDoesNotMatch" if service in ("iam", "sts") else "InvalidSignatureException"
    status = 400 if service == "logs" else 403
    text = f"^Credential should be scoped to a valid region, not '{OTHER}'. This endpoint serves '{REGION}'"
    with refused(client(OTHER), code, status, text):
        CALLS[service](client(OTHER))
    CALLS[service](client(REGION))
    if service in ("iam", "sts"):
        # What clients of global endpoints sign for.
        CALLS[service](client("us-east-1"))


def test_without_keys_signatures_are_not_looked_at_and_arns_are_of_this_region(daemon):
    logs = daemon.client("logs", region=OTHER)
    group = unique("/regions")
    logs.create_log_group(logGroupName=group)
    [found] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["logGroupArn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"


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
