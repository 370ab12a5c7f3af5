//! The new mount API: mounts are made detached, given their attributes, and only then attached.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_reconfigure, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, fspick, move_mount, open_tree,
};
use rustix::path::Arg;

use crate::error::{SysError, checked};

/// Attributes of one mount, such as read-only.
pub type MountAttributes = MountAttrFlags;

/// A detached copy of the tree of mounts at `path`.
///
/// # Errors
/// The path is not there, or is not in the calling thread's mount name space.
pub fn clone_tree(path: impl Arg, recursive: bool) -> Result<OwnedFd, SysError> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, path, flags).map_err(|errno| SysError::new("open_tree", errno))
}

/// A new file system, mounted nowhere yet. Options without a value are flags.
///
/// # Errors
/// The kernel does not know the file system or refuses an option.
pub fn make_filesystem(
    kind: &str,
    options: &[(&str, Option<&str>)],
    attributes: MountAttributes,
) -> Result<OwnedFd, SysError> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).map_err(|errno| SysError::new("fsopen", errno))?;
    for (key, value) in options {
        set_option(context.as_fd(), key, *value)?;
    }
    fsconfig_create(context.as_fd()).map_err(|errno| SysError::new("fsconfig create", errno))?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes).map_err(|errno| SysError::new("fsmount", errno))
}

/// Adds attributes to a detached mount and cuts it off from propagation; `recursive` for all mounts below it too.
///
/// # Errors
/// The kernel is older than 5.12, or the mount is not the caller's to change.
pub fn set_mount_attributes(
    mount: BorrowedFd<'_>,
    attributes: MountAttributes,
    recursive: bool,
) -> Result<(), SysError> {
    let attr = libc::mount_attr {
        attr_set: u64::from(attributes.bits()),
        attr_clr: 0,
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty NUL-terminated string and `attr` a whole `mount_attr`, both alive during the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            ptr::from_ref(&attr),
            size_of::<libc::mount_attr>(),
        )
    };
    checked("mount_setattr", result).map(drop)
}

/// Attaches a detached mount at `path`.
///
/// # Errors
/// The path is not there, or the calling thread may not mount.
pub fn attach_mount(mount: BorrowedFd<'_>, path: impl Arg) -> Result<(), SysError> {
    move_mount(mount, c"", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .map_err(|errno| SysError::new("move_mount", errno))
}

/// Changes an option of the file system mounted at `path`.
///
/// # Errors
/// Nothing is mounted there, or the caller may not change it so.
pub fn change_filesystem(path: impl Arg, key: &str, value: &str) -> Result<(), SysError> {
    let context = fspick(CWD, path, FsPickFlags::FSPICK_CLOEXEC).map_err(|errno| SysError::new("fspick", errno))?;
    set_option(context.as_fd(), key, Some(value))?;
    fsconfig_reconfigure(context.as_fd()).map_err(|errno| SysError::new("fsconfig reconfigure", errno))
}

fn set_option(context: BorrowedFd<'_>, key: &str, value: Option<&str>) -> Result<(), SysError> {
    let result = match value {
        Some(value) => fsconfig_set_string(context, key, value),
        None => fsconfig_set_flag(context, key),
    };
    result.map_err(|errno| SysError::new("fsconfig", errno))
}
