//! The files of images that are in use, in memory.

use std::path::{Path, PathBuf};

use fs_err as fs;
use rustix::fs::{Mode, OFlags};

use crate::images::ImagesError;

/// `TMPFS_MAGIC` of Linux.
const TMPFS: i64 = 0x0102_1994;

/// A directory of this process alone in a file system in memory.
#[derive(Debug)]
pub(crate) struct HotDir {
    path: PathBuf,
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
    /// Makes the directory, or empties one that an earlier process of this user left behind.
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
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?.path();
            fs::remove_dir_all(&entry).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), next: 0.into() })
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
        // Images that somebody still holds keep it; the next process empties it.
        let _still_used = fs::remove_dir(&self.path).is_err();
    }
}
