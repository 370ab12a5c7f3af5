"""The ancestor of sandboxes: has everything trusted loaded, and forks a waiting interpreter into each new sandbox.

    zygote ── clone3 ──► first ── fork ──► waiting: confines itself, then waits as park.py does
                           └── execute ──► the launcher's program, which mounts, confines and becomes the agent

`first` is a child of the launcher and the first process of new name spaces; it may go on when the launcher has given it its
ids. What the sandbox is spared by all this is the memory: the pages of `waiting` are the zygote's until they are written to.

Standard input is a packet socket to the launcher. No tenant's code or data ever comes here.
"""

import park  # First: it takes note of what is loaded so far.

import _socket
import array
import ctypes
import gc
import os
import resource
import socket
import struct
import sys
import traceback

libc = ctypes.PyDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

# Of the kernel's interface, the same on all architectures since these calls are that young.
SYS_CLONE3, SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 435, 444, 445, 446
CLONE_PARENT = 0x8000
NEW_TIME, NEW_MOUNT, NEW_CGROUP, NEW_UTS, NEW_IPC = 0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 22, 24, 38
SECCOMP_MODE_FILTER = 2
CAPABILITIES_MAX = 63
PACKET_MAX = 65536
DESCRIPTORS_MAX = 8


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def syscall(number, *arguments):
    return check(libc.syscall(ctypes.c_long(number), *arguments))


def receive(launcher):
    """A packet and the descriptors beside it; nothing when the launcher is gone."""
    room = socket.CMSG_SPACE(DESCRIPTORS_MAX * 4)
    packet, ancillary, _, _ = launcher.recvmsg(PACKET_MAX, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data[: len(data) - len(data) % 4])
    return packet, list(descriptors)


class Rules:
    """What confines the waiting process besides its ids; the same for all sandboxes."""

    def __init__(self, filter, landlock):
        self.instructions = ctypes.create_string_buffer(filter, len(filter))
        address = ctypes.addressof(self.instructions)
        self.filter = ctypes.create_string_buffer(struct.pack("@HP", len(filter) // 8, address))
        self.landlock = [rule.rsplit(b"=", 1) for rule in landlock.split(b"\0") if rule]

    def restrict_files(self):
        """As the agent is restricted: the first rule names what is handled, the others what is granted below a path."""
        if not self.landlock:
            return
        handled = struct.pack("=Q", int(self.landlock[0][1]))
        ruleset = syscall(SYS_LANDLOCK_CREATE, handled, ctypes.c_size_t(len(handled)), ctypes.c_uint(0))
        for path, access in self.landlock[1:]:
            beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", int(access), beneath)
            syscall(SYS_LANDLOCK_ADD, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint(0))
            os.close(beneath)
        syscall(SYS_LANDLOCK_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint(0))
        os.close(ruleset)

    def filter_calls(self):
        check(libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), self.filter, 0, 0))


def confine(order, rules):
    """Becomes the function's user, without any right, as a process is that the agent executes."""
    for name in ("core", "files", "processes"):
        kind = {"core": resource.RLIMIT_CORE, "files": resource.RLIMIT_NOFILE, "processes": resource.RLIMIT_NPROC}[name]
        most = resource.getrlimit(kind)[1]
        limit = order[name] if most == resource.RLIM_INFINITY else min(order[name], most)
        resource.setrlimit(kind, (limit, limit))
    for capability in range(CAPABILITIES_MAX + 1):
        if libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break
    os.setgroups([])
    os.setresgid(order["gid"], order["gid"], order["gid"])
    # The last of these takes all capabilities with it.
    os.setresuid(order["uid"], order["uid"], order["uid"])
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0))
    # A change of user hides a process from itself, as an execution would not.
    check(libc.prctl(PR_SET_DUMPABLE, ctypes.c_ulong(1), 0, 0, 0))
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
    rules.restrict_files()
    rules.filter_calls()


def renew_secrets():
    """What modules drew at random as they were loaded. `random` itself sees to that at a fork."""
    processes = sys.modules.get("multiprocessing.process")
    if processes:
        processes.current_process().authkey = os.urandom(32)


def await_own_root(gate):
    """The first process closes its end as it becomes the agent, when everything is mounted; if it dies, so does this one."""
    os.read(gate, 1)
    os.close(gate)


def wait(order, rules, gate, control, output, telemetry):
    """The waiting process, from its birth on. It ends as any interpreter does: nobody's frames but these are below it."""
    os.setsid()
    os.umask(0o022)
    await_own_root(gate)
    os.dup2(control, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, telemetry)
    os.closerange(telemetry + 1, 1024)
    os.set_inheritable(telemetry, True)
    confine(order, rules)
    renew_secrets()
    park.wait()


def be_first(order, rules, exe, arguments, descriptors):
    """The first process of a sandbox, from its birth until it executes the launcher's program. Returns in the waiting one."""
    go, status, root, launcher = descriptors
    os.write(go, b"\n")
    if os.read(go, 1) != b"\n":
        os._exit(1)
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    check(libc.unshare(NEW_NET | NEW_IPC | NEW_UTS | NEW_CGROUP))
    gate, held = os.pipe()
    ours, theirs = (end.detach() for end in _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM))
    output, output_in = os.pipe()
    telemetry, telemetry_in = os.pipe()
    waiting = os.fork()
    if waiting == 0:
        os.close(held)
        return order, rules, gate, theirs, output_in, telemetry_in
    kept = [status, root, launcher, held, ours, output, telemetry]
    for descriptor in kept:
        os.set_inheritable(descriptor, True)
    numbers = [waiting, telemetry_in] + kept
    cradle = order["cradle"] + " " + " ".join(str(number) for number in numbers)
    os.execve(exe, arguments, {"HEARTH_CRADLE": cradle})


def give_birth(order, rules, exe, arguments, descriptors):
    """In the zygote nothing; in the waiting process what it goes on with."""
    flags = CLONE_PARENT | NEW_USER | NEW_PID | NEW_MOUNT | NEW_TIME
    # The signal is the launcher's own, as the child is.
    clone_args = struct.pack("=11Q", flags, *[0] * 10)
    if syscall(SYS_CLONE3, clone_args, ctypes.c_size_t(len(clone_args))) == 0:
        try:
            return be_first(order, rules, exe, arguments, descriptors)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    for descriptor in descriptors:
        os.close(descriptor)
    return None


def parse(packet):
    cradle, *numbers = packet.decode().split(" ")
    return {"cradle": cradle, **dict(zip(("uid", "gid", "files", "processes", "core"), map(int, numbers)))}


def serve():
    """Until the launcher is gone, or, in a waiting process, with what that goes on with."""
    launcher = socket.socket(fileno=os.dup(0))
    packet, (exe,) = receive(launcher)
    length = int.from_bytes(packet[:4], "little")
    landlock, _, arguments = packet[4 + length :].partition(b"\0\0")
    rules = Rules(packet[4 : 4 + length], landlock)
    arguments = [os.fsdecode(argument) for argument in arguments.split(b"\0")]
    if len(os.listdir("/.hearth/empty/proc/self/task")) != 1:
        raise RuntimeError("a process of several threads cannot be forked")
    park.prepare()
    gc.collect()
    gc.freeze()
    launcher.send(b"\n")
    while True:
        packet, descriptors = receive(launcher)
        born = give_birth(parse(packet), rules, exe, arguments, descriptors) if packet else ()
        if born is not None:
            return born


if __name__ == "__main__":
    born = serve()
    if born:
        wait(*born)
