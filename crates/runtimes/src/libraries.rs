//! Which files of the host a program needs to run: its shared objects, theirs, and so on.

use std::collections::{BTreeMap, HashSet};
use std::env::consts::ARCH;
use std::io;
use std::path::{Path, PathBuf};

use crate::elf::Elf;

/// Where shared objects from unusual directories of the host go in a root.
pub(crate) const ODD_LIBRARIES: &str = "/var/lang/lib";

/// Finds shared objects as the dynamic linker of the host would.
#[derive(Debug)]
pub(crate) struct Libraries {
    dirs: Vec<PathBuf>,
    visited: HashSet<PathBuf>,
    found: BTreeMap<String, PathBuf>,
}

impl Libraries {
    pub(crate) fn of_host() -> Self {
        let usual = [
            format!("/usr/lib/{ARCH}-linux-gnu"),
            format!("/lib/{ARCH}-linux-gnu"),
            "/usr/lib64".into(),
            "/lib64".into(),
            "/usr/local/lib".into(),
            "/usr/lib".into(),
            "/lib".into(),
        ];
        // Merged directories are listed once, by their real name.
        let mut dirs: Vec<PathBuf> = Vec::new();
        for dir in usual.iter().filter_map(|dir| fs_err::canonicalize(dir).ok()) {
            if !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
        Self { dirs, visited: HashSet::new(), found: BTreeMap::new() }
    }

    /// The directories that a linker searches by default.
    pub(crate) fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// Follows what `file`, a program or shared object on the host, needs. Returns the host paths that were not returned before;
    /// names that are nowhere to be found are left out, as optional parts of a runtime may lack theirs.
    pub(crate) fn follow(&mut self, file: &Path) -> io::Result<Vec<PathBuf>> {
        let mut new = Vec::new();
        let mut pending = vec![file.to_owned()];
        while let Some(file) = pending.pop() {
            if !self.visited.insert(file.clone()) {
                continue;
            }
            let Some(elf) = Elf::read(&file)? else { continue };
            let interpreter = elf.interpreter.as_ref().map(PathBuf::from);
            let needed: Vec<PathBuf> = elf.needed.iter().filter_map(|name| self.locate(name, &elf, &file)).collect();
            for found in interpreter.into_iter().chain(needed) {
                if let Some(name) = found.file_name().and_then(|name| name.to_str())
                    && self.found.insert(name.to_owned(), found.clone()).is_none()
                {
                    new.push(found.clone());
                }
                pending.push(found);
            }
        }
        Ok(new)
    }

    /// The host path of a shared object of the host's own architecture, by its name alone.
    pub(crate) fn by_name(&self, name: &str) -> Option<PathBuf> {
        let paths = self.dirs.iter().map(|dir| dir.join(name));
        paths.into_iter().find(|path| matches!(Elf::read(path), Ok(Some(_))))
    }

    fn locate(&self, name: &str, needs: &Elf, file: &Path) -> Option<PathBuf> {
        let origin = file.parent()?.to_string_lossy();
        let own = needs.search.iter().map(|dir| dir.replace("$ORIGIN", &origin).replace("${ORIGIN}", &origin));
        let dirs = own.map(PathBuf::from).chain(self.dirs.iter().cloned());
        let fits = |path: &PathBuf| matches!(Elf::read(path), Ok(Some(elf)) if elf.machine == needs.machine);
        dirs.map(|dir| dir.join(name)).find(fits)
    }

    /// Where in a root a shared object of the host belongs.
    pub(crate) fn place(&self, host: &Path) -> Option<PathBuf> {
        let dir = fs_err::canonicalize(host.parent()?).ok()?;
        let usual = self.dirs.contains(&dir);
        Some(if usual { dir } else { PathBuf::from(ODD_LIBRARIES) }.join(host.file_name()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_needs_the_c_library_once() {
        let mut libraries = Libraries::of_host();
        let shell = libraries.follow(Path::new("/bin/sh")).unwrap();
        assert!(shell.iter().any(|path| path.ends_with("libc.so.6")), "{shell:?}");
        assert!(libraries.follow(Path::new("/bin/true")).unwrap().iter().all(|path| !path.ends_with("libc.so.6")));
    }
}
