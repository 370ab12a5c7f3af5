//! Requests that CRIU serves.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use hearth_sys::failpoint;
use hearth_types::SandboxId;
use rustix::event::epoll;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::attach::AttachError;
use super::birth::prepare_once;
use super::criu::{Started, open_network, start_restore, start_save};
use super::server::{COMPANION_KEY, Sandbox, Server};
use super::{Step, StepError};
use crate::address::address_of;
use crate::protocol::{Reply, RestoreMounts};

/// The answer to a request that CRIU serves.
pub(super) struct Criu {
    pid: i32,
    first_id: u32,
    socket: OwnedFd,
    /// CRIU itself.
    process: OwnedFd,
}

impl Server {
    pub(super) fn answer_criu(
        &mut self,
        start: impl FnOnce(&mut Self) -> Result<Criu, AttachError>,
    ) -> Result<(), StepError> {
        match start(self) {
            Ok(Criu { pid, first_id, socket, process }) => {
                self.reply(&Reply::Criu { pid, first_id }, &[socket.as_fd(), process.as_fd()])
            }
            Err(AttachError::Failed(StepError { step, reason })) => {
                self.reply(&Reply::Failed { step: step.to_owned(), reason }, &[])
            }
            Err(AttachError::Lost(error)) => Err(error),
        }
    }

    /// CRIU for its own sake: to be asked what it is.
    pub(super) fn start_criu(&mut self) -> Result<Criu, AttachError> {
        let started = start_save(&self.workshop).map_err(AttachError::Failed)?;
        self.watch_criu(started, 0).map_err(AttachError::Failed)
    }

    pub(super) fn save(&mut self, id: SandboxId) -> Result<Criu, AttachError> {
        let sandbox = self.sandboxes.get(&id);
        let (pid, slot) = sandbox
            .and_then(|sandbox| sandbox.pid.zip(Some(sandbox.slot)).filter(|_| sandbox.pidfd.is_some()))
            .ok_or("it is dead or never was")
            .step("find the sandbox")
            .map_err(AttachError::Failed)?;
        let first_id = self.first_id(slot).map_err(AttachError::Failed)?;
        let started = start_save(&self.workshop).map_err(AttachError::Failed)?;
        let criu = self.watch_criu(started, first_id).map_err(AttachError::Failed)?;
        Ok(Criu { pid: pid.as_raw_nonzero().get(), ..criu })
    }

    pub(super) fn restore(&mut self, id: SandboxId, mounts: &RestoreMounts) -> Result<Criu, AttachError> {
        if !self.has_devices(&mounts.root).map_err(AttachError::Failed)? {
            return Err("the root has no device nodes of its own").step("mount the root").map_err(AttachError::Failed);
        }
        let slot = self.register(id).map_err(AttachError::Failed)?;
        let result = self.restore_into(id, slot, mounts);
        if result.is_err() {
            self.unswept.push(id);
        }
        result
    }

    fn restore_into(&mut self, id: SandboxId, slot: u32, mounts: &RestoreMounts) -> Result<Criu, AttachError> {
        let first_id = self.first_id(slot).map_err(AttachError::Failed)?;
        if let Some(sandbox) = self.sandboxes.get_mut(&id) {
            sandbox.restored = true;
        }
        let entrances = self.cgroups.create(id, true).step("make control groups").map_err(AttachError::Failed)?;
        let started = start_restore(&self.workshop, mounts, entrances, first_id)?;
        self.watch_criu(started, first_id).map_err(AttachError::Failed)
    }

    fn first_id(&self, slot: u32) -> Result<u32, StepError> {
        self.workshop.ids.first_id(slot).ok_or("the launcher is not root").step("find criu")
    }

    fn has_devices(&mut self, root: &Path) -> Result<bool, StepError> {
        prepare_once(&mut self.workshop, root)
    }

    fn watch_criu(&mut self, started: Started, first_id: u32) -> Result<Criu, StepError> {
        let Started { pid, pidfd, socket } = started;
        epoll::add(&self.epoll, &pidfd, epoll::EventData::new_u64(COMPANION_KEY), epoll::EventFlags::IN)
            .step("watch criu")?;
        let process = pidfd.try_clone().step("watch criu")?;
        self.companions.push(pidfd);
        Ok(Criu { pid: pid.as_raw_nonzero().get(), first_id, socket, process })
    }

    /// The tree that CRIU is restoring has its first process: from now on its end is the sandbox's.
    pub(super) fn adopt(&mut self, id: SandboxId, pid: i32) -> Result<OwnedFd, AttachError> {
        const STEP: &str = "adopt the restored process";
        let fail = AttachError::Failed;
        let sandbox: &mut Sandbox = self
            .sandboxes
            .get_mut(&id)
            .filter(|sandbox| sandbox.restored && sandbox.pidfd.is_none() && sandbox.doomed.is_none())
            .ok_or("it is not being restored")
            .step(STEP)
            .map_err(fail)?;
        let pid = Pid::from_raw(pid).ok_or("not a process").step(STEP).map_err(fail)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).step(STEP).map_err(fail)?;
        epoll::add(&self.epoll, &pidfd, epoll::EventData::new_u64(id.0), epoll::EventFlags::IN)
            .step(STEP)
            .map_err(fail)?;
        failpoint("criu.adopt");
        sandbox.pid = Some(pid);
        let pidfd = sandbox.pidfd.insert(pidfd);
        open_network(pidfd.as_fd(), self.own_network.as_fd(), address_of(id))
    }
}
