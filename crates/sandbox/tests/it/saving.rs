//! Saving a sandbox, restoring others from it, and what is left when that goes wrong.

use std::path::{Path, PathBuf};

use hearth_sandbox::{Isolation, RestoreSpec};
use hearth_types::SandboxId;

use crate::host::{Host, Sandbox, cannot_save, eventually, skipped};
use crate::lifecycle::pids_in;

/// A process that knows a random number, and writes it to `/tmp/answer-N` when there is `/tmp/ask-N`, for N from 0.
const KEEPER: &str = "
import os, time
if os.fork() == 0:
    os.setsid()
    null = os.open('/dev/null', os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    secret = os.urandom(16).hex()
    open('/tmp/first', 'w').write(secret)
    asked = 0
    while True:
        if os.path.exists(f'/tmp/ask-{asked}'):
            open('/tmp/answer.new', 'w').write(f'{secret} {time.monotonic()} {time.time()}')
            os.rename('/tmp/answer.new', f'/tmp/answer-{asked}')
            asked += 1
        time.sleep(0.001)
";

fn with_keeper(host: &Host) -> (Sandbox, String) {
    let mut sandbox = host.assigned();
    sandbox.python_ok(KEEPER);
    let mut secret = String::new();
    eventually("the keeper has its number", || {
        secret = sandbox.run(&["/usr/bin/cat", "/tmp/first"]).1;
        secret.len() == 32
    });
    (sandbox, secret)
}

/// What the keeper knows, its monotonic clock and its wall clock.
fn ask(sandbox: &mut Sandbox) -> (String, f64, f64) {
    sandbox.python_ok("open('/tmp/ask-0', 'w')");
    let mut answer = String::new();
    eventually("the keeper answers", || {
        let (code, text) = sandbox.run(&["/usr/bin/cat", "/tmp/answer-0"]);
        answer = text;
        code == 0
    });
    let words: Vec<&str> = answer.split(' ').collect();
    (words[0].to_owned(), words[1].parse().unwrap(), words[2].parse().unwrap())
}

fn saved(host: &Host) -> (PathBuf, String) {
    let (sandbox, secret) = with_keeper(host);
    let images = host.dir.path().join("images");
    host.save(sandbox, &images).unwrap();
    (images, secret)
}

#[test]
fn restored_sandboxes_go_on_where_the_saved_one_stood_each_for_itself() {
    let Some(host) = host() else { return };
    let (images, secret) = saved(&host);
    let mut first = host.restore(&images).unwrap();
    let mut second = host.restore(&images).unwrap();
    let monotonic = "import time; print(time.monotonic())";
    for sandbox in [&mut first, &mut second] {
        let before: f64 = sandbox.python_ok(monotonic).trim().parse().unwrap();
        let (known, at, wall) = ask(sandbox);
        let after: f64 = sandbox.python_ok(monotonic).trim().parse().unwrap();
        assert_eq!(known, secret);
        assert!(before <= at && at <= after, "{before} {at} {after}");
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((now - wall).abs() < 5.0, "{now} {wall}");
        let name = format!("169.254.1.{}\n", sandbox.id.0);
        let listen = "import os, socket; name = os.uname().nodename; socket.create_server((name, 0)); print(name)";
        assert_eq!(sandbox.python_ok(listen), name);
    }
    first.python_ok("open('/tmp/mine', 'w').write('x' * 100)");
    assert_eq!(second.run(&["/usr/bin/ls", "/tmp/mine"]).0, 2);
    let owners: Vec<u32> = [&first, &second].map(|sandbox| host_uid(&host, sandbox)).to_vec();
    assert_ne!(owners[0], owners[1], "each has users of its own on the host");
    for sandbox in [first, second] {
        host.isolation.destroy(sandbox.id).unwrap();
    }
    assert_eq!(pids_in(&host.instance), []);
}

fn host_uid(host: &Host, sandbox: &Sandbox) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    let pid = pids_of(host, sandbox.id)[0].as_raw_nonzero();
    fs_err::metadata(format!("/proc/{pid}")).unwrap().uid()
}

/// Every process in the groups of one sandbox.
pub(crate) fn pids_of(host: &Host, id: SandboxId) -> Vec<rustix::process::Pid> {
    let is_in = |pid: &rustix::process::Pid| {
        let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", pid.as_raw_nonzero())).unwrap_or_default();
        groups.contains(&format!("{}/{id}", host.instance))
    };
    pids_in(&host.instance).into_iter().filter(is_in).collect()
}

fn host() -> Option<Host> {
    if skipped() {
        return None;
    }
    let host = Host::new();
    (!cannot_save(&host)).then_some(host)
}

