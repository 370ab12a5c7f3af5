//! The hot path: one stream's events, from the append until they are on disk.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hearth_types::Home;

use crate::segment::Span;
use crate::store::Core;

/// Longest message kept, bytes; the rest of a longer one is cut off. `PutLogEvents`, "maximum event size".
pub(crate) const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// What an event takes in memory beside its message: its place in a list that doubles as it grows, and the allocator's for
/// the message, which for a short line is more than the line.
const EVENT_COST: usize = 128;

/// One line, or whatever was logged at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When it happened, milliseconds since the epoch.
    pub time_ms: u64,
    /// When it reached the disk; the time it happened for one that is on its way.
    pub ingested_ms: u64,
    /// UTF-8 in all likelihood, but nobody has checked.
    pub message: Bytes,
}

impl Event {
    /// What it takes in memory.
    pub(crate) fn cost(&self) -> usize {
        self.message.len() + EVENT_COST
    }
}

/// Where a stream belongs.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct StreamName {
    pub home: Home,
    pub group: String,
    pub stream: String,
}

#[derive(Debug)]
pub(crate) struct StreamCell {
    /// Never given to another stream, not even to a later one of the same name.
    pub uid: u64,
    pub name: StreamName,
    pub created_ms: u64,
    /// Somebody asked for it: it stays when its events are gone.
    pub is_explicit: bool,
    state: Mutex<StreamState>,
}

#[derive(Debug, Default)]
pub(crate) struct StreamState {
    /// On disk, oldest first, one for each segment.
    pub parts: Vec<Part>,
    /// Being written. Readers still take them from here.
    pub flushing: Arc<Vec<Event>>,
    /// Appended since.
    pub pending: Vec<Event>,
    /// Sequence number of the first in `flushing`, else of the first in `pending`.
    pub next_sequence: u64,
    pub last_ingested_ms: u64,
    /// Events that did not fit.
    pub dropped: u64,
    /// The writer knows that there is something to do.
    pub is_dirty: bool,
    /// Removed from the catalogue: nothing is kept here any more.
    pub is_deleted: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub segment: u64,
    pub span: Span,
}

impl StreamCell {
    pub(crate) fn new(uid: u64, name: StreamName, created_ms: u64, is_explicit: bool) -> Self {
        Self { uid, name, created_ms, is_explicit, state: Mutex::default() }
    }

    /// Forgets everything; returns what that frees in memory. What is being written is the writer's to free.
    pub(crate) fn delete(&self) -> usize {
        let mut state = self.lock();
        state.is_deleted = true;
        state.parts.clear();
        std::mem::take(&mut state.pending).iter().map(Event::cost).sum()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, StreamState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StreamState {
    /// The events that are not on disk yet, with their sequence numbers.
    pub(crate) fn in_memory(&self) -> impl Iterator<Item = (u64, &Event)> {
        (self.next_sequence..).zip(self.flushing.iter().chain(&self.pending))
    }
}

/// A handle to append to one stream; cheap to clone.
#[derive(Clone)]
pub struct LogStream {
    pub(crate) core: Arc<Core>,
    pub(crate) cell: Arc<StreamCell>,
}

impl LogStream {
    /// Takes an event. Never waits for the disk: if the store is behind by more than its bound, the event is dropped and counted.
    pub fn append(&self, time_ms: u64, message: Bytes) {
        self.append_batch([(time_ms, message)]);
    }

    /// Takes several events in their order, as [`append`](Self::append) does.
    pub fn append_batch(&self, events: impl IntoIterator<Item = (u64, Bytes)>) {
        let mut state = self.cell.lock();
        if state.is_deleted {
            drop(state);
            return self.append_anew(events);
        }
        for (time_ms, mut message) in events {
            message.truncate(MESSAGE_BYTES_MAX);
            if self.core.reserve(message.len() + EVENT_COST) {
                state.pending.push(Event { time_ms, ingested_ms: time_ms, message });
            } else {
                state.dropped += 1;
            }
        }
        let was_dirty = std::mem::replace(&mut state.is_dirty, true);
        drop(state);
        if !was_dirty {
            self.core.mark_dirty(&self.cell);
        }
    }

    /// The stream or its group was deleted while somebody still logs to it: it comes into being again.
    fn append_anew(&self, events: impl IntoIterator<Item = (u64, Bytes)>) {
        let name = &self.cell.name;
        let cell = self.core.stream(&name.home, &name.group, &name.stream);
        Self { core: Arc::clone(&self.core), cell }.append_batch(events);
    }
}

impl fmt::Debug for LogStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStream").field("name", &self.cell.name).finish_non_exhaustive()
    }
}
