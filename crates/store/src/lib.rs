//! Durable state behind three narrow interfaces (key-value, log, leased queue) and content-addressed blobs.
//!
//! Everything lives in a *partition* (an account, a log, a queue shard); guarantees are per partition. A commit is all
//! or nothing and durable before it returns. One embedded engine, [`Embedded`], implements them for one node.

pub mod api;
pub mod blob;
mod embedded;
mod incoming;
pub mod stored;

pub use api::{
    Change, CommitError, Entry, Key, Lease, Leased, LeasedMessage, LogRecord, Precondition, QueueState, ReadError,
    Revision, Store, Watch, Write,
};
pub use blob::{BlobError, Blobs};
pub use embedded::{Embedded, OpenError, TimeSource};
pub use incoming::{Incoming, Received};
