"""Capacity as operators manage it and as invocations find it: sub-pools, shortage, leases, trust, the hook."""

import concurrent.futures
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

import botocore.exceptions
import pytest

import package
from daemon import ACCOUNT, HEARTH, refused, wait_until

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
        return self.daemon.state()


@pytest.fixture
def admin(own_daemon):
    return Admin(own_daemon())


def hearth(daemon, *arguments, fails=False):
    command = [HEARTH, *arguments, "--endpoint", daemon.endpoint]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=daemon.environment())
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def function_of(admin, account, handler="probe.sleep", **configuration):
    return package.deploy(admin.daemon, handler, client=admin.daemon.client(account=account), MemorySize=256, **configuration)


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
            (f"accounts/{ALICE}", {"spread": {"min": 2, "max": 1}}, "min of at least 1"),
            (f"accounts/{ALICE}", {"spread": {"min": 0, "max": 1}}, "min of at least 1"),
            (f"accounts/{ALICE}", {"spread": {"min": 1}}, "max"),
            ("accounts/alice", {}, "account"),
            ("pools/gold", {"frequency": "daily"}, "unknown variant"),
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

    def test_wants_an_operators_key(self, own_daemon):
        keys = '[[operator_keys]]\nid = "OPERATOR"\nsecret = "a-secret"\n'
        daemon = own_daemon(keys)
        assert Admin(daemon)("GET", "pools") == (
            403,
            {"code": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"},
        )
        environment = daemon.environment() | {"AWS_ACCESS_KEY_ID": "OPERATOR", "AWS_SECRET_ACCESS_KEY": "a-secret"}
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
        hearth(daemon, "capacity", "policy", ALICE, "--spread", "1:3")
        assert "1 to 3" in hearth(daemon, "capacity", "policy")
        hearth(daemon, "capacity", "policy", ALICE, "--spread", "all")
        assert "spread" not in json.loads(hearth(daemon, "capacity", "policy", ALICE, "--json"))
        hearth(daemon, "pool", "set", "gold", "--frequency", "rare")
        assert "rare" in hearth(daemon, "pool") and "gold (rare)" in hearth(daemon, "top", "--once")
        hearth(daemon, "pool", "set", "gold", "--frequency", "any")
        assert "frequency" not in json.loads(hearth(daemon, "pool", "show", "gold", "--json"))
        hearth(daemon, "capacity", "group", "friends", ALICE, BOB)
        assert json.loads(hearth(daemon, "capacity", "group", "friends"))["accounts"] == [ALICE, BOB]
        hearth(daemon, "capacity", "group", "friends", "--delete")
        hearth(daemon, "capacity", "policy", ALICE, "--delete")
        hearth(daemon, "capacity", "reclaim", "m1", "--in", "1s")
        wait_until(lambda: len(json.loads(hearth(daemon, "capacity", "list", "--json"))) == 1, 20, "the instance is gone")
        hearth(daemon, "pool", "delete", "gold")
        assert "reclaim" in hearth(daemon, "capacity", "log")

    def test_errors_say_what_to_do(self, admin):
        daemon = admin.daemon
        assert "make it first" in hearth(daemon, "capacity", "add", "m1", "--memory", "512", "--pool", "x", fails=True)
        assert "memory_mib" in hearth(daemon, "capacity", "add", "m1", fails=True)
        assert "there is no pool" in hearth(daemon, "pool", "show", "x", fails=True)
        assert "such as 30s" in hearth(daemon, "capacity", "reclaim", "x", "--in", "soon", fails=True)
        assert "such as 1:3" in hearth(daemon, "capacity", "policy", ALICE, "--spread", "3", fails=True)
        assert "min of at least 1" in hearth(daemon, "capacity", "policy", ALICE, "--spread", "3:1", fails=True)


# A hook as an operator would write it: one instance per token, whatever is asked how often.
HOOK = """#!/usr/bin/env python3
import json, os, pathlib, sys, time
request = json.load(sys.stdin)
here = pathlib.Path(sys.argv[1])
with open(here / "requests", "a") as log:
    log.write(json.dumps(request) + "\\n")
mode = (here / "mode").read_text() if (here / "mode").exists() else "good"
if mode == "failing":
    print("out of machines", file=sys.stderr)
    sys.exit(1)
if mode == "hanging":
    time.sleep(600)
if mode == "rubbish":
    print("<html>")
    sys.exit()
if request["action"] == "acquire":
    print(json.dumps({"instance": {"memory_mib": max(512, request["memory_mib"]), "cost_rate": 1.5}}))
"""


class Hook:
    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.script = directory / "hook"
        self.script.write_text(HOOK)
        self.script.chmod(0o755)

    def config(self, **more):
        values = {"command": [str(self.script), str(self.directory)], "timeout_s": 1, "retry_s": 0.1} | more
        return "[capacity.hook]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())

    def mode(self, mode):
        (self.directory / "mode").write_text(mode)

    def requests(self, action=None):
        path = self.directory / "requests"
        lines = path.read_text().splitlines() if path.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("}")]
        return [request for request in found if action in (None, request["action"])]


