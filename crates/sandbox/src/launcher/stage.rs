//! The two mount name spaces between which the launcher steps.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use fs_err as fs;
use fs_err::os::unix::fs::symlink;
use hearth_sys::{
    MountAttributes, Namespaces, attach_mount, clone_tree, make_filesystem, set_mount_attributes, unshare_namespaces,
};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, open, statx};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::process::{chdir, fchdir, pivot_root};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::egress::RESOLVER_CONFIG;
use super::root::{DEVICE_LINKS, DEVICES, make_device};
use super::{Step, StepError};

/// Where, on the empty stage, things lie that go into sandboxes.
pub(crate) const STAGE_AGENT: &str = "/agent";
pub(crate) const STAGE_DEV: &str = "/dev";
pub(crate) const STAGE_RESOLVER: &str = "/resolv.conf";
/// Where the empty stage lies in the mounts of a zygote.
pub(crate) const STAGE_IN_ROOT: &str = "/.hearth/empty";
/// Where a new sandbox assembles its root.
pub(crate) const STAGE_ROOT: &str = "/root";

/// Handles of both.
#[derive(Debug)]
pub(crate) struct Stages {
    host: OwnedFd,
    empty: OwnedFd,
    /// Keeps the hierarchy alive that makes moves between version 1 groups fast.
    _quick_moves: Option<OwnedFd>,
}

impl Stages {
    /// Makes both stages and steps onto the host stage. `agent` is copied, so that it stays the same for all sandboxes of
    /// this launcher.
    pub(crate) fn build(agent: &Path, work_dir: &Path) -> Result<Self, StepError> {
        let quick_moves = make_quick_moves();
        leave_the_hosts_mounts()?;
        let host = own_mounts()?;
        unshare_namespaces(Namespaces::NEWNS).step("make the empty stage")?;
        furnish(agent, work_dir)?;
        let empty = own_mounts()?;
        let stages = Self { host, empty, _quick_moves: quick_moves };
        stages.enter_host()?;
        Ok(stages)
    }

    pub(super) fn handles(&self) -> [BorrowedFd<'_>; 2] {
        [self.host.as_fd(), self.empty.as_fd()]
    }

    pub(crate) fn enter_host(&self) -> Result<(), StepError> {
        move_into_link_name_space(self.host.as_fd(), Some(LinkNameSpaceType::Mount)).step("return to the host's mounts")
    }

    pub(crate) fn enter_empty(&self) -> Result<(), StepError> {
        move_into_link_name_space(self.empty.as_fd(), Some(LinkNameSpaceType::Mount)).step("enter the empty stage")
    }
}

/// Gives the launcher a copy of the mounts, to which new ones of the host still come and from which none go back.
///
/// Where the daemon runs in a `chroot`, that becomes the root of the copy: stepping between name spaces leads to their roots,
/// and the kernel makes no user name space for one who sees another root than that.
fn leave_the_hosts_mounts() -> Result<(), StepError> {
    unshare_namespaces(Namespaces::NEWNS).step("detach mounts")?;
    let seen = open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).step("open the root")?;
    move_into_link_name_space(own_mounts()?.as_fd(), Some(LinkNameSpaceType::Mount)).step("detach mounts")?;
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC).step("detach mounts")?;
    if identity(&seen)? == identity(open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).step("open the root")?)? {
        return Ok(());
    }
    fchdir(&seen).step("enter the root")?;
    let root = clone_tree(".", true).step("copy the root")?;
    attach_mount(root.as_fd(), ".").step("attach the root")?;
    fchdir(&root).step("enter the root")?;
    pivot_root(".", ".").step("pivot to the root")?;
    unmount(".", UnmountFlags::DETACH).step("leave what is above the root")?;
    chdir("/").step("enter the root")
}

/// Tells directories apart, and a directory from itself mounted elsewhere.
fn identity(directory: impl AsFd) -> Result<(u64, u64), StepError> {
    let wanted = StatxFlags::INO | StatxFlags::MNT_ID;
    let seen = statx(directory, "", AtFlags::EMPTY_PATH, wanted).step("look at the root")?;
    Ok((seen.stx_ino, seen.stx_mnt_id))
}

/// While a hierarchy with `favordynmods` exists, moving a process between version 1 groups takes a tenth of a
/// millisecond instead of about ten. It is a matter of speed alone: who may not mount it goes without.
fn make_quick_moves() -> Option<OwnedFd> {
    let options = [("none", None), ("name", Some("hearth")), ("favordynmods", None)];
    make_filesystem("cgroup", &options, MountAttributes::empty()).ok()
}

fn own_mounts() -> Result<OwnedFd, StepError> {
    open("/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).step("open own name space")
}

/// Fills a small file system with what sandboxes take from it, and makes it the only mount besides `/proc`.
fn furnish(agent: &Path, work_dir: &Path) -> Result<(), StepError> {
    let options = [("size", Some("64m")), ("mode", Some("755"))];
    let stage = make_filesystem("tmpfs", &options, MountAttributes::MOUNT_ATTR_NOSUID).step("mount the empty stage")?;
    attach_mount(stage.as_fd(), work_dir).step("attach the empty stage")?;
    chdir(work_dir).step("enter the empty stage")?;
    for dir in [STAGE_ROOT, STAGE_DEV, "/proc"] {
        fs::create_dir(&dir[1..]).step("furnish the empty stage")?;
    }
    fs::copy(agent, &STAGE_AGENT[1..]).step("copy the agent")?;
    fs::set_permissions(&STAGE_AGENT[1..], std::os::unix::fs::PermissionsExt::from_mode(0o555))
        .step("copy the agent")?;
    fs::write(&STAGE_RESOLVER[1..], RESOLVER_CONFIG).step("furnish the empty stage")?;
    furnish_dev()?;
    let proc = make_filesystem("proc", &[], MountAttributes::empty()).or_else(|_| clone_tree("/proc", true));
    attach_mount(proc.step("mount /proc")?.as_fd(), "proc").step("attach /proc")?;
    pivot_root(".", ".").step("pivot to the empty stage")?;
    unmount(".", UnmountFlags::DETACH).step("leave the host's mounts")?;
    chdir("/").step("enter the empty stage")
}

/// Device nodes for roots that have none: real ones where that is allowed, else the host's, bound.
fn furnish_dev() -> Result<(), StepError> {
    let dev = fs_err::File::open(&STAGE_DEV[1..]).step("furnish /dev")?;
    for device in &DEVICES {
        if make_device(dev.as_fd(), device).is_ok() {
            continue;
        }
        let path = format!("dev/{}", device.name);
        fs::File::create(&path).step("furnish /dev")?;
        let host = clone_tree(format!("/dev/{}", device.name), false).step("bind a device")?;
        set_mount_attributes(host.as_fd(), MountAttributes::MOUNT_ATTR_NOSUID, false).step("bind a device")?;
        attach_mount(host.as_fd(), path).step("bind a device")?;
    }
    for (name, target) in DEVICE_LINKS {
        symlink(target, format!("dev/{name}")).step("furnish /dev")?;
    }
    rustix::fs::mkdirat(CWD, "dev/shm", Mode::from_raw_mode(0o755)).step("furnish /dev")
}
