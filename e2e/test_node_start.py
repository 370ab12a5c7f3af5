"""How Node.js starts and where it finds modules: as AWS's start scripts and the Developer Guide have it. See `test_managed_start.py`."""

import pytest
from test_managed_start import NODE, NODES, deploy, major, publish_layer, seen_by, way  # noqa: F401

pytestmark = pytest.mark.parametrize("runtime", NODES)


def waits(way):
    """There is no zygote of Node.js: what waits was executed."""
    daemon, kind = way
    return daemon, "blank" if kind == "blank" else "preboot"


def disabled(runtime):
    return {20: ["--no-experimental-require-module"], 22: ["--no-experimental-require-module", "--no-experimental-detect-module"]}.get(
        major(runtime), []
    )


def module(name, version, kind="commonjs"):
    """A package that says which it is."""
    code = f"export const version = '{version}';\n" if kind == "module" else f"exports.version = '{version}';\n"
    return {f"{name}/package.json": f'{{"name": "{name}", "type": "{kind}", "main": "main.js"}}', f"{name}/main.js": code}


def below(directory, files):
    return {f"{directory}/{name}": content for name, content in files.items()}


class TestStart:
    def test_has_awss_arguments(self, way, runtime):
        _, seen = seen_by(waits(way), runtime, {"app.js": NODE}, MemorySize=1024)
        sizes = ["--max-semi-space-size=51", "--max-old-space-size=922"]
        assert seen["execArgv"] == ["--expose-gc", "--max-http-header-size", "81920", *sizes, *disabled(runtime)]
        assert seen["argv"] == ["/var/lang/bin/node", "/var/runtime/index.mjs"]
        assert (seen["cwd"], seen["main"]) == ("/var/task", None)

    def test_lets_the_functions_options_decide(self, daemon, runtime):
        options = "--max_old_space_size=64 --experimental-require-module --throw-deprecation"
        seen = deploy(daemon, runtime, {"app.js": NODE}, variables={"NODE_OPTIONS": options}).call()
        rest = [option for option in disabled(runtime) if "require-module" not in option]
        assert seen["execArgv"] == ["--expose-gc", "--max-http-header-size", "81920", *rest]
        assert seen["environment"]["NODE_OPTIONS"] == options

    def test_fails_with_an_option_that_node_does_not_know(self, daemon, runtime):
        function = deploy(daemon, runtime, {"app.js": NODE}, variables={"NODE_OPTIONS": "--nonsense"})
        result = function.invoke()
        assert (result.error, result.json["errorType"]) == ("Unhandled", "Runtime.ExitError")
        assert result.json["errorMessage"].endswith("Error: Runtime exited with error: exit status 9")
        function.wait_for_message("--nonsense is not allowed in NODE_OPTIONS")

    def test_certificates_for_databases_are_where_functions_name_them(self, daemon, runtime):
        source = "exports.handler = async () => require('fs').readFileSync(process.env.NODE_EXTRA_CA_CERTS, 'utf8').includes('BEGIN CERTIFICATE');"
        function = deploy(daemon, runtime, {"app.js": source}, variables={"NODE_EXTRA_CA_CERTS": "/var/runtime/ca-cert.pem"})
        assert function.call() is True


REQUIRE = "exports.handler = async (name) => require(name).version ?? require(`${name}/package.json`).version;\n"
IMPORT = "import { version } from 'thing';\nexport const handler = async () => version;\n"


class TestRequire:
    def test_looks_above_then_in_layers_then_in_the_runtime(self, way, runtime):
        """In the order of NODE_PATH, where `node_modules` above the function's code has nothing of the name."""
        number = f"nodejs/node{major(runtime)}/node_modules"
        name = "@aws-sdk/client-lambda"
        places = [number, "nodejs/node_modules"]
        arns = [publish_layer(way[0], below(place, module(name, place))) for place in places]
        files = {"app.js": REQUIRE}
        for layers, own, expected in [
            (arns[1:], {}, "nodejs/node_modules"), (arns, {}, number), (arns, below("node_modules", module(name, "own")), "own")
        ]:
            _, seen = seen_by(waits(way), runtime, files | own, event=name, Layers=layers)
            assert seen == expected

    def test_finds_the_runtimes_sdk(self, daemon, runtime):
        source = "exports.handler = async () => [require.resolve('@aws-sdk/client-s3'), module.paths, typeof require('@smithy/types')];\n"
        resolved, paths, _ = deploy(daemon, runtime, {"deep/app.js": source}, "deep/app.handler").call()
        assert resolved.startswith("/var/runtime/node_modules/@aws-sdk/client-s3/")
        # Of what lies above the code, nothing of Hearth's.
        assert paths == ["/var/task/deep/node_modules", "/var/task/node_modules"]

    def test_finds_files_of_the_package_by_their_path_from_its_root(self, daemon, runtime):
        files = {"deep/app.js": "exports.handler = async () => require('lib/tool').version;\n", "lib/tool.js": "exports.version = 1;\n"}
        assert deploy(daemon, runtime, files, "deep/app.handler").call() == 1

    def test_with_a_search_path_of_the_functions_own(self, daemon, runtime):
        name = "@aws-sdk/client-s3"
        files = {"app.js": REQUIRE} | below("vendored", module(name, "vendored"))
        function = deploy(daemon, runtime, files, variables={"NODE_PATH": "/var/task/vendored"})
        assert function.call(name) == "vendored"
        result = function.invoke("@aws-sdk/client-sqs")
        assert "Cannot find module '@aws-sdk/client-sqs'" in result.json["errorMessage"], "the runtime's are not asked any more"
        empty = deploy(daemon, runtime, files, variables={"NODE_PATH": ""})
        assert empty.call("@aws-sdk/client-sqs") is not None, "as if it were not set"


