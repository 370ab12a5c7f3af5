//! What a sandbox may use, and that its neighbour does not notice when it uses too much.

use hearth_sandbox::{AssignSpec, BlankSpec, Isolation, Parking};
use hearth_types::SandboxId;

use crate::host::{Host, root, skipped};
use crate::lifecycle::groups;

#[test]
fn memory_bomb_kills_only_the_function() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut neighbour = host.assigned();
    let mut sandbox = host.assigned_as(&AssignSpec { memory_mib: 64, ..host.spec() });
    let (code, output) = sandbox.python("x = []\nwhile True: x.append(bytearray(1 << 20))");
    assert_eq!(code, -9, "{output}");
    let usage = host.isolation.usage(sandbox.id).unwrap();
    assert_eq!(usage.oom_kills, 1);
    assert!((60 << 20..=70 << 20).contains(&usage.memory_bytes_max), "{usage:?}");
    // The agent has survived, and so has the neighbour.
    assert_eq!(sandbox.run(&["/usr/bin/true"]).0, 0);
    assert_eq!(neighbour.python_ok("print(1)"), "1\n");
    assert_eq!(host.isolation.usage(neighbour.id).unwrap().oom_kills, 0);
}

#[test]
fn fork_bomb_stops_at_the_limit_and_goes_with_the_sandbox() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut neighbour = host.assigned();
    let mut sandbox = host.assigned_as(&AssignSpec { processes_max: 20, ..host.spec() });
    let script = "
import os, time
count = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(1000)
        count += 1
except OSError as error:
    print(count, error.strerror, flush=True)
    os._exit(0)
";
    let shell = "exec \"$0\" -c \"$1\" > /tmp/out 2>&1";
    assert_eq!(sandbox.run(&["/usr/bin/sh", "-c", shell, "/usr/bin/python3", script]).0, 0);
    let (_, output) = sandbox.run(&["/usr/bin/cat", "/tmp/out"]);
    let (count, reason) = output.split_once(' ').unwrap();
    assert!((10..20).contains(&count.parse::<u32>().unwrap()), "{output}");
    assert_eq!(reason, "Resource temporarily unavailable\n");
    assert_eq!(neighbour.python_ok("print(1)"), "1\n");
    host.isolation.destroy(sandbox.id).unwrap();
}

/// Whatever the daemon was started with.
#[test]
fn processes_have_the_limits_that_linux_gives_everybody() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let script = "
from resource import *
print(getrlimit(RLIMIT_MEMLOCK), getrlimit(RLIMIT_MSGQUEUE), getrlimit(RLIMIT_NICE), getrlimit(RLIMIT_RTPRIO), getrlimit(RLIMIT_STACK)[0])
";
    assert_eq!(sandbox.python_ok(script), "(65536, 65536) (819200, 819200) (0, 0) (0, 0) 8388608\n");
}

#[test]
fn tmp_is_full_at_its_size() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned_as(&AssignSpec { tmp_mib: 8, ..host.spec() });
    let script = "
file = open('/tmp/big', 'wb', buffering=0)
written = 0
try:
    while True: written += file.write(bytes(1 << 20))
except OSError as error:
    print(written >> 20, error.strerror)
";
    assert_eq!(sandbox.python_ok(script), "8 No space left on device\n");
}

#[test]
fn open_files_are_limited() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let script = "
files = []
try:
    while True: files.append(open('/dev/null'))
except OSError as error:
    print(len(files) < 1025, error.strerror)
";
    assert_eq!(sandbox.python_ok(script), "True Too many open files\n");
}

#[test]
fn cpu_limit_holds_back_a_busy_loop() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned_as(&AssignSpec { cpu_limit_millis: Some(100), ..host.spec() });
    // A tenth of a core: the share of CPU in the time that passed is far from a whole one.
    let script = "
import time
wall, cpu = time.monotonic(), time.process_time()
while time.process_time() - cpu < 0.1: pass
print((time.process_time() - cpu) / (time.monotonic() - wall) < 0.5)
";
    assert_eq!(sandbox.python_ok(script), "True\n");
}

/// What says of its group that it runs only when nothing else wants to; `None` where the kernel has no such groups.
fn is_idle(host: &Host, sandbox: SandboxId) -> Option<bool> {
    let files = groups(&host.instance).into_iter().map(|group| group.join(sandbox.to_string()).join("cpu.idle"));
    let texts: Vec<String> = files.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    Some(texts.first()?.trim() == "1")
}

#[test]
fn what_is_not_urgent_gives_way_until_it_is_hastened() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let id = SandboxId(77);
    host.isolation.create(&BlankSpec { id, root: root(), parking: Parking::None, urgent: false }).unwrap();
    let Some(idle) = is_idle(&host, id) else { return println!("skipped: no cpu.idle here") };
    assert!(idle);
    host.isolation.hasten(id, None).unwrap();
    assert_eq!(is_idle(&host, id), Some(false));
    drop(host.isolation.assign(id, &AssignSpec { urgent: false, ..host.spec() }).unwrap());
    assert_eq!(is_idle(&host, id), Some(true));
    host.isolation.hasten(id, Some(500)).unwrap();
    assert_eq!(is_idle(&host, id), Some(false));
    assert_eq!(is_idle(&host, host.blank()), Some(false), "an urgent one never was");
}

#[test]
fn what_was_made_ahead_and_is_assigned_urgently_gives_way_no_longer() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let id = SandboxId(77);
    host.isolation.create(&BlankSpec { id, root: root(), parking: Parking::None, urgent: false }).unwrap();
    let mut sandbox = host.assign(id, &host.spec());
    assert_ne!(is_idle(&host, id), Some(true));
    assert_eq!(sandbox.python_ok("print(1)"), "1\n");
}
