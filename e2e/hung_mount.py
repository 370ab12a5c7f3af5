#!/usr/bin/env python3
"""Mounts a file system that hangs on demand, then executes a command: `hung_mount.py DIRECTORY CONTROL COMMAND ...`.

The file system shows the directory `code` with the file `probe.py`, read-only. While the file CONTROL exists, requests are taken and not
answered: those of all processes but the command's own where it says `others`, else all. They are answered once it is removed.

To be run in a mount name space of its own (`unshare -m --propagation private`). The mount answers with errors once the command
has ended, as whoever holds its other end ends with it.
"""

import ctypes
import errno
import os
import select
import signal
import stat
import struct
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = (
    1, 2, 3, 14, 15, 17, 18, 25, 26, 27, 28, 29, 36, 42,
)  # fmt: skip
ROOT, CODE, PROBE = 1, 2, 3
PROGRAM = b"CALLS = 0\n\n\ndef state(event, context):\n    global CALLS\n    CALLS += 1\n    return {'calls': CALLS, 'live': True}\n"
CHILDREN = {(ROOT, b"code"): CODE, (CODE, b"probe.py"): PROBE}


def possible():
    return os.geteuid() == 0 and os.path.exists("/dev/fuse")


def wrapper(directory, control):
    """What to execute a command with, so that the mount is there for it alone."""
    return ["unshare", "--mount", "--propagation", "private", sys.executable, __file__, directory, control]


def attributes(node):
    mode, size = (stat.S_IFREG | 0o644, len(PROGRAM)) if node == PROBE else (stat.S_IFDIR | 0o755, 0)
    return struct.pack("<QQQQQQIIIIIIIIII", node, size, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(code, node, body):
    """The reply's error and body. Nothing may be kept: each look asks again."""
    if code == INIT:
        major, minor, read_ahead, _flags = struct.unpack_from("<IIII", body)
        return 0, struct.pack("<IIIIHHIIHHI7I", 7, min(minor, 31), read_ahead, 0, 12, 9, 4096, 1, 1, 0, *[0] * 8)
    if code == LOOKUP:
        child = CHILDREN.get((node, body.rstrip(b"\0")))
        return (0, struct.pack("<QQQQII", child, 0, 0, 0, 0, 0) + attributes(child)) if child else (errno.ENOENT, b"")
    if code == GETATTR:
        return 0, struct.pack("<QII", 0, 0, 0) + attributes(node)
    if code in (OPEN, OPENDIR):
        return 0, struct.pack("<QII", 0, 0, 0)
    if code in (READ, READDIR):
        _handle, offset, size = struct.unpack_from("<QQI", body)
        content = PROGRAM if code == READ else b"".join(entries(node))
        return 0, content[offset : offset + size]
    if code == STATFS:
        return 0, struct.pack("<QQQQQIIII6I", 0, 0, 0, 0, 0, 4096, 255, 4096, 0, *[0] * 6)
    return (0, b"") if code in (RELEASE, RELEASEDIR, FLUSH) else (errno.ENOSYS, b"")


def entries(node):
    position = 0
    for (parent, name), child in CHILDREN.items():
        if parent == node:
            size = 24 + -(-len(name) // 8) * 8
            position += size
            kind = (stat.S_IFREG if child == PROBE else stat.S_IFDIR) >> 12
            yield (struct.pack("<QQII", child, position, len(name), kind) + name).ljust(size, b"\0")


def group_of(process):
    """The process of a thread."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Tgid:"))


def serve(channel, control, command):
    held = []
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    while True:
        ready = poll.poll(20)
        hangs = control.read_text() if control.exists() else None
        requests = [] if hangs else held
        held = held if hangs else []
        if ready:
            request = os.read(channel, 1 << 20)
            _length, code, _unique, _node, _uid, _gid, process, _pad = struct.unpack_from("<IIQQIIII", request)
            spared = hangs == "others" and group_of(process) == command
            (held if hangs and not spared and code != INIT else requests).append(request)
        for request in requests:
            _length, code, unique, node = struct.unpack_from("<IIQQ", request)
            if code in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            error, body = answer(code, node, request[40:])
            try:
                os.write(channel, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)
            except FileNotFoundError:
                pass  # Who asked has been killed.


def mount(directory, control):
    channel = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={channel},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"hung", os.fsencode(directory), b"fuse.hung", 0, options) != 0:
        raise OSError(ctypes.get_errno(), "cannot mount", directory)
    if os.fork() == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        serve(channel, Path(control), os.getppid())
    os.close(channel)


if __name__ == "__main__":
    mount(sys.argv[1], sys.argv[2])
    os.execvp(sys.argv[3], sys.argv[3:])
