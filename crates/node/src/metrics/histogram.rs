//! A histogram of durations that many threads add to without waiting for each other.

use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the buckets, microseconds; one more bucket has none.
pub(super) const BOUNDS_US: [u64; 21] = [
    50,
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    900_000_000,
];

#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    pub(super) fn observe(&self, us: u64) {
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(super::read).sum()
    }

    pub(super) fn sum_us(&self) -> u64 {
        super::read(&self.sum_us)
    }

    /// How many fell into each bucket alone.
    pub(super) fn buckets(&self) -> Vec<u64> {
        self.buckets.iter().map(super::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        let histogram = Histogram::default();
        for us in [0, 50, 51, 900_000_000, 900_000_001, u64::from(u32::MAX)] {
            histogram.observe(us);
        }
        let buckets = histogram.buckets();
        assert_eq!((buckets[0], buckets[1], buckets[20], buckets[21]), (2, 1, 1, 2));
        assert_eq!(histogram.count(), 6);
    }
}
