//! What a replay measured.

use std::time::Duration;

/// Figures of one trace under one policy.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    pub invocations: u64,
    pub cold_starts: u64,
    /// Sandboxes started ahead of need.
    pub loads_ahead: u64,
    /// Idle sandboxes that were ended to make room.
    pub evictions: u64,
    /// Attempts that got no sandbox, or lost theirs while they ran.
    pub failed: u64,
    /// Memory of initialised sandboxes that nobody used, times how long.
    pub idle_mib_ns: u128,
    /// From the arrival to the hand-over, of those that had to wait at all, nanoseconds.
    delays: Vec<u64>,
    /// Of those that were handed over.
    dispatched: u64,
}

impl Outcome {
    pub(crate) fn dispatched(&mut self, delay: u64) {
        self.dispatched += 1;
        if delay > 0 {
            self.delays.push(delay);
        }
    }

    /// The replay is over.
    pub(crate) fn finish(&mut self) {
        self.delays.sort_unstable();
    }

    /// Memory of idle sandboxes, GiB times seconds.
    pub fn idle_gib_s(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let mib_ns = self.idle_mib_ns as f64;
        mib_ns / 1024.0 / 1e9
    }

    /// How long an invocation waited for its sandbox; `per_mille` of them waited no longer.
    pub fn start_delay(&self, per_mille: u64) -> Duration {
        let rank = (self.dispatched * per_mille).div_ceil(1000).max(1);
        let waited = u64::try_from(self.delays.len()).unwrap_or(u64::MAX);
        let at_once = self.dispatched - waited;
        let index = rank.checked_sub(at_once + 1).map(|index| usize::try_from(index).unwrap_or(usize::MAX));
        let nanos = index.and_then(|index| self.delays.get(index)).copied().unwrap_or(0);
        Duration::from_nanos(nanos)
    }
}
