"""Stores that functions' code is read from: one that works, and one that fails in the ways that it is asked to."""

import datetime
import ipaddress
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.server import ThreadedMotoServer

from daemon import REGION

KEY_ID, SECRET = "AKIDSTORE", "a-secret/of+the=store"
GONE = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


class Moto:
    """An S3 with buckets and versions."""

    def __init__(self):
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        self.s3 = boto3.session.Session().client(
            "s3", endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET
        )

    def make(self, bucket):
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(self, bucket, key, body):
        return self.s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId")

    def stop(self):
        self.server.stop()


class FailingStore:
    """Serves `objects` to requests that botocore would have signed so, and misbehaves where `faults` says how."""

    def __init__(self, certificate=None):
        self.objects, self.faults, self.requests = {}, {}, []
        self.released = threading.Event()
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                store.serve(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_port}"

    def serve(self, request):
        path = request.path.partition("?")[0]
        self.requests.append((request.path, request.headers.get("Range")))
        if not self.is_signed(request):
            return self.say(request, 403, "<Error><Code>SignatureDoesNotMatch</Code><Message>Wrong.</Message></Error>")
        fault = self.faults.get(path, [None])
        fault = fault.pop(0) if len(fault) > 1 else fault[0]
        body = self.objects.get(path)
        if isinstance(fault, tuple):
            return self.say(request, *fault)
        if body is None:
            return self.say(request, 404, GONE)
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        headers = {"ETag": '"e"', "Content-Length": len(body) - start}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        if fault == "changed" and start:
            return self.say(request, 412, "")
        request.send_response(206 if start else 200)
        for name, value in headers.items():
            request.send_header(name, str(value))
        request.end_headers()
        half = start + (len(body) - start) // 2
        request.wfile.write(body[start:half] if fault else body[start:])
        request.wfile.flush()
        if fault == "stalls":
            self.released.wait(60)
        # The other half never comes.
        request.close_connection = bool(fault) or request.close_connection
        return None

    def say(self, request, status, body, headers=None):
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body.encode())

    def is_signed(self, request):
        """Whether botocore signs this request with the same signature."""
        given = request.headers.get("Authorization", "")
        names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        signed = botocore.awsrequest.AWSRequest("GET", self.endpoint + request.path, headers, b"")
        signed.context["timestamp"] = request.headers.get("x-amz-date", "")
        auth = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(KEY_ID, SECRET), "s3", REGION)
        wanted = auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)
        return "host" in names and given.endswith(f"Signature={wanted}")

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def make_certificate(path):
    """A key and a certificate for 127.0.0.1 that nobody vouches for, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "store")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(False, None), True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(encoding))
    return path
