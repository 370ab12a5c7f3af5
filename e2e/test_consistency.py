"""What must hold while much happens at once. HEARTH_FULL=1 runs the full figures: minutes instead of seconds."""

import json
import os

import pytest
from daemon import wait_until
from load import Connection, Load, all_at_once
from package import deploy, make_zip, rust_bootstrap

FULL = os.environ.get("HEARTH_FULL") == "1"
INVOCATIONS, REDEPLOYS = (100_000, 1_000) if FULL else (2_000, 40)


@pytest.mark.timeout(3600 if FULL else 180)
def test_no_answer_comes_from_stale_code(daemon):
    """A call made after a deployment settled is answered by it or a later one, of code and of configuration alike."""

    def package(number):
        return make_zip({"bootstrap": rust_bootstrap(), "version.txt": str(number)}, compression=0)

    function = deploy(
        daemon, "version", "provided.al2023", package=package(0), Environment={"Variables": {"CONFIGURATION": "0"}}
    )
    settled = {"code": 0, "configuration": 0}
    begun = dict(settled)

    def one(connection):
        least = dict(settled)
        status, headers, body = connection.invoke(function.name)
        most = dict(begun)
        answer = json.loads(body)
        assert status == 200 and "X-Amz-Function-Error" not in headers, (status, body)
        for part in ("code", "configuration"):
            assert least[part] <= answer[part] <= most[part], (part, least, answer, most)
        return "answered"

    with Load(daemon, 4, one) as load:
        for number in range(1, REDEPLOYS + 1):
            part = "code" if number % 2 else "configuration"
            begun[part] = number
            if part == "code":
                function.update_code(package(number))
            else:
                function.configure(Environment={"Variables": {"CONFIGURATION": str(number)}})
            settled[part] = number
            wanted = number * INVOCATIONS // REDEPLOYS
            wait_until(lambda wanted=wanted: load.problems or load.count >= wanted, 120, f"{wanted} calls")
            assert not load.problems, load.problems
    assert not load.problems, load.problems
    assert load.count >= INVOCATIONS
    function.delete()


def test_an_alias_moves_at_once(daemon):
    """A call made after UpdateAlias answered is never sent to the version before."""
    function = deploy(daemon, "probe.state")
    client = function.client
    client.publish_version(FunctionName=function.name)
    function.configure(Description="two")
    client.publish_version(FunctionName=function.name)
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    for number in range(60):
        version = "12"[number % 2]
        client.update_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
        result = function.invoke({}, Qualifier="live")
        assert (result.version, result.json["version"]) == (version, version)
    function.delete()


def test_a_function_made_anew_does_not_answer_with_the_old_one(daemon):
    for number in range(10):
        package = make_zip({"app.py": f"def handler(event, context):\n    return {number}\n"})
        function = deploy(daemon, "app.handler", name="phoenix", package=package)
        assert function.call({}) == number
        function.delete()
        with pytest.raises(function.client.exceptions.ResourceNotFoundException):
            function.invoke({})


def test_fifty_different_functions_called_cold_at_once_all_answer(daemon):
    """How long they take, beside as many in turn, is told by `make bench`."""
    package = make_zip({"bootstrap": rust_bootstrap()})
    functions = [deploy(daemon, "echo", "provided.al2023", name=f"crowd-{number}", package=package) for number in range(50)]
    results = all_at_once(
        [lambda name=function.name: Connection(daemon).invoke(name, b'{"n":1}') for function in functions]
    )
    assert [(status, body) for status, _, body in results] == [(200, b'{"n":1}')] * 50
    for function in functions:
        function.delete()


@pytest.mark.parametrize("runtime", ["python3.11", "nodejs20.x"])
def test_many_interpreters_called_cold_at_once_all_answer(daemon, runtime):
    handler = {"python3.11": "probe.echo", "nodejs20.x": "index.echo"}[runtime]
    functions = [deploy(daemon, handler, runtime, name=f"{handler.replace('.', '-')}-{number}") for number in range(50 if FULL else 16)]
    results = all_at_once([lambda name=function.name: Connection(daemon).invoke(name, b"[1]") for function in functions])
    assert [(status, body) for status, _, body in results] == [(200, b"[1]")] * len(functions)
    for function in functions:
        function.delete()


@pytest.mark.timeout(300)
def test_a_thousand_calls_at_once_with_a_hundred_reserved(daemon, client):
    """Exactly one hundred run; each other one is told why not."""
    function = deploy(daemon, "sleep", "provided.al2023", Timeout=120)
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=100)
    seconds = 20 if FULL else 12
    payload = json.dumps({"seconds": seconds}).encode()
    results = all_at_once([lambda: Connection(daemon, 200).invoke(function.name, payload) for _ in range(1000)])
    problems = [result for result in results if not isinstance(result, tuple)]
    assert not problems, problems[:3]
    ran = [json.loads(body) for status, _, body in results if status == 200]
    assert all(answer.get("slept") == seconds for answer in ran), ran[:3]
    throttled = [(headers, json.loads(body)) for status, headers, body in results if status == 429]
    assert (len(ran), len(throttled)) == (100, 900)
    assert len({answer["request_id"] for answer in ran}) == 100
    for headers, body in throttled:
        assert headers["x-amzn-ErrorType"] == "TooManyRequestsException"
        assert body["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert body["Type"] == "User"
        assert "Retry-After" not in headers
    assert function.call({"seconds": 0})["slept"] == 0
    function.delete()


def test_reservation_of_one_function_does_not_throttle_another(daemon, client):
    busy, free = deploy(daemon, "probe.sleep"), deploy(daemon, "probe.echo")
    client.put_function_concurrency(FunctionName=busy.name, ReservedConcurrentExecutions=1)
    results = all_at_once(
        [lambda: Connection(daemon).invoke(busy.name, b'{"seconds": 3}')[0] for _ in range(5)]
        + [lambda: Connection(daemon).invoke(free.name, b"1")[0] for _ in range(5)]
    )
    assert sorted(results[:5]) == [200, 429, 429, 429, 429]
    assert results[5:] == [200] * 5
    for function in (busy, free):
        function.delete()


def test_queued_events_wait_for_a_throttled_function(daemon, client):
    """Events above the reserved concurrency are neither refused nor lost: they run one after the other."""
    function = deploy(daemon, "probe.sleep")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    requests = [function.invoke({"seconds": 0.2}, InvocationType="Event").request_id for _ in range(4)]

    def ended():
        messages = function.messages()
        return all(f"END RequestId: {request}\n" in messages for request in requests)

    wait_until(ended, 60)
    function.delete()
