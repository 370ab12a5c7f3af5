#!/usr/bin/env python3
"""Mounts a file system that never answers on a directory, then executes a command: `hung_mount.py DIRECTORY COMMAND ...`.

To be run in a mount name space of its own (`unshare -m --propagation private`). The mount answers with errors once the command
has ended, as whoever holds its other end ends with it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def possible():
    return os.geteuid() == 0 and os.path.exists("/dev/fuse")


def wrapper(directory):
    """What to execute a command with, so that the mount is there for it alone."""
    return ["unshare", "--mount", "--propagation", "private", sys.executable, __file__, directory]


def mount(directory):
    channel = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={channel},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"hung", os.fsencode(directory), b"fuse.hung", 0, options) != 0:
        raise OSError(ctypes.get_errno(), "cannot mount", directory)
    if os.fork() == 0:
        # Holds the channel and never reads a request from it.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        while True:
            signal.pause()
    os.close(channel)


if __name__ == "__main__":
    mount(sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])
