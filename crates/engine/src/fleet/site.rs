//! Where sandboxes are: an instance as the fleet holds it, with what is promised on it.

use crate::keys::AccountKey;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hearth_types::limits::MEMORY_MIB_PER_CORE;
use hearth_types::{AccountId, Instant, SandboxId};

use super::model::Claim;
use crate::capacity::Instance;
use crate::event::RootId;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Amount {
    pub(super) memory_mib: u64,
    pub(super) sandboxes: usize,
}

impl Amount {
    pub(super) fn add(&mut self, memory_mib: u32) {
        self.memory_mib += u64::from(memory_mib);
        self.sandboxes += 1;
    }

    pub(super) fn take(&mut self, memory_mib: u32) {
        self.memory_mib -= u64::from(memory_mib);
        self.sandboxes -= 1;
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { memory_mib: self.memory_mib + other.memory_mib, sandboxes: self.sandboxes + other.sandboxes }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// In its sub-pool, nobody's.
    Waiting,
    /// In use by those whose sandboxes are on it; a shared one always is.
    Active,
    /// Takes nothing new and goes when it is empty.
    Closed,
}

/// Blank sandboxes of one root on one instance.
#[derive(Debug, Default)]
pub(super) struct Stock {
    pub(super) making: usize,
    pub(super) ready: VecDeque<SandboxId>,
    /// Never more than `making`.
    pub(super) claims: VecDeque<Claim>,
}

impl Stock {
    /// Those that are ready or will be, and that nobody has a claim on.
    pub(super) fn unclaimed(&self) -> usize {
        (self.ready.len() + self.making).saturating_sub(self.claims.len())
    }

    pub(super) fn has_unclaimed(&self) -> bool {
        self.unclaimed() > 0
    }

    /// Puts a claim behind all others, but before those of a crowd unless it is of one.
    pub(super) fn enqueue(&mut self, claim: Claim) {
        let place = self.claims.partition_point(|other| claim.crowd || !other.crowd);
        self.claims.insert(place, claim);
    }

    fn is_empty(&self) -> bool {
        self.making == 0 && self.ready.is_empty() && self.claims.is_empty()
    }
}

#[derive(Debug)]
pub(super) struct Site {
    pub(super) terms: Instance,
    pub(super) since: Instant,
    pub(super) standing: Standing,
    /// Accounts whose sandboxes are or were on it since it was new.
    pub(super) tenants: BTreeSet<AccountId>,
    /// Of all sandboxes that exist or are being made or destroyed, and of claims.
    pub(super) used: Amount,
    /// The part of it that comes free without further decisions.
    pub(super) ending: Amount,
    /// The part of it that is idle and may be ended.
    pub(super) idle: Amount,
    /// What comes free and is for sandboxes to be provisioned.
    pub(super) promised: Amount,
    /// Ready blank sandboxes, of all roots.
    pub(super) blanks: usize,
    /// Claims, and sandboxes that were given to a version.
    pub(super) occupied: usize,
    /// How many of these there are, by account; without those that are ending.
    pub(super) held_for: BTreeMap<AccountKey, u32>,
    pub(super) stock: BTreeMap<RootId, Stock>,
    /// Idle sandboxes that may be ended, least worth and then least recently used first.
    pub(super) order: BTreeSet<(u64, u64, SandboxId)>,
    /// When it is taken away, whatever still runs on it.
    pub(super) ends_at: Option<Instant>,
    pub(super) armed: Option<Instant>,
}

impl Site {
    pub(super) fn new(terms: Instance, now: Instant) -> Self {
        let standing = if terms.shared { Standing::Active } else { Standing::Waiting };
        Self {
            ends_at: terms.lease_end,
            terms,
            since: now,
            standing,
            tenants: BTreeSet::new(),
            used: Amount::default(),
            ending: Amount::default(),
            idle: Amount::default(),
            promised: Amount::default(),
            blanks: 0,
            occupied: 0,
            held_for: BTreeMap::new(),
            stock: BTreeMap::new(),
            order: BTreeSet::new(),
            armed: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.standing != Standing::Closed
    }

    pub(super) fn stock(&mut self, root: RootId) -> &mut Stock {
        self.stock.entry(root).or_default()
    }

    /// Memory that its sandboxes may have: no more than its cores are enough for, since a sandbox's part of a core follows its
    /// memory size.
    pub(super) fn room_mib(&self) -> u64 {
        match self.terms.cpu_millis {
            0 => self.terms.memory_mib,
            millis => self.terms.memory_mib.min(millis.saturating_mul(u64::from(MEMORY_MIB_PER_CORE)) / 1000),
        }
    }

    pub(super) fn fits_beside(&self, need: Amount, freed: Amount) -> bool {
        self.used.memory_mib - freed.memory_mib + need.memory_mib <= self.room_mib()
            && self.used.sandboxes - freed.sandboxes + need.sandboxes <= self.terms.sandboxes_max
    }

    /// Forgets roots of which there is nothing.
    pub(super) fn tidy(&mut self, root: RootId) {
        if self.stock.get(&root).is_some_and(Stock::is_empty) {
            self.stock.remove(&root);
        }
    }
}
