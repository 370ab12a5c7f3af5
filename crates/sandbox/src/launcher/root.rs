//! Making a prepared root directory ready to be mounted: mount points and device nodes.
//!
//! The directory may come from somebody's image: no symbolic link in it is followed.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, chmodat, makedev, mkdirat, mknodat, open, openat, statat, symlinkat};
use rustix::io::Errno;

use super::{Step, StepError};

/// A device that every sandbox has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device {
    pub(crate) name: &'static str,
    minor: u32,
}

/// Memory devices, major number 1 (`Documentation/admin-guide/devices.txt` of Linux).
pub(crate) const DEVICES: [Device; 5] = [
    Device { name: "null", minor: 3 },
    Device { name: "zero", minor: 5 },
    Device { name: "full", minor: 7 },
    Device { name: "random", minor: 8 },
    Device { name: "urandom", minor: 9 },
];
const MEMORY_MAJOR: u32 = 1;

/// Names in `/dev` and what they point to.
pub(crate) const DEVICE_LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// Directories of the root on which something is mounted.
const MOUNT_POINTS: [&[&str]; 6] =
    [&["proc"], &["dev", "shm"], &["tmp"], &["opt"], &["var", "task"], &[".hearth", "empty"]];
/// Files of the root on which something is mounted.
const FILE_POINTS: [(&str, &str); 2] = [(".hearth", "agent"), ("etc", "resolv.conf")];

/// Adds what is lacking. True if the root has device nodes of its own, false if they have to be mounted.
pub(crate) fn prepare_root(path: &Path) -> Result<bool, StepError> {
    let root = open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).step("open the root")?;
    for components in MOUNT_POINTS {
        ensure_dir(root.as_fd(), components).step("make a mount point in the root")?;
    }
    for (dir, name) in FILE_POINTS {
        let dir = ensure_dir(root.as_fd(), &[dir]).step("make a mount point in the root")?;
        ensure_file(dir.as_fd(), name).step("make a mount point in the root")?;
    }
    let dev = ensure_dir(root.as_fd(), &["dev"]).step("make device nodes in the root")?;
    for (name, target) in DEVICE_LINKS {
        ignore_existing(symlinkat(target, dev.as_fd(), name)).step("make device nodes in the root")?;
    }
    Ok(DEVICES.iter().all(|device| make_device(dev.as_fd(), device).is_ok()))
}

/// Makes a device node unless it is there already.
pub(crate) fn make_device(dev: BorrowedFd<'_>, device: &Device) -> Result<(), Errno> {
    let number = makedev(MEMORY_MAJOR, device.minor);
    match statat(dev, device.name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == number => {
            return Ok(());
        }
        Ok(_) => return Err(Errno::EXIST),
        Err(_) => {}
    }
    mknodat(dev, device.name, FileType::CharacterDevice, Mode::from_raw_mode(0o666), number)?;
    chmodat(dev, device.name, Mode::from_raw_mode(0o666), rustix::fs::AtFlags::empty())
}

fn ensure_dir(root: BorrowedFd<'_>, components: &[&str]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut dir = openat(root, ".", flags, Mode::empty())?;
    for name in components {
        ignore_existing(mkdirat(&dir, *name, Mode::from_raw_mode(0o755)))?;
        dir = openat(&dir, *name, flags, Mode::empty())?;
    }
    Ok(dir)
}

/// Whatever is there already stays, be it a link.
fn ensure_file(dir: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    ignore_existing(openat(dir, name, flags, Mode::from_raw_mode(0o644)).map(drop))
}

fn ignore_existing(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::EXIST) => Ok(()),
        result => result,
    }
}

/// What tells one root directory from another, also when it was replaced under the same path.
pub(crate) fn identify_root(path: &Path) -> Result<(u64, u64), StepError> {
    let stat = statat(CWD, path, rustix::fs::AtFlags::empty()).step("open the root")?;
    Ok((stat.st_dev, stat.st_ino))
}
