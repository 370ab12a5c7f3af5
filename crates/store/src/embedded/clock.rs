//! The store's own clock: it goes on from where it was when the store was last used, however the system's is set meanwhile.
//!
//! Due times, leases and ages are read from it alone. While the store is open it follows monotonic time. Each commit notes
//! what both it and the system's clock show, and the next life goes on from there: as much later as the system's clock says
//! that the store was closed, and not at all earlier. So a clock that is set back, or forth, changes nothing but how long a
//! pause between two lives appears to have been.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hearth_types::Timestamp;
use rusqlite::{Connection, OptionalExtension};

/// What the store learns of time.
pub trait TimeSource: Send + Sync + std::fmt::Debug {
    /// Since any point that stays the same; never less than before.
    fn monotonic(&self) -> Duration;
    /// As the host's clock is set now.
    fn wall(&self) -> Timestamp;
}

/// The host's clocks.
#[derive(Debug)]
pub(super) struct SystemTimeSource(Instant);

impl Default for SystemTimeSource {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl TimeSource for SystemTimeSource {
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Clock {
    source: Arc<dyn TimeSource>,
    /// What this clock showed at the source's `opened`.
    base: Timestamp,
    opened: Duration,
}

impl Clock {
    /// Goes on from what the last commit noted.
    pub(super) fn resume(source: Arc<dyn TimeSource>, connection: &Connection) -> rusqlite::Result<Self> {
        let noted = |name: &str| {
            connection
                .query_row("SELECT value FROM meta WHERE name = ?", [name], |row| row.get::<_, u64>(0))
                .optional()
                .map(Option::unwrap_or_default)
        };
        let (clock, wall) = (noted("clock")?, noted("wall")?);
        let closed_for = source.wall().as_millis().saturating_sub(wall);
        let base = Timestamp::from_millis(clock.saturating_add(closed_for));
        let opened = source.monotonic();
        Ok(Self { source, base, opened })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.base + self.source.monotonic().saturating_sub(self.opened)
    }

    /// To be part of whatever is committed.
    pub(super) fn note(&self, connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        let mut note = connection.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)")?;
        note.execute(rusqlite::params!["clock", millis(now)])?;
        note.execute(rusqlite::params!["wall", millis(self.source.wall())])?;
        Ok(())
    }
}

/// A time beyond what SQLite can hold is "never".
pub(super) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
