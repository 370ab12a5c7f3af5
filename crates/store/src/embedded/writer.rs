//! The thread that owns the writing connection: takes what is queued, commits it as one transaction, answers, tidies up.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hearth_sys::failpoint;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::clock::Clock;
use super::watch::Hints;
use super::{OpenError, apply, queue};
use crate::api::{CommitError, Leased, Precondition, Revision, Write};

/// Commands of one transaction.
const GROUP_MAX: usize = 64;
/// Bytes after which a transaction takes no further command.
const GROUP_BYTES: usize = 256 * 1024;
/// Commands that wait before senders do.
const QUEUE_LEN: usize = 1024;
/// Pages of write-ahead log after which it is copied into the database: 2 MiB. Commits get slower as it grows.
const CHECKPOINT_PAGES: usize = 512;
/// Pages of write-ahead log that say a reader keeps it from being reused: 64 MiB.
const ALARM_PAGES: usize = 16 * 1024;
/// Deletions remembered per partition for watchers; twice as many are kept at times.
const DELETED_KEPT: u64 = 4096;

pub(super) type Reply<T> = oneshot::Sender<Result<T, CommitError>>;

#[derive(Debug)]
pub(super) enum Command {
    Commit {
        partition: String,
        preconditions: Vec<Precondition>,
        writes: Vec<Write>,
        bytes: usize,
        reply: Reply<Revision>,
    },
    Lease {
        partition: String,
        queue: String,
        limit: usize,
        duration: Duration,
        reply: Reply<Leased>,
    },
    /// Answers whether nothing is left to drop.
    Truncate {
        partition: String,
        log: String,
        before: u64,
        reply: Reply<bool>,
    },
}

impl Command {
    fn bytes(&self) -> usize {
        match self {
            Self::Commit { bytes, .. } => *bytes,
            Self::Lease { .. } | Self::Truncate { .. } => 0,
        }
    }

    /// Where watchers may have something to see.
    fn changed_partition(&self) -> Option<&str> {
        match self {
            Self::Commit { partition, .. } => Some(partition),
            Self::Lease { .. } | Self::Truncate { .. } => None,
        }
    }

    /// Where a test stops what an event's life depends on: before and after it is queued, or settled.
    fn failpoints(&self) -> Option<[&'static str; 2]> {
        let Self::Commit { writes, .. } = self else { return None };
        writes.iter().find_map(|write| match write {
            Write::Enqueue { .. } => Some(["queue.add", "queue.added"]),
            Write::Acknowledge(_) => Some(["queue.ack", "queue.acked"]),
            _ => None,
        })
    }

    fn execute(self, context: &mut apply::Context<'_>) -> (Answer, Option<rusqlite::Error>) {
        match self {
            Self::Commit { partition, preconditions, writes, reply, .. } => {
                let (result, error) = settle(apply::commit(context, &partition, &preconditions, &writes));
                (Answer::Commit(reply, result), error)
            }
            Self::Lease { partition, queue, limit, duration, reply } => {
                let (result, error) = settle(queue::lease(context, &partition, &queue, limit, duration).map(Ok));
                (Answer::Lease(reply, result), error)
            }
            Self::Truncate { partition, log, before, reply } => {
                let (result, error) = settle(apply::truncate_log(context, &partition, &log, before).map(Ok));
                (Answer::Truncate(reply, result), error)
            }
        }
    }

    fn fail(self, failure: &CommitError) {
        match self {
            Self::Commit { reply, .. } => deliver(reply, Err(failure.clone())),
            Self::Lease { reply, .. } => deliver(reply, Err(failure.clone())),
            Self::Truncate { reply, .. } => deliver(reply, Err(failure.clone())),
        }
    }
}

/// A command's result, held back until it is durable.
enum Answer {
    Commit(Reply<Revision>, Result<Revision, CommitError>),
    Lease(Reply<Leased>, Result<Leased, CommitError>),
    Truncate(Reply<bool>, Result<bool, CommitError>),
}

impl Answer {
    fn send(self) {
        match self {
            Self::Commit(reply, result) => deliver(reply, result),
            Self::Lease(reply, result) => deliver(reply, result),
            Self::Truncate(reply, result) => deliver(reply, result),
        }
    }

    fn fail(self, failure: &CommitError) {
        match self {
            Self::Commit(reply, _) => deliver(reply, Err(failure.clone())),
            Self::Lease(reply, _) => deliver(reply, Err(failure.clone())),
            Self::Truncate(reply, _) => deliver(reply, Err(failure.clone())),
        }
    }
}

