//! The launcher's side of making a sandbox.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use hearth_sys::{Cloned, MountAttributes, Namespaces, clone_process, clone_tree, failpoint, set_mount_attributes};
use hearth_types::SandboxId;
use rustix::fs::{Mode, OFlags, openat};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType, recvmsg,
    send, socketpair,
};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};

use super::child::Birth;
use super::ids::IdScheme;
use super::root::{identify_root, prepare_root};
use super::server::Workshop;
use super::zygote::Unborn;
use super::{Step, StepError};
use crate::address::address_of;
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
    let root = detach_root(root)?;
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
            status: theirs,
            launcher: workshop.own_pidfd.as_fd(),
            address: address_of(id),
            own_uid: workshop.ids.has_function_uid(),
            filter: &workshop.filter,
            landlock: workshop.landlock,
            stage: "",
            parked: None,
        };
        birth.live(&entrances.v1);
    }
    failpoint("birth.cloned");
    workshop.stages.enter_host()?;
    match cloned.step("clone a process into new name spaces")? {
        Cloned::Parent { pid, pidfd } => release(workshop.ids, slot, Newborn { pid, pidfd, status: ours }),
        Cloned::Child => Err("the child went on as its parent").step("clone a process into new name spaces"),
    }
}

/// Gives the first process that a zygote has made, and which reports now, its groups and ids, and lets it go on.
pub(super) fn deliver(unborn: &Unborn, ids: IdScheme, slot: u32) -> Result<(Pid, OwnedFd), StepError> {
    let pid = reporting_process(&unborn.go)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).step("open the new process")?;
    failpoint("born.told");
    let delivered = enter_groups(&unborn.entrances, pid)
        .and_then(|()| ids.write_maps(pid, slot))
        .and_then(|()| send(&unborn.go, b"\n", SendFlags::NOSIGNAL).step("let the process go"));
    failpoint("born.go");
    if let Err(error) = delivered {
        let _dead_already = pidfd_send_signal(&pidfd, Signal::KILL);
        let _reaped = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
        return Err(error);
    }
    Ok((pid, pidfd))
}

/// Who sent what is to be received, by the kernel's word; a child of ours.
fn reporting_process(go: &OwnedFd) -> Result<Pid, StepError> {
    const STEP: &str = "await the new process";
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0; 1];
    let received = recvmsg(go, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::DONTWAIT).step(STEP)?;
    let credentials = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmCredentials(credentials) => Some(credentials),
        _ => None,
    });
    let pid = credentials.filter(|_| received.bytes == 1).map(|credentials| credentials.pid);
    let pid = pid.ok_or("it is gone").step(STEP)?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid), options).step("find the new process among the children")?;
    Ok(pid)
}

fn enter_groups(entrances: &Entrances, pid: Pid) -> Result<(), StepError> {
    const STEP: &str = "enter a control group";
    let number = pid.as_raw_nonzero().to_string();
    for group in &entrances.v1 {
        rustix::io::write(group, number.as_bytes()).step(STEP)?;
    }
    if let Some(group) = &entrances.v2 {
        let members = openat(group, "cgroup.procs", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).step(STEP)?;
        rustix::io::write(&members, number.as_bytes()).step(STEP)?;
    }
    Ok(())
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

/// The root as a mount of its own, read-only, that is not attached anywhere.
pub(super) fn detach_root(root: &Path) -> Result<OwnedFd, StepError> {
    let root = clone_tree(root, true).step("mount the root")?;
    let read_only = MountAttributes::MOUNT_ATTR_RDONLY | MountAttributes::MOUNT_ATTR_NOSUID;
    set_mount_attributes(root.as_fd(), read_only, true).step("mount the root")?;
    Ok(root)
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
