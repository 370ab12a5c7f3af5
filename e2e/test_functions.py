"""The control plane through unmodified boto3: every operation, waiter, paginator and error a client can provoke."""

import base64
import hashlib
import json
import os
import re
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from daemon import ACCOUNT, REGION, refused, wait_until
from package import ROLE, make_zip, unique

LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}"
HELLO = make_zip({"app.py": "def handler(event, context):\n    return 'hello'\n"})
BYE = make_zip({"app.py": "def handler(event, context):\n    return 'bye'\n"})


def arguments(name, **changes):
    return {
        "FunctionName": name,
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Role": ROLE,
        "Code": {"ZipFile": HELLO},
    } | changes


@pytest.fixture
def function(deploy):
    return deploy("app.handler", package=HELLO)


def sha256(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class TestCreate:
    def test_answers_with_the_whole_configuration_and_lambdas_defaults(self, client):
        name = unique("created")
        answer = client.create_function(**arguments(name, Description="says hello"))
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert answer["FunctionName"] == name
        assert answer["FunctionArn"] == f"{LAMBDA}:function:{name}"
        assert answer["State"] == "Pending"
        assert answer["StateReasonCode"] == "Creating"
        assert answer["StateReason"] == "The function is being created."
        assert answer["Version"] == "$LATEST"
        assert answer["CodeSha256"] == sha256(HELLO)
        assert answer["CodeSize"] == len(HELLO)
        assert answer["Timeout"] == 3
        assert answer["MemorySize"] == 128
        assert answer["PackageType"] == "Zip"
        assert answer["Architectures"] == ["x86_64"]
        assert answer["EphemeralStorage"] == {"Size": 512}
        assert answer["TracingConfig"] == {"Mode": "PassThrough"}
        assert answer["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
        assert answer["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
        assert answer["Description"] == "says hello"
        assert answer["Role"] == ROLE
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", answer["LastModified"])
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer["RevisionId"])
        client.get_waiter("function_exists").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        settled = client.get_function_configuration(FunctionName=name)
        assert settled["State"] == "Active"
        assert settled["LastUpdateStatus"] == "Successful"
        assert "StateReason" not in settled
        client.delete_function(FunctionName=name)

    def test_publishes_at_once_if_asked_to(self, client):
        name = unique("published")
        answer = client.create_function(**arguments(name, Publish=True))
        assert answer["Version"] == "1"
        client.get_waiter("published_version_active").wait(
            FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        assert client.get_function_configuration(FunctionName=name, Qualifier="1")["FunctionArn"].endswith(f"{name}:1")
        client.delete_function(FunctionName=name)

    def test_takes_every_ordinary_setting(self, client):
        name = unique("settings")
        given = {
            "Timeout": 900,
            "MemorySize": 10240,
            "EphemeralStorage": {"Size": 10240},
            "Environment": {"Variables": {"STAGE": "1", "EMPTY": ""}},
            "Description": "ä" * 256,
            "TracingConfig": {"Mode": "Active"},
            "LoggingConfig": {
                "LogFormat": "JSON",
                "ApplicationLogLevel": "DEBUG",
                "SystemLogLevel": "WARN",
                "LogGroup": "/shop/orders",
            },
            "Architectures": ["x86_64"],
        }
        client.create_function(**arguments(name, Tags={"team": "orders"}, **given))
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        answer = client.get_function(FunctionName=name)
        for key, value in given.items():
            assert answer["Configuration"][key] == value, key
        assert answer["Tags"]["team"] == "orders"
        client.delete_function(FunctionName=name)

    def test_refuses_a_name_that_is_taken(self, client, function):
        with refused(client, "ResourceConflictException", 409, f"^Function already exist: {function.name}$"):
            client.create_function(**arguments(function.name))

    def test_takes_the_name_of_another_accounts_function(self, daemon, function):
        other = daemon.client(account="999999999999")
        answer = other.create_function(**arguments(function.name))
        assert answer["FunctionArn"] == f"arn:aws:lambda:{REGION}:999999999999:function:{function.name}"
        other.delete_function(FunctionName=function.name)
        assert function.call({}) == "hello"

    @pytest.mark.parametrize(
        ("code", "status", "text", "changes"),
        [
            ("ValidationException", 400, "at 'functionName' failed to satisfy constraint", {"FunctionName": "no spaces"}),
            ("ValidationException", 400, "at 'functionName' failed to satisfy constraint", {"FunctionName": "x" * 141}),
            ("ValidationException", 400, "at 'role' failed to satisfy constraint", {"Role": "me"}),
            ("ValidationException", 400, "at 'memorySize' failed to satisfy constraint", {"MemorySize": 64}),
            ("ValidationException", 400, "at 'memorySize' failed to satisfy constraint", {"MemorySize": 40000}),
            ("ValidationException", 400, "at 'timeout' failed to satisfy constraint", {"Timeout": 0}),
            ("ValidationException", 400, "at 'description' failed to satisfy constraint", {"Description": "x" * 257}),
            ("ValidationException", 400, "at 'handler' failed to satisfy constraint", {"Handler": "a b"}),
            ("ValidationException", 400, "at 'handler' failed to satisfy constraint", {"Handler": "x" * 129}),
            ("ValidationException", 400, "at 'ephemeralStorage.size' failed", {"EphemeralStorage": {"Size": 100}}),
            ("ValidationException", 400, "at 'tracingConfig.mode' failed", {"TracingConfig": {"Mode": "Some"}}),
            ("ValidationException", 400, "at 'packageType' failed", {"PackageType": "Tar"}),
            ("ValidationException", 400, "architectures", {"Architectures": ["vax"]}),
            ("ValidationException", 400, "at 'environment.variables'", {"Environment": {"Variables": {"no-dash": "1"}}}),
            ("InvalidParameterValueException", 400, "(?i)runtime", {"Runtime": "cobol1.0"}),
            ("InvalidParameterValueException", 400, "Runtime and Handler are mandatory", {"Runtime": None}),
            ("InvalidParameterValueException", 400, "Runtime and Handler are mandatory", {"Handler": None}),
            ("InvalidParameterValueException", 400, "(?i)timeout", {"Timeout": 901}),
            (
                "InvalidParameterValueException",
                400,
                "Reserved keys used in this request: AWS_REGION",
                {"Environment": {"Variables": {"AWS_REGION": "x"}}},
            ),
            (
                "InvalidParameterValueException",
                400,
                "exceeded the 4KB limit",
                {"Environment": {"Variables": {"BIG": "x" * 4097}}},
            ),
            ("InvalidParameterValueException", 400, "^Could not unzip uploaded file", {"Code": {"ZipFile": b"not a zip"}}),
            ("InvalidParameterValueException", 400, "zip", {"Code": {"ZipFile": b""}}),
            ("InvalidParameterValueException", 400, "^Uploaded file must be a non-empty zip", {"Code": {"ZipFile": make_zip({})}}),
            ("InvalidParameterValueException", 400, None, {"Code": {}}),
            (
                "InvalidParameterValueException",
                400,
                "Layer version .*:layer:none:1 does not exist",
                {"Layers": [f"{LAMBDA}:layer:none:1"]},
            ),
            ("InvalidParameterValueException", 400, "(?i)layer", {"Layers": [f"{LAMBDA}:layer:none:{n}" for n in range(1, 7)]}),
        ],
    )
    def test_refuses_what_lambda_refuses(self, unchecked, code, status, text, changes):
        name = unique("refused")
        request = {key: value for key, value in arguments(name, **changes).items() if value is not None}
        with refused(unchecked, code, status, text):
            unchecked.create_function(**request)
        with refused(unchecked, "ResourceNotFoundException", 404):
            unchecked.get_function(FunctionName=name)

    def test_refuses_each_reserved_variable(self, unchecked):
        for key in [
            "_HANDLER",
            "_X_AMZN_TRACE_ID",
            "AWS_DEFAULT_REGION",
            "AWS_REGION",
            "AWS_EXECUTION_ENV",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_INITIALIZATION_TYPE",
            "AWS_LAMBDA_LOG_GROUP_NAME",
            "AWS_LAMBDA_LOG_STREAM_NAME",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_LAMBDA_RUNTIME_API",
            "LAMBDA_TASK_ROOT",
            "LAMBDA_RUNTIME_DIR",
        ]:
            variables = {"Variables": {key: "x", "FINE": "y"}}
            # Lambda's pattern for names wants a letter first, and says so before it looks at what is reserved.
            code = "InvalidParameterValueException" if key[0] != "_" else None
            try:
                unchecked.create_function(**arguments(unique("reserved"), Environment=variables))
            except unchecked.exceptions.ClientError as error:
                found = error.response["Error"]["Code"]
                assert found == code or (code is None and found in {"InvalidParameterValueException", "ValidationException"})
            else:
                raise AssertionError(f"{key} was accepted")


class TestGet:
    def test_function_shows_configuration_and_code_that_can_be_fetched(self, client, function):
        answer = client.get_function(FunctionName=function.name)
        assert answer["Configuration"]["FunctionArn"] == function.arn
        assert answer["Code"]["RepositoryType"] == "S3"
        with urllib.request.urlopen(answer["Code"]["Location"]) as download:
            assert download.read() == HELLO

    def test_knows_a_function_by_all_its_names(self, client, function):
        for name in [
            function.name,
            function.arn,
            f"{ACCOUNT}:function:{function.name}",
            f"{function.name}:$LATEST",
            f"{function.arn}:$LATEST",
        ]:
            assert client.get_function(FunctionName=name)["Configuration"]["FunctionName"] == function.name
            assert client.get_function_configuration(FunctionName=name)["CodeSha256"] == sha256(HELLO)

    def test_says_which_function_it_did_not_find(self, client):
        for operation in [client.get_function, client.get_function_configuration, client.delete_function]:
            with refused(client, "ResourceNotFoundException", 404, f"^Function not found: {LAMBDA}:function:nowhere$"):
                operation(FunctionName="nowhere")
        with refused(client, "ResourceNotFoundException", 404, f"Function not found: {LAMBDA}:function:nowhere:7$"):
            client.get_function(FunctionName="nowhere", Qualifier="7")

    def test_refuses_names_that_are_none(self, unchecked):
        for name in ["a b", "a:b:c:d:e", "x" * 300, f"arn:aws:s3:{REGION}:{ACCOUNT}:function:f"]:
            with refused(unchecked, "ValidationException", 400, "at 'functionName' failed to satisfy constraint"):
                unchecked.get_function(FunctionName=name)

    def test_does_not_show_another_accounts_function(self, daemon, function):
        other = daemon.client(account="999999999999")
        with refused(other, "ResourceNotFoundException", 404):
            other.get_function(FunctionName=function.name)
        with pytest.raises(other.exceptions.ClientError) as refusal:
            other.get_function(FunctionName=function.arn)
        assert refusal.value.response["Error"]["Code"] in {"AccessDeniedException", "ResourceNotFoundException"}

    def test_lists_page_by_page(self, daemon):
        client = daemon.client(account="222222222222")
        names = {unique("listed") for _ in range(7)}
        for name in names:
            client.create_function(**arguments(name))
        pages = list(client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 3}))
        assert [len(page["Functions"]) for page in pages] == [3, 3, 1]
        assert {function["FunctionName"] for page in pages for function in page["Functions"]} == names
        assert "NextMarker" not in pages[-1]
        wait_until(lambda: client.get_function_configuration(FunctionName=min(names))["State"] == "Active")
        client.publish_version(FunctionName=min(names))
        everything = client.list_functions(FunctionVersion="ALL")["Functions"]
        assert len(everything) == 8
        for name in names:
            client.delete_function(FunctionName=name)
        assert client.list_functions()["Functions"] == []


class TestUpdate:
    def test_of_code_replaces_what_runs(self, client, function):
        before = client.get_function_configuration(FunctionName=function.name)
        assert function.call({}) == "hello"
        answer = client.update_function_code(FunctionName=function.name, ZipFile=BYE)
        assert answer["CodeSha256"] == sha256(BYE)
        assert answer["RevisionId"] != before["RevisionId"]
        assert answer["LastUpdateStatus"] == "InProgress"
        assert answer["LastUpdateStatusReasonCode"] == "Creating"
        client.get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 1})
        assert function.call({}) == "bye"

    def test_of_code_as_a_dry_run_changes_nothing(self, client, function):
        answer = client.update_function_code(FunctionName=function.name, ZipFile=BYE, DryRun=True)
        assert answer["CodeSha256"] == sha256(BYE)
        assert client.get_function_configuration(FunctionName=function.name)["CodeSha256"] == sha256(HELLO)
        assert function.call({}) == "hello"

    def test_of_code_can_publish(self, client, function):
        answer = client.update_function_code(FunctionName=function.name, ZipFile=BYE, Publish=True)
        assert answer["Version"] == "1"
        function.settle()
        assert function.call({}, Qualifier="1") == "bye"

    def test_of_configuration_changes_only_what_is_given(self, client, function):
        client.update_function_configuration(
            FunctionName=function.name, Timeout=7, MemorySize=256, Environment={"Variables": {"STAGE": "1"}}
        )
        client.get_waiter("function_updated").wait(FunctionName=function.name, WaiterConfig={"Delay": 1})
        client.update_function_configuration(FunctionName=function.name, Description="changed")
        function.settle()
        found = client.get_function_configuration(FunctionName=function.name)
        assert (found["Timeout"], found["MemorySize"], found["Description"]) == (7, 256, "changed")
        assert found["Environment"] == {"Variables": {"STAGE": "1"}}
        assert found["Handler"] == "app.handler"

    def test_with_a_stale_revision_is_refused(self, client, function):
        stale = client.get_function_configuration(FunctionName=function.name)["RevisionId"]
        function.configure(Description="newer")
        text = "^The Revision Id provided does not match the latest Revision Id"
        with refused(client, "PreconditionFailedException", 412, text):
            client.update_function_configuration(FunctionName=function.name, Description="lost", RevisionId=stale)
        with refused(client, "PreconditionFailedException", 412, text):
            client.update_function_code(FunctionName=function.name, ZipFile=BYE, RevisionId=stale)
        with refused(client, "PreconditionFailedException", 412, text):
            client.publish_version(FunctionName=function.name, RevisionId=stale)
        latest = client.get_function_configuration(FunctionName=function.name)["RevisionId"]
        client.update_function_configuration(FunctionName=function.name, Description="won", RevisionId=latest)

    def test_of_what_is_not_there_is_refused(self, client):
        with refused(client, "ResourceNotFoundException", 404, "Function not found"):
            client.update_function_code(FunctionName="nowhere", ZipFile=BYE)
        with refused(client, "ResourceNotFoundException", 404, "Function not found"):
            client.update_function_configuration(FunctionName="nowhere", Timeout=5)

    def test_without_a_source_or_with_a_bad_one_is_refused(self, client, function):
        with refused(client, "InvalidParameterValueException", 400, "source for function code"):
            client.update_function_code(FunctionName=function.name)
        with refused(client, "InvalidParameterValueException", 400, "^Could not unzip uploaded file"):
            client.update_function_code(FunctionName=function.name, ZipFile=b"PK\3\4 broken")
        assert function.call({}) == "hello"

    def test_during_another_one_is_a_conflict(self, client, function):
        """An update settles after its answer; until then the function takes no other."""
        text = "^The operation cannot be performed at this time. An update is in progress for resource: "

        def update(memory):
            try:
                client.update_function_configuration(FunctionName=function.name, MemorySize=memory)
            except client.exceptions.ResourceConflictException as error:
                return error

        for _ in range(20):
            with ThreadPoolExecutor(8) as pool:
                conflicts = [error for error in pool.map(update, range(128, 136)) if error]
            function.settle()
            for error in conflicts:
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409
                assert re.search(text + re.escape(function.arn), error.response["Error"]["Message"])
            if conflicts:
                return
        pytest.fail("of eight updates at once, twenty times over, each was taken")


