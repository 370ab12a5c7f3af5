//! The isolation tier `linux`: the daemon's side.

mod connect;
mod files;
mod id_maps;
mod park;
mod saving;
mod start;

pub(crate) use connect::{wait_any, wait_readable};
pub(crate) use id_maps::has_subordinate_ids;

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use connect::is_hung_up;
use hearth_agent_proto::Park;
use hearth_sys::failpoint;
use hearth_types::SandboxId;
use rustix::process::{Signal, pidfd_send_signal};

use crate::cgroup::{Cgroups, Limits};
use crate::isolation::{
    AssignSpec, BlankSpec, EffectiveTier, Isolation, IsolationError, Parking, Readiness, RestoreSpec, Saving, Usage,
};
use crate::protocol::{ProtocolError, Reply, Request, Status, Zygote, receive, send};

const TIER: &str = "linux";
/// Longest time that the launcher may take over one request: each is a matter of milliseconds.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Longest time that a new process may take to become the agent: a matter of a millisecond on a quiet host.
const BIRTH_MAX: Duration = Duration::from_secs(10);
/// Longest time that the agent may take to listen.
const LISTEN_MAX: Duration = Duration::from_secs(5);
/// Longest time that an interpreter may take to load what it waits with.
const PARK_MAX: Duration = Duration::from_secs(10);
/// Longest time that a way out may take to open.
const NETWORK_MAX: Duration = Duration::from_secs(10);
/// Longest time that a file system may take to answer from which code is attached.
const CODE_MAX: Duration = Duration::from_secs(2);
/// Longest time that killed processes may take to be gone.
const DEATH_MAX: Duration = Duration::from_secs(10);

/// Addresses with the same first bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subnet {
    pub address: IpAddr,
    pub prefix_length: u8,
}

/// What the tier is made from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinuxConfig {
    /// A program whose `main` calls [`crate::launcher_main`] when given `launcher_args`: the daemon's own.
    pub launcher_exe: PathBuf,
    pub launcher_args: Vec<OsString>,
    /// The agent, statically linked.
    pub agent_binary: PathBuf,
    /// A directory of this daemon alone; used for a lock and as a mount point.
    pub run_dir: PathBuf,
    /// Tells the daemons of one host apart; the same after a restart. Letters, digits and `-`.
    pub instance: String,
    /// The first of the user ids that sandboxes get, 65536 each, where the daemon is root.
    pub uid_base: u32,
    /// What functions with egress may reach although it is private or the host's.
    pub egress_allow: Vec<Subnet>,
    /// The program that saves and restores sandboxes; see [`crate::find_criu`].
    pub criu: Option<PathBuf>,
}

/// A launcher that is or was at work.
#[derive(Debug)]
struct Launcher {
    /// Tells it from those before and after it.
    number: u64,
    socket: OwnedFd,
    process: OwnedFd,
    /// Held from a request to its answer.
    turn: Mutex<()>,
}

impl Launcher {
    /// Its sandboxes end with it: some may not have done so yet.
    fn is_gone(&self) -> bool {
        is_hung_up(self.socket.as_fd())
    }

    fn call(&self, request: &Request) -> Result<(Reply, Vec<OwnedFd>), ProtocolError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        send(self.socket.as_fd(), request, &[])?;
        if connect::wait_readable(self.socket.as_fd(), Instant::now() + ANSWER_MAX).is_err() {
            tracing::error!("the launcher does not answer and is ended");
            let _gone_already = pidfd_send_signal(&self.process, Signal::KILL);
            return Err(ProtocolError::Gone);
        }
        receive(self.socket.as_fd())
    }
}

/// The agent of a blank sandbox.
#[derive(Debug)]
struct Agent {
    connection: OwnedFd,
    /// Whose sandbox it is.
    launcher: u64,
}

