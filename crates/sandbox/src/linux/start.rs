//! Starting the launcher and giving it what it needs.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::connect::wait_readable;
use super::id_maps::map_ids;
use super::{Launcher, LinuxConfig, LinuxIsolation, Subnet, TIER};
use crate::cgroup::Cgroups;
use crate::criu::Version;
use crate::isolation::{EffectiveTier, IsolationError, Saving};
use crate::launcher::{FUNCTION_GID, FUNCTION_UID};
use crate::protocol::{Configure, ProtocolError, Ready, Reply, Request, receive, send};

/// Longest time that the launcher may take to be ready, waiting for a predecessor included.
const READY_MAX: Duration = Duration::from_secs(10);

/// A launcher that is ready.
struct Launched {
    ready: Ready,
    socket: OwnedFd,
    child: Child,
}

pub(super) fn start(config: LinuxConfig) -> Result<LinuxIsolation, IsolationError> {
    check_instance(&config.instance)?;
    let launched = launch(&config)?;
    let mut isolation = assemble(config, launched)?;
    isolation.saving = find_saving(&isolation);
    Ok(isolation)
}

fn launch(config: &LinuxConfig) -> Result<Launched, IsolationError> {
    let (socket, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(|errno| unavailable(format!("no socket for the launcher: {errno}")))?;
    let mut child = Command::new(&config.launcher_exe)
        .args(&config.launcher_args)
        .args(hearth_sys::failpoint_argument())
        .env_clear()
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| unavailable(format!("{} cannot be started: {error}", config.launcher_exe.display())))?;
    match converse(config, &socket, child.id()) {
        Ok(ready) => Ok(Launched { ready, socket, child }),
        Err(reason) => {
            drop(socket);
            let _ends_by_itself = child.wait();
            Err(unavailable(reason))
        }
    }
}

impl LinuxIsolation {
    /// Starts a launcher in the place of one that has died. Its sandboxes are gone; whoever was given one is told by the
    /// connection.
    pub(super) fn revive(&self) -> Result<(), IsolationError> {
        let mut reaper = self.reaper.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.launcher().map_err(|_gone| IsolationError::LauncherGone)?;
        if !old.is_gone() {
            // Another has done it meanwhile.
            return Ok(());
        }
        // It kills what is left in the groups, which must not be what the next puts there.
        let _its_end_was_logged = reaper.take().map(JoinHandle::join);
        let launched = launch(&self.config)?;
        tracing::warn!("the launcher of sandboxes was lost; another one was started");
        let launcher = Launcher::new(old.number + 1, launched.socket, &launched.child)?;
        *reaper = await_end(launched.child, launched.ready.cgroups);
        *self.launcher.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(launcher));
        Ok(())
    }
}

impl Launcher {
    fn new(number: u64, socket: OwnedFd, child: &Child) -> Result<Self, IsolationError> {
        let pid = Pid::from_child(child);
        let process = pidfd_open(pid, PidfdFlags::empty())
            .map_err(|errno| unavailable(format!("the launcher cannot be watched: {errno}")))?;
        Ok(Self { number, socket, process, turn: Mutex::default() })
    }
}

fn unavailable(reason: String) -> IsolationError {
    IsolationError::Unavailable { tier: TIER, reason }
}

/// It becomes part of file names.
fn check_instance(instance: &str) -> Result<(), IsolationError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=64).contains(&instance.len()) && instance.bytes().all(fits) {
        return Ok(());
    }
    Err(unavailable(format!("{instance:?} is no instance name: use 1 to 64 letters, digits and hyphens")))
}

