//! Processes and their memory, from `/proc`.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Of a clock tick in `/proc`: `USER_HZ` is 100 wherever Linux runs.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The processes of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Sandbox {
    /// The first process in it.
    pub(crate) agent: Option<u32>,
    pub(crate) others: Vec<u32>,
}

/// Processor time used so far, in clock ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct CpuTicks {
    /// The server itself, with what it starts outside of sandboxes.
    pub(crate) server: u64,
    pub(crate) agents: u64,
    pub(crate) runtimes: u64,
}

impl CpuTicks {
    /// Of `server` and all processes below it. Those that have ended are left out.
    pub(crate) fn of(server: u32) -> Result<Self> {
        let parents = parents()?;
        let own = namespace(server).context("the server is gone")?;
        let below = parents.keys().copied().filter(|pid| *pid == server || descends(&parents, *pid, server));
        let mut ticks = Self::default();
        for pid in below {
            let Some(used) = cpu_ticks(pid) else { continue };
            if namespace(pid).is_none_or(|namespace| namespace == own) {
                ticks.server += used;
            } else if is_first(pid) {
                ticks.agents += used;
            } else {
                ticks.runtimes += used;
            }
        }
        Ok(ticks)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.server += other.server;
        self.agents += other.agents;
        self.runtimes += other.runtimes;
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            server: self.server.saturating_sub(earlier.server),
            agents: self.agents.saturating_sub(earlier.agents),
            runtimes: self.runtimes.saturating_sub(earlier.runtimes),
        }
    }
}

fn cpu_ticks(pid: u32) -> Option<u64> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let [user, system] = [fields.next()?, fields.next()?];
    Some(user.parse::<u64>().ok()? + system.parse::<u64>().ok()?)
}

/// The sandboxes below `daemon`, told apart by their process name spaces.
pub(crate) fn sandboxes(daemon: u32) -> Result<Vec<Sandbox>> {
    let parents = parents()?;
    let own = namespace(daemon).context("the daemon is gone")?;
    let mut found: BTreeMap<PathBuf, Sandbox> = BTreeMap::new();
    for pid in parents.keys().copied().filter(|pid| descends(&parents, *pid, daemon)) {
        // A process may end while it is looked at.
        let Some(namespace) = namespace(pid).filter(|namespace| *namespace != own) else { continue };
        let sandbox = found.entry(namespace).or_default();
        if is_first(pid) {
            sandbox.agent = Some(pid);
        } else {
            sandbox.others.push(pid);
        }
    }
    Ok(found.into_values().collect())
}

/// Proportional set size, KiB: memory shared by n processes counts 1/n for each.
pub(crate) fn pss_kib(pid: u32) -> Result<u64> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss line")?;
    line.trim().trim_end_matches(" kB").parse().context("malformed Pss line")
}

/// Processor time that the machine has used so far, on all cores, and how many cores there are.
pub(crate) fn machine_cpu() -> Result<(Duration, u32)> {
    /// Of the fields: user, nice, system, then idle and waiting for disks, then interrupts of two kinds and what a host took.
    const IDLE: [usize; 2] = [3, 4];
    const FIELDS: usize = 8;
    let text = fs_err::read_to_string("/proc/stat")?;
    let all = text.lines().next().and_then(|line| line.strip_prefix("cpu ")).context("no line of all cores")?;
    let mut ticks = 0_u32;
    for (index, field) in all.split_whitespace().take(FIELDS).enumerate().filter(|(index, _)| !IDLE.contains(index)) {
        ticks = ticks.saturating_add(field.parse().with_context(|| format!("malformed field {index}"))?);
    }
    let is_core = |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| !rest.starts_with(' '));
    let cores = u32::try_from(text.lines().filter(is_core).count())?.max(1);
    Ok((TICK * ticks, cores))
}

/// Mean number of runnable tasks of the last minute.
pub(crate) fn load() -> Result<f64> {
    let text = fs_err::read_to_string("/proc/loadavg")?;
    text.split(' ').next().context("no load")?.parse().context("malformed load")
}

fn parents() -> Result<HashMap<u32, u32>> {
    let mut parents = HashMap::new();
    for entry in fs_err::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(parent) = status(pid, "PPid:").and_then(|text| text.trim().parse().ok()) {
            parents.insert(pid, parent);
        }
    }
    Ok(parents)
}

fn descends(parents: &HashMap<u32, u32>, pid: u32, ancestor: u32) -> bool {
    std::iter::successors(Some(pid), |pid| parents.get(pid).copied()).take(64).skip(1).any(|pid| pid == ancestor)
}

/// Whether it is the first process of its name space.
fn is_first(pid: u32) -> bool {
    status(pid, "NSpid:").is_some_and(|pids| pids.split_whitespace().last() == Some("1"))
}

fn namespace(pid: u32) -> Option<PathBuf> {
    fs_err::read_link(format!("/proc/{pid}/ns/pid")).ok()
}

fn status(pid: u32, field: &str) -> Option<String> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(field)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_machines_processor_time_goes_on() {
        let (before, cores) = machine_cpu().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        // This very loop uses some.
        while machine_cpu().unwrap().0 == before && Instant::now() < deadline {}
        assert!(machine_cpu().unwrap().0 > before);
        assert_eq!(cores as usize, std::thread::available_parallelism().unwrap().get());
    }

    #[test]
    fn sandboxes_are_told_apart_by_their_process_name_spaces() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: making a process name space needs root");
            return;
        }
        // Two processes inside, the second waits for its stdin.
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "sh", "-c", "cat; true"]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let found = loop {
            let found = sandboxes(child.id()).unwrap();
            if found.first().is_some_and(|sandbox| sandbox.others.len() == 1) || Instant::now() > deadline {
                break found;
            }
            std::thread::yield_now();
        };
        let agent = found.first().and_then(|sandbox| sandbox.agent);
        let pss = agent.map(pss_kib);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found.iter().map(|sandbox| sandbox.others.len()).collect::<Vec<_>>(), [1]);
        assert!(pss.is_some_and(|pss| pss.is_ok_and(|kib| kib > 0)), "{found:?}");
    }
}
