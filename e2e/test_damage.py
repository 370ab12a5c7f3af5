"""One record of each kind that a daemon stores is damaged: it costs itself alone, and the daemon starts and goes on."""

import json
import re
import shutil
import sqlite3
import subprocess

import pytest

from daemon import ACCOUNT, HEARTH, Daemon
from package import TRUST, deploy, make_zip, unique

CONFIG = '[[operator_keys]]\nid = "OPERATOR"\nsecret = "a-secret"\n[[access_keys]]\nid = "AKIDEXAMPLE"\nsecret = "a-secret"\naccount = "%s"\n' % ACCOUNT
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
# What a failing disk leaves, and what another version of Hearth could have written.
DAMAGES = (b"", b"v2 {", b"\x00\xff\xfe garbage", b"v9 {}", b"v2 []", b'v2 "a string"')
# Kinds that are read when they are needed, and say so then.
READ_LATER = {("iam/ACCOUNT", "policy/"), ("iam/ACCOUNT", "role/"), ("lambda/ACCOUNT", "garbage/")}


def keys(daemon):
    return {"account": "AKIDEXAMPLE", "secret": "a-secret"}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A stopped daemon that has one of everything, and the function that nothing is done to."""
    daemon = Daemon(tmp_path_factory.mktemp("damage"), CONFIG).start()
    client, iam, logs = (daemon.client(service, **keys(daemon)) for service in ("lambda", "iam", "logs"))
    bystander = deploy(daemon, "probe.echo", client=client, name="bystander")
    function = deploy(daemon, "probe.echo", client=client, name="victim")
    client.publish_version(FunctionName="victim")
    client.create_alias(FunctionName="victim", Name="live", FunctionVersion="1")
    client.add_permission(FunctionName="victim", StatementId="s", Action="lambda:InvokeFunction", Principal=ACCOUNT)
    client.put_function_event_invoke_config(FunctionName="victim", MaximumRetryAttempts=1)
    client.put_provisioned_concurrency_config(FunctionName="victim", Qualifier="live", ProvisionedConcurrentExecutions=1)
    layer = client.publish_layer_version(LayerName="layer", Content={"ZipFile": make_zip({"a": "b"})})["LayerVersionArn"]
    assert layer.endswith(":layer:layer:1")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="role", PolicyName="own", PolicyDocument=ALLOW)
    iam.create_policy(PolicyName="policy", PolicyDocument=ALLOW)
    logs.create_log_group(logGroupName="group")
    logs.put_retention_policy(logGroupName="group", retentionInDays=1)
    operator = daemon.environment() | {"HEARTH_ENDPOINT": daemon.endpoint, "HEARTH_OPERATOR_KEY_ID": "OPERATOR", "HEARTH_OPERATOR_SECRET": "a-secret"}
    for command in ("account create 210987654321", "key create --account 210987654321", "pool set gold --kind dedicated --account 210987654321",
                    "capacity add share --memory 1024 --pool gold", "capacity policy 210987654321 --shortage reject", f"capacity group friends {ACCOUNT} 210987654321"):  # fmt: skip
        run(operator, command)
    for _ in range(3):
        function.call(1)
        bystander.call(1)
    client.put_function_concurrency(FunctionName="bystander", ReservedConcurrentExecutions=0)
    client.invoke(FunctionName="bystander", InvocationType="Event", Payload="2")
    client.delete_function_concurrency(FunctionName="bystander")
    daemon.stop()
    return daemon


def run(environment, command):
    subprocess.run([HEARTH, *command.split()], env=environment, check=True, capture_output=True, timeout=60)


def rows(daemon):
    with sqlite3.connect(daemon.data / "store" / "store.sqlite") as database:
        return database.execute("SELECT partition, key FROM kv ORDER BY partition, key").fetchall()


def kind(partition, key):
    partition = re.sub(r"\d{12}(/[a-z0-9-]+)?", "ACCOUNT", partition)
    return partition, re.sub(r"[^/]*$", "", key) or key


def test_one_record_of_each_kind(furnished, tmp_path):
    kinds = {}
    for partition, key in rows(furnished):
        # Not the bystander's: its own are what shows that others are well.
        if "bystander" not in key:
            kinds.setdefault(kind(partition, key), (partition, key))
    assert len(kinds) > 15, kinds
    shutil.copytree(furnished.data, tmp_path / "whole", symlinks=True)
    for number, (what, (partition, key)) in enumerate(sorted(kinds.items())):
        damage = DAMAGES[number % len(DAMAGES)]
        shutil.rmtree(furnished.data)
        shutil.copytree(tmp_path / "whole", furnished.data, symlinks=True)
        with sqlite3.connect(furnished.data / "store" / "store.sqlite") as database:
            assert database.execute("UPDATE kv SET value = ? WHERE partition = ? AND key = ?", (damage, partition, key)).rowcount == 1
        before = len(furnished.log())
        goes_on(furnished, f"{what} with {damage}")
        # What was learned of calls is not worth a line each.
        if what not in READ_LATER and what[0] != "keep-alive":
            assert re.search(r" (ERROR|WARN) .*(cannot be read|damaged)", furnished.log()[before:]), f"nothing is said of {what}"


def goes_on(daemon, what):
    try:
        daemon.start()
    except AssertionError as error:
        raise AssertionError(f"{what}: {error}") from error
    client = daemon.client(**keys(daemon))
    names = [function["FunctionName"] for function in client.list_functions()["Functions"]]
    assert "bystander" in names, (what, names)
    reply = client.invoke(FunctionName="bystander", Payload="3")
    assert reply["Payload"].read() == b"3", what
    daemon.stop()
