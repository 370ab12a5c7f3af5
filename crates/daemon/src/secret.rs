//! The key that seals the secrets in the store. It lies beside it: a copy of the store alone tells no secret.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The key in `file`, made at the first start. One that cannot be read is not replaced: nothing that it sealed would open.
pub(crate) fn load(file: &Path) -> Result<[u8; 32]> {
    match fs_err::read(file) {
        Ok(bytes) => {
            let key = bytes.try_into().ok();
            key.with_context(|| format!("{} is damaged: it must have 32 bytes. Restore it", file.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(file),
        Err(error) => Err(error.into()),
    }
}

fn make(file: &Path) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).ok().context("the system gave no randomness")?;
    let dir = file.parent().context("a file in a directory")?;
    let mut fresh = tempfile::NamedTempFile::new_in(dir)?;
    fresh.write_all(&key)?;
    fresh.as_file().sync_all()?;
    fresh.persist(file)?;
    fs_err::File::open(dir)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn is_made_once_for_its_owner_alone_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("access.key");
        let key = load(&file).unwrap();
        assert_eq!(load(&file).unwrap(), key);
        assert_eq!(fs_err::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
        fs_err::write(&file, b"short").unwrap();
        assert!(load(&file).unwrap_err().to_string().contains("damaged"));
    }
}