fn converse(config: &LinuxConfig, socket: &OwnedFd, pid: u32) -> Result<Ready, String> {
    let configure = Configure {
        agent_binary: config.agent_binary.clone(),
        run_dir: config.run_dir.clone(),
        instance: config.instance.clone(),
        uid_base: config.uid_base,
        criu: config.criu.clone(),
        egress_allow: config.egress_allow.iter().map(ipv4_only).collect::<Result<_, _>>()?,
    };
    let text = |error: ProtocolError| format!("the launcher does not answer: {error}");
    send(socket.as_fd(), &Request::Configure(configure), &[]).map_err(text)?;
    let deadline = Instant::now() + READY_MAX;
    loop {
        wait_readable(socket.as_fd(), deadline).map_err(|errno| format!("the launcher does not answer: {errno}"))?;
        match receive(socket.as_fd()).map_err(text)?.0 {
            Reply::Ready(ready) => return Ok(ready),
            Reply::NeedsMaps => {
                let ids = map_ids(pid)?;
                send(socket.as_fd(), &Request::Mapped { ids }, &[]).map_err(text)?;
            }
            Reply::Failed { step, reason } => return Err(format!("the launcher failed to {step}: {reason}")),
            Reply::Done | Reply::Criu { .. } => return Err("the launcher gave an answer without a question".to_owned()),
        }
    }
}

fn ipv4_only(subnet: &Subnet) -> Result<(Ipv4Addr, u8), String> {
    match subnet.address {
        IpAddr::V4(address) if subnet.prefix_length <= 32 => Ok((address, subnet.prefix_length)),
        address => Err(format!("egress cannot be allowed to {address}/{}: IPv4 only", subnet.prefix_length)),
    }
}

fn assemble(config: LinuxConfig, launched: Launched) -> Result<LinuxIsolation, IsolationError> {
    let Launched { ready, socket, child } = launched;
    let privilege = if ready.root { "root" } else { "rootless" };
    let missing = [ready.missing, ready.cgroups.missing.clone()].concat();
    let function_uid_gid = ready.own_uid.then_some((FUNCTION_UID, FUNCTION_GID));
    let tier = EffectiveTier { name: TIER, privilege, function_uid_gid, missing };
    let launcher = Launcher::new(1, socket, &child)?;
    Ok(LinuxIsolation {
        config,
        tier,
        saving: Saving::Unavailable { reason: String::new() },
        reaper: Mutex::new(await_end(child, ready.cgroups.clone())),
        cgroups: ready.cgroups,
        launcher: RwLock::new(Some(Arc::new(launcher))),
        agents: Mutex::default(),
        wanted: Mutex::default(),
    })
}

#[expect(clippy::disallowed_methods, reason = "whoever replaces or drops the launcher joins it")]
fn await_end(mut child: Child, groups: Cgroups) -> Option<JoinHandle<()>> {
    let reaper = std::thread::Builder::new().name("launcher-reaper".to_owned()).spawn(move || match child.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => {
            tracing::error!(%status, "the launcher has ended");
            // Its sandboxes end with it, but for those that CRIU was restoring.
            groups.remove_leftovers();
        }
        Err(error) => tracing::error!(%error, "the launcher cannot be waited for"),
    });
    reaper.ok()
}

/// Asks CRIU what it is, once.
fn find_saving(isolation: &LinuxIsolation) -> Saving {
    let unavailable = |reason: &str| Saving::Unavailable { reason: reason.to_owned() };
    if isolation.tier.privilege != "root" {
        return unavailable("saving sandboxes needs root");
    }
    let Some(criu) = &isolation.config.criu else {
        return unavailable("there is no CRIU on this machine; scripts/install-criu installs it");
    };
    match isolation.ask_criu() {
        Ok(version) => Saving::Available { identity: identity(&version) },
        Err(reason) => Saving::Unavailable { reason: format!("{}: {reason}", criu.display()) },
    }
}

/// An image is restored by the CRIU, kernel and kind of processor that saved it.
fn identity(version: &Version) -> String {
    let system = rustix::system::uname();
    let processor = fs_err::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let is_kind = |line: &&str| ["model name", "flags", "Features", "CPU part"].iter().any(|key| line.starts_with(key));
    let mut kinds: Vec<&str> = processor.lines().filter(is_kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let (release, machine) = (system.release().to_string_lossy(), system.machine().to_string_lossy());
    format!("criu {version}\nLinux {release} {machine}\n{}", kinds.join("\n"))
}
