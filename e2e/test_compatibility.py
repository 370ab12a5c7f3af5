"""COMPATIBILITY.md says what the code does."""

import re

import compatibility
from inputs import READ


def test_the_chapter_on_operations_is_current():
    made = compatibility.document()
    assert compatibility.DOCUMENT.read_text() == made, "write it anew: .tools/venv/bin/python e2e/compatibility.py"


def test_the_tables_of_services_have_the_operations_that_are_said_to_work():
    invoked = {"Invoke", "InvokeAsync", "InvokeWithResponseStream"}  # by a way of their own
    for service in ("lambda", "logs", "sts", "iam", "sqs"):
        text = (compatibility.ROOT / f"crates/frontend/src/{service}.rs").read_text()
        table = text[text.index("operations: table! {") :]
        there = re.findall(r"^\s+(\w+) => (?!absent::)", table[: table.index("\n    },")], re.MULTILINE)
        assert sorted(there) == sorted(set(READ[service]) - invoked)


def test_every_operation_that_works_is_called_by_some_test():
    texts = compatibility.tests()
    uncalled = [(service, name) for service in READ for name in READ[service] if not compatibility.exercised(name, texts)]
    assert uncalled == []