class TestDelete:
    def test_removes_function_versions_and_aliases(self, client):
        name = unique("deleted")
        client.create_function(**arguments(name, Publish=True))
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        client.create_alias(FunctionName=name, Name="prod", FunctionVersion="1")
        assert client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] in (200, 204)
        for qualifier in [None, "1", "prod"]:
            with refused(client, "ResourceNotFoundException", 404):
                client.get_function(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
            with refused(client, "ResourceNotFoundException", 404):
                client.invoke(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))

    def test_of_a_version_leaves_the_rest(self, client, function):
        client.publish_version(FunctionName=function.name)
        function.update_code(BYE)
        client.publish_version(FunctionName=function.name)
        client.delete_function(FunctionName=function.name, Qualifier="1")
        with refused(client, "ResourceNotFoundException", 404, f"{function.name}:1$"):
            client.invoke(FunctionName=function.name, Qualifier="1")
        assert function.call({}, Qualifier="2") == "bye"
        function.update_code(HELLO)
        assert client.publish_version(FunctionName=function.name)["Version"] == "3"

    def test_of_latest_alone_or_of_a_version_in_use_is_refused(self, client, function):
        with refused(client, "InvalidParameterValueException", 400, "LATEST version cannot be deleted"):
            client.delete_function(FunctionName=function.name, Qualifier="$LATEST")
        client.publish_version(FunctionName=function.name)
        client.create_alias(FunctionName=function.name, Name="prod", FunctionVersion="1")
        with refused(client, "ResourceConflictException", 409, "prod"):
            client.delete_function(FunctionName=function.name, Qualifier="1")

    def test_version_numbers_do_not_come_back_with_the_name(self, client, deploy):
        name = unique("reborn")
        first = deploy("app.handler", package=HELLO, name=name)
        assert client.publish_version(FunctionName=name)["Version"] == "1"
        first.delete()
        deploy("app.handler", package=BYE, name=name)
        assert client.publish_version(FunctionName=name)["Version"] == "2"


