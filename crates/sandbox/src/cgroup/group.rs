//! What is done with one sandbox's groups.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use fs_err as fs;
use hearth_types::SandboxId;
use rustix::fs::{Mode, OFlags, open};

use super::{Cgroups, Tree, Version};
use crate::isolation::{AssignSpec, Usage};

/// Room for the agent's own memory and the kernel's on behalf of the sandbox, on top of the function's.
const OVERHEAD_BYTES: u64 = 4 << 20;
/// The period over which a hard CPU limit is kept, microseconds.
const CPU_PERIOD_US: u64 = 100_000;
/// Weights of what gives way, on kernels that cannot run it only when nothing else wants to (before 5.15).
const LOW_SHARES: &str = "8";
const LOW_WEIGHT: &str = "1";
/// A whole core's: what a sandbox has that is no function's yet.
const WHOLE_CORE: u32 = 1000;
/// Longest wait for processes to freeze or die; each is a matter of microseconds unless the host is overloaded.
const SETTLE: Duration = Duration::from_secs(2);

/// Limits of one sandbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    memory_bytes: u64,
    cpu_weight_millis: u32,
    cpu_limit_millis: Option<u32>,
    processes_max: u32,
    urgent: bool,
}

impl From<&AssignSpec> for Limits {
    fn from(spec: &AssignSpec) -> Self {
        Self {
            memory_bytes: (u64::from(spec.memory_mib) << 20) + OVERHEAD_BYTES,
            cpu_weight_millis: spec.cpu_weight_millis,
            cpu_limit_millis: spec.cpu_limit_millis,
            processes_max: spec.processes_max.saturating_add(1),
            urgent: spec.urgent,
        }
    }
}

/// The ways into a sandbox's groups, for the process that is to live there.
#[derive(Debug, Default)]
pub(crate) struct Entrances {
    /// The version 2 group, entered at birth.
    pub(crate) v2: Option<OwnedFd>,
    /// `cgroup.procs` of each version 1 group, open for writing: who writes `0` is moved.
    pub(crate) v1: Vec<OwnedFd>,
}

impl Cgroups {
    fn group(&self, index: Option<usize>, id: SandboxId) -> Option<(Version, PathBuf)> {
        self.tree(index).map(|tree| (tree.version, tree.dir.join(id.to_string())))
    }

