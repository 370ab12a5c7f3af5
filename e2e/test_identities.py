"""Roles and policies through their lives, as deploying tools take them."""

import json

import pytest
from package import TRUST, unique

ACCOUNT = "777788889999"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def iam(daemon):
    return daemon.client("iam", account=ACCOUNT)


@pytest.fixture
def role(iam):
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "made", "Value": "here"}])
    return name


@pytest.fixture
def policy(iam):
    tags = [{"Key": "made", "Value": "here"}]
    return iam.create_policy(PolicyName=unique("policy"), PolicyDocument=json.dumps(ALLOW), Description="d", Tags=tags)["Policy"]["Arn"]


def pages(iam, operation, key, **arguments):
    """All that is listed, a piece per page."""
    paginator = iam.get_paginator(operation)
    return [item for page in paginator.paginate(**arguments, PaginationConfig={"PageSize": 1}) for item in page[key]]


class TestRoles:
    def test_is_changed_in_every_part(self, iam, role):
        assert set(iam.update_role(RoleName=role, Description="one", MaxSessionDuration=7200)) == {"ResponseMetadata"}
        found = iam.get_role(RoleName=role)["Role"]
        assert (found["Description"], found["MaxSessionDuration"]) == ("one", 7200)
        answer = iam.update_role_description(RoleName=role, Description="two")["Role"]
        assert (answer["Description"], answer["MaxSessionDuration"]) == ("two", 7200)
        trust = {**TRUST, "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
        assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == trust
        with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
            iam.update_assume_role_policy(RoleName=role, PolicyDocument="{}")

    def test_has_tags(self, iam, role):
        iam.tag_role(RoleName=role, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
        iam.untag_role(RoleName=role, TagKeys=["made", "none"])
        assert pages(iam, "list_role_tags", "Tags", RoleName=role) == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
        assert iam.get_role(RoleName=role)["Role"]["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]

    def test_has_policies_of_its_own(self, iam, role):
        for name in ("one", "two"):
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(ALLOW))
        assert pages(iam, "list_role_policies", "PolicyNames", RoleName=role) == ["one", "two"]
        found = iam.get_role_policy(RoleName=role, PolicyName="one")
        assert {name: found[name] for name in ("RoleName", "PolicyName", "PolicyDocument")} == {
            "RoleName": role, "PolicyName": "one", "PolicyDocument": ALLOW,
        }
        iam.delete_role_policy(RoleName=role, PolicyName="one")
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.get_role_policy(RoleName=role, PolicyName="one")

    def test_has_a_boundary(self, iam, role, policy):
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=policy)
        boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy}
        assert iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"] == boundary
        iam.delete_role_permissions_boundary(RoleName=role)
        assert "PermissionsBoundary" not in iam.get_role(RoleName=role)["Role"]

    def test_is_in_no_instance_profile(self, iam, role):
        assert iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"] == []
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.list_instance_profiles_for_role(RoleName="none")


class TestPolicies:
    def test_has_versions(self, iam, policy):
        second = iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(DENY))["PolicyVersion"]
        assert (second["VersionId"], second["IsDefaultVersion"], "Document" in second) == ("v2", False, False)
        third = iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(DENY), SetAsDefault=True)["PolicyVersion"]
        assert (third["VersionId"], third["IsDefaultVersion"]) == ("v3", True)
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v2")
        found = iam.get_policy_version(PolicyArn=policy, VersionId="v2")["PolicyVersion"]
        assert (found["Document"], found["IsDefaultVersion"]) == (DENY, True)
        assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v2"
        with pytest.raises(iam.exceptions.DeleteConflictException):
            iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
        iam.delete_policy_version(PolicyArn=policy, VersionId="v3")
        versions = pages(iam, "list_policy_versions", "Versions", PolicyArn=policy)
        assert [(version["VersionId"], version["IsDefaultVersion"]) for version in versions] == [("v2", True), ("v1", False)]

    def test_has_tags_and_is_listed(self, iam, policy):
        assert pages(iam, "list_policy_tags", "Tags", PolicyArn=policy) == [{"Key": "made", "Value": "here"}]
        listed = next(one for one in pages(iam, "list_policies", "Policies", Scope="Local") if one["Arn"] == policy)
        assert not {"Description", "Tags"} & set(listed), "lists leave these out"
        assert {"Description", "Tags"} <= set(iam.get_policy(PolicyArn=policy)["Policy"])

    def test_is_deleted_when_nobody_has_it(self, iam, role, policy):
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        with pytest.raises(iam.exceptions.DeleteConflictException):
            iam.delete_policy(PolicyArn=policy)
        iam.detach_role_policy(RoleName=role, PolicyArn=policy)
        iam.delete_policy(PolicyArn=policy)
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.get_policy(PolicyArn=policy)


def test_the_account_has_its_root_alone(iam):
    user = iam.get_user()["User"]
    assert (user["UserName"], user["Arn"]) == ("root", f"arn:aws:iam::{ACCOUNT}:root")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName="somebody")


class TestLogGroups:
    @pytest.fixture
    def logs(self, daemon):
        return daemon.client("logs", account=ACCOUNT)

    @pytest.fixture
    def group(self, logs):
        name = unique("/group")
        logs.create_log_group(logGroupName=name)
        return name

    def test_tags_in_the_older_form(self, logs, group):
        logs.tag_log_group(logGroupName=group, tags={"a": "1", "b": "2"})
        logs.untag_log_group(logGroupName=group, tags=["a", "none"])
        assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"b": "2"}
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.list_tags_log_group(logGroupName=group + "x")

    def test_retention_comes_and_goes(self, logs, group):
        logs.put_retention_policy(logGroupName=group, retentionInDays=7)
        logs.delete_retention_policy(logGroupName=group)
        assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]

    def test_streams_are_deleted(self, logs, group):
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        logs.delete_log_stream(logGroupName=group, logStreamName="s")
        assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.delete_log_stream(logGroupName=group, logStreamName="s")

    def test_are_listed_in_brief(self, logs, group):
        found = logs.list_log_groups(logGroupNamePattern=f"^{group}")["logGroups"]
        assert [set(one) for one in found] == [{"logGroupName", "logGroupArn", "logGroupClass"}]
        assert logs.list_log_groups(logGroupNamePattern="^group")["logGroups"] == [], "a name begins where it begins"