class TestVersions:
    def test_are_snapshots_of_code_and_configuration(self, client, function):
        first = client.publish_version(FunctionName=function.name, Description="first")
        assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert (first["Version"], first["Description"]) == ("1", "first")
        assert first["FunctionArn"] == f"{function.arn}:1"
        function.update_code(BYE)
        function.configure(Timeout=9)
        second = client.publish_version(FunctionName=function.name)
        assert (second["Version"], second["Timeout"]) == ("2", 9)
        assert client.get_function_configuration(FunctionName=function.name, Qualifier="1")["Timeout"] == 30
        assert function.call({}, Qualifier="1") == "hello"
        assert function.call({}, Qualifier="2") == "bye"

    def test_publishing_nothing_new_answers_the_last_version(self, client, function):
        first = client.publish_version(FunctionName=function.name)
        again = client.publish_version(FunctionName=function.name)
        assert first["Version"] == again["Version"] == "1"
        function.configure(Description="new")
        assert client.publish_version(FunctionName=function.name)["Version"] == "2"

    def test_publishing_checks_the_hash(self, client, function):
        with refused(client, "InvalidParameterValueException", 400, "(?i)CodeSHA256"):
            client.publish_version(FunctionName=function.name, CodeSha256=sha256(BYE))
        assert client.publish_version(FunctionName=function.name, CodeSha256=sha256(HELLO))["Version"] == "1"

    def test_cannot_be_changed(self, client, function):
        client.publish_version(FunctionName=function.name)
        with pytest.raises(client.exceptions.ClientError) as refusal:
            client.update_function_configuration(FunctionName=f"{function.name}:1", Timeout=5)
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400

    def test_list_page_by_page_with_latest_first(self, client, function):
        for number in range(4):
            function.configure(Description=f"version {number}")
            client.publish_version(FunctionName=function.name)
        paginator = client.get_paginator("list_versions_by_function")
        pages = list(paginator.paginate(FunctionName=function.name, PaginationConfig={"PageSize": 2}))
        assert [version["Version"] for page in pages for version in page["Versions"]] == ["$LATEST", "1", "2", "3", "4"]
        assert len(pages) == 3
        with refused(client, "ResourceNotFoundException", 404):
            client.list_versions_by_function(FunctionName="nowhere")


