"""What a custom runtime finds: the shell, files and limits of Lambda's own image, as recorded there or as its image has them."""

import re

import pytest
from package import Entry, deploy, make_archive, make_zip, run_script, shell_bootstrap
from test_templates import start, templating  # noqa: F401

RUNTIMES = {"provided.al2023": "2023", "provided.al2": "2"}


@pytest.fixture(scope="module", params=RUNTIMES)
def function(daemon, request):
    sourced = Entry("sourced.sh", "SOURCED=from-the-package\n")
    package = make_archive(Entry("bootstrap", shell_bootstrap(), 0o100755), sourced)
    function = deploy(daemon, "own.handler", request.param, package=package)
    yield request.param, function
    function.delete()


class TestShell:
    def test_is_bash_by_both_names(self, function):
        said = run_script(function[1], "readlink -f /bin/sh; echo $SOURCED; set -o pipefail; false | true || echo failed; [[ x == x ]] && echo $BASH")
        assert said == "/usr/bin/bash\nfrom-the-package\nfailed\n/bin/sh\n"

    def test_sets_what_it_sets_on_lambda(self, function):
        """As in the recorded environment of a custom runtime in shell, to which nothing but what Hearth needs is added."""
        said = run_script(function[1], "env")
        variables = dict(line.split("=", 1) for line in said.splitlines())
        assert (variables["PWD"], variables["SHLVL"], variables["_HANDLER"]) == ("/var/task", "1", "own.handler")
        assert not {"AWS_EXECUTION_ENV", "HOME", "_LAMBDA_TELEMETRY_LOG_FD", "OLDPWD"} & set(variables)

    def test_finds_the_entry_point_of_the_images(self, function):
        said = run_script(function[1], "ls -l /lambda-entrypoint.sh; /lambda-entrypoint.sh; echo $?")
        assert said.startswith("-rwxr-xr-x")
        assert said.endswith("entrypoint requires the handler name to be the first argument\n142\n")


class TestFiles:
    def test_name_the_system_and_its_user(self, function):
        runtime, function = function
        said = run_script(function, ". /etc/os-release; echo $ID $VERSION_ID; cat /etc/system-release; whoami; echo ~; ls -d ~")
        system, release, user, home, missing = said.splitlines()
        assert system == f"amzn {RUNTIMES[runtime]}"
        assert release.startswith(f"Amazon Linux release {RUNTIMES[runtime]} ")
        assert (user, home) == ("sbx_user1051", "/home/sbx_user1051")
        assert "No such file" in missing

    def test_resolve_localhost(self, function):
        said = run_script(function[1], "getent ahosts localhost | cut -d' ' -f1 | sort -u; wc -c < /etc/resolv.conf")
        assert said == "127.0.0.1\n0\n"


class TestHost:
    def test_has_a_name_that_resolves_to_itself(self, function):
        name, resolved = run_script(function[1], "hostname; getent ahosts $(hostname) | head -1 | cut -d' ' -f1").splitlines()
        assert re.fullmatch(r"169\.254\.\d+\.\d+", name)
        assert resolved == name

    PYTHON = (
        "import socket, time\n{pause}"
        "def handler(event, context):\n"
        "    name = socket.gethostname()\n"
        "    with socket.create_server((name, 0)) as server:\n"
        "        with socket.create_connection(server.getsockname()):\n"
        "            return [name, socket.gethostbyname(name), socket.getfqdn()]\n"
    )

    def test_can_be_listened_at(self, deploy):
        function = deploy("own.handler", package=make_zip({"own.py": self.PYTHON.format(pause="")}))
        name, address, full = function.call({})
        assert name == address == full

    def test_is_another_in_each_restored_copy(self, templating):  # noqa: F811
        package = make_zip({"own.py": self.PYTHON.format(pause="time.sleep(0.3)\n")})
        function = deploy(templating, "own.handler", package=package)
        names = {}
        for _ in range(60):
            kind, (name, address, _) = start(function)
            assert name == address
            names.setdefault(kind, set()).add(name)
            if len(names.get("template", ())) == 2:
                return
        raise AssertionError(names)


class TestLimits:
    def test_are_those_of_lambda(self, function):
        said = run_script(function[1], "ulimit -n; ulimit -u; ulimit -l; ulimit -s; ulimit -q; ulimit -c; ulimit -e; ulimit -r; ulimit -Hl; ulimit -f; ulimit -v")
        assert said.split() == ["1024", "1024", "64", "8192", "819200", "0", "0", "0", "64", "unlimited", "unlimited"]
