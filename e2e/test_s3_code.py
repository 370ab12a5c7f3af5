"""Code that requests name by S3Bucket and S3Key: out of directories and S3-compatible stores."""

import base64
import hashlib
import os
import re
import subprocess
import zipfile

import pytest

from buckets import KEY_ID, SECRET, FailingStore, Moto, make_certificate
from daemon import ACCOUNT, HEARTH, Daemon, refused, within
from package import ROLE, Function, make_zip, unique

OTHER = "210987654321"
INVALID = "InvalidParameterValueException"
NO_KEY = "^Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.$"
NO_BUCKET = "^Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist$"
NO_VERSION = "^Error occurred while GetObject. S3 Error Code: NoSuchVersion. S3 Error Message: The specified version does not exist.$"
ODD = "a b/ü+%20&=?#;:@,$!'()*~/../x.zip".replace("/../", "/")


def code(answer, **more):
    return make_zip({"app.py": f"def handler(event, context): return {answer!r}", **more})


@pytest.fixture(scope="module")
def moto():
    moto = Moto()
    yield moto
    moto.stop()


@pytest.fixture(scope="module")
def failing():
    store = FailingStore()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Of directory buckets: `files` by name, and each directory of `any`."""
    return tmp_path_factory.mktemp("buckets")


@pytest.fixture(scope="module")
def config(place, moto, failing):
    (place / "files").mkdir()
    (place / "any" / "inside").mkdir(parents=True)
    keys = f'access_key_id = "{KEY_ID}"\nsecret_access_key = "{SECRET}"\nallow_http = true'
    for bucket in ("versions", "private", "stored"):
        moto.make(bucket)
    stores = "".join(
        f'[code.buckets.{name}]\nendpoint = "{endpoint}"\n{keys}\n{more}\n'
        for name, endpoint, more in [
            ("stored", moto.endpoint, ""),
            ("versions", moto.endpoint, ""),
            ("absent", moto.endpoint, ""),
            ("private", moto.endpoint, f'accounts = ["{ACCOUNT}"]'),
            ("failing", failing.endpoint, "timeout_s = 6"),
            ("nowhere", "http://127.0.0.1:1", ""),
        ]
    )
    return f'[code.buckets.files]\ndir = "{place}/files"\n[code.buckets."*"]\ndir = "{place}/any"\n{stores}'


@pytest.fixture(scope="module")
def daemon(tmp_path_factory, config):
    daemon = Daemon(tmp_path_factory.mktemp("daemon"), config).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def client(daemon):
    return daemon.client()


def create(client, daemon, bucket, key, **code):
    name = unique("s3")
    settings = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE}
    answer = client.create_function(FunctionName=name, Code={"S3Bucket": bucket, "S3Key": key, **code}, **settings)
    function = Function(daemon, client, name)
    function.settle()
    return function, answer


def digest(archive):
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


class TestPlaces:
    @pytest.mark.parametrize("bucket", ["files", "inside", "stored"])
    def test_create_update_publish_and_layer(self, daemon, client, place, moto, bucket):
        def put(key, body):
            if bucket == "stored":
                return moto.put(bucket, key, body)
            path = place / ("files" if bucket == "files" else "any/inside") / key
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.write_bytes(body)

        put(ODD, code("one"))
        put("two.zip", code("two"))
        function, created = create(client, daemon, bucket, ODD)
        assert (created["CodeSha256"], created["CodeSize"]) == (digest(code("one")), len(code("one")))
        assert function.call({}) == "one"
        # Hearth's own copy: what becomes of the object is nobody's business.
        put(ODD, b"no zip any more")
        assert client.get_function_configuration(FunctionName=function.name)["CodeSha256"] == digest(code("one"))
        arguments = {"FunctionName": function.name, "S3Bucket": bucket, "S3Key": "two.zip"}
        tried = client.update_function_code(**arguments, DryRun=True)
        assert tried["CodeSha256"] == digest(code("two"))
        assert function.call({}) == "one"
        updated = client.update_function_code(**arguments, Publish=True, S3ObjectStorageMode="COPY")
        assert updated["Version"] == "1"
        function.settle()
        assert function.call({}) == "two"
        layer = client.publish_layer_version(LayerName=unique("s3"), Content={"S3Bucket": bucket, "S3Key": "two.zip"})
        assert layer["Content"]["CodeSha256"] == digest(code("two"))
        daemon.stop()
        daemon.start()
        assert function.call({}) == "two"

    def test_each_version_of_an_object(self, daemon, client, moto):
        moto.s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        first, second = (moto.put("versions", "code.zip", code(answer)) for answer in ("one", "two"))
        for version, answer in [(first, "one"), (second, "two")]:
            function, _ = create(client, daemon, "versions", "code.zip", S3ObjectVersion=version)
            assert function.call({}) == answer

    def test_a_directory_has_one_version(self, daemon, client, place):
        (place / "files" / "v.zip").write_bytes(code("one"))
        create(client, daemon, "files", "v.zip", S3ObjectVersion="null")
        with refused(client, INVALID, 400, NO_VERSION):
            create(client, daemon, "files", "v.zip", S3ObjectVersion="3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY")

    @pytest.mark.parametrize("bucket", ["files", "stored"])
    def test_a_package_of_100_mb(self, daemon, client, place, moto, bucket):
        source = "def handler(event, context): return len(open('data', 'rb').read())"
        big = make_zip({"app.py": source, "data": os.urandom(100 * 1024 * 1024)}, compression=zipfile.ZIP_STORED)
        if bucket == "files":
            (place / "files" / "big.zip").write_bytes(big)
        else:
            moto.put("stored", "big.zip", big)
        function, created = create(client, daemon, bucket, "big.zip")
        assert (created["CodeSha256"], created["CodeSize"]) == (digest(big), len(big))
        assert function.call({}) == 100 * 1024 * 1024


class TestRefusals:
    @pytest.mark.parametrize(
        ("bucket", "key", "text"),
        [
            ("files", "absent.zip", NO_KEY),
            ("stored", "absent.zip", NO_KEY),
            ("absent", "code.zip", NO_BUCKET),
            ("not-there", "code.zip", NO_BUCKET),
            ("files", "../any/secret", NO_KEY),
            ("files", "/etc/passwd", NO_KEY),
            ("files", "link", NO_KEY),
        ],
    )
    def test_what_is_not_there(self, daemon, client, place, bucket, key, text):
        (place / "any" / "secret").write_bytes(code("secret"))
        if not (place / "files" / "link").is_symlink():
            (place / "files" / "link").symlink_to(place / "any" / "secret")
        with refused(client, INVALID, 400, text):
            create(client, daemon, bucket, key)
        with refused(client, INVALID, 400, text):
            client.publish_layer_version(LayerName="none", Content={"S3Bucket": bucket, "S3Key": key})

    def test_another_tenants_bucket(self, daemon, client, moto):
        moto.put("private", "code.zip", code("private"))
        create(client, daemon, "private", "code.zip")
        other = daemon.client(account=OTHER)
        text = (
            "^Your access has been denied by S3, please make sure your request credentials have permission to GetObject for "
            "private/code.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied$"
        )
        with refused(other, "AccessDeniedException", 403, text):
            create(other, daemon, "private", "code.zip")
        with refused(other, "AccessDeniedException", 403):
            create(other, daemon, "private", "absent.zip")

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ({"S3Bucket": "files"}, "^Please provide a source for function code.$"),
            ({"S3Key": "code.zip"}, "^Please provide a source for function code.$"),
            (
                {"S3Bucket": "files", "S3Key": "code.zip", "ZipFile": code("one")},
                "^Please do not provide other FunctionCode parameters when providing a ZipFile.$",
            ),
            ({"S3Bucket": "files", "S3Key": "code.zip", "S3ObjectStorageMode": "REFERENCE"}, "is not supported by Hearth$"),
        ],
    )
    def test_half_a_source_and_two(self, client, given, text):
        with refused(client, INVALID, 400, text):
            client.create_function(FunctionName=unique("s3"), Runtime="python3.11", Handler="app.handler", Role=ROLE, Code=given)

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            (b"", "^Uploaded file must be a non-empty zip$"),
            (b"PK\x05\x06" + bytes(18), "^Uploaded file must be a non-empty zip$"),
            (b"no zip", "^Could not unzip uploaded file. Please check your file, then try to upload again.$"),
            (code("x")[:-10], "^Could not unzip uploaded file. Please check your file, then try to upload again.$"),
        ],
    )
    def test_what_is_no_package(self, daemon, client, place, body, text):
        (place / "files" / "bad.zip").write_bytes(body)
        with refused(client, INVALID, 400, text):
            create(client, daemon, "files", "bad.zip")

    def test_more_than_may_be_unpacked(self, daemon, client, place):
        text = "^Unzipped size must be smaller than 262144000 bytes$"
        with zipfile.ZipFile(place / "files" / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("data", "w") as entry:
                for _ in range(251):
                    entry.write(bytes(1024 * 1024))
        with refused(client, INVALID, 400, text):
            create(client, daemon, "files", "bomb.zip")
        with open(place / "files" / "huge.zip", "wb") as file:
            file.truncate(400 * 1024 * 1024)
        with refused(client, INVALID, 400, text):
            create(client, daemon, "files", "huge.zip")

    def test_without_buckets_the_configuration_is_named(self, own_daemon):
        client = own_daemon().client()
        with refused(client, INVALID, 400, r"^Code from S3Bucket and S3Key.*\[code.buckets\].*is not supported by Hearth$"):
            client.publish_layer_version(LayerName="none", Content={"S3Bucket": "files", "S3Key": "code.zip"})


class TestKeysAndCertificates:
    def test_tls_with_keys_of_the_environment(self, own_daemon, tmp_path):
        certificate = make_certificate(tmp_path / "certificate.pem")
        store = FailingStore(certificate)
        store.objects["/secure/code.zip"] = code("secure")
        config = f'[code.buckets.secure]\nendpoint = "{store.endpoint}"\ntimeout_s = 6'
        keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        trusting = own_daemon(config, variables={**keys, "SSL_CERT_FILE": str(certificate)})
        function, _ = create(trusting.client(), trusting, "secure", "code.zip")
        assert function.call({}) == "secure"
        other = own_daemon(config, variables=keys)
        with refused(other.client(), "ServiceException", 500, "S3 Error Code: ServiceUnavailable.*certificate"):
            create(other.client(), other, "secure", "code.zip")
        store.stop()

    def test_secrets_are_not_printed(self, daemon):
        printed = subprocess.run([HEARTH, "config", "print", "--config", daemon.config], capture_output=True, text=True, check=True).stdout
        assert KEY_ID in printed and "(hidden)" in printed and SECRET not in printed


class TestFailingStores:
    @pytest.mark.parametrize(
        ("status", "body", "headers", "text"),
        [
            (
                301,
                "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be...</Message></Error>",
                {"x-amz-bucket-region": "us-east-2", "Location": "http://127.0.0.1:1/"},
                "PermanentRedirect. S3 Error Message: The bucket is in this region: us-east-2. Please use this region to retry the request",
            ),
            (
                400,
                "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region "
                "&apos;us-east-1&#39; is wrong; expecting 'ap-southeast-2'</Message><Region>ap-southeast-2</Region></Error>",
                {},
                "AuthorizationHeaderMalformed. S3 Error Message: The authorization header is malformed; the region 'us-east-1' is wrong; "
                "expecting 'ap-southeast-2'",
            ),
            (
                400,
                "<Error><Code>KMS.DisabledException</Code><Message>arn:aws:kms:a:1:key/k is disabled.</Message></Error>",
                {},
                "KMS.DisabledException. S3 Error Message: arn:aws:kms:a:1:key/k is disabled.",
            ),
            (404, "", {}, "NoSuchKey. S3 Error Message: The specified key does not exist."),
        ],
    )
    def test_what_the_store_says_is_passed_on(self, daemon, client, failing, status, body, headers, text):
        failing.faults["/failing/said.zip"] = [(status, body, headers)]
        with refused(client, INVALID, 400, f"^Error occurred while GetObject. S3 Error Code: {re.escape(text)}$"):
            create(client, daemon, "failing", "said.zip")

    def test_signatures_are_those_of_botocore(self, daemon, client, failing):
        path = "/failing/a%20b/%C3%BC%2B%2520%26%3D%3F%23%3B%3A%40%2C%24%21%27%28%29%2A~/x.zip"
        failing.objects[path] = code("odd")
        function, _ = create(client, daemon, "failing", ODD, S3ObjectVersion="3/L4kqt+=&")
        assert function.call({}) == "odd"
        assert failing.requests[-1][0] == f"{path}?versionId=3%2FL4kqt%2B%3D%26"

    def test_a_busy_store_is_asked_again(self, daemon, client, failing):
        failing.objects["/failing/busy.zip"] = code("busy")
        busy = (503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
        failing.faults["/failing/busy.zip"] = [busy, (500, ""), None]
        function, _ = create(client, daemon, "failing", "busy.zip")
        assert function.call({}) == "busy"
        failing.faults["/failing/busy.zip"] = [busy]
        text = "^Error occurred while GetObject. S3 Error Code: SlowDown. S3 Error Message: Please reduce your request rate.$"
        with refused(client, "ServiceException", 500, text):
            create(client, daemon, "failing", "busy.zip")

    def test_a_store_that_dies_in_the_middle_is_resumed(self, daemon, client, failing):
        archive = code("whole", data=os.urandom(300_000))
        failing.objects["/failing/dies.zip"] = archive
        failing.faults["/failing/dies.zip"] = ["dies", "dies", None]
        _, created = create(client, daemon, "failing", "dies.zip")
        assert created["CodeSha256"] == digest(archive)
        asked = [range for path, range in failing.requests if path == "/failing/dies.zip"]
        assert len(asked) == 3 and asked[0] is None and None not in asked[1:]
        failing.faults["/failing/dies.zip"] = ["dies"]
        with refused(client, "ServiceException", 500, "S3 Error Code: IncompleteBody"):
            create(client, daemon, "failing", "dies.zip")

    def test_an_object_that_changes_meanwhile_is_not_mixed(self, daemon, client, failing):
        failing.objects["/failing/changed.zip"] = code("x", data=os.urandom(300_000))
        failing.faults["/failing/changed.zip"] = ["dies", "changed"]
        with refused(client, "ServiceException", 500, "S3 Error Code: OperationAborted"):
            create(client, daemon, "failing", "changed.zip")

    def test_a_store_that_stalls_is_given_up_and_holds_nobody_up(self, daemon, client, failing):
        failing.objects["/failing/stalls.zip"] = code("x", data=os.urandom(300_000))
        failing.faults["/failing/stalls.zip"] = ["stalls"]
        with within(60), refused(client, "ServiceException", 500, "S3 Error Code: RequestTimeout"):
            create(client, daemon, "failing", "stalls.zip")
        assert not [path for path in (daemon.data / "code" / "zip" / "tmp").iterdir()]

    def test_a_store_that_is_not_there(self, daemon, client):
        with refused(client, "ServiceException", 500, "S3 Error Code: ServiceUnavailable. S3 Error Message: The store cannot be reached"):
            create(client, daemon, "nowhere", "code.zip")