class TestAliases:
    @pytest.fixture
    def versions(self, client, function):
        client.publish_version(FunctionName=function.name)
        function.update_code(BYE)
        client.publish_version(FunctionName=function.name)
        return function

    def test_live_from_create_to_delete(self, client, versions):
        name = versions.name
        created = client.create_alias(FunctionName=name, Name="prod", FunctionVersion="1", Description="live")
        assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert created["AliasArn"] == f"{versions.arn}:prod"
        assert (created["Name"], created["FunctionVersion"], created["Description"]) == ("prod", "1", "live")
        assert versions.call({}, Qualifier="prod") == "hello"
        got = client.get_alias(FunctionName=name, Name="prod")
        assert got["RevisionId"] == created["RevisionId"]
        updated = client.update_alias(FunctionName=name, Name="prod", FunctionVersion="2", RevisionId=got["RevisionId"])
        assert (updated["FunctionVersion"], updated["Description"]) == ("2", "live")
        assert updated["RevisionId"] != got["RevisionId"]
        assert versions.call({}, Qualifier="prod") == "bye"
        assert client.get_function(FunctionName=name, Qualifier="prod")["Configuration"]["Version"] == "2"
        with refused(client, "PreconditionFailedException", 412, "Revision Id"):
            client.update_alias(FunctionName=name, Name="prod", FunctionVersion="1", RevisionId=got["RevisionId"])
        assert client.delete_alias(FunctionName=name, Name="prod")["ResponseMetadata"]["HTTPStatusCode"] == 204
        with refused(client, "ResourceNotFoundException", 404, f"^Cannot find alias arn: {versions.arn}:prod$"):
            client.get_alias(FunctionName=name, Name="prod")

    def test_can_name_latest(self, client, versions):
        client.create_alias(FunctionName=versions.name, Name="dev", FunctionVersion="$LATEST")
        result = versions.invoke({}, Qualifier="dev")
        assert (result.json, result.version) == ("bye", "$LATEST")

    def test_list_page_by_page_and_by_version(self, client, versions):
        for name, version in [("a", "1"), ("b", "2"), ("c", "1")]:
            client.create_alias(FunctionName=versions.name, Name=name, FunctionVersion=version)
        pages = client.get_paginator("list_aliases").paginate(FunctionName=versions.name, PaginationConfig={"PageSize": 2})
        assert [alias["Name"] for page in pages for alias in page["Aliases"]] == ["a", "b", "c"]
        found = client.list_aliases(FunctionName=versions.name, FunctionVersion="1")["Aliases"]
        assert [alias["Name"] for alias in found] == ["a", "c"]

    def test_refuse_what_lambda_refuses(self, client, unchecked, versions):
        name = versions.name
        client.create_alias(FunctionName=name, Name="prod", FunctionVersion="1")
        with refused(client, "ResourceConflictException", 409, f"^Alias already exists: {versions.arn}:prod$"):
            client.create_alias(FunctionName=name, Name="prod", FunctionVersion="2")
        with refused(client, "ResourceNotFoundException", 404, f"Function not found: {versions.arn}:9"):
            client.create_alias(FunctionName=name, Name="next", FunctionVersion="9")
        with refused(client, "ResourceNotFoundException", 404):
            client.create_alias(FunctionName="nowhere", Name="next", FunctionVersion="1")
        with refused(client, "ResourceNotFoundException", 404):
            client.update_alias(FunctionName=name, Name="nowhere", FunctionVersion="1")
        with refused(unchecked, "ValidationException", 400, "at 'name' failed to satisfy constraint"):
            unchecked.create_alias(FunctionName=name, Name="12", FunctionVersion="1")
        with refused(unchecked, "ValidationException", 400):
            unchecked.create_alias(FunctionName=name, Name="next", FunctionVersion="one")

    @pytest.mark.parametrize(
        ("version", "weights"),
        [
            ("1", {"1": 0.5}),
            ("$LATEST", {"1": 0.5}),
            ("1", {"$LATEST": 0.5}),
            ("1", {"2": 1.5}),
            ("1", {"2": -0.1}),
            ("1", {"2": 0.1, "3": 0.1}),
            ("1", {"9": 0.5}),
        ],
    )
    def test_refuse_routing_that_makes_no_sense(self, unchecked, versions, version, weights):
        with pytest.raises(unchecked.exceptions.ClientError) as refusal:
            unchecked.create_alias(
                FunctionName=versions.name,
                Name="split",
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": weights},
            )
        answer = refusal.value.response
        expected = {"InvalidParameterValueException": 400, "ValidationException": 400, "ResourceNotFoundException": 404}
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == expected.get(answer["Error"]["Code"]), answer

    def test_split_traffic_by_weight(self, client, versions):
        client.create_alias(
            FunctionName=versions.name,
            Name="split",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}},
        )
        results = [versions.invoke({}, Qualifier="split") for _ in range(200)]
        for result in results:
            assert (result.version, result.json) in {("1", "hello"), ("2", "bye")}
        second = sum(result.version == "2" for result in results)
        # 200 draws at 0.3: outside of this range once in more than ten million runs.
        assert 25 <= second <= 97
        client.update_alias(FunctionName=versions.name, Name="split", RoutingConfig={"AdditionalVersionWeights": {}})
        assert client.get_alias(FunctionName=versions.name, Name="split").get("RoutingConfig") in (None, {}, {"AdditionalVersionWeights": {}})
        assert {versions.invoke({}, Qualifier="split").version for _ in range(20)} == {"1"}


