//! Live tail: events as they are written, to whoever asked for them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hearth_types::Home;
use tokio::sync::mpsc;

use crate::pattern::FilterPattern;
use crate::query::StreamChoice;
use crate::store::LogStore;
use crate::stream::{Event, StreamName};

/// Events that wait for a slow reader; more are left out.
const CHANNEL_LEN: usize = 4096;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveEvent {
    pub group: String,
    pub stream: String,
    pub time_ms: u64,
    pub message: Bytes,
}

/// Events of a live tail session; it ends when this is dropped or the store closes.
#[derive(Debug)]
pub struct LiveTail {
    events: mpsc::Receiver<LiveEvent>,
    left_out: Arc<AtomicU64>,
}

impl LiveTail {
    /// The next event; `None` once the store is closed.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        self.events.recv().await
    }

    /// The next event if one is there already.
    pub fn try_next(&mut self) -> Option<LiveEvent> {
        self.events.try_recv().ok()
    }

    /// Events left out since the last call because they were not taken quickly enough: the session is sampled.
    pub fn take_left_out(&self) -> u64 {
        self.left_out.swap(0, Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tails {
    sessions: Mutex<Vec<Session>>,
    /// Spares the writer the lock.
    count: AtomicUsize,
}

#[derive(Debug)]
struct Session {
    home: Home,
    groups: Vec<String>,
    streams: StreamChoice,
    pattern: FilterPattern,
    events: mpsc::Sender<LiveEvent>,
    left_out: Arc<AtomicU64>,
}

impl LogStore {
    /// Events of `groups` from now on, within [`FLUSH_INTERVAL`](crate::FLUSH_INTERVAL) of being appended. The groups need
    /// not exist yet.
    pub fn live_tail(
        &self,
        home: &Home,
        groups: Vec<String>,
        streams: StreamChoice,
        pattern: FilterPattern,
    ) -> LiveTail {
        let (sender, events) = mpsc::channel(CHANNEL_LEN);
        let left_out = Arc::new(AtomicU64::new(0));
        let session =
            Session { home: home.clone(), groups, streams, pattern, events: sender, left_out: Arc::clone(&left_out) };
        self.core.tails.add(session);
        LiveTail { events, left_out }
    }
}

impl Tails {
    fn add(&self, session: Session) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.push(session);
        self.count.store(sessions.len(), Ordering::Release);
    }

    /// Ends every session.
    pub(crate) fn close(&self) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.count.store(0, Ordering::Release);
    }

    pub(crate) fn publish(&self, name: &StreamName, events: &[Event]) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| !session.events.is_closed());
        self.count.store(sessions.len(), Ordering::Release);
        for session in sessions.iter().filter(|session| session.is_for(name)) {
            events
                .iter()
                .filter(|event| session.pattern.matches(&event.message))
                .for_each(|event| session.send(name, event));
        }
    }
}

impl Session {
    fn is_for(&self, name: &StreamName) -> bool {
        self.home == name.home && self.groups.contains(&name.group) && self.streams.includes(&name.stream)
    }

    fn send(&self, name: &StreamName, event: &Event) {
        let event = LiveEvent {
            group: name.group.clone(),
            stream: name.stream.clone(),
            time_ms: event.time_ms,
            message: event.message.clone(),
        };
        if self.events.try_send(event).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}
