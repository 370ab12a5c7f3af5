"""Every member of every operation's input has an effect, or is refused, or stands here with the reason why it is accepted without.

The members are those of botocore's models. One that is new there fails the first test until somebody has decided what it does here.
`cargo xtask members` holds against the code that it reads the members of every input.
"""

import json
import time

import botocore
import botocore.session
import pytest
from botocore.exceptions import ClientError
from daemon import REGION, refused
from inputs import READ
from package import TRUST, Function, make_zip, unique

# Nobody else's: what is made on the way is not in the way of other tests.
ACCOUNT = "555566667777"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
ZIP = make_zip({"app.py": "def handler(event, context):\n    return 'fine'\n"})
ROLE = f"arn:aws:iam::{ACCOUNT}:role/inputs"
PROVIDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:p"

# Settings of functions that are refused, each with a value that says something. A whole structure stands for its members.
SETTINGS = {
    "DeadLetterConfig": {"TargetArn": QUEUE},
    "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    "KMSKeyArn": KEY,
    "FileSystemConfigs": [
        {
            "Arn": f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/fsap-0123456789abcdef0",
            "LocalMountPath": "/mnt/x",
        }
    ],
    "ImageConfig": {"Command": ["x"]},
    "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": PROVIDER}},
    "DurableConfig": {"ExecutionTimeout": 60},
    "RuntimeConfig": {"RuntimeArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:runtime/own-runtime", "RuntimeAlias": "LATEST"},
    "AcceleratorConfig": {"AcceleratorMemorySize": 1024},
}
CODE = {
    "ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/image:1",
    "SourceKMSKeyArn": KEY,
}


def inside(structure, members):
    return {f"{structure}.{name}": value for name, value in members.items()}


REFUSED = {
    ("lambda", "CreateFunction"): SETTINGS
    | inside("Code", CODE)
    | {
        "CodeSigningConfigArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0",
        "PublishTo": "LATEST_PUBLISHED",
        "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"},
    },
    ("lambda", "UpdateFunctionConfiguration"): SETTINGS,
    ("lambda", "UpdateFunctionCode"): CODE | {"PublishTo": "LATEST_PUBLISHED"},
    ("lambda", "PublishVersion"): {"PublishTo": "LATEST_PUBLISHED"},
    ("lambda", "Invoke"): {"TenantId": "t", "DurableExecutionName": "d"},
    ("lambda", "InvokeWithResponseStream"): {"TenantId": "t"},
    ("logs", "CreateLogGroup"): {"kmsKeyId": KEY, "logGroupClass": "INFREQUENT_ACCESS", "deletionProtectionEnabled": True},
    ("logs", "ListLogGroups"): {
        "dataSources": [{"name": "n", "type": "t"}],
        "fieldIndexNames": ["f"],
        "logGroupTags": [{"key": "k", "values": ["v"]}],
    },
    ("logs", "FilterLogEvents"): {"startFromHead": False},
    ("sts", "AssumeRole"): {
        "Policy": "{}",
        "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        "SerialNumber": "arn:aws:iam::1:mfa/me",
        "TokenCode": "123456",
        "ProvidedContexts": [{"ProviderArn": "arn:aws:iam::aws:contextProvider/x", "ContextAssertion": "abcd"}],
        # Without the tags that it is about.
        "TransitiveTagKeys": ["team"],
    },
    ("sts", "GetSessionToken"): {"SerialNumber": "arn:aws:iam::1:mfa/me", "TokenCode": "123456"},
    ("iam", "ListPolicies"): {"PolicyUsageFilter": "PermissionsBoundary"},
}

# Accepted, and why that is no harm.
WITHOUT_EFFECT = {
    # Deploying tools send it; the function's log says so (test_notices.py).
    ("lambda", "CreateFunction"): {"TracingConfig.Mode"},
    ("lambda", "UpdateFunctionConfiguration"): {"TracingConfig.Mode"},
    # There are no linked accounts.
    ("logs", "DescribeLogGroups"): {"includeLinkedAccounts"},
    ("logs", "ListLogGroups"): {"includeLinkedAccounts"},
    # No group has metric filters: there is nothing to choose from.
    ("logs", "DescribeMetricFilters"): {"filterNamePrefix", "nextToken", "limit", "metricName", "metricNamespace"},
    # No role has instance profiles: there is one page, which is empty.
    ("iam", "ListInstanceProfilesForRole"): {"Marker", "MaxItems"},
    # No account has queues.
    ("sqs", "GetQueueUrl"): {"QueueOwnerAWSAccountId"},
    # AWS ignores the first, and nothing is masked here.
    ("logs", "FilterLogEvents"): {"interleaved", "unmask"},
    ("logs", "GetLogEvents"): {"unmask"},
    # AWS ignores the first; the answer says that the second is not kept.
    ("logs", "PutLogEvents"): {"sequenceToken", "entity.keyAttributes", "entity.attributes"},
}

