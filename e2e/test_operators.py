"""Who manages the daemon: operators' keys, what accounts see, and keys and accounts that are made by command."""

import json
import subprocess
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.exceptions import ClientError
from daemon import HEARTH, REGION, Daemon, refused, wait_until
from package import deploy

OPERATOR = ("OPERATOR", "an-operators-secret")
ALICE, BOB = "111111111111", "222222222222"
ACCOUNTS = "".join(
    f'[[access_keys]]\nid = "AKID{account}"\nsecret = "secret-of-{account}"\naccount = "{account}"\n' for account in (ALICE, BOB)
)
OPERATORS = f'[[operator_keys]]\nid = "{OPERATOR[0]}"\nsecret = "{OPERATOR[1]}"\n'
# Roles are of other accounts here, and no matter.
CONFIG = f'roles = "lenient"\n{ACCOUNTS}{OPERATORS}'


def key_of(account):
    return f"AKID{account}", f"secret-of-{account}"


def client(daemon, key, service="lambda"):
    return daemon.client(service, account=key[0], secret=key[1])


def ask(daemon, key, method, path, body=None):
    """Status and document of a page of the daemon."""
    data = b"" if body is None else json.dumps(body).encode()
    request = botocore.awsrequest.AWSRequest(method, f"{daemon.endpoint}/_hearth/{path}", data=data)
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(*key), "hearth", REGION).add_auth(request)
    request = urllib.request.Request(request.url, data=data or None, headers=dict(request.headers), method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
            is_json = answer.headers["content-type"] == "application/json"
            return answer.status, json.loads(text) if is_json else text.decode()
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def hearth(daemon, *arguments, key=OPERATOR, fails=False):
    environment = daemon.environment() | {"HEARTH_OPERATOR_KEY_ID": key[0], "HEARTH_OPERATOR_SECRET": key[1]}
    command = [HEARTH, *arguments, "--endpoint", daemon.endpoint]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode != 0) == fails, (done.stdout, done.stderr)
    return done.stderr if fails else done.stdout


def made_key(daemon, *arguments):
    made = json.loads(hearth(daemon, "key", *arguments, "--json"))
    return made["id"], made["secret"]


@pytest.fixture
def daemon(own_daemon):
    return own_daemon(CONFIG)


