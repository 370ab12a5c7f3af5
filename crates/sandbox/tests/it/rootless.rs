//! The same without root: what works then, and that what does not is said.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use hearth_sandbox::Isolation;

use crate::host::{Host, root, skipped};

/// Names the root directory for the part of a test that runs as somebody else.
const ROOT_VARIABLE: &str = "HEARTH_TEST_ROOTLESS_ROOT";
const NOBODY_IN_PARTICULAR: u32 = 54_321;

/// Runs `test` of this module again, as an unprivileged user with a root directory of their own.
fn run_unprivileged(test: &str) {
    if skipped() {
        return;
    }
    let may =
        Command::new("unshare").args(["--user", "true"]).uid(NOBODY_IN_PARTICULAR).gid(NOBODY_IN_PARTICULAR).output();
    if may.is_ok_and(|output| !output.status.success()) {
        println!(
            "skipped: users may not make user name spaces here, as in a chroot or where the administrator forbids it"
        );
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(dir.path(), mode).unwrap();
    let script = format!(
        "cp -al {from} {dir}/root && rm -rf {dir}/root/dev/* && find {dir} -type d -exec chown {uid} {{}} + \
         && cp {exe} {dir}/it && cp {fixture} {dir}/fixture",
        from = root().display(),
        dir = dir.path().display(),
        exe = std::env::current_exe().unwrap().display(),
        fixture = crate::host::FIXTURE,
        uid = NOBODY_IN_PARTICULAR,
    );
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    let output = Command::new(dir.path().join("it"))
        .args(["--exact", &format!("rootless::{test}"), "--nocapture"])
        .env(ROOT_VARIABLE, dir.path())
        .env("TMPDIR", dir.path())
        .uid(NOBODY_IN_PARTICULAR)
        .gid(NOBODY_IN_PARTICULAR)
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    assert!(output.status.success());
}

fn unprivileged_host() -> Option<(Host, PathBuf)> {
    let dir = PathBuf::from(std::env::var_os(ROOT_VARIABLE)?);
    Some((Host::with_fixture(&dir.join("fixture")), dir.join("root")))
}

#[test]
fn functions_run_without_root_and_losses_are_told() {
    let Some((host, root)) = unprivileged_host() else {
        return run_unprivileged("functions_run_without_root_and_losses_are_told");
    };
    let tier = host.isolation.tier();
    println!("{tier:?}");
    assert_eq!((tier.name, tier.privilege), ("linux", "rootless"));
    let is_missing = |loss| tier.missing.iter().any(|missing| missing.starts_with(loss));
    assert!(is_missing("memory limits") && is_missing("freezing"), "{:?}", tier.missing);
    // A user with subordinate ids gives functions a user of their own.
    assert_eq!(tier.function_uid_gid.is_none(), is_missing("users of their own"));
    let mut sandbox = host.assigned_in(&root);
    assert_eq!(sandbox.run(&["/usr/bin/cat", "/var/task/code.txt"]).1, "the code");
    let status = sandbox.python_ok("print(open('/proc/self/status').read())");
    for line in ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
    let script = "
import os, socket
open('/dev/null', 'w').write('x'); open('/tmp/x', 'w').write('x'); assert len(open('/dev/urandom', 'rb').read(9)) == 9
for path in ['/usr/x', '/proc/1/mem', '/proc/1/environ', '/proc/sys/kernel/hostname', '/var/task/x']:
    try:
        open(path, 'r+' if os.path.exists(path) else 'w').close()
        print(path)
    except OSError:
        pass
print(socket.if_nameindex(), sorted(os.listdir('/dev')))
";
    let expected =
        "[(1, 'lo')] ['fd', 'full', 'null', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'urandom', 'zero']\n";
    assert_eq!(sandbox.python_ok(script), expected);
    assert!(host.isolation.freeze(sandbox.id).is_err());
    assert_eq!(host.isolation.usage(sandbox.id).unwrap().memory_bytes, 0);
    host.isolation.destroy(sandbox.id).unwrap();
    assert_eq!(sandbox.finish(), None);
}

#[test]
fn the_daemons_processes_and_files_are_out_of_reach_of_a_function_with_its_uid() {
    let Some((host, root)) = unprivileged_host() else {
        return run_unprivileged("the_daemons_processes_and_files_are_out_of_reach_of_a_function_with_its_uid");
    };
    let secret = host.dir.path().join("secret");
    fs_err::write(&secret, "x").unwrap();
    let mut sandbox = host.assigned_in(&root);
    let outside = Path::new("/proc").join(std::process::id().to_string());
    let script = format!(
        "
import os
print([os.path.exists(path) for path in ['{}', '{}', '/proc/1/root{}']])
try: os.kill(1, 9)
except OSError: pass
",
        secret.display(),
        outside.display(),
        secret.display()
    );
    assert_eq!(sandbox.python_ok(&script), "[False, False, False]\n");
    assert_eq!(sandbox.run(&["/usr/bin/true"]).0, 0);
}
