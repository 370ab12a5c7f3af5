"""A managed runtime starts as on AWS: environment, search path, arguments, whoever executed, parked or forked the interpreter.

What is expected was recorded on AWS and published: environments of every runtime by LocalStack's test suite (`test_lambda_common`,
January 2026), AWS's own start scripts in the base images, module search paths in bug reports, and the Developer Guide.
"""

import package
import pytest
from daemon import REGION, RUNTIMES, Daemon, wait_until
from package import make_zip, unique
from test_views import asking

PYTHONS = sorted(path.stem for path in RUNTIMES.glob("python3.*.toml"))
NODES = sorted(path.stem for path in RUNTIMES.glob("nodejs*.toml"))
# How an interpreter may come about: configuration, and the word for it in a call's timeline.
WAYS = {"zygote": ("zygote", "zygote"), "preboot": ("exec", "preboot"), "blank": ("none", "blank")}

PYTHON = """
import json, os, sys
import __main__

AT_INIT = dict(os.environ)

def handler(event, context):
    return {
        "environment": dict(os.environ), "at_init": AT_INIT, "path": sys.path, "argv": sys.argv, "flags": list(sys.flags),
        "orig_argv": getattr(sys, "orig_argv", None), "executable": sys.executable, "cwd": os.getcwd(),
        "main": {name: str(value) for name, value in vars(__main__).items() if name in ("__file__", "__spec__", "__package__", "__name__")},
        "names": sorted(name for name in vars(__main__) if not name.startswith("__")),
        "command": open("/proc/self/cmdline").read().split("\\0")[:-1],
    }
"""
NODE = """
exports.handler = async () => ({
  environment: process.env, argv: process.argv, execArgv: process.execArgv, cwd: process.cwd(), main: require.main?.filename ?? null,
});
"""


def common(function, runtime, handler, environment):
    """The variables that AWS sets in every managed runtime, and Hearth's own one."""
    return {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9002",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_REGION": REGION,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": "/var/task",
        "SHLVL": "0",
        "TEST_KEY": "TEST_VAL",
        "TZ": ":UTC",
        "_AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "_HANDLER": handler,
    } | environment


# Of these the values are the start's own.
OWN = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID"}


def minor(runtime):
    return int(runtime.removeprefix("python3."))


def major(runtime):
    return int(runtime.removeprefix("nodejs").removesuffix(".x"))


def python_environment(runtime):
    own = {"PYTHONPATH": "/var/runtime"}
    # Amazon Linux 2023 has no locale en_US.UTF-8, and Python says what it takes instead.
    return own | {"LC_CTYPE": "C.UTF-8"} if minor(runtime) >= 12 else own


def node_environment(runtime):
    own = {
        "NODE_PATH": f"/opt/nodejs/node{major(runtime)}/node_modules:/opt/nodejs/node_modules:"
        "/var/runtime/node_modules:/var/runtime:/var/task"
    }
    return own | {"NODE_EXTRA_CA_CERTS": "/var/runtime/ca-cert.pem"} if major(runtime) <= 18 else own


def python_path(runtime, layers=()):
    """`site` appends what it was told of and what is not there yet."""
    library = f"/var/lang/lib/{runtime}"
    lies_in = [f"/opt/python/lib/{runtime}/site-packages", "/opt/python"]
    sdk = [f"{library}/site-packages"] if minor(runtime) >= 11 else []
    standard = [f"/var/lang/lib/python3{minor(runtime)}.zip", library, f"{library}/lib-dynload", f"{library}/site-packages"]
    return ["/var/task", *lies_in, *sdk, "/var/runtime", *standard, *(path for path in lies_in if path not in layers)]


@pytest.fixture(scope="module", params=WAYS)
def way(request, tmp_path_factory):
    """A daemon whose interpreters come about in one way, and the word for it."""
    parking, kind = WAYS[request.param]
    config = f'[node]\nparking = "{parking}"\nkeep_alive = "fixed:0"\n[templates]\nautomatic = false\n'
    daemon = Daemon(tmp_path_factory.mktemp("way"), config).start()
    yield daemon, kind
    daemon.stop()


