"""Escape attempts: what a hostile function tries, and that it gets nowhere. THREAT_MODEL.md names these tests."""

import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from daemon import ACCOUNT, wait_until
from host import sandbox_processes
from package import deploy as deploy_function
from package import make_zip

SECRET = "hearth-e2e-secret-8f14e45f"


@pytest.fixture(scope="module")
def neighbour(daemon):
    """Another account's function on the same machine, warm, with secrets in its code, environment, memory and /tmp."""
    function = deploy_function(
        daemon,
        "app.handler",
        client=daemon.client(account="999999999999"),
        name="neighbour",
        Environment={"Variables": {"SECRET": f"{SECRET}-environment"}},
        package=make_zip(
            {
                "app.py": f"# {SECRET}-code\n"
                "def handler(event, context):\n"
                f"    open('/tmp/{SECRET}', 'w').write('{SECRET}-tmp')\n"
                "    return 'fine'\n",
                f"{SECRET}.txt": SECRET,
            }
        ),
    )
    assert function.call({}) == "fine"
    yield function
    function.delete()


@pytest.fixture
def attack(deploy, daemon, neighbour):
    """Deploys one hostile handler. After the attack daemon, neighbour and attacker itself must answer as before."""
    attackers = []

    def make(handler, **configuration):
        attackers.append(deploy(f"escape.{handler}", **{"MemorySize": 256, "Timeout": 60} | configuration))
        return attackers[-1]

    before = daemon.process.pid
    yield make
    assert daemon.process.pid == before
    assert daemon.healthy()
    assert neighbour.call({}) == "fine"
    daemon.assert_no_panic()


@pytest.fixture
def secret_file(tmp_path):
    """A file of the host's that only its owner may read, and one that anyone may."""
    private, public = tmp_path / "private", tmp_path / "public"
    private.write_text(SECRET)
    private.chmod(0o600)
    public.write_text(SECRET)
    os.chmod(tmp_path, 0o755)
    return [str(private), str(public)]


class TestFiles:
    def test_the_hosts_are_not_there(self, attack, daemon, secret_file):
        paths = [
            *secret_file,
            "/root/.bashrc",
            "/root/.ssh/authorized_keys",
            "/etc/shadow",
            "/etc/machine-id",
            "/boot",
            str(daemon.config),
            str(daemon.stderr),
            *[f"/proc/1/root{path}" for path in secret_file],
            *[f"/proc/self/root/../../../..{path}" for path in secret_file],
        ]
        seen = attack("read_files").call({"paths": paths})
        for path, result in seen.items():
            assert result.get("error"), (path, result)

    def test_the_data_directory_is_not_there(self, attack, daemon, neighbour):
        parents = [str(parent) for parent in [daemon.data, *daemon.data.parents] if parent != daemon.data.anchor]
        seen = attack("list_directories").call({"paths": [*parents[:-2], "/var/lib/hearth", "/root", "/home", "/mnt", "/media"]})
        for path, result in seen.items():
            assert result.get("error") or result["ok"] == "[]", (path, result)

    def test_no_other_functions_code_environment_or_files_are_found(self, attack, neighbour):
        attacker = attack("find_text", Timeout=120, MemorySize=1769)
        assert attacker.call({"text": SECRET}) == []

    def test_code_and_runtime_cannot_be_changed_for_those_who_come_later(self, attack):
        attacker = attack("plant", Environment={"Variables": {"STAGE": "1"}})
        secret = "planted-1"
        places = set(attacker.call({"secret": secret}))
        assert {"/tmp"} <= places <= {"/tmp", "/dev/shm", "/var/tmp"}
        attacker.configure(Environment={"Variables": {"STAGE": "2"}}, Handler="escape.find_text", Timeout=120, MemorySize=1769)
        assert attacker.call({"text": f"planted-{secret}"}) == []

    def test_no_descriptor_of_the_daemons_is_left_open(self, attack, daemon):
        for number, target in attack("descriptors").call({}).items():
            assert target.startswith(("pipe:", "socket:", "/dev/null", "/proc/", "anon_inode:", "/var/")), (number, target)
            assert str(daemon.data) not in target