class TestPolicy:
    def test_is_added_to_read_and_removed(self, client, function):
        answer = client.add_permission(
            FunctionName=function.name,
            StatementId="bucket",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn="arn:aws:s3:::pictures",
            SourceAccount="999999999999",
        )
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
        statement = json.loads(answer["Statement"])
        assert statement == {
            "Sid": "bucket",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": function.arn,
            "Condition": {
                "StringEquals": {"AWS:SourceAccount": "999999999999"},
                "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::pictures"},
            },
        }
        client.add_permission(
            FunctionName=function.name, StatementId="other", Action="lambda:InvokeFunction", Principal="999999999999"
        )
        got = client.get_policy(FunctionName=function.name)
        policy = json.loads(got["Policy"])
        assert policy["Version"] == "2012-10-17"
        assert policy["Id"] == "default"
        assert policy["Statement"][0] == statement
        assert policy["Statement"][1]["Principal"] == {"AWS": "arn:aws:iam::999999999999:root"}
        removed = client.remove_permission(FunctionName=function.name, StatementId="bucket", RevisionId=got["RevisionId"])
        assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
        with refused(client, "PreconditionFailedException", 412):
            client.remove_permission(FunctionName=function.name, StatementId="other", RevisionId=got["RevisionId"])
        client.remove_permission(FunctionName=function.name, StatementId="other")
        with refused(client, "ResourceNotFoundException", 404, "^The resource you requested does not exist.$"):
            client.get_policy(FunctionName=function.name)

    def test_belongs_to_its_qualifier(self, client, function):
        client.publish_version(FunctionName=function.name)
        client.create_alias(FunctionName=function.name, Name="prod", FunctionVersion="1")
        client.add_permission(
            FunctionName=function.name, StatementId="a", Action="lambda:InvokeFunction", Principal="*", Qualifier="prod"
        )
        policy = json.loads(client.get_policy(FunctionName=function.name, Qualifier="prod")["Policy"])
        assert policy["Statement"][0]["Resource"] == f"{function.arn}:prod"
        with refused(client, "ResourceNotFoundException", 404):
            client.get_policy(FunctionName=function.name)

    def test_refuses_what_lambda_refuses(self, client, unchecked, function):
        def add(using=client, **changes):
            using.add_permission(
                **{
                    "FunctionName": function.name,
                    "StatementId": "s",
                    "Action": "lambda:InvokeFunction",
                    "Principal": "s3.amazonaws.com",
                }
                | changes
            )

        add()
        with refused(client, "ResourceConflictException", 409, r"^The statement id \(s\) provided already exists"):
            add()
        with refused(client, "ResourceNotFoundException", 404):
            add(FunctionName="nowhere")
        with refused(client, "ResourceNotFoundException", 404):
            client.remove_permission(FunctionName=function.name, StatementId="none")
        with refused(unchecked, "ValidationException", 400, "at 'action' failed to satisfy constraint"):
            add(unchecked, StatementId="t", Action="s3:GetObject")
        with refused(unchecked, "ValidationException", 400, "at 'statementId' failed to satisfy constraint"):
            add(unchecked, StatementId="no spaces")
        with refused(client, "InvalidParameterValueException", 400, "(?i)principal"):
            add(StatementId="t", Principal="nobody")

    def test_has_a_size_limit(self, client, function):
        with refused(client, "PolicyLengthExceededException", 400, r"is bigger than the limit \(20480\)"):
            for number in range(200):
                client.add_permission(
                    FunctionName=function.name,
                    StatementId=f"{number:03}" + "x" * 90,
                    Action="lambda:InvokeFunction",
                    Principal="s3.amazonaws.com",
                    SourceArn="arn:aws:s3:::" + "b" * 60,
                )
        assert len(client.get_policy(FunctionName=function.name)["Policy"]) <= 20480


