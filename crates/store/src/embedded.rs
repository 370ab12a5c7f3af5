//! The store of a single node: SQLite in one directory.
//!
//! One *writer* thread owns the only writing connection and commits what is queued in groups; two *reader* threads answer
//! from read-only connections. All three are reached by bounded channels. A lock on the directory keeps a second daemon out.
//! Which messages are visible is decided by a clock of its own (`clock`).

mod apply;
mod clock;
mod queue;
mod read;
mod schema;
mod watch;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

pub use self::clock::TimeSource;
use self::clock::{Clock, SystemTimeSource};
use self::read::Readers;
use self::watch::Hints;
use self::writer::{Command, Writer};
use crate::api::{
    BoxFuture, COMMIT_BYTES_MAX, CommitError, Entry, KEY_BYTES_MAX, Leased, LogRecord, MESSAGE_BYTES_MAX, Precondition,
    QueueState, ReadError, Revision, Store, VALUE_BYTES_MAX, WRITES_MAX, Watch, Write,
};

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{} is in use by another process{}", dir.display(), pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Locked { dir: PathBuf, pid: Option<u32> },
    #[error("{} was written by a newer version (format {found}, this one knows up to {known})", dir.display())]
    Newer { dir: PathBuf, found: i64, known: i64 },
    #[error("cannot {step} {}", path.display())]
    Io {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot {step} of {}", dir.display())]
    Database {
        step: &'static str,
        dir: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
}

/// The embedded engine. Dropping it waits until everything accepted is committed.
#[derive(Debug)]
pub struct Embedded {
    writer: Writer,
    readers: Readers,
    hints: Arc<Hints>,
    clock: Clock,
}

impl Embedded {
    /// Opens the store in `dir`, which is made if it does not exist. Blocks for a few milliseconds.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_by(dir, Arc::new(SystemTimeSource::default()))
    }

    /// The same with clocks of the caller's.
    pub fn open_by(dir: &Path, time: Arc<dyn TimeSource>) -> Result<Self, OpenError> {
        fs_err::create_dir_all(dir).map_err(|source| OpenError::Io { step: "create", path: dir.to_owned(), source })?;
        let lock = schema::lock(dir)?;
        let connection = schema::open_writer(dir)?;
        let clock = Clock::resume(time, &connection).map_err(|source| OpenError::Database {
            step: "read the time",
            dir: dir.to_owned(),
            source,
        })?;
        let hints = Arc::new(Hints::default());
        let readers = Readers::start(dir)?;
        let writer = Writer::start(dir, connection, lock, Arc::clone(&hints), clock.clone())?;
        Ok(Self { writer, readers, hints, clock })
    }

    async fn write<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, CommitError>>) -> Command,
    ) -> Result<T, CommitError> {
        let closed = || CommitError::Unknown { reason: "the store is closed".to_owned() };
        let (reply, answer) = oneshot::channel();
        self.writer.send(command(reply)).await.ok().ok_or_else(closed)?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Store for Embedded {
    fn commit<'a>(
        &'a self,
        partition: &'a str,
        preconditions: Vec<Precondition>,
        writes: Vec<Write>,
    ) -> BoxFuture<'a, Result<Revision, CommitError>> {
        Box::pin(async move {
            let bytes = check_limits(&writes)?;
            let partition = partition.to_owned();
            self.write(|reply| Command::Commit { partition, preconditions, writes, bytes, reply }).await
        })
    }

    fn get<'a>(&'a self, partition: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, ReadError>> {
        let (partition, key) = (partition.to_owned(), key.to_owned());
        Box::pin(self.readers.run(move |connection| read::get(connection, &partition, &key)))
    }

    fn list<'a>(
        &'a self,
        partition: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Entry>, ReadError>> {
        let (partition, prefix, after) = (partition.to_owned(), prefix.to_owned(), after.map(str::to_owned));
        Box::pin(
            self.readers.run(move |connection| read::list(connection, &partition, &prefix, after.as_deref(), limit)),
        )
    }

    fn partitions<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ReadError>> {
        let prefix = prefix.to_owned();
        Box::pin(self.readers.run(move |connection| read::partitions(connection, &prefix)))
    }

    fn watch<'a>(
        &'a self,
        partition: &'a str,
        prefix: &'a str,
        from: Revision,
    ) -> BoxFuture<'a, Result<Watch, ReadError>> {
        Box::pin(watch::start(&self.readers, &self.hints, partition.to_owned(), prefix.to_owned(), from))
    }

    fn read_log<'a>(
        &'a self,
        partition: &'a str,
        log: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<LogRecord>, ReadError>> {
        let (partition, log) = (partition.to_owned(), log.to_owned());
        Box::pin(self.readers.run(move |connection| read::log(connection, &partition, &log, from, limit)))
    }

    fn truncate_log<'a>(
        &'a self,
        partition: &'a str,
        log: &'a str,
        before: u64,
    ) -> BoxFuture<'a, Result<(), CommitError>> {
        Box::pin(async move {
            loop {
                let (partition, log) = (partition.to_owned(), log.to_owned());
                if self.write(|reply| Command::Truncate { partition, log, before, reply }).await? {
                    return Ok(());
                }
            }
        })
    }

    fn lease<'a>(
        &'a self,
        partition: &'a str,
        queue: &'a str,
        limit: usize,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Leased, CommitError>> {
        let (partition, queue) = (partition.to_owned(), queue.to_owned());
        Box::pin(self.write(move |reply| Command::Lease { partition, queue, limit, duration, reply }))
    }

    fn queues<'a>(&'a self, partition: &'a str) -> BoxFuture<'a, Result<Vec<QueueState>, ReadError>> {
        let (partition, now) = (partition.to_owned(), self.clock.now());
        Box::pin(self.readers.run(move |connection| queue::list(connection, &partition, now)))
    }
}

/// The bytes of a commit, if it is within the contract's limits.
fn check_limits(writes: &[Write]) -> Result<usize, CommitError> {
    let within =
        |what, size: usize, limit| if size > limit { Err(CommitError::TooLarge { what, limit }) } else { Ok(size) };
    within("number of writes", writes.len(), WRITES_MAX)?;
    let mut bytes = 0;
    for write in writes {
        bytes += match write {
            Write::Put { key, value } => {
                within("key", key.len(), KEY_BYTES_MAX)? + within("value", value.len(), VALUE_BYTES_MAX)?
            }
            Write::Delete { key } => within("key", key.len(), KEY_BYTES_MAX)?,
            Write::Append { log, record } => {
                within("log name", log.len(), KEY_BYTES_MAX)? + within("log record", record.len(), VALUE_BYTES_MAX)?
            }
            Write::Enqueue { queue, id, body, .. } => {
                within("queue name", queue.len(), KEY_BYTES_MAX)?
                    + within("message id", id.len(), KEY_BYTES_MAX)?
                    + within("message body", body.len(), MESSAGE_BYTES_MAX)?
            }
            Write::Release { body: Some(body), .. } => within("message body", body.len(), MESSAGE_BYTES_MAX)?,
            Write::Acknowledge(_) | Write::Extend { .. } | Write::Release { body: None, .. } => 0,
        };
    }
    within("commit", bytes, COMMIT_BYTES_MAX)
}