/// Sends commands to the thread; dropping it waits for the thread's end.
#[derive(Debug)]
pub(super) struct Writer {
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        dir: &Path,
        connection: Connection,
        lock: File,
        hints: Arc<Hints>,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let failed = |step| move |source| OpenError::Database { step, dir: dir.to_owned(), source };
        let (commands, receiver) = mpsc::channel(QUEUE_LEN);
        let task = WriterTask::new(connection, lock, hints, clock, receiver).map_err(failed("read the revision"))?;
        let thread = hearth_tasks::system_thread("store-writer".to_owned(), move || task.run())
            .map_err(|source| OpenError::Io { step: "start the writer of", path: dir.to_owned(), source })?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    pub(super) async fn send(&self, command: Command) -> Result<(), mpsc::error::SendError<Command>> {
        match &self.commands {
            Some(commands) => commands.send(command).await,
            None => Err(mpsc::error::SendError(command)),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

struct WriterTask {
    connection: Connection,
    /// Held for as long as the thread may write.
    _lock: File,
    hints: Arc<Hints>,
    commands: mpsc::Receiver<Command>,
    revision: u64,
    clock: Clock,
    wal_pages: Arc<AtomicUsize>,
    checkpointed_pages: usize,
    deletions: u64,
}

impl WriterTask {
    fn new(
        mut connection: Connection,
        lock: File,
        hints: Arc<Hints>,
        clock: Clock,
        commands: mpsc::Receiver<Command>,
    ) -> rusqlite::Result<Self> {
        let revision = connection.query_row("SELECT value FROM meta WHERE name = 'revision'", [], |row| row.get(0))?;
        let wal_pages = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&wal_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            seen.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            connection,
            _lock: lock,
            hints,
            commands,
            revision,
            clock,
            wal_pages,
            checkpointed_pages: 0,
            deletions: 0,
        })
    }

    fn run(mut self) {
        let mut group = VecDeque::with_capacity(GROUP_MAX);
        while let Some(first) = self.commands.blocking_recv() {
            let mut bytes = first.bytes();
            group.push_back(first);
            while group.len() < GROUP_MAX && bytes < GROUP_BYTES {
                let Ok(command) = self.commands.try_recv() else { break };
                bytes += command.bytes();
                group.push_back(command);
            }
            self.commit_group(&mut group);
            self.tidy();
        }
        if let Err(error) = self.clock.note(&self.connection, self.clock.now()) {
            tracing::warn!(%error, "cannot note the time in the store");
        }
        self.checkpoint();
        self.hints.close();
    }

    /// One transaction for the whole group. If it fails nothing of it is there, yet every caller is told "unknown": whether a
    /// failed commit left its mark on the disk is not for us to promise.
    fn commit_group(&mut self, group: &mut VecDeque<Command>) {
        let partitions: Vec<String> = group.iter().filter_map(Command::changed_partition).map(str::to_owned).collect();
        let mut answers = Vec::with_capacity(group.len());
        let (revision, deletions) = (self.revision, self.deletions);
        let points = group.iter().find_map(Command::failpoints);
        points.into_iter().for_each(|[before, _]| failpoint(before));
        match self.try_commit(group, &mut answers) {
            Ok(()) => {
                points.into_iter().for_each(|[_, after]| failpoint(after));
                answers.into_iter().for_each(Answer::send);
                self.hints.touch(&partitions);
            }
            Err(error) => {
                tracing::error!(%error, commands = answers.len() + group.len(), "cannot commit to the store");
                (self.revision, self.deletions) = (revision, deletions);
                let failure = CommitError::Unknown { reason: error.to_string() };
                answers.into_iter().for_each(|answer| answer.fail(&failure));
                group.drain(..).for_each(|command| command.fail(&failure));
            }
        }
    }

    /// Every command taken off the group has an entry in `answers`, also when one of them fails.
    fn try_commit(&mut self, group: &mut VecDeque<Command>, answers: &mut Vec<Answer>) -> rusqlite::Result<()> {
        let now = self.clock.now();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = self.revision;
        while let Some(command) = group.pop_front() {
            let mut context = apply::Context {
                connection: &transaction,
                now,
                revision: &mut self.revision,
                deletions: &mut self.deletions,
            };
            let (answer, error) = command.execute(&mut context);
            answers.push(answer);
            if let Some(error) = error {
                return Err(error);
            }
        }
        if self.revision != before {
            transaction
                .prepare_cached("UPDATE meta SET value = ? WHERE name = 'revision'")?
                .execute([self.revision])?;
            self.clock.note(&transaction, now)?;
        }
        transaction.commit()
    }

    /// Work that nobody waits for, done after the answers are out.
    fn tidy(&mut self) {
        let pages = self.wal_pages.load(Ordering::Relaxed);
        if pages < self.checkpointed_pages {
            self.checkpointed_pages = 0;
        }
        if pages >= self.checkpointed_pages + CHECKPOINT_PAGES {
            self.checkpoint();
            self.checkpointed_pages = pages;
            if pages >= ALARM_PAGES {
                tracing::warn!(pages, "the store's write-ahead log cannot be reused: a reader is stuck");
            }
        }
        if self.deletions >= DELETED_KEPT {
            self.deletions = 0;
            if let Err(error) = apply::forget_deletions(&mut self.connection, DELETED_KEPT) {
                tracing::warn!(%error, "notes of deleted functions cannot be removed");
            }
        }
    }

    fn checkpoint(&self) {
        let result = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = result {
            tracing::warn!(%error, "cannot checkpoint the store");
        }
    }
}

/// The caller's part of a result and what fails the transaction.
fn settle<T>(result: rusqlite::Result<Result<T, CommitError>>) -> (Result<T, CommitError>, Option<rusqlite::Error>) {
    match result {
        Ok(result) => (result, None),
        Err(error) => (Err(CommitError::Unknown { reason: error.to_string() }), Some(error)),
    }
}

/// A caller that no longer waits is no error.
fn deliver<T>(reply: Reply<T>, result: Result<T, CommitError>) {
    drop(reply.send(result));
}
