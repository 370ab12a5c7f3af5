"""The protocols of services beside Lambda's, with AWS's own client and without."""

import json
import urllib.parse
import urllib.request

import pytest
from botocore.exceptions import ClientError
from package import TRUST, unique

ACCOUNT = "666677778888"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def form(daemon, accept=None, **parameters):
    """The answer's content type and body; the request is not signed."""
    body = urllib.parse.urlencode(parameters).encode()
    request = urllib.request.Request(daemon.endpoint, data=body, headers={"Accept": accept} if accept else {})
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.headers["Content-Type"], answer.read().decode()


class TestQueues:
    def test_one_that_does_not_exist(self, daemon):
        sqs = daemon.client("sqs", account=ACCOUNT)
        with pytest.raises(sqs.exceptions.QueueDoesNotExist) as error:
            sqs.get_queue_url(QueueName="none")
        assert error.value.response["Error"]["Message"] == "The specified queue does not exist."
        assert error.value.response["Error"]["QueryErrorCode"] == "QueueDoesNotExist"
        assert error.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"

    def test_in_the_form_that_older_clients_send(self, daemon):
        kind, body = form(daemon, Action="GetQueueUrl", QueueName="none", Version="2012-11-05")
        assert kind == "text/xml"
        assert "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in body

    def test_what_is_not_there_says_so(self, daemon):
        sqs = daemon.client("sqs", account=ACCOUNT)
        with pytest.raises(ClientError) as error:
            sqs.list_queues()
        assert "The operation ListQueues is not supported by Hearth" in str(error.value)


class TestPolicies:
    def test_entities_that_have_one(self, daemon):
        iam = daemon.client("iam", account=ACCOUNT)
        arn = iam.create_policy(PolicyName=unique("p"), PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
        names = sorted(unique("r") for _ in range(3))
        for name in names:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        for name in names[:2]:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        iam.put_role_permissions_boundary(RoleName=names[2], PermissionsBoundary=arn)

        def entities(**filters):
            pages = iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 1}, **filters)
            return [role["RoleName"] for page in pages for role in page["PolicyRoles"]]

        assert entities() == names[:2]
        assert entities(EntityFilter="User") == []
        assert entities(PathPrefix="/other/") == []
        assert entities(PolicyUsageFilter="PermissionsBoundary") == names[2:]
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.list_entities_for_policy(PolicyArn=arn + "x")


class TestMetricFilters:
    def test_no_group_has_any(self, daemon):
        logs = daemon.client("logs", account=ACCOUNT)
        group = unique("/metrics")
        logs.create_log_group(logGroupName=group)
        assert logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.describe_metric_filters(logGroupName=group + "x")


class TestForms:
    def test_answers_are_json_for_those_who_ask(self, daemon):
        kind, body = form(daemon, "application/json", Action="GetCallerIdentity", Version="2011-06-15")
        assert kind == "application/json"
        answer = json.loads(body)["GetCallerIdentityResponse"]
        assert answer["GetCallerIdentityResult"]["Account"] == "000000000000"
        assert answer["ResponseMetadata"]["RequestId"]
        kind, body = form(daemon, "application/json", Action="GetRole", RoleName="none", Version="2010-05-08")
        assert json.loads(body)["Error"] == {
            "Type": "Sender", "Code": "NoSuchEntity", "Message": "The role with name none cannot be found.",
        }

    def test_a_number_that_is_none(self, daemon):
        _, body = form(daemon, Action="ListRoles", MaxItems="many", Version="2010-05-08")
        assert "<Code>MalformedInput</Code>" in body
