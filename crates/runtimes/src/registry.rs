//! The runtimes of one data directory.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::add::{self, AddError, Progress};
use crate::definition::{LAYOUT, RuntimeDefinition};
use crate::name::{RuntimeName, UnknownRuntime};

/// Prepared runtimes under one directory: `NAME.toml` names the root in `roots/` that is current. The command line adds
/// and removes them while a daemon uses them.
#[derive(Debug)]
pub struct Runtimes {
    dir: PathBuf,
    known: RwLock<HashMap<String, Known>>,
}

#[derive(Debug)]
struct Known {
    stamp: Stamp,
    definition: Arc<RuntimeDefinition>,
}

/// Changes whenever a definition file is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    inode: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { inode: metadata.ino(), changed: (metadata.ctime(), metadata.ctime_nsec()) }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot use {path} for runtimes")]
pub struct OpenError {
    pub path: PathBuf,
    #[source]
    source: std::io::Error,
}

#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    #[error(transparent)]
    Name(#[from] UnknownRuntime),
    #[error("cannot remove runtime {name}")]
    Remove {
        name: String,
        #[source]
        source: std::io::Error,
    },
}

impl Runtimes {
    /// Makes the directory if need be.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError { path: dir.to_owned(), source };
        fs_err::create_dir_all(dir.join("roots")).map_err(failed)?;
        let dir = fs_err::canonicalize(dir).map_err(failed)?;
        Ok(Self { dir, known: RwLock::default() })
    }

    /// The runtime of that name, if it has been added. Costs one `stat` while nothing changes.
    pub fn get(&self, name: &str) -> Option<Arc<RuntimeDefinition>> {
        name.parse::<RuntimeName>().ok()?;
        let path = self.definition_path(name);
        let stamp = Stamp::of(&fs_err::metadata(&path).ok()?);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name).filter(|known| known.stamp == stamp) {
            return Some(Arc::clone(&known.definition));
        }
        drop(known);
        let definition = Arc::new(self.read(&path)?);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), Known { stamp, definition: Arc::clone(&definition) });
        Some(definition)
    }

    /// Where they are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// All runtimes that have been added, by name.
    pub fn list(&self) -> Vec<Arc<RuntimeDefinition>> {
        let Ok(entries) = fs_err::read_dir(&self.dir) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect();
        names.sort();
        names.iter().filter_map(|name| self.get(name)).collect()
    }

    /// Prepares a runtime, or finds that the present one is what would be made. Takes seconds to a minute; `progress` is told
    /// of each step. Sandboxes that run on an earlier root keep it.
    pub fn add(&self, name: &str, progress: &mut dyn FnMut(Progress)) -> Result<Arc<RuntimeDefinition>, AddError> {
        let runtime: RuntimeName = name.parse()?;
        let current = self.get(name);
        let definition = add::add(&self.dir, runtime, current.as_deref(), progress)?;
        Ok(Arc::new(definition))
    }

    /// Forgets a runtime; `false` if there was none. Its root stays until [`Runtimes::sweep`].
    pub fn remove(&self, name: &str) -> Result<bool, RemoveError> {
        name.parse::<RuntimeName>()?;
        match fs_err::remove_file(self.definition_path(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(RemoveError::Remove { name: name.to_owned(), source }),
        }
    }

    /// Deletes the roots that no runtime names, and what interrupted additions left. Only while no sandbox runs: the
    /// daemon calls it as it starts. Does nothing while something is being added.
    pub fn sweep(&self) {
        let lock = add::lock_file(&self.dir);
        // The lock, held to the end, keeps what is being added.
        if !matches!(lock.as_ref().map(std::fs::File::try_lock), Ok(Ok(()))) {
            return;
        }
        let used: Vec<_> = self.list().iter().map(|definition| definition.root.clone()).collect();
        let Ok(entries) = fs_err::read_dir(self.dir.join("roots")) else { return };
        for entry in entries.flatten().filter(|entry| !used.contains(&entry.path())) {
            if let Err(error) = fs_err::remove_dir_all(entry.path()) {
                tracing::warn!(root = %entry.path().display(), %error, "cannot delete an unused runtime root");
            }
        }
    }

    fn definition_path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.toml"))
    }

    fn read(&self, path: &Path) -> Option<RuntimeDefinition> {
        let text = fs_err::read_to_string(path).ok()?;
        match toml::from_str::<RuntimeDefinition>(&text) {
            Ok(definition) if definition.layout != LAYOUT => {
                let name = &definition.name;
                tracing::warn!("{name} was prepared by another version of Hearth: run `hearth runtime add {name}`");
                None
            }
            Ok(mut definition) => {
                // The name alone counts, so that a data directory can be moved.
                definition.root = self.dir.join("roots").join(definition.root.file_name()?);
                Some(definition).filter(|definition| definition.root.is_dir())
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "runtime definition cannot be read, add the runtime again");
                None
            }
        }
    }
}
