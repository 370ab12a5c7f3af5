//! A root directory in the making.

use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode};
use walkdir::WalkDir;

use crate::libraries::Libraries;

/// Everything goes through here, so that a root holds only plain files without privilege bits, readable by all.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    libraries: Libraries,
}

impl Root {
    /// An empty root at `path`; what was there before is deleted.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        if path.exists() {
            fs_err::remove_dir_all(&path)?;
        }
        fs_err::create_dir_all(&path)?;
        Ok(Self { path, libraries: Libraries::of_host() })
    }

    /// Host path of a path inside. Symbolic links inside are not followed: name real directories.
    pub(crate) fn at(&self, inside: impl AsRef<Path>) -> PathBuf {
        let plain = inside.as_ref().components().filter(|part| matches!(part, Component::Normal(_)));
        self.path.join(plain.collect::<PathBuf>())
    }

    pub(crate) fn make_dir(&self, inside: impl AsRef<Path>) -> io::Result<()> {
        fs_err::create_dir_all(self.at(inside))
    }

    pub(crate) fn write(&self, inside: impl AsRef<Path>, content: impl AsRef<[u8]>) -> io::Result<()> {
        fs_err::write(self.prepare(inside)?, content)
    }

    pub(crate) fn write_program(&self, inside: impl AsRef<Path>, content: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.prepare(inside)?;
        fs_err::write(&path, content)?;
        fs_err::set_permissions(path, PermissionsExt::from_mode(0o755))
    }

    pub(crate) fn link(&self, inside: impl AsRef<Path>, target: &str) -> io::Result<()> {
        symlink(target, self.prepare(inside)?)
    }

    /// Copies one file, following links on the host, with the shared objects that it needs. An earlier copy stays.
    pub(crate) fn copy(&mut self, host: &Path, inside: impl AsRef<Path>) -> io::Result<()> {
        let to = self.prepare(inside)?;
        if to.symlink_metadata().is_ok() {
            return Ok(());
        }
        fs_err::copy(host, &to)?;
        // Libraries are found relative to where the file really lies.
        self.add_needed_by(&fs_err::canonicalize(host)?)
    }

    /// As [`Root::copy`], if the file is there.
    pub(crate) fn copy_if_present(&mut self, host: &str, inside: &str) -> io::Result<()> {
        if Path::new(host).is_file() { self.copy(Path::new(host), inside) } else { Ok(()) }
    }

    /// Copies a directory. Links that stay within it are kept, others become what they point to; dangling ones and
    /// special files are left out, and so is all that `skip` names by its path relative to the directory.
    pub(crate) fn copy_tree(&mut self, host: &Path, inside: &str, skip: &dyn Fn(&Path) -> bool) -> io::Result<()> {
        let relative = |path: &Path| path.strip_prefix(host).unwrap_or(path).to_owned();
        let walk = WalkDir::new(host).into_iter().filter_entry(|entry| !skip(&relative(entry.path())));
        for entry in walk {
            let entry = entry?;
            let to = Path::new(inside).join(relative(entry.path()));
            if entry.file_type().is_dir() {
                self.make_dir(&to)?;
            } else if entry.path_is_symlink() {
                self.copy_link(host, entry.path(), &to)?;
            } else if entry.file_type().is_file() {
                self.copy(entry.path(), &to)?;
            }
        }
        Ok(())
    }

    fn copy_link(&mut self, tree: &Path, host: &Path, inside: &Path) -> io::Result<()> {
        let target = fs_err::read_link(host)?;
        let Ok(real) = fs_err::canonicalize(host) else { return Ok(()) };
        if target.is_relative() && fs_err::canonicalize(tree).is_ok_and(|tree| real.starts_with(tree)) {
            symlink(target, self.prepare(inside)?)
        } else if real.is_file() {
            self.copy(&real, inside)
        } else {
            Ok(())
        }
    }

    /// Copies a shared object of the host to its usual place, if the host has it.
    pub(crate) fn copy_library(&mut self, name: &str) -> io::Result<()> {
        match self.libraries.by_name(name) {
            Some(host) => self.place_library(&host),
            None => Ok(()),
        }
    }

    /// Adds what the files under `inside`, which came from elsewhere, need from the host.
    pub(crate) fn complete(&mut self, inside: &str) -> io::Result<()> {
        for entry in WalkDir::new(self.at(inside)) {
            let entry = entry?;
            if entry.file_type().is_file() {
                self.add_needed_by(entry.path())?;
            }
        }
        Ok(())
    }

    fn add_needed_by(&mut self, file: &Path) -> io::Result<()> {
        for host in self.libraries.follow(file)? {
            if !host.starts_with(&self.path) {
                self.place_library(&host)?;
            }
        }
        Ok(())
    }

    fn place_library(&mut self, host: &Path) -> io::Result<()> {
        match self.libraries.place(host) {
            Some(inside) => self.copy(host, inside),
            None => Ok(()),
        }
    }

    pub(crate) fn library_dirs(&self) -> &[PathBuf] {
        self.libraries.dirs()
    }

    /// A character device; `false` where this process may not make one.
    pub(crate) fn make_device(&self, inside: &str, major: u32, minor: u32) -> io::Result<bool> {
        let path = self.prepare(inside)?;
        let device = rustix::fs::makedev(major, minor);
        let all = Mode::from_raw_mode(0o666);
        match rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::CharacterDevice, all, device) {
            Ok(()) => fs_err::set_permissions(&path, PermissionsExt::from_mode(0o666)).map(|()| true),
            Err(rustix::io::Errno::PERM) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets plain modes throughout and brings it all to disk.
    pub(crate) fn finish(&self) -> io::Result<()> {
        for entry in WalkDir::new(&self.path) {
            let entry = entry?;
            let kind = entry.file_type();
            if !kind.is_dir() && !kind.is_file() {
                continue;
            }
            let runs = kind.is_dir() || entry.metadata()?.permissions().mode() & 0o100 != 0;
            fs_err::set_permissions(entry.path(), PermissionsExt::from_mode(if runs { 0o755 } else { 0o644 }))?;
        }
        fs_err::set_permissions(self.at("/tmp"), PermissionsExt::from_mode(0o1777))?;
        let dir = fs_err::File::open(&self.path)?;
        Ok(rustix::fs::syncfs(dir.file())?)
    }

    /// Renames the root; an equal one that is there already stays and this one goes.
    pub(crate) fn move_to(self, place: &Path) -> io::Result<()> {
        if place.exists() { fs_err::remove_dir_all(&self.path) } else { fs_err::rename(&self.path, place) }
    }

    /// The host path with its parent directory made.
    fn prepare(&self, inside: impl AsRef<Path>) -> io::Result<PathBuf> {
        let path = self.at(inside);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        Ok(path)
    }
}
