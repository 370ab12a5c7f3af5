//! Content-addressed blobs in a directory: the name of a blob is the SHA-256 of its bytes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hearth_types::Sha256;

use crate::incoming::{Incoming, Received};

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("cannot {step} {}", path.display())]
    Io {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file is not what its name says: the disk is failing, or somebody wrote to it.
    #[error("{} does not have the content it is named after", path.display())]
    Damaged { path: PathBuf },
}

/// The digest that names `bytes`.
pub fn digest(bytes: &[u8]) -> Sha256 {
    name_of(&aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}

pub(crate) fn name_of(digest: &aws_lc_rs::digest::Digest) -> Sha256 {
    let mut name = [0; 32];
    name.copy_from_slice(digest.as_ref());
    Sha256(name)
}

/// A directory of blobs. Calls block on the disk.
#[derive(Debug)]
pub struct Blobs {
    dir: PathBuf,
    temporary: PathBuf,
    /// Held while a blob appears or goes.
    changing: Mutex<()>,
}

impl Blobs {
    /// Opens or makes `dir`; removes what an earlier process left half written.
    pub fn open(dir: &Path) -> Result<Self, BlobError> {
        let temporary = dir.join("tmp");
        if temporary.exists() {
            fs_err::remove_dir_all(&temporary).map_err(failed("clear", &temporary))?;
        }
        fs_err::create_dir_all(&temporary).map_err(failed("create", &temporary))?;
        sync_dir(dir)?;
        Ok(Self { dir: dir.to_owned(), temporary, changing: Mutex::new(()) })
    }

    /// Stores the bytes; they are on disk when this returns. Doing it again changes nothing.
    pub fn put(&self, bytes: &[u8]) -> Result<Sha256, BlobError> {
        let name = digest(bytes);
        if self.has(&self.path(&name), bytes.len() as u64)? {
            return Ok(name);
        }
        let mut incoming = self.receive()?;
        incoming.write(bytes)?;
        self.keep(incoming.finish())
    }

    /// A blob that comes piece by piece.
    pub fn receive(&self) -> Result<Incoming, BlobError> {
        Incoming::new_in(&self.temporary)
    }

    /// Stores what was received, as [`Blobs::put`] does.
    pub fn keep(&self, received: Received) -> Result<Sha256, BlobError> {
        let (file, name, bytes) = received.into_parts();
        let path = self.path(&name);
        let parent = path.parent().unwrap_or(&self.dir);
        if self.has(&path, bytes)? {
            return Ok(name);
        }
        file.as_file().sync_all().map_err(failed("sync", file.path()))?;
        let _changing = self.lock();
        if !parent.exists() {
            fs_err::create_dir_all(parent).map_err(failed("create", parent))?;
            sync_dir(&self.dir)?;
        }
        file.persist(&path).map_err(|error| failed("name", &path)(error.error))?;
        sync_dir(parent)?;
        Ok(name)
    }

    /// Whether the blob is there, and as long as it should be.
    fn has(&self, path: &Path, len: u64) -> Result<bool, BlobError> {
        let _changing = self.lock();
        match fs_err::metadata(path) {
            Ok(metadata) => Ok(metadata.len() == len),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("examine", path)(error)),
        }
    }

    /// The bytes, checked against their name; `None` if there is no such blob.
    pub fn get(&self, name: &Sha256) -> Result<Option<Bytes>, BlobError> {
        let path = self.path(name);
        let bytes = match fs_err::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        if digest(&bytes) != *name {
            return Err(BlobError::Damaged { path });
        }
        Ok(Some(bytes.into()))
    }

    /// The blob as a file, read and checked against its name as a whole; `None` if there is no such blob.
    pub fn open_file(&self, name: &Sha256) -> Result<Option<File>, BlobError> {
        let path = self.path(name);
        let mut file = match fs_err::File::open(&path) {
            Ok(file) => file.into_file(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", &path)(error)),
        };
        let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer).map_err(failed("read", &path))? {
                0 => break,
                count => digest.update(&buffer[..count]),
            }
        }
        if name_of(&digest.finish()) != *name {
            return Err(BlobError::Damaged { path });
        }
        Ok(Some(file))
    }

    /// Where the blob is or would be. The file is never written to again.
    pub fn path(&self, name: &Sha256) -> PathBuf {
        let hex = name.to_hex();
        self.dir.join(&hex[..2]).join(&hex[2..])
    }

    /// Whether there was such a blob.
    pub fn delete(&self, name: &Sha256) -> Result<bool, BlobError> {
        let _changing = self.lock();
        let path = self.path(name);
        match fs_err::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("remove", &path)(error)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn failed(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BlobError {
    let path = path.to_owned();
    move |source| BlobError::Io { step, path, source }
}

fn sync_dir(dir: &Path) -> Result<(), BlobError> {
    let file = fs_err::File::open(dir).map_err(failed("open", dir))?;
    file.sync_all().map_err(failed("sync", dir))
}