@pytest.fixture
def hook(tmp_path):
    return Hook(tmp_path / "hook")


class TestHook:
    """A pool with a minimum is filled by the operator's own script."""

    def filled(self, admin, **pool):
        return admin.set("pools/bought", min=1, target=1, max=4, instance_memory_mib=512, **pool)

    def instances(self, admin):
        return [found for found in admin("GET", "instances")[1]["instances"] if found["source"] == "hook"]

    def test_brings_what_a_pool_lacks(self, own_daemon, hook):
        admin = Admin(own_daemon(hook.config()))
        self.filled(admin)
        (instance,) = wait_until(lambda: self.instances(admin), 20, "an instance from the hook")
        assert (instance["pool"], instance["memory_mib"], instance["cost_rate"]) == ("bought", 512, 1.5)
        assert [record["what"] for record in admin.log()] == ["set pool", "acquire", "acquired"]
        admin.set("pools/bought", min=0, target=0, max=0, instance_memory_mib=512)
        wait_until(lambda: hook.requests("release"), 20, "the surplus is given back")
        assert hook.requests("release")[0]["token"] == hook.requests("acquire")[0]["token"]
        wait_until(lambda: self.instances(admin) == [], 20, "it is gone")

    @pytest.mark.parametrize("mode", ["failing", "hanging", "rubbish"])
    def test_that_goes_wrong_is_tried_again_and_harms_nothing(self, own_daemon, hook, mode):
        hook.mode(mode)
        admin = Admin(own_daemon(hook.config()))
        self.filled(admin)
        wait_until(lambda: len(hook.requests("acquire")) >= 2, 30, "it is called again")
        tokens = {request["token"] for request in hook.requests("acquire")[:2]}
        assert len(tokens) == 1
        assert self.instances(admin) == []
        assert function_of(admin, ALICE).call({})["slept"] == 0
        failed = wait_until(lambda: [r for r in admin.log() if r["what"] == "failed"], 10, "the log tells of it")
        words = {"failing": "out of machines", "hanging": "did not answer within 1 s", "rubbish": "cannot be used"}
        assert words[mode] in failed[0]["details"]["problem"]
        hook.mode("good")
        wait_until(lambda: self.instances(admin), 60, "it comes once the hook is well")

    def test_keeps_within_its_limits(self, own_daemon, hook):
        admin = Admin(own_daemon(hook.config(instances_max=1)))
        self.filled(admin)
        wait_until(lambda: self.instances(admin), 20, "one instance")
        admin.set("pools/more", min=1, target=1, max=4, instance_memory_mib=512)
        wait_until(lambda: any("instances_max" in json.dumps(r["details"]) for r in admin.log()), 20, "the limit is told")
        assert len(self.instances(admin)) == 1 and len(hook.requests("acquire")) == 1

    def test_ends_with_a_daemon_that_is_killed(self, own_daemon, hook):
        hook.mode("hanging")
        admin = Admin(own_daemon(hook.config(timeout_s=600)))
        self.filled(admin)
        wait_until(lambda: hook.requests("acquire"), 20, "the hook is called")

        def processes():
            of_hook = str(hook.script).encode()
            lines = {path: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
            return [path for path, line in lines.items() if of_hook in line]

        assert processes()
        hook.mode("good")
        admin.daemon.kill()
        wait_until(lambda: not processes(), 20, "nothing of the hook runs without its daemon", processes)
        admin.daemon.start()

    def test_an_acquisition_under_way_is_found_again_after_kill_9(self, own_daemon, hook):
        hook.mode("hanging")
        admin = Admin(own_daemon(hook.config(timeout_s=600)))
        self.filled(admin)
        (request,) = wait_until(lambda: hook.requests("acquire"), 20, "the hook is called")
        admin.daemon.kill()
        hook.mode("good")
        admin.daemon.start()
        wait_until(lambda: self.instances(admin), 20, "the instance that was under way")
        assert hook.requests("acquire")[1]["token"] == request["token"]
        assert len({r["token"] for r in hook.requests("acquire")}) == len(self.instances(admin))


SMALL = "[node]\nmemory_mib = 512\nblanks_per_runtime = 0\nqueue_timeout_s = 60\n"


class TestFeatures:
    """One row of the table of features each. Functions take 256 MiB, so the node alone has room for two of them."""

    @pytest.fixture(autouse=True)
    def callers(self):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            yield pool

    def pool(self, admin, name):
        return next(pool for pool in admin.state()["engine"]["sub_pools"] if pool["terms"]["name"] == name)

    def tenants(self, admin, name):
        """Accounts on the instance of this name."""
        number = admin("GET", f"instances/{name}")[1]["id"]
        return next(found["tenants"] for found in admin.state()["engine"]["instances"] if found["id"] == number)

    def waiting(self, admin, count):
        wait_until(lambda: admin.state()["engine"]["queued"] == count, 20, f"{count} wait for room")

    def busy(self, admin, count):
        wait_until(lambda: admin.state()["engine"]["sandboxes"]["busy"] == count, 30, f"{count} run")

    def test_warm_pool_and_reuse(self, own_daemon):
        """A call finds a sandbox made ahead of need, the next one the same process; without a pool all is made for the call."""

        def starts(daemon):
            function = package.deploy(daemon, "probe.state")
            client = daemon.client()
            client.meta.events.register("before-sign.lambda", lambda request, **_: request.headers.add_header("x-hearth-timeline", "1"))
            first, second = package.invoke(client, function.name), package.invoke(client, function.name)
            assert first.json["init_id"] == second.json["init_id"] and second.json["calls"] == 2
            kinds = [result.headers["x-hearth-timeline"].split(":")[0].split(" ")[0] for result in (first, second)]
            assert kinds[1] == "warm"
            return kinds[0]

        ready = own_daemon("[node]\nblanks_per_runtime = 1\n")
        roots = lambda: Admin(ready).state()["engine"]["roots"]
        wait_until(lambda: all(root["ready"] == 1 for root in roots()), 20, "sandboxes are ready ahead of need")
        assert starts(ready) != "boot"
        assert starts(own_daemon("[node]\nblanks_per_runtime = 0\n")) == "boot"

    def test_sub_pool_by_identity(self, own_daemon, callers):
        """Others fill the general pool; the owner of a dedicated one starts at once."""
        admin = Admin(own_daemon(SMALL))
        admin.set("pools/gold", kind="dedicated", account=ALICE)
        admin.set("instances/share", memory_mib=512, pool="gold")
        hers, his = function_of(admin, ALICE), function_of(admin, BOB)
        crowd = [callers.submit(his.call, {"seconds": 6}) for _ in range(3)]
        self.busy(admin, 2)
        self.waiting(admin, 1)
        assert hers.call({})["slept"] == 0
        assert admin.state()["engine"]["queued"] == 1, "the others still wait"
        assert self.tenants(admin, "share") == [ALICE]
        assert self.pool(admin, "gold")["counters"]["hits"] == 1
        for call in crowd:
            assert call.result()["slept"] == 6

    def test_wait_for_variable_capacity(self, own_daemon, callers):
        """The pool is empty, a call waits for it; an instance appears: the call runs on it."""
        admin = Admin(own_daemon(SMALL))
        admin.set("pools/spot", kind="dedicated", account=CAROL, variable=True, price=0.1)
        admin.set(f"accounts/{CAROL}", shortage=["wait:60"])
        function = function_of(admin, CAROL)
        call = callers.submit(function.call, {})
        self.waiting(admin, 1)
        assert not call.done()
        admin.set("instances/late", memory_mib=512, pool="spot")
        assert call.result(30)["slept"] == 0
        assert self.tenants(admin, "late") == [CAROL]

    def test_waiting_has_an_end(self, own_daemon):
        admin = Admin(own_daemon(SMALL))
        admin.set("pools/spot", kind="dedicated", account=CAROL, variable=True)
        admin.set(f"accounts/{CAROL}", shortage=["wait:1"])
        function = function_of(admin, CAROL)
        with refused(function.client, "ServiceException", 500, "no room"):
            function.client.invoke(FunctionName=function.name)

    def test_what_is_not_available_or_too_dear_is_not_used(self, own_daemon):
        admin = Admin(own_daemon(SMALL))
        admin.set("pools/spot", kind="dedicated", account=CAROL, variable=True, price=2.0)
        admin.set("instances/m1", memory_mib=512, pool="spot")
        admin.set(f"accounts/{CAROL}", shortage=["reject"], price_max=1.0)
        function = function_of(admin, CAROL)
        for change in ({"price": 1.0, "available": False}, {"price": 3.0, "available": True}):
            admin("PATCH", "pools/spot", change)
            with refused(function.client, "ServiceException", 500):
                function.client.invoke(FunctionName=function.name)
        admin("PATCH", "pools/spot", {"price": 1.0})
        assert function.call({})["slept"] == 0

    def test_borrow_by_policy(self, own_daemon):
        """The policy of the account decides whether overflow runs in the general pool, from one request to the next."""
        admin = Admin(own_daemon(SMALL))
        admin.set("pools/gold", kind="dedicated", account=ALICE)
        admin.set(f"accounts/{ALICE}", shortage=["reject"])
        function = function_of(admin, ALICE)
        with refused(function.client, "ServiceException", 500, "no capacity is left for this account"):
            function.client.invoke(FunctionName=function.name)
        admin("PATCH", f"accounts/{ALICE}", {"shortage": ["borrow:general", "reject"]})
        assert function.call({})["slept"] == 0
        assert self.pool(admin, "gold")["counters"]["borrowed"] == 1
        assert self.pool(admin, "general")["counters"]["lent"] == 1

    def test_an_empty_pool_keeps_nobody_from_starting(self, own_daemon):
        """Declared before it has an instance, in the order in which the README does it."""
        admin = Admin(own_daemon())
        assert "archive" in hearth(admin.daemon, "pool", "set", "archive", "--frequency", "rare")
        function = function_of(admin, ALICE)
        assert function.call({})["slept"] == 0
        admin.set("pools/gold", kind="dedicated", account=ALICE)
        admin.set(f"accounts/{BOB}", pool="archive")
        for account in (ALICE, BOB):
            assert function_of(admin, account).call({})["slept"] == 0
        admin.set(f"accounts/{ALICE}", shortage=["wait:1"])
        with refused(function.client, "ServiceException", 500, 'pool "gold": add an instance'):
            function_of(admin, ALICE).call({})
        admin.set(f"accounts/{ALICE}", shortage=["reject"])
        with refused(function.client, "ServiceException", 500, 'pool "gold" has no room'):
            function_of(admin, ALICE).call({})

    def test_what_is_borrowed_is_made_room_for(self, own_daemon):
        """The node's own memory is lent although it is full of sandboxes that nobody uses."""
        admin = Admin(own_daemon(SMALL))
        for _ in range(2):
            function_of(admin, BOB).call({})
        admin.set("pools/gold", kind="dedicated", account=ALICE)
        admin.set(f"accounts/{ALICE}", shortage=["borrow:general", "wait:30", "reject"])
        assert function_of(admin, ALICE).call({})["slept"] == 0
        assert self.pool(admin, "general")["counters"]["lent"] == 1

    def test_the_node_is_an_instance(self, own_daemon):
        admin = Admin(own_daemon(SMALL))
        (node,) = admin("GET", "instances")[1]["instances"]
        assert (node["name"], node["pool"], node["memory_mib"], node["shared"]) == ("node", "general", 512, True)
        for method, path, body in (("PUT", "", {"memory_mib": 512}), ("PATCH", "", {"pool": "x"}), ("DELETE", "", None)):
            status, error = admin(method, f"instances/node{path}", body)
            assert status in (400, 409) and "this machine's own memory" in error["message"], error
        assert admin("POST", "instances/node/reclaim", {"seconds": 1})[0] == 409
        function_of(admin, ALICE).call({})
        shown = json.loads(hearth(admin.daemon, "capacity", "show", "node"))
        assert (shown["use"]["accounts"], shown["use"]["sandboxes"]) == ([ALICE], 1)
        assert re.search(rf"node +general .* of 512 +{ALICE}", hearth(admin.daemon, "capacity"))

    def test_replenish_and_its_rate(self, own_daemon, hook):
        """Each instance that is taken is replaced; where many are taken, by more."""
        admin = Admin(own_daemon(SMALL + hook.config(instances_max=20)))
        refill = {"per_removal": 1, "fast_from": 3, "fast_per_removal": 3}
        admin.set("pools/bought", instance_memory_mib=512, max=20, refill=refill)
        admin("PATCH", "pools/bought", {"min": 1, "target": 1})
        full = lambda count: wait_until(lambda: self.pool(admin, "bought")["waiting"] == count, 30, f"{count} wait")
        full(1)
        asked = []
        for number, left in zip(range(4), (1, 1, 3, 5)):
            account = f"{number + 1:012}"
            admin.set(f"accounts/{account}", pool="bought", shortage=["provision:60"])
            before = self.pool(admin, "bought")["counters"]["asked"]
            function_of(admin, account).call({})
            full(left)
            asked.append(self.pool(admin, "bought")["counters"]["asked"] - before)
        assert asked == [1, 1, 3, 3]

    def test_frequent_and_rare_versions(self, own_daemon, callers):
        """Sandboxes of what is called often are made apart; those that are idle where they are go on to be used."""
        admin = Admin(own_daemon(SMALL))
        for frequency in ("frequent", "rare"):
            admin.set(f"pools/{frequency}", kind="dedicated", account=ALICE, frequency=frequency)
            admin.set(f"instances/on-{frequency}", memory_mib=1024, pool=frequency)
        function, other = function_of(admin, ALICE), function_of(admin, ALICE)
        first = function.call({})
        assert (self.tenants(admin, "on-frequent"), self.tenants(admin, "on-rare")) == ([], [ALICE])
        for _ in range(20):
            assert function.call({})["init_id"] == first["init_id"]
        assert self.tenants(admin, "on-frequent") == []
        running = callers.submit(function.call, {"seconds": 3})
        self.busy(admin, 1)
        assert function.call({})["init_id"] != first["init_id"]
        assert self.tenants(admin, "on-frequent") == [ALICE], "the second one is made among its like"
        assert running.result()["init_id"] == first["init_id"]
        before = self.pool(admin, "rare")["counters"]["hits"]
        other.call({})
        assert self.pool(admin, "rare")["counters"]["hits"] == before + 1
        classes = {found["key"]["function"]: found["frequency"] for found in admin.state()["engine"]["versions"]}
        assert (classes[function.name], classes[other.name]) == ("frequent", "rare")

    def test_spread_over_shared_instances(self, own_daemon, callers):
        """An account keeps to one of four, gets a second when that is full, never a third, and gives the second up again."""
        admin = Admin(own_daemon(SMALL))
        for number in range(3):
            admin.set(f"instances/m{number}", memory_mib=512, shared=True)
        admin.set(f"accounts/{ALICE}", spread={"min": 1, "max": 2}, shortage=["reject"])
        functions = [function_of(admin, ALICE) for _ in range(3)]

        def used():
            return sorted(found["sandboxes"] for found in admin.state()["engine"]["instances"])

        names = {document["id"]: document["name"] for document in admin("GET", "instances")[1]["instances"]}

        def spread():
            accounts = admin.state()["engine"]["accounts"]
            (found,) = [found for found in accounts if found["account"] == ALICE]
            (pool,) = found["spread"]
            return [names[number] for number in pool["instances"]]

        calls = [callers.submit(functions[0].call, {"seconds": 8}) for _ in range(2)]
        self.busy(admin, 2)
        (home,) = spread()
        assert used() == [0, 0, 0, 2]
        assert re.search(rf"^{ALICE} +general +{re.escape(home)}$", hearth(admin.daemon, "top", "--once", "--interval", "0.1"), re.M)
        calls += [callers.submit(functions[1].call, {"seconds": 8}) for _ in range(2)]
        self.busy(admin, 4)
        assert used() == [0, 0, 2, 2]
        assert len(spread()) == 2 and spread()[0] == home
        shown = json.loads(hearth(admin.daemon, "top", "--once", "--json", "--interval", "0.1"))["spreads"]
        assert shown == [{"account": ALICE, "pool": "general", "instances": spread()}]
        with refused(functions[2].client, "ServiceException", 500, "no capacity is left for this account"):
            functions[2].client.invoke(FunctionName=functions[2].name)
        assert function_of(admin, BOB).call({})["slept"] == 0, "there is room for others"
        for call in calls:
            call.result()
        functions[1].client.delete_function(FunctionName=functions[1].name)
        wait_until(lambda: spread() == [home], 20, "the second is given up")

    def test_cores_bound_what_an_instance_holds(self, own_daemon, callers):
        """150 thousandths of a core are 265 MiB' worth, whatever memory there is."""
        admin = Admin(own_daemon(SMALL))
        admin.set("pools/gold", kind="dedicated", account=ALICE)
        admin.set(f"accounts/{ALICE}", shortage=["reject"])
        admin.set("instances/slow", memory_mib=2048, cpu_millis=150, pool="gold")
        function = function_of(admin, ALICE)
        running = callers.submit(function.call, {"seconds": 4})
        self.busy(admin, 1)
        with refused(function.client, "ServiceException", 500, "no capacity is left for this account"):
            function.client.invoke(FunctionName=function.name)
        admin("PATCH", "instances/slow", {"cpu_millis": 300})
        assert function.call({})["slept"] == 0
        assert running.result()["slept"] == 4

    def test_who_leaves_while_waiting_is_not_run(self, own_daemon, callers):
        admin = Admin(own_daemon(SMALL))
        crowded, other = function_of(admin, BOB), function_of(admin, ACCOUNT)
        crowd = [callers.submit(crowded.call, {"seconds": 8}) for _ in range(2)]
        self.busy(admin, 2)
        impatient = admin.daemon.client(read_timeout=1)
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            impatient.invoke(FunctionName=other.name, Payload=b'{"print": "after all"}')
        self.waiting(admin, 0)
        assert admin.state()["engine"]["counters"]["abandoned"] == 1
        for call in crowd:
            call.result()
        other.call({"print": "the next"})
        other.wait_for_message("the next")
        assert "after all" not in other.messages()

    def test_waits_for_room_are_counted(self, own_daemon, callers):
        admin = Admin(own_daemon(SMALL))
        crowded = function_of(admin, BOB)
        crowd = [callers.submit(crowded.call, {"seconds": 2}) for _ in range(2)]
        self.busy(admin, 2)
        assert self.pool(admin, "general")["counters"]["waits"] == 0
        assert function_of(admin, ALICE).call({})["slept"] == 0
        counters = self.pool(admin, "general")["counters"]
        assert counters["waits"] == 1 and counters["waited_us"] > 0
        with urllib.request.urlopen(f"{admin.daemon.endpoint}/_hearth/metrics") as answer:
            metrics = answer.read().decode()
        assert 'hearth_pool_events_total{pool="general",event="waited"} 1' in metrics
        assert 'hearth_pool_wait_seconds_total{pool="general"}' in metrics
        for call in crowd:
            call.result()

    def test_lease_aware_placement(self, own_daemon):
        """A run of up to 60 s does not go where 30 s are left, although that is cheaper."""
        admin = Admin(own_daemon(SMALL))
        admin.set("pools/gold", kind="dedicated", account=ALICE)
        admin.set("instances/short", memory_mib=512, pool="gold", cost_rate=0.1, lease_end=later(30))
        admin.set("instances/lasting", memory_mib=512, pool="gold", cost_rate=9)
        assert function_of(admin, ALICE, Timeout=60).call({})["slept"] == 0
        assert (self.tenants(admin, "short"), self.tenants(admin, "lasting")) == ([], [ALICE])
        assert function_of(admin, ALICE, Timeout=3).call({})["slept"] == 0

    def test_a_reclaimed_instance_takes_nothing_new(self, own_daemon, callers):
        """What runs is over in time; the next call runs elsewhere."""
        admin = Admin(own_daemon(SMALL))
        admin.set("pools/gold", kind="dedicated", account=ALICE)
        admin.set("instances/first", memory_mib=512, pool="gold", cost_rate=1)
        admin.set("instances/second", memory_mib=512, pool="gold", cost_rate=2)
        function = function_of(admin, ALICE)
        running = callers.submit(function.call, {"seconds": 3})
        self.busy(admin, 1)
        assert self.tenants(admin, "first") == [ALICE]
        assert admin("POST", "instances/first/reclaim", {"seconds": 60})[0] == 202
        other = function.call({})
        assert self.tenants(admin, "second") == [ALICE]
        assert running.result()["init_id"] != other["init_id"]
        wait_until(lambda: admin("GET", "instances/first")[0] == 404, 20, "it is gone when it is empty")

    def test_trust_groups(self, own_daemon, callers):
        """Strangers never share an instance; members of a group may; what a tenant used does not go to a stranger."""
        admin = Admin(own_daemon(SMALL))
        for number in (1, 2):
            admin.set(f"instances/m{number}", memory_mib=1024, pool="general", cost_rate=number)
        admin.set("pools/floor", kind="general")
        for account in (ALICE, BOB, CAROL):
            admin.set(f"accounts/{account}", shortage=["wait:30"])
        # The node itself is everybody's and the cheapest: fill it, so that the instances are used.
        filler = [callers.submit(function_of(admin, "444444444444").call, {"seconds": 8}) for _ in range(2)]
        self.busy(admin, 2)
        functions = {account: function_of(admin, account) for account in (ALICE, BOB)}
        calls = [callers.submit(function.call, {"seconds": 2}) for function in functions.values()]
        self.busy(admin, 4)
        assert sorted([self.tenants(admin, "m1"), self.tenants(admin, "m2")]) == [[ALICE], [BOB]]
        for call in calls + filler:
            call.result()

    def test_members_of_a_trust_group_share(self, own_daemon, callers):
        admin = Admin(own_daemon(SMALL))
        admin.set("groups/friends", accounts=[ALICE, BOB])
        admin.set("pools/club", kind="dedicated", group="friends")
        admin.set("instances/m1", memory_mib=1024, pool="club")
        calls = [callers.submit(function_of(admin, account).call, {"seconds": 2}) for account in (ALICE, BOB)]
        self.busy(admin, 2)
        assert self.tenants(admin, "m1") == [ALICE, BOB]
        for call in calls:
            call.result()
        admin.set(f"accounts/{CAROL}", pool="club", shortage=["reject"])
        assert function_of(admin, CAROL).call({})["slept"] == 0
        assert self.tenants(admin, "m1") == [ALICE, BOB], "a stranger is never on it"

    def patient(self, function, seconds):
        """The same function, called by somebody who is not in a hurry."""
        client = function.daemon.client(account=function.arn.split(":")[4])
        add = lambda request, **_: request.headers.add_header("x-hearth-defer", str(seconds))
        client.meta.events.register("before-sign.lambda", add)
        return package.Function(function.daemon, client, function.name)

    def deferred(self, admin, count):
        wait_until(lambda: admin.state()["engine"]["deferred"] == count, 20, f"{count} are held back")

    def test_defer_non_urgent(self, own_daemon, callers):
        """At peak a flagged call is held back, an unflagged one runs; the flagged one runs after the peak, or when its time is up."""
        admin = Admin(own_daemon("[node]\nmemory_mib = 1024\nblanks_per_runtime = 0\nqueue_timeout_s = 60\n"))
        crowded, other = function_of(admin, BOB), function_of(admin, ALICE)
        crowd = [callers.submit(crowded.call, {"seconds": 10}) for _ in range(3)]
        self.busy(admin, 3)
        flagged = callers.submit(self.patient(other, 600).call, {})
        self.deferred(admin, 1)
        assert admin.state()["engine"]["tickets"] == 3, "it does not count as concurrency"
        assert other.call({})["slept"] == 0
        assert self.patient(other, 1).call({})["slept"] == 0, "its time is up before the peak is over"
        assert not any(call.done() for call in crowd) and not flagged.done()
        assert admin.state()["engine"]["deferred"] == 1
        assert flagged.result(60)["slept"] == 0
        assert any(call.done() for call in crowd)
        assert admin.state()["engine"]["counters"]["deferred"] == 2
        for call in crowd:
            call.result()

    def test_defer_instead_of_throttling(self, own_daemon, callers):
        admin = Admin(own_daemon())
        function = function_of(admin, ALICE)
        function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
        running = callers.submit(function.call, {"seconds": 5})
        self.busy(admin, 1)
        flagged = callers.submit(self.patient(function, 600).call, {})
        self.deferred(admin, 1)
        with refused(function.client, "TooManyRequestsException", 429):
            function.client.invoke(FunctionName=function.name)
        assert flagged.result(60)["init_id"] == running.result()["init_id"]

    def test_events_are_held_back_in_their_queue_over_a_restart(self, own_daemon, callers):
        admin = Admin(own_daemon("[node]\nmemory_mib = 1024\nblanks_per_runtime = 0\nqueue_timeout_s = 60\n"))
        crowded, other = function_of(admin, BOB, Timeout=300), function_of(admin, ACCOUNT)
        crowd = [callers.submit(crowded.call, {"seconds": 300}) for _ in range(3)]
        self.busy(admin, 3)
        accepted = self.patient(other, 900).invoke({"print": "held back", "seconds": 0}, InvocationType="Event")
        assert accepted.status == 202
        other.invoke({"print": "urgent", "seconds": 0}, InvocationType="Event")
        self.patient(other, 3).invoke({"print": "time is up", "seconds": 0}, InvocationType="Event")
        other.wait_for_message("urgent")
        other.wait_for_message("time is up")
        assert "held back" not in other.messages(), "the peak goes on"
        admin.daemon.kill()
        assert all(call.exception() for call in crowd)
        admin.daemon.start()
        other.wait_for_message("held back")

    @pytest.mark.parametrize("seconds", ["0", "901", "soon", "-1"])
    def test_a_bad_deferral_is_refused(self, daemon, seconds):
        function = self.patient(function_of(Admin(daemon), ALICE), seconds)
        with refused(function.client, "InvalidParameterValueException", 400, "x-hearth-defer"):
            function.client.invoke(FunctionName=function.name)
