//! Function logs: groups, streams and events as CloudWatch Logs has them.
//!
//! ```text
//! LogStream::append ──► events in memory ──► writer thread ──► segments on disk ──► dropped, oldest first
//!                             │ at once                              │
//!                             └────────────► queries ◄───────────────┘
//! ```
//! Appending takes a short lock and touches no disk; what does not fit the bound on memory is dropped and counted. Events
//! reach the disk within [`FLUSH_INTERVAL`] and are lost if the machine stops before; what [`LogStore::put_events`] and the
//! calls that change groups acknowledge is on disk. Only queries and those calls block.

mod catalogue;
mod journal;
mod listing;
pub mod pattern;
mod query;
mod segment;
mod store;
mod stored_home;
mod stream;
mod tail;
mod writer;

pub use listing::{Group, GroupPage, Stream, StreamOrder, StreamPage};
pub use pattern::{FilterPattern, PatternError};
pub use query::{EventsPage, EventsQuery, FilterPage, FilterQuery, FilteredEvent, StreamChoice};
pub use store::{LogConfig, LogError, LogStore, OpenError};
pub use stream::{Event, LogStream};
pub use tail::{LiveEvent, LiveTail};
pub use writer::FLUSH_INTERVAL;