/// Sandboxes made of name spaces, control groups, seccomp and Landlock.
#[derive(Debug)]
pub struct LinuxIsolation {
    config: LinuxConfig,
    tier: EffectiveTier,
    saving: Saving,
    cgroups: Cgroups,
    /// Emptied when dropped, so that the launcher sees its end.
    launcher: RwLock<Option<Arc<Launcher>>>,
    /// Waits for the launcher's end. Held by whoever replaces it.
    reaper: Mutex<Option<JoinHandle<()>>>,
    /// Of blank sandboxes.
    agents: Mutex<HashMap<SandboxId, Agent>>,
    /// Blank sandboxes that are being made and that nobody has asked to end meanwhile.
    wanted: Mutex<HashSet<SandboxId>>,
}

impl LinuxIsolation {
    /// Starts the launcher, which removes what an earlier daemon of this instance left behind.
    ///
    /// # Errors
    /// The host cannot give the tier; the reason says what is lacking.
    pub fn start(config: LinuxConfig) -> Result<Self, IsolationError> {
        start::start(config)
    }

    fn launcher(&self) -> Result<Arc<Launcher>, ProtocolError> {
        self.launcher.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(ProtocolError::Gone)
    }

    /// The number of the launcher that is there now.
    fn current(&self) -> Option<u64> {
        self.launcher().ok().map(|launcher| launcher.number)
    }

    fn request(
        &self,
        sandbox: SandboxId,
        step: &'static str,
        request: &Request,
    ) -> Result<Vec<OwnedFd>, IsolationError> {
        match self.launcher().and_then(|launcher| launcher.call(request)) {
            Ok((Reply::Done, descriptors)) => Ok(descriptors),
            Ok((Reply::Failed { step: detail, reason }, _)) => {
                Err(failed(sandbox, step, format!("{detail}: {reason}")))
            }
            Ok((Reply::NeedsMaps | Reply::Ready(_) | Reply::Criu { .. }, _)) => {
                Err(failed(sandbox, step, ProtocolError::Malformed))
            }
            Err(ProtocolError::Gone) => Err(IsolationError::LauncherGone),
            Err(error) => Err(failed(sandbox, step, error)),
        }
    }

    /// Waits for the new process to become the agent, and connects to it. Tells whether it has a waiting interpreter already.
    fn await_birth(&self, sandbox: SandboxId, status: &OwnedFd) -> Result<(OwnedFd, bool), IsolationError> {
        let deadline = Instant::now() + BIRTH_MAX;
        let (mut socket, mut is_parked) = (None, false);
        loop {
            connect::wait_readable(status.as_fd(), deadline).map_err(|errno| failed(sandbox, CREATE, errno))?;
            match receive(status.as_fd()) {
                Ok((Status::Socket { parked }, descriptors)) => {
                    (socket, is_parked) = (descriptors.into_iter().next(), parked);
                }
                Ok((Status::NetworkReady | Status::Attached | Status::Prepared, _)) => {}
                Ok((Status::Failed(reason), _)) => return Err(failed(sandbox, CREATE, reason)),
                Err(ProtocolError::Gone) => break,
                Err(error) => return Err(failed(sandbox, CREATE, error)),
            }
        }
        let socket = socket.ok_or_else(|| failed(sandbox, CREATE, "the new process has ended"))?;
        failpoint("born");
        connect::connect_agent(&socket, Instant::now() + LISTEN_MAX)
            .map_err(|errno| failed(sandbox, CREATE, format!("the agent does not listen: {errno}")))?;
        Ok((socket, is_parked))
    }

    fn create_once(
        &self,
        spec: &BlankSpec,
        park: Option<&Park>,
        zygote: Option<&Zygote>,
        launcher: u64,
    ) -> Result<Readiness, IsolationError> {
        let request =
            Request::Create { id: spec.id, root: spec.root.clone(), zygote: zygote.cloned(), urgent: spec.urgent };
        let status = self.request(spec.id, CREATE, &request)?;
        let status = status.into_iter().next();
        let status = status.ok_or_else(|| failed(spec.id, CREATE, "the launcher sent no status socket"))?;
        let born = self.await_birth(spec.id, &status).and_then(|(connection, is_parked)| {
            let Some(park) = park else { return Ok((connection, Readiness::Empty)) };
            let ready = park::park(&connection, park, Instant::now() + PARK_MAX)
                .map_err(|error| failed(spec.id, CREATE, error))?;
            let readiness = match (ready, is_parked) {
                (false, _) => Readiness::Empty,
                (true, false) => Readiness::Parked,
                (true, true) => Readiness::Forked,
            };
            Ok((connection, readiness))
        });
        match born {
            Ok((connection, readiness)) => {
                self.agents().insert(spec.id, Agent { connection, launcher });
                Ok(readiness)
            }
            Err(error) => {
                self.remove(spec.id)?;
                Err(error)
            }
        }
    }

