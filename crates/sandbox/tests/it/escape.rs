//! Attempts to get out, to see more than one should, or to become more than one is: each has to fail.

use std::net::TcpListener;

use hearth_sandbox::Isolation;

use crate::host::{Host, Sandbox, node, skipped};

/// Defines `call(number, ...)`, a raw system call that returns the name of its error, or "ok".
const SYSCALL: &str = "
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    return 'ok' if result != -1 else errno.errorcode[ctypes.get_errno()]
";

fn syscall(sandbox: &mut Sandbox, expression: &str) -> String {
    sandbox.python_ok(&format!("{SYSCALL}\nprint({expression})")).trim().to_owned()
}

#[test]
fn files_of_the_host_are_not_there() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let listing = sandbox.python_ok("import os; print(sorted(os.listdir('/')))");
    assert_eq!(listing.trim(), "['.hearth', 'bin', 'dev', 'etc', 'lib', 'lib64', 'opt', 'proc', 'tmp', 'usr', 'var']");
    let mounts = sandbox.python_ok("for line in open('/proc/self/mounts'): print(line.split()[1])");
    let expected = ["/", "/dev/shm", "/tmp", "/.hearth/agent", "/proc", "/var/task"];
    let others = mounts.lines().filter(|mount| !expected.contains(mount) && !mount.starts_with("/proc/"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new());
    let climbed = sandbox.python_ok("import os; print(os.path.exists('/../../work'), os.listdir('/proc/self/root/home') if os.path.exists('/proc/self/root/home') else None)");
    assert_eq!(climbed, "False None\n");
}

#[test]
fn nothing_but_tmp_and_shared_memory_can_be_written() {
    if skipped() {
        return;
    }
    let host = Host::new();
    assert_only_tmp_and_shared_memory_can_be_written(&mut host.assigned());
}

pub(crate) fn assert_only_tmp_and_shared_memory_can_be_written(sandbox: &mut Sandbox) {
    let script = "
import os
for path in ['/x', '/usr/bin/x', '/etc/passwd', '/var/task/x', '/var/task/code.txt', '/opt/x', '/.hearth/agent', '/.hearth/x',
             '/dev/x', '/proc/sys/kernel/core_pattern', '/proc/sys/net/ipv4/ip_forward', '/proc/1/mem',
             '/proc/1/root/x', '/tmp/fine', '/dev/shm/fine', '/dev/null', '/proc/self/oom_score_adj']:
    try:
        open(path, 'r+' if os.path.exists(path) else 'w').close()
        print(path)
    except OSError:
        pass
";
    let expected = "/tmp/fine\n/dev/shm/fine\n/dev/null\n/proc/self/oom_score_adj\n";
    assert_eq!(sandbox.python_ok(script), expected);
}

#[test]
fn proc_shows_only_the_functions_own_processes_and_little_of_the_host() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let own =
        sandbox.python_ok("import os; print([p for p in os.listdir('/proc') if p.isdigit()] == [str(os.getpid())])");
    assert_eq!(own, "True\n");
    for path in ["/proc/kcore", "/proc/keys", "/proc/kallsyms", "/proc/cmdline", "/proc/timer_list"] {
        let read = sandbox.python(&format!("print(repr(open('{path}').read(10)))"));
        assert!(read == (0, "''\n".to_owned()) || read.1.contains("Error"), "{path}: {read:?}");
    }
    assert_eq!(
        sandbox.python_ok("import os; print(os.listdir('/proc/bus'), os.path.exists('/sys/kernel'))"),
        "[] False\n"
    );
}

#[test]
fn the_agent_is_out_of_reach() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let script = "
import os
for path in ['/proc/1/exe', '/proc/1/environ', '/proc/1/mem', '/proc/1/fd', '/proc/1/root', '/proc/1/cwd']:
    try:
        os.stat(path) if path != '/proc/1/exe' else os.readlink(path)
        print(path)
    except OSError:
        pass
try:
    os.kill(1, 9)
    print('killed')
except PermissionError:
    pass
";
    assert_eq!(sandbox.python_ok(script), "");
}

