"""What users reported about other emulators of Lambda, with their functions; what AWS does is expected."""

import base64
import json
import subprocess
import urllib.request

import pytest
from package import deploy, make_zip

# Of requests without a signature.
NOBODYS_ACCOUNT = "000000000000"


@pytest.fixture
def python(daemon):
    """Deploys a function from the text of its module `app`."""
    return lambda code, **arguments: deploy(daemon, "app.handler", "python3.11", package=make_zip({"app.py": code}), **arguments)


@pytest.fixture
def node(daemon):
    return lambda code, **arguments: deploy(daemon, "index.handler", "nodejs20.x", package=make_zip({"index.js": code}), **arguments)


def test_bytes_that_are_no_text_reach_the_caller(node):
    """aws-sam-cli 6369: a function that returns an image."""
    function = node("exports.handler = awslambda.streamifyResponse(async (e, s) => { s.end(Buffer.from([0xff, 0xd8, 0, 0xfe])) })")
    assert function.invoke({}).body == b"\xff\xd8\x00\xfe"


def test_every_line_is_logged(python):
    """localstack 7820: of 500 lines 50 were found."""
    function = python("def handler(event, context):\n    for number in range(500): print('line', number)\n")
    function.invoke({})
    function.wait_for_message("^REPORT")
    assert [m for m in function.messages() if m.startswith("line")] == [f"line {n}\n" for n in range(500)]


def test_an_error_is_told_as_on_aws(python):
    """localstack 2572: other members, another order, a log that nobody asked for."""
    function = python("def handler(event, context):\n    raise LookupError('Bad things happened')\n")
    answer = function.client.invoke(FunctionName=function.name)
    assert "LogResult" not in answer
    assert answer["FunctionError"] == "Unhandled"
    error = json.loads(answer["Payload"].read())
    assert list(error) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert error["stackTrace"] == ["  File \"/var/task/app.py\", line 2, in handler\n    raise LookupError('Bad things happened')\n"]


def test_a_name_of_one_letter(python):
    """localstack 9016."""
    function = python("def handler(event, context): return context.function_name", name="a")
    assert function.invoke({}).json == "a"
    function.delete()


def test_texts_beyond_ascii_are_printed(python):
    """aws-lambda-python-runtime-interface-client 19: UnicodeEncodeError in an ASCII locale."""
    function = python("def handler(event, context):\n    print('žluťoučký \\U0001f600')\n    raise ValueError('ünïcode')\n")
    assert function.invoke({}).json["errorMessage"] == "ünïcode"
    assert function.wait_for_message("žluťoučký \U0001f600")


def test_a_handler_may_be_a_directory(daemon):
    """aws-lambda-nodejs-runtime-interface-client 181: `dir.handler` is `dir/index.js`, up to Node.js 22."""
    package = make_zip({"dir/index.js": "exports.handler = async () => 'from the directory'"})
    assert deploy(daemon, "dir.handler", "nodejs20.x", package=package).invoke({}).json == "from the directory"


def test_a_callback_waits_for_the_event_loop(node):
    """lambda-local 128 and serverless 3456."""
    function = node("exports.handler = (e, c, callback) => { setTimeout(() => console.log('late'), 300); callback(null, 1) }")
    answer = function.client.invoke(FunctionName=function.name, LogType="Tail")
    assert "late" in base64.b64decode(answer["LogResult"]).decode()


@pytest.mark.parametrize("options", [["-d", "{}"], ["--json", "{}"], ["-XPOST"]], ids=["form", "json", "empty"])
def test_curl_without_a_signature(daemon, python, options):
    """aws-lambda-runtime-interface-emulator 20: what its users type. `curl -d` calls every body a form."""
    code = "def handler(event, context):\n    assert event == {}, event\n    raise ValueError('failure')\n"
    function = python(code, client=daemon.client(account=NOBODYS_ACCOUNT))
    url = f"{daemon.endpoint}/2015-03-31/functions/{function.name}/invocations"
    told = subprocess.run(["curl", "-sS", "-D-", url, *options], capture_output=True, text=True, check=True).stdout
    head, _, body = told.partition("\n\n")
    assert head.startswith("HTTP/1.1 200") and "x-amz-function-error: unhandled" in head.lower(), told
    assert json.loads(body)["errorMessage"] == "failure"


def test_curl_manages_functions_too(daemon, python):
    """A form that is posted to a path of Lambda's is no request to STS or IAM."""
    function = python("def handler(event, context): pass", client=daemon.client(account=NOBODYS_ACCOUNT))
    url = f"{daemon.endpoint}/2015-03-31/functions/{function.name}/versions"
    told = subprocess.run(["curl", "-sS", url, "-d", '{"Description": "by curl"}'], capture_output=True, check=True).stdout
    assert json.loads(told)["Description"] == "by curl", told


def test_a_child_left_behind_holds_nothing_up(python):
    function = python("import subprocess\ndef handler(event, context): return subprocess.Popen(['sleep', '1000']) and 1\n")
    assert [function.invoke({}).json for _ in range(2)] == [1, 1]


def test_the_package_can_be_fetched_again(python):
    """Terraform and SAM read what GetFunction names."""
    function = python("def handler(event, context): pass")
    location = function.client.get_function(FunctionName=function.name)["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:
        assert answer.read().startswith(b"PK")
