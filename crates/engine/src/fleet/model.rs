//! The things that the fleet keeps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::Duration;

use hearth_types::{Instant, SandboxId, VersionKey};

use crate::admission::Slot;
use crate::capacity::Wishes;
use crate::event::{ColdReason, Purpose, RootId, Ticket};
use crate::keep_alive::{Known, Rest};
use crate::keys::{AccountKey, FunctionKey, PoolKey, SiteKey};
use crate::view::ProvisionProblem;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Making,
    Blank,
    Starting {
        pool: PoolKey,
        cold: ColdReason,
    },
    Idle {
        pool: PoolKey,
        /// When it became idle; earlier if it was loaded ahead.
        since: Instant,
        frozen: bool,
        /// When the policy is asked again.
        until: Instant,
    },
    Busy {
        pool: PoolKey,
        ticket: Ticket,
    },
    Finishing {
        pool: PoolKey,
    },
    Bound {
        pool: PoolKey,
        ticket: Ticket,
        since: Instant,
    },
    Withdrawing {
        pool: PoolKey,
        ticket: Ticket,
    },
    /// Still finishing, and it has been waited for in vain.
    Slow {
        pool: PoolKey,
    },
    Ending,
}

impl State {
    pub(super) fn pool(self) -> Option<PoolKey> {
        match self {
            Self::Making | Self::Blank | Self::Ending => None,
            Self::Starting { pool, .. }
            | Self::Idle { pool, .. }
            | Self::Busy { pool, .. }
            | Self::Finishing { pool }
            | Self::Bound { pool, .. }
            | Self::Withdrawing { pool, .. }
            | Self::Slow { pool } => Some(pool),
        }
    }
}

#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) root: RootId,
    /// Where it is.
    pub(super) site: SiteKey,
    /// It was given to a version.
    pub(super) owned: bool,
    /// The node was told to end it while it was in use: what it reports until it is dead still counts.
    pub(super) doomed: bool,
    /// The number of the requests that come to it.
    pub(super) affinity: Option<u64>,
    pub(super) state: State,
    /// What it was started for; means nothing before that.
    pub(super) purpose: Purpose,
    /// What it counts for, MiB.
    pub(super) memory_mib: u32,
    /// Its place in the orders of idle and finishing sandboxes.
    pub(super) sequence: u64,
    /// While idle: what the keep-alive policy says that it is worth.
    pub(super) worth: u64,
    /// Loaded ahead for one that became idle so, and not used yet.
    pub(super) stands_for: Option<Rest>,
    /// While idle: see [`Rest::rank`].
    pub(super) rank: u32,
    /// When it was given to its version.
    pub(super) assigned: Instant,
    /// The number of its start.
    pub(super) start: u64,
    pub(super) armed: Option<Instant>,
}

/// What puts an idle sandbox into its orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shelf {
    pub(super) site: SiteKey,
    pub(super) provisioned: bool,
    pub(super) memory_mib: u32,
    pub(super) sequence: u64,
    pub(super) worth: u64,
}

impl Sandbox {
    pub(super) fn shelf(&self) -> Shelf {
        Shelf {
            site: self.site,
            provisioned: self.purpose == Purpose::Provisioned,
            memory_mib: self.memory_mib,
            sequence: self.sequence,
            worth: self.worth,
        }
    }
}

