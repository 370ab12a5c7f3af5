//! Processes of this test that stand still at a point: finding them and letting them go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, getpriority_process, kill_process, setpriority_process};

use crate::host::eventually;

/// State, parent and name of a process.
struct Stat {
    pid: Pid,
    name: String,
    state: char,
    parent: i32,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = text.rsplit_once(')')?;
    let mut fields = tail.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let name = head.split_once('(')?.1.to_owned();
    Some(Stat { pid: Pid::from_raw(pid)?, name, state, parent: fields.next()?.parse().ok()? })
}

/// Everything that this test has started, itself excluded.
fn family() -> Vec<Stat> {
    let entries = fs_err::read_dir("/proc").unwrap();
    let numbers = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let everybody: Vec<Stat> = numbers.filter_map(stat).collect();
    let mut found = vec![getpid().as_raw_nonzero().get()];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(everybody.iter().filter(|one| one.parent == parent).map(|one| one.pid.as_raw_nonzero().get()));
        at += 1;
    }
    everybody.into_iter().filter(|one| found[1..].contains(&one.pid.as_raw_nonzero().get())).collect()
}

fn command(pid: Pid) -> String {
    let line = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Processes that this test's launcher has started and that are not in a pid name space of their own.
pub(crate) fn outside(words: &str) -> Vec<Pid> {
    let is_outside = |pid: Pid| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
        status.lines().any(|line| line.starts_with("NSpid:") && line.split_whitespace().count() == 2)
    };
    let family = family().into_iter().map(|one| one.pid);
    family.filter(|pid| command(*pid).contains(words) && is_outside(*pid)).collect()
}

pub(crate) fn launcher() -> Pid {
    let parent = getpid().as_raw_nonzero().get();
    let is_it = |one: &Stat| one.parent == parent && command(one.pid).contains(" launcher");
    family().into_iter().find(is_it).expect("the launcher lives").pid
}

pub(crate) fn kill(pid: Pid) {
    let _gone_already = kill_process(pid, Signal::KILL);
}

/// Only then does nothing come of it any more.
pub(crate) fn kill_and_await(pid: Pid) {
    kill(pid);
    eventually("the killed process has ended", || {
        stat(pid.as_raw_nonzero().get()).is_none_or(|one| matches!(one.state, 'Z' | 'X'))
    });
}

/// Children of the launcher that nobody has waited for.
pub(crate) fn zombies() -> Vec<String> {
    family().into_iter().filter(|one| one.state == 'Z').map(|one| one.name).collect()
}

/// Whether some process of this test is being looked into, as CRIU does when it saves.
pub(crate) fn somebody_is_traced() -> bool {
    family().iter().any(|one| one.state == 't')
}

fn standing(point: &str) -> Vec<Pid> {
    let name = format!("at {point}");
    family().into_iter().filter(|one| one.name == name).map(|one| one.pid).collect()
}

/// Waits until a process of this test stands at the point.
pub(crate) fn await_standing(point: &str) -> Pid {
    let mut found = Vec::new();
    eventually(&format!("a process stands at {point}"), || {
        found = standing(point);
        !found.is_empty()
    });
    found[0]
}

/// Lets go whoever stands at the point, again and again until it is dropped.
pub(crate) struct Pump {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    pub(crate) fn start(point: &'static str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let over = Arc::clone(&over);
            move || {
                while !over.load(Ordering::Relaxed) {
                    standing(point).into_iter().for_each(let_go);
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

pub(crate) fn let_go(pid: Pid) {
    if let Ok(niceness) = getpriority_process(Some(pid)) {
        let other = if niceness < 19 { niceness + 1 } else { 0 };
        let _gone_already = setpriority_process(Some(pid), other);
    }
}
