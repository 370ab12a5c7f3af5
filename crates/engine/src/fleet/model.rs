//! The things that the fleet keeps.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use hearth_types::{Instant, SandboxId, VersionKey};

use crate::event::{ColdReason, RootId, Ticket};
use crate::keep_alive::Known;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Making,
    Blank,
    Starting {
        pool: u32,
        cold: ColdReason,
    },
    Idle {
        pool: u32,
        /// When it became idle; earlier if it was loaded ahead.
        since: Instant,
        frozen: bool,
        /// When the policy is asked again.
        until: Instant,
    },
    Busy {
        pool: u32,
        ticket: Ticket,
    },
    Finishing {
        pool: u32,
    },
    Bound {
        pool: u32,
        ticket: Ticket,
        since: Instant,
    },
    Withdrawing {
        pool: u32,
        ticket: Ticket,
    },
    /// Still finishing, and it has been waited for in vain.
    Slow {
        pool: u32,
    },
    Ending {
        since: Instant,
    },
}

#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) root: RootId,
    pub(super) state: State,
    /// What it counts for, MiB.
    pub(super) memory_mib: u32,
    /// Its place in the orders of idle and finishing sandboxes.
    pub(super) sequence: u64,
    /// While idle: what the keep-alive policy says that it is worth.
    pub(super) worth: u64,
    /// When it was given to its version.
    pub(super) assigned: Instant,
    pub(super) armed: Option<Instant>,
}

/// The sandboxes of one version, and the tickets that wait for one.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) key: Arc<VersionKey>,
    pub(super) version: Known,
    pub(super) function: u32,
    pub(super) account: u32,
    pub(super) root: RootId,
    pub(super) memory_mib: u32,
    pub(super) retired: bool,
    /// Sandboxes of the version, in any state but `Ending`.
    pub(super) live: usize,
    /// Sandboxes that will be ready for a ticket without further decisions: claims on blank ones, and `Starting`.
    pub(super) on_way: usize,
    /// Most recently used last.
    pub(super) idle: BTreeSet<(u64, SandboxId)>,
    /// Those that a ticket may be bound to, first finished first.
    pub(super) finishing: BTreeSet<(u64, SandboxId)>,
    /// In order of arrival.
    pub(super) waiting: BTreeSet<(u64, Ticket)>,
    /// How many of `waiting` have no sandbox on its way: always the last ones.
    pub(super) short: usize,
    /// While short: its place in the account's order, and since when it has waited for its next place.
    pub(super) short_since: Option<(u64, Instant)>,
}

impl Pool {
    pub(super) fn is_unused(&self) -> bool {
        self.live == 0 && self.on_way == 0 && self.waiting.is_empty()
    }
}

/// An admitted ticket.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) pool: u32,
    pub(super) reserved: bool,
    /// Its place among the waiting.
    pub(super) sequence: u64,
    pub(super) waiting: bool,
    pub(super) deadline: Instant,
    /// Sandboxes that were lost on their way to it.
    pub(super) losses: u32,
    pub(super) armed: Option<Instant>,
}

/// A pool's right to the next blank sandbox of the root; its memory is already counted.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) pool: u32,
    pub(super) ticket: Ticket,
    pub(super) extra_mib: u32,
    pub(super) cold: ColdReason,
}

#[derive(Debug, Default)]
pub(super) struct Root {
    pub(super) gone: bool,
    pub(super) making: usize,
    pub(super) ready: VecDeque<SandboxId>,
    /// Never more than `making`.
    pub(super) claims: VecDeque<Claim>,
    /// Blank sandboxes that failed in a row.
    pub(super) failures: u32,
    /// None is made ahead of need before this time.
    pub(super) refill_after: Instant,
    pub(super) armed: Option<Instant>,
}

/// For ids that are numbered by Hearth itself, so that nobody outside can choose colliding ones.
pub(super) type IdHasher = BuildHasherDefault<Spread>;

#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    /// Fibonacci hashing; the table uses both the lowest and the highest bits.
    fn write_u64(&mut self, value: u64) {
        let product = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }
}
