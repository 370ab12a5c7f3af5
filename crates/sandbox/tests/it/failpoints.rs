//! Births, saves and restores in which something is killed at each step.

use std::path::Path;

use hearth_sandbox::{Isolation, IsolationError, RestoreSpec};
use hearth_types::SandboxId;
use rustix::fs::{FileType, Mode};
use rustix::process::Pid;

use crate::host::{Host, cannot_save, eventually, root, skipped};
use crate::lifecycle::{groups, pids_in};
use crate::saving::pids_of;
use crate::standing::{
    Pump, await_standing, kill, kill_and_await, launcher, let_go, outside, somebody_is_traced, zombies,
};

/// What CRIU's process is called whatever it does, and while it restores.
const CRIU: &str = "criu";
const RESTORING: &str = "criu: restore";
const STEPS_OF_A_BIRTH: [&str; 5] = ["birth.go", "birth.ids", "birth.net", "birth.mounts", "birth.tied"];

fn blank_with(host: &Host, point: &'static str, choose: impl Fn(Pid) -> Pid) -> Result<SandboxId, IsolationError> {
    let spec = host.next_blank(hearth_sandbox::Parking::None);
    std::thread::scope(|scope| {
        let made = scope.spawn(|| host.isolation.create(&spec));
        let standing = await_standing(point);
        // Or the launcher's death might come after all of the birth.
        kill_and_await(choose(standing));
        // Without its launcher it is nobody's child, and the pump does not find it.
        let_go(standing);
        let _others_go_on = Pump::start(point);
        made.join().unwrap().map(|_| spec.id)
    })
}

fn assert_works_and_leaves_nothing(host: &Host) {
    let mut sandbox = host.assigned();
    assert_eq!(sandbox.run(&["/usr/bin/true"]).0, 0);
    host.isolation.destroy(sandbox.id).unwrap();
    assert_eq!(pids_in(&host.instance), []);
    eventually("nothing but empty directories of the instance", || {
        groups(&host.instance).iter().all(|group| crate::lifecycle::children(group) == 0)
    });
    eventually(&format!("no dead child is left: {:?}", zombies()), || zombies().is_empty());
}

#[test]
fn first_process_killed_at_any_step_of_its_birth_leaves_nothing() {
    if skipped() {
        return;
    }
    for point in STEPS_OF_A_BIRTH {
        let host = Host::with_failpoint(point);
        let failed = blank_with(&host, point, |standing| standing);
        assert!(matches!(failed, Err(IsolationError::Failed { .. })), "{point}: {failed:?}");
        let _pump = Pump::start(point);
        assert_works_and_leaves_nothing(&host);
    }
}

#[test]
fn launcher_killed_at_any_step_of_a_birth_costs_time_alone() {
    if skipped() {
        return;
    }
    for point in STEPS_OF_A_BIRTH.into_iter().chain(["birth.cloned"]) {
        let host = Host::with_failpoint(point);
        let id = blank_with(&host, point, |_| launcher()).unwrap();
        let _pump = Pump::start(point);
        assert_eq!(pids_in(&host.instance).len(), 1, "of the one that was made in the end");
        host.isolation.destroy(id).unwrap();
        assert_works_and_leaves_nothing(&host);
    }
}

/// A host that can save sandboxes, with a sandbox saved; what it asks CRIU for at its start has passed the point.
fn host_with_images(point: &'static str) -> Option<Host> {
    let _pump = Pump::start(point);
    let host = (!skipped()).then(|| Host::with_failpoint(point))?;
    if cannot_save(&host) {
        return None;
    }
    host.save(host.assigned(), &images(&host)).unwrap();
    Some(host)
}

fn images(host: &Host) -> std::path::PathBuf {
    host.dir.path().join("images")
}

const RESTORED: SandboxId = SandboxId(700);

fn restore(host: &Host) -> Result<(), IsolationError> {
    let spec = RestoreSpec { image_dir: images(host), root: root(), assign: host.spec() };
    let restored = host.isolation.restore(RESTORED, &spec).map(drop);
    // An error here is the launcher's death.
    drop(host.isolation.destroy(RESTORED));
    restored
}

