//! Greedy-Dual-Size-Frequency, as *FaasCache* (Fuerst and Sharma, ASPLOS 2021) uses it for keep-alive: warm sandboxes are a cache
//! that is always full; nothing leaves it but to make room, the least worth first. Worth is frequency x cost / size, on top of
//! the worth of what was last evicted, so that what is not used any more ages.

use std::time::Duration;

use hearth_types::{Instant, VersionKey};

use super::{Ended, Found, Idle, Keep, Known, Policy};

#[derive(Debug)]
pub(super) struct GreedyDual {
    idle_mib_max: u64,
    /// Worth of the last sandbox that was evicted.
    clock: u64,
    versions: Vec<Version>,
}

#[derive(Clone, Copy, Debug)]
struct Version {
    /// Attempts since it has had sandboxes.
    frequency: u64,
    cost: Duration,
}

/// Before the first cold start was measured.
const COST_UNKNOWN: Duration = Duration::from_millis(100);

impl Default for Version {
    fn default() -> Self {
        Self { frequency: 0, cost: COST_UNKNOWN }
    }
}

impl GreedyDual {
    pub(super) fn new(idle_mib_max: Option<u64>) -> Self {
        Self { idle_mib_max: idle_mib_max.unwrap_or(u64::MAX), clock: 0, versions: Vec::new() }
    }

    fn version(&mut self, version: Known) -> &mut Version {
        let index = version.index();
        if self.versions.len() <= index {
            self.versions.resize(index + 1, Version::default());
        }
        &mut self.versions[index]
    }
}

impl Policy for GreedyDual {
    fn meet(&mut self, version: Known, _: &VersionKey, _: Option<Known>) {
        *self.version(version) = Version::default();
    }

    fn arrived(&mut self, version: Known, _: Instant, _: Found) {
        self.version(version).frequency += 1;
    }

    fn started(&mut self, version: Known, cost: Duration) {
        self.version(version).cost = cost;
    }

    fn idle(&mut self, idle: Idle, _: Instant) -> Keep {
        let Version { frequency, cost } = *self.version(idle.version);
        let micros = u64::try_from(cost.as_micros()).unwrap_or(u64::MAX).max(1);
        let value = frequency.saturating_mul(micros) / u64::from(idle.memory_mib.max(1));
        Keep::Until { at: Instant::from_nanos(u64::MAX), worth: self.clock.saturating_add(value) }
    }

    fn ended(&mut self, _: Idle, _: Instant, why: Ended) {
        if let Ended::Evicted { worth } = why {
            self.clock = self.clock.max(worth);
        }
    }

    fn emptied(&mut self, version: Known) {
        self.version(version).frequency = 0;
    }

    fn idle_mib_max(&self) -> u64 {
        self.idle_mib_max
    }
}
