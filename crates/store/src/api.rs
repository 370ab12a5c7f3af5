//! The contract that every engine fulfils; one conformance suite runs against each.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// Longest key, bytes.
pub const KEY_BYTES_MAX: usize = 512;
/// Longest value, bytes; bigger things are blobs.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;
/// Longest queue message body, bytes: the largest asynchronous payload and its envelope.
pub const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Writes in one commit.
pub const WRITES_MAX: usize = 128;
/// Keys, values, records and bodies of one commit together, bytes: one longest message beside a MiB of other writes.
pub const COMMIT_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 1024 * 1024;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// Any text up to [`KEY_BYTES_MAX`]; keys are ordered by their bytes.
pub type Key = String;

/// Strictly increasing per partition; gaps are allowed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Revision(pub u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub key: Key,
    pub value: Bytes,
    /// Of the commit that wrote it last.
    pub revision: Revision,
}

/// What must hold for a commit to happen; all are checked before the first write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Precondition {
    Absent {
        key: Key,
    },
    AtRevision {
        key: Key,
        revision: Revision,
    },
    PrefixEmpty {
        prefix: Key,
    },
    /// The lease is still held: its message was neither removed, given back nor leased again. A lease that ran out is
    /// held until somebody else takes the message.
    LeaseHeld(Lease),
    /// The sequence number that the next append to the log gets.
    LogAt {
        log: String,
        next: u64,
    },
}

/// A change; those of one commit are made in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    Put {
        key: Key,
        value: Bytes,
    },
    /// Of an absent key: nothing happens.
    Delete {
        key: Key,
    },
    /// Logs come into being with their first record.
    Append {
        log: String,
        record: Bytes,
    },
    /// `id` orders messages of one `visible_at`, is unique in the queue, and comes from the caller. A second enqueue of a
    /// present id changes nothing.
    Enqueue {
        queue: String,
        id: String,
        body: Bytes,
        delay: Duration,
    },
    /// Removes a leased message. Fails the commit if the lease is lost.
    Acknowledge(Lease),
    /// Keeps the lease for `duration` from now.
    Extend {
        lease: Lease,
        duration: Duration,
    },
    /// Gives the message back, visible after `delay`, with a new body if given.
    Release {
        lease: Lease,
        delay: Duration,
        body: Option<Bytes>,
    },
}

/// The right to work on one message; a fencing token.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lease {
    pub queue: String,
    pub id: String,
    pub token: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeasedMessage {
    pub lease: Lease,
    pub body: Bytes,
    /// Times that this message was leased, this one included.
    pub deliveries: u32,
    /// Since it was enqueued.
    pub age: Duration,
}

/// What a look at a queue brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Leased {
    pub messages: Vec<LeasedMessage>,
    /// When the next message of the queue becomes visible, those just leased included; zero if one is, `None` if it is empty.
    pub next_in: Option<Duration>,
}

/// A queue with messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueState {
    pub queue: String,
    /// Leased ones included.
    pub messages: u64,
    /// When the next one becomes visible; zero if one is.
    pub next_in: Duration,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRecord {
    /// Dense, from 0.
    pub sequence: u64,
    pub record: Bytes,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub key: Key,
    /// `None`: deleted.
    pub value: Option<Bytes>,
    pub revision: Revision,
}

/// Changes under a prefix, at least once, in order per key, possibly coalesced to the newest value. It ends when the
/// store is closed or when the receiver fell behind what the store still knows: then list and watch again.
pub type Watch = tokio::sync::mpsc::Receiver<Change>;

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written.
    #[error("precondition {index} does not hold")]
    Precondition { index: usize },
    /// Nothing was written: the lease that write number `write` names is no longer held.
    #[error("the lease of write {write} is lost")]
    LeaseLost { write: usize },
    /// Nothing was written.
    #[error("{what} exceeds the limit of {limit}")]
    TooLarge { what: &'static str, limit: usize },
    /// Whether it was written is unknown: retry with the same keys and ids.
    #[error("the store did not answer: {reason}")]
    Unknown { reason: String },
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the store did not answer: {reason}")]
    Unavailable { reason: String },
    /// The watch starts before what the store still knows: list again.
    #[error("changes before {oldest:?} are compacted")]
    Compacted { oldest: Revision },
}

/// Durable state of many partitions. What a call acknowledges is on disk before it returns, and every later read of the
/// partition sees it; commits of one partition happen one after the other, partitions know nothing of each other.
///
/// # Cancel safety
/// A dropped future leaves unknown whether its commit happened, as [`CommitError::Unknown`] does.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Makes all of `writes` or none. With no writes it answers with the partition's latest revision.
    fn commit<'a>(
        &'a self,
        partition: &'a str,
        preconditions: Vec<Precondition>,
        writes: Vec<Write>,
    ) -> BoxFuture<'a, Result<Revision, CommitError>>;

    /// The key's newest value, `None` if it is absent.
    fn get<'a>(&'a self, partition: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, ReadError>>;

    /// Entries whose key starts with `prefix`, in key order, behind `after`; fewer than `limit` only at the end. One page
    /// is one snapshot, two pages are not.
    fn list<'a>(
        &'a self,
        partition: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Entry>, ReadError>>;

    /// Partitions that hold any key under `prefix`.
    fn partitions<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ReadError>>;

    /// Changes under `prefix` that are newer than `from`. From revision 0, which is before everything, every present entry
    /// comes first. [`ReadError::Compacted`] if deletions since `from` are no longer known.
    fn watch<'a>(
        &'a self,
        partition: &'a str,
        prefix: &'a str,
        from: Revision,
    ) -> BoxFuture<'a, Result<Watch, ReadError>>;

    /// Records from sequence number `from` on, or from the oldest that is left; empty if there are none.
    fn read_log<'a>(
        &'a self,
        partition: &'a str,
        log: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<LogRecord>, ReadError>>;

    /// Drops the records before sequence number `before`; numbers go on as they were.
    fn truncate_log<'a>(
        &'a self,
        partition: &'a str,
        log: &'a str,
        before: u64,
    ) -> BoxFuture<'a, Result<(), CommitError>>;

    /// Takes up to `limit` visible messages for `duration`, in order of the time they became visible, then of their id. A message
    /// whose lease runs out is visible again.
    ///
    /// The engine's own clock decides. It goes on over restarts, and the host's clock being set back, or forth, while the
    /// store is open changes nothing about when a message is visible, how long a lease lasts and how old a message is.
    fn lease<'a>(
        &'a self,
        partition: &'a str,
        queue: &'a str,
        limit: usize,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Leased, CommitError>>;

    /// The queues that hold messages, by name.
    fn queues<'a>(&'a self, partition: &'a str) -> BoxFuture<'a, Result<Vec<QueueState>, ReadError>>;
}
