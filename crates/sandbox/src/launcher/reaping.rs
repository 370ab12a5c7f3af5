//! What becomes of the dead, and of what they held on the host.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use hearth_sys::find_dead_child;
use hearth_types::SandboxId;
use rustix::event::epoll;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use super::server::Server;
use crate::linux::wait_readable;

/// For how long killed processes are waited for at the end. Whoever waits for a file system that does not answer stays behind.
const END_MAX: Duration = Duration::from_secs(5);

impl Server {
    pub(super) fn reap_companions(&mut self) {
        let (epoll, slots) = (&self.epoll, &mut self.slots);
        let is_gone = |process: &OwnedFd| {
            let gone = is_reaped(process, WaitIdOptions::NOHANG);
            if gone {
                let _never_fails_for_a_watched_one = epoll::delete(epoll, process);
            }
            gone
        };
        self.zygotes.reap(is_gone).into_iter().for_each(|slot| slots.give_back(slot));
        self.companions.retain(|process| !is_gone(process));
    }

    /// Children that others made and that died before anybody told of them: a zygote's, and those of a CRIU that was killed.
    /// Whom a descriptor is there for is left to that: more may be behind it, and are looked for after the next event. As long as
    /// somebody is to be born none is reaped: a number that has been told must not become another's.
    pub(super) fn reap_strays(&mut self) {
        let expecting = self.sandboxes.values().any(|sandbox| sandbox.unborn.is_some());
        while self.strays && !expecting {
            match find_dead_child() {
                Some(pid) if self.is_watched(pid) => return,
                Some(pid) => {
                    let dead = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
                    self.strays = waitid(WaitId::Pid(pid), dead).is_ok();
                }
                None => self.strays = false,
            }
        }
    }

    fn is_watched(&self, pid: Pid) -> bool {
        let mut sandboxes = self.sandboxes.values();
        sandboxes.any(|sandbox| sandbox.pidfd.is_some() && sandbox.pid == Some(pid))
            || self.companions.iter().chain(self.zygotes.processes()).any(is_over)
    }

    /// The first process of a sandbox has ended, after all the others.
    pub(super) fn reap(&mut self, id: SandboxId) {
        let Some(sandbox) = self.sandboxes.get_mut(&id) else { return };
        if let Some(unborn) = sandbox.unborn.take() {
            return self.deliver(id, unborn);
        }
        let Some(pidfd) = &sandbox.pidfd else { return };
        if !is_reaped(pidfd, WaitIdOptions::NOHANG) {
            return;
        }
        let _never_fails_for_a_watched_one = epoll::delete(&self.epoll, pidfd);
        sandbox.pidfd = None;
        sandbox.egress = None;
        if sandbox.doomed.is_some() {
            self.remove(id);
        }
    }

    /// Removes what a dead sandbox still holds.
    pub(super) fn remove(&mut self, id: SandboxId) {
        if !self.cgroups.remove(id) {
            self.unswept.push(id);
        } else if let Some(sandbox) = self.sandboxes.remove(&id) {
            self.slots.give_back(sandbox.slot);
        }
    }

    pub(super) fn sweep(&mut self) {
        for id in std::mem::take(&mut self.unswept) {
            self.cgroups.kill(id);
            self.remove(id);
        }
    }

    /// The end: kills and removes everything that can be.
    pub(super) fn remove_all(&mut self) {
        let ids: Vec<_> = self.sandboxes.keys().copied().collect();
        for id in &ids {
            let _counted_below = self.destroy(*id);
        }
        for process in self.companions.iter().chain(self.zygotes.processes()) {
            let _dead_already = pidfd_send_signal(process, Signal::KILL);
        }
        let deadline = Instant::now() + END_MAX;
        let firsts = ids.iter().filter_map(|id| self.sandboxes.get(id)?.pidfd.as_ref());
        for process in firsts.chain(&self.companions).chain(self.zygotes.processes()) {
            let _not_in_time = wait_readable(process.as_fd(), deadline);
            is_reaped(process, WaitIdOptions::NOHANG);
        }
        self.cgroups.remove_leftovers();
        self.cgroups.remove_instance();
    }
}

fn is_over(process: &OwnedFd) -> bool {
    let looking = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::PidFd(process.as_fd()), looking), Ok(Some(_)))
}

fn is_reaped(process: &OwnedFd, options: WaitIdOptions) -> bool {
    matches!(waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED | options), Ok(Some(_)))
}
