#!/usr/bin/env python3
"""Trims a botocore service model to what Hearth needs: routes, shapes, constraints and errors, without prose.

    pip download --no-deps botocore==1.44.5 && unzip botocore-*.whl
    models/trim.py botocore/data/lambda/2015-03-31/service-2.json.gz > models/lambda.json
"""

import gzip
import json
import sys

SHAPE_KEYS = ("type", "required", "members", "member", "key", "value", "enum", "pattern", "min", "max", "payload")
MEMBER_KEYS = ("shape", "location", "locationName")


def trim_shape(shape):
    kept = {key: shape[key] for key in SHAPE_KEYS if key in shape}
    if "members" in kept:
        kept["members"] = {
            name: {key: member[key] for key in MEMBER_KEYS if key in member}
            for name, member in kept["members"].items()
        }
    for key in ("member", "key", "value"):
        if key in kept:
            kept[key] = kept[key]["shape"]
    if shape.get("exception"):
        kept["status"] = shape.get("error", {}).get("httpStatusCode", 500 if shape.get("fault") else 400)
    return kept


def trim_operation(operation):
    kept = {
        "method": operation["http"]["method"],
        "uri": operation["http"]["requestUri"],
        "status": operation["http"].get("responseCode", 200),
    }
    for side in ("input", "output"):
        if side in operation:
            kept[side] = operation[side]["shape"]
    kept["errors"] = [error["shape"] for error in operation.get("errors", [])]
    return kept


def section(name, entries):
    lines = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in sorted(entries.items())]
    return f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}"


def main():
    opener = gzip.open if sys.argv[1].endswith(".gz") else open
    with opener(sys.argv[1], "rt", encoding="utf-8") as file:
        model = json.load(file)
    operations = {name: trim_operation(operation) for name, operation in model["operations"].items()}
    shapes = {name: trim_shape(shape) for name, shape in model["shapes"].items()}
    print("{\n" + section("operations", operations) + ",\n" + section("shapes", shapes) + "\n}")


main()
