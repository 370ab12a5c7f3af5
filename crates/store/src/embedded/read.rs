//! Queries, and the threads that run them on read-only connections.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::{mpsc, oneshot};

use super::{OpenError, schema};
use crate::api::{Entry, LogRecord, ReadError, Revision};

const READERS: usize = 2;
/// Reads that wait per reader before callers do.
const QUEUE_LEN: usize = 512;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Sends reads to the reader threads, in turn. The threads end when the last of these is gone.
#[derive(Debug)]
pub(super) struct Readers {
    jobs: Vec<mpsc::Sender<Job>>,
    turn: AtomicUsize,
}

impl Readers {
    pub(super) fn start(dir: &Path) -> Result<Self, OpenError> {
        let mut jobs = Vec::with_capacity(READERS);
        for number in 0..READERS {
            let connection = schema::open_reader(dir)?;
            let (sender, mut receiver) = mpsc::channel::<Job>(QUEUE_LEN);
            let work = move || {
                while let Some(job) = receiver.blocking_recv() {
                    job(&connection);
                }
            };
            hearth_tasks::system_thread(format!("store-reader-{number}"), work).map_err(|source| OpenError::Io {
                step: "start a reader of",
                path: dir.to_owned(),
                source,
            })?;
            jobs.push(sender);
        }
        Ok(Self { jobs, turn: AtomicUsize::new(0) })
    }

    pub(super) async fn run<T, F>(&self, query: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        run_on(&self.jobs[self.turn.fetch_add(1, Ordering::Relaxed) % READERS], query).await
    }

    /// For a watcher, which must not keep the threads alive.
    pub(super) fn weak(&self) -> WeakReader {
        WeakReader(self.jobs[self.turn.fetch_add(1, Ordering::Relaxed) % READERS].downgrade())
    }
}

#[derive(Debug)]
pub(super) struct WeakReader(mpsc::WeakSender<Job>);

impl WeakReader {
    pub(super) async fn run<T, F>(&self, query: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        match self.0.upgrade() {
            Some(jobs) => run_on(&jobs, query).await,
            None => Err(closed()),
        }
    }
}

fn closed() -> ReadError {
    ReadError::Unavailable { reason: "the store is closed".to_owned() }
}

async fn run_on<T, F>(jobs: &mpsc::Sender<Job>, query: F) -> Result<T, ReadError>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job: Job = Box::new(move |connection| drop(reply.send(query(connection))));
    jobs.send(job).await.ok().ok_or_else(closed)?;
    match answer.await {
        Ok(result) => result.map_err(|error| ReadError::Unavailable { reason: error.to_string() }),
        Err(_) => Err(closed()),
    }
}

/// The first text behind every text that starts with `prefix`; `None` if there is none.
pub(super) fn prefix_end(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    row.get::<_, Vec<u8>>(column).map(Bytes::from)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry { key: row.get(0)?, revision: Revision(row.get(1)?), value: bytes(row, 2)? })
}

pub(super) fn get(connection: &Connection, partition: &str, key: &str) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached("SELECT key, revision, value FROM kv WHERE partition = ? AND key = ?")?
        .query_row([partition, key], entry)
        .optional()
}

pub(super) fn list(
    connection: &Connection,
    partition: &str,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<Entry>> {
    connection
        .prepare_cached(
            "SELECT key, revision, value FROM kv
             WHERE partition = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) AND (?4 IS NULL OR key > ?4)
             ORDER BY key LIMIT ?5",
        )?
        .query_map(
            params![partition, prefix.max(after.unwrap_or("")), prefix_end(prefix), after, limit_of(limit)],
            entry,
        )?
        .collect()
}

/// Leaps from partition to partition along the index instead of walking every key.
pub(super) fn partitions(connection: &Connection, prefix: &str) -> rusqlite::Result<Vec<String>> {
    let mut next =
        connection.prepare_cached("SELECT partition FROM kv WHERE partition > ? ORDER BY partition LIMIT 1")?;
    let mut first = connection
        .prepare_cached("SELECT 1 FROM kv WHERE partition = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) LIMIT 1")?;
    let end = prefix_end(prefix);
    let mut found = Vec::new();
    let mut last = match first.query_row(params!["", prefix, end], |_| Ok(())).optional()? {
        Some(()) => {
            found.push(String::new());
            String::new()
        }
        None => String::new(),
    };
    while let Some(partition) = next.query_row([&last], |row| row.get::<_, String>(0)).optional()? {
        if first.query_row(params![partition, prefix, end], |_| Ok(())).optional()?.is_some() {
            found.push(partition.clone());
        }
        last = partition;
    }
    Ok(found)
}

pub(super) fn log(
    connection: &Connection,
    partition: &str,
    log: &str,
    from: u64,
    limit: usize,
) -> rusqlite::Result<Vec<LogRecord>> {
    connection
        .prepare_cached(
            "SELECT sequence, record FROM log_record WHERE partition = ? AND log = ? AND sequence >= ?
             ORDER BY sequence LIMIT ?",
        )?
        .query_map(params![partition, log, i64::try_from(from).unwrap_or(i64::MAX), limit_of(limit)], |row| {
            Ok(LogRecord { sequence: row.get(0)?, record: bytes(row, 1)? })
        })?
        .collect()
}
