//! Bytes on their way in: written to a file without a name and hashed as they come.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use hearth_types::Sha256;
use tempfile::NamedTempFile;

use crate::blob::{BlobError, failed, name_of};

/// What has come so far; gone when it is dropped.
pub struct Incoming {
    file: NamedTempFile,
    digest: Context,
    bytes: u64,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Incoming({} bytes)", self.bytes)
    }
}

impl Incoming {
    pub(crate) fn new_in(dir: &Path) -> Result<Self, BlobError> {
        let file = NamedTempFile::new_in(dir).map_err(failed("create a file in", dir))?;
        Ok(Self { file, digest: Context::new(&SHA256), bytes: 0 })
    }

    pub fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        self.file.write_all(piece).map_err(failed("write", self.file.path()))?;
        self.digest.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn finish(self) -> Received {
        Received { file: self.file, name: name_of(&self.digest.finish()), bytes: self.bytes }
    }
}

/// All of it; gone when it is dropped, unless it was stored.
#[derive(Debug)]
pub struct Received {
    file: NamedTempFile,
    name: Sha256,
    bytes: u64,
}

impl Received {
    /// The digest of the bytes.
    pub fn name(&self) -> Sha256 {
        self.name
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file from its start.
    pub fn reopen(&self) -> Result<File, BlobError> {
        self.file.reopen().map_err(failed("open", self.file.path()))
    }

    pub(crate) fn into_parts(self) -> (NamedTempFile, Sha256, u64) {
        (self.file, self.name, self.bytes)
    }
}
