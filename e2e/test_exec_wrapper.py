"""Programs that start a runtime in its place (`AWS_LAMBDA_EXEC_WRAPPER`), as agents for tracing do."""

import pytest
from package import make_zip

WRAPPER = '#!/bin/bash\necho "wrapped as told"\nexport WRAPPED="$*"\nexec "$@"\n'
FILES = {
    "python3.11": {"app.py": 'import os\ndef handler(event, context):\n    return os.environ.get("WRAPPED")\n'},
    "nodejs20.x": {"app.mjs": "export const handler = async () => process.env.WRAPPED ?? null;\n"},
}


@pytest.mark.parametrize("runtime, interpreter", [("python3.11", "/bin/python3.11"), ("nodejs20.x", "/bin/node")])
class TestWrapper:
    def deploy(self, deploy, runtime, wrapper):
        package = make_zip(FILES[runtime] | {"wrap": WRAPPER}, mode=0o755)
        variables = {"AWS_LAMBDA_EXEC_WRAPPER": wrapper}
        return deploy("app.handler", runtime, package=package, Environment={"Variables": variables})

    def test_is_given_the_runtimes_command(self, deploy, runtime, interpreter):
        function = self.deploy(deploy, runtime, "/var/task/wrap")
        command = function.call({}).split(" ")
        assert command[0].endswith(interpreter), command
        function.wait_for_message("wrapped as told")

    def test_puts_options_before_the_last_argument(self, deploy, runtime, interpreter):
        """As the Developer Guide's example does ("Modifying the runtime environment")."""
        options = {"python3.11": '"-X" "importtime"', "nodejs20.x": '"--require" "/var/task/first.cjs"'}[runtime]
        wrapper = (
            "#!/bin/bash\n"
            'args=("$@")\n'
            f"extra_args=({options})\n"
            'args=("${args[@]:0:$#-1}" "${extra_args[@]}" "${args[@]: -1}")\n'
            'exec "${args[@]}"\n'
        )
        sources = {
            "app.py": "import sys\ndef handler(event, context):\n    return 'importtime' in sys._xoptions\n",
            "app.mjs": "export const handler = async () => globalThis.isFirst ?? false;\n",
            "first.cjs": "globalThis.isFirst = true;\n",
        }
        package = make_zip(sources | {"wrap": wrapper}, mode=0o755)
        variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap"}
        assert deploy("app.handler", runtime, package=package, Environment={"Variables": variables}).call() is True

    @pytest.mark.parametrize("wrapper, status, message", [
        ("/var/task/nowhere", 127, "/var/task/nowhere: does not exist"),
        ("/var/task", 127, "/var/task: does not exist"),
        ("/var/task/plain", 126, "/var/task/plain: is not an executable"),
    ])
    def test_that_cannot_be_started_is_an_error(self, deploy, runtime, interpreter, wrapper, status, message):
        package = make_zip(FILES[runtime] | {"plain": WRAPPER})
        variables = {"AWS_LAMBDA_EXEC_WRAPPER": wrapper}
        function = deploy("app.handler", runtime, package=package, Environment={"Variables": variables})
        result = function.invoke({})
        assert (result.error, result.json["errorType"]) == ("Unhandled", "Runtime.ExitError")
        assert result.json["errorMessage"].endswith(f"Error: Runtime exited with error: exit status {status}")
        function.wait_for_message(message)


def test_other_runtimes_have_none(deploy):
    """As on Lambda: their `bootstrap` is the function's own."""
    bootstrap = (
        "#!/bin/sh\n"
        'API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"\n'
        "while true; do\n"
        '    ID=$(curl -sD - -o /dev/null "$API/next" | tr -d "\\r" | sed -n "s/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p")\n'
        '    curl -s -d "{\\"wrapped\\": \\"$WRAPPED\\"}" "$API/$ID/response" > /dev/null\n'
        "done\n"
    )
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap"}
    package = make_zip({"bootstrap": bootstrap, "wrap": WRAPPER}, mode=0o755)
    function = deploy("any", "provided.al2023", package=package, Environment={"Variables": variables})
    assert function.call({}) == {"wrapped": ""}
