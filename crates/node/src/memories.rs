//! What is learned of each version's calls, in the store, so that the next daemon knows it.
//!
//! It is written now and then and when the node stops; what is lost between is learned anew.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use hearth_engine::Event;
use hearth_engine::keep_alive::Memory;
use hearth_store::{CommitError, Entry, ReadError, Write};
use hearth_types::{FunctionName, Home, VersionKey, VersionLabel};

use crate::core::Core;
use crate::session::chain;

const PARTITION: &str = "keep-alive";
const PREFIX: &str = "version/";
const PAGE: usize = 500;
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// Versions in one commit. The largest memory is some 50 KiB, the usual one some hundred bytes.
const BATCH: usize = 32;

fn key_of(home: &Home, function: &FunctionName, version: VersionLabel) -> String {
    format!("{PREFIX}{home}/{function}/{version}")
}

/// Of a release without Regions: `ACCOUNT/FUNCTION/VERSION` alone.
fn is_without_region(key: &str) -> bool {
    key.strip_prefix(PREFIX).is_some_and(|rest| rest.split('/').count() == 3)
}

/// Writes what was learned, until the node stops.
pub(crate) async fn keep(core: Arc<Core>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(WRITE_EVERY) => core.write_memories().await,
            () = core.stopping.cancelled() => return,
        }
    }
}

impl Core {
    /// What was learned since it was last written.
    pub(crate) async fn write_memories(&self) {
        loop {
            let memories = self.lock().engine.memories(BATCH);
            let put = |memory: &Memory| {
                let value = postcard::to_stdvec(memory).ok()?.into();
                Some(Write::Put { key: key_of(&memory.home(), &memory.function, memory.version), value })
            };
            let writes: Vec<Write> = memories.iter().filter_map(put).collect();
            if writes.is_empty() {
                return;
            }
            if let Err(error) = self.store.commit(PARTITION, Vec::new(), writes).await {
                tracing::warn!(error = %chain(&error), "what was learned of calls could not be written");
                return;
            }
        }
    }

    /// What was learned before there were Regions was learned in the configured one. Each is there under one key at any time.
    async fn move_to_region(&self, entries: Vec<Entry>) -> Result<(), CommitError> {
        let region = &self.config.region;
        for entry in entries.into_iter().filter(|entry| is_without_region(&entry.key)) {
            let mut bytes = entry.value.to_vec();
            bytes.extend(postcard::to_stdvec(region).unwrap_or_default());
            let mut writes = vec![Write::Delete { key: entry.key }];
            if let Ok(memory) = postcard::from_bytes::<Memory>(&bytes) {
                let key = key_of(&memory.home(), &memory.function, memory.version);
                writes.push(Write::Put { key, value: bytes.into() });
            }
            self.store.commit(PARTITION, Vec::new(), writes).await?;
        }
        Ok(())
    }

    /// Tells the engine what daemons before this one have learned.
    pub(crate) async fn recall_memories(self: &Arc<Self>) {
        if let Ok(entries) = self.stored_memories().await
            && let Err(error) = self.move_to_region(entries).await
        {
            tracing::warn!(error = %chain(&error), "what was learned of calls could not be moved to its Region");
        }
        let entries = match self.stored_memories().await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "what was learned of calls could not be read");
                return;
            }
        };
        let memories: Vec<Memory> =
            entries.iter().filter_map(|entry| postcard::from_bytes(&entry.value).ok()).collect();
        if memories.len() < entries.len() {
            tracing::info!(
                entries = entries.len() - memories.len(),
                "what another version of Hearth learned of calls cannot be read and is left aside: some first calls will be cold starts"
            );
        }
        self.step(Event::Recall { memories });
    }

    /// Removes those of versions that there are no more.
    pub(crate) async fn forget_memories(&self, current: &HashSet<VersionKey>) {
        let current: HashSet<String> =
            current.iter().map(|key| key_of(&key.home(), &key.function, key.version)).collect();
        let Ok(entries) = self.stored_memories().await else { return };
        let gone: Vec<String> =
            entries.into_iter().map(|entry| entry.key).filter(|key| !current.contains(key)).collect();
        for keys in gone.chunks(BATCH) {
            let deletes = keys.iter().map(|key| Write::Delete { key: key.clone() }).collect();
            if self.store.commit(PARTITION, Vec::new(), deletes).await.is_err() {
                // The next daemon removes them.
                return;
            }
        }
    }

    async fn stored_memories(&self) -> Result<Vec<Entry>, ReadError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map(|entry| entry.key.clone());
            let page = self.store.list(PARTITION, PREFIX, after.as_deref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            entries.extend(page);
            if is_last {
                return Ok(entries);
            }
        }
    }
}
