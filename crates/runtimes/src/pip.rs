//! Python's installer, wherever the host has one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::add::AddError;
use crate::host;

/// A working `pip`. It installs for any interpreter version and is not one of the interpreter's own modules then.
#[derive(Debug)]
pub struct Pip {
    python: PathBuf,
}

impl Pip {
    /// The first of these interpreters, else any of the host, that has `pip`.
    pub fn find(preferred: &[&Path]) -> Result<Self, AddError> {
        let preferred = preferred.iter().map(|path| path.to_path_buf());
        let mut candidates = preferred.chain(host::programs("python3"));
        let has_pip = |python: &PathBuf| host::succeeds(host::command(python).args(["-m", "pip", "--version"]));
        candidates.find(has_pip).map(|python| Self { python }).ok_or_else(|| AddError::Missing {
            what: "no Python on this machine has pip".into(),
            install: "install it (apt-get install python3-pip) and try again".into(),
        })
    }

    pub fn command(&self) -> Command {
        let mut command = host::command(&self.python);
        command.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]);
        command
    }
}
