//! The one place in the node that reads clocks.

use std::time::{Duration, SystemTime};

use hearth_types::{Instant, Timestamp};

/// Monotonic time since the node's start, and wall-clock time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    origin: std::time::Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { origin: std::time::Instant::now() }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::ZERO + self.origin.elapsed()
    }

    /// The same point as tokio's timers want it.
    pub(crate) fn tokio_instant(&self, at: Instant) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.origin + at.since(Instant::ZERO))
    }

    pub(crate) fn wall(&self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX))
    }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
