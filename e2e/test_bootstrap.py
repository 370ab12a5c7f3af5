"""How a custom runtime's `bootstrap` is found and started, and what is said when it cannot be: as Lambda's supervisor has it."""

import pytest
from package import Entry, directory, link, make_archive, shell_bootstrap, run_script

RUNTIME = "provided.al2023"
NOWHERE = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
SCRIPT = Entry("bootstrap", shell_bootstrap(), 0o100755)
SHELL = "#!/bin/sh\n"


def program(content, mode=0o100755, name="bootstrap"):
    return Entry(name, content, mode)


def elf(machine):
    """The head of a 64-bit program for this kind of processor (183: AArch64, 62: x86-64)."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + machine.to_bytes(2, "little") + bytes(44)


@pytest.fixture
def layer(client):
    def publish(*entries):
        content = make_archive(*entries)
        return client.publish_layer_version(LayerName="bootstrap", Content={"ZipFile": content})["LayerVersionArn"]

    return publish


@pytest.fixture
def start(deploy):
    def start(*entries, layers=()):
        return deploy("any", RUNTIME, package=make_archive(Entry("data", "x"), *entries), Layers=list(layers))

    return start


def failure(function):
    """What the caller is told, which the function's log says too."""
    result = function.invoke({}, LogType="Tail")
    assert (result.error, result.json["errorType"]) == ("Unhandled", "Runtime.InvalidEntrypoint"), result
    said, _, reason = result.json["errorMessage"].partition(" Error: ")
    assert said == f"RequestId: {result.request_id}"
    assert f"{result.json['errorMessage']}\nRuntime.InvalidEntrypoint\n" in result.log
    assert "Status: error\tError Type: Runtime.InvalidEntrypoint" in result.log
    return reason


class TestIsFound:
    def test_in_the_package_before_layers(self, start, layer):
        other = layer(program(SHELL + "echo from the layer\nexit 9\n"))
        assert run_script(start(SCRIPT, layers=[other]), "echo $0") == "/var/task/bootstrap\n"

    def test_in_a_layer(self, start, layer):
        assert run_script(start(layers=[layer(SCRIPT)]), "echo $0") == "/opt/bootstrap\n"

    def test_in_a_layer_if_the_package_has_a_directory_of_that_name(self, start, layer):
        entries = [directory("bootstrap/"), Entry("bootstrap/index.js", "x")]
        assert run_script(start(*entries, layers=[layer(SCRIPT)]), "echo $0") == "/opt/bootstrap\n"

    @pytest.mark.parametrize("target", ["bin/start", "./bin/../bin/start", "/var/task/bin/start"])
    def test_behind_a_link(self, start, target):
        entries = [Entry("bin/start", shell_bootstrap(), 0o100755), link("bootstrap", target)]
        assert run_script(start(*entries), "echo ran") == "ran\n"

    def test_behind_a_link_into_a_layer(self, start, layer):
        behind = layer(Entry("bin/start", shell_bootstrap(), 0o100755))
        assert run_script(start(link("bootstrap", "/opt/bin/start"), layers=[behind]), "echo ran") == "ran\n"

    @pytest.mark.parametrize("target", ["nowhere", "bootstrap", "/root/x", "../../../nowhere"])
    def test_in_a_layer_if_a_link_leads_nowhere(self, start, layer, target):
        assert run_script(start(link("bootstrap", target), layers=[layer(SCRIPT)]), "echo $0") == "/opt/bootstrap\n"


class TestIsMissing:
    def test_everywhere(self, start, layer):
        assert failure(start()) == NOWHERE
        assert failure(start(layers=[layer(Entry("data", "x"))])) == NOWHERE

    def test_and_only_a_directory_has_its_name(self, start, layer):
        assert failure(start(directory("bootstrap/"), layers=[layer(Entry("bootstrap/x", "x"))])) == NOWHERE

    @pytest.mark.parametrize("entries", [[link("bootstrap", "bootstrap")], [link("bootstrap", "a"), link("a", "bootstrap")]])
    def test_and_links_lead_in_a_circle(self, start, entries):
        assert failure(start(*entries)) == NOWHERE


class TestDoesNotStart:
    """What is there is what counts: a layer's never takes its place."""

    @pytest.mark.parametrize(
        "entry, reason",
        [
            # Written on Windows: the interpreter's name ends in a carriage return.
            (program("#!/bin/sh\r\necho ran\r\n"), "no such file or directory"),
            (program("#!/usr/bin/nothing\n"), "no such file or directory"),
            (program(SHELL, mode=0o100644), "permission denied"),
            # Zipped on Windows: no mode at all.
            (program(SHELL, mode=None), "permission denied"),
            (program(elf(183)), "exec format error"),
            (program(b"\x7fELF nonsense"), "exec format error"),
            (program(b""), "exec format error"),
            (program("echo a script that does not name its interpreter\n"), "exec format error"),
            (link("bootstrap", "/dev/null"), "permission denied"),
        ],
        ids=["crlf", "interpreter", "mode", "no-mode", "processor", "broken", "empty", "no-interpreter", "device"],
    )
    def test_from_the_package(self, start, layer, entry, reason):
        function = start(entry, layers=[layer(SCRIPT)])
        assert failure(function) == f"fork/exec /var/task/bootstrap: {reason}"
        assert failure(function) == f"fork/exec /var/task/bootstrap: {reason}"

    def test_from_a_layer(self, start, layer):
        broken = layer(program("#!/bin/sh\r\n"))
        assert failure(start(layers=[broken])) == "fork/exec /opt/bootstrap: no such file or directory"
