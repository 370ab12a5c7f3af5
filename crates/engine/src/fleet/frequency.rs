//! How often a version is called, and whether that makes it one of the frequent ones.

use std::time::Duration;

use hearth_types::Instant;

use crate::capacity::Frequency;

/// After each of these, calls before it count half.
const EPOCH: Duration = Duration::from_secs(300);
/// So many make a version a frequent one...
const FREQUENT_FROM: u32 = 20;
/// ...until it has fewer than so many.
const RARE_BELOW: u32 = 5;

/// Calls of one version.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calls {
    count: u32,
    /// The epoch of the last one.
    epoch: u64,
    frequent: bool,
}

impl Calls {
    pub(crate) fn note(&mut self, now: Instant) {
        *self = self.aged(now);
        self.count = self.count.saturating_add(1);
        self.frequent |= self.count >= FREQUENT_FROM;
    }

    pub(crate) fn frequency(self, now: Instant) -> Frequency {
        if self.aged(now).frequent { Frequency::Frequent } else { Frequency::Rare }
    }

    fn aged(self, now: Instant) -> Self {
        let epoch = now.since(Instant::ZERO).as_secs() / EPOCH.as_secs();
        let halvings = u32::try_from(epoch.saturating_sub(self.epoch)).unwrap_or(u32::MAX);
        let count = self.count.checked_shr(halvings).unwrap_or(0);
        Self { count, epoch, frequent: self.frequent && count >= RARE_BELOW }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    /// As the rule is told: epoch by epoch, all calls in a list.
    fn naive(calls: &[u64], now: u64) -> Frequency {
        let (mut count, mut frequent) = (0, false);
        for epoch in 0..=now / 300 {
            count /= 2;
            frequent &= count >= 5;
            count += calls.iter().filter(|call| **call / 300 == epoch && **call <= now).count();
            frequent |= count >= 20;
        }
        if frequent { Frequency::Frequent } else { Frequency::Rare }
    }

    #[test]
    fn a_version_is_rare_until_it_has_been_called_often_and_again_some_time_after() {
        let mut calls = Calls::default();
        assert_eq!(calls.frequency(at(0)), Frequency::Rare);
        (0..19).for_each(|_| calls.note(at(1)));
        assert_eq!(calls.frequency(at(1)), Frequency::Rare);
        calls.note(at(1));
        assert_eq!(calls.frequency(at(1)), Frequency::Frequent);
        assert_eq!(calls.frequency(at(899)), Frequency::Frequent, "5 of 20 count after two epochs");
        assert_eq!(calls.frequency(at(900)), Frequency::Rare);
        assert_eq!(calls.frequency(at(u64::from(u32::MAX) * 301)), Frequency::Rare);
    }

    proptest! {
        #[test]
        fn it_is_what_the_rule_says(steps in prop::collection::vec((0u64..8, 0u64..400), 1..150)) {
            let (mut calls, mut noted, mut now) = (Calls::default(), Vec::new(), 0);
            for (kind, seconds) in steps {
                now += if kind == 0 { seconds } else { seconds / 40 };
                if kind > 0 {
                    calls.note(at(now));
                    noted.push(now);
                }
                prop_assert_eq!(calls.frequency(at(now)), naive(&noted, now));
            }
        }
    }
}
