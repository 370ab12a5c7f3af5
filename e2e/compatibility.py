#!/usr/bin/env python3
"""Writes the last chapter of COMPATIBILITY.md: every operation of every service that is known, and what becomes of it here.

    .tools/venv/bin/python e2e/compatibility.py

What works stands in the services' tables (crates/frontend/src), what of it does not in inputs.py and test_inputs.py, what AWS has in
botocore's models. test_compatibility.py holds the chapter against these.
"""

import re
from pathlib import Path

import botocore
import botocore.session
from inputs import READ
from test_inputs import FINDS_NOTHING, REFUSED, WITHOUT_EFFECT

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "COMPATIBILITY.md"
HEAD = "## Operations\n"
SERVICES = ["lambda", "logs", "sts", "iam", "sqs", "sns", "events", "scheduler", "apigateway", "apigatewayv2"]
# How an operation is refused that is not there.
ERRORS = {
    "lambda": "InvalidParameterValueException", "logs": "UnknownOperationException", "sts": "InvalidAction", "iam": "InvalidAction",
    "sqs": "UnsupportedOperation",
}


def names(service):
    return botocore.session.get_session().get_service_model(service).operation_names


def tests():
    """The text of each test file, by name."""
    files = [*ROOT.glob("e2e/test_*.py"), *ROOT.glob("crates/frontend/tests/it/*.rs")]
    return {path.stem: path.read_text() for path in sorted(files) if path.stem not in {"test_inputs", "test_compatibility"}}


def exercised(operation, texts):
    """Files with a call of the operation: by its method, by the CLI's name of it, or by its own."""
    method = botocore.xform_name(operation)
    pattern = re.compile(rf"\b({method}|{method.replace('_', '-')}|{operation})\b")
    return [name for name, text in texts.items() if pattern.search(text)]


def row(service, operation, texts):
    refused = sorted(REFUSED.get((service, operation), {}))
    ignored = sorted(WITHOUT_EFFECT.get((service, operation), ()))
    what = [f"refuses {', '.join(f'`{member}`' for member in refused)}"] if refused else []
    what += [f"accepts without effect {', '.join(f'`{member}`' for member in ignored)}"] if ignored else []
    found = exercised(operation, texts)
    shown = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    return f"| {operation} | {'partly: ' + '; '.join(what) if what else 'works'} | {shown} |"


def chapter():
    texts = tests()
    lines = [HEAD, "The operations of ten services, as AWS's models list them. Beside each that works stand tests that call it (`e2e`,",
             "`crates/frontend/tests`). `e2e/test_inputs.py` accounts for every member of their inputs.\n"]
    for service in SERVICES:
        lines.append(f"### {service}\n")
        works = READ.get(service, {})
        if works:
            lines += ["| operation | | tests |", "|---|---|---|", *(row(service, name, texts) for name in sorted(works)), ""]
        empty = sorted(FINDS_NOTHING) if service == "lambda" else []
        if empty:
            lines.append(f"Answer with an empty list, because nothing of the kind exists here: {', '.join(empty)}.\n")
        others = sorted(set(names(service)) - set(works) - set(empty))
        error = ERRORS.get(service)
        how = f"Refused with `{error}`" if error else "The service is not there (`NotImplemented`, status 501)"
        lines.append(f"{how}: {', '.join(others)}.\n" if error else f"{how}: {len(others)} operations.\n")
    return "\n".join(lines)


def document():
    text = DOCUMENT.read_text()
    return text.partition(HEAD)[0].rstrip() + "\n\n" + chapter()


if __name__ == "__main__":
    DOCUMENT.write_text(document())
