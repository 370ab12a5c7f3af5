//! The launcher's loop and what the daemon asks of it. `reaping` sees to the dead.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hearth_sys::init_process::open_child_signals;
use hearth_sys::{FilterInstruction, Subnet4, block_signals, close_from};
use hearth_types::{NetworkMode, SandboxId};
use rustix::event::epoll;
use rustix::fs::{Mode, OFlags, open};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal, setsid};
use rustix::time::Timespec;

use super::apart::attach_apart;
use super::attach::{AttachError, Attachment, attach};
use super::birth::{Newborn, abandon, deliver, give_birth};
use super::cradle::{CRADLE_VARIABLE, grow_up};
use super::criu::prepare_run;
use super::egress::start_egress;
use super::ids::{IdScheme, Slots};
use super::setup::{allow_many_files, enter_user_namespace, is_privileged, lock_run_dir};
use super::stage::Stages;
use super::zygote::{Conceived, Unborn, Zygotes};
use super::{Step, StepError};
use crate::cgroup::Cgroups;
use crate::protocol::{ProtocolError, Ready, Reply, Request, Zygote, receive, send};
use crate::{cgroup, landlock, seccomp};

/// Epoll keys of the daemon's socket and of processes beside the sandboxes, which have their ids.
const DAEMON_KEY: u64 = u64::MAX;
pub(super) const COMPANION_KEY: u64 = u64::MAX - 1;
/// Of the descriptor that tells of children's deaths.
const CHILDREN_KEY: u64 = u64::MAX - 2;
/// How soon to try again to remove a group that still has dying processes.
const SWEEP_NS: i64 = 2_000_000;

const SINGLE_UID: &str = "users of their own for functions: the daemon is not root and was given no further ids, so that functions run \
    under its own user; install newuidmap (Debian package uidmap) and give the user a range in /etc/subuid and /etc/subgid";
const NO_LANDLOCK: &str = "Landlock as a second layer: this kernel lacks version 3 of it; use Linux 6.2 or later with landlock among its \
    security modules (lsm=)";

/// What it takes to make sandboxes.
pub(super) struct Workshop {
    pub(super) stages: Stages,
    pub(super) ids: IdScheme,
    pub(super) filter: Vec<FilterInstruction>,
    pub(super) landlock: bool,
    pub(super) own_pidfd: OwnedFd,
    /// Device and inode of roots that were made ready, and whether they have device nodes.
    pub(super) prepared_roots: HashMap<(u64, u64), bool>,
    /// The program that saves and restores, and the run directory.
    pub(super) criu: Option<(PathBuf, PathBuf)>,
}

/// A sandbox that holds something on the host.
pub(super) struct Sandbox {
    pub(super) slot: u32,
    /// As the launcher sees its first process.
    pub(super) pid: Option<Pid>,
    /// `None` once its first process, and with it every other, is dead and reaped.
    pub(super) pidfd: Option<OwnedFd>,
    /// A zygote was asked for its first process.
    pub(super) unborn: Option<Unborn>,
    /// Set when it is to be removed: closes then.
    pub(super) doomed: Option<OwnedFd>,
    /// Holds the way out open.
    pub(super) egress: Option<OwnedFd>,
    /// Who attaches its code, which may take until somebody's file system answers.
    pub(super) attaching: Option<OwnedFd>,
    /// It came by CRIU, which may still be at work in its groups.
    pub(super) restored: bool,
}

pub(super) struct Server {
    daemon: OwnedFd,
    pub(super) epoll: OwnedFd,
    pub(super) workshop: Workshop,
    pub(super) cgroups: Cgroups,
    pub(super) slots: Slots,
    pub(super) sandboxes: HashMap<SandboxId, Sandbox>,
    /// Dead and doomed, but a group could not be removed yet.
    pub(super) unswept: Vec<SandboxId>,
    /// Processes that give sandboxes their way out, or code that may hang; to be reaped.
    pub(super) companions: Vec<OwnedFd>,
    pub(super) zygotes: Zygotes,
    /// Readable when a child has died.
    child_signals: OwnedFd,
    /// Some child may have died of which no descriptor tells.
    pub(super) strays: bool,
    egress_allow: Vec<Subnet4>,
    pub(super) own_network: OwnedFd,
    /// Held until the end: closing any descriptor of the file would give the lock up.
    _lock: OwnedFd,
}

