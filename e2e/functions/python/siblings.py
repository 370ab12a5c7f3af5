"""Draws as soon as it is loaded, for what interpreters of one origin may have in common."""

import uuid

from draw import draw

AT_INIT = draw()


def handler(event, context):
    # These are the process's from its start on, and stay.
    lasting = {name: uuid.uuid4().hex for name in ("authkey", "uuid1_origin")}
    return {"at_init": AT_INIT, "now": draw() | lasting, "hash": hash("some text")}