class TestTags:
    def test_are_set_listed_and_removed(self, client, function):
        assert client.list_tags(Resource=function.arn)["Tags"] == {}
        answer = client.tag_resource(Resource=function.arn, Tags={"team": "orders", "über": "ja"})
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        client.tag_resource(Resource=function.arn, Tags={"team": "payments"})
        assert client.list_tags(Resource=function.arn)["Tags"] == {"team": "payments", "über": "ja"}
        client.untag_resource(Resource=function.arn, TagKeys=["über", "absent"])
        assert client.list_tags(Resource=function.arn)["Tags"] == {"team": "payments"}

    def test_refuse_what_lambda_refuses(self, client, unchecked, function):
        with refused(client, "ResourceNotFoundException", 404):
            client.list_tags(Resource=f"{LAMBDA}:function:nowhere")
        with refused(client, "InvalidParameterValueException", 400, "Tags on function aliases and versions are not supported"):
            client.tag_resource(Resource=f"{function.arn}:1", Tags={"a": "b"})
        with refused(client, "InvalidParameterValueException", 400):
            client.tag_resource(Resource=function.arn, Tags={f"key{number}": "x" for number in range(51)})
        assert client.list_tags(Resource=function.arn)["Tags"] == {}


class TestEventInvokeConfig:
    def test_lives_from_put_to_delete(self, client, function):
        name = function.name
        with refused(client, "ResourceNotFoundException", 404, "doesn't have an EventInvokeConfig"):
            client.get_function_event_invoke_config(FunctionName=name)
        put = client.put_function_event_invoke_config(
            FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=600
        )
        assert put["FunctionArn"] == f"{function.arn}:$LATEST"
        updated = client.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
        assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (0, 600)
        put = client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=2)
        assert "MaximumEventAgeInSeconds" not in put
        client.publish_version(FunctionName=name)
        client.put_function_event_invoke_config(FunctionName=name, Qualifier="1", MaximumRetryAttempts=0)
        pages = client.get_paginator("list_function_event_invoke_configs").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 1}
        )
        found = [config["FunctionArn"] for page in pages for config in page["FunctionEventInvokeConfigs"]]
        assert sorted(found) == [f"{function.arn}:$LATEST", f"{function.arn}:1"]
        answer = client.delete_function_event_invoke_config(FunctionName=name)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        with refused(client, "ResourceNotFoundException", 404):
            client.delete_function_event_invoke_config(FunctionName=name)

    def test_refuses_what_lambda_refuses(self, unchecked, function):
        for changes in [{"MaximumRetryAttempts": 3}, {"MaximumRetryAttempts": -1}, {"MaximumEventAgeInSeconds": 59}, {"MaximumEventAgeInSeconds": 21601}]:
            with refused(unchecked, "ValidationException", 400, "failed to satisfy constraint"):
                unchecked.put_function_event_invoke_config(FunctionName=function.name, **changes)
        with refused(unchecked, "ResourceNotFoundException", 404):
            unchecked.put_function_event_invoke_config(FunctionName="nowhere", MaximumRetryAttempts=0)
        with refused(unchecked, "InvalidParameterValueException", 400):
            unchecked.put_function_event_invoke_config(FunctionName=function.name)
        with refused(unchecked, "ResourceNotFoundException", 404):
            unchecked.update_function_event_invoke_config(FunctionName=function.name, MaximumRetryAttempts=0)


