"""Drives the server with unmodified clients. usage: judge.py PORT keys|open"""

import datetime
import io
import json
import sys
import time
import zipfile

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
from botocore.config import Config
from botocore.exceptions import ClientError

PORT, MODE = sys.argv[1:]
URL = f"http://127.0.0.1:{PORT}"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333", "Service": "lambda.amazonaws.com"}}]})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def client(service, key="AKIDEXAMPLE", secret="a secret", token=None, **config):
    return boto3.client(
        service, endpoint_url=URL, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
        aws_session_token=token, config=Config(retries={"total_max_attempts": 1}, **config))


def refusal(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    raise AssertionError("not refused")


def package():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    return data.getvalue()


def signatures():
    assert client("sts").get_caller_identity()["Account"] == "111122223333"
    for service, call, arguments, wrong, unknown in [
        ("lambda", "list_functions", {}, (403, "InvalidSignatureException"), (403, "UnrecognizedClientException")),
        ("sts", "get_caller_identity", {}, (403, "SignatureDoesNotMatch"), (403, "InvalidClientTokenId")),
        ("logs", "describe_log_groups", {}, (400, "InvalidSignatureException"), (400, "UnrecognizedClientException")),
    ]:
        getattr(client(service), call)(**arguments)
        assert refusal(getattr(client(service, secret="wrong"), call), **arguments) == wrong, service
        assert refusal(getattr(client(service, key="AKIDOTHER"), call), **arguments) == unknown, service


def paths_and_queries():
    """Names that are encoded, twice in the signature, and queries with several values."""
    functions = client("lambda")
    for name in ["hello", "hello:prod", "arn:aws:lambda:us-east-1:111122223333:function:hello:$LATEST"]:
        assert refusal(functions.invoke, FunctionName=name) == (404, "ResourceNotFoundException"), name
    arn = "arn:aws:lambda:us-east-1:111122223333:function:none"
    told = refusal(functions.untag_resource, Resource=arn, TagKeys=["a b", "é", "x/y", "~", "a+b"])
    assert told[0] in (400, 404), told
    assert refusal(functions.invoke, FunctionName="hello", Payload=b"{}" * 100, ClientContext="e30=")[0] in (400, 404)


def clocks():
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "a secret")
    for minutes, code in [(4, None), (-4, None), (6, "SignatureDoesNotMatch"), (-6, "SignatureDoesNotMatch")]:
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        original = botocore.auth.get_current_datetime
        botocore.auth.get_current_datetime = lambda: now
        try:
            if code is None:
                client("sts").get_caller_identity()
            else:
                assert refusal(client("sts").get_caller_identity) == (403, code), minutes
        finally:
            botocore.auth.get_current_datetime = original


def presigned():
    import urllib.error
    import urllib.request
    url = client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60)
    request = urllib.request.Request(url, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert b"111122223333" in answer.read()
    for changed in [url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), url + "0"]:
        try:
            urllib.request.urlopen(urllib.request.Request(changed, method="POST"))
            raise AssertionError("not refused")
        except urllib.error.HTTPError as error:
            assert error.code == 403, error.code


def payload_modes():
    """Signatures of S3's kind: the hash of the body in a header, and an unsigned body."""
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "a secret")
    import urllib.error
    import urllib.request
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    for sha, sent, status in [
        ("UNSIGNED-PAYLOAD", body, 200), (None, body, 200), (None, body + b" ", 403),
    ]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if sha:
            headers["X-Amz-Content-SHA256"] = sha
        request = botocore.awsrequest.AWSRequest("POST", URL + "/", headers=headers, data=body)
        botocore.auth.SigV4Auth(credentials, "sts", "us-east-1").add_auth(request)
        try:
            with urllib.request.urlopen(urllib.request.Request(URL + "/", sent, dict(request.headers))) as answer:
                assert answer.status == status
        except urllib.error.HTTPError as error:
            assert error.code == status, (sha, error.code, error.read())


