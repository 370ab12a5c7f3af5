//! How long runs of a version take.

use std::time::Duration;

/// Runs that are remembered; beyond that the older ones count half.
const WEIGHT_MAX: u32 = 1024;

/// A histogram: its n-th bucket counts runs of up to 2^n milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Runs {
    buckets: [u16; 24],
    total: u32,
}

impl Runs {
    pub(crate) fn note(&mut self, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - millis.leading_zeros()) as usize;
        let last = self.buckets.len() - 1;
        self.buckets[bucket.min(last)] += 1;
        self.total += 1;
        if self.total >= WEIGHT_MAX {
            self.buckets.iter_mut().for_each(|count| *count /= 2);
            self.total = self.buckets.iter().map(|count| u32::from(*count)).sum();
        }
    }

    /// 99 of 100 runs are shorter; `None` if there was none.
    pub(crate) fn predicted(&self) -> Option<Duration> {
        let mut beyond = self.total / 100;
        for (bucket, count) in self.buckets.iter().enumerate().rev() {
            let count = u32::from(*count);
            if count > beyond {
                return Some(Duration::from_millis(1 << bucket));
            }
            beyond -= count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_predicted_of_nothing() {
        assert_eq!(Runs::default().predicted(), None);
    }

    proptest! {
        #[test]
        fn nearly_all_runs_are_shorter_than_predicted_and_some_at_least_half_as_long(
            millis in prop::collection::vec(0u64..5_000_000, 1..1000),
        ) {
            let mut runs = Runs::default();
            millis.iter().for_each(|millis| runs.note(Duration::from_millis(*millis)));
            let predicted = runs.predicted().expect("some ran").as_millis();
            let longer = millis.iter().filter(|millis| u128::from(**millis) > predicted).count();
            prop_assert!(longer * 100 <= millis.len());
            prop_assert!(millis.iter().any(|millis| u128::from(*millis) * 2 >= predicted || predicted == 1));
        }
    }
}