/// What the kernel says about a process' fences, as one text: mounts without their numbers, limits, rights.
const FENCES: &str = "
import re, resource
for line in open('/proc/self/mountinfo'):
    words = line.split()
    kind = words[words.index('-') + 1]
    options = ','.join(option for option in words[-1].split(',') if option[:3] not in ('uid', 'gid'))
    print(words[4], words[5], kind, options if kind == 'tmpfs' else '')
for line in open('/proc/self/status'):
    if re.match('Uid|Gid|Groups|Cap|NoNew|Seccomp', line): print(line.strip())
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))
";

#[test]
fn restored_sandbox_has_the_fences_of_any_other() {
    let Some(host) = host() else { return };
    let mut plain = host.assigned();
    let mut expected: Vec<String> = plain.python_ok(FENCES).lines().map(str::to_owned).collect();
    let (images, _) = saved(&host);
    let mut restored = host.restore(&images).unwrap();
    let mut found: Vec<String> = restored.python_ok(FENCES).lines().map(str::to_owned).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    crate::escape::assert_only_tmp_and_shared_memory_can_be_written(&mut restored);
    host.isolation.freeze(restored.id).unwrap();
    host.isolation.thaw(restored.id).unwrap();
    assert!(host.isolation.usage(restored.id).unwrap().memory_bytes > 0);
}

#[test]
fn open_connection_makes_a_save_fail_and_nothing_stays() {
    let Some(host) = host() else { return };
    let sandbox = host.assigned();
    let images = host.dir.path().join("images");
    fs_err::create_dir(&images).unwrap();
    host.isolation.save(sandbox.id, &host.spec(), &images).unwrap_err();
    host.isolation.destroy(sandbox.id).unwrap();
    assert_eq!(pids_in(&host.instance), []);
}

fn largest(images: &Path) -> PathBuf {
    let files = fs_err::read_dir(images).unwrap().map(|entry| entry.unwrap().path());
    files.max_by_key(|path| fs_err::metadata(path).unwrap().len()).unwrap()
}

#[test]
fn truncated_images_end_in_an_error_in_time_and_leave_nothing() {
    let Some(host) = host() else { return };
    let (images, _) = saved(&host);
    let pages = largest(&images);
    let whole = fs_err::read(&pages).unwrap();
    fs_err::write(&pages, &whole[..whole.len() / 2]).unwrap();
    host.restore(&images).unwrap_err();
    assert_eq!(pids_in(&host.instance), []);
    fs_err::write(&pages, whole).unwrap();
    let mut sandbox = host.restore(&images).unwrap();
    assert_eq!(sandbox.run(&["/usr/bin/true"]).0, 0);
}

#[test]
fn missing_and_garbled_images_are_errors() {
    let Some(host) = host() else { return };
    let (images, _) = saved(&host);
    let files: Vec<PathBuf> = fs_err::read_dir(&images).unwrap().map(|entry| entry.unwrap().path()).collect();
    for name in ["core-1.img", "inventory.img", "pstree.img", "userns-", "hearth-tmp.img"] {
        let is_it = |path: &&PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(name);
        let file = files.iter().find(is_it).expect(name);
        let whole = fs_err::read(file).unwrap();
        fs_err::write(file, &whole[..whole.len().min(6)]).unwrap();
        host.restore(&images).unwrap_err();
        fs_err::remove_file(file).unwrap();
        host.restore(&images).unwrap_err();
        fs_err::write(file, whole).unwrap();
    }
    assert_eq!(pids_in(&host.instance), []);
}

#[test]
fn restores_beside_each_other_all_work() {
    let Some(host) = host() else { return };
    let (images, secret) = saved(&host);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut sandbox = host.restore(&images).unwrap();
                assert_eq!(ask(&mut sandbox).0, secret);
                host.isolation.destroy(sandbox.id).unwrap();
            });
        }
    });
    assert_eq!(pids_in(&host.instance), []);
}

#[test]
fn sandbox_that_is_destroyed_while_it_is_restored_leaves_nothing() {
    let Some(host) = host() else { return };
    let (images, _) = saved(&host);
    let id = SandboxId(500);
    std::thread::scope(|scope| {
        let restored = scope.spawn(|| {
            let spec = RestoreSpec { image_dir: images.clone(), root: crate::host::root(), assign: host.spec() };
            host.isolation.restore(id, &spec)
        });
        eventually("a process is in its groups", || !pids_of(&host, id).is_empty());
        host.isolation.destroy(id).unwrap();
        drop(restored.join().unwrap());
    });
    host.isolation.destroy(id).unwrap();
    eventually("nothing is left", || pids_in(&host.instance).is_empty());
}
