//! Attaching a function's code to a blank sandbox, from outside.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use hearth_sys::{MountAttributes, attach_mount, change_filesystem, clone_tree, set_mount_attributes};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use super::stage::{STAGE_RESOLVER, Stages};
use super::{Step, StepError};

/// Attaching failed, or, worse, the launcher could not get back to its own mounts.
#[derive(Debug)]
pub(crate) enum AttachError {
    Failed(StepError),
    Lost(StepError),
}

/// What to attach.
#[derive(Debug)]
pub(crate) struct Attachment<'a> {
    pub(crate) task_dir: &'a Path,
    pub(crate) opt_dir: Option<&'a Path>,
    pub(crate) tmp_mib: u32,
    /// Name servers are reachable: the sandbox gets the configuration for them.
    pub(crate) resolver: bool,
}

/// Attaches it to the sandbox of the process `pidfd`.
pub(crate) fn attach(stages: &Stages, pidfd: BorrowedFd<'_>, attachment: &Attachment<'_>) -> Result<(), AttachError> {
    let task = detached(attachment.task_dir).map_err(AttachError::Failed)?;
    let opt = attachment.opt_dir.map(detached).transpose().map_err(AttachError::Failed)?;
    let resolver = if attachment.resolver { Some(resolver(stages)?) } else { None };
    move_into_thread_name_spaces(pidfd, ThreadNameSpaceType::MOUNT)
        .step("enter the sandbox")
        .map_err(AttachError::Failed)?;
    let result = attach_inside(&task, opt.as_ref(), resolver.as_ref(), attachment.tmp_mib);
    stages.enter_host().map_err(AttachError::Lost)?;
    result.map_err(AttachError::Failed)
}

pub(super) fn detached(dir: &Path) -> Result<OwnedFd, StepError> {
    let attributes =
        MountAttributes::MOUNT_ATTR_RDONLY | MountAttributes::MOUNT_ATTR_NOSUID | MountAttributes::MOUNT_ATTR_NODEV;
    let mount = clone_tree(dir, false).step("mount the code")?;
    set_mount_attributes(mount.as_fd(), attributes, false).step("mount the code")?;
    Ok(mount)
}

/// The configuration lies on the empty stage.
fn resolver(stages: &Stages) -> Result<OwnedFd, AttachError> {
    stages.enter_empty().map_err(AttachError::Lost)?;
    let mount = detached(Path::new(STAGE_RESOLVER));
    stages.enter_host().map_err(AttachError::Lost)?;
    mount.map_err(AttachError::Failed)
}

fn attach_inside(
    task: &OwnedFd,
    opt: Option<&OwnedFd>,
    resolver: Option<&OwnedFd>,
    tmp_mib: u32,
) -> Result<(), StepError> {
    attach_mount(task.as_fd(), "/var/task").step("attach /var/task")?;
    if let Some(opt) = opt {
        attach_mount(opt.as_fd(), "/opt").step("attach /opt")?;
    }
    if let Some(resolver) = resolver {
        attach_mount(resolver.as_fd(), "/etc/resolv.conf").step("attach /etc/resolv.conf")?;
    }
    change_filesystem("/tmp", "size", &format!("{tmp_mib}m")).step("set the size of /tmp")
}
