"""kill -9 of anything: what was acknowledged stays, what was running fails as on Lambda, nothing is left behind."""

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from daemon import Daemon, wait_until
from host import Footprint, sandbox_processes
from load import Load
from package import ROLE, deploy, make_zip, unique

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
HELLO = make_zip({"app.py": "def handler(event, context):\n    return 'hello'\n"})


class TestKilledSandboxProcess:
    def kill_during_a_call(self, function, choose):
        before = function.call({})
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(function.invoke, {"seconds": 60, "print": "running"})
            function.wait_for_message("running")
            processes = sandbox_processes(function.name)
            assert processes, "the sandbox's processes are to be seen from the host"
            os.kill(choose(processes).pid, signal.SIGKILL)
            result = running.result(timeout=20)
        assert (result.status, result.error) == (200, "Unhandled"), result
        assert result.json["errorType"] == "Runtime.ExitError"
        text = f"RequestId: {result.request_id} Error: Runtime exited with error: signal: killed"
        assert result.json["errorMessage"] == text
        after = function.call({})
        assert after["init_id"] != before["init_id"]
        wait_until(lambda: not any(process.alive for process in processes), 5, "nothing of the sandbox is alive")

    def test_the_runtime(self, deploy):
        self.kill_during_a_call(deploy("probe.sleep"), lambda processes: processes[-1])

    def test_the_agent(self, deploy):
        def agent(processes):
            assert processes[0].inner_pid == 1
            return processes[0]

        self.kill_during_a_call(deploy("probe.sleep"), agent)

    @pytest.mark.parametrize("index", [0, -1], ids=["agent", "runtime"])
    def test_while_idle_costs_at_most_a_cold_start(self, deploy, index):
        function = deploy("probe.sleep")
        before = function.call({})
        processes = sandbox_processes(function.name)
        os.kill(processes[index].pid, signal.SIGKILL)
        wait_until(lambda: not processes[index].alive)
        after = function.invoke({})
        if after.error:
            # The call may have been handed over before the death was known; then it fails as one that was running.
            assert after.json["errorType"] == "Runtime.ExitError"
            after = function.invoke({})
        assert after.json["init_id"] != before["init_id"]

    def test_during_initialisation(self, deploy):
        function = deploy("slow_init.handler", Timeout=20, Environment={"Variables": {"INIT_SECONDS": "3"}})
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(function.invoke, {})
            processes = wait_until(lambda: sandbox_processes(function.name)[1:])
            os.kill(processes[-1].pid, signal.SIGKILL)
            result = running.result(timeout=30)
        # Lambda runs initialisation again within the invocation.
        assert result.error is None, result
        assert result.json == {"tries": 2} or result.json == {"tries": 1}

    def test_the_neighbour_does_not_notice(self, deploy):
        victim, neighbour = deploy("probe.sleep"), deploy("probe.sleep")
        victim.call({})
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(neighbour.invoke, {"seconds": 2})
            for process in sandbox_processes(victim.name):
                os.kill(process.pid, signal.SIGKILL)
            assert running.result(timeout=20).error is None


def make_log(daemon):
    logs = daemon.client("logs")
    group = f"/{unique('record')}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    return group


def recorded(daemon, group):
    pages = daemon.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [json.loads(event["message"])["id"] for page in pages for event in page["events"]]


