"""What copies of one saved process must not have in common. Runs after a restore, before the function's own hooks."""

import os
import sys


def renew():
    reseed()
    refresh_environment()


def reseed():
    random = sys.modules.get("random")
    if random:
        random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy:
        numpy.seed()
    ssl = sys.modules.get("ssl")
    if ssl:
        # Generators that draw from this one notice that it was reseeded.
        ssl.RAND_add(os.urandom(64), 64.0)
    tempfile = sys.modules.get("tempfile")
    if tempfile:
        # Its generator is made anew with the next name.
        tempfile._name_sequence = None
    uuid = sys.modules.get("uuid")
    if uuid:
        # The C library that it asks for the time keeps its node and sequence to itself, and copies would have them in common.
        uuid._generate_time_safe = uuid._last_timestamp = None
        uuid._node = int.from_bytes(os.urandom(6), "big") | 1 << 40  # No card's: a group address.
    processes = sys.modules.get("multiprocessing.process")
    if processes and not processes._children:
        # Children that initialisation started know the old one.
        processes.current_process().authkey = os.urandom(32)


def refresh_environment():
    uri = os.environ.get("HEARTH_VARIABLES_URI")
    if uri:
        import http.client
        import json
        from urllib.parse import urlsplit

        parts = urlsplit(uri)
        connection = http.client.HTTPConnection(parts.netloc, timeout=5)
        try:
            connection.request("GET", parts.path)
            os.environ.update(json.loads(connection.getresponse().read()))
        finally:
            connection.close()
