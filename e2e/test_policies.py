"""What sessions of roles may do where roles are strict: what their policies say, and those of what they ask for."""

import json
import re

import pytest

from daemon import ACCOUNT, REGION, Daemon, refused
from package import TRUST, Function, make_zip, unique

PACKAGE = make_zip({"app.py": """
import boto3

def handler(event, context):
    if "service" not in event:
        return event
    client = boto3.client(event["service"])
    try:
        answer = getattr(client, event["call"])(**event["with"])
    except client.exceptions.ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return "done"
"""})


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("policies"), 'roles = "strict"\n').start()
    yield daemon
    daemon.stop()


@pytest.fixture
def iam(strict):
    return strict.client("iam")


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement for statement in statements]})


def role(iam, *statements, trust=TRUST, **arguments):
    name = unique("held")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), **arguments)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return made


def create(daemon, role):
    client, name = daemon.client(), unique("held")
    client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role["Arn"], Code={"ZipFile": PACKAGE}, Timeout=30)
    function = Function(daemon, client, name)
    function.settle()
    return function


@pytest.fixture(scope="module")
def target(strict):
    return create(strict, role(strict.client("iam")))


def ask(function, service, call, **arguments):
    reply = function.client.invoke(FunctionName=function.name, Payload=json.dumps({"service": service, "call": call, "with": arguments}))
    assert "FunctionError" not in reply, reply
    return json.loads(reply["Payload"].read())


def session(daemon, role, **arguments):
    """A client's maker, with the credentials of a session of the role."""
    issued = daemon.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="somebody", **arguments)["Credentials"]
    keys = {"account": issued["AccessKeyId"], "secret": issued["SecretAccessKey"], "token": issued["SessionToken"]}
    return lambda service="lambda": daemon.client(service, **keys)


ANYBODY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]}


class TestFunctions:
    def test_whose_role_allows_one_call_make_that_one_only(self, strict, iam, target):
        function = create(strict, role(iam, {"Action": "lambda:InvokeFunction", "Resource": target.arn}))
        assert ask(function, "lambda", "invoke", FunctionName=target.name) == "done"
        assert ask(function, "sts", "get_caller_identity") == "done"
        principal = "arn:aws:sts::[0-9]+:assumed-role/held-[0-9]+/held-[0-9]+"
        for service, call, arguments, action, resource in (
            ("lambda", "invoke", {"FunctionName": function.name}, "lambda:InvokeFunction", function.arn),
            ("lambda", "invoke", {"FunctionName": "nothing"}, "lambda:InvokeFunction", function.arn.replace(function.name, "nothing")),
            ("lambda", "get_function", {"FunctionName": target.name}, "lambda:GetFunction", target.arn),
            ("lambda", "delete_function", {"FunctionName": target.name}, "lambda:DeleteFunction", target.arn),
            ("lambda", "list_functions", {}, "lambda:ListFunctions", "*"),
            ("lambda", "list_tags", {"Resource": target.arn}, "lambda:ListTags", target.arn),
            ("iam", "list_roles", {}, "iam:ListRoles", f"arn:aws:iam::{ACCOUNT}:role/"),
            ("iam", "create_role", {"RoleName": "mine", "AssumeRolePolicyDocument": "{}"}, "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/mine"),
            ("logs", "create_log_group", {"logGroupName": "mine"}, "logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:mine:log-stream:"),
            ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group::log-stream:"),
            ("sqs", "get_queue_url", {"QueueName": "mine"}, "sqs:getqueueurl", f"arn:aws:sqs:{REGION}:{ACCOUNT}:mine"),
        ):
            code, message = ask(function, service, call, **arguments)
            assert code.startswith("AccessDenied"), (call, code, message)
            expected = f"User: {{}} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
            assert re.fullmatch(re.escape(expected).replace(r"\{\}", principal), message, re.IGNORECASE), message

    def test_of_a_role_without_policies_are_let_in_by_a_functions_own_policy(self, strict, iam, target):
        caller = role(iam)
        function = create(strict, caller)
        assert ask(function, "lambda", "invoke", FunctionName=target.name)[0] == "AccessDeniedException"
        target.client.add_permission(FunctionName=target.name, StatementId=function.name, Action="lambda:InvokeFunction", Principal=caller["Arn"])
        assert ask(function, "lambda", "invoke", FunctionName=target.name) == "done"
        target.client.remove_permission(FunctionName=target.name, StatementId=function.name)
        assert ask(function, "lambda", "invoke", FunctionName=target.name)[0] == "AccessDeniedException"

    def test_are_held_to_what_is_changed_from_the_next_call_on(self, strict, iam, target):
        changing = role(iam)
        function = create(strict, changing)
        call = lambda: ask(function, "lambda", "invoke", FunctionName=target.name)
        assert call()[0] == "AccessDeniedException"
        iam.put_role_policy(RoleName=changing["RoleName"], PolicyName="later", PolicyDocument=document({"Action": "lambda:*", "Resource": "*"}))
        assert call() == "done"
        iam.put_role_policy(RoleName=changing["RoleName"], PolicyName="but", PolicyDocument=document({"Effect": "Deny", "Action": "lambda:Invoke*", "Resource": target.arn}))
        code, message = call()
        assert code == "AccessDeniedException" and message.endswith("with an explicit deny in an identity-based policy")
        iam.delete_role_policy(RoleName=changing["RoleName"], PolicyName="but")
        assert call() == "done"
        iam.delete_role_policy(RoleName=changing["RoleName"], PolicyName="later")
        assert call()[0] == "AccessDeniedException"


