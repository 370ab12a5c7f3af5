"""Waits, with the runtime client loaded, to become the runtime of one function.

Standard input is a socket to the agent: a byte out says "ready", the orders come in. What follows must be what
`python3 -m awslambdaric HANDLER` would have been; where that cannot be had, it is executed.
"""

import ctypes
import os
import runpy
import struct
import sys
import time

import awslambdaric.__main__  # noqa: F401  Loads all that the client needs.

PR_SET_MM, PR_SET_MM_MAP = 35, 14
RUNTIME_DIR = "/var/runtime"
# A package or layer may bring these to change how an interpreter starts.
START_MODULES = {"sitecustomize", "usercustomize"}
# Filled when everything is loaded, so that nothing has to be looked at, and its memory written to, after a fork.
LOADED = set(START_MODULES)
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p


def read_orders():
    """Directory, command and environment, as bytes."""
    received = b""
    while len(received) < 4 or len(received) < 4 + int.from_bytes(received[:4], "little"):
        more = os.read(0, 65536)
        if not more:
            os._exit(0)  # The agent is gone, or has no use for this process.
        received += more
    directory, count, *rest = received[4:].split(b"\0")[:-1]
    command, variables = rest[: int(count)], rest[int(count) :]
    return directory, command, dict(variable.split(b"=", 1) for variable in variables)


def is_shadowed(directories):
    """Whether the function brings modules that its imports would have found before those that are loaded here."""
    for directory in directories:
        try:
            entries = os.listdir(directory)
        except OSError:
            continue
        if any(entry.partition(".")[0] in LOADED for entry in entries):
            return True
    return False


def take_null_input():
    null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.close(null)


def show(command, environment):
    """Lets `/proc` tell of this process what it would of one that was executed so; where the kernel allows it."""
    arguments = b"".join(word + b"\0" for word in command)
    variables = b"".join(name + b"=" + value + b"\0" for name, value in environment.items())
    # Never freed: the kernel reads it from now on.
    kept = ctypes.create_string_buffer(arguments + variables)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    start = ctypes.addressof(kept)
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    code, end_code, stack = (int(field) for field in fields[23:26])
    data, end_data, heap = (int(field) for field in fields[42:45])
    middle, end = start + len(arguments), start + len(arguments) + len(variables)
    places = code, end_code, data, end_data, heap, libc.sbrk(0), stack, start, middle, middle, end
    new = struct.pack("=11QQII", *places, 0, 0, 0xFFFFFFFF)
    libc.prctl(PR_SET_MM, ctypes.c_ulong(PR_SET_MM_MAP), new, ctypes.c_ulong(len(new)), ctypes.c_ulong(0))


def forget_own_names():
    """The client's `__main__` is to be as bare as an interpreter leaves it."""
    names = sys.modules["__main__"].__dict__
    for name in [name for name in names if not name.startswith("__")] + ["__file__", "__cached__", "__warningregistry__"]:
        names.pop(name, None)


def become(directory, command, environment):
    take_null_input()
    os.chdir(directory)
    directory = os.fsdecode(directory)
    python_path = os.fsdecode(environment.get(b"PYTHONPATH", b"")).split(":")
    brought = [directory] + [path for path in python_path if path != RUNTIME_DIR]
    if is_shadowed(brought):
        os.execve(command[0], command, environment)
    os.environb.clear()
    os.environb.update(environment)
    time.tzset()
    show(command, environment)
    sys.path[0] = directory
    for path in brought:
        sys.path_importer_cache.pop(path, None)
    words = [os.fsdecode(word) for word in command]
    sys.orig_argv = words
    # As the interpreter has it while it looks for the module.
    sys.argv = words[1:2] + words[3:]
    run, module = runpy._run_module_as_main, words[2]
    forget_own_names()
    run(module)


def prepare():
    """To be called once, when everything is loaded."""
    # The client reads the environment as it is imported: it is again, when that is there.
    for name in [name for name in sys.modules if name.partition(".")[0] in ("awslambdaric", "park")]:
        del sys.modules[name]
    LOADED.update(name.partition(".")[0] for name in sys.modules)


def wait():
    os.write(0, b"\n")
    become(*read_orders())


if __name__ == "__main__":
    prepare()
    wait()
