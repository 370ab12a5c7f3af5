"""Waits, with the runtime client loaded, to become the runtime of one function.

Standard input is a socket to the agent: a byte out says "ready", the orders come in. What follows must be what
`python3 -m awslambdaric HANDLER` would have been; where that cannot be had, it is executed.
"""

import _socket
import ctypes
import importlib
import os
import runpy
import struct
import sys
import time

from rehearse import rehearse

PR_SET_MM, PR_SET_MM_MAP = 35, 14
RUNTIME_DIR = "/var/runtime"
# A package or layer may bring these to change how an interpreter starts.
START_MODULES = {"sitecustomize", "usercustomize"}
# How often the agent is looked for, which is still starting where this process was forked together with it, and how long between.
LOOKS, PAUSE_S = 50, 0.001
# Filled when everything is loaded, so that nothing has to be looked at, and its memory written to, after a fork.
LOADED = set(START_MODULES)
CLIENT = "awslambdaric"
# Modules of this program, which no function is to find loaded.
OWN = {"park", "rehearse", "rehearsed"}
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
client = None


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


def put_on(directory, command, environment):
    """All of a function's that does not depend on its code."""
    os.chdir(directory)
    os.environb.clear()
    os.environb.update(environment)
    time.tzset()
    show(command, environment)
    sys.path[0] = os.fsdecode(directory)
    words = [os.fsdecode(word) for word in command]
    sys.orig_argv = words
    # As the interpreter has it while it looks for the module.
    sys.argv = words[1:2] + words[3:]


def become(directory, command, environment):
    take_null_input()
    python_path = os.fsdecode(environment.get(b"PYTHONPATH", b"")).split(":")
    brought = [os.fsdecode(directory)] + [path for path in python_path if path != RUNTIME_DIR]
    if is_shadowed(brought):
        os.chdir(directory)
        os.execve(command[0], command, environment)
    put_on(directory, command, environment)
    for path in brought:
        sys.path_importer_cache.pop(path, None)
    run, arguments = client.how_to_run(environment)
    forget_own_names()
    run(*arguments)


class Client:
    """The runtime client as it was loaded, and which variables it saw."""

    def __init__(self):
        read, seen = os._Environ.__getitem__, set()

        def record(variables, name):
            seen.add(name)
            return read(variables, name)

        os._Environ.__getitem__ = record
        try:
            _, self.spec, self.code = runpy._get_module_details(CLIENT)
            importlib.import_module(self.spec.name)
        finally:
            os._Environ.__getitem__ = read
        # It is to run as `__main__`, and nothing else be left of it.
        del sys.modules[self.spec.name]
        del sys.modules[CLIENT].__main__
        self.variables = {os.fsencode(name): os.environb.get(os.fsencode(name)) for name in seen}

    def how_to_run(self, environment):
        """As `python3 -m` does; loaded anew where it would have seen other variables."""
        if any(environment.get(name) != value for name, value in self.variables.items()):
            for name in [name for name in sys.modules if name.partition(".")[0] == CLIENT]:
                del sys.modules[name]
            return runpy._run_module_as_main, (CLIENT,)
        sys.argv[0] = self.spec.origin
        return runpy._run_code, (self.code, sys.modules["__main__"].__dict__, None, "__main__", self.spec)


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
    global client
    client = Client()
    rehearse(CLIENT, connects=False)
    for name in OWN & set(sys.modules):
        del sys.modules[name]
    LOADED.update(name.partition(".")[0] for name in sys.modules)


def wait():
    await_runtime_api()
    rehearse(CLIENT, connects=True)
    put_on(b"/", [os.fsencode(word) for word in sys.orig_argv], dict(os.environb))
    is_shadowed(sys.path)
    os.write(0, b"\n")
    become(*read_orders())


if __name__ == "__main__":
    prepare()
    wait()
