//! Writing an image to disk.

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, SHA256};
use fs_err as fs;
use hearth_sys::failpoint;
use hearth_types::Sha256;

use super::{Account, CHUNK_BYTES, FileEntry, Manifest, io, lock};
use crate::images::{ImageKey, ImagesError};
use crate::seal::write_whole;

/// zstd's fastest: pages compress well at any level.
const LEVEL: i32 = 1;

/// The chunks of an image that is being written: they are let go of unless it comes to its end.
struct Taken<'a> {
    account: &'a Account,
    names: Vec<Sha256>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut index = self.account.index();
        self.names.iter().for_each(|name| index.let_go(name));
        // The disk may be full.
        self.account.drop_unused_chunks(&mut index);
    }
}

impl Account {
    /// Keeps the files of `from` under `key`: on disk when this returns.
    pub(crate) fn keep(&self, key: ImageKey, from: &Path) -> Result<(), ImagesError> {
        failpoint("keep.begin");
        let _turn = lock(&self.writing);
        let mut taken = Taken { account: self, names: Vec::new() };
        let manifest = self.write(key, from, &mut taken)?;
        // They are the image's from here on.
        taken.names.clear();
        self.index().put(key, SystemTime::now(), manifest);
        Ok(())
    }

    fn write(&self, key: ImageKey, from: &Path, taken: &mut Taken<'_>) -> Result<Manifest, ImagesError> {
        let manifest = self.write_chunks(from, taken)?;
        failpoint("keep.chunks");
        // One call for all of them: a sync of each file would take longer than everything else.
        let chunks = fs::File::open(self.dir.join("chunks")).map_err(io("open", &self.dir))?;
        rustix::fs::syncfs(&chunks).map_err(|errno| io("sync", &self.dir)(errno.into()))?;
        let path = self.image_path(key);
        let bytes = postcard::to_stdvec(&manifest).map_err(|_too_large| ImagesError::Broken)?;
        let sealed = self.keys.sealing.seal(key.as_bytes(), &bytes)?;
        write_whole(&path, &sealed).map_err(io("write", &path))?;
        failpoint("keep.image");
        Ok(manifest)
    }

    fn write_chunks(&self, from: &Path, taken: &mut Taken<'_>) -> Result<Manifest, ImagesError> {
        let mut manifest = Manifest::default();
        let mut names: Vec<_> = fs::read_dir(from)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect())
            .map_err(io("read", from))?;
        names.sort();
        for name in names {
            let path = from.join(&name);
            let name = name.into_string().map_err(|_not_ours| ImagesError::Broken)?;
            manifest.files.push(self.write_file(name, &path, taken)?);
        }
        Ok(manifest)
    }

    fn write_file(&self, name: String, path: &Path, taken: &mut Taken<'_>) -> Result<FileEntry, ImagesError> {
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
            entry.chunks.push(self.write_chunk(&chunk, taken)?.0);
        }
        entry.digest.copy_from_slice(digest.finish().as_ref());
        Ok(entry)
    }

    fn write_chunk(&self, chunk: &[u8], taken: &mut Taken<'_>) -> Result<Sha256, ImagesError> {
        let name = self.keys.name(chunk);
        let is_there = self.index().take(name);
        taken.names.push(name);
        if is_there {
            return Ok(name);
        }
        let path = self.chunk_path(&name);
        let parent = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(parent).map_err(io("make", parent))?;
        let packed = zstd::bulk::compress(chunk, LEVEL).map_err(io("compress", &path))?;
        let sealed = self.keys.sealing.seal(&name.0, &packed)?;
        // Not synced by itself; until its image is there nobody reads it, and the next start removes it.
        fs::write(&path, &sealed).map_err(io("write", &path))?;
        self.index().set_bytes(&name, sealed.len() as u64);
        Ok(name)
    }
}
