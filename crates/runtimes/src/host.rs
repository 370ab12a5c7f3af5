//! Programs of the host: where they are, and running them while a runtime is made.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::add::AddError;
use crate::elf::Elf;

/// Searched before `PATH`, which may hold wrappers of version managers.
const DIRS: &[&str] = &["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];
/// How much of a failed program's output an error carries, bytes.
const OUTPUT_LEN_MAX: usize = 2000;

/// The program of that name.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    programs(name).next()
}

/// All programs of that name, the system's own first.
pub(crate) fn programs(name: &str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = DIRS.iter().map(PathBuf::from).chain(std::env::split_paths(&path).filter(|dir| dir.is_absolute()));
    dirs.map(|dir| dir.join(name)).filter(|path| path.is_file()).collect::<Vec<_>>().into_iter()
}

/// Whether a file is a program itself, not a script that starts one.
pub(crate) fn is_binary(path: &Path) -> bool {
    matches!(Elf::read(path), Ok(Some(_)))
}

/// Changes when the file is replaced or moved.
pub(crate) fn file_identity(path: &Path) -> String {
    let real = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs_err::metadata(&real) {
        Ok(metadata) => format!("{} {} {}", real.display(), metadata.len(), metadata.mtime()),
        Err(_) => format!("{} absent", real.display()),
    }
}

/// A command that asks nothing and is not led astray by the caller's language settings.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.stdin(Stdio::null());
    for name in ["PYTHONPATH", "PYTHONHOME", "NODE_PATH", "NODE_OPTIONS", "LD_LIBRARY_PATH", "LD_PRELOAD"] {
        command.env_remove(name);
    }
    command
}

/// Runs to the end and returns what was printed to standard output.
pub(crate) fn run(command: &mut Command) -> Result<String, AddError> {
    let text = describe(command);
    let failed = |output: String| AddError::Command { command: text.clone(), output };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let printed = [output.stderr, output.stdout].concat();
    let printed = String::from_utf8_lossy(&printed).trim().to_owned();
    let from = printed.ceil_char_boundary(printed.len().saturating_sub(OUTPUT_LEN_MAX));
    Err(failed(format!("{}\n{}", output.status, &printed[from..])))
}

/// A registry that runtimes are fetched from.
pub(crate) struct Registry {
    name: &'static str,
    /// The variable that names another in its place.
    mirror: &'static str,
    /// What its client prints where it cannot be reached.
    signs: &'static [&'static str],
}

pub(crate) const PYPI: Registry = Registry {
    name: "PyPI (pypi.org)",
    mirror: "PIP_INDEX_URL",
    // Where pip does not try again it only says that it has found nothing.
    signs: &[
        "NewConnectionError",
        "ConnectTimeoutError",
        "ProxyError",
        "NameResolutionError",
        "Read timed out",
        "(from versions: none)",
    ],
};
pub(crate) const NPM: Registry = Registry {
    name: "npm's registry (registry.npmjs.org)",
    mirror: "NPM_CONFIG_REGISTRY",
    signs: &["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EIDLETIMEOUT"],
};

/// As [`run`], for what fetches from this registry.
pub(crate) fn fetch(command: &mut Command, registry: &Registry) -> Result<String, AddError> {
    run(command).map_err(|error| match &error {
        AddError::Command { output, .. } if registry.signs.iter().any(|sign| output.contains(sign)) => {
            AddError::Unreachable { registry: registry.name, mirror: registry.mirror }
        }
        _ => error,
    })
}

/// As [`run`], if the program says nothing but success matters.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    matches!(command.stdout(Stdio::null()).stderr(Stdio::null()).status(), Ok(status) if status.success())
}

fn describe(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