# Operations of Lambda's that nobody has here: reading finds nothing, everything else is refused by name.
FINDS_NOTHING = {
    "ListFunctionUrlConfigs", "ListEventSourceMappings", "ListCodeSigningConfigs", "ListCapacityProviders",
    "ListDurableExecutionsByFunction",
}


def members(shape, prefix=""):
    for name, member in shape.members.items() if shape else ():
        inner = member.member if member.type_name == "list" else member
        if inner.type_name == "structure" and inner.members:
            yield from members(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def model(service):
    return botocore.session.get_session().get_service_model(service)


@pytest.mark.parametrize(("service", "operation"), [(service, name) for service in READ for name in READ[service]])
def test_every_member_is_accounted_for(service, operation):
    """The table and botocore's model name the same members."""
    refused = REFUSED.get((service, operation), {})
    known = set(READ[service][operation].split()) | WITHOUT_EFFECT.get((service, operation), set())

    def is_known(member):
        parts = member.split(".")
        return member in known or any(".".join(parts[:length]) in refused for length in range(1, len(parts) + 1))

    modelled = set(members(model(service).operation_model(operation).input_shape))
    assert {member for member in modelled if not is_known(member)} == set()
    assert known <= modelled


# With which words a request is refused for what it asks.
CODES = {"InvalidParameterValueException", "InvalidParameterException", "ValidationError", "AccessDenied"}


@pytest.fixture(scope="module")
def function(daemon):
    client = daemon.client(account=ACCOUNT)
    name = unique("inputs")
    client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": ZIP})
    function = Function(daemon, client, name)
    function.settle()
    return function


@pytest.fixture(scope="module")
def required(daemon, function):
    """What each operation needs besides."""
    function = function.name
    trust = {**TRUST, "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}]}
    role = unique("inputs")
    arn = daemon.client("iam", account=ACCOUNT).create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    group = unique("/inputs")
    daemon.client("logs", account=ACCOUNT).create_log_group(logGroupName=group)
    return {
        "CreateFunction": lambda: {
            "FunctionName": unique("refused"), "Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": ZIP},
        },
        "UpdateFunctionConfiguration": lambda: {"FunctionName": function},
        "UpdateFunctionCode": lambda: {"FunctionName": function, "ZipFile": ZIP},
        "PublishVersion": lambda: {"FunctionName": function},
        "Invoke": lambda: {"FunctionName": function},
        "InvokeWithResponseStream": lambda: {"FunctionName": function},
        "CreateLogGroup": lambda: {"logGroupName": unique("/refused")},
        "FilterLogEvents": lambda: {"logGroupName": group},
        "AssumeRole": lambda: {"RoleArn": arn, "RoleSessionName": "inputs"},
    }


@pytest.mark.parametrize(
    ("service", "operation", "member"),
    [(service, operation, member) for (service, operation), refused in REFUSED.items() for member in refused],
)
def test_what_would_have_no_effect_is_refused(daemon, function, required, service, operation, member):
    value = REFUSED[service, operation][member]
    call = getattr(daemon.client(service, account=ACCOUNT), botocore.xform_name(operation))
    arguments = required.get(operation, dict)
    call(**arguments())
    function.settle()
    given = arguments()
    *outer, name = member.split(".")
    (given[outer[0]] if outer else given)[name] = value
    with pytest.raises(ClientError) as error:
        call(**given)
    assert error.value.response["Error"]["Code"] in CODES, error.value.response


def test_operations_on_what_is_not_here_are_refused_by_name(daemon):
    client = daemon.client(account=ACCOUNT, parameter_validation=False)
    for operation in model("lambda").operation_names:
        if operation in READ["lambda"] or operation in FINDS_NOTHING:
            continue
        shape = model("lambda").operation_model(operation).input_shape
        with pytest.raises(ClientError) as error:
            getattr(client, botocore.xform_name(operation))(**{name: example(shape.members[name]) for name in shape.required_members})
        code = error.value.response["Error"]["Code"]
        assert code in {"InvalidParameterValueException", "ResourceNotFoundException", "ValidationException"}, (operation, error.value)


def test_an_entity_of_log_events_is_said_not_to_be_kept(daemon):
    logs = daemon.client("logs", account=ACCOUNT)
    group = unique("/entity")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    events = [{"timestamp": int(time.time() * 1000), "message": "m"}]
    answer = logs.put_log_events(
        logGroupName=group, logStreamName="s", logEvents=events, sequenceToken="x", entity={"keyAttributes": {"Type": "Service", "Name": "s"}}
    )
    assert answer["rejectedEntityInfo"] == {"errorType": "UnsupportedLogGroupType"}
    answer = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    assert "rejectedEntityInfo" not in answer


def test_lists_of_iam_come_in_pages(daemon):
    iam = daemon.client("iam", account=ACCOUNT)
    role = unique("paged")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(5)])
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for n in range(5):
        iam.put_role_policy(RoleName=role, PolicyName=f"p{n}", PolicyDocument=json.dumps(policy))
    arns = [f"arn:aws:iam::aws:policy/{path}P{n}" for n, path in enumerate(["", "", "service-role/", "service-role/", ""])]
    for arn in arns:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)

    def pages(operation, items, **arguments):
        found = [page[items] for page in iam.get_paginator(operation).paginate(RoleName=role, PaginationConfig={"PageSize": 2}, **arguments)]
        assert all(len(page) <= 2 for page in found), found
        return [item for page in found for item in page]

    assert [tag["Key"] for tag in pages("list_role_tags", "Tags")] == [f"k{n}" for n in range(5)]
    assert pages("list_role_policies", "PolicyNames") == [f"p{n}" for n in range(5)]
    assert sorted(policy["PolicyArn"] for policy in pages("list_attached_role_policies", "AttachedPolicies")) == sorted(arns)
    attached = pages("list_attached_role_policies", "AttachedPolicies", PathPrefix="/service-role/")
    assert sorted(policy["PolicyArn"] for policy in attached) == sorted(arns[2:4])
    with refused(iam, "NoSuchEntity", 404, "^The user with name me cannot be found.$"):
        iam.get_user(UserName="me")