#[test]
fn neighbours_are_invisible() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut one = host.assigned();
    let mut other = host.assigned();
    one.python_ok("open('/tmp/secret', 'w').write('x'); open('/dev/shm/secret', 'w').write('x')");
    let script = "import os; print(os.listdir('/tmp'), os.listdir('/dev/shm'), len([p for p in os.listdir('/proc') if p.isdigit()]))";
    assert_eq!(other.python_ok(script), "[] [] 1\n");
}

#[test]
fn function_has_no_capabilities_and_cannot_gain_any() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let status = sandbox.python_ok("print(open('/proc/self/status').read())");
    for line in [
        "CapInh:\t0000000000000000",
        "CapPrm:\t0000000000000000",
        "CapEff:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
    ] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapBnd:\t")).unwrap();
    assert_eq!(capabilities, "00000000000000e0", "kill, setgid, setuid");
    assert_eq!(syscall(&mut sandbox, "call(105, 0)"), "EPERM", "setuid");
}

#[test]
fn forbidden_system_calls_are_not_implemented() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let calls = [
        ("ptrace", "call(101, 16, 1, 0, 0)"),
        ("mount", "call(165, b'none', b'/tmp', b'tmpfs', 0, 0)"),
        ("umount2", "call(166, b'/tmp', 2)"),
        ("pivot_root", "call(155, b'.', b'.')"),
        ("chroot", "call(161, b'/tmp')"),
        ("swapon", "call(167, b'/tmp/x', 0)"),
        ("reboot", "call(169, 0, 0, 0, 0)"),
        ("init_module", "call(175, 0, 0, 0)"),
        ("kexec_load", "call(246, 0, 0, 0, 0)"),
        ("add_key", "call(248, b'user', b'x', b'y', 1, -3)"),
        ("keyctl", "call(250, 0, -3, 0)"),
        ("unshare user", "call(272, 0x10000000)"),
        ("perf_event_open", "call(298, 0, 0, -1, -1, 0)"),
        ("open_by_handle_at", "call(304, 0, 0, 0)"),
        ("setns", "call(308, 3, 0)"),
        ("process_vm_readv", "call(310, 1, 0, 0, 0, 0, 0)"),
        ("bpf", "call(321, 0, 0, 0)"),
        ("userfaultfd", "call(323, 0)"),
        ("io_uring_setup", "call(425, 8, 0)"),
        ("open_tree", "call(428, -100, b'/', 1)"),
        ("move_mount", "call(429, 0, 0, 0, 0, 0)"),
        ("fsopen", "call(430, b'tmpfs', 0)"),
        ("clone3", "call(435, 0, 0)"),
        ("pidfd_getfd", "call(438, 3, 0, 0)"),
        ("mount_setattr", "call(442, -100, b'/', 0, 0, 0)"),
        ("io_uring_enter", "call(426, 3, 0, 0, 0, 0)"),
        ("clock_settime", "call(227, 0, 0)"),
        ("sethostname", "call(170, b'x', 1)"),
        ("a call of the x32 kind", "call(0x40000000 + 39)"),
    ];
    let list = calls.map(|(name, expression)| format!("({name:?}, {expression})")).join(",\n");
    let script = format!("{SYSCALL}\nfor name, result in [{list}]:\n    if result != 'ENOSYS': print(name, result)\n");
    assert_eq!(sandbox.python_ok(&script), "");
}

#[test]
fn forbidden_arguments_are_refused() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let calls = [
        ("clone of a user name space", "call(56, 0x10000000 | 17, 0, 0, 0, 0)", "EPERM"),
        ("clone of a network name space", "call(56, 0x40000000 | 17, 0, 0, 0, 0)", "EPERM"),
        ("a device node", "call(133, b'/tmp/disk', 0o60600, 0xfe00)", "EPERM"),
        ("a raw socket", "call(41, 2, 3, 1)", "EAFNOSUPPORT"),
        ("a packet socket", "call(41, 17, 3, 0)", "EAFNOSUPPORT"),
        ("an audit netlink socket", "call(41, 16, 3, 9)", "EAFNOSUPPORT"),
        ("a vsock socket", "call(41, 40, 1, 0)", "EAFNOSUPPORT"),
        ("typing into a terminal", "call(16, 0, 0x5412, b'x')", "EPERM"),
    ];
    for (name, expression, error) in calls {
        assert_eq!(syscall(&mut sandbox, expression), error, "{name}");
    }
}

