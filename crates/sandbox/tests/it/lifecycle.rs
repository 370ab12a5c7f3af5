//! Creating, assigning, freezing and destroying; what is left after each kind of end.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearth_sandbox::{BlankSpec, Isolation, IsolationError, LinuxIsolation, Parking};
use hearth_types::SandboxId;

use crate::host::{FIXTURE, Host, config, eventually, root, skipped, unique_instance};

#[test]
fn assigned_sandbox_runs_programs_as_the_functions_user() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    assert_eq!(sandbox.run(&["/usr/bin/id"]), (0, "uid=993(sbx) gid=990 groups=990\n".to_owned()));
    assert_eq!(sandbox.run(&["/usr/bin/cat", "/var/task/code.txt"]), (0, "the code".to_owned()));
    assert_eq!(sandbox.python_ok("print(sum(range(10)))"), "45\n");
    host.isolation.destroy(sandbox.id).unwrap();
    assert_eq!(sandbox.finish(), None);
}

#[test]
fn layers_are_attached_at_opt() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let opt = host.dir.path().join("opt");
    fs_err::create_dir(&opt).unwrap();
    fs_err::write(opt.join("layer.txt"), "a layer").unwrap();
    let mut sandbox = host.assigned_as(&hearth_sandbox::AssignSpec { opt_dir: Some(opt), ..host.spec() });
    assert_eq!(sandbox.run(&["/usr/bin/cat", "/opt/layer.txt"]), (0, "a layer".to_owned()));
}

#[test]
fn frozen_sandbox_stands_still_until_thawed() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    host.isolation.freeze(sandbox.id).unwrap();
    let before = host.isolation.usage(sandbox.id).unwrap().cpu_ns;
    sandbox.start(&["/usr/bin/true"]);
    assert_eq!(host.isolation.usage(sandbox.id).unwrap().cpu_ns, before);
    host.isolation.thaw(sandbox.id).unwrap();
    assert_eq!(sandbox.finish(), Some((0, String::new())));
}

#[test]
fn frozen_sandbox_can_be_destroyed() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    host.isolation.freeze(sandbox.id).unwrap();
    host.isolation.destroy(sandbox.id).unwrap();
    assert_eq!(sandbox.finish(), None);
}

#[test]
fn destroying_twice_or_what_never_was_is_no_error() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let id = host.blank();
    host.isolation.destroy(id).unwrap();
    host.isolation.destroy(id).unwrap();
    host.isolation.destroy(SandboxId(4711)).unwrap();
}

#[test]
fn unusable_specifications_are_refused_and_leave_nothing() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let missing = PathBuf::from("/nonexistent");
    let error = host
        .isolation
        .create(&BlankSpec { id: SandboxId(1), root: missing.clone(), parking: Parking::None, urgent: true })
        .unwrap_err();
    assert!(error.to_string().contains("sb-000001"), "{error}");
    // A root without a dynamic loader: the agent cannot be executed.
    let empty = host.dir.path().join("empty");
    fs_err::create_dir(&empty).unwrap();
    let error = host
        .isolation
        .create(&BlankSpec { id: SandboxId(2), root: empty, parking: Parking::None, urgent: true })
        .unwrap_err();
    assert!(error.to_string().contains("execute the agent"), "{error}");
    let id = host.blank_as(3);
    let spec = hearth_sandbox::AssignSpec { task_dir: missing, ..host.spec() };
    host.isolation.assign(id, &spec).unwrap_err();
    host.isolation.destroy(id).unwrap();
    eventually("no groups", || groups(&host.instance).iter().all(|group| children(group) == 0));
}

#[test]
fn death_of_the_agent_is_seen_and_its_usage_still_read() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    for pid in pids_in(&host.instance) {
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
    assert_eq!(sandbox.finish(), None);
    assert!(host.isolation.usage(sandbox.id).unwrap().cpu_ns > 0);
    assert!(host.isolation.assign(sandbox.id, &host.spec()).is_err());
    host.isolation.destroy(sandbox.id).unwrap();
    assert!(host.isolation.usage(sandbox.id).is_err());
}

#[test]
fn a_hundred_sandboxes_are_created_in_parallel_and_all_work() {
    if skipped() {
        return;
    }
    let host = Host::new();
    std::thread::scope(|scope| {
        for thread in 0..10 {
            let host = &host;
            scope.spawn(move || {
                let ids: Vec<_> = (0..10).map(|number| host.blank_as(1000 + 10 * thread + number)).collect();
                for id in ids {
                    let stream = UnixStream::from(host.isolation.assign(id, &host.spec()).unwrap());
                    drop(stream);
                    host.isolation.destroy(id).unwrap();
                }
            });
        }
    });
    assert_eq!(pids_in(&host.instance).len(), 0);
}

#[test]
fn dropping_the_isolation_leaves_nothing() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let (_one, _two) = (host.blank(), host.assigned().id);
    let (instance, work_dir) = (host.instance.clone(), host.dir.path().to_owned());
    drop(host);
    assert_nothing_left(&instance, &work_dir);
}