class TestImport:
    """AWS's Node.js asks NODE_PATH for ES modules too (AWS Compute Blog, "Node.js 18.x runtime now available in AWS Lambda")."""

    def test_looks_above_then_in_layers(self, way, runtime):
        number = f"nodejs/node{major(runtime)}/node_modules"
        arns = [publish_layer(way[0], below(place, module("thing", place, "module"))) for place in (number, "nodejs/node_modules")]
        own = below("node_modules", module("thing", "own", "module"))
        for layers, more, expected in [(arns[1:], {}, "nodejs/node_modules"), (arns, {}, number), (arns, own, "own")]:
            _, seen = seen_by(waits(way), runtime, {"app.mjs": IMPORT} | more, Layers=layers)
            assert seen == expected

    def test_a_layer_wins_over_the_runtime(self, daemon, runtime):
        name = "@aws-sdk/client-lambda"
        source = f"import {{ version }} from '{name}';\nexport const handler = async () => version;\n"
        for place in ("nodejs/node_modules", f"nodejs/node{major(runtime)}/node_modules"):
            arn = publish_layer(daemon, below(place, module(name, place)))
            assert deploy(daemon, runtime, {"app.mjs": source}, Layers=[arn]).call() == place

    def test_finds_the_runtimes_sdk_from_everywhere(self, daemon, runtime):
        """As the Developer Guide's example of its version does; and from a layer's module."""
        name = "@aws-sdk/client-s3"
        source = (
            f"import {{ S3Client }} from '{name}';\nimport {{ SQSClient }} from 'layered';\n"
            f"const {{ default: { '{ version }' } }} = await import('{name}/package.json', {{ with: {{ type: 'json' }} }});\n"
            "export const handler = async () => [typeof S3Client, typeof SQSClient, version.split('.').length];\n"
        )
        layered = {"layered/package.json": '{"type": "module", "main": "main.js"}', "layered/main.js": "export { SQSClient } from '@aws-sdk/client-sqs';\n"}
        arn = publish_layer(daemon, below("nodejs/node_modules", layered))
        assert deploy(daemon, runtime, {"app.mjs": source}, Layers=[arn]).call() == ["function", "function", 3]

    def test_with_a_search_path_of_the_functions_own(self, daemon, runtime):
        files = {"app.mjs": IMPORT} | below("vendored/node_modules", module("thing", "vendored", "module"))
        function = deploy(daemon, runtime, files, variables={"NODE_PATH": "/var/task/vendored/node_modules"})
        assert function.call() == "vendored"

    def test_awaits_at_top_level(self, way, runtime):
        source = "const late = await new Promise((done) => setTimeout(done, 5, 'late'));\nexport const handler = async () => late;\n"
        _, seen = seen_by(waits(way), runtime, {"app.mjs": source})
        assert seen == "late"

    def test_es_modules_cannot_be_required_unless_asked_for(self, daemon, runtime):
        files = {"app.cjs": "exports.handler = async () => require('./thing.mjs').version;\n", "thing.mjs": "export const version = 1;\n"}
        if disabled(runtime):
            result = deploy(daemon, runtime, files).invoke()
            assert result.json["errorType"] == "Error" and "require() of ES Module" in result.json["errorMessage"], result
        function = deploy(daemon, runtime, files, variables={"NODE_OPTIONS": "--experimental-require-module"})
        assert function.call() == 1


HANDLER = "export const handler = async () => import.meta.url;\n"


class TestHandler:
    @pytest.mark.parametrize("handler", ["app.handler", "deep/app.handler", "./deep/app.handler", "deep/er/app.nested.handler"])
    def test_in_directories(self, daemon, runtime, handler):
        nested = "export const nested = { handler: async () => import.meta.url };\n"
        files = {"app.mjs": HANDLER, "deep/app.mjs": HANDLER, "deep/er/app.mjs": nested}
        path = handler.removeprefix("./").split(".")[0]
        assert deploy(daemon, runtime, files, handler).call() == f"file:///var/task/{path}.mjs"

    def test_of_a_package_of_modules(self, daemon, runtime):
        files = {"app.js": HANDLER, "package.json": '{"type": "module"}'}
        assert deploy(daemon, runtime, files).call() == "file:///var/task/app.js"

    @pytest.mark.parametrize(
        "handler, files, error_type, message",
        [
            ("nowhere.handler", {}, "Runtime.ImportModuleError", "Error: Cannot find module 'nowhere'"),
            ("app.handler", {"app.js": "require('nothing-here');"}, "Runtime.ImportModuleError", "Error: Cannot find module 'nothing-here'"),
            ("app.handler", {"app.js": ""}, "Runtime.HandlerNotFound", "app.handler is undefined or not exported"),
            ("app.handler", {"app.js": "exports.handler = 1;"}, "Runtime.HandlerNotFound", "app.handler is not a function"),
            ("app", {"app.js": ""}, "Runtime.MalformedHandlerName", "Bad handler"),
            ("../app.handler", {"app.js": ""}, "Runtime.MalformedHandlerName", "'../app.handler' is not a valid handler name."),
            ("app.handler", {"app.js": "exports.handler = (;"}, "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected token ';'"),
            ("app.handler", {"app.js": "throw new TypeError('at init');"}, "TypeError", "at init"),
        ],
    )
    def test_errors_are_in_awss_words(self, way, runtime, handler, files, error_type, message):
        result = deploy(way[0], runtime, {"other.js": "", **files}, handler).invoke()
        assert (result.error, result.json["errorType"]) == ("Unhandled", error_type), result
        assert result.json["errorMessage"].split("\n")[0].startswith(message), result
        assert not any("/.hearth/" in line for line in result.json.get("trace", [])), result