    /// With a new launcher where the last one has died.
    fn create_somehow(
        &self,
        spec: &BlankSpec,
        park: Option<&Park>,
        zygote: Option<&Zygote>,
    ) -> Result<Readiness, IsolationError> {
        let launcher = self.current().ok_or(IsolationError::LauncherGone)?;
        match self.create_once(spec, park, zygote, launcher) {
            Ok(readiness) => Ok(readiness),
            // It died over it, and perhaps another has taken its place already.
            Err(IsolationError::LauncherGone) => self.create_with_another(spec, park, zygote),
            Err(_) if self.current() != Some(launcher) => self.create_with_another(spec, park, zygote),
            Err(error) => Err(error),
        }
    }

    fn create_with_another(
        &self,
        spec: &BlankSpec,
        park: Option<&Park>,
        zygote: Option<&Zygote>,
    ) -> Result<Readiness, IsolationError> {
        self.revive()?;
        let launcher = self.current().ok_or(IsolationError::LauncherGone)?;
        self.create_once(spec, park, zygote, launcher)
    }

    fn agents(&self) -> MutexGuard<'_, HashMap<SandboxId, Agent>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> MutexGuard<'_, HashSet<SandboxId>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, id: SandboxId) -> Result<(), IsolationError> {
        const DESTROY: &str = "destroy";
        self.agents().remove(&id);
        let gone = self.request(id, DESTROY, &Request::Destroy { id })?;
        let Some(gone) = gone.first() else { return Ok(()) };
        connect::wait_readable(gone.as_fd(), Instant::now() + DEATH_MAX).map_err(|errno| failed(id, DESTROY, errno))
    }
}

fn await_network(sandbox: SandboxId, status: &OwnedFd) -> Result<(), IsolationError> {
    let deadline = Instant::now() + NETWORK_MAX;
    connect::wait_readable(status.as_fd(), deadline).map_err(|errno| failed(sandbox, ASSIGN, errno))?;
    match receive(status.as_fd()) {
        Ok((Status::NetworkReady, _)) => Ok(()),
        Ok((Status::Failed(reason), _)) => Err(failed(sandbox, ASSIGN, reason)),
        Ok((Status::Socket { .. } | Status::Attached | Status::Prepared, _)) => {
            Err(failed(sandbox, ASSIGN, ProtocolError::Malformed))
        }
        Err(error) => Err(failed(sandbox, ASSIGN, error)),
    }
}

fn await_code(sandbox: SandboxId, status: OwnedFd) -> Result<(), IsolationError> {
    if connect::wait_readable(status.as_fd(), Instant::now() + CODE_MAX).is_err() {
        return Err(IsolationError::Hangs { sandbox, ended: status });
    }
    match receive(status.as_fd()) {
        Ok((Status::Attached, _)) => Ok(()),
        Ok((Status::Failed(reason), _)) => Err(failed(sandbox, ASSIGN, reason)),
        Ok((Status::Socket { .. } | Status::NetworkReady | Status::Prepared, _)) => {
            Err(failed(sandbox, ASSIGN, ProtocolError::Malformed))
        }
        Err(error) => Err(failed(sandbox, ASSIGN, error)),
    }
}

const CREATE: &str = "create";
const ASSIGN: &str = "assign";

fn failed(sandbox: SandboxId, step: &'static str, reason: impl ToString) -> IsolationError {
    IsolationError::Failed { sandbox, step, reason: reason.to_string() }
}

impl Isolation for LinuxIsolation {
    fn tier(&self) -> &EffectiveTier {
        &self.tier
    }

