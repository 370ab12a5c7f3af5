"""The roles of functions: which are accepted, where they are looked at and where not."""

import json
import subprocess

import pytest
from daemon import ACCOUNT, HEARTH, REGION, refused
from package import TRUST, Function, make_zip, unique

PACKAGE = make_zip({"app.py": """
import boto3

def handler(event, context):
    client = boto3.client("lambda")
    try:
        client.update_function_configuration(FunctionName=event["function"], Role=event["role"])
    except client.exceptions.ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
"""})
NOT_ASSUMABLE = "^The role defined for the function cannot be assumed by Lambda.$"
KEYS = f'[[access_keys]]\nid = "AKIDEXAMPLE"\nsecret = "a-secret"\naccount = "{ACCOUNT}"\n'


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    from daemon import Daemon

    daemon = Daemon(tmp_path_factory.mktemp("strict"), 'roles = "strict"\n').start()
    yield daemon
    daemon.stop()


@pytest.fixture
def iam(strict):
    return strict.client("iam")


def arn(name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:role/{name}"


def role(iam, trust=None, **arguments):
    name = unique("role")
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust or TRUST), **arguments)["Role"]["Arn"]


def trusting(condition=None, **principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def create(daemon, role, **arguments):
    name = unique("with-role")
    client = daemon.client()
    client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role, Code={"ZipFile": PACKAGE}, Timeout=30, **arguments
    )
    function = Function(daemon, client, name)
    function.settle()
    return function


def test_a_role_has_to_exist_under_its_path(strict, iam):
    client = strict.client()
    missing = arn("none")
    with refused(client, "InvalidParameterValueException", 400, NOT_ASSUMABLE):
        create(strict, missing)
    pathed = role(iam, Path="/service-role/")
    with refused(client, "InvalidParameterValueException", 400, NOT_ASSUMABLE):
        create(strict, pathed.replace("service-role/", ""))
    function = create(strict, pathed)
    with refused(client, "InvalidParameterValueException", 400, NOT_ASSUMABLE):
        client.update_function_configuration(FunctionName=function.name, Role=missing)
    assert client.get_function_configuration(FunctionName=function.name)["Role"] == pathed
    function.configure(Role=role(iam))


def test_a_role_has_to_trust_lambda(strict, iam):
    client = strict.client()
    account = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    source = {"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:*"}}
    for trust in [trusting(Service=["ec2.amazonaws.com", "lambda.amazonaws.com"]), trusting(account | source, Service="lambda.amazonaws.com")]:
        create(strict, role(iam, trust))
    for trust in [
        trusting(Service="ec2.amazonaws.com"),
        trusting(AWS=ACCOUNT),
        trusting({"StringEquals": {"aws:SourceAccount": "999999999999"}}, Service="lambda.amazonaws.com"),
    ]:
        with refused(client, "InvalidParameterValueException", 400, NOT_ASSUMABLE):
            create(strict, role(iam, trust))


def test_a_role_of_another_account_is_refused(strict):
    other = "210987654321"
    theirs = role(strict.client("iam", account=other))
    with refused(strict.client(), "AccessDeniedException", 403, "^Cross-account pass role is not allowed.$"):
        create(strict, theirs)


def test_a_functions_session_passes_what_its_roles_policies_say(strict, iam):
    own, allowed, denied = role(iam), role(iam), role(iam)
    caller, target = create(strict, own), create(strict, own)
    name = own.rsplit("/", 1)[1]
    update = {"Effect": "Allow", "Action": "lambda:UpdateFunctionConfiguration", "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="update", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": update}))

    def passed(role):
        return caller.call({"function": target.name, "role": role})

    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{caller.name}"
    refusal = f"User: {session} is not authorized to perform: iam:PassRole on resource: {allowed} because no identity-based policy allows the iam:PassRole action"
    assert passed(allowed) == ["AccessDeniedException", refusal]
    statement = {"Effect": "Allow", "Action": "iam:Pass*", "Resource": [allowed, denied]}
    deny = {"Effect": "Deny", "Action": "*", "Resource": denied}
    policy = {"Version": "2012-10-17", "Statement": [statement, deny]}
    iam.put_role_policy(RoleName=name, PolicyName="pass", PolicyDocument=json.dumps(policy))
    assert passed(allowed) is None
    target.settle()
    assert passed(denied)[0] == "AccessDeniedException"
    iam.delete_role_policy(RoleName=name, PolicyName="pass")
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert passed(denied) is None


def test_roles_are_checked_by_default_where_keys_are(own_daemon):
    daemon = own_daemon(KEYS)
    client = daemon.client(account="AKIDEXAMPLE", secret="a-secret")
    with refused(client, "InvalidParameterValueException", 400, NOT_ASSUMABLE):
        client.create_function(
            FunctionName="f", Runtime="python3.11", Handler="app.handler", Role=arn("none"), Code={"ZipFile": PACKAGE}
        )
    assert "roles of functions are not checked" not in daemon.log()


def test_without_keys_on_loopback_any_role_will_do_and_the_daemon_says_so(daemon):
    create(daemon, arn("none")).delete()
    create(daemon, arn("theirs", "210987654321")).delete()
    assert 'roles of functions are not checked (roles = "lenient"' in daemon.log()


def test_hearth_deploy_makes_its_role(own_daemon, tmp_path):
    daemon = own_daemon(KEYS)
    (tmp_path / "greet").mkdir()
    (tmp_path / "greet" / "app.py").write_text("def handler(event, context):\n    return 'hello'\n")
    environment = daemon.environment("AKIDEXAMPLE") | {"AWS_SECRET_ACCESS_KEY": "a-secret"}
    for _ in range(2):
        command = [HEARTH, "deploy", tmp_path / "greet", "--endpoint", daemon.endpoint]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
        assert done.returncode == 0, done.stderr
    client = daemon.client(account="AKIDEXAMPLE", secret="a-secret")
    assert client.get_function_configuration(FunctionName="greet")["Role"] == arn("hearth")
    client.delete_function(FunctionName="greet")
    done = subprocess.run([HEARTH, "deploy", tmp_path / "greet", "--endpoint", daemon.endpoint], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