class TestSessions:
    def test_of_managed_policies_and_boundaries(self, strict, iam, target):
        bounded = role(iam, trust=ANYBODY)
        client = session(strict, bounded)
        with refused(client(), "AccessDeniedException", 403, "because no identity-based policy allows the lambda:GetFunction action"):
            client().get_function(FunctionName=target.name)
        iam.attach_role_policy(RoleName=bounded["RoleName"], PolicyArn="arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess")
        client().get_function(FunctionName=target.name)
        with refused(client(), "AccessDeniedException", 403):
            client().publish_version(FunctionName=target.name)
        limit = iam.create_policy(PolicyName=unique("limit"), PolicyDocument=document({"Action": "lambda:List*", "Resource": "*"}))["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName=bounded["RoleName"], PermissionsBoundary=limit)
        client().list_functions()
        with refused(client(), "AccessDeniedException", 403, "because no permissions boundary allows the lambda:GetFunction action"):
            client().get_function(FunctionName=target.name)
        iam.create_policy_version(PolicyArn=limit, SetAsDefault=True, PolicyDocument=document({"Action": "lambda:Get*", "Resource": "*"}))
        client().get_function(FunctionName=target.name)

    def test_of_a_deleted_role_may_nothing_any_more(self, strict, iam):
        short = role(iam, {"Action": "lambda:ListFunctions", "Resource": "*"}, trust=ANYBODY)
        client = session(strict, short)()
        client.list_functions()
        iam.delete_role_policy(RoleName=short["RoleName"], PolicyName="own")
        iam.delete_role(RoleName=short["RoleName"])
        with refused(client, "AccessDeniedException", 403):
            client.list_functions()

    def test_assume_another_role_if_both_sides_let_them(self, strict, iam):
        wanted = role(iam, trust=ANYBODY)
        poor, rich = role(iam, trust=ANYBODY), role(iam, {"Action": "sts:AssumeRole", "Resource": wanted["Arn"]}, trust=ANYBODY)
        sts = session(strict, poor)("sts")
        with refused(sts, "AccessDenied", 403, "because no identity-based policy allows the sts:AssumeRole action"):
            sts.assume_role(RoleArn=wanted["Arn"], RoleSessionName="again")
        session(strict, rich)("sts").assume_role(RoleArn=wanted["Arn"], RoleSessionName="again")
        named = {"Effect": "Allow", "Principal": {"AWS": poor["Arn"]}, "Action": "sts:AssumeRole"}
        iam.update_assume_role_policy(RoleName=wanted["RoleName"], PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": named}))
        sts.assume_role(RoleArn=wanted["Arn"], RoleSessionName="again")
        rich_sts = session(strict, rich)("sts")
        with refused(rich_sts, "AccessDenied", 403):
            rich_sts.assume_role(RoleArn=wanted["Arn"], RoleSessionName="again")


def test_nobody_is_held_to_policies_where_roles_are_lenient(daemon, client):
    name = unique("free")
    made = daemon.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    function = create(daemon, made)
    assert ask(function, "lambda", "list_functions") == "done"
