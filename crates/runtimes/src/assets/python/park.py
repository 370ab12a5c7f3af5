"""Waits, with the runtime client loaded, to become the runtime of one function.

Standard input is a socket to the agent: a byte out says "ready", the orders come in. What follows must be what
`python3 /var/runtime/bootstrap.py` would have been; where that cannot be had, it is executed.
"""

import os
import sys

RUNTIME_DIR = "/var/runtime"
BOOTSTRAP = RUNTIME_DIR + "/bootstrap.py"
CLIENT = "awslambdaric"


class Script:
    """The start script and the runtime client as they were loaded, and which variables they saw."""

    def __init__(self):
        with open(BOOTSTRAP, encoding="utf-8") as file:
            self.code = compile(file.read(), BOOTSTRAP, "exec")
        read, seen = os._Environ.__getitem__, set()

        def record(variables, name):
            seen.add(name)
            return read(variables, name)

        os._Environ.__getitem__ = record
        try:
            exec(self.code, {"__name__": "bootstrap"})
        finally:
            os._Environ.__getitem__ = read
        self.variables = {os.fsencode(name): os.environb.get(os.fsencode(name)) for name in seen}

    def forget_client(self, environment):
        """Where it would have seen other variables: the start script loads it anew."""
        if any(environment.get(name) != value for name, value in self.variables.items()):
            for name in [name for name in sys.modules if name.partition(".")[0] == CLIENT]:
                del sys.modules[name]


# Before anything that an executed interpreter does without: what is loaded by now cannot be brought by a function.
OWN_DIR, sys.path[0] = sys.path[0], RUNTIME_DIR
script = Script()
LOADED_AS_EXECUTED = {name.partition(".")[0] for name in sys.modules}
sys.path.insert(0, OWN_DIR)

import _socket
import ctypes
import struct
import time

from rehearse import rehearse

PR_SET_MM, PR_SET_MM_MAP = 35, 14
# Where a function's modules are, in the order of the start script.
LAYERS = "/opt/python/lib/python%d.%d/site-packages" % sys.version_info[:2], "/opt/python"
# How often the agent is looked for, which is still starting where this process was forked together with it, and how long between.
LOOKS, PAUSE_S = 50, 0.001
# What an executed interpreter would find in the function's directories first, if it is there. Filled when everything is loaded, so
# that nothing has to be looked at, and its memory written to, after a fork.
LOADED_BEYOND = set()
# Modules of this program, which no function is to find loaded.
OWN = {"park", "rehearse", "rehearsed"}
# The interpreter sets it itself where the system has no locale of the name that it is told.
COERCED = {name: os.environb[name] for name in [b"LC_CTYPE"] if name in os.environb}
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
        if any(entry.partition(".")[0] in LOADED_BEYOND for entry in entries):
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


def be_bare():
    """Makes `__main__` what an interpreter makes it for the start script, and returns its names: this program's are gone."""
    names = sys.modules["__main__"].__dict__
    bare = {"__file__": BOOTSTRAP, "__loader__": type(names["__loader__"])("__main__", BOOTSTRAP), "__doc__": None}
    for name in [name for name in names if not name.startswith("__")] + ["__warningregistry__"]:
        names.pop(name, None)
    names.update(bare)
    return names


def put_on(directory, command, environment):
    """All of a function's that does not depend on its code."""
    os.chdir(directory)
    os.environb.clear()
    os.environb.update({**COERCED, **environment})
    time.tzset()
    show(command, environment)
    words = [os.fsdecode(word) for word in command]
    sys.argv = words[1:]
    if hasattr(sys, "orig_argv"):  # From Python 3.10 on.
        sys.orig_argv = words


def become(directory, command, environment):
    take_null_input()
    if is_shadowed([os.fsdecode(directory), *LAYERS]):
        os.chdir(directory)
        os.execve(command[0], command, environment)
    put_on(directory, command, environment)
    script.forget_client(environment)
    code = script.code
    exec(code, be_bare())


def await_runtime_api():
    """Without it the rehearsal is worth less, and nothing else is lost."""
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
    for _ in range(LOOKS):
        looking = _socket.socket()
        try:
            return looking.connect((host, int(port)))
        except OSError:
            time.sleep(PAUSE_S)
        finally:
            looking.close()


def prepare():
    """To be called once, when nothing of a function's is there, and before any fork."""
    rehearse(CLIENT, connects=False)
    for name in OWN & set(sys.modules):
        del sys.modules[name]
    LOADED_BEYOND.update({name.partition(".")[0] for name in sys.modules} - LOADED_AS_EXECUTED)


def wait():
    await_runtime_api()
    rehearse(CLIENT, connects=True)
    sys.path.remove(OWN_DIR)
    sys.path_importer_cache.pop(OWN_DIR, None)
    put_on(b"/", [os.fsencode(word) for word in [sys.executable, *sys.argv]], dict(os.environb))
    is_shadowed([RUNTIME_DIR, *LAYERS])
    os.write(0, b"\n")
    become(*read_orders())


if __name__ == "__main__":
    prepare()
    wait()
