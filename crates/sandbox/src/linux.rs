//! The isolation tier `linux`: the daemon's side.

mod connect;
mod id_maps;
mod start;

use std::ffi::OsString;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hearth_types::SandboxId;
use rustix::net::RecvFlags;

use crate::cgroup::{Cgroups, Limits};
use crate::isolation::{AssignSpec, BlankSpec, EffectiveTier, Isolation, IsolationError, Usage};
use crate::protocol::{ProtocolError, Reply, Request, receive, send};

const TIER: &str = "linux";
/// Longest time that a new process may take to become the agent: a matter of a millisecond on a quiet host.
const BIRTH_MAX: Duration = Duration::from_secs(10);
/// Longest time that the agent may take to listen.
const LISTEN_MAX: Duration = Duration::from_secs(5);
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
}

/// Sandboxes made of name spaces, control groups, seccomp and Landlock.
#[derive(Debug)]
pub struct LinuxIsolation {
    tier: EffectiveTier,
    cgroups: Cgroups,
    /// Emptied when dropped, so that the launcher sees its end.
    socket: Mutex<Option<OwnedFd>>,
    launcher: Option<JoinHandle<()>>,
}

impl LinuxIsolation {
    /// Starts the launcher, which removes what an earlier daemon of this instance left behind.
    ///
    /// # Errors
    /// The host cannot give the tier; the reason says what is lacking.
    pub fn start(config: LinuxConfig) -> Result<Self, IsolationError> {
        start::start(&config)
    }

    fn call(&self, request: &Request) -> Result<Result<Option<OwnedFd>, (String, String)>, ProtocolError> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = socket.as_ref().ok_or(ProtocolError::Gone)?.as_fd();
        send(socket, request, &[])?;
        match receive(socket)? {
            (Reply::Done, descriptors) => Ok(Ok(descriptors.into_iter().next())),
            (Reply::Failed { step, reason }, _) => Ok(Err((step, reason))),
            (Reply::NeedsMaps | Reply::Ready(_), _) => Err(ProtocolError::Malformed),
        }
    }

    fn request(
        &self,
        sandbox: SandboxId,
        step: &'static str,
        request: &Request,
    ) -> Result<Option<OwnedFd>, IsolationError> {
        match self.call(request) {
            Ok(Ok(descriptor)) => Ok(descriptor),
            Ok(Err((detail, reason))) => Err(failed(sandbox, step, format!("{detail}: {reason}"))),
            Err(ProtocolError::Gone) => Err(IsolationError::LauncherGone),
            Err(error) => Err(failed(sandbox, step, error)),
        }
    }

    /// Waits for the new process to become the agent.
    fn await_birth(&self, sandbox: SandboxId, status: &OwnedFd) -> Result<(), IsolationError> {
        let deadline = Instant::now() + BIRTH_MAX;
        let mut text = [0; 1024];
        let read = connect::wait_readable(status.as_fd(), deadline)
            .and_then(|()| rustix::net::recv(status, &mut text[..], RecvFlags::empty()));
        match read {
            Ok((0, _)) => Ok(()),
            Ok((length, _)) => Err(failed(sandbox, CREATE, String::from_utf8_lossy(&text[..length]))),
            Err(errno) => Err(failed(sandbox, CREATE, errno)),
        }
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

    fn create(&self, spec: &BlankSpec) -> Result<(), IsolationError> {
        let request = Request::Create { id: spec.id, root: spec.root.clone() };
        let status = self.request(spec.id, CREATE, &request)?;
        let status = status.ok_or_else(|| failed(spec.id, CREATE, "the launcher sent no status socket"))?;
        let born = self.await_birth(spec.id, &status);
        if born.is_err() {
            self.destroy(spec.id)?;
        }
        born
    }

    fn assign(&self, id: SandboxId, spec: &AssignSpec) -> Result<OwnedFd, IsolationError> {
        self.cgroups.set_limits(id, &Limits::from(spec)).map_err(|error| failed(id, ASSIGN, error))?;
        let request = Request::Assign {
            id,
            task_dir: spec.task_dir.clone(),
            opt_dir: spec.opt_dir.clone(),
            tmp_mib: spec.tmp_mib,
            network: spec.network,
        };
        let socket = self.request(id, ASSIGN, &request)?;
        let socket = socket.ok_or_else(|| failed(id, ASSIGN, "the launcher sent no socket"))?;
        connect::connect_agent(&socket, Instant::now() + LISTEN_MAX).map_err(|errno| failed(id, ASSIGN, errno))?;
        Ok(socket)
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

    fn destroy(&self, id: SandboxId) -> Result<(), IsolationError> {
        const DESTROY: &str = "destroy";
        let Some(gone) = self.request(id, DESTROY, &Request::Destroy { id })? else { return Ok(()) };
        connect::wait_readable(gone.as_fd(), Instant::now() + DEATH_MAX).map_err(|errno| failed(id, DESTROY, errno))
    }
}

impl Drop for LinuxIsolation {
    fn drop(&mut self) {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(launcher) = self.launcher.take() {
            let _its_end_was_logged = launcher.join();
        }
    }
}