def seen_by(way, runtime, files, handler="app.handler", event=None, **configuration):
    """What a function says that was started in this way: until the pool is filled, there are others."""
    daemon, kind = way
    function = package.deploy(daemon, handler, runtime, package=make_zip(files), **configuration)
    client = asking(function)

    def started():
        result = package.invoke(client, function.name, event)
        assert result.error is None, (result.body, function.messages())
        return (result.json,) if result.headers["x-hearth-timeline"].split(" ")[0] == kind else None

    return function, wait_until(started, 30, f"a start of {runtime} by {kind}")[0]


def publish_layer(daemon, files):
    client = daemon.client()
    content = {"ZipFile": make_zip(files)}
    return client.publish_layer_version(LayerName=unique("layer"), Content=content)["LayerVersionArn"]


def deploy(daemon, runtime, files, handler="app.handler", variables=None, **configuration):
    variables = {"Variables": variables or {}}
    return package.deploy(daemon, handler, runtime, package=make_zip(files), Environment=variables, **configuration)


TEST_KEY = {"Variables": {"TEST_KEY": "TEST_VAL"}}


class TestEnvironment:
    @pytest.mark.parametrize("runtime", PYTHONS)
    def test_of_python_is_as_recorded(self, way, runtime):
        function, seen = seen_by(way, runtime, {"app.py": PYTHON}, Environment=TEST_KEY)
        expected = common(function, runtime, "app.handler", python_environment(runtime))
        assert {name: value for name, value in seen["environment"].items() if name not in OWN} == expected
        assert OWN <= set(seen["environment"])
        assert seen["at_init"].keys() == seen["environment"].keys() - {"_X_AMZN_TRACE_ID"}

    @pytest.mark.parametrize("runtime", NODES)
    def test_of_node_is_as_recorded(self, way, runtime):
        if way[1] == "zygote":
            way = way[0], "preboot"  # There is no zygote of Node.js.
        function, seen = seen_by(way, runtime, {"app.js": NODE}, Environment=TEST_KEY)
        expected = common(function, runtime, "app.handler", node_environment(runtime))
        assert {name: value for name, value in seen["environment"].items() if name not in OWN} == expected
        assert OWN <= set(seen["environment"])

    @pytest.mark.parametrize("runtime", PYTHONS)
    def test_says_which_log_format_only_if_it_is_json(self, daemon, runtime):
        logging = {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"}
        function = deploy(daemon, runtime, {"app.py": PYTHON}, LoggingConfig=logging)
        environment = function.call()["environment"]
        assert (environment["AWS_LAMBDA_LOG_FORMAT"], environment["AWS_LAMBDA_LOG_LEVEL"]) == ("JSON", "DEBUG")

    @pytest.mark.parametrize("variables", [{"PATH": "/var/task/bin"}, {"TZ": "Europe/Berlin"}, {"LANG": "C.UTF-8"}, {"LD_LIBRARY_PATH": "/opt/mine"}])
    def test_of_the_function_wins(self, daemon, variables):
        python = deploy(daemon, PYTHONS[0], {"app.py": PYTHON}, variables=variables).call()
        node = deploy(daemon, NODES[0], {"app.js": NODE}, variables=variables).call()
        for seen in (python, node):
            assert seen["environment"] | variables == seen["environment"]


@pytest.mark.parametrize("runtime", PYTHONS)
class TestPython:
    def test_starts_as_aws_starts_it(self, way, runtime):
        interpreter = f"/var/lang/bin/{runtime}"
        _, seen = seen_by(way, runtime, {"app.py": PYTHON})
        assert seen["path"] == python_path(runtime)
        assert seen["argv"] == ["/var/runtime/bootstrap.py"]
        assert seen["orig_argv"] in ([interpreter, "/var/runtime/bootstrap.py"], None)
        assert seen["command"] == [interpreter, "/var/runtime/bootstrap.py"]
        assert (seen["executable"], seen["cwd"]) == (interpreter, "/var/task")
        expected = {"__name__": "__main__", "__file__": "/var/runtime/bootstrap.py", "__spec__": "None", "__package__": "None"}
        assert seen["main"] == expected
        assert seen["names"] == ["client", "main", "os", "site", "sys"]

    def test_searches_layers_that_are_there_once(self, way, runtime):
        arn = publish_layer(way[0], {f"python/lib/{runtime}/site-packages/deep.py": "", "python/flat.py": ""})
        _, seen = seen_by(way, runtime, {"app.py": PYTHON}, Layers=[arn])
        assert seen["path"] == python_path(runtime, ["/opt/python", f"/opt/python/lib/{runtime}/site-packages"])

    def test_with_a_search_path_of_the_functions_own(self, daemon, runtime):
        """It replaces the layers' directories, and is passed on to programs as it is."""
        files = {"app.py": PYTHON.replace("import json", "import own_module, json"), "vendored/own_module.py": ""}
        seen = deploy(daemon, runtime, files, variables={"PYTHONPATH": "/var/task/vendored:/nowhere"}).call()
        library = f"/var/lang/lib/{runtime}"
        standard = [f"/var/lang/lib/python3{minor(runtime)}.zip", library, f"{library}/lib-dynload", f"{library}/site-packages"]
        assert seen["path"] == ["/var/task", "/var/runtime", "/var/task/vendored", "/nowhere", *standard]
        assert seen["environment"]["PYTHONPATH"] == "/var/task/vendored:/nowhere"

    def test_runs_lines_of_path_files(self, way, runtime):
        """Of the package and of layers, whose directories are appended."""
        arn = publish_layer(
            way[0],
            {
                f"python/lib/{runtime}/site-packages/one.pth": "import builtins; builtins.SEEN = ['one']\n",
                "python/two.pth": "import builtins; builtins.SEEN = getattr(builtins, 'SEEN', []) + ['two']\n",
            },
        )
        files = {
            "app.py": "import builtins, sys\ndef handler(event, context):\n    return builtins.SEEN, sys.path[-1]\n",
            "three.pth": "import builtins; builtins.SEEN = ['three']\nvendored\n",
            "vendored/data.txt": "",
        }
        _, seen = seen_by(way, runtime, {**files}, Layers=[arn])
        assert seen == [["one", "two"], "/var/task/vendored"]

    def test_customization_modules_of_package_and_layers_do_not_run(self, way, runtime):
        """The interpreter looks for them before the start script says where functions are."""
        customize = "import builtins\nbuiltins.CUSTOMIZED = getattr(builtins, 'CUSTOMIZED', []) + [__file__]\n"
        arn = publish_layer(way[0], {"python/sitecustomize.py": customize, "python/usercustomize.py": customize})
        app = "import builtins\ndef handler(event, context):\n    return getattr(builtins, 'CUSTOMIZED', [])\n"
        files = {"app.py": app, "sitecustomize.py": customize, "usercustomize.py": customize}
        _, seen = seen_by(way, runtime, files, Layers=[arn])
        assert seen == []
        layered = deploy(way[0], runtime, {"app.py": app}, variables={"PYTHONPATH": "/opt/python"}, Layers=[arn])
        assert layered.call() == ["/opt/python/sitecustomize.py", "/opt/python/usercustomize.py"]

    @pytest.mark.parametrize("name", ["boto3", "six", "urllib3", "ctypes", "socket", "http", "struct", "rehearse", "park"])
    def test_the_functions_own_modules_win(self, way, runtime, name):
        """Over the runtime's, and over those of the standard library that the client does not need."""
        app = f"import {name}\ndef handler(event, context):\n    return {name}.OWN\n"
        _, seen = seen_by(way, runtime, {"app.py": app, f"{name}.py": "OWN = 'package'\n"})
        assert seen == "package"

    @pytest.mark.parametrize("name", ["json", "logging", "time", "os", "traceback"])
    def test_modules_that_the_client_has_loaded_stay(self, way, runtime, name):
        """So that no package can break it."""
        app = f"import {name}\ndef handler(event, context):\n    return hasattr({name}, 'OWN')\n"
        _, seen = seen_by(way, runtime, {"app.py": app, f"{name}.py": "OWN = True\n"})
        assert seen is False

    def test_a_layers_modules_win_over_the_runtimes(self, way, runtime):
        app = "import boto3\ndef handler(event, context):\n    return boto3.OWN\n"
        for place in ("python", f"python/lib/{runtime}/site-packages"):
            arn = publish_layer(way[0], {f"{place}/boto3/__init__.py": f"OWN = '{place}'\n"})
            _, seen = seen_by(way, runtime, {"app.py": app}, Layers=[arn])
            assert seen == place

    def test_has_the_sdk_where_aws_has_it(self, daemon, runtime):
        app = "import boto3, awslambdaric, importlib\ndef handler(event, context):\n    return boto3.__file__, awslambdaric.__file__\n"
        place = f"/var/lang/lib/{runtime}/site-packages" if minor(runtime) >= 11 else "/var/runtime"
        assert deploy(daemon, runtime, {"app.py": app}).call() == [f"{place}/{name}/__init__.py" for name in ("boto3", "awslambdaric")]

    def test_has_the_installers_of_awss_image(self, daemon, runtime):
        """Packages import `pkg_resources` without saying that they need it; Python 3.12 has it no more."""
        app = (
            "import importlib.util, subprocess, sys\n"
            "def handler(event, context):\n"
            "    if importlib.util.find_spec('pkg_resources'):\n"
            "        import pkg_resources\n"
            "        assert pkg_resources.get_distribution('boto3').version\n"
            "    pip = subprocess.check_output([sys.executable, '-m', 'pip', '--version'], text=True)\n"
            "    return pip.split()[0], 'pkg_resources' in sys.modules\n"
        )
        function = deploy(daemon, runtime, {"app.py": app}, MemorySize=512)
        assert function.call() == ["pip", minor(runtime) <= 11]

    def test_distributions_are_found(self, way, runtime):
        """The function's own before the runtime's, and namespace packages across package and layer."""
        app = (
            "import importlib.metadata\nimport space.here, space.there\n"
            "def handler(event, context):\n"
            "    return [importlib.metadata.version(name) for name in event] + [space.here.HERE, space.there.THERE]\n"
        )
        metadata = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"
        arn = publish_layer(way[0], {"python/space/there.py": "THERE = 2\n"})
        files = {
            "app.py": app,
            "space/here.py": "HERE = 1\n",
            "boto3-0.0.1.dist-info/METADATA": metadata.format("boto3", "0.0.1"),
            "mine-7.dist-info/METADATA": metadata.format("mine", "7"),
        }
        _, seen = seen_by(way, runtime, files, event=["boto3", "mine"], Layers=[arn])
        assert seen == ["0.0.1", "7", 1, 2]

    @pytest.mark.parametrize("handler", ["pkg/mod.handler", "pkg.mod.handler", "pkg/deep/mod.handler", "space/mod.handler"])
    def test_handlers_in_directories(self, daemon, runtime, handler):
        source = "import sibling_of_root\ndef handler(event, context):\n    return __name__\n"
        files = {"pkg/__init__.py": "", "pkg/mod.py": source, "pkg/deep/mod.py": source, "space/mod.py": source, "sibling_of_root.py": ""}
        assert deploy(daemon, runtime, files, handler).call() == handler.removesuffix(".handler").replace("/", ".")

    def test_programs_of_the_function_find_what_is_there(self, daemon, runtime):
        app = (
            "import json, subprocess, sys\n"
            "def handler(event, context):\n"
            "    program = 'import boto3, json, sys; print(json.dumps([sys.path[1], boto3.__file__]))'\n"
            "    return json.loads(subprocess.check_output([sys.executable, '-c', program]))\n"
        )
        path, boto3 = deploy(daemon, runtime, {"app.py": app}).call()
        assert path == "/var/runtime" and boto3.endswith("/boto3/__init__.py")


ERRORS = {
    # Handler, files: what AWS answers.
    "missing module": (
        "nowhere.handler", {}, "Runtime.ImportModuleError", "Unable to import module 'nowhere': No module named 'nowhere'"
    ),
    "missing dependency": (
        "app.handler", {"app.py": "import nothing_here\n"},
        "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'nothing_here'",
    ),
    "missing handler": ("app.handler", {"app.py": ""}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    "malformed name": (
        "app", {"app.py": ""},
        "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
    ),
    "syntax error": (
        "app.handler", {"app.py": "def handler(:\n"}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': invalid syntax (app.py, line 1)"
    ),
    "name of a built-in": (
        "sys.handler", {"sys.py": ""},
        "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module",
    ),
    "exception": ("app.handler", {"app.py": "raise ValueError('at init')\n"}, "ValueError", "at init"),
}


@pytest.mark.parametrize("case", ERRORS)
@pytest.mark.parametrize("runtime", PYTHONS)
def test_errors_of_python_are_in_awss_words(way, runtime, case):
    daemon, _ = way
    handler, files, error_type, message = ERRORS[case]
    result = deploy(daemon, runtime, {"other.py": "", **files}, handler).invoke()
    assert result.error == "Unhandled", result
    assert (result.json["errorType"], result.json["errorMessage"]) == (error_type, message)
    trace = result.json["stackTrace"]
    assert not any("park.py" in line or "zygote.py" in line for line in trace), trace
    if case == "exception":
        assert trace[-1] == '  File "/var/task/app.py", line 1, in <module>\n    raise ValueError(\'at init\')\n'


class TestRestored:
    """Copies of a saved sandbox: what was there when it was saved, with credentials and log stream of their own."""

    # As on AWS with SnapStart: instead of the keys, which would be saved, there is where to get them.
    KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    OWN = OWN - KEYS | {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "HEARTH_VARIABLES_URI"}

    def restored(self, daemon, runtime, files):
        function = deploy(daemon, runtime, files, variables={"TEST_KEY": "TEST_VAL"}, SnapStart={"ApplyOn": "PublishedVersions"})
        version = function.client.publish_version(FunctionName=function.name)["Version"]

        def is_ready():
            found = function.client.get_function_configuration(FunctionName=function.name, Qualifier=version)
            assert found["State"] != "Failed", found
            return found["State"] == "Active" and found

        optimized = wait_until(is_ready, 60, "the version is saved")["SnapStart"]["OptimizationStatus"]
        if optimized != "On":
            pytest.skip("this host cannot save sandboxes")
        result = package.invoke(asking(function), function.name, Qualifier=version)
        assert result.headers["x-hearth-timeline"].startswith("template"), result.headers
        return function, result.json

    def compare(self, function, runtime, seen, own):
        expected = common(function, runtime, "app.handler", own)
        expected |= {"AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
        assert self.OWN <= set(seen["environment"])
        assert {name: value for name, value in seen["environment"].items() if name not in self.OWN} == expected

    @pytest.mark.parametrize("runtime", PYTHONS)
    def test_environment_and_path_of_python(self, daemon, runtime):
        function, seen = self.restored(daemon, runtime, {"app.py": PYTHON})
        self.compare(function, runtime, seen, python_environment(runtime))
        assert (seen["path"], seen["argv"]) == (python_path(runtime), ["/var/runtime/bootstrap.py"])

    @pytest.mark.parametrize("runtime", NODES)
    def test_environment_of_node(self, daemon, runtime):
        function, seen = self.restored(daemon, runtime, {"app.js": NODE})
        self.compare(function, runtime, seen, node_environment(runtime))