    fn create(&self, spec: &BlankSpec) -> Result<Readiness, IsolationError> {
        let (park, zygote) = match &spec.parking {
            Parking::None => (None, None),
            Parking::Exec(park) => (Some(park), None),
            Parking::Zygote(park, zygote) => (Some(park), Some(zygote)),
        };
        if zygote.is_none() {
            return self.create_somehow(spec, park, None);
        }
        self.wanted().insert(spec.id);
        let created = self.create_somehow(spec, park, zygote);
        match (created, self.wanted().remove(&spec.id)) {
            // The zygote may have died over it; nobody waits for the next.
            (Err(IsolationError::Failed { reason, .. }), true) => {
                tracing::warn!(sandbox = %spec.id, reason, "zygote");
                self.create_somehow(spec, park, None)
            }
            (result, _) => result,
        }
    }

    fn assign(&self, id: SandboxId, spec: &AssignSpec) -> Result<OwnedFd, IsolationError> {
        self.cgroups.set_limits(id, &Limits::from(spec)).map_err(|error| failed(id, ASSIGN, error))?;
        failpoint("assign.ask");
        let request = Request::Assign {
            id,
            task_dir: spec.task_dir.clone(),
            may_hang: spec.task_dir_may_hang,
            opt_dir: spec.opt_dir.clone(),
            tmp_mib: spec.tmp_mib,
            network: spec.network,
        };
        let mut statuses = self.request(id, ASSIGN, &request)?;
        if spec.task_dir_may_hang {
            let of_code = statuses.pop();
            await_code(id, of_code.ok_or_else(|| failed(id, ASSIGN, "the launcher sent no status socket"))?)?;
        }
        if let Some(of_network) = statuses.first() {
            await_network(id, of_network)?;
        }
        failpoint("assign.done");
        let agent = self.agents().remove(&id).ok_or_else(|| failed(id, ASSIGN, "it is assigned already"))?;
        Ok(agent.connection)
    }

    fn saving(&self) -> &Saving {
        &self.saving
    }

    fn save(&self, id: SandboxId, assign: &AssignSpec, images: &Path) -> Result<(), IsolationError> {
        self.try_save(id, assign, images).map_err(|reason| failed(id, "save", reason))
    }

    fn restore(&self, id: SandboxId, spec: &RestoreSpec) -> Result<OwnedFd, IsolationError> {
        let launcher = self.current();
        self.try_restore(id, spec).map_err(|reason| {
            // Nothing is wrong with the images if the launcher has died meanwhile: it does not answer, or another does.
            let answers = !matches!(self.remove(id), Err(IsolationError::LauncherGone));
            let same = launcher == self.current();
            if answers && same { failed(id, "restore", reason) } else { IsolationError::LauncherGone }
        })
    }

    fn hasten(&self, id: SandboxId, cpu_weight_millis: Option<u32>) -> Result<(), IsolationError> {
        self.cgroups.hasten(id, cpu_weight_millis).map_err(|error| failed(id, "hasten", error))
    }

    fn freeze(&self, id: SandboxId) -> Result<(), IsolationError> {
        self.cgroups.freeze(id).map_err(|error| failed(id, "freeze", error))
    }

    fn thaw(&self, id: SandboxId) -> Result<(), IsolationError> {
        self.cgroups.thaw(id).map_err(|error| failed(id, "thaw", error))
    }

    fn usage(&self, id: SandboxId) -> Result<Usage, IsolationError> {
        self.cgroups.usage(id).map_err(|error| failed(id, "read the usage", error))
    }

    fn has_died(&self, id: SandboxId) -> bool {
        let launcher = self.launcher().ok().filter(|launcher| !launcher.is_gone()).map(|launcher| launcher.number);
        let is_dead = |agent: &Agent| launcher != Some(agent.launcher) || is_hung_up(agent.connection.as_fd());
        self.agents().get(&id).is_some_and(is_dead)
    }

    fn destroy(&self, id: SandboxId) -> Result<(), IsolationError> {
        self.wanted().remove(&id);
        match self.remove(id) {
            // What it left behind, its successor removes before anything else.
            Err(IsolationError::LauncherGone) => self.revive(),
            result => result,
        }
    }
}

impl Drop for LinuxIsolation {
    fn drop(&mut self) {
        self.launcher.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reaper) = self.reaper.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _its_end_was_logged = reaper.join();
        }
    }
}
