//! The files of images that are in use, in memory.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use fs_err as fs;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};

use crate::images::ImagesError;

/// `TMPFS_MAGIC` of Linux.
const TMPFS: i64 = 0x0102_1994;

/// Held by the process that uses a directory, for as long as it lives.
const LOCK: &str = "lock";

/// A directory of this process alone in a file system in memory.
#[derive(Debug)]
pub(crate) struct HotDir {
    path: PathBuf,
    _lock: OwnedFd,
    next: std::sync::atomic::AtomicU64,
}

/// The files of one image. They are gone when the last who holds this lets go.
#[derive(Debug)]
pub struct Hot {
    path: PathBuf,
    pub(crate) bytes: u64,
}

impl Hot {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Hot {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "a copy of a template stays in memory");
        }
    }
}

impl HotDir {
    /// Makes the directory, or empties one that an earlier process of this user left behind. Others' beside it, whose processes
    /// were killed, are removed: they would take memory for ever.
    pub(crate) fn open(path: &Path) -> Result<Self, ImagesError> {
        let failed = |source| ImagesError::Io { step: "make", path: path.to_owned(), source };
        let parent = path.parent().unwrap_or(Path::new("/"));
        let kind = rustix::fs::statfs(parent).map_err(|errno| failed(errno.into()))?.f_type;
        if kind != TMPFS {
            return Err(ImagesError::NotInMemory { path: parent.to_owned() });
        }
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno.into())),
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| failed(errno.into()))?;
        let stat = rustix::fs::fstat(&dir).map_err(|errno| failed(errno.into()))?;
        // Anybody may make directories there.
        if stat.st_uid != rustix::process::geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
            return Err(failed(std::io::Error::other("it belongs to somebody else")));
        }
        let lock = take_lock(&dir, OFlags::CREATE).ok_or_else(|| failed(std::io::Error::other("it is in use")))?;
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name() != LOCK {
                fs::remove_dir_all(entry.path()).map_err(failed)?;
            }
        }
        sweep(parent, path);
        Ok(Self { path: path.to_owned(), _lock: lock, next: 0.into() })
    }

    /// Removes all of it. What somebody still reads stays until they let go, or the next process comes.
    pub(crate) fn close(&self) {
        let _still_used = fs::remove_file(self.path.join(LOCK)).and_then(|()| fs::remove_dir(&self.path)).is_err();
    }

    /// A new empty directory below it.
    pub(crate) fn make(&self) -> Result<Hot, ImagesError> {
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = self.path.join(number.to_string());
        match fs::create_dir(&path) {
            Ok(()) => Ok(Hot { path, bytes: 0 }),
            Err(source) => Err(ImagesError::Io { step: "make", path, source }),
        }
    }
}

impl Drop for HotDir {
    fn drop(&mut self) {
        self.close();
    }
}

fn take_lock(dir: &OwnedFd, flags: OFlags) -> Option<OwnedFd> {
    let flags = flags | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let lock = openat(dir, LOCK, flags, Mode::RUSR | Mode::WUSR).ok()?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(lock)
}

/// Removes directories like `own` of this user that no process holds any more.
fn sweep(parent: &Path, own: &Path) {
    let Some((prefix, _)) = own.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('-')) else {
        return;
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_alike = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.split_once('-').is_some_and(|(start, _)| start == prefix));
        if is_alike && entry.path() != own && is_left(&entry.path()) {
            let _another_did = fs::remove_dir_all(entry.path()).is_err();
        }
    }
}

fn is_left(path: &Path) -> bool {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(dir) = rustix::fs::open(path, flags, Mode::empty()) else { return false };
    let is_ours = rustix::fs::fstat(&dir).is_ok_and(|stat| stat.st_uid == rustix::process::geteuid().as_raw());
    // Without a lock it is being made this moment, or is nobody's we know.
    is_ours && take_lock(&dir, OFlags::empty()).is_some()
}
