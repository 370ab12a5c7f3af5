"""A hostile function: tries to get out. Every handler answers with what it saw; the suite judges."""

import array
import ctypes
import errno
import os
import resource
import socket
import stat
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.syscall.restype = ctypes.c_long


def outcome(result):
    """`ok` or the name of errno, after a C call that answers -1 on failure."""
    return "ok" if result != -1 else errno.errorcode.get(ctypes.get_errno(), str(ctypes.get_errno()))


def attempt(action):
    try:
        return {"ok": repr(action())[:2000]}
    except OSError as error:
        return {"error": errno.errorcode.get(error.errno, str(error))}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def read_files(event, context):
    def read(path):
        with open(path, "rb") as file:
            return file.read(4096)

    return {path: attempt(lambda path=path: read(path)) for path in event["paths"]}


def list_directories(event, context):
    return {path: attempt(lambda path=path: sorted(os.listdir(path))) for path in event["paths"]}


def find_text(event, context):
    """Every file below the root whose name or first bytes contain the text; pseudo file systems too."""
    needle = event["text"].encode()
    found = []
    for root, directories, names in os.walk("/"):
        if root in ("/sys", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/runtime", "/var/runtime", "/var/lang"):
            directories.clear()
            continue
        if root.startswith("/proc/") and root.count("/") > 3:
            directories.clear()
        for name in names:
            path = os.path.join(root, name)
            if event["text"] in path:
                found.append(path)
                continue
            try:
                if root.startswith("/proc") or stat.S_ISREG(os.lstat(path).st_mode):
                    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                    try:
                        if needle in os.read(descriptor, 1 << 20):
                            found.append(path)
                    finally:
                        os.close(descriptor)
            except OSError:
                pass
    return found


def processes(event, context):
    seen = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    seen[name] = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError as error:
                seen[name] = f"unreadable: {error.strerror}"
    return seen


def pid_one(event, context):
    """What is to be had from the sandbox's first process, which is the daemon's own."""
    return {
        name: attempt(lambda name=name: open(f"/proc/1/{name}", "rb").read(65536))
        for name in ["environ", "maps", "mem", "auxv", "syscall", "stack", "io"]
    } | {
        name: attempt(lambda name=name: os.readlink(f"/proc/1/{name}")) for name in ["exe", "cwd", "root", "ns/net"]
    } | {
        "fd": attempt(lambda: os.listdir("/proc/1/fd")),
        "through root": attempt(lambda: os.listdir("/proc/1/root/")),
        "ptrace attach": outcome(libc.ptrace(16, 1, None, None)),
        "ptrace seize": outcome(libc.ptrace(0x4206, 1, None, None)),
        "process_vm_readv": outcome(libc.syscall(310, 1, None, 0, None, 0, 0)),
        "pidfd_getfd": outcome(libc.syscall(438, libc.syscall(434, 1, 0), 0, 0)),
    }


def kill_pid_one(event, context):
    results = {}
    for number in [15, 2, 1, 19, 9]:
        results[str(number)] = attempt(lambda number=number: os.kill(1, number))
    results["everyone"] = attempt(lambda: os.kill(-1, 0))
    time.sleep(0.2)
    return results


def identity(event, context):
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    wanted = ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "NSpid"]
    return {
        "status": {name: status.get(name, "").strip() for name in wanted},
        "setuid": attempt(lambda: os.setuid(0)),
        "setgroups": attempt(lambda: os.setgroups([0])),
        "namespaces": {name: os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns")},
        "uid_map": open("/proc/self/uid_map").read().split(),
        "limits": {
            name: resource.getrlimit(getattr(resource, name)) for name in ["RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_CORE"]
        },
        "set-user-id files": set_user_id_files(),
    }


def set_user_id_files():
    found = []
    for root, directories, names in os.walk("/"):
        if root in ("/proc", "/sys"):
            directories.clear()
            continue
        for name in names:
            try:
                if os.lstat(os.path.join(root, name)).st_mode & (stat.S_ISUID | stat.S_ISGID):
                    found.append(os.path.join(root, name))
            except OSError:
                pass
    return found


def mounts(event, context):
    """Mount calls old and new, and what is mounted."""
    return {
        "mount tmpfs": outcome(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
        "mount proc": outcome(libc.mount(b"proc", b"/tmp", b"proc", 0, None)),
        "bind": outcome(libc.mount(b"/", b"/tmp", None, 4096, None)),
        "remount root writable": outcome(libc.mount(None, b"/", None, 32 | 4096, None)),
        "remount code writable": outcome(libc.mount(None, b"/var/task", None, 32 | 4096, None)),
        "umount": outcome(libc.umount2(b"/var/task", 2)),
        "umount proc": outcome(libc.umount2(b"/proc", 2)),
        "pivot_root": outcome(libc.syscall(155, b"/tmp", b"/tmp")),
        "chroot": outcome(libc.chroot(b"/tmp")),
        "open_tree": outcome(libc.syscall(428, -100, b"/", 1)),
        "fsopen": outcome(libc.syscall(430, b"tmpfs", 0)),
        "mount_setattr": outcome(libc.syscall(442, -100, b"/", 0, None, 0)),
        "open_by_handle_at": outcome(libc.syscall(304, -100, None, 0)),
        "table": open("/proc/self/mountinfo").read(),
    }


NAMESPACES = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "cgroup": 0x02000000,
    "time": 0x00000080,
}


def namespaces(event, context):
    results = {f"unshare {name}": outcome(libc.unshare(flag)) for name, flag in NAMESPACES.items()}
    arguments = (ctypes.c_uint64 * 11)(NAMESPACES["user"], 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    child = libc.syscall(435, ctypes.byref(arguments), ctypes.sizeof(arguments))
    if child == 0:
        os._exit(0)
    results["clone3 user"] = outcome(child)
    child = libc.syscall(56, NAMESPACES["user"] | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    results["clone user"] = outcome(child)
    for name in ["net", "mnt", "pid", "user"]:
        try:
            descriptor = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
        except OSError as error:
            results[f"setns {name}"] = errno.errorcode[error.errno]
        else:
            results[f"setns {name}"] = outcome(libc.setns(descriptor, 0))
    return results


def devices(event, context):
    results = {}
    for name, major, minor in [("mem", 1, 1), ("disk", 254, 0), ("loop", 7, 0), ("kmsg", 1, 11)]:
        path = f"/tmp/{name}"
        results[f"mknod {name}"] = attempt(lambda: os.mknod(path, 0o600 | (stat.S_IFCHR if major == 1 else stat.S_IFBLK), os.makedev(major, minor)))
    for path in ["/dev/mem", "/dev/kmem", "/dev/vda", "/dev/sda", "/dev/loop0", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/net/tun", "/dev/port"]:
        results[f"open {path}"] = attempt(lambda path=path: os.close(os.open(path, os.O_RDWR)))
    results["present"] = sorted(os.listdir("/dev"))
    return results


def kernel(event, context):
    """System calls that a function has no business with."""
    attributes = (ctypes.c_char * 128)()
    return {
        "bpf": outcome(libc.syscall(321, 0, attributes, 128)),
        "perf_event_open": outcome(libc.syscall(298, attributes, 0, -1, -1, 0)),
        "keyctl": outcome(libc.syscall(250, 0, -3, 0, 0, 0)),
        "add_key": outcome(libc.syscall(248, b"user", b"x", b"y", 1, -3)),
        "init_module": outcome(libc.syscall(175, None, 0, b"")),
        "finit_module": outcome(libc.syscall(313, 0, b"", 0)),
        "kexec_load": outcome(libc.syscall(246, 0, 0, None, 0)),
        "reboot": outcome(libc.syscall(169, 0xFEE1DEAD, 672274793, 0, None)),
        "swapon": outcome(libc.syscall(167, b"/tmp/x", 0)),
        "iopl": outcome(libc.syscall(172, 3)),
        "ioperm": outcome(libc.syscall(173, 0, 1, 1)),
        "syslog": outcome(libc.syscall(103, 3, None, 0)),
        "settimeofday": outcome(libc.syscall(164, None, None)),
        "clock_settime": outcome(libc.syscall(227, 0, (ctypes.c_long * 2)(1, 0))),
        "sethostname": outcome(libc.syscall(170, b"x", 1)),
        "userfaultfd": outcome(libc.syscall(323, 0)),
        "io_uring_setup": outcome(libc.syscall(425, 1, attributes)),
        "personality": outcome(libc.syscall(135, 0x0040000)),
        "acct": outcome(libc.syscall(163, None)),
        "quotactl": outcome(libc.syscall(179, 0, None, 0, None)),
    }


def network(event, context):
    """Reaching out: `targets` are [host, port] pairs."""
    results = {"raw": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close())}
    results["packet"] = attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close())
    results["vsock"] = attempt(lambda: socket.socket(40, socket.SOCK_STREAM).close())
    results["netlink audit"] = attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9).close())
    for host, port in event["targets"]:

        def reach(host=host, port=port):
            with socket.create_connection((host, port), timeout=1) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return connection.recv(100)

        results[f"{host}:{port}"] = attempt(reach)
    for name in event.get("abstract", []):

        def connect(name=name):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect("\0" + name)
                return connection.recv(100)

        results[f"@{name}"] = attempt(connect)
    results["interfaces"] = sorted(name for _, name in socket.if_nameindex())
    with open("/proc/net/unix") as file:
        results["unix sockets"] = [line.split()[-1] for line in file.readlines()[1:] if "@" in line]
    return results


