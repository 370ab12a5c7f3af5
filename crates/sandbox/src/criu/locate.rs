//! Where CRIU is.

use std::path::{Path, PathBuf};

/// The oldest version that can save TCP sockets on kernels from 6.16 on.
pub const CRIU_VERSION_MIN: &str = "4.2";
/// Names the program.
const VARIABLE: &str = "HEARTH_CRIU";

/// The program to run: `configured`, else what `HEARTH_CRIU` names, else what `scripts/install-criu` installed, else the
/// system's. What is named is taken although it may not be there.
pub fn find_criu(configured: Option<&Path>) -> Option<PathBuf> {
    let named = configured.map(Path::to_owned).or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from));
    if named.as_ref().is_some_and(|path| !path.as_os_str().is_empty()) {
        return named;
    }
    let installed = data_home().map(|dir| dir.join("hearth/criu/bin/criu"));
    let system = ["/usr/local/sbin/criu", "/usr/local/bin/criu", "/usr/sbin/criu", "/usr/bin/criu"];
    installed.into_iter().chain(system.map(PathBuf::from)).find(|path| path.is_file())
}

fn data_home() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty());
    let home = || std::env::var_os("HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    named.map(PathBuf::from).or_else(|| home().map(|home| home.join(".local/share")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_configured_is_taken() {
        let path = Path::new("/nowhere/criu");
        assert_eq!(find_criu(Some(path)).as_deref(), Some(path));
    }
}
