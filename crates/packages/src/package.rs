//! Packages and layers on disk: each zip archive as a blob, unpacked once, shared read-only by every sandbox that runs it.
//!
//! ```text
//! zip/        blobs: the archives as they were uploaded
//! code/<hex>/ the archive of that SHA-256, unpacked
//! opt/<hex>/  layers merged; named by the digest of the list of their names
//! tmp/        what is being made or removed; cleared at start
//! ```
//! A directory under `code` or `opt` appears whole, by rename, after everything in it is on disk.

mod merge;

use std::fs::File;
use std::path::{Path, PathBuf};

use hearth_store::blob::digest;
use hearth_store::{BlobError, Blobs, Incoming, Received};
use hearth_types::Sha256;
use serde::{Deserialize, Serialize};

use crate::archive::{self, ArchiveError, FileReader, PackageLimits};

/// A package that is stored and unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Package {
    /// Of the zip archive's bytes.
    pub code: Sha256,
    pub zip_bytes: u64,
    /// All its files together.
    pub unpacked_bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("the archive is refused")]
    Archive(#[source] ArchiveError),
    #[error("cannot keep the archive")]
    Blob(#[source] BlobError),
    #[error("no package {code:?}")]
    Missing { code: Sha256 },
    #[error("cannot {step} {}", path.display())]
    Io {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PackageError {
    let path = path.to_owned();
    move |source| PackageError::Io { step, path, source }
}

/// All packages and layers of a node. Calls block on the disk, up to seconds for a large archive.
#[derive(Debug)]
pub struct Packages {
    blobs: Blobs,
    code: PathBuf,
    opt: PathBuf,
    temporary: PathBuf,
    limits: PackageLimits,
}

impl Packages {
    /// Opens or makes `dir`; removes what an earlier process left half done.
    pub fn open(dir: &Path, limits: PackageLimits) -> Result<Self, PackageError> {
        let [code, opt, temporary] = ["code", "opt", "tmp"].map(|name| dir.join(name));
        if temporary.exists() {
            fs_err::remove_dir_all(&temporary).map_err(failed("clear", &temporary))?;
        }
        for path in [&code, &opt, &temporary] {
            fs_err::create_dir_all(path).map_err(failed("create", path))?;
        }
        let blobs = Blobs::open(&dir.join("zip")).map_err(PackageError::Blob)?;
        Ok(Self { blobs, code, opt, temporary, limits })
    }

    /// An archive that comes piece by piece.
    pub fn receive(&self) -> Result<Incoming, PackageError> {
        self.blobs.receive().map_err(PackageError::Blob)
    }

    /// Judges, unpacks and stores an archive; all of it is on disk when this returns. Doing it again changes nothing.
    pub fn ingest(&self, zip: Received) -> Result<Package, PackageError> {
        let (code, zip_bytes) = (zip.name(), zip.bytes());
        let file = zip.reopen().map_err(PackageError::Blob)?;
        let unpacked_bytes = self.unpack(&code, file)?;
        self.blobs.keep(zip).map_err(PackageError::Blob)?;
        Ok(Package { code, zip_bytes, unpacked_bytes })
    }

    /// [`Packages::ingest`] of an archive that is in memory.
    pub fn ingest_zip(&self, zip: &[u8]) -> Result<Package, PackageError> {
        let mut incoming = self.receive()?;
        incoming.write(zip).map_err(PackageError::Blob)?;
        self.ingest(incoming.finish())
    }

    /// The unpacked package, if it is there.
    pub fn dir(&self, code: &Sha256) -> Option<PathBuf> {
        Some(self.code.join(code.to_hex())).filter(|path| path.is_dir())
    }

    /// The archive as it was uploaded, if it is there.
    pub fn zip(&self, code: &Sha256) -> Option<PathBuf> {
        Some(self.blobs.path(code)).filter(|path| path.is_file())
    }

    /// The unpacked package, unpacked anew from the stored archive if it is gone.
    pub fn ensure_unpacked(&self, code: &Sha256) -> Result<PathBuf, PackageError> {
        if let Some(dir) = self.dir(code) {
            return Ok(dir);
        }
        let zip =
            self.blobs.open_file(code).map_err(PackageError::Blob)?.ok_or(PackageError::Missing { code: *code })?;
        self.unpack(code, zip)?;
        Ok(self.code.join(code.to_hex()))
    }

    /// The directory for `/opt`: the layers in one tree, of equal paths the later layer's. `None` without layers; a single layer is
    /// its own directory.
    pub fn merged_layers(&self, layers: &[Sha256]) -> Result<Option<PathBuf>, PackageError> {
        match layers {
            [] => Ok(None),
            [layer] => self.ensure_unpacked(layer).map(Some),
            layers => {
                let path = self.merged_path(layers);
                if !path.is_dir() {
                    let sources: Vec<PathBuf> =
                        layers.iter().map(|layer| self.ensure_unpacked(layer)).collect::<Result<_, _>>()?;
                    self.build(&path, |temporary| merge::layers(&sources, temporary))?;
                }
                Ok(Some(path))
            }
        }
    }

    /// Removes a package, archive and all. The caller knows that no sandbox runs it.
    pub fn remove(&self, code: &Sha256) -> Result<(), PackageError> {
        self.blobs.delete(code).map_err(PackageError::Blob)?;
        self.discard(&self.code.join(code.to_hex()))
    }

    /// Removes the merged tree of a list of two or more layers; the layers stay.
    pub fn remove_merged(&self, layers: &[Sha256]) -> Result<(), PackageError> {
        self.discard(&self.merged_path(layers))
    }

    fn merged_path(&self, layers: &[Sha256]) -> PathBuf {
        let list: Vec<u8> = layers.iter().flat_map(|layer| layer.0).collect();
        self.opt.join(digest(&list).to_hex())
    }

    fn unpack(&self, code: &Sha256, zip: File) -> Result<u64, PackageError> {
        let plan = archive::plan(FileReader::new(zip), &self.limits).map_err(PackageError::Archive)?;
        let path = self.code.join(code.to_hex());
        if !path.is_dir() {
            self.build(&path, |temporary| archive::unpack(&plan, temporary).map_err(PackageError::Archive))?;
        }
        Ok(plan.unpacked_bytes())
    }

    /// Lets `fill` make a tree aside and names it `path` once it is on disk. Whoever comes second throws theirs away.
    fn build(&self, path: &Path, fill: impl FnOnce(&Path) -> Result<(), PackageError>) -> Result<(), PackageError> {
        let temporary =
            tempfile::tempdir_in(&self.temporary).map_err(failed("create a directory in", &self.temporary))?;
        let tree = temporary.path().join("tree");
        fs_err::create_dir(&tree).map_err(failed("create", &tree))?;
        fill(&tree)?;
        let handle = fs_err::File::open(&tree).map_err(failed("open", &tree))?;
        rustix::fs::syncfs(&handle).map_err(|error| failed("sync", &tree)(error.into()))?;
        match fs_err::rename(&tree, path) {
            Ok(()) => {}
            Err(_) if path.is_dir() => return Ok(()),
            Err(error) => return Err(failed("name", path)(error)),
        }
        let parent = path.parent().unwrap_or(path);
        let handle = fs_err::File::open(parent).map_err(failed("open", parent))?;
        handle.sync_all().map_err(failed("sync", parent))
    }

    /// First out of the way, so that nobody sees half of it, then off the disk.
    fn discard(&self, path: &Path) -> Result<(), PackageError> {
        if !path.exists() {
            return Ok(());
        }
        let temporary =
            tempfile::tempdir_in(&self.temporary).map_err(failed("create a directory in", &self.temporary))?;
        let aside = temporary.path().join("tree");
        fs_err::rename(path, &aside).map_err(failed("move", path))?;
        fs_err::remove_dir_all(&aside).map_err(failed("remove", &aside))
    }
}
