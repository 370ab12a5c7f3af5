//! How many sandboxes are started at a time, so that a burst of one version delays nobody else.
//!
//! A start is *in a hurry* from its claim on a blank sandbox until it is initialised, has failed, or has lasted for so long that it
//! rather waits than computes. The first of a version always begins at once; those that follow it closely are a *crowd* and begin only
//! while fewer are in a hurry than the machine takes: one more than it has cores while no other version is in use, else one core
//! is left to the others. Whoever has been held back for too long is held back no more.
//!
//! Who is held back is short of a place meanwhile, and so gets whichever sandbox of its version comes free first.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_types::Instant;

use super::{Engine, Turn};
use crate::keys::PoolKey;
use crate::timers::Due;

/// From then on a start counts no more: it waits for something else than a processor, or gets none anyway.
pub(super) const HURRY: Duration = Duration::from_millis(50);
/// The longest that a ticket is held back.
const HELD_BACK_MAX: Duration = Duration::from_secs(5);
/// A version is in use for so long after it was last called, and what is started for it within that time belongs together.
const IN_USE: Duration = Duration::from_millis(250);

/// Starts in a hurry, and who was called last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When each began, and its pool. Numbers rise with time.
    hurried: BTreeMap<u64, (Instant, PoolKey)>,
    /// The two pools that were called last, the last in front.
    called: [Option<(PoolKey, Instant)>; 2],
    armed: Option<Instant>,
}

impl Pace {
    pub(super) fn under_way(&self) -> usize {
        self.hurried.len()
    }

    pub(super) fn is_hurried(&self, number: u64) -> bool {
        self.hurried.contains_key(&number)
    }

    pub(super) fn note_call(&mut self, pool: PoolKey, now: Instant) {
        if self.called[0].is_some_and(|(last, _)| last != pool) {
            self.called[1] = self.called[0];
        }
        self.called[0] = Some((pool, now));
    }

    fn is_alone(&self, pool: Option<PoolKey>, now: Instant) -> bool {
        let mut others = self.called.iter().flatten().filter(|(other, _)| Some(*other) != pool);
        !others.any(|(_, at)| now < *at + IN_USE)
    }
}

impl Engine {
    pub(super) fn is_pacing(&self) -> bool {
        self.config.cores < usize::MAX
    }

    /// How many starts in a hurry the machine takes beside what else it does; `pool` is whose they are.
    pub(super) fn pace_max(&self, pool: Option<PoolKey>, now: Instant) -> usize {
        if self.pace.is_alone(pool, now) {
            self.config.cores.saturating_add(1)
        } else {
            self.config.cores.saturating_sub(1).max(1)
        }
    }

    /// Whether another start of the pool has to wait until others are over.
    pub(super) fn is_held_back(&self, pool: PoolKey, now: Instant) -> bool {
        // One each while is everybody's due, however many others there are.
        let follows = self.pools[pool].hurried > 0 || self.started_within(HURRY, pool, now);
        let crowded = follows && self.pace.under_way() >= self.pace_max(Some(pool), now);
        let since = || self.tickets.get(&self.first_short(pool)?).map(|attempt| attempt.since);
        crowded && since().is_none_or(|since| now < since + HELD_BACK_MAX)
    }

    /// Whether another start of the pool would be one of many.
    pub(super) fn is_crowd(&self, pool: PoolKey, now: Instant) -> bool {
        self.pools[pool].hurried > 0 || self.started_within(IN_USE, pool, now)
    }

    fn started_within(&self, time: Duration, pool: PoolKey, now: Instant) -> bool {
        self.pools[pool].started.is_some_and(|at| now < at + time)
    }

    /// A start begins; returns its number.
    pub(super) fn begin_start(&mut self, now: Instant, pool: PoolKey) -> u64 {
        let number = self.next_sequence();
        if self.is_pacing() {
            self.pools[pool].hurried += 1;
            self.pools[pool].started = Some(now);
            self.pace.hurried.insert(number, (now, pool));
            self.timers.arm(Due::Pace, &mut self.pace.armed, now + HURRY);
        }
        number
    }

    /// A start is in a hurry no longer, if it was.
    pub(super) fn end_start(&mut self, number: u64) {
        if let Some((_, pool)) = self.pace.hurried.remove(&number) {
            self.pools[pool].hurried -= 1;
            self.roots.note_change();
        }
    }

    pub(super) fn pace_due(&mut self, turn: &Turn<'_>) {
        self.pace.armed = None;
        while let Some((number, (since, _))) = self.pace.hurried.first_key_value() {
            let (number, until) = (*number, *since + HURRY);
            if turn.now < until {
                return self.timers.arm(Due::Pace, &mut self.pace.armed, until);
            }
            self.end_start(number);
        }
    }
}