class TestProcesses:
    def test_only_the_sandboxs_own_are_seen(self, attack):
        seen = attack("processes").call({})
        assert len(seen) <= 4, seen
        assert not any("serve" in command for command in seen.values()), seen

    def test_the_first_process_gives_nothing_away(self, attack):
        seen = attack("pid_one").call({})
        for name in ["environ", "mem", "maps", "auxv"]:
            assert seen[name].get("error") or seen[name]["ok"] == "b''", (name, seen[name])
        for name in ["fd", "through root", "cwd", "root"]:
            assert seen[name].get("error"), (name, seen[name])
        for name in ["ptrace attach", "ptrace seize", "process_vm_readv", "pidfd_getfd"]:
            assert seen[name] != "ok", (name, seen)

    def test_the_first_process_cannot_be_killed(self, attack):
        attacker = attack("kill_pid_one")
        result = attacker.invoke({})
        if result.error is None:
            for number in ["1", "2", "9", "15", "19"]:
                assert result.json[number].get("error") in {"EPERM", "ESRCH"}, result.json
        assert attacker.invoke({}).status == 200

    def test_killing_everything_else_harms_only_itself(self, attack):
        attacker = attack("signals")
        for _ in range(2):
            assert attacker.invoke({}).status == 200


class TestPrivileges:
    def test_there_are_none(self, attack):
        seen = attack("identity").call({})
        status = seen["status"]
        for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"]:
            assert int(status[name], 16) == 0, status
        # What the agent keeps for itself: kill, setgid, setuid. No program can gain them without set-user-id files.
        assert int(status["CapBnd"], 16) & ~0b1110_0000 == 0, status
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert "0" not in status["Uid"].split()
        assert seen["setuid"]["error"] == "EPERM"
        assert seen["setgroups"]["error"] == "EPERM"
        assert seen["limits"]["RLIMIT_NOFILE"] == [1024, 1024]
        assert seen["limits"]["RLIMIT_CORE"][1] == 0
        assert seen["set-user-id files"] == []
        for name, value in seen["namespaces"].items():
            assert value != os.readlink(f"/proc/self/ns/{name}"), f"shares its {name} namespace with the host"
        # Neither user 0 inside nor outside stands for the host's root.
        inside, outside, length = map(int, seen["uid_map"][:3])
        assert outside != 0 and not outside <= 0 < outside + length, seen["uid_map"]

    def test_two_sandboxes_share_no_namespace_and_no_user(self, attack, neighbour):
        attacker = attack("identity")
        attacker.call({})
        mine, other = sandbox_processes(attacker.name), sandbox_processes(neighbour.name)
        assert mine and other
        for name in ["pid", "mnt", "net", "ipc", "uts", "user", "cgroup"]:
            spaces = [{os.readlink(f"/proc/{process.pid}/ns/{name}") for process in group} for group in (mine, other)]
            assert not spaces[0] & spaces[1], name
        owners = [{os.stat(f"/proc/{process.pid}").st_uid for process in group} for group in (mine, other)]
        assert not owners[0] & owners[1], owners

    def test_mounts_cannot_be_made_or_changed(self, attack):
        seen = attack("mounts").call({})
        table = seen.pop("table")
        assert "ok" not in seen.values(), seen
        points = {line.split()[4]: line.split()[5].split(",") for line in table.splitlines()}
        own = {"/proc", "/tmp", "/dev/shm", "/var/tmp", "/run"}
        masks = {point for point in points if point.startswith("/proc/")}
        assert set(points) <= own | masks | {"/", "/var/task", "/opt", "/dev", "/etc/resolv.conf", "/.hearth/agent"}, table
        for point, options in points.items():
            assert point in own or "ro" in options, (point, options)
            assert point == "/" or "nosuid" in options, (point, options)
            assert "nodev" in options or "rw" not in options, (point, options)

    def test_namespaces_cannot_be_made_or_entered(self, attack):
        seen = attack("namespaces").call({})
        assert "ok" not in seen.values(), seen

    def test_device_nodes_cannot_be_made_or_opened(self, attack):
        seen = attack("devices").call({})
        present = set(seen.pop("present"))
        for name, result in seen.items():
            assert result.get("error"), (name, result)
        assert present <= {"null", "zero", "full", "random", "urandom", "tty", "fd", "stdin", "stdout", "stderr", "shm", "pts", "ptmx", "mqueue"}

    def test_system_calls_into_the_kernels_depths_are_refused(self, attack):
        seen = attack("kernel").call({})
        assert "ok" not in seen.values(), seen
        assert set(seen.values()) <= {"EPERM", "ENOSYS", "EACCES"}, seen


