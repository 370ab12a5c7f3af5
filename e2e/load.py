"""Many calls at once, with less work per call than an SDK does: plain HTTP over connections that are kept open."""

import http.client
import threading
from collections import Counter
from urllib.parse import quote

from daemon import ACCOUNT, REGION

AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/lambda/aws4_request, SignedHeaders=host, Signature={'0' * 64}"
)


class Connection:
    """One kept-open connection; not for use by two threads."""

    def __init__(self, daemon, timeout=120):
        self.http = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=timeout)

    def request(self, method, path, body=None, headers=()):
        self.http.request(method, path, body, {"Authorization": AUTHORIZATION, **dict(headers)})
        answer = self.http.getresponse()
        return answer.status, answer.headers, answer.read()

    def invoke(self, name, payload=b"{}", kind="RequestResponse"):
        return self.request("POST", f"/2015-03-31/functions/{quote(name)}/invocations", payload, {"X-Amz-Invocation-Type": kind})

    def close(self):
        self.http.close()


class Load:
    """Threads that call until told to stop, and what they saw. `one(connection)` makes one call and names its outcome."""

    def __init__(self, daemon, threads, one):
        self.daemon = daemon
        self.one = one
        self.stopping = threading.Event()
        self.outcomes = Counter()
        self.problems = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def _run(self):
        connection = Connection(self.daemon)
        try:
            while not self.stopping.is_set():
                outcome = self.one(connection)
                with self.lock:
                    self.outcomes[outcome] += 1
        except Exception as problem:
            with self.lock:
                self.problems.append(problem)
        finally:
            connection.close()

    @property
    def count(self):
        with self.lock:
            return sum(self.outcomes.values())

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(150)


def all_at_once(calls):
    """Runs every call in a thread of its own, all let go at one moment; their results in order."""
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(index, call):
        barrier.wait()
        try:
            results[index] = call()
        except Exception as problem:
            results[index] = problem

    threading.stack_size(256 * 1024)
    threads = [threading.Thread(target=run, args=item, daemon=True) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    threading.stack_size(0)
    return results