/// The sandboxes of one version, and the tickets that wait for one.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) key: Arc<VersionKey>,
    pub(super) version: Known,
    pub(super) function: FunctionKey,
    pub(super) account: AccountKey,
    pub(super) root: RootId,
    pub(super) memory_mib: u32,
    /// The longest that a run may take.
    pub(super) timeout: Duration,
    pub(super) retired: bool,
    /// Sandboxes of the version, in any state but `Ending`.
    pub(super) live: usize,
    /// Sandboxes that will be ready for a ticket without further decisions: claims on blank ones, and `Starting`.
    pub(super) on_way: usize,
    /// Those on their way that are in a hurry.
    pub(super) hurried: usize,
    /// When the last was begun.
    pub(super) started: Option<Instant>,
    /// Those that are not provisioned. Most recently used last.
    pub(super) idle: BTreeSet<(u64, SandboxId)>,
    /// Those that are. Most recently used last.
    pub(super) idle_provisioned: BTreeSet<(u64, SandboxId)>,
    /// Those that a ticket may be bound to, first finished first.
    pub(super) finishing: BTreeSet<(u64, SandboxId)>,
    /// In order of arrival.
    pub(super) waiting: BTreeSet<(u64, Ticket)>,
    /// Held back, in order of arrival.
    pub(super) deferred: BTreeSet<(u64, Ticket)>,
    /// How many of `waiting` have no sandbox on its way: always the last ones.
    pub(super) short: usize,
    /// While short: its place in the account's order, and since when it has waited for its next place.
    pub(super) short_since: Option<(u64, Instant)>,
    /// Which sandbox served a request's number last.
    pub(super) affine: BTreeMap<u64, SandboxId>,
    pub(super) provision: Option<Box<Provision>>,
    /// So many are yet to be started; 0 if they cannot be.
    pub(super) prewarm: usize,
    /// Of those that the keep-alive policy has loaded and that are still on their way: what each stands for.
    pub(super) loading: VecDeque<Rest>,
}

/// What is provisioned of a version.
#[derive(Debug, Default)]
pub(super) struct Provision {
    /// How many sandboxes there shall be.
    pub(super) count: u32,
    /// How many there are, with those on their way.
    pub(super) have: u32,
    /// How many of them are initialised.
    pub(super) ready: u32,
    /// Admitted tickets that use it.
    pub(super) running: u32,
    /// Starts that failed in a row.
    pub(super) failures: u32,
    /// Why there are not as many as there shall be, unless they are on their way.
    pub(super) problem: Option<ProvisionProblem>,
    /// None is started before this time.
    pub(super) retry_after: Instant,
    pub(super) armed: Option<Instant>,
}

impl Provision {
    /// What it counts as concurrency: what is in use is not given away while it is.
    pub(super) fn held(&self) -> u32 {
        self.count.max(self.running)
    }

    pub(super) fn lacks(&self) -> u32 {
        self.count.saturating_sub(self.have)
    }

    pub(super) fn is_over(&self) -> bool {
        self.count == 0 && self.have == 0 && self.running == 0
    }
}

impl Pool {
    /// What serves the next ticket: what is provisioned before anything else, then what was used last.
    pub(super) fn next_idle(&self) -> Option<(u64, SandboxId)> {
        self.idle_provisioned.last().or(self.idle.last()).copied()
    }

    /// Its sandboxes that are not idle.
    pub(super) fn in_use(&self) -> u32 {
        let idle = self.idle.len() + self.idle_provisioned.len();
        u32::try_from(self.live.saturating_sub(idle)).unwrap_or(u32::MAX)
    }

    pub(super) fn is_unused(&self) -> bool {
        let wanted = !self.waiting.is_empty() || !self.deferred.is_empty() || self.prewarm > 0;
        self.live == 0 && self.on_way == 0 && !wanted && self.provision.is_none()
    }
}

impl Attempt {
    pub(super) fn affinity(&self) -> Option<u64> {
        self.wishes.as_ref()?.affinity
    }
}

/// An admitted ticket.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) pool: PoolKey,
    pub(super) slot: Slot,
    /// Its place among the waiting.
    pub(super) sequence: u64,
    pub(super) waiting: bool,
    /// When it was admitted.
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    pub(super) wishes: Option<Box<Wishes>>,
    /// Its sub-pool had nothing for it.
    pub(super) missed: bool,
    /// Sandboxes that were lost on their way to it.
    pub(super) losses: u32,
    pub(super) armed: Option<Instant>,
}

/// A pool's right to the next blank sandbox of the root on an instance; its memory is already counted.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) site: SiteKey,
    pub(super) pool: PoolKey,
    /// Who waits for it, if an invocation is its purpose.
    pub(super) ticket: Option<Ticket>,
    pub(super) purpose: Purpose,
    pub(super) extra_mib: u32,
    pub(super) cold: ColdReason,
    /// The number of the start.
    pub(super) start: u64,
    /// It is not the only start of its version.
    pub(super) crowd: bool,
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
