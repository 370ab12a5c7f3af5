"""Initialisation that takes longer than the ten seconds Lambda gives it."""

import os
import time

# On Lambda /tmp is kept when initialisation is run again, so this counts the tries.
with open("/tmp/tries", "a") as file:
    file.write("x")
TRIES = os.path.getsize("/tmp/tries")
time.sleep(float(os.environ["INIT_SECONDS"]))


def handler(event, context):
    return {"tries": TRIES}