class TestReservedConcurrency:
    def test_is_set_shown_and_removed(self, client, function):
        assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=function.name)
        client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=5)
        assert client.get_function_concurrency(FunctionName=function.name)["ReservedConcurrentExecutions"] == 5
        assert client.get_function(FunctionName=function.name)["Concurrency"] == {"ReservedConcurrentExecutions": 5}
        answer = client.delete_function_concurrency(FunctionName=function.name)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert "Concurrency" not in client.get_function(FunctionName=function.name)

    def test_zero_throttles_everything(self, client, function):
        client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
        with pytest.raises(client.exceptions.TooManyRequestsException) as refusal:
            function.invoke({})
        answer = refusal.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert answer["Error"]["Message"] == "Rate Exceeded."
        assert answer["Type"] == "User"
        # As recorded on AWS: nobody knows when a function's own reservation has room again.
        assert "retry-after" not in answer["ResponseMetadata"]["HTTPHeaders"]
        client.delete_function_concurrency(FunctionName=function.name)
        assert function.call({}) == "hello"

    def test_leaves_a_hundred_unreserved(self, client, unchecked, function):
        text = "decreases account's UnreservedConcurrentExecution below its minimum value of"
        with refused(client, "InvalidParameterValueException", 400, text):
            client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=901)
        with refused(unchecked, "ValidationException", 400):
            unchecked.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=-1)
        with refused(client, "ResourceNotFoundException", 404):
            client.put_function_concurrency(FunctionName="nowhere", ReservedConcurrentExecutions=1)

    def test_shows_in_the_account_settings(self, daemon):
        client = daemon.client(account="333333333333")
        before = client.get_account_settings()
        assert before["AccountLimit"]["ConcurrentExecutions"] == 1000
        assert before["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000
        assert before["AccountLimit"]["CodeSizeUnzipped"] == 262144000
        assert before["AccountLimit"]["CodeSizeZipped"] == 52428800
        assert before["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 0}
        name = unique("counted")
        client.create_function(**arguments(name))
        wait_until(lambda: client.get_function_configuration(FunctionName=name)["State"] == "Active")
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=100)
        after = client.get_account_settings()
        assert after["AccountLimit"]["UnreservedConcurrentExecutions"] == 900
        assert after["AccountUsage"] == {"TotalCodeSize": len(HELLO), "FunctionCount": 1}
        client.delete_function(FunctionName=name)


class TestLayers:
    CONTENT = make_zip({"python/from_layer.py": "ANSWER = 42\n", "data.txt": "one"})

    def publish(self, client, name, content=CONTENT, **more):
        return client.publish_layer_version(LayerName=name, Content={"ZipFile": content}, **more)

    def test_live_from_publish_to_delete(self, client):
        name = unique("layer")
        first = self.publish(client, name, Description="d", CompatibleRuntimes=["python3.11"], LicenseInfo="MIT")
        assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert first["LayerArn"] == f"{LAMBDA}:layer:{name}"
        assert first["LayerVersionArn"] == f"{LAMBDA}:layer:{name}:1"
        assert (first["Version"], first["Description"], first["LicenseInfo"]) == (1, "d", "MIT")
        assert first["Content"]["CodeSha256"] == sha256(self.CONTENT)
        assert self.publish(client, name)["Version"] == 2
        got = client.get_layer_version(LayerName=name, VersionNumber=1)
        with urllib.request.urlopen(got["Content"]["Location"]) as download:
            assert download.read() == self.CONTENT
        by_arn = client.get_layer_version_by_arn(Arn=first["LayerVersionArn"])
        assert by_arn["LayerVersionArn"] == first["LayerVersionArn"]
        answer = client.delete_layer_version(LayerName=name, VersionNumber=2)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        client.delete_layer_version(LayerName=name, VersionNumber=2)
        with refused(client, "ResourceNotFoundException", 404):
            client.get_layer_version(LayerName=name, VersionNumber=2)
        assert self.publish(client, name)["Version"] == 3

    def test_list_page_by_page(self, daemon):
        client = daemon.client(account="444444444444")
        for name in ["one", "two", "three"]:
            self.publish(client, name, CompatibleRuntimes=["python3.11" if name != "two" else "nodejs20.x"])
        self.publish(client, "one")
        pages = list(client.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 2}))
        layers = {layer["LayerName"]: layer["LatestMatchingVersion"]["Version"] for page in pages for layer in page["Layers"]}
        assert layers == {"one": 2, "two": 1, "three": 1}
        assert len(pages) == 2
        found = client.list_layers(CompatibleRuntime="nodejs20.x")["Layers"]
        assert [layer["LayerName"] for layer in found] == ["two"]
        pages = client.get_paginator("list_layer_versions").paginate(LayerName="one", PaginationConfig={"PageSize": 1})
        assert [version["Version"] for page in pages for version in page["LayerVersions"]] == [2, 1]

    def test_refuse_what_lambda_refuses(self, client, unchecked):
        with refused(client, "ResourceNotFoundException", 404, "The resource you requested does not exist."):
            client.get_layer_version(LayerName="nowhere", VersionNumber=1)
        with refused(client, "InvalidParameterValueException", 400, "^Could not unzip uploaded file"):
            self.publish(client, unique("layer"), b"no zip")
        with refused(unchecked, "ValidationException", 400, "at 'layerName' failed to satisfy constraint"):
            self.publish(unchecked, "no spaces")

    def test_policy_lives_from_add_to_remove(self, client):
        name = unique("layer")
        self.publish(client, name)
        added = client.add_layer_version_permission(
            LayerName=name, VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
        )
        assert json.loads(added["Statement"])["Resource"] == f"{LAMBDA}:layer:{name}:1"
        policy = json.loads(client.get_layer_version_policy(LayerName=name, VersionNumber=1)["Policy"])
        assert policy["Statement"][0]["Sid"] == "all"
        client.remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="all")
        with refused(client, "ResourceNotFoundException", 404):
            client.get_layer_version_policy(LayerName=name, VersionNumber=1)

    def test_stay_usable_in_functions_after_their_deletion(self, client, deploy):
        name = unique("layer")
        arn = self.publish(client, name)["LayerVersionArn"]
        function = deploy("probe.layers", Layers=[arn])
        shown = client.get_function_configuration(FunctionName=function.name)["Layers"]
        assert shown == [{"Arn": arn, "CodeSize": len(self.CONTENT)}]
        client.delete_layer_version(LayerName=name, VersionNumber=1)
        assert function.call({})["answer"] == 42
        function.configure(Layers=[])
        assert "Layers" not in client.get_function_configuration(FunctionName=function.name)
        assert function.invoke({}).error == "Unhandled"