def test_filters_by_what_is_not_here_find_nothing(daemon, function):
    client, logs = daemon.client(account=ACCOUNT), daemon.client("logs", account=ACCOUNT)
    assert client.list_functions(MasterRegion="us-east-1", FunctionVersion="ALL")["Functions"] == []
    with refused(client, "InvalidParameterValueException", 400, "FunctionVersion"):
        client.list_functions(MasterRegion="ALL")
    group = unique("/filtered")
    logs.create_log_group(logGroupName=group)
    for list_groups in (logs.describe_log_groups, logs.list_log_groups):
        assert list_groups(accountIdentifiers=["999999999999"], includeLinkedAccounts=True)["logGroups"] == []
        assert group in [found["logGroupName"] for found in list_groups(accountIdentifiers=[ACCOUNT])["logGroups"]]
        assert list_groups(logGroupClass="INFREQUENT_ACCESS")["logGroups"] == []


def test_a_runtime_version_is_the_one_that_is_here(daemon, function):
    client = function.client
    here = client.get_function_configuration(FunctionName=function.name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
    client.put_runtime_management_config(FunctionName=function.name, UpdateRuntimeOn="Manual", RuntimeVersionArn=here)
    with refused(client, "InvalidParameterValueException", 400, f"is not available.*{here}"):
        client.put_runtime_management_config(FunctionName=function.name, UpdateRuntimeOn="Manual", RuntimeVersionArn=here[:-1] + "g")


def example(shape):
    """A value of the shape; whether it is a good one does not matter."""
    match shape.type_name:
        case "structure":
            return {name: example(shape.members[name]) for name in shape.required_members}
        case "list":
            return [example(shape.member)]
        case "map":
            return {}
        case "integer" | "long":
            return 1
        case "boolean":
            return True
        case "blob":
            return b"{}"
        case "timestamp":
            return 0
        case _:
            return shape.enum[0] if shape.enum else "x"