/// The launcher's `main`: to be called before anything else in a process that [`crate::LinuxIsolation::start`] has
/// started with its launcher arguments. Serves the daemon at the other end of standard input until that closes, then
/// kills and removes all sandboxes.
pub fn launcher_main() -> ExitCode {
    if let Some(text) = std::env::var_os(CRADLE_VARIABLE) {
        return grow_up(&text);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// On the daemon's log. Whether that can be written does not matter to sandboxes.
pub(super) fn tell(error: &dyn std::fmt::Display) {
    let _unwritten = writeln!(io::stderr(), "hearth launcher: {error}").is_err();
}

fn run() -> Result<(), StepError> {
    let _leads_its_session_already = setsid();
    block_signals().step("hold back signals")?;
    let daemon = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3).step("take the daemon's socket")?;
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).step("open /dev/null")?;
    rustix::stdio::dup2_stdin(&null).step("open /dev/null")?;
    close_from(3).step("close descriptors")?;
    allow_many_files();
    match Server::set_up(&daemon) {
        Ok((mut server, ready)) => {
            server.reply(&Reply::Ready(ready), &[])?;
            let result = server.serve();
            server.remove_all();
            result
        }
        Err(error) => {
            let reply = Reply::Failed { step: error.step.to_owned(), reason: error.reason.clone() };
            send(daemon.as_fd(), &reply, &[]).step("answer the daemon")?;
            Err(error)
        }
    }
}

