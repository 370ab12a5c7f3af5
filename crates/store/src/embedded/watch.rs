//! Watches: one task per watch reads what changed since it last looked, whenever the writer hints at its partition. The hint
//! carries nothing; what is sent comes from the tables, so that a slow receiver costs no memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hearth_tasks::TaskGroup;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, watch};

use super::read::{Readers, WeakReader, prefix_end};
use crate::api::{Change, ReadError, Revision, WRITES_MAX, Watch};

/// Changes that one look reads; more than a commit can hold, so that every look gets past at least one commit.
const PAGE: usize = 2 * WRITES_MAX;
/// Changes that wait for a slow receiver.
const CHANNEL_LEN: usize = 64;

/// Per partition that is watched, a bell that the writer rings.
#[derive(Debug, Default)]
pub(super) struct Hints(Mutex<HashMap<String, watch::Sender<()>>>);

impl Hints {
    fn subscribe(&self, partition: &str) -> watch::Receiver<()> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.entry(partition.to_owned()).or_default().subscribe()
    }

    pub(super) fn touch(&self, partitions: &[String]) {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bells.is_empty() {
            return;
        }
        for partition in partitions {
            if bells.get(partition).is_some_and(|bell| bell.send(()).is_err()) {
                bells.remove(partition);
            }
        }
    }

    /// Ends every watch.
    pub(super) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

pub(super) async fn start(
    readers: &Readers,
    hints: &Arc<Hints>,
    partition: String,
    prefix: String,
    from: Revision,
) -> Result<Watch, ReadError> {
    let bell = hints.subscribe(&partition);
    let (changes, receiver) = mpsc::channel(CHANNEL_LEN);
    let mut task = WatchTask { reader: readers.weak(), bell, partition, prefix, seen: from, changes };
    let first = task.look().await?;
    // Whoever watches sees the end of it.
    TaskGroup::default().contained("watch of the store", task.run(first), || {});
    Ok(receiver)
}

struct WatchTask {
    reader: WeakReader,
    bell: watch::Receiver<()>,
    partition: String,
    prefix: String,
    seen: Revision,
    changes: mpsc::Sender<Change>,
}

impl WatchTask {
    /// Until the receiver or the store is gone, or the receiver fell behind.
    async fn run(mut self, mut page: Page) {
        loop {
            for change in page.changes {
                if self.changes.send(change).await.is_err() {
                    return;
                }
            }
            if !page.more {
                tokio::select! {
                    rung = self.bell.changed() => if rung.is_err() { return },
                    () = self.changes.closed() => return,
                }
            }
            match self.look().await {
                Ok(next) => page = next,
                Err(error) => {
                    tracing::debug!(%error, partition = self.partition, "a watch ended");
                    return;
                }
            }
        }
    }

    async fn look(&mut self) -> Result<Page, ReadError> {
        let (partition, prefix, seen) = (self.partition.clone(), self.prefix.clone(), self.seen);
        let page = self.reader.run(move |connection| read_page(connection, &partition, &prefix, seen)).await??;
        self.seen = page.seen;
        Ok(page)
    }
}

struct Page {
    changes: Vec<Change>,
    /// Everything up to here is in this page or an earlier one.
    seen: Revision,
    more: bool,
}

fn read_page(
    connection: &Connection,
    partition: &str,
    prefix: &str,
    seen: Revision,
) -> rusqlite::Result<Result<Page, ReadError>> {
    let snapshot = connection.unchecked_transaction()?;
    let oldest: Option<u64> = snapshot
        .prepare_cached("SELECT revision FROM compacted WHERE partition = ?")?
        .query_row([partition], |row| row.get(0))
        .optional()?;
    if let Some(oldest) = oldest
        && seen != Revision::default()
        && seen.0 < oldest
    {
        return Ok(Err(ReadError::Compacted { oldest: Revision(oldest) }));
    }
    let newest: u64 =
        snapshot.prepare_cached("SELECT value FROM meta WHERE name = 'revision'")?.query_row([], |row| row.get(0))?;
    let mut changes = changes_since(&snapshot, partition, prefix, seen)?;
    let more = changes.len() >= PAGE;
    let mut seen = Revision(newest.max(seen.0));
    if more && let Some(last) = changes.last().map(|change| change.revision) {
        // The last commit may be cut; it is read whole next time.
        changes.retain(|change| change.revision < last);
        seen = changes.last().map_or(seen, |change| change.revision);
    }
    Ok(Ok(Page { changes, seen, more }))
}

fn changes_since(
    connection: &Connection,
    partition: &str,
    prefix: &str,
    seen: Revision,
) -> rusqlite::Result<Vec<Change>> {
    connection
        .prepare_cached(
            "SELECT * FROM (SELECT revision, key, value FROM kv
                 WHERE partition = ?1 AND revision > ?2 AND key >= ?3 AND (?4 IS NULL OR key < ?4)
                 ORDER BY revision, key LIMIT ?5)
             UNION ALL
             SELECT * FROM (SELECT revision, key, NULL FROM deleted
                 WHERE partition = ?1 AND revision > ?2 AND key >= ?3 AND (?4 IS NULL OR key < ?4)
                 ORDER BY revision, key LIMIT ?5)
             ORDER BY 1, 2 LIMIT ?5",
        )?
        .query_map(params![partition, seen.0, prefix, prefix_end(prefix), PAGE as i64], |row| {
            Ok(Change {
                revision: Revision(row.get(0)?),
                key: row.get(1)?,
                value: row.get::<_, Option<Vec<u8>>>(2)?.map(Bytes::from),
            })
        })?
        .collect()
}