fn only_images_are_left(dir: &Path) -> bool {
    let entries = fs_err::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.filter(|name| name.starts_with("images")).eq(["images"])
}

#[test]
fn criu_killed_before_it_saves_costs_the_sandbox_alone() {
    const POINT: &str = "criu.exec";
    let Some(host) = host_with_images(POINT) else { return };
    let images = host.dir.path().join("more");
    let sandbox = host.assigned();
    std::thread::scope(|scope| {
        let saved = scope.spawn(|| host.save(sandbox, &images));
        kill(await_standing(POINT));
        saved.join().unwrap().unwrap_err();
    });
    let _pump = Pump::start(POINT);
    assert_works_and_leaves_nothing(&host);
}

#[test]
fn criu_killed_in_the_middle_of_a_save_costs_the_sandbox_alone() {
    if skipped() {
        return;
    }
    let host = Host::new();
    if cannot_save(&host) {
        return;
    }
    let images = images(&host);
    fs_err::create_dir(&images).unwrap();
    // Where memory is written to: nobody reads, and so CRIU waits.
    let pages = images.join("pages-1.img");
    rustix::fs::mknodat(rustix::fs::CWD, &pages, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let sandbox = host.assigned();
    let id = sandbox.id;
    sandbox.leave();
    std::thread::scope(|scope| {
        let saved = scope.spawn(|| host.isolation.save(id, &host.spec(), &images));
        eventually("the tree stands still", somebody_is_traced);
        let criu = outside(CRIU);
        assert!(!criu.is_empty());
        criu.into_iter().for_each(kill);
        let error = saved.join().unwrap().unwrap_err().to_string();
        assert!(error.contains("criu has ended"), "nobody waits for it: {error}");
    });
    host.isolation.destroy(id).unwrap();
    assert_works_and_leaves_nothing(&host);
}

#[test]
fn criu_killed_at_any_step_of_a_restore_leaves_nothing() {
    for point in ["criu.exec", "criu.adopt"] {
        let Some(host) = host_with_images(point) else { return };
        std::thread::scope(|scope| {
            let restored = scope.spawn(|| restore(&host));
            let standing = await_standing(point);
            match point {
                "criu.exec" => kill(standing),
                _ => outside(RESTORING).into_iter().for_each(kill),
            }
            let _others_go_on = Pump::start(point);
            let error = restored.join().unwrap().unwrap_err().to_string();
            assert!(point == "criu.exec" || error.contains("criu has ended"), "nobody waits for it: {error}");
        });
        let _pump = Pump::start(point);
        assert!(only_images_are_left(host.dir.path()));
        assert_works_and_leaves_nothing(&host);
        restore(&host).unwrap();
    }
}

#[test]
fn restored_process_killed_before_it_runs_leaves_nothing() {
    const POINT: &str = "criu.adopt";
    let Some(host) = host_with_images(POINT) else { return };
    std::thread::scope(|scope| {
        let restored = scope.spawn(|| restore(&host));
        await_standing(POINT);
        let criu = outside(RESTORING);
        pids_of(&host, RESTORED).into_iter().filter(|pid| !criu.contains(pid)).for_each(kill);
        let _others_go_on = Pump::start(POINT);
        restored.join().unwrap().unwrap_err();
    });
    let _pump = Pump::start(POINT);
    assert!(only_images_are_left(host.dir.path()));
    assert_works_and_leaves_nothing(&host);
    restore(&host).unwrap();
}

#[test]
fn launcher_killed_at_any_step_of_a_restore_leaves_no_process_and_good_images() {
    for point in ["criu.exec", "criu.adopt"] {
        let Some(host) = host_with_images(point) else { return };
        std::thread::scope(|scope| {
            let restored = scope.spawn(|| restore(&host));
            let standing = await_standing(point);
            kill(launcher());
            let_go(standing);
            let _others_go_on = Pump::start(point);
            let error = restored.join().unwrap().unwrap_err();
            assert!(matches!(error, IsolationError::LauncherGone), "{point}: {error}");
        });
        eventually("no process is left", || pids_in(&host.instance).is_empty());
        assert!(only_images_are_left(host.dir.path()));
        let _pump = Pump::start(point);
        assert_works_and_leaves_nothing(&host);
        restore(&host).unwrap();
    }
}