def agent_socket(event, context):
    """Talks to the agent's listener as if it were the daemon."""
    results = {}
    with open("/proc/net/unix") as file:
        names = {line.split()[-1][1:] for line in file.readlines()[1:] if line.split()[-1].startswith("@")}
    for name in names:
        for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):

            def talk(name=name, kind=kind):
                with socket.socket(socket.AF_UNIX, kind) as connection:
                    connection.settimeout(1)
                    connection.connect("\0" + name)
                    connection.sendall(os.urandom(4096))
                    received = connection.recv(4096)
                    return received

            results[f"{name} {kind}"] = attempt(talk)
    return results


def fork_bomb(event, context):
    """Forks until refused; every child stays."""
    children = 0
    refusal = None
    deadline = time.monotonic() + event.get("seconds", 5)
    while time.monotonic() < deadline:
        try:
            child = os.fork()
        except OSError as error:
            refusal = errno.errorcode[error.errno]
            break
        if child == 0:
            while True:
                try:
                    if os.fork() == 0:
                        time.sleep(0.01)
                    else:
                        time.sleep(0.01)
                except OSError:
                    time.sleep(1)
        children += 1
    return {"children": children, "refusal": refusal}


def open_files(event, context):
    held = []
    try:
        while len(held) < 100_000:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return {"opened": len(held), "error": errno.errorcode[error.errno]}
    finally:
        for descriptor in held:
            os.close(descriptor)
    return {"opened": len(held), "error": None}


