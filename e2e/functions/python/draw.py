"""One value of every source of randomness that Python has, and of OpenSSL's that the world sees of a TLS session."""

import multiprocessing.process
import os
import random
import secrets
import ssl
import tempfile
import uuid

CONTEXT = ssl.create_default_context()


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = CONTEXT.wrap_bio(incoming, outgoing, server_hostname="example.com")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def draw():
    hello, by_time = client_hello(), uuid.uuid1()
    return {
        "random": random.random().hex(),
        "getrandbits": random.getrandbits(128),
        "secrets": secrets.token_hex(),
        "authkey": multiprocessing.process.current_process().authkey.hex(),
        "urandom": os.urandom(16).hex(),
        "uuid4": str(uuid.uuid4()),
        "uuid1": str(by_time),
        # All that tells apart those of one moment.
        "uuid1_origin": f"{by_time.clock_seq:04x}-{by_time.node:012x}",
        "rand_bytes": ssl.RAND_bytes(16).hex(),
        # Record and handshake headers, version; then random, session id and key shares.
        "tls_random": hello[11:43].hex(),
        "tls_session": hello[44:76].hex(),
        "tempfile": os.path.basename(tempfile.mktemp()),
    }
