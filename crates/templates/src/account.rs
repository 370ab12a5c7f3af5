//! One account's images on disk.

use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, SHA256};
use fs_err as fs;
use hearth_sys::failpoint;
use hearth_types::Sha256;
use serde::{Deserialize, Serialize};

use crate::images::{ImageKey, ImagesError};
use crate::seal::{Broken, Keys, SealingKey, write_whole};

const CHUNK_BYTES: usize = 64 * 1024;
/// zstd's fastest: pages compress well at any level.
const LEVEL: i32 = 1;

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
pub(crate) struct Manifest {
    files: Vec<FileEntry>,
}

/// An image that is there.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) used: SystemTime,
    manifest: Manifest,
}

#[derive(Debug)]
pub(crate) struct Account {
    dir: PathBuf,
    keys: Keys,
    pub(crate) images: BTreeMap<ImageKey, Known>,
    /// How many times images name a chunk, and its size on disk.
    chunks: HashMap<Sha256, (usize, u64)>,
}

fn io(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ImagesError {
    let path = path.to_owned();
    move |source| ImagesError::Io { step, path, source }
}

impl Account {
    /// Reads what is there and removes what no image names.
    pub(crate) fn open(dir: &Path, master: &SealingKey, account: &str) -> Result<Self, ImagesError> {
        for sub in ["images", "chunks"] {
            let path = dir.join(sub);
            fs::create_dir_all(&path).map_err(io("make", &path))?;
        }
        let keys = Keys::load(&dir.join("key"), master, account.as_bytes()).map_err(io("read", dir))?;
        let mut opened = Self { dir: dir.to_owned(), keys, images: BTreeMap::new(), chunks: HashMap::new() };
        opened.read_manifests()?;
        opened.sweep()?;
        Ok(opened)
    }

    fn read_manifests(&mut self) -> Result<(), ImagesError> {
        let dir = self.dir.join("images");
        for entry in fs::read_dir(&dir).map_err(io("read", &dir))? {
            let path = entry.map_err(io("read", &dir))?.path();
            let key = path.file_name().and_then(|name| name.to_str()).and_then(ImageKey::from_hex);
            let used = fs::metadata(&path).and_then(|metadata| metadata.modified());
            match (key.and_then(|key| Some((key, self.read_manifest(key, &path).ok()?))), used) {
                (Some((key, manifest)), Ok(used)) => {
                    self.count(&manifest, true);
                    self.images.insert(key, Known { used, manifest });
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
    fn sweep(&mut self) -> Result<(), ImagesError> {
        let dir = self.dir.join("chunks");
        let mut found = HashMap::new();
        for part in fs::read_dir(&dir).map_err(io("read", &dir))? {
            let part = part.map_err(io("read", &dir))?.path();
            for entry in fs::read_dir(&part).map_err(io("read", &part))? {
                let entry = entry.map_err(io("read", &part))?;
                let name = entry.file_name().to_str().and_then(Sha256::from_hex);
                let size = entry.metadata().map_or(0, |metadata| metadata.len());
                match name.filter(|name| self.chunks.contains_key(name)) {
                    Some(name) => drop(found.insert(name, size)),
                    None => fs::remove_file(entry.path()).map_err(io("remove", &part))?,
                }
            }
        }
        for (name, (_, size)) in &mut self.chunks {
            *size = found.get(name).copied().unwrap_or(0);
        }
        Ok(())
    }

    fn count(&mut self, manifest: &Manifest, more: bool) {
        for name in manifest.files.iter().flat_map(|file| &file.chunks) {
            let (uses, _) = self.chunks.entry(Sha256(*name)).or_default();
            *uses = if more { *uses + 1 } else { uses.saturating_sub(1) };
        }
    }

    fn chunk_path(&self, name: &Sha256) -> PathBuf {
        let hex = name.to_hex();
        self.dir.join("chunks").join(&hex[..2]).join(hex)
    }

    /// On disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.chunks.values().map(|(_, size)| size).sum()
    }

    /// Keeps the files of `from` under `key`: on disk when this returns.
    pub(crate) fn keep(&mut self, key: ImageKey, from: &Path) -> Result<(), ImagesError> {
        failpoint("keep.begin");
        let kept = self.write(key, from).map(|manifest| {
            self.count(&manifest, true);
            if let Some(before) = self.images.insert(key, Known { used: SystemTime::now(), manifest }) {
                self.count(&before.manifest, false);
            }
        });
        // Those of an image that could not be written, too: the disk may be full.
        self.drop_unused_chunks();
        kept
    }

    fn write(&mut self, key: ImageKey, from: &Path) -> Result<Manifest, ImagesError> {
        let manifest = self.write_chunks(from)?;
        failpoint("keep.chunks");
        // One call for all of them: a sync of each file would take longer than everything else.
        let chunks = fs::File::open(self.dir.join("chunks")).map_err(io("open", &self.dir))?;
        rustix::fs::syncfs(&chunks).map_err(|errno| io("sync", &self.dir)(errno.into()))?;
        let path = self.dir.join("images").join(key.to_hex());
        let bytes = postcard::to_stdvec(&manifest).map_err(|_too_large| ImagesError::Broken)?;
        let sealed = self.keys.sealing.seal(key.as_bytes(), &bytes)?;
        write_whole(&path, &sealed).map_err(io("write", &path))?;
        failpoint("keep.image");
        Ok(manifest)
    }

    fn write_chunks(&mut self, from: &Path) -> Result<Manifest, ImagesError> {
        let mut manifest = Manifest::default();
        let mut names: Vec<_> = fs::read_dir(from)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect())
            .map_err(io("read", from))?;
        names.sort();
        for name in names {
            let path = from.join(&name);
            let name = name.into_string().map_err(|_not_ours| ImagesError::Broken)?;
            manifest.files.push(self.write_file(name, &path)?);
        }
        Ok(manifest)
    }

    fn write_file(&mut self, name: String, path: &Path) -> Result<FileEntry, ImagesError> {
        let mut file = fs::File::open(path).map_err(io("read", path))?;
        let mut entry = FileEntry { name, bytes: 0, digest: [0; 32], chunks: Vec::new() };
        let mut digest = Context::new(&SHA256);
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        loop {
            chunk.clear();
            (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk).map_err(io("read", path))?;
            if chunk.is_empty() {
                break;
            }
            digest.update(&chunk);
            entry.bytes += chunk.len() as u64;
            entry.chunks.push(self.write_chunk(&chunk)?.0);
        }
        entry.digest.copy_from_slice(digest.finish().as_ref());
        Ok(entry)
    }

    fn write_chunk(&mut self, chunk: &[u8]) -> Result<Sha256, ImagesError> {
        let name = self.keys.name(chunk);
        if self.chunks.get(&name).is_some_and(|(_, size)| *size > 0) {
            return Ok(name);
        }
        let path = self.chunk_path(&name);
        let parent = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(parent).map_err(io("make", parent))?;
        let packed = zstd::bulk::compress(chunk, LEVEL).map_err(io("compress", &path))?;
        let sealed = self.keys.sealing.seal(&name.0, &packed)?;
        // Not synced by itself; until its image is there nobody reads it, and the next start removes it.
        let written = fs::write(&path, &sealed).map_err(io("write", &path));
        let (_uses, size) = self.chunks.entry(name).or_default();
        *size = if written.is_ok() { sealed.len() as u64 } else { 0 };
        written.map(|()| name)
    }

    /// Writes the files of the image into the empty directory `to`: how many bytes they are. Every byte is checked.
    pub(crate) fn unpack(&mut self, key: ImageKey, to: &Path) -> Result<u64, ImagesError> {
        let known = self.images.get(&key).ok_or(ImagesError::Broken)?;
        let mut total = 0;
        for file in &known.manifest.files {
            total += self.unpack_file(file, to)?;
        }
        let path = self.dir.join("images").join(key.to_hex());
        let used = SystemTime::now();
        // Only the order in which images are dropped depends on it.
        let _no_matter = fs::File::open(&path).and_then(|file| file.file().set_modified(used)).is_err();
        if let Some(known) = self.images.get_mut(&key) {
            known.used = used;
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
    pub(crate) fn remove(&mut self, key: ImageKey) {
        let path = self.dir.join("images").join(key.to_hex());
        let _gone_already = fs::remove_file(&path).is_err();
        if let Some(known) = self.images.remove(&key) {
            self.count(&known.manifest, false);
        }
        self.drop_unused_chunks();
    }

    fn drop_unused_chunks(&mut self) {
        let unused: Vec<Sha256> =
            self.chunks.iter().filter(|(_, (uses, _))| *uses == 0).map(|(name, _)| *name).collect();
        for name in unused {
            let _swept_later = fs::remove_file(self.chunk_path(&name)).is_err();
            self.chunks.remove(&name);
        }
    }

    /// A chunk that is named and not there has no size; its image is as good as gone.
    pub(crate) fn forget_missing(&mut self, key: ImageKey) {
        if let Some(known) = self.images.get(&key) {
            let names: Vec<Sha256> =
                known.manifest.files.iter().flat_map(|file| &file.chunks).map(|name| Sha256(*name)).collect();
            for name in names {
                if !self.chunk_path(&name).exists()
                    && let Some((_, size)) = self.chunks.get_mut(&name)
                {
                    *size = 0;
                }
            }
        }
        self.remove(key);
    }
}