class TestNetwork:
    @pytest.fixture
    def host_services(self, daemon):
        """A service on every address of the host, one on loopback, one on an abstract Unix socket."""
        listeners = []
        for kind, address in [
            (socket.AF_INET, ("127.0.0.1", 0)),
            (socket.AF_INET, ("0.0.0.0", 0)),
            (socket.AF_UNIX, f"\0hearth-e2e-{os.getpid()}"),
        ]:
            listener = socket.socket(kind, socket.SOCK_STREAM)
            listener.bind(address)
            listener.listen()
            listeners.append(listener)
        reached = []

        def serve(listener):
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                reached.append(listener.getsockname())
                connection.sendall(SECRET.encode())
                connection.close()

        threads = [threading.Thread(target=serve, args=(listener,), daemon=True) for listener in listeners]
        for thread in threads:
            thread.start()
        yield listeners, reached
        for listener in listeners:
            listener.close()

    def own_addresses(self):
        addresses = {"127.0.0.1", "127.0.0.2", "::1"}
        try:
            addresses.update(info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET))
        except socket.gaierror:
            pass  # Fresh machines may not know their own name.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
                addresses.add(probe.getsockname()[0])
            except OSError:
                pass
        return sorted(addresses)

    def test_nothing_outside_is_reached(self, attack, daemon, host_services):
        listeners, reached = host_services
        with socket.create_connection(listeners[0].getsockname()) as check:
            assert check.recv(100) == SECRET.encode(), "the services themselves answer"
        reached.clear()
        ports = [daemon.port, listeners[0].getsockname()[1], listeners[1].getsockname()[1]]
        targets = [[address, port] for address in self.own_addresses() for port in ports]
        targets += [["169.254.169.254", 80], ["10.0.0.1", 80], ["192.168.0.1", 80], ["1.1.1.1", 53], ["0.0.0.0", daemon.port]]
        seen = attack("network", Timeout=120).call(
            {"targets": targets, "abstract": [f"hearth-e2e-{os.getpid()}", "hearth", "/tmp/.X11-unix/X0"]}
        )
        assert reached == []
        names = seen.pop("interfaces")
        assert names == ["lo"], "no way out unless it is asked for"
        for name in seen.pop("unix sockets"):
            assert f"hearth-e2e-{os.getpid()}" not in name
        for name, result in seen.items():
            assert result.get("error"), (name, result)
            assert SECRET not in str(result)

    def test_the_agents_own_socket_tells_nothing(self, attack):
        attacker = attack("agent_socket")
        for name, result in attacker.call({}).items():
            assert result.get("error") or result["ok"] == "b''", (name, result)
        assert attacker.call({}) is not None

    def test_descriptors_sent_to_the_agent_do_no_harm(self, attack):
        attacker = attack("pass_descriptor")
        for _ in range(3):
            attacker.call({})

    def test_the_way_to_its_own_calls_leads_nowhere_else(self, attack, neighbour):
        attacker = attack("endpoint")
        seen = attacker.call({"account": "999999999999"})
        for answer in seen.values():
            assert "neighbour" not in answer
            assert SECRET not in answer
        assert " 200 " not in seen["daemon's own views"].split("\r\n")[0], seen
        # Whatever it signs with, it is its own role session that calls.
        assert "999999999999" not in seen["other account"]