def sessions():
    iam = client("iam")
    role = iam.create_role(RoleName="assumable", AssumeRolePolicyDocument=TRUST)["Role"]
    held = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")
    keys = held["Credentials"]
    mine = client("sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    identity = mine.get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::111122223333:assumed-role/assumable/me", identity
    assert identity["UserId"] == held["AssumedRoleUser"]["AssumedRoleId"]
    forged = client("sts", keys["AccessKeyId"], "guess", keys["SessionToken"])
    assert refusal(forged.get_caller_identity) == (403, "SignatureDoesNotMatch")
    tokenless = client("sts", keys["AccessKeyId"], keys["SecretAccessKey"])
    assert refusal(tokenless.get_caller_identity) == (403, "InvalidClientTokenId")
    assert refusal(client("sts").assume_role, RoleArn=role["Arn"] + "x", RoleSessionName="me") == (403, "AccessDenied")
    token = client("sts").get_session_token()["Credentials"]
    own = client("sts", token["AccessKeyId"], token["SecretAccessKey"], token["SessionToken"])
    assert own.get_caller_identity()["Arn"] == "arn:aws:iam::111122223333:root"
    iam.delete_role(RoleName="assumable")


def roles():
    iam = client("iam")
    created = iam.create_role(
        RoleName="R", AssumeRolePolicyDocument=TRUST, Description="<d> & é", Tags=[{"Key": "k", "Value": "v"}])["Role"]
    assert created["Arn"] == "arn:aws:iam::111122223333:role/R" and len(created["RoleId"]) == 20
    role = iam.get_role(RoleName="r")["Role"]
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST) and role["Description"] == "<d> & é"
    assert refusal(iam.create_role, RoleName="r", AssumeRolePolicyDocument=TRUST) == (409, "EntityAlreadyExists")
    assert refusal(iam.create_role, RoleName="x", AssumeRolePolicyDocument="{") == (400, "MalformedPolicyDocument")
    assert refusal(iam.get_role, RoleName="none") == (404, "NoSuchEntity")
    iam.put_role_policy(RoleName="R", PolicyName="inline", PolicyDocument=POLICY)
    assert iam.get_role_policy(RoleName="R", PolicyName="inline")["PolicyDocument"] == json.loads(POLICY)
    assert iam.list_role_policies(RoleName="R")["PolicyNames"] == ["inline"]
    policy = iam.create_policy(PolicyName="P", PolicyDocument=POLICY)["Policy"]["Arn"]
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    for arn in [policy, policy, basic]:
        iam.attach_role_policy(RoleName="R", PolicyArn=arn)
    assert refusal(iam.attach_role_policy, RoleName="R", PolicyArn="AWSLambdaBasicExecutionRole") == (400, "ValidationError")
    attached = iam.list_attached_role_policies(RoleName="R")["AttachedPolicies"]
    assert [entry["PolicyName"] for entry in attached] == ["P", "AWSLambdaBasicExecutionRole"], attached
    assert iam.get_policy(PolicyArn=policy)["Policy"]["AttachmentCount"] == 1
    assert iam.get_policy_version(PolicyArn=policy, VersionId="v1")["PolicyVersion"]["Document"] == json.loads(POLICY)
    assert iam.create_policy_version(PolicyArn=policy, PolicyDocument=POLICY, SetAsDefault=True)["PolicyVersion"]["VersionId"] == "v2"
    versions = iam.list_policy_versions(PolicyArn=policy)["Versions"]
    assert [(entry["VersionId"], entry["IsDefaultVersion"]) for entry in versions] == [("v2", True), ("v1", False)]
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    assert refusal(iam.delete_policy, PolicyArn=policy) == (409, "DeleteConflict")
    assert refusal(iam.delete_role, RoleName="R") == (409, "DeleteConflict")
    for arn in [policy, basic]:
        iam.detach_role_policy(RoleName="R", PolicyArn=arn)
    assert refusal(iam.detach_role_policy, RoleName="R", PolicyArn=policy) == (404, "NoSuchEntity")
    assert refusal(iam.delete_role, RoleName="R") == (409, "DeleteConflict")
    iam.delete_role_policy(RoleName="R", PolicyName="inline")
    iam.tag_role(RoleName="R", Tags=[{"Key": "l", "Value": "w"}])
    iam.untag_role(RoleName="R", TagKeys=["k"])
    assert iam.list_role_tags(RoleName="R")["Tags"] == [{"Key": "l", "Value": "w"}]
    iam.update_role(RoleName="R", MaxSessionDuration=7200)
    iam.update_assume_role_policy(RoleName="R", PolicyDocument=TRUST)
    assert iam.get_role(RoleName="R")["Role"]["MaxSessionDuration"] == 7200
    assert iam.list_instance_profiles_for_role(RoleName="R")["InstanceProfiles"] == []
    # Which members each answer has was recorded from the service.
    listed = {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"}
    for index in range(5):
        made = iam.create_role(
            RoleName=f"page-{index}", AssumeRolePolicyDocument=TRUST, Path="/paged/", PermissionsBoundary=policy)["Role"]
        assert set(made) == listed | {"PermissionsBoundary"}, made
    shown = iam.list_roles(PathPrefix="/paged/")["Roles"][0]
    assert set(shown) == listed | {"MaxSessionDuration"}, shown
    pages = list(iam.get_paginator("list_roles").paginate(PathPrefix="/paged/", PaginationConfig={"PageSize": 2}))
    assert [len(page["Roles"]) for page in pages] == [2, 2, 1], pages
    iam.get_waiter("role_exists").wait(RoleName="R")
    iam.delete_policy(PolicyArn=policy)
    iam.delete_role(RoleName="R")
    assert refusal(iam.get_policy, PolicyArn=policy) == (404, "NoSuchEntity")
    assert iam.get_user()["User"]["Arn"] == "arn:aws:iam::111122223333:root"


def logs():
    logs = client("logs", inject_host_prefix=False)
    logs.create_log_group(logGroupName="/g", tags={"a": "b"})
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    tail = logs.start_live_tail(logGroupIdentifiers=["arn:aws:logs:us-east-1:111122223333:log-group:/g"])
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName="/g", logStreamName="s",
        logEvents=[{"timestamp": now + index, "message": f"event {index}"} for index in range(25)])
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/g", PaginationConfig={"PageSize": 10})
    assert [event["message"] for page in pages for event in page["events"]] == [f"event {n}" for n in range(25)]
    streams = logs.describe_log_streams(logGroupName="/g", orderBy="LastEventTime", descending=True)["logStreams"]
    assert streams[0]["lastEventTimestamp"] == now + 24, streams
    for event in tail["responseStream"]:
        if event.get("sessionUpdate", {}).get("sessionResults"):
            assert event["sessionUpdate"]["sessionResults"][0]["message"] == "event 0"
            break
    tail["responseStream"].close()
    assert refusal(logs.create_log_group, logGroupName="/g") == (400, "ResourceAlreadyExistsException")
    logs.delete_log_group(logGroupName="/g")


