"""What one account lets another do with its functions and layers, by their resource policies."""

import json

import pytest
from daemon import ACCOUNT, REGION, refused
from package import deploy, make_zip, python_zip, unique

OTHER = "210987654321"


@pytest.fixture
def other(daemon):
    return daemon.client(account=OTHER)


class TestFunctions:
    @pytest.fixture
    def shared(self, daemon):
        function = deploy(daemon, "probe.echo")
        function.client.add_permission(FunctionName=function.name, StatementId="all", Action="lambda:*", Principal=OTHER)
        return function

    def test_are_read_changed_and_deleted_by_whom_their_policy_names(self, shared, other):
        arn = shared.arn
        assert other.get_function(FunctionName=arn)["Configuration"]["FunctionArn"] == arn
        assert other.get_function_configuration(FunctionName=arn)["FunctionArn"] == arn
        assert other.invoke(FunctionName=arn, Payload="7")["Payload"].read() == b"7"
        other.update_function_code(FunctionName=arn, ZipFile=python_zip())
        shared.settle()
        assert other.publish_version(FunctionName=arn)["FunctionArn"] == f"{arn}:1"
        versions = other.list_versions_by_function(FunctionName=arn)["Versions"]
        assert [version["Version"] for version in versions] == ["$LATEST", "1"]
        assert json.loads(other.get_policy(FunctionName=arn)["Policy"])["Statement"][0]["Sid"] == "all"
        other.put_function_concurrency(FunctionName=arn, ReservedConcurrentExecutions=1)
        other.delete_function_concurrency(FunctionName=arn)
        other.create_alias(FunctionName=arn, Name="live", FunctionVersion="1")
        other.update_alias(FunctionName=arn, Name="live", Description="theirs")
        assert other.get_alias(FunctionName=arn, Name="live")["Description"] == "theirs"
        assert len(other.list_aliases(FunctionName=arn)["Aliases"]) == 1
        other.delete_alias(FunctionName=arn, Name="live")
        other.tag_resource(Resource=arn, Tags={"a": "b"})
        assert other.list_tags(Resource=arn)["Tags"] == {"a": "b"}
        other.untag_resource(Resource=arn, TagKeys=["a"])
        # None of it is in the other account.
        assert other.list_functions()["Functions"] == []
        other.delete_function(FunctionName=arn)
        with refused(shared.client, "ResourceNotFoundException", 404):
            shared.client.get_function(FunctionName=shared.name)

    def test_keep_to_themselves_what_no_policy_opens(self, shared, other):
        with refused(other, "AccessDeniedException", 403, "Cross-account pass is not allowed"):
            other.update_function_configuration(FunctionName=shared.arn, Timeout=1)
        with refused(other, "AccessDeniedException", 403):
            other.add_permission(FunctionName=shared.arn, StatementId="x", Action="lambda:*", Principal="*")

    def test_are_closed_without_a_permission(self, daemon, other):
        function = deploy(daemon, "probe.echo")
        words = f"is not authorized to perform: lambda:GetFunction on resource: {function.arn} because no resource-based policy allows"
        with refused(other, "AccessDeniedException", 403, words):
            other.get_function(FunctionName=function.arn)
        gone = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:nothing"
        with refused(other, "AccessDeniedException", 403, "lambda:DeleteFunction"):
            other.delete_function(FunctionName=gone)
        with refused(other, "AccessDeniedException", 403, "lambda:ListTags"):
            other.list_tags(Resource=function.arn)


class TestLayers:
    def test_are_read_by_whom_their_policy_names(self, daemon, client, other):
        name = unique("shared")
        data = make_zip({"python/shared.py": "ANSWER = 42\n"})
        layer = client.publish_layer_version(LayerName=name, Content={"ZipFile": data})
        arn, version = layer["LayerArn"], layer["LayerVersionArn"]
        words = f"is not authorized to perform: lambda:GetLayerVersion on resource: {version} because no resource-based policy allows"
        for read in (
            lambda: other.get_layer_version(LayerName=arn, VersionNumber=1),
            lambda: other.get_layer_version_by_arn(Arn=version),
        ):
            with refused(other, "AccessDeniedException", 403, words):
                read()
        client.add_layer_version_permission(
            LayerName=name, VersionNumber=1, StatementId="s", Action="lambda:GetLayerVersion", Principal=OTHER
        )
        assert other.get_layer_version(LayerName=arn, VersionNumber=1)["LayerVersionArn"] == version
        assert other.get_layer_version_by_arn(Arn=version)["LayerArn"] == arn
        for change in (
            lambda: other.delete_layer_version(LayerName=arn, VersionNumber=1),
            lambda: other.get_layer_version_policy(LayerName=arn, VersionNumber=1),
            lambda: other.list_layer_versions(LayerName=arn),
        ):
            with refused(other, "AccessDeniedException", 403):
                change()
        code = make_zip({"app.py": "import shared\n\ndef handler(event, context):\n    return shared.ANSWER\n"})
        function = deploy(daemon, "app.handler", package=code, client=other, Layers=[version])
        assert function.call({}) == 42
        function.configure(Layers=[])
        function.configure(Layers=[version])
        assert function.call({}) == 42
        function.delete()