class TestExhaustion:
    def test_a_fork_bomb_stays_inside(self, attack):
        attacker = attack("fork_bomb", Timeout=20)
        before = len(os.listdir("/proc"))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(attacker.invoke, {"seconds": 4})
            most = 0
            while not running.done():
                most = max(most, len([name for name in os.listdir("/proc") if name.isdigit()]))
                time.sleep(0.05)
        assert most < before + 1400
        result = running.result()
        if result.error is None:
            assert result.json["refusal"] == "EAGAIN"
        else:
            assert result.json["errorType"] in {"Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"}
        wait_until(lambda: len(sandbox_processes(attacker.name)) < 1100, 5)

    def test_a_memory_bomb_kills_only_itself(self, attack, neighbour):
        attacker = attack("shared_memory", MemorySize=128, Timeout=30)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(attacker.invoke, {})
            while not running.done():
                assert neighbour.call({}) == "fine"
        result = running.result()
        assert result.error == "Unhandled"
        assert result.json["errorType"] in {"Runtime.ExitError", "Runtime.OutOfMemory"}, result

    def test_open_files_end_at_lambdas_limit(self, attack):
        seen = attack("open_files").call({})
        assert seen["error"] == "EMFILE"
        assert 900 <= seen["opened"] < 1024

    def test_tmp_ends_at_its_size(self, attack):
        attacker = attack("fill_tmp", Timeout=60, MemorySize=1024, EphemeralStorage={"Size": 512})
        result = attacker.invoke({})
        if result.error is None:
            assert result.json["error"] == "ENOSPC"
            assert 480 << 20 <= result.json["written"] <= 512 << 20
            assert result.json["files"] < 5_000_000
        else:
            assert result.json["errorType"] in {"Runtime.ExitError", "Runtime.OutOfMemory"}, result

    def test_burning_every_core_leaves_the_neighbour_its_share(self, attack, neighbour):
        attacker = attack("spin", Timeout=30)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(attacker.invoke, {"seconds": 4})
            calls = 0
            while not running.done():
                assert neighbour.call({}) == "fine"
                calls += 1
        assert calls >= 3
        assert running.result().status == 200

    def test_a_flood_of_log_lines_is_taken_in_without_end_in_memory(self, attack, daemon, neighbour):
        attacker = attack("log_flood", Timeout=30)

        def resident():
            with open(f"/proc/{daemon.process.pid}/statm") as file:
                return int(file.read().split()[1]) * 4096

        before = resident()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(attacker.invoke, {"seconds": 8})
            most = before
            while not running.done():
                assert neighbour.call({}) == "fine"
                most = max(most, resident())
        result = running.result()
        assert result.error is None, result
        assert most - before < 256 << 20, f"{(most - before) >> 20} MiB more for {result.json['written'] >> 20} MiB of logs"

    def test_one_huge_line_is_kept_in_pieces_of_cloudwatchs_size(self, deploy):
        function = deploy("probe.flood", MemorySize=512)
        answer = function.call({"line": "z", "repeat": 3 << 20})
        assert answer["written"] == 3 << 20
        function.wait_for_message("after the flood")
        messages = [message for message in function.messages() if message.startswith("zzz")]
        assert all(len(message.encode()) <= 1 << 20 for message in messages)
        assert sum(message.count("z") for message in messages) >= 200_000

    def test_bad_frames_on_the_log_pipe_do_no_harm(self, attack):
        attacker = attack("bad_log_frames")
        for _ in range(2):
            attacker.invoke({})


class TestRuntimeApi:
    def test_malformed_calls_are_refused(self, attack):
        attacker = attack("runtime_api", Timeout=60)
        for _ in range(2):
            result = attacker.invoke({})
            assert result.error is None, result
            seen = result.json
            for name, answer in seen.items():
                assert " 200 " not in answer and " 202 " not in answer, (name, answer)
            assert " 404 " in seen["no such path"]
            assert " 400 " in seen["wrong attempt"]
            assert " 400 " in seen["unknown id"] or " 404 " in seen["unknown id"] or " 403 " in seen["unknown id"]
            assert " 403 " in seen["init error again"]

    def test_a_second_poller_gets_no_other_callers_event(self, attack):
        attacker = attack("steal_next")
        for _ in range(3):
            assert attacker.invoke({"secret": SECRET}).status == 200


def test_credentials_of_a_function_are_its_own_accounts(daemon, deploy):
    """What a function learns from its environment serves for its own account's API and expires; nothing else."""
    function = deploy("probe.environment")
    environment = function.call({})["environ"]
    session = daemon.client(
        "sts",
        account=environment["AWS_ACCESS_KEY_ID"],
        secret=environment["AWS_SECRET_ACCESS_KEY"],
        token=environment["AWS_SESSION_TOKEN"],
    )
    identity = session.get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"].endswith(f":assumed-role/e2e/{function.name}")
    assert json.dumps(environment).count(SECRET) == 0