impl Server {
    fn set_up(daemon: &OwnedFd) -> Result<(Self, Ready), StepError> {
        let (Request::Configure(config), _) = receive(daemon.as_fd()).step("read the configuration")? else {
            return Err("not the first request").step("read the configuration");
        };
        let mut missing = Vec::new();
        let lock = lock_run_dir(&config.run_dir)?;
        let root = is_privileged();
        let ids = if root { IdScheme::Ranges { base: config.uid_base } } else { enter_user_namespace(daemon)? };
        if ids == IdScheme::Single {
            missing.push(SINGLE_UID.to_owned());
        }
        let cgroups = cgroup::prepare(&config.instance);
        missing.extend(cgroups.remove_leftovers().iter().map(|left| format!("{} cannot be removed", left.display())));
        let stages = Stages::build(&config.agent_binary, &config.run_dir)?;
        let filter = seccomp::compile();
        let landlock = landlock::is_available();
        if !landlock {
            missing.push(NO_LANDLOCK.to_owned());
        }
        let own_pidfd = pidfd_open(getpid(), PidfdFlags::empty()).step("open own process")?;
        let prepared_roots = HashMap::new();
        let criu = config.criu.filter(|_| root).map(|program| (program, config.run_dir.clone()));
        if criu.is_some() {
            prepare_run(&config.run_dir)?;
        }
        let own_network =
            open("/proc/self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).step("open own name space")?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).step("make an epoll")?;
        let daemon = daemon.try_clone().step("take the daemon's socket")?;
        epoll::add(&epoll, &daemon, epoll::EventData::new_u64(DAEMON_KEY), epoll::EventFlags::IN)
            .step("watch the daemon")?;
        let child_signals = open_child_signals().step("watch children")?;
        epoll::add(&epoll, &child_signals, epoll::EventData::new_u64(CHILDREN_KEY), epoll::EventFlags::IN)
            .step("watch children")?;
        let ready = Ready { cgroups: cgroups.clone(), root, own_uid: ids.has_function_uid(), missing };
        let workshop = Workshop { stages, ids, filter, landlock, own_pidfd, prepared_roots, criu };
        let subnet = |(address, length)| Subnet4::new(address, length);
        let server = Self {
            daemon,
            epoll,
            workshop,
            cgroups,
            slots: Slots::default(),
            sandboxes: HashMap::new(),
            unswept: Vec::new(),
            companions: Vec::new(),
            zygotes: Zygotes::default(),
            child_signals,
            strays: false,
            egress_allow: config.egress_allow.into_iter().map(subnet).collect(),
            own_network,
            _lock: lock,
        };
        Ok((server, ready))
    }

    /// Until the daemon is gone.
    fn serve(&mut self) -> Result<(), StepError> {
        let mut events = Vec::with_capacity(64);
        loop {
            let pause = Timespec { tv_sec: 0, tv_nsec: SWEEP_NS };
            let timeout = (!self.unswept.is_empty()).then_some(&pause);
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno).step("wait for events"),
            }
            for event in events.drain(..) {
                match event.data.u64() {
                    DAEMON_KEY => match receive(self.daemon.as_fd()) {
                        Ok((request, _)) => self.answer(request)?,
                        Err(ProtocolError::Gone) => return Ok(()),
                        Err(error) => return Err(error).step("read a request"),
                    },
                    COMPANION_KEY => self.reap_companions(),
                    CHILDREN_KEY => self.strays = rustix::io::read(&self.child_signals, &mut [0; 1024]).is_ok(),
                    id => self.reap(SandboxId(id)),
                }
            }
            self.reap_strays();
            self.sweep();
        }
    }

    /// Fails only when the launcher is of no further use.
    fn answer(&mut self, request: Request) -> Result<(), StepError> {
        let result = match request {
            Request::Create { id, root, zygote, urgent } => {
                self.create(id, &root, zygote.as_ref(), urgent).map(|status| vec![status])
            }
            Request::Destroy { id } => self.destroy(id).map(Vec::from_iter),
            Request::Assign { id, task_dir, may_hang, opt_dir, tmp_mib, network } => {
                let resolver = network == NetworkMode::Egress;
                let attachment = Attachment { task_dir: &task_dir, opt_dir: opt_dir.as_deref(), tmp_mib, resolver };
                match self.assign(id, &attachment, may_hang) {
                    Ok(statuses) => Ok(statuses),
                    Err(AttachError::Failed(error)) => Err(error),
                    Err(AttachError::Lost(error)) => return Err(error),
                }
            }
            Request::Save { id } => return self.answer_criu(|server| server.save(id)),
            Request::Restore { id, mounts } => return self.answer_criu(|server| server.restore(id, &mounts)),
            Request::Ask => return self.answer_criu(Self::start_criu),
            Request::Adopt { id, pid } => match self.adopt(id, pid) {
                Ok(socket) => Ok(vec![socket]),
                Err(AttachError::Failed(error)) => Err(error),
                Err(AttachError::Lost(error)) => return Err(error),
            },
            Request::Configure(_) | Request::Mapped { .. } => Err("not at this time").step("answer the daemon"),
        };
        match result {
            Ok(descriptors) => {
                let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
                self.reply(&Reply::Done, &descriptors)
            }
            Err(StepError { step, reason }) => self.reply(&Reply::Failed { step: step.to_owned(), reason }, &[]),
        }
    }

    pub(super) fn reply(&self, reply: &Reply, descriptors: &[std::os::fd::BorrowedFd<'_>]) -> Result<(), StepError> {
        match send(self.daemon.as_fd(), reply, descriptors) {
            Ok(()) | Err(ProtocolError::Gone) => Ok(()),
            Err(error) => Err(error).step("answer the daemon"),
        }
    }

    /// A new sandbox, which holds a range of ids.
    pub(super) fn register(&mut self, id: SandboxId) -> Result<u32, StepError> {
        if self.sandboxes.contains_key(&id) || id.0 >= COMPANION_KEY {
            return Err("this sandbox exists already").step("create the sandbox");
        }
        let slot = self.slots.take(self.workshop.ids.slots())?;
        let sandbox = Sandbox {
            slot,
            pid: None,
            pidfd: None,
            unborn: None,
            doomed: None,
            egress: None,
            attaching: None,
            restored: false,
        };
        self.sandboxes.insert(id, sandbox);
        Ok(slot)
    }

    fn create(
        &mut self,
        id: SandboxId,
        root: &Path,
        zygote: Option<&Zygote>,
        urgent: bool,
    ) -> Result<OwnedFd, StepError> {
        let slot = self.register(id)?;
        let made = self.cgroups.create(id, urgent).step("make control groups").and_then(|entrances| {
            let conceived = match zygote {
                Some(zygote) => self.conceive(id, root, zygote)?,
                None => None,
            };
            match conceived {
                Some(conceived) => {
                    let (unborn, status) = Unborn::new(conceived, entrances);
                    self.expect(id, unborn).map(|()| status)
                }
                None => {
                    let newborn = give_birth(&mut self.workshop, id, root, slot, entrances)?;
                    self.welcome(id, newborn)
                }
            }
        });
        made.inspect_err(|_| self.unswept.push(id))
    }

    /// Has a zygote make the first process. Without one it is started, for later sandboxes.
    fn conceive(&mut self, id: SandboxId, root: &Path, zygote: &Zygote) -> Result<Option<Conceived>, StepError> {
        let conceived = self.zygotes.conceive(&mut self.workshop, id, root, zygote)?;
        if conceived.is_none() {
            let started = self.zygotes.start(&mut self.workshop, root, zygote, &mut self.slots)?;
            if let Some(process) = started {
                epoll::add(&self.epoll, process, epoll::EventData::new_u64(COMPANION_KEY), epoll::EventFlags::IN)
                    .step("watch the zygote")?;
            }
        }
        Ok(conceived)
    }

    fn expect(&mut self, id: SandboxId, unborn: Unborn) -> Result<(), StepError> {
        epoll::add(&self.epoll, &unborn.go, epoll::EventData::new_u64(id.0), epoll::EventFlags::IN)
            .step("watch the sandbox")?;
        if let Some(sandbox) = self.sandboxes.get_mut(&id) {
            sandbox.unborn = Some(unborn);
        }
        Ok(())
    }

    fn welcome(&mut self, id: SandboxId, newborn: Newborn) -> Result<OwnedFd, StepError> {
        let watched = epoll::add(&self.epoll, &newborn.pidfd, epoll::EventData::new_u64(id.0), epoll::EventFlags::IN);
        if watched.is_err() {
            abandon(&newborn);
        }
        watched.step("watch the sandbox")?;
        if let Some(sandbox) = self.sandboxes.get_mut(&id) {
            sandbox.pid = Some(newborn.pid);
            sandbox.pidfd = Some(newborn.pidfd);
        }
        Ok(newborn.status)
    }

    /// The first process that a zygote was asked for has reported, or never will: its sockets are closed then, and the daemon
    /// sees it by them.
    pub(super) fn deliver(&mut self, id: SandboxId, unborn: Unborn) {
        let Some(sandbox) = self.sandboxes.get_mut(&id) else { return };
        let doomed = sandbox.doomed.is_some();
        let delivered = deliver(&unborn, self.workshop.ids, sandbox.slot);
        if let Err(error) = &delivered {
            tell(error);
        }
        if let Ok((pid, pidfd)) = delivered {
            let watched = epoll::add(&self.epoll, &pidfd, epoll::EventData::new_u64(id.0), epoll::EventFlags::IN);
            sandbox.pid = Some(pid);
            if doomed || watched.is_err() {
                let _dead_already = pidfd_send_signal(&pidfd, Signal::KILL);
            }
            sandbox.pidfd = Some(pidfd);
        } else if doomed {
            self.remove(id);
        }
    }

    /// Answers with status sockets: of the network, then of the code.
    fn assign(
        &mut self,
        id: SandboxId,
        attachment: &Attachment<'_>,
        may_hang: bool,
    ) -> Result<Vec<OwnedFd>, AttachError> {
        let sandbox = self.sandboxes.get_mut(&id);
        let process =
            sandbox.and_then(|sandbox| sandbox.pid.zip(sandbox.pidfd.as_ref()).zip(Some(&mut sandbox.attaching)));
        let ((pid, pidfd), attaching) =
            process.ok_or("it is dead or never was").step("find the sandbox").map_err(AttachError::Failed)?;
        let launcher = self.workshop.own_pidfd.as_fd();
        let mut statuses = Vec::new();
        let mut companions = Vec::new();
        if may_hang {
            let apart = attach_apart(&self.workshop.stages, pidfd.as_fd(), launcher, attachment)
                .map_err(AttachError::Failed)?;
            *attaching = apart.process.try_clone().ok();
            companions.push(apart.process);
            statuses.push(apart.status);
        } else {
            attach(&self.workshop.stages, pidfd.as_fd(), attachment)?;
        }
        if attachment.resolver {
            let egress = start_egress(pid, pidfd.as_fd(), launcher, &self.egress_allow).map_err(AttachError::Failed)?;
            companions.extend(egress.processes);
            statuses.insert(0, egress.status);
            if let Some(sandbox) = self.sandboxes.get_mut(&id) {
                sandbox.egress = Some(egress.lifeline);
            }
        }
        for process in companions {
            epoll::add(&self.epoll, &process, epoll::EventData::new_u64(COMPANION_KEY), epoll::EventFlags::IN)
                .step("watch who makes a sandbox ready")
                .map_err(AttachError::Lost)?;
            self.companions.push(process);
        }
        Ok(statuses)
    }

    /// Kills now; the rest happens when the death is seen.
    pub(super) fn destroy(&mut self, id: SandboxId) -> Result<Option<OwnedFd>, StepError> {
        let Some(sandbox) = self.sandboxes.get_mut(&id) else { return Ok(None) };
        let (gone, doomed) = pipe_with(PipeFlags::CLOEXEC).step("make a pipe")?;
        sandbox.doomed = Some(doomed);
        if let Some(attaching) = sandbox.attaching.take() {
            let _dead_already = pidfd_send_signal(attaching, Signal::KILL);
        }
        if sandbox.restored {
            self.cgroups.kill(id);
        }
        match &sandbox.pidfd {
            Some(pidfd) => {
                let _dead_already = pidfd_send_signal(pidfd, Signal::KILL);
                self.cgroups.let_die(id);
            }
            None => match &sandbox.unborn {
                // Either it reports, or the zygote's end closes its socket.
                Some(unborn) => self.zygotes.give_up(unborn),
                None => {
                    self.cgroups.kill(id);
                    self.remove(id);
                }
            },
        }
        Ok(Some(gone))
    }
}
