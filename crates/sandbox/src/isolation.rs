//! The seam above which nobody knows how a sandbox is kept apart.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use hearth_agent_proto::Park;
use hearth_types::{NetworkMode, SandboxId};

use crate::protocol::Zygote;

/// What this host gives, found out once at start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EffectiveTier {
    /// `linux`, later `gvisor`, `microvm`.
    pub name: &'static str,
    /// With what privilege: `root` or `rootless`.
    pub privilege: &'static str,
    /// User and group that the function is to have inside its sandbox; `None` where it has to share the agent's.
    pub function_uid_gid: Option<(u32, u32)>,
    /// Protections that this host cannot give, each with the reason and what to do. Shown by `hearth doctor`, the health
    /// view and the log.
    pub missing: Vec<String>,
}

/// An empty sandbox: namespaces, cgroup, loopback and the agent, without anybody's code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlankSpec {
    pub id: SandboxId,
    /// The runtime's prepared root directory on the host; mounted read-only as `/`.
    pub root: PathBuf,
    pub parking: Parking,
    /// It may delay others; else it gets only what processor time others leave, until it is assigned or hastened.
    pub urgent: bool,
}

/// Whether a runtime process waits in a blank sandbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parking {
    /// Nothing but the agent runs.
    None,
    /// The agent executes it.
    Exec(Park),
    /// It is forked from one that the launcher keeps for the root, and shares its memory; executed where that is not there.
    Zygote(Park, Zygote),
}

/// How far a runtime has come in a blank sandbox.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Readiness {
    #[default]
    /// Nothing runs but the agent: the runtime has to be executed.
    Empty,
    /// An interpreter waits, executed ahead of need.
    Parked,
    /// An interpreter waits, forked from one that had loaded everything.
    Forked,
}

/// What turns a blank sandbox into one function version's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssignSpec {
    /// Unpacked package, mounted read-only at `/var/task`.
    pub task_dir: PathBuf,
    /// The package lies where Hearth does not: its file system may take for ever to answer.
    pub task_dir_may_hang: bool,
    /// Merged layers, mounted read-only at `/opt`.
    pub opt_dir: Option<PathBuf>,
    /// Size of `/tmp`, MiB. It lies in memory: what the function keeps there counts towards `memory_mib`.
    pub tmp_mib: u32,
    pub memory_mib: u32,
    /// Relative weight of CPU, in thousandths of a core.
    pub cpu_weight_millis: u32,
    /// Hard limit, in thousandths of a core; `None` leaves the weight alone.
    pub cpu_limit_millis: Option<u32>,
    pub processes_max: u32,
    pub network: NetworkMode,
    /// It may delay others; else it gets only what processor time others leave, until it is hastened.
    pub urgent: bool,
}

/// What a saved sandbox is restored from, and with what around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestoreSpec {
    /// What [`Isolation::save`] wrote, unchanged, in a directory beside which others can be made.
    pub image_dir: PathBuf,
    /// The same root as when it was saved, file by file.
    pub root: PathBuf,
    /// The same code and layers; limits may be others.
    pub assign: AssignSpec,
}

/// Whether sandboxes can be saved and restored here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Saving {
    /// What was saved can be restored where this text is the same: program, kernel, machine.
    Available {
        identity: String,
    },
    Unavailable {
        reason: String,
    },
}

/// What a sandbox has used so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    pub memory_bytes: u64,
    pub memory_bytes_max: u64,
    pub cpu_ns: u64,
    /// Processes killed for want of memory.
    pub oom_kills: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// The host lacks something that the tier promises.
    #[error("isolation tier {tier} cannot be had on this host: {reason}")]
    Unavailable { tier: &'static str, reason: String },
    #[error("cannot {step} of sandbox {sandbox}: {reason}")]
    Failed { sandbox: SandboxId, step: &'static str, reason: String },
    /// Nothing was heard in time of the file system where the package lies. `ended` becomes readable when nobody waits for it any more:
    /// that may be after the sandbox is gone.
    #[error("the package of sandbox {sandbox} cannot be attached: its file system does not answer")]
    Hangs { sandbox: SandboxId, ended: OwnedFd },
    /// And every sandbox with it. The next that is created has a new one.
    #[error("the launcher is gone")]
    LauncherGone,
}

/// One way of keeping sandboxes apart. Calls block for up to a few milliseconds: callers use a blocking thread.
pub trait Isolation: Send + Sync + std::fmt::Debug {
    fn tier(&self) -> &EffectiveTier;

    /// Makes an empty sandbox whose agent is listening. A runtime that could not be parked is no failure: the answer says what
    /// there is.
    fn create(&self, spec: &BlankSpec) -> Result<Readiness, IsolationError>;

    /// Attaches code, sets limits and network, and returns a new connection to the agent. Once per sandbox.
    fn assign(&self, id: SandboxId, spec: &AssignSpec) -> Result<OwnedFd, IsolationError>;

    fn saving(&self) -> &Saving;

    /// Writes an assigned sandbox, as it was given to [`Isolation::assign`], into the empty directory `images`. Nobody is
    /// connected to its agent any more. The sandbox is of no further use, whatever the result; it is still to be destroyed.
    fn save(&self, id: SandboxId, assign: &AssignSpec, images: &Path) -> Result<(), IsolationError>;

    /// Makes a new sandbox from what was saved, as if it had been created and assigned, and returns a new connection to its
    /// agent. After an error nothing of it is left once it is destroyed.
    fn restore(&self, id: SandboxId, spec: &RestoreSpec) -> Result<OwnedFd, IsolationError>;

    /// Gives a sandbox that was not urgent its share of the processors, in thousandths of a core; `None`: as before it is assigned.
    fn hasten(&self, id: SandboxId, cpu_weight_millis: Option<u32>) -> Result<(), IsolationError>;

    fn freeze(&self, id: SandboxId) -> Result<(), IsolationError>;

    fn thaw(&self, id: SandboxId) -> Result<(), IsolationError>;

    fn usage(&self, id: SandboxId) -> Result<Usage, IsolationError>;

    /// Whether a sandbox that is not assigned yet has ended, or is about to, as with the launcher that made it. What is assigned
    /// tells so by its connection.
    fn has_died(&self, id: SandboxId) -> bool;

    /// Kills every process and removes what the sandbox held on the host. Idempotent; also for sandboxes that died. After an error
    /// something of it may be left.
    fn destroy(&self, id: SandboxId) -> Result<(), IsolationError>;
}