def open_mode():
    functions = client("lambda", "anything", "anything")
    answer = functions.invoke(FunctionName="hello", Payload=b'{"a": 1}', LogType="Tail")
    assert answer["Payload"].read() == b'{"a": 1}' and answer["ExecutedVersion"] == "$LATEST"
    streamed = functions.invoke_with_response_stream(FunctionName="hello", Payload=b'"abcdefgh"')
    events = list(streamed["EventStream"])
    assert b"".join(event["PayloadChunk"]["Payload"] for event in events[:-1]) == b'"abcdefgh"'
    assert events[-1] == {"InvokeComplete": {}}, events
    assert functions.invoke(FunctionName="hello", InvocationType="Event")["StatusCode"] == 202
    assert functions.invoke(FunctionName="hello", InvocationType="DryRun")["StatusCode"] == 204
    too_large = refusal(functions.invoke, FunctionName="hello", Payload=b'"' + b"x" * (7 << 20) + b'"')
    assert too_large == (413, "RequestEntityTooLargeException"), too_large
    event = refusal(functions.invoke, FunctionName="hello", InvocationType="Event", Payload=b'"' + b"x" * (2 << 20) + b'"')
    assert event == (413, "RequestEntityTooLargeException"), event
    assert client("sts", "123456789012", "x").get_caller_identity()["Account"] == "123456789012"
    assert client("sts", "AKIDOTHER", "x").get_caller_identity()["Account"] == "000000000000"
    assert refusal(client("kinesis").list_streams)[0] == 501
    assert refusal(client("s3").list_buckets)[0] == 501
    assert refusal(client("cloudformation").list_stacks)[0] == 501


if MODE == "keys":
    for check in [signatures, paths_and_queries, clocks, presigned, payload_modes, sessions, roles, logs]:
        check()
else:
    open_mode()