#[test]
fn killed_launcher_takes_its_sandboxes_along_and_has_a_successor() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let (blank, other) = (host.blank(), host.blank());
    assert!(!host.isolation.has_died(blank));
    let launcher = parent_of(pids_in(&host.instance)[0]);
    rustix::process::kill_process(launcher, rustix::process::Signal::KILL).unwrap();
    eventually("no processes", || pids_in(&host.instance).is_empty());
    eventually("the death of blank sandboxes shows", || {
        host.isolation.has_died(blank) && host.isolation.has_died(other)
    });
    // Either its group is gone already, or nobody is there to be asked.
    let refused = host.isolation.assign(blank, &host.spec()).unwrap_err();
    assert!(matches!(refused, IsolationError::Failed { .. } | IsolationError::LauncherGone), "{refused}");
    // Many at once find one successor.
    let made = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..4).map(|_| scope.spawn(|| host.blank())).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(pids_in(&host.instance).len(), 4);
    assert!(host.isolation.has_died(other));
    for id in made.into_iter().chain([blank, other]) {
        assert_eq!(host.isolation.has_died(id), id == blank || id == other);
        host.isolation.destroy(id).unwrap();
    }
    assert!(groups(&host.instance).iter().all(|group| children(group) == 0));
    let (instance, work_dir) = (host.instance.clone(), host.dir.path().to_owned());
    drop(host);
    assert_nothing_left(&instance, &work_dir);
}

/// Who asks for it is told only when nothing is left that might still hold memory.
#[test]
fn a_sandbox_of_a_killed_launcher_is_destroyed_like_any_other() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let mut sandbox = host.assigned();
    let launcher = parent_of(pids_in(&host.instance)[0]);
    rustix::process::kill_process(launcher, rustix::process::Signal::KILL).unwrap();
    assert_eq!(sandbox.finish(), None);
    host.isolation.destroy(sandbox.id).unwrap();
    assert_eq!(pids_in(&host.instance), []);
    assert!(groups(&host.instance).iter().all(|group| children(group) == 0));
    assert_eq!(host.assigned().run(&["/usr/bin/true"]).0, 0);
}

#[test]
fn killed_daemon_leaves_nothing() {
    if skipped() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let instance = unique_instance();
    let mut daemon = start_daemon(dir.path(), &instance, 5);
    assert_eq!(pids_in(&instance).len(), 5);
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert_nothing_left(&instance, dir.path());
}

#[test]
fn daemon_and_launcher_killed_at_once_leave_no_process_and_the_next_start_removes_the_rest() {
    if skipped() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let instance = unique_instance();
    let mut daemon = start_daemon(dir.path(), &instance, 5);
    let launcher = parent_of(pids_in(&instance)[0]);
    rustix::process::kill_process(launcher, rustix::process::Signal::KILL).unwrap();
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    let started = Instant::now();
    drop(LinuxIsolation::start(config(dir.path(), &instance)).unwrap());
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_nothing_left(&instance, dir.path());
}

#[test]
fn second_launcher_of_a_run_directory_takes_over() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let id = host.blank();
    let next = LinuxIsolation::start(config(host.dir.path(), &host.instance)).unwrap();
    assert!(host.isolation.has_died(id));
    next.create(&BlankSpec { id, root: root(), parking: Parking::None, urgent: true }).unwrap();
    next.destroy(id).unwrap();
}

fn start_daemon(dir: &Path, instance: &str, sandboxes: u32) -> Child {
    let run_dir = dir.join("run");
    let mut daemon = Command::new(FIXTURE)
        .args(["daemon", run_dir.to_str().unwrap(), instance, root().to_str().unwrap(), &sandboxes.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(daemon.stdout.as_mut().unwrap()), &mut line).unwrap();
    assert_eq!(line, "ready\n");
    daemon
}

fn assert_nothing_left(instance: &str, work_dir: &Path) {
    eventually("no groups", || groups(instance).is_empty());
    let mounts = fs_err::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(work_dir.to_str().unwrap()), "{mounts}");
    let own = |entry: &str| {
        std::fs::read(format!("/proc/{entry}/cmdline")).is_ok_and(|line| {
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains(work_dir.to_str().unwrap())
        })
    };
    for entry in fs_err::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!own(&name), "process {name} is left");
    }
}

/// This instance's directories in all hierarchies.
pub(crate) fn groups(instance: &str) -> Vec<PathBuf> {
    let name = format!("hearth-{instance}");
    let mut found = Vec::new();
    let mut open = vec![(PathBuf::from("/sys/fs/cgroup"), 0)];
    while let Some((dir, depth)) = open.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            if entry.file_name() == *name {
                found.push(entry.path());
            } else if depth < 3 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    found
}

pub(crate) fn children(group: &Path) -> usize {
    std::fs::read_dir(group).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()).count()
}

pub(crate) fn pids_in(instance: &str) -> Vec<rustix::process::Pid> {
    let mut pids = Vec::new();
    for group in groups(instance) {
        for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
            let procs = std::fs::read_to_string(entry.path().join("cgroup.procs")).unwrap_or_default();
            pids.extend(procs.lines().filter_map(|line| line.parse().ok()).filter_map(rustix::process::Pid::from_raw));
        }
    }
    pids.sort_by_key(|pid| pid.as_raw_nonzero());
    pids.dedup();
    pids
}

fn parent_of(pid: rustix::process::Pid) -> rustix::process::Pid {
    let status = fs_err::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    rustix::process::Pid::from_raw(line.trim().parse().unwrap()).unwrap()
}
