"""Capacity as operators declare it: instances, sub-pools, policies, trust groups; over the API and the command line."""

import json
import subprocess
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest

from daemon import HEARTH, wait_until

ALICE = "111111111111"
BOB = "222222222222"
CAROL = "333333333333"


class Admin:
    """The JSON API as any program would use it."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __call__(self, method, path, body=None, raw=None):
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.daemon.endpoint}/_hearth/v1/{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def set(self, path, **body):
        status, answer = self("PUT", path, body)
        assert status in (200, 201), answer
        return answer

    def delete(self, path):
        status, answer = self("DELETE", path)
        assert status == 204, answer

    def log(self):
        return self("GET", "log")[1]["records"]

    def state(self):
        with urllib.request.urlopen(f"{self.daemon.endpoint}/_hearth/state") as answer:
            return json.load(answer)


@pytest.fixture
def admin(own_daemon):
    return Admin(own_daemon())


def hearth(daemon, *arguments, fails=False):
    command = [HEARTH, *arguments, "--endpoint", daemon.endpoint]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=daemon.environment())
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def later(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


class TestAdminApi:
    def test_documents_are_made_changed_and_deleted(self, admin):
        status, pool = admin("PUT", "pools/gold", {"kind": "dedicated", "account": ALICE})
        assert (status, pool["source"], pool["max"]) == (201, "api", 100)
        assert admin("PUT", "pools/gold", {"kind": "dedicated", "account": ALICE, "max": 3})[0] == 200
        status, pool = admin("PATCH", "pools/gold", {"account": BOB})
        assert (status, pool["account"], pool["max"]) == (200, BOB, 3)
        assert admin("PATCH", "pools/gold", {"max": None})[1]["max"] == 100
        assert [pool["name"] for pool in admin("GET", "pools")[1]["pools"]] == ["general", "gold"]
        admin.set("instances/m1", memory_mib=512, pool="gold", lease_end=later(3600), labels=["rack 7"])
        status, error = admin("DELETE", "pools/gold")
        assert (status, error["code"]) == (409, "Conflict") and "m1" in error["message"]
        admin.delete("instances/m1")
        wait_until(lambda: admin("GET", "instances/m1")[0] == 404, 10, "the empty instance is gone")
        admin.delete("pools/gold")
        assert [record["what"] for record in admin.log()][-2:] == ["emptied", "delete"]

    def test_survive_kill_9(self, own_daemon):
        admin = Admin(own_daemon('[[capacity.pool]]\nname = "filed"\nmax = 5\n'))
        admin.set("groups/friends", accounts=[ALICE, BOB])
        admin.set("pools/club", kind="dedicated", group="friends")
        admin.set(f"accounts/{CAROL}", shortage=["wait:5", "reject"])
        admin("PATCH", "pools/filed", {"max": 6})
        admin.set("instances/m1", memory_mib=512, pool="club")
        kinds = ("pools", "groups", "accounts", "instances")
        before = {kind: admin("GET", kind)[1] for kind in kinds}
        log = admin.log()
        admin.daemon.kill()
        admin.daemon.start()
        after = {kind: admin("GET", kind)[1] for kind in kinds}
        for instance in before["instances"]["instances"] + after["instances"]["instances"]:
            del instance["id"]
        assert after == before
        assert admin.log() == log

    @pytest.mark.parametrize(
        "path, body, words",
        [
            ("pools/Gold", {}, "lower-case"),
            ("pools/gold", {"kind": "dedicated"}, "needs an account or a group"),
            ("pools/gold", {"colour": 1}, "unknown field"),
            ("pools/gold", [], "JSON object"),
            ("instances/m1", {"memory_mib": 512, "pool": "nowhere"}, "make it first"),
            ("instances/m1", {"memory_mib": -1}, "invalid value"),
            ("instances/m1", {"memory_mib": 512, "lease_end": "2001-01-01T00:00:00Z"}, "over"),
            (f"accounts/{ALICE}", {"shortage": ["pray"]}, "wait:SECONDS"),
            ("accounts/alice", {}, "account"),
            ("groups/g", {"accounts": ["1"]}, "account"),
        ],
    )
    def test_bad_documents_say_what_is_wrong(self, daemon, path, body, words):
        status, error = Admin(daemon)("PUT", path, body)
        assert (status, error["code"]) == (400, "InvalidParameter")
        assert words in error["message"], error
        assert Admin(daemon)("GET", path)[0] == 404

    def test_hostile_requests(self, daemon):
        admin = Admin(daemon)
        assert admin("PUT", "pools/gold", raw=b"{")[0] == 400
        assert admin("PUT", "pools/gold", raw=b"[" * 60000)[0] == 400
        assert admin("PUT", "pools/gold", raw=b" " * 70000)[0] == 413
        assert admin("POST", "pools/gold", {})[0] == 405
        assert admin("GET", "nothing")[1]["code"] == "NotFound"
        assert admin("GET", "log?from=x")[0] == 400
        assert admin("GET", "log?from=18446744073709551615")[1]["records"] == []
        assert admin("DELETE", "pools/general")[0] == 404
        assert admin("POST", "instances/m/reclaim", {"seconds": 10**18})[0] == 400

    def test_wants_a_configured_key(self, own_daemon):
        keys = f'[[access_keys]]\nid = "AKIAOPERATOR00000000"\nsecret = "a-secret"\naccount = "{ALICE}"\n'
        daemon = own_daemon(keys)
        assert Admin(daemon)("GET", "pools") == (
            403,
            {"code": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"},
        )
        environment = daemon.environment() | {"AWS_ACCESS_KEY_ID": "AKIAOPERATOR00000000", "AWS_SECRET_ACCESS_KEY": "a-secret"}
        command = [HEARTH, "pool", "set", "gold", "--max", "4", "--json", "--endpoint", daemon.endpoint]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
        assert done.returncode == 0 and json.loads(done.stdout)["max"] == 4, done.stderr
        wrong = subprocess.run(command, capture_output=True, text=True, env=environment | {"AWS_SECRET_ACCESS_KEY": "no"}, timeout=60)
        assert wrong.returncode == 1 and "InvalidSignature" in wrong.stderr

    def test_functions_are_refused(self, daemon, deploy):
        function = deploy("probe.fetch_admin")
        for path in ("/_hearth/v1/pools", "/_hearth/state", "/_hearth/metrics"):
            assert function.call({"path": path}) == {"status": 403}, path
        assert function.call({"path": "/_hearth/v1/pools/evil", "method": "PUT", "body": "{}"}) == {"status": 403}
        assert Admin(daemon)("GET", "pools/evil")[0] == 404


class TestCommandLine:
    def test_pools_and_instances(self, admin):
        daemon = admin.daemon
        pool = json.loads(hearth(daemon, "pool", "set", "gold", "--kind", "dedicated", "--account", ALICE, "--max", "2", "--json"))
        assert (pool["kind"], pool["max"]) == ("dedicated", 2)
        assert "gold" in hearth(daemon, "pool") and "dedicated" in hearth(daemon, "pool", "list")
        hearth(daemon, "pool", "set", "gold", "--price", "2.5", "--variable", "true")
        assert json.loads(hearth(daemon, "pool", "show", "gold"))["price"] == 2.5
        hearth(daemon, "capacity", "add", "m1", "--memory", "512", "--pool", "gold", "--lease", "1h", "--label", "rack7")
        assert "rack7" in hearth(daemon, "capacity", "list")
        hearth(daemon, "capacity", "policy", ALICE, "--shortage", "wait:5", "reject", "--price-max", "3")
        assert "wait:5, then reject" in hearth(daemon, "capacity", "policy")
        hearth(daemon, "capacity", "group", "friends", ALICE, BOB)
        assert json.loads(hearth(daemon, "capacity", "group", "friends"))["accounts"] == [ALICE, BOB]
        hearth(daemon, "capacity", "group", "friends", "--delete")
        hearth(daemon, "capacity", "policy", ALICE, "--delete")
        hearth(daemon, "capacity", "reclaim", "m1", "--in", "1s")
        wait_until(lambda: json.loads(hearth(daemon, "capacity", "list", "--json")) == [], 20, "the instance is gone")
        hearth(daemon, "pool", "delete", "gold")
        assert "reclaim" in hearth(daemon, "capacity", "log")

    def test_errors_say_what_to_do(self, admin):
        daemon = admin.daemon
        assert "make it first" in hearth(daemon, "capacity", "add", "m1", "--memory", "512", "--pool", "x", fails=True)
        assert "memory_mib" in hearth(daemon, "capacity", "add", "m1", fails=True)
        assert "there is no pool" in hearth(daemon, "pool", "show", "x", fails=True)
        assert "such as 30s" in hearth(daemon, "capacity", "reclaim", "x", "--in", "soon", fails=True)