#[test]
fn network_is_the_sandboxs_own_loopback() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut sandbox = host.assigned();
    let script = format!(
        "
import os, socket
print(socket.if_nameindex(), os.listdir('/proc/self/net/') != [])
for address in [('127.0.0.1', {port}), ('192.0.2.1', 80), ('169.254.169.254', 80)]:
    try:
        socket.create_connection(address, 1)
        print('connected', address)
    except OSError:
        pass
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname(), 1)
for name in ['hearth-agent', 'hearth', 'dbus']:
    pass
print('done')
"
    );
    assert_eq!(sandbox.python_ok(&script), "[(1, 'lo')] True\ndone\n");
}

#[test]
fn abstract_sockets_of_the_host_are_out_of_reach() {
    use std::os::linux::net::SocketAddrExt;
    if skipped() {
        return;
    }
    let name = format!("hearth-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let host = Host::new();
    let mut sandbox = host.assigned();
    let script = format!("import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')");
    let (code, output) = sandbox.python(&script);
    assert_eq!((code, output.contains("ConnectionRefusedError")), (1, true), "{output}");
}

#[test]
fn no_descriptor_is_inherited() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let script = "import os; print([os.readlink('/proc/self/fd/0'), len(os.listdir('/proc/self/fd'))])";
    // 0 to 2 and the one that lists.
    assert_eq!(sandbox.python_ok(script), "['/dev/null', 4]\n");
}

#[test]
fn python_works_with_threads_processes_and_shared_memory() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let script = "
import concurrent.futures, multiprocessing, subprocess, tempfile, socket, asyncio, sqlite3, os, uuid
with concurrent.futures.ThreadPoolExecutor(4) as pool: assert sum(pool.map(abs, range(10))) == 45
with multiprocessing.get_context('fork').Pool(2) as pool: assert sum(pool.map(abs, range(10))) == 45
assert subprocess.run(['/usr/bin/sh', '-c', 'echo hi'], capture_output=True, text=True).stdout == 'hi\\n'
with tempfile.NamedTemporaryFile() as file: file.write(b'x')
async def main(): return await asyncio.to_thread(lambda: 5)
assert asyncio.run(main()) == 5
assert len(os.urandom(8)) == 8 and uuid.uuid4()
os.mkfifo('/tmp/fifo')
name = socket.gethostname()
assert name.startswith('169.254.') and socket.gethostbyname(name) == name, name
with socket.create_server((name, 0)) as server, socket.create_connection(server.getsockname()): pass
print('well')
";
    assert_eq!(sandbox.python_ok(script), "well\n");
}

#[test]
fn node_works_with_worker_threads_and_child_processes() {
    if skipped() {
        return;
    }
    if node().is_none() {
        println!("skipped: no node on PATH");
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let script = "
const { Worker, isMainThread } = require('worker_threads');
const http = require('http'), fs = require('fs'), os = require('os'), { execFileSync } = require('child_process');
fs.writeFileSync('/tmp/x', 'y');
const worker = new Worker('require(\"worker_threads\").parentPort.postMessage(1)', { eval: true });
worker.on('message', () => {
  const server = http.createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1', () =>
    http.get({ port: server.address().port, host: '127.0.0.1' }, response => response.on('data', data => {
      console.log(String(data), os.cpus().length > 0, execFileSync('/usr/bin/cat', ['/tmp/x']).toString());
      process.exit(0);
    })));
});
";
    let (code, output) = sandbox.run(&["/usr/bin/node", "-e", script]);
    assert_eq!((code, output.as_str()), (0, "hello true y\n"));
}

#[test]
fn tier_says_what_it_is() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let tier = host.isolation.tier();
    println!("{tier:?}");
    assert_eq!((tier.name, tier.privilege, tier.function_uid_gid), ("linux", "root", Some((993, 990))));
}