    /// Makes a sandbox's groups. Unless it is urgent, it gives way to everything else from its first moment on.
    pub(crate) fn create(&self, id: SandboxId, urgent: bool) -> io::Result<Entrances> {
        let mut entrances = Entrances::default();
        for tree in &self.trees {
            let dir = tree.dir.join(id.to_string());
            fs::create_dir(&dir)?;
            match tree.version {
                Version::V2 => {
                    entrances.v2 = Some(open(&dir, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?);
                }
                Version::V1 => {
                    let procs = dir.join("cgroup.procs");
                    entrances.v1.push(open(&procs, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?);
                }
            }
        }
        if let Some((version, dir)) = self.group(self.cpu, id).filter(|_| !urgent) {
            // A matter of fairness alone.
            let _as_any_other = give_way(version, &dir);
        }
        Ok(entrances)
    }

    /// Removes a sandbox's groups; false while processes are still in them.
    pub(crate) fn remove(&self, id: SandboxId) -> bool {
        let left = self.trees.iter().filter(|tree| !remove_group(&tree.dir.join(id.to_string())));
        left.count() == 0
    }

    pub(crate) fn set_limits(&self, id: SandboxId, limits: &Limits) -> io::Result<()> {
        if let Some((version, dir)) = self.group(self.memory, id) {
            set_memory(version, &dir, limits.memory_bytes)?;
        }
        if let Some((version, dir)) = self.group(self.cpu, id) {
            set_cpu(version, &dir, limits)?;
        }
        if let Some((_, dir)) = self.group(self.pids, id) {
            fs::write(dir.join("pids.max"), limits.processes_max.to_string())?;
        }
        Ok(())
    }

    /// Ends that the sandbox gives way to everything else.
    pub(crate) fn hasten(&self, id: SandboxId, cpu_weight_millis: Option<u32>) -> io::Result<()> {
        let Some((version, dir)) = self.group(self.cpu, id) else { return Ok(()) };
        set_weight(version, &dir, cpu_weight_millis.unwrap_or(WHOLE_CORE))
    }

    /// Stops all processes where they are, and waits until they stand still.
    ///
    /// # Errors
    /// `Unsupported` where the host has no freezer.
    pub(crate) fn freeze(&self, id: SandboxId) -> io::Result<()> {
        let (version, dir) = self.group(self.freezer, id).ok_or(io::ErrorKind::Unsupported)?;
        let (control, word, state, sign) = match version {
            Version::V1 => ("freezer.state", "FROZEN", "freezer.state", "FROZEN"),
            Version::V2 => ("cgroup.freeze", "1", "cgroup.events", "frozen 1"),
        };
        fs::write(dir.join(control), word)?;
        let state = dir.join(state);
        wait_until(|| Ok(fs::read_to_string(&state)?.lines().any(|line| line == sign)))
    }

    /// Lets all processes go on: they do as soon as they get a processor, and that is not waited for.
    pub(crate) fn thaw(&self, id: SandboxId) -> io::Result<()> {
        let (version, dir) = self.group(self.freezer, id).ok_or(io::ErrorKind::Unsupported)?;
        match version {
            Version::V1 => fs::write(dir.join("freezer.state"), "THAWED"),
            Version::V2 => fs::write(dir.join("cgroup.freeze"), "0"),
        }
    }

    /// Kills whatever is in the sandbox's groups.
    pub(crate) fn kill(&self, id: SandboxId) {
        for tree in &self.trees {
            kill_members(&tree.dir.join(id.to_string()));
        }
    }

    /// Lets killed processes die: those that a version 1 freezer holds do not even do that.
    pub(crate) fn let_die(&self, id: SandboxId) {
        if let Some((Version::V1, dir)) = self.group(self.freezer, id) {
            let _gone_already = fs::write(dir.join("freezer.state"), "THAWED");
        }
    }

    /// What the sandbox used; zero for what the host does not count.
    pub(crate) fn usage(&self, id: SandboxId) -> io::Result<Usage> {
        let mut usage = Usage::default();
        if let Some((version, dir)) = self.group(self.memory, id) {
            let (now, max, events) = match version {
                Version::V1 => ("memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"),
                Version::V2 => ("memory.current", "memory.peak", "memory.events"),
            };
            usage.memory_bytes = read_number(&dir.join(now))?;
            usage.memory_bytes_max = read_number(&dir.join(max)).unwrap_or(usage.memory_bytes);
            usage.oom_kills = read_field(&dir.join(events), "oom_kill")?;
        }
        if let Some((version, dir)) = self.group(self.cpu_time, id) {
            usage.cpu_ns = match version {
                Version::V1 => read_number(&dir.join("cpuacct.usage"))?,
                Version::V2 => read_field(&dir.join("cpu.stat"), "usage_usec")?.saturating_mul(1000),
            };
        }
        Ok(usage)
    }

    /// Kills and removes what an earlier daemon of this instance left behind. What is left after that is returned.
    pub(crate) fn remove_leftovers(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        for tree in &self.trees {
            for group in child_groups(tree) {
                let gone = wait_until(|| {
                    kill_members(&group);
                    Ok(remove_group(&group))
                });
                if gone.is_err() {
                    left.push(group);
                }
            }
        }
        left
    }

    /// Removes this instance's own directories. Only at the end: the sandboxes' groups are gone.
    pub(crate) fn remove_instance(&self) {
        for tree in &self.trees {
            remove_group(&tree.dir);
        }
    }
}

fn set_memory(version: Version, dir: &Path, bytes: u64) -> io::Result<()> {
    let bytes = bytes.to_string();
    match version {
        Version::V1 => {
            fs::write(dir.join("memory.limit_in_bytes"), &bytes)?;
            write_if_there(&dir.join("memory.memsw.limit_in_bytes"), &bytes).map(drop)
        }
        Version::V2 => {
            fs::write(dir.join("memory.max"), &bytes)?;
            write_if_there(&dir.join("memory.swap.max"), "0").map(drop)
        }
    }
}

fn set_cpu(version: Version, dir: &Path, limits: &Limits) -> io::Result<()> {
    if limits.urgent {
        set_weight(version, dir, limits.cpu_weight_millis)?;
    } else {
        give_way(version, dir)?;
    }
    let quota_us = limits.cpu_limit_millis.map(|millis| (u64::from(millis) * CPU_PERIOD_US / 1000).max(1000));
    match version {
        Version::V1 => {
            let Some(quota_us) = quota_us else { return Ok(()) };
            fs::write(dir.join("cpu.cfs_period_us"), CPU_PERIOD_US.to_string())?;
            fs::write(dir.join("cpu.cfs_quota_us"), quota_us.to_string())
        }
        Version::V2 => {
            let Some(quota_us) = quota_us else { return Ok(()) };
            fs::write(dir.join("cpu.max"), format!("{quota_us} {CPU_PERIOD_US}"))
        }
    }
}

/// Has the group run only when nothing else wants to.
fn give_way(version: Version, dir: &Path) -> io::Result<()> {
    if write_if_there(&dir.join("cpu.idle"), "1").is_ok_and(|there| there) {
        return Ok(());
    }
    match version {
        Version::V1 => fs::write(dir.join("cpu.shares"), LOW_SHARES),
        Version::V2 => fs::write(dir.join("cpu.weight"), LOW_WEIGHT),
    }
}

/// A group that gives way has no weight until it does so no longer.
fn set_weight(version: Version, dir: &Path, millis: u32) -> io::Result<()> {
    write_if_there(&dir.join("cpu.idle"), "0")?;
    let millis = u64::from(millis);
    match version {
        Version::V1 => fs::write(dir.join("cpu.shares"), (millis * 1024 / 1000).clamp(2, 262_144).to_string()),
        Version::V2 => fs::write(dir.join("cpu.weight"), (millis / 10).clamp(1, 10_000).to_string()),
    }
}

/// Not every kernel has every file; false where it has not.
fn write_if_there(path: &Path, value: &str) -> io::Result<bool> {
    match fs::write(path, value) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn read_number(path: &Path) -> io::Result<u64> {
    fs::read_to_string(path)?.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The number behind `name` in a file of `name number` lines; 0 where an older kernel has no such line.
fn read_field(path: &Path, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    Ok(value.unwrap_or(0))
}

fn wait_until(mut done: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let deadline = Instant::now() + SETTLE;
    let mut pause = Duration::from_micros(20);
    while !done()? {
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    Ok(())
}

/// True when the group is no more.
fn remove_group(dir: &Path) -> bool {
    match fs::remove_dir(dir) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn kill_group(dir: &Path) -> bool {
    fs::write(dir.join("cgroup.kill"), "1").is_ok()
}

fn child_groups(tree: &Tree) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(&tree.dir) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Kills by pid where the group cannot be killed as a whole; a frozen version 1 group must be thawed to die.
fn kill_members(dir: &Path) {
    if kill_group(dir) {
        return;
    }
    for pid in fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default().lines() {
        if let Some(pid) = pid.parse().ok().and_then(rustix::process::Pid::from_raw) {
            let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
    let _not_a_freezer = fs::write(dir.join("freezer.state"), "THAWED");
}
