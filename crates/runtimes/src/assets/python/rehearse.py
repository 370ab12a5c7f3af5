"""Does once, before there is a function, what the first invocation does: nothing is then loaded, compiled, looked up or, in a
process that was forked, copied for the first time, and the connection to the Runtime API stands. Puts back what that changes.
"""

import logging
import os
import sys

# An event as the client hands it on.
EVENT = {
    "invoke_id": "0",
    "event_body": b'{"name": "rehearsal", "numbers": [1, 2.5, null]}',
    "content_type": "application/json",
    "client_context": None,
    "cognito_identity": None,
    "deadline_time_in_ms": "0",
    "invoked_function_arn": "",
    "x_amzn_trace_id": None,
    "tenant_id": None,
    "invocation_id": None,
}


class Over(BaseException):
    """One event is enough."""


def make_client(client_class, request_class, connects):
    """A client that hands on an event without having got one: the Runtime API invokes nobody yet, and takes no answers."""

    class Client(client_class):
        is_over = False

        def wait_next_invocation(self):
            if self.is_over:
                raise Over
            self.is_over = True
            if connects:
                try:
                    super().wait_next_invocation()
                except Exception:
                    pass
            return request_class(**EVENT)

        def post_invocation_result(self, *answer):
            if connects:
                super().post_invocation_result(*answer)

    return Client(os.environ["AWS_LAMBDA_RUNTIME_API"])


def rehearse(package, connects):
    """`package` is that of the runtime client; with one that is made otherwise than is expected here, this does less. What will be
    forked must not connect: its client would go on to use descriptors that are closed in its children."""
    bootstrap, client = (sys.modules[package + name] for name in (".bootstrap", ".lambda_runtime_client"))
    root, formatter = logging.getLogger(), logging.Formatter
    globals_before, outputs = dict(vars(bootstrap)), (sys.stdout, sys.stderr)
    logging_before = root.handlers[:], root.level, formatter.converter
    descriptors = silence()
    try:
        bootstrap.run("rehearsed.handler", make_client(client.LambdaRuntimeClient, client.InvocationRequest, connects))
    except (Exception, SystemExit, Over):
        pass
    finally:
        speak(descriptors)
        vars(bootstrap).update(globals_before)
        sys.stdout, sys.stderr = outputs
        root.handlers[:], level, formatter.converter = logging_before
        root.setLevel(level)
        sys.modules.pop("rehearsed", None)


def silence():
    null = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
    kept = os.dup(1), os.dup(2)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)
    return kept


def speak(descriptors):
    for number, kept in enumerate(descriptors, 1):
        os.dup2(kept, number)
        os.close(kept)
