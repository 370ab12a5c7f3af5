//! Attaching a directory whose file system may not answer: a process of its own waits for that, not the launcher.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use hearth_sys::keep_only;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::attach::{AttachError, Attachment, attach};
use super::egress::fork;
use super::stage::Stages;
use super::{Step, StepError};
use crate::linux::wait_readable;
use crate::protocol::{self, Status};

const STEP: &str = "attach the live directory";

/// Attaching that is under way.
#[derive(Debug)]
pub(super) struct Apart {
    /// Killed, it ends at once, or else when the file system answers.
    pub(super) process: OwnedFd,
    /// For the daemon: [`Status::Attached`] or a failure. Its other end is open for as long as the process is there.
    pub(super) status: OwnedFd,
}

/// Begins to attach to the sandbox of the process `pidfd`.
pub(super) fn attach_apart(
    stages: &Stages,
    pidfd: BorrowedFd<'_>,
    launcher: BorrowedFd<'_>,
    attachment: &Attachment<'_>,
) -> Result<Apart, StepError> {
    let (status, tell_status) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).step(STEP)?;
    let process = fork(|| {
        let [host, empty] = stages.handles();
        // Whatever else it had would stay open for as long as it hangs.
        rustix::stdio::dup2_stderr(rustix::stdio::stdin()).step(STEP)?;
        keep_only(&[tell_status.as_fd(), pidfd, launcher, host, empty]).step(STEP)?;
        set_parent_process_death_signal(Some(Signal::KILL)).step(STEP)?;
        if wait_readable(launcher, Instant::now()).is_ok() {
            return Err("the launcher is gone").step(STEP);
        }
        let status = match attach(stages, pidfd, attachment) {
            Ok(()) => Status::Attached,
            Err(AttachError::Failed(error) | AttachError::Lost(error)) => Status::Failed(error.to_string()),
        };
        protocol::send(tell_status.as_fd(), &status, &[]).step("tell the daemon")
    })?;
    Ok(Apart { process, status })
}