class TestAccounts:
    @pytest.fixture(scope="class")
    def furnished(self, tmp_path_factory):
        """A daemon with pools, policies and functions of two accounts."""
        daemon = Daemon(tmp_path_factory.mktemp("furnished"), CONFIG).start()
        for account, name in [(ALICE, "function-of-alice"), (BOB, "function-of-bob")]:
            deploy(daemon, "probe.echo", client=client(daemon, key_of(account)), name=name).call({})
        for path, document in [
            ("pools/of-alice", {"kind": "dedicated", "account": ALICE}),
            ("pools/of-bob", {"kind": "dedicated", "account": BOB}),
            ("instances/of-bob-1", {"pool": "of-bob", "memory_mib": 512}),
            (f"accounts/{ALICE}", {"shortage": ["wait:5"]}),
            (f"accounts/{BOB}", {"shortage": ["wait:7"]}),
        ]:
            status, answer = ask(daemon, OPERATOR, "PUT", f"v1/{path}", document)
            assert status == 201, answer
        yield daemon
        daemon.stop()

    def test_see_what_is_their_own(self, furnished):
        alice = key_of(ALICE)
        status, state = ask(furnished, alice, "GET", "state")
        assert status == 200 and [version["key"]["function"] for version in state["versions"]] == ["function-of-alice"]
        pools = ask(furnished, alice, "GET", "v1/pools")[1]["pools"]
        assert [pool["name"] for pool in pools] == ["general", "of-alice"]
        assert ask(furnished, alice, "GET", "v1/accounts")[1]["accounts"] == [ask(furnished, alice, "GET", f"v1/accounts/{ALICE}")[1]]
        assert [key["id"] for key in ask(furnished, alice, "GET", "v1/access/keys")[1]["keys"]] == [alice[0]]
        assert [found["account"] for found in ask(furnished, alice, "GET", "v1/access/accounts")[1]["accounts"]] == [ALICE]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "metrics"),
            ("GET", "v1/log"),
            ("GET", "v1/groups"),
            ("GET", "v1/instances"),
            ("GET", "v1/instances/of-bob-1"),
            ("DELETE", "v1/instances/of-bob-1"),
            ("POST", "v1/instances/of-bob-1/reclaim"),
            ("PUT", "v1/pools/of-alice"),
            ("PUT", "v1/pools/of-bob"),
            ("PUT", "v1/pools/of-nobody"),
            ("DELETE", "v1/pools/of-bob"),
            ("PATCH", f"v1/accounts/{ALICE}"),
            ("PUT", f"v1/accounts/{BOB}"),
            ("GET", f"v1/accounts/{BOB}"),
            ("GET", "v1/accounts/333333333333"),
            ("GET", f"v1/access/keys/AKID{BOB}"),
            ("GET", "v1/access/keys/AKIDNOBODY"),
            ("POST", "v1/access/keys"),
            ("DELETE", f"v1/access/keys/AKID{BOB}"),
            ("POST", f"v1/access/keys/AKID{ALICE}/rotate"),
            ("GET", f"v1/access/accounts/{BOB}"),
            ("POST", "v1/access/accounts"),
            ("POST", f"v1/access/accounts/{BOB}/disable"),
        ],
    )
    def test_are_refused_the_rest_whether_or_not_it_is_there(self, furnished, method, path):
        status, error = ask(furnished, key_of(ALICE), method, path, {} if method != "GET" else None)
        assert status == 403 and "operator" in (error.get("message") or error["Message"]), error
        assert BOB not in json.dumps(error) and "bob" not in json.dumps(error)

    def test_cannot_tell_others_pools_from_those_that_do_not_exist(self, furnished):
        answers = [ask(furnished, key_of(ALICE), "GET", f"v1/pools/{name}") for name in ("of-bob", "of-nob")]
        assert [status for status, _ in answers] == [404, 404]
        assert answers[0][1]["message"].replace("of-bob", "of-nob") == answers[1][1]["message"]

    def test_find_nothing_of_one_another_in_the_services(self, furnished):
        """What another account has looks the same as what nobody has."""
        alice = key_of(ALICE)
        functions, logs = client(furnished, alice), client(furnished, alice, "logs")
        assert [found["FunctionName"] for found in functions.list_functions()["Functions"]] == ["function-of-alice"]
        groups = wait_until(lambda: logs.describe_log_groups()["logGroups"], 10, "the log group")
        assert [group["logGroupName"] for group in groups] == ["/aws/lambda/function-of-alice"]

        def answer(call, other, **arguments):
            try:
                call(**arguments)
            except ClientError as error:
                return error.response["Error"]["Code"], error.response["Error"]["Message"].replace(other, "X")
            raise AssertionError("answered")

        for call, argument, pattern in [
            (functions.get_function, "FunctionName", f"arn:aws:lambda:{REGION}:{BOB}:function:{{}}"),
            (functions.invoke, "FunctionName", f"arn:aws:lambda:{REGION}:{BOB}:function:{{}}"),
            (functions.get_function, "FunctionName", "{}"),
            (functions.invoke, "FunctionName", "{}"),
            (logs.filter_log_events, "logGroupName", "/aws/lambda/{}"),
            (logs.filter_log_events, "logGroupIdentifier", f"arn:aws:logs:{REGION}:{BOB}:log-group:/aws/lambda/{{}}"),
            (logs.describe_log_streams, "logGroupName", "/aws/lambda/{}"),
        ]:
            seen = [answer(call, name, **{argument: pattern.format(name)}) for name in ("function-of-bob", "function-of-nob")]
            assert seen[0] == seen[1], (call, pattern)

    def test_do_not_manage_by_the_configuration_of_an_earlier_version(self, own_daemon):
        """All keys were operators' once. The log says what to do."""
        daemon = own_daemon(ACCOUNTS)
        assert "[[operator_keys]]" in daemon.log()
        assert ask(daemon, key_of(ALICE), "PUT", "v1/pools/gold", {})[0] == 403
        assert "needs an operator's key" in hearth(daemon, "pool", "set", "gold", "--max", "1", key=key_of(ALICE), fails=True)
        assert "needs an operator's key" in hearth(daemon, "top", "--once", key=key_of(ALICE), fails=True)
        assert client(daemon, key_of(ALICE)).list_functions()["Functions"] == []


class TestOperators:
    def test_see_and_manage_all_and_have_no_functions(self, daemon):
        function = deploy(daemon, "probe.echo", client=client(daemon, key_of(ALICE)))
        function.call({})
        state = ask(daemon, OPERATOR, "GET", "state")[1]
        assert [version["key"]["account"] for version in state["engine"]["versions"]] == [ALICE]
        status, text = ask(daemon, OPERATOR, "GET", "metrics")
        assert status == 200 and "hearth_invocations_total" in text
        with refused(client(daemon, OPERATOR), "AccessDeniedException", 403, "operator's key"):
            client(daemon, OPERATOR).list_functions()
        with refused(client(daemon, OPERATOR), "AccessDeniedException", 403, "operator's key"):
            client(daemon, OPERATOR).invoke(FunctionName=function.name)
        with refused(client(daemon, OPERATOR, "sts"), "AccessDenied", 403, "operator's key"):
            client(daemon, OPERATOR, "sts").get_caller_identity()

    def test_are_known_by_a_right_signature_alone(self, daemon):
        wrong = (OPERATOR[0], "wrong")
        assert ask(daemon, wrong, "GET", "state")[0] == 403
        with refused(client(daemon, wrong), "InvalidSignatureException", 403):
            client(daemon, wrong).list_functions()

    def test_are_never_functions(self, daemon):
        function = deploy(daemon, "probe.fetch_admin", client=client(daemon, key_of(ALICE)))
        for method, path in [("GET", "v1/access/keys"), ("POST", "v1/access/keys"), ("POST", "v1/access/accounts"), ("GET", "state")]:
            seen = function.call({"path": f"/_hearth/{path}", "method": method, **({"body": "{}"} if method == "POST" else {})})
            assert seen == {"status": 403}, path


