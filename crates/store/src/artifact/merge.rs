//! Layers into one tree by hard links. Nothing here follows a symbolic link: the layers are their makers' work.

use std::path::{Path, PathBuf};

use super::{ArtifactError, failed};

/// Fills `target`, which is empty, from the layers in order.
pub(super) fn layers(sources: &[PathBuf], target: &Path) -> Result<(), ArtifactError> {
    set_mode(target)?;
    sources.iter().try_for_each(|source| merge(source, target))
}

/// `target` is a directory that was made here. Goes by a list instead of calling itself: depth is the archive's choice.
fn merge(source: &Path, target: &Path) -> Result<(), ArtifactError> {
    let mut pending = vec![(source.to_owned(), target.to_owned())];
    while let Some((source, target)) = pending.pop() {
        for entry in fs_err::read_dir(&source).map_err(failed("list", &source))? {
            let entry = entry.map_err(failed("list", &source))?;
            let (from, to) = (entry.path(), target.join(entry.file_name()));
            let is_dir = entry.file_type().map_err(failed("examine", &from))?.is_dir();
            clear_way(&to, is_dir)?;
            if !is_dir {
                fs_err::hard_link(&from, &to).map_err(failed("link", &to))?;
                continue;
            }
            if !to.exists() {
                fs_err::create_dir(&to).map_err(failed("create", &to))?;
                set_mode(&to)?;
            }
            pending.push((from, to));
        }
    }
    Ok(())
}

/// Removes what an earlier layer has at `path`, unless both are directories.
fn clear_way(path: &Path, for_dir: bool) -> Result<(), ArtifactError> {
    let Ok(present) = fs_err::symlink_metadata(path) else { return Ok(()) };
    match (present.is_dir(), for_dir) {
        (true, true) => Ok(()),
        (true, false) => fs_err::remove_dir_all(path).map_err(failed("replace", path)),
        (false, _) => fs_err::remove_file(path).map_err(failed("replace", path)),
    }
}

/// Whatever the umask is.
fn set_mode(dir: &Path) -> Result<(), ArtifactError> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(dir, mode).map_err(failed("set the mode of", dir))
}