class TestKilledDaemon:
    def test_under_load_loses_nothing_and_leaves_nothing(self, own_daemon):
        daemon = own_daemon()
        client = daemon.client()
        group = make_log(daemon)
        busy = deploy(daemon, "probe.sleep", MemorySize=256, Timeout=60)
        recorder = deploy(daemon, "probe.record", MemorySize=256, Timeout=60)
        client.put_function_concurrency(FunctionName=recorder.name, ReservedConcurrentExecutions=2)
        recorder.call({"group": group, "stream": "s", "id": "warm"})

        created, queued, dying = {}, [], threading.Event()

        def create():
            while not dying.is_set():
                name = unique("acknowledged")
                answer = client.create_function(
                    FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": HELLO}
                )
                created[name] = answer["CodeSha256"]

        def enqueue():
            number = 0
            while not dying.is_set() and number < 60:
                payload = {"group": group, "stream": "s", "id": f"event-{number}", "seconds": 0.1}
                recorder.invoke(payload, InvocationType="Event")
                queued.append(payload["id"])
                number += 1

        def until_death(work):
            try:
                work()
            except Exception:
                assert dying.wait(5), "refused before the daemon was killed"

        workers = [threading.Thread(target=until_death, args=(work,)) for work in (create, enqueue)]
        with Load(daemon, 3, lambda connection: connection.invoke(busy.name, b'{"seconds": 0.05}')[0]) as load:
            for worker in workers:
                worker.start()
            wait_until(lambda: load.count > 30 and len(created) > 10 and len(queued) > 20, 60)
            footprint = Footprint.of(daemon)
            assert footprint.sandboxes >= 3
            dying.set()
            daemon.kill()
        for worker in workers:
            worker.join(20)
        assert set(load.outcomes) == {200}
        acknowledged, events = dict(created), list(queued)

        daemon.start()
        wait_until(footprint.gone, 1, "nothing is left of the killed daemon", footprint.remains)
        client = daemon.client()
        found = {
            function["FunctionName"]: function["CodeSha256"]
            for page in client.get_paginator("list_functions").paginate()
            for function in page["Functions"]
        }
        assert {name: found.get(name) for name in acknowledged} == acknowledged
        last = list(acknowledged)[-1]
        wait_until(lambda: client.get_function_configuration(FunctionName=last)["State"] == "Active", 20)
        assert json.loads(client.invoke(FunctionName=last)["Payload"].read()) == "hello"
        # An attempt that ran when the daemon died is made again once its lease has run out.
        wait_until(lambda: set(events) <= set(recorded(daemon, group)), 120, "every acknowledged event has run")
        daemon.assert_no_panic()

    def test_again_and_again_always_comes_back(self, own_daemon):
        daemon = own_daemon()
        function = deploy(daemon, "probe.state")
        for number in range(5):
            assert function.call({})["calls"] == 1
            daemon.client().update_function_configuration(FunctionName=function.name, Description=f"before death {number}")
            footprint = Footprint.of(daemon)
            daemon.kill()
            daemon.start()
            wait_until(footprint.gone, 1, "nothing is left of the killed daemon", footprint.remains)
            assert daemon.client().get_function_configuration(FunctionName=function.name)["Description"] == f"before death {number}"
            function.settle()

    def test_everything_of_the_control_plane_is_still_there(self, own_daemon):
        daemon = own_daemon()
        client = daemon.client()
        function = deploy(daemon, "probe.layers")
        layer = client.publish_layer_version(
            LayerName="kept", Content={"ZipFile": make_zip({"python/from_layer.py": "ANSWER = 42\n"})}
        )
        function.configure(Layers=[layer["LayerVersionArn"]])
        name = function.name
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="prod", FunctionVersion="1")
        client.tag_resource(Resource=function.arn, Tags={"kept": "yes"})
        client.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="*")
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
        client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
        iam = daemon.client("iam")
        iam.create_role(RoleName="kept", AssumeRolePolicyDocument=json.dumps(TRUST))

        def everything():
            client = daemon.client()
            answers = [
                client.get_function(FunctionName=name)["Configuration"],
                client.get_function(FunctionName=name)["Tags"],
                client.get_function(FunctionName=name)["Concurrency"],
                client.get_function(FunctionName=name, Qualifier="1")["Configuration"],
                client.get_alias(FunctionName=name, Name="prod"),
                client.get_policy(FunctionName=name),
                client.get_function_event_invoke_config(FunctionName=name),
                client.get_layer_version(LayerName="kept", VersionNumber=1)["LayerVersionArn"],
                daemon.client("iam").get_role(RoleName="kept")["Role"],
            ]
            for answer in answers:
                if isinstance(answer, dict):
                    answer.pop("ResponseMetadata", None)
            return answers

        before = everything()
        daemon.kill()
        daemon.start()
        assert everything() == before
        assert function.call({}, Qualifier="prod")["answer"] == 42


def recalled(daemon):
    return daemon.state()["engine"]["recalled"]


def restart(daemon):
    daemon.stop()
    daemon.start()


class TestOrderlyEnd:
    def test_a_running_call_is_awaited(self, own_daemon):
        daemon = own_daemon()
        function = deploy(daemon, "probe.sleep")
        function.call({})
        footprint = Footprint.of(daemon)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(function.invoke, {"seconds": 2, "print": "running"})
            function.wait_for_message("running")
            daemon.stop()
            assert running.result(timeout=5).json["slept"] == 2
        wait_until(footprint.gone, 1, "nothing is left of the stopped daemon", footprint.remains)

    def test_what_was_learned_of_calls_is_known_to_the_next(self, own_daemon):
        daemon = own_daemon()
        kept, deleted = deploy(daemon, "probe.echo"), deploy(daemon, "probe.echo")
        for function in (kept, deleted):
            for number in range(3):
                function.call(number)
        assert recalled(daemon) == 0
        restart(daemon)
        wait_until(lambda: recalled(daemon) == 2, 5, "both are known", daemon.log)
        deleted.client.delete_function(FunctionName=deleted.name)
        assert kept.call("again") == "again"
        assert recalled(daemon) == 1
        # Called or not: it is written down again, or still is.
        restart(daemon)
        wait_until(lambda: recalled(daemon) >= 1, 5, "the one is known", daemon.log)
        # What is no more was forgotten by the daemon before.
        restart(daemon)
        assert recalled(daemon) == 1

    def test_a_second_signal_ends_it_at_once(self, own_daemon):
        daemon = own_daemon()
        function = deploy(daemon, "probe.sleep", Timeout=120)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(function.invoke, {"seconds": 100, "print": "running"})
            function.wait_for_message("running")
            footprint = Footprint.of(daemon)
            process, daemon.process = daemon.process, None
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            with pytest.raises(Exception, match="(?i)connection|closed|endpoint"):
                running.result(timeout=10)
        wait_until(footprint.gone, 1, "nothing is left of the stopped daemon", footprint.remains)

    def test_a_data_directory_serves_one_daemon_at_a_time(self, own_daemon):
        daemon = own_daemon()
        function = deploy(daemon, "probe.echo")
        second = Daemon(daemon.directory)
        second.stderr = daemon.directory / "second"
        second.spawn()
        assert second.process.wait(10) != 0
        assert str(daemon.data) in second.log()
        assert function.call([1]) == [1]