class TestOtherSettings:
    def test_code_signing_config_is_empty(self, client, function):
        answer = client.get_function_code_signing_config(FunctionName=function.name)
        assert answer["FunctionName"] == function.name
        assert not answer.get("CodeSigningConfigArn")

    def test_runtime_management_is_automatic(self, client, function):
        answer = client.get_runtime_management_config(FunctionName=function.name)
        assert answer["UpdateRuntimeOn"] == "Auto"
        assert answer["FunctionArn"] == function.arn

    def test_recursion_is_terminated_unless_allowed(self, client, function):
        assert client.get_function_recursion_config(FunctionName=function.name)["RecursiveLoop"] == "Terminate"
        client.put_function_recursion_config(FunctionName=function.name, RecursiveLoop="Allow")
        assert client.get_function_recursion_config(FunctionName=function.name)["RecursiveLoop"] == "Allow"


class TestState:
    def test_pending_functions_take_no_changes(self, client):
        """Between CreateFunction's commit and Active there is little time: changes that wait for the commit find it."""
        text = "^The operation cannot be performed at this time. The function is currently in the following state: Pending"

        def update(name):
            """Until it is taken; answers with the conflicts met on the way."""
            conflicts = []
            while True:
                try:
                    client.update_function_configuration(FunctionName=name, Timeout=5)
                    return conflicts
                except client.exceptions.ResourceNotFoundException:
                    pass
                except client.exceptions.ResourceConflictException as error:
                    conflicts.append(error.response["Error"]["Message"])

        for _ in range(20):
            name = unique("pending")
            with ThreadPoolExecutor(8) as pool:
                updates = [pool.submit(update, name) for _ in range(7)]
                client.create_function(**arguments(name))
                met = [message for future in updates for message in future.result()]
            client.delete_function(FunctionName=name)
            if any(re.search(text, message) for message in met):
                return
        pytest.fail("no change met a function that was Pending")

    def test_every_write_makes_a_new_revision(self, client, function):
        seen = [client.get_function_configuration(FunctionName=function.name)["RevisionId"]]
        for change in [
            lambda: function.configure(Description="a"),
            lambda: function.configure(Description="a"),
            lambda: function.update_code(BYE),
        ]:
            change()
            seen.append(client.get_function_configuration(FunctionName=function.name)["RevisionId"])
        assert len(set(seen)) == len(seen)

    def test_last_modified_moves_forward(self, client, function):
        before = client.get_function_configuration(FunctionName=function.name)["LastModified"]
        time.sleep(0.002)
        function.configure(Description="later")
        assert client.get_function_configuration(FunctionName=function.name)["LastModified"] > before


def test_errors_have_lambdas_headers_and_body(daemon, client):
    """Seen without a client that might smooth things over."""
    request = urllib.request.Request(f"{daemon.endpoint}/2015-03-31/functions/nowhere", headers=signed_headers())
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    answer = refusal.value
    assert answer.code == 404
    assert answer.headers["x-amzn-ErrorType"] == "ResourceNotFoundException"
    assert answer.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-amzn-RequestId"])
    assert len(answer.headers.get_all("Date")) == 1
    body = json.loads(answer.read())
    assert body["Type"] == "User"
    assert body["Message"] == f"Function not found: {LAMBDA}:function:nowhere"


def test_unknown_operations_are_refused_as_such(daemon):
    request = urllib.request.Request(f"{daemon.endpoint}/2015-03-31/nothing", headers=signed_headers())
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    assert refusal.value.code in (403, 404)
    assert refusal.value.headers["x-amzn-ErrorType"]


def signed_headers():
    """On a loopback address without configured keys any signature will do."""
    scope = f"Credential={ACCOUNT}/20260101/{REGION}/lambda/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"}


def test_a_package_of_any_allowed_size_is_taken(client):
    """Just below 50 MB zipped; one byte over the base64 limit is refused with Lambda's size error."""
    name = unique("large")
    content = make_zip({"app.py": "def handler(e, c): return 1", "blob": os.urandom(45 * 1024 * 1024)}, compression=0)
    client.create_function(**arguments(name, Code={"ZipFile": content}))
    wait_until(lambda: client.get_function_configuration(FunctionName=name)["State"] == "Active", 30)
    assert json.loads(client.invoke(FunctionName=name)["Payload"].read()) == 1
    client.delete_function(FunctionName=name)
    too_large = make_zip({"blob": os.urandom(52 * 1024 * 1024)}, compression=0)
    with refused(client, "RequestEntityTooLargeException", 413, "Request must be smaller than"):
        client.create_function(**arguments(name, Code={"ZipFile": too_large}))


def test_a_package_that_unpacks_to_too_much_is_refused(client):
    content = make_zip({f"{number}": bytes(25 * 1024 * 1024) for number in range(11)})
    with refused(client, "InvalidParameterValueException", 400, "^Unzipped size must be smaller than 262144000 bytes"):
        client.create_function(**arguments(unique("bomb"), Code={"ZipFile": content}))