def fill_tmp(event, context):
    block = b"x" * (1 << 20)
    written = 0
    error = None
    try:
        with open("/tmp/filler", "wb", buffering=0) as file:
            while written < 4 << 30:
                written += file.write(block)
    except OSError as failure:
        error = errno.errorcode[failure.errno]
    files = 0
    os.unlink("/tmp/filler")
    try:
        while files < 5_000_000:
            os.close(os.open(f"/tmp/{files}", os.O_CREAT | os.O_WRONLY))
            files += 1
            if files % 1000 == 0 and time.monotonic() > context_deadline(context):
                break
    except OSError:
        pass
    return {"written": written, "error": error, "files": files}


def context_deadline(context):
    return time.monotonic() + context.get_remaining_time_in_millis() / 1000 - 20


def shared_memory(event, context):
    """Memory that is not the process's own: files in memory and other tmpfs."""
    results = {}
    for path in ["/dev/shm", "/run", "/var/tmp", "/dev", "/"]:
        results[path] = attempt(lambda path=path: os.close(os.open(f"{path}/x", os.O_CREAT | os.O_WRONLY)))
    descriptor = os.memfd_create("x")
    block = b"x" * (1 << 20)
    while True:
        os.write(descriptor, block)


def log_flood(event, context):
    """Log lines without end and one endless line."""
    deadline = time.monotonic() + event["seconds"]
    line = b"x" * 65536
    written = 0
    while time.monotonic() < deadline:
        written += os.write(1, line)
        written += os.write(2, b"y\n" * 2048)
    frame = os.environ.get("_LAMBDA_TELEMETRY_LOG_FD")
    return {"written": written, "frames": frame}


def bad_log_frames(event, context):
    """Garbage, impossible lengths and half a frame down the framed log pipe."""
    name = os.environ.get("_LAMBDA_TELEMETRY_LOG_FD")
    candidates = [int(name)] if name else []
    for entry in os.listdir("/proc/self/fd"):
        try:
            if int(entry) > 2 and "pipe:" in os.readlink(f"/proc/self/fd/{entry}"):
                candidates.append(int(entry))
        except OSError:
            pass
    for descriptor in candidates:
        for data in [
            os.urandom(4096),
            b"\xa5\x5a\x00\x03\xff\xff\xff\xff" + b"\0" * 8,
            b"\xa5\x5a\x00\x03\x7f\xff\xff\xff" + b"\0" * 8 + b"x" * 4096,
            b"\xa5\x5a\x00\x03\x00\x00\x00\x00" * 100,
        ]:
            try:
                os.write(descriptor, data)
            except OSError:
                pass
    return {"pipes": len(candidates)}


