//! The launcher's side of making a sandbox.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use hearth_sys::{Cloned, MountAttributes, Namespaces, clone_process, clone_tree, set_mount_attributes};
use hearth_types::SandboxId;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use super::child::Birth;
use super::ids::IdScheme;
use super::root::{identify_root, prepare_root};
use super::server::Workshop;
use super::{Step, StepError};
use crate::cgroup::Entrances;

/// A process that is on its way to become an agent.
#[derive(Debug)]
pub(crate) struct Newborn {
    pub(crate) pid: Pid,
    pub(crate) pidfd: OwnedFd,
    /// For the daemon: failure, or closed when the agent runs.
    pub(crate) status: OwnedFd,
}

/// Clones a process into new name spaces and lets it go. Its groups exist already.
pub(crate) fn give_birth(
    workshop: &mut Workshop,
    id: SandboxId,
    root: &Path,
    slot: u32,
    entrances: Entrances,
) -> Result<Newborn, StepError> {
    let root_has_devices = prepare_once(workshop, root)?;
    let root = clone_tree(root, true).step("mount the root")?;
    let read_only = MountAttributes::MOUNT_ATTR_RDONLY | MountAttributes::MOUNT_ATTR_NOSUID;
    set_mount_attributes(root.as_fd(), read_only, true).step("mount the root")?;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .step("make a status socket")?;
    workshop.stages.enter_empty()?;
    let namespaces = Namespaces::NEWUSER | Namespaces::NEWPID | Namespaces::NEWNS | Namespaces::NEWTIME;
    let cloned = clone_process(namespaces, entrances.v2.as_ref().map(AsFd::as_fd));
    if matches!(cloned, Ok(Cloned::Child)) {
        drop(ours);
        let birth = Birth {
            root,
            root_has_devices,
            groups: entrances.v1,
            status: theirs,
            launcher: workshop.own_pidfd.as_fd(),
            hostname: id.to_string(),
            ids: workshop.ids,
            filter: &workshop.filter,
            landlock: workshop.landlock,
        };
        birth.live();
    }
    workshop.stages.enter_host()?;
    match cloned.step("clone a process into new name spaces")? {
        Cloned::Parent { pid, pidfd } => release(workshop.ids, slot, Newborn { pid, pidfd, status: ours }),
        Cloned::Child => Err("the child went on as its parent").step("clone a process into new name spaces"),
    }
}

/// Lets the process go on with the ids of its slot.
fn release(ids: IdScheme, slot: u32, newborn: Newborn) -> Result<Newborn, StepError> {
    let released = ids
        .write_maps(newborn.pid, slot)
        .and_then(|()| send(&newborn.status, b"1", SendFlags::NOSIGNAL).step("let the process go"));
    if released.is_err() {
        abandon(&newborn);
    }
    released.map(|_| newborn)
}

/// Ends a process that cannot become a sandbox.
pub(crate) fn abandon(newborn: &Newborn) {
    let _dead_already = pidfd_send_signal(&newborn.pidfd, Signal::KILL);
    let _reaped = waitid(WaitId::PidFd(newborn.pidfd.as_fd()), WaitIdOptions::EXITED);
}

pub(super) fn prepare_once(workshop: &mut Workshop, root: &Path) -> Result<bool, StepError> {
    let identity = identify_root(root)?;
    if let Some(has_devices) = workshop.prepared_roots.get(&identity) {
        return Ok(*has_devices);
    }
    let has_devices = prepare_root(root)?;
    workshop.prepared_roots.insert(identity, has_devices);
    Ok(has_devices)
}
