//! What may go wrong in a replay, all from one seed.

use std::time::Duration;

use crate::random::Random;

/// One start in so many is slow, by this factor.
const SLOW_ONE_IN: u64 = 50;
const SLOW_FACTOR: u32 = 10;
/// Mean times between losses.
const NODE_LOST_EVERY: Duration = Duration::from_secs(12 * 3600);
const LEASE_RECLAIMED_EVERY: Duration = Duration::from_secs(2 * 3600);
/// Leases that the sandboxes are spread over.
const LEASES: u64 = 10;

/// Something is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    /// Every sandbox, with what runs in it; the node comes back empty.
    Node,
    /// The sandboxes on one of the leased parts of the capacity.
    Lease(u64),
}

#[derive(Debug)]
pub(crate) struct Faults {
    random: Random,
    /// In order of their times, nanoseconds.
    pub(crate) losses: Vec<(u64, Loss)>,
}

impl Faults {
    pub(crate) fn new(seed: u64, horizon: u64) -> Self {
        let mut random = Random::new(seed, [0xFA, 0x17]);
        let mut losses = Vec::new();
        for (every, is_node) in [(NODE_LOST_EVERY, true), (LEASE_RECLAIMED_EVERY, false)] {
            let twice = crate::node::nanos(every) * 2;
            let mut at = random.below(twice);
            while at < horizon {
                losses.push((at, if is_node { Loss::Node } else { Loss::Lease(random.below(LEASES)) }));
                at += random.below(twice) + 1;
            }
        }
        losses.sort_by_key(|(at, _)| *at);
        Self { random, losses }
    }

    /// How long a start takes that should take `normal`.
    pub(crate) fn start(&mut self, normal: Duration) -> Duration {
        if self.random.below(SLOW_ONE_IN) == 0 { normal * SLOW_FACTOR } else { normal }
    }

    /// On which lease a sandbox is.
    pub(crate) fn lease_of(sandbox: u64) -> u64 {
        sandbox % LEASES
    }
}