def runtime_api(event, context):
    """Malformed traffic for the Runtime API; the process that runs this stays a proper client."""
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    request = context.aws_request_id
    base = "/2018-06-01/runtime"
    cases = {
        "garbage": os.urandom(8192),
        "zeros": bytes(65536),
        "no such path": b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
        "wrong method": f"DELETE {base}/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        "unknown id": f"POST {base}/invocation/11111111-2222-3333-4444-555555555555/response HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
        "wrong attempt": f"POST {base}/invocation/{request}/response HTTP/1.1\r\nHost: x\r\nLambda-Runtime-Invocation-Id: wrong\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
        "id that is no id": f"POST {base}/invocation/{'../' * 20}x/response HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
        "negative length": f"POST {base}/init/error HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".encode(),
        "huge length": f"POST {base}/invocation/{request}x/response HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\nx".encode(),
        "two lengths": f"POST {base}/invocation/{request}x/response HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}".encode(),
        "bad chunk": f"POST {base}/invocation/{request}x/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n{{}}\r\n".encode(),
        "huge chunk": f"POST {base}/invocation/{request}x/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx".encode(),
        "endless header": b"GET " + base.encode() + b"/invocation/next HTTP/1.1\r\nX: " + b"x" * (1 << 20),
        "many headers": b"GET /nothing HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(20000)) + b"\r\n",
        "endless path": b"GET /" + b"x" * (1 << 20),
        "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64),
        "tls": bytes.fromhex("160301020001") + os.urandom(200),
        "init error again": f"POST {base}/init/error HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
    }
    answers = {}
    for name, data in cases.items():

        def send(data=data):
            with socket.create_connection((host, int(port)), timeout=2) as connection:
                connection.settimeout(0.5)
                try:
                    connection.sendall(data)
                    return connection.recv(64).split(b"\r\n")[0].decode(errors="replace")
                except (ConnectionError, TimeoutError) as error:
                    return type(error).__name__

        try:
            answers[name] = send()
        except OSError as error:
            answers[name] = f"connect: {error}"
    idle = []
    try:
        for _ in range(900):
            idle.append(socket.create_connection((host, int(port)), timeout=2))
    except OSError as error:
        answers["idle connections"] = f"{len(idle)}: {error}"
    else:
        answers["idle connections"] = str(len(idle))
    finally:
        for connection in idle:
            connection.close()
    return answers


def steal_next(event, context):
    """A second poller on the Runtime API, as a forked child would be that wants the next caller's event."""
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    if os.fork() == 0:
        try:
            with socket.create_connection((host, int(port)), timeout=30) as connection:
                connection.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
                with open("/tmp/stolen", "wb") as file:
                    file.write(connection.recv(65536))
        finally:
            os._exit(0)
    time.sleep(0.2)
    return "polling"


def endpoint(event, context):
    """Malformed traffic for the way to the function's own AWS calls."""
    host, port = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").split(":")
    answers = {}
    for name, data in {
        "garbage": os.urandom(8192),
        "daemon's own views": b"GET /_hearth/sandboxes HTTP/1.1\r\nHost: x\r\n\r\n",
        "endless header": b"GET / HTTP/1.1\r\nX: " + b"x" * (1 << 20),
        "unsigned": b"GET /2015-03-31/functions HTTP/1.1\r\nHost: x\r\n\r\n",
        "other account": b"GET /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 "
        b"Credential=" + event["account"].encode() + b"/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n",
    }.items():

        def send(data=data):
            with socket.create_connection((host, int(port)), timeout=2) as connection:
                connection.settimeout(2)
                try:
                    connection.sendall(data)
                    return connection.recv(65536).decode(errors="replace")
                except (ConnectionError, TimeoutError) as error:
                    return type(error).__name__

        answers[name] = send()
    return answers


def signals(event, context):
    """Stops or kills everything it can name."""
    results = {}
    for pid in range(2, 300):
        if pid != os.getpid():
            results[pid] = attempt(lambda pid=pid: os.kill(pid, 9))
    return {pid: result for pid, result in results.items() if "ok" in result}


def plant(event, context):
    """Leaves a secret wherever it can be left."""
    os.environ["PLANTED"] = event["secret"]
    places = []
    for directory in ["/tmp", "/dev/shm", "/var/tmp", "/run", "/var/task", "/opt"]:
        try:
            with open(f"{directory}/planted-{event['secret']}", "w") as file:
                file.write(event["secret"])
            places.append(directory)
        except OSError:
            pass
    return places


def descriptors(event, context):
    """What was left open in this process by those who started it."""
    found = {}
    for entry in os.listdir("/proc/self/fd"):
        try:
            found[entry] = os.readlink(f"/proc/self/fd/{entry}")
        except OSError:
            pass
    return found


def pass_descriptor(event, context):
    """Sends a descriptor to the agent over its socket, if that can be reached."""
    results = {}
    with open("/proc/net/unix") as file:
        names = {line.split()[-1][1:] for line in file.readlines()[1:] if line.split()[-1].startswith("@")}
    for name in names:

        def send(name=name):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect("\0" + name)
                connection.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 50))])
                return connection.recv(10)

        results[name] = attempt(send)
    return results


def spin(event, context):
    """Burns every core it can get."""
    deadline = time.monotonic() + event["seconds"]
    for _ in range(8):
        if os.fork() == 0:
            while time.monotonic() < deadline:
                pass
            os._exit(0)
    while time.monotonic() < deadline:
        pass
    return sys.version
