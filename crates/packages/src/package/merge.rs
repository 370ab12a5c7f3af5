//! Layers into one tree by hard links. The layers are their makers' work: the kernel is told to follow no symbolic link.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::{PackageError, failed};

/// A tree, and where it lies.
struct Tree<'a> {
    path: &'a Path,
    top: OwnedFd,
}

/// Fills `target`, which is empty, from the layers in order.
pub(super) fn layers(sources: &[PathBuf], target: &Path) -> Result<(), PackageError> {
    let target = Tree::open(target)?;
    sources.iter().try_for_each(|source| merge(&Tree::open(source)?, &target))
}

/// Goes by a list instead of calling itself: depth is the archive's choice.
fn merge(source: &Tree<'_>, target: &Tree<'_>) -> Result<(), PackageError> {
    let mut pending = vec![PathBuf::from(".")];
    while let Some(place) = pending.pop() {
        let (from, to) = (source.enter(&place)?, target.enter(&place)?);
        let mode = rustix::fs::fstat(&from).map_err(source.failed("examine", &place))?.st_mode;
        rustix::fs::fchmod(&to, Mode::from_raw_mode(mode & 0o777)).map_err(target.failed("set the mode of", &place))?;
        for entry in Dir::read_from(&from).map_err(source.failed("list", &place))? {
            let entry = entry.map_err(source.failed("list", &place))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let inside = place.join(OsStr::from_bytes(name.to_bytes()));
            let is_dir = is_directory(&from, name).map_err(source.failed("examine", &inside))? == Some(true);
            target.clear_way(&to, &inside, is_dir)?;
            if is_dir {
                match rustix::fs::mkdirat(&to, name, Mode::from_raw_mode(0o700)) {
                    Ok(()) | Err(Errno::EXIST) => pending.push(inside),
                    Err(error) => return Err(target.failed("create", &inside)(error)),
                }
            } else {
                rustix::fs::linkat(&from, name, &to, name, AtFlags::empty()).map_err(target.failed("link", &inside))?;
            }
        }
    }
    Ok(())
}

/// `None` if nothing has this name.
fn is_directory(dir: impl AsFd, name: impl rustix::path::Arg) -> Result<Option<bool>, Errno> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

impl<'a> Tree<'a> {
    fn open(path: &'a Path) -> Result<Self, PackageError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let top = rustix::fs::openat(CWD, path, flags, Mode::empty());
        Ok(Self { path, top: top.map_err(|error| failed("open", path)(error.into()))? })
    }

    fn enter(&self, place: &Path) -> Result<OwnedFd, PackageError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(&self.top, place, flags, Mode::empty(), resolve).map_err(self.failed("open", place))
    }

    /// Removes what an earlier layer has at `place`, in `dir`, unless both are directories.
    fn clear_way(&self, dir: &OwnedFd, place: &Path, for_dir: bool) -> Result<(), PackageError> {
        let Some(name) = place.file_name() else { return Ok(()) };
        match is_directory(dir, name).map_err(self.failed("examine", place))? {
            None => Ok(()),
            Some(true) if for_dir => Ok(()),
            Some(true) => {
                let path = self.path.join(place);
                fs_err::remove_dir_all(&path).map_err(failed("replace", &path))
            }
            Some(false) => rustix::fs::unlinkat(dir, name, AtFlags::empty()).map_err(self.failed("replace", place)),
        }
    }

    fn failed(&self, step: &'static str, place: &Path) -> impl FnOnce(Errno) -> PackageError {
        let path = self.path.join(place);
        move |error| failed(step, &path)(error.into())
    }
}
