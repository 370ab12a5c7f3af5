//! Which images and chunks an account has. Nothing here touches the disk.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use hearth_types::Sha256;

use super::Manifest;
use crate::images::ImageKey;

/// An image that is there.
#[derive(Debug)]
struct Known {
    used: SystemTime,
    manifest: Arc<Manifest>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Chunk {
    /// How many times images name it, those that are being written included.
    uses: usize,
    /// On disk; nothing if it is not there.
    bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    images: BTreeMap<ImageKey, Known>,
    chunks: HashMap<Sha256, Chunk>,
}

impl Index {
    pub(super) fn keys(&self) -> impl Iterator<Item = ImageKey> {
        self.images.keys().copied()
    }

    pub(super) fn last_used(&self) -> impl Iterator<Item = (ImageKey, SystemTime)> {
        self.images.iter().map(|(key, known)| (*key, known.used))
    }

    pub(super) fn manifest(&self, key: ImageKey) -> Option<Arc<Manifest>> {
        self.images.get(&key).map(|known| Arc::clone(&known.manifest))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.chunks.values().map(|chunk| chunk.bytes).sum()
    }

    pub(super) fn note_use(&mut self, key: ImageKey, used: SystemTime) {
        if let Some(known) = self.images.get_mut(&key) {
            known.used = used;
        }
    }

    /// Puts an image in the place of any that has this key. Its chunks have been taken before.
    pub(super) fn put(&mut self, key: ImageKey, used: SystemTime, manifest: Manifest) {
        let manifest = Arc::new(manifest);
        if let Some(before) = self.images.insert(key, Known { used, manifest }) {
            before.manifest.chunks().for_each(|name| self.let_go(&name));
        }
    }

    pub(super) fn remove(&mut self, key: ImageKey) {
        if let Some(known) = self.images.remove(&key) {
            known.manifest.chunks().for_each(|name| self.let_go(&name));
        }
    }

    /// One more names the chunk; whether it is on disk.
    pub(super) fn take(&mut self, name: Sha256) -> bool {
        let chunk = self.chunks.entry(name).or_default();
        chunk.uses += 1;
        chunk.bytes > 0
    }

    pub(super) fn let_go(&mut self, name: &Sha256) {
        if let Some(chunk) = self.chunks.get_mut(name) {
            chunk.uses = chunk.uses.saturating_sub(1);
        }
    }

    pub(super) fn is_named(&self, name: &Sha256) -> bool {
        self.chunks.contains_key(name)
    }

    /// How large the chunk is on disk.
    pub(super) fn set_bytes(&mut self, name: &Sha256, bytes: u64) {
        if let Some(chunk) = self.chunks.get_mut(name) {
            chunk.bytes = bytes;
        }
    }

    /// Forgets the chunks that nobody names.
    pub(super) fn take_unused(&mut self) -> Vec<Sha256> {
        self.chunks.extract_if(|_, chunk| chunk.uses == 0).map(|(name, _)| name).collect()
    }
}
