//! One account's images on disk. None of its locks is another account's.

mod index;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, SHA256};
use fs_err as fs;
use hearth_types::Sha256;
use index::Index;
use serde::{Deserialize, Serialize};

use crate::images::{ImageKey, ImagesError};
use crate::seal::{Broken, Keys, SealingKey};

const CHUNK_BYTES: usize = 64 * 1024;

/// One file of an image.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct FileEntry {
    name: String,
    bytes: u64,
    digest: [u8; 32],
    chunks: Vec<[u8; 32]>,
}

/// All of an image.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Manifest {
    files: Vec<FileEntry>,
}

impl Manifest {
    fn chunks(&self) -> impl Iterator<Item = Sha256> {
        self.files.iter().flat_map(|file| &file.chunks).map(|name| Sha256(*name))
    }
}

#[derive(Debug)]
pub(crate) struct Account {
    dir: PathBuf,
    keys: Keys,
    /// Held for moments. A chunk that nobody names is removed under it, so that nobody takes it meanwhile.
    index: Mutex<Index>,
    /// Held while an image is written.
    writing: Mutex<()>,
    /// Held while one is read: two who want the same read it once.
    reading: Mutex<()>,
}

fn io(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ImagesError {
    let path = path.to_owned();
    move |source| ImagesError::Io { step, path, source }
}

fn lock(turn: &Mutex<()>) -> MutexGuard<'_, ()> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    /// Reads what is there and removes what no image names.
    pub(crate) fn open(dir: &Path, master: &SealingKey, account: &str) -> Result<Self, ImagesError> {
        for sub in ["images", "chunks"] {
            let path = dir.join(sub);
            fs::create_dir_all(&path).map_err(io("make", &path))?;
        }
        let keys = Keys::load(&dir.join("key"), master, account.as_bytes()).map_err(io("read", dir))?;
        let opened = Self {
            dir: dir.to_owned(),
            keys,
            index: Mutex::default(),
            writing: Mutex::default(),
            reading: Mutex::default(),
        };
        opened.read_manifests()?;
        opened.sweep()?;
        Ok(opened)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_manifests(&self) -> Result<(), ImagesError> {
        let dir = self.dir.join("images");
        let mut index = self.index();
        for entry in fs::read_dir(&dir).map_err(io("read", &dir))? {
            let path = entry.map_err(io("read", &dir))?.path();
            let key = path.file_name().and_then(|name| name.to_str()).and_then(ImageKey::from_hex);
            let used = fs::metadata(&path).and_then(|metadata| metadata.modified());
            match (key.and_then(|key| Some((key, self.read_manifest(key, &path).ok()?))), used) {
                (Some((key, manifest)), Ok(used)) => {
                    manifest.chunks().for_each(|name| _ = index.take(name));
                    index.put(key, used, manifest);
                }
                _ => fs::remove_file(&path).map_err(io("remove", &path))?,
            }
        }
        Ok(())
    }

    fn read_manifest(&self, key: ImageKey, path: &Path) -> Result<Manifest, Broken> {
        let sealed = fs::read(path).map_err(|_unreadable| Broken)?;
        let bytes = self.keys.sealing.open(key.as_bytes(), sealed)?;
        postcard::from_bytes(&bytes).map_err(|_malformed| Broken)
    }

    /// Chunks that no image names, and those that were being written.
    fn sweep(&self) -> Result<(), ImagesError> {
        let dir = self.dir.join("chunks");
        let mut index = self.index();
        for part in fs::read_dir(&dir).map_err(io("read", &dir))? {
            let part = part.map_err(io("read", &dir))?.path();
            for entry in fs::read_dir(&part).map_err(io("read", &part))? {
                let entry = entry.map_err(io("read", &part))?;
                let name = entry.file_name().to_str().and_then(Sha256::from_hex);
                match name.filter(|name| index.is_named(name)) {
                    Some(name) => index.set_bytes(&name, entry.metadata().map_or(0, |metadata| metadata.len())),
                    None => fs::remove_file(entry.path()).map_err(io("remove", &part))?,
                }
            }
        }
        Ok(())
    }

    fn image_path(&self, key: ImageKey) -> PathBuf {
        self.dir.join("images").join(key.to_hex())
    }

    fn chunk_path(&self, name: &Sha256) -> PathBuf {
        let hex = name.to_hex();
        self.dir.join("chunks").join(&hex[..2]).join(hex)
    }

    /// On disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.index().bytes()
    }

    pub(crate) fn contains(&self, key: ImageKey) -> bool {
        self.index().manifest(key).is_some()
    }

    pub(crate) fn keys(&self) -> Vec<ImageKey> {
        self.index().keys().collect()
    }

    /// All images, and when each was read last.
    pub(crate) fn last_used(&self) -> Vec<(ImageKey, SystemTime)> {
        self.index().last_used().collect()
    }

    /// Writes the files of the image into the empty directory `to`: how many bytes they are, `None` if there is no such image. Every
    /// byte is checked.
    ///
    /// # Errors
    /// It does not check, and is gone now; or the files cannot be written.
    pub(crate) fn unpack(&self, key: ImageKey, to: &Path) -> Result<Option<u64>, ImagesError> {
        loop {
            let Some(manifest) = self.index().manifest(key) else { return Ok(None) };
            match self.unpack_files(&manifest, to) {
                Ok(bytes) => {
                    self.note_use(key);
                    return Ok(Some(bytes));
                }
                Err(ImagesError::Broken) if self.forget_missing(key, &manifest) => return Err(ImagesError::Broken),
                // Removed meanwhile, and perhaps there is another.
                Err(ImagesError::Broken) => {
                    fs::remove_dir_all(to).and_then(|()| fs::create_dir(to)).map_err(io("empty", to))?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// In whose turn an image is read.
    pub(crate) fn read_turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.reading)
    }

    fn note_use(&self, key: ImageKey) {
        let used = SystemTime::now();
        // Only the order in which images are dropped depends on it.
        let _no_matter = fs::File::open(self.image_path(key)).and_then(|file| file.file().set_modified(used)).is_err();
        self.index().note_use(key, used);
    }

    fn unpack_files(&self, manifest: &Manifest, to: &Path) -> Result<u64, ImagesError> {
        let mut total = 0;
        for file in &manifest.files {
            total += self.unpack_file(file, to)?;
        }
        Ok(total)
    }

    fn unpack_file(&self, file: &FileEntry, to: &Path) -> Result<u64, ImagesError> {
        use std::io::Write as _;
        let path = to.join(&file.name);
        let mut out = fs::File::create(&path).map_err(io("make", &path))?;
        let mut digest = Context::new(&SHA256);
        for name in &file.chunks {
            let chunk = self.read_chunk(&Sha256(*name))?;
            digest.update(&chunk);
            out.write_all(&chunk).map_err(io("write", &path))?;
        }
        if digest.finish().as_ref() == file.digest { Ok(file.bytes) } else { Err(ImagesError::Broken) }
    }

    fn read_chunk(&self, name: &Sha256) -> Result<Vec<u8>, ImagesError> {
        let path = self.chunk_path(name);
        let sealed = fs::read(&path).map_err(|_gone| ImagesError::Broken)?;
        let checked = self.keys.sealing.open(&name.0, sealed);
        let chunk = checked.ok().and_then(|packed| zstd::bulk::decompress(&packed, CHUNK_BYTES).ok());
        chunk.ok_or_else(|| {
            // The next image with this content writes it anew.
            let _gone_already = fs::remove_file(&path).is_err();
            ImagesError::Broken
        })
    }

    /// Forgets the image, and with it the chunks that only it has.
    pub(crate) fn remove(&self, key: ImageKey) {
        let mut index = self.index();
        self.remove_locked(key, &mut index);
    }

    fn remove_locked(&self, key: ImageKey, index: &mut Index) {
        let _gone_already = fs::remove_file(self.image_path(key)).is_err();
        index.remove(key);
        self.drop_unused_chunks(index);
    }

    fn drop_unused_chunks(&self, index: &mut Index) {
        for name in index.take_unused() {
            let _swept_later = fs::remove_file(self.chunk_path(&name)).is_err();
        }
    }

    /// Removes an image that does not check, if it is still this one: whether it was. A chunk that is named and not there has no
    /// size.
    fn forget_missing(&self, key: ImageKey, manifest: &Arc<Manifest>) -> bool {
        let mut index = self.index();
        if !index.manifest(key).is_some_and(|current| Arc::ptr_eq(&current, manifest)) {
            return false;
        }
        for name in manifest.chunks() {
            if !self.chunk_path(&name).exists() {
                index.set_bytes(&name, 0);
            }
        }
        self.remove_locked(key, &mut index);
        true
    }
}
