"""Initialisation that fails in the way the environment asks for."""

import os
import sys

if os.environ["HOW"] == "raise":
    raise RuntimeError("cannot start")
if os.environ["HOW"] == "exit":
    sys.exit(7)
if os.environ["HOW"] == "import":
    import not_in_the_package


def handler(event, context):
    return "never"
