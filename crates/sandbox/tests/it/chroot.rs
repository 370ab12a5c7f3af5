//! The launcher where the daemon does not see the whole machine, and what the machine sees of the launcher.

use std::process::Command;

use hearth_sandbox::Isolation;

use crate::host::{Host, skipped};

/// Says to a test that it runs in the part of the machine that it made for itself.
const INSIDE: &str = "HEARTH_TEST_CHROOT";

/// Runs `test` of this module again in a mount name space of its own, after `setup`, which may leave the way to its root in
/// `$root`.
fn run_inside(test: &str, setup: &str) {
    if skipped() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = format!("set -e; dir={}; root=/; {setup}; exec chroot $root \"$@\"", dir.path().display());
    let exe = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "shared", "sh", "-c", &script, "sh"])
        .arg(exe)
        .args(["--exact", &format!("chroot::{test}"), "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    assert!(output.status.success());
}

fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

fn a_function_runs(host: &Host) {
    let mut sandbox = host.assigned();
    assert_eq!(sandbox.run(&["/usr/bin/cat", "/var/task/code.txt"]).1, "the code");

    host.isolation.destroy(sandbox.id).unwrap();
    assert_eq!(sandbox.finish(), None);
}

#[test]
fn functions_run_under_a_daemon_that_was_given_another_root() {
    if !is_inside() {
        let bind = "mount --rbind / $dir; mount --make-rprivate $dir; root=$dir";
        return run_inside("functions_run_under_a_daemon_that_was_given_another_root", bind);
    }
    a_function_runs(&Host::new());
}

#[test]
fn functions_run_under_a_daemon_whose_root_is_no_mount_of_its_own() {
    if !is_inside() {
        let bind = "root=$dir/root; mkdir $root; for part in /*; do [ -d $part ] || continue; \
                    mkdir $root$part; mount --rbind $part $root$part; mount --make-rprivate $root$part; done";
        return run_inside("functions_run_under_a_daemon_whose_root_is_no_mount_of_its_own", bind);
    }
    a_function_runs(&Host::new());
}

#[test]
fn the_machines_mounts_stay_as_they_are() {
    if !is_inside() {
        return run_inside("the_machines_mounts_stay_as_they_are", ":");
    }
    let before = fs_err::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(before.contains(" shared:"));
    let host = Host::new();
    a_function_runs(&host);
    assert_eq!(fs_err::read_to_string("/proc/self/mountinfo").unwrap(), before);
}