class TestKeysByCommand:
    def test_hold_at_once_and_after_a_crash(self, own_daemon):
        """A daemon that has an operator's key alone."""
        daemon = own_daemon(OPERATORS, host="0.0.0.0")
        account = hearth(daemon, "account", "create", "--name", "shop").strip()
        key = made_key(daemon, "create", "--account", account, "--name", "ci")
        assert client(daemon, key, "sts").get_caller_identity()["Account"] == account
        operator = made_key(daemon, "create", "--operator")
        daemon.kill()
        daemon.start()
        assert client(daemon, key, "sts").get_caller_identity()["Account"] == account
        assert "shop" in hearth(daemon, "account", key=operator)
        listed = hearth(daemon, "key", key=operator)
        assert key[0] in listed and operator[0] in listed and key[1] not in listed
        stored = b"".join(path.read_bytes() for path in (daemon.data / "store").iterdir() if path.is_file())
        assert key[0].encode() in stored and key[1].encode() not in stored

    def test_end_at_once(self, daemon):
        key = made_key(daemon, "create", "--account", ALICE)
        functions = client(daemon, key)
        functions.list_functions()
        hearth(daemon, "key", "delete", key[0])
        with refused(functions, "UnrecognizedClientException", 403):
            functions.list_functions()

    def test_are_rotated_without_a_gap(self, daemon):
        old = made_key(daemon, "create", "--account", ALICE)
        new = made_key(daemon, "rotate", old[0], "--keep", "1h")
        for key in (old, new):
            client(daemon, key).list_functions()
        last = made_key(daemon, "rotate", new[0], "--keep", "0s")
        client(daemon, last).list_functions()
        with refused(client(daemon, new), "UnrecognizedClientException", 403):
            client(daemon, new).list_functions()

    def test_that_make_no_sense_are_refused_with_what_to_do(self, daemon):
        assert "hearth account create" in hearth(daemon, "key", "create", "--account", "333333333333", fails=True)
        assert "configuration file" in hearth(daemon, "key", "delete", OPERATOR[0], fails=True)
        assert "there is no key" in hearth(daemon, "key", "rotate", "NONE", fails=True)
        assert "there already" in hearth(daemon, "account", "create", hearth(daemon, "account", "create").strip(), fails=True)

    def test_mean_nothing_where_anybody_is_let_in(self, own_daemon):
        daemon = own_daemon()
        assert "[[operator_keys]]" in hearth(daemon, "key", "create", "--operator", fails=True)
        assert daemon.client().list_functions()["Functions"] == []


class TestDisabledAccounts:
    def test_are_refused_with_all_that_speaks_for_them(self, daemon):
        functions = client(daemon, key_of(ALICE))
        inner = deploy(daemon, "probe.echo", client=functions)
        outer = deploy(daemon, "probe.call_another", client=functions, MemorySize=512)
        role = outer.call({"function": inner.name, "payload": 1})
        assert role["payload"] == 1
        session = client(daemon, key_of(ALICE), "sts").get_session_token()["Credentials"]
        session = daemon.client(account=session["AccessKeyId"], secret=session["SecretAccessKey"], token=session["SessionToken"])
        session.list_functions()
        functions.add_permission(FunctionName=inner.name, StatementId="bob", Action="lambda:InvokeFunction", Principal=BOB)
        arn = functions.get_function(FunctionName=inner.name)["Configuration"]["FunctionArn"]
        client(daemon, key_of(BOB)).invoke(FunctionName=arn)
        hearth(daemon, "account", "disable", ALICE)
        with refused(client(daemon, key_of(BOB)), "AccessDeniedException", 403, "disabled"):
            client(daemon, key_of(BOB)).invoke(FunctionName=arn)
        for caller in (functions, session):
            with refused(caller, "AccessDeniedException", 403, "disabled"):
                caller.list_functions()
            with refused(caller, "AccessDeniedException", 403, "disabled"):
                caller.invoke(FunctionName=inner.name)
        assert "disabled" in hearth(daemon, "account")
        client(daemon, key_of(BOB)).list_functions()
        hearth(daemon, "account", "enable", ALICE)
        assert inner.call({"back": True}) == {"back": True}
