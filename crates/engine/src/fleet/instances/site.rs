//! Where sandboxes are: an instance as the fleet holds it, with what is promised on it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hearth_types::limits::MEMORY_MIB_PER_CORE;
use hearth_types::{AccountId, Instant, SandboxId};

use crate::capacity::Instance;
use crate::event::RootId;
use crate::fleet::model::Claim;
use crate::keys::AccountKey;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::fleet) struct Amount {
    pub(in crate::fleet) memory_mib: u64,
    pub(in crate::fleet) sandboxes: usize,
}

impl Amount {
    pub(in crate::fleet) fn add(&mut self, memory_mib: u32) {
        self.memory_mib += u64::from(memory_mib);
        self.sandboxes += 1;
    }

    pub(in crate::fleet) fn take(&mut self, memory_mib: u32) {
        self.memory_mib -= u64::from(memory_mib);
        self.sandboxes -= 1;
    }

    pub(in crate::fleet) fn and(self, other: Self) -> Self {
        Self { memory_mib: self.memory_mib + other.memory_mib, sandboxes: self.sandboxes + other.sandboxes }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::fleet) enum Standing {
    /// In its sub-pool, nobody's.
    Waiting,
    /// In use by those whose sandboxes are on it; a shared one always is.
    Active,
    /// Takes nothing new and goes when it is empty.
    Closed,
}

/// Blank sandboxes of one root on one instance.
#[derive(Debug, Default)]
pub(in crate::fleet) struct Stock {
    pub(in crate::fleet) making: usize,
    pub(in crate::fleet) ready: VecDeque<SandboxId>,
    /// Never more than `making`.
    pub(in crate::fleet) claims: VecDeque<Claim>,
}

impl Stock {
    /// Those that are ready or will be, and that nobody has a claim on.
    pub(in crate::fleet) fn unclaimed(&self) -> usize {
        (self.ready.len() + self.making).saturating_sub(self.claims.len())
    }

    pub(in crate::fleet) fn has_unclaimed(&self) -> bool {
        self.unclaimed() > 0
    }

    /// Puts a claim behind all others, but before those of a crowd unless it is of one.
    pub(in crate::fleet) fn enqueue(&mut self, claim: Claim) {
        let place = self.claims.partition_point(|other| claim.crowd || !other.crowd);
        self.claims.insert(place, claim);
    }

    fn is_empty(&self) -> bool {
        self.making == 0 && self.ready.is_empty() && self.claims.is_empty()
    }
}

#[derive(Debug)]
pub(in crate::fleet) struct Site {
    pub(in crate::fleet) terms: Instance,
    pub(in crate::fleet) since: Instant,
    pub(in crate::fleet) standing: Standing,
    /// Accounts whose sandboxes are or were on it since it was new.
    pub(in crate::fleet) tenants: BTreeSet<AccountId>,
    /// Of all sandboxes that exist or are being made or destroyed, and of claims.
    pub(in crate::fleet) used: Amount,
    /// The part of it that comes free without further decisions.
    pub(in crate::fleet) ending: Amount,
    /// The part of it that is idle and may be ended.
    pub(in crate::fleet) idle: Amount,
    /// What comes free and is for sandboxes to be provisioned.
    pub(in crate::fleet) promised: Amount,
    /// Ready blank sandboxes, of all roots.
    pub(in crate::fleet) blanks: usize,
    /// Claims, and sandboxes that were given to a version.
    pub(in crate::fleet) occupied: usize,
    /// How many of these there are, by account; without those that are ending.
    pub(in crate::fleet) held_for: BTreeMap<AccountKey, u32>,
    pub(in crate::fleet) stock: BTreeMap<RootId, Stock>,
    /// Idle sandboxes that may be ended, least worth and then least recently used first.
    pub(in crate::fleet) order: BTreeSet<(u64, u64, SandboxId)>,
    /// When it is taken away, whatever still runs on it.
    pub(in crate::fleet) ends_at: Option<Instant>,
    pub(in crate::fleet) armed: Option<Instant>,
}

impl Site {
    pub(in crate::fleet) fn new(terms: Instance, now: Instant) -> Self {
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

    pub(in crate::fleet) fn is_open(&self) -> bool {
        self.standing != Standing::Closed
    }

    /// Blank sandboxes of the root, if there are or will be any, or claims.
    pub(in crate::fleet) fn stock_of(&self, root: RootId) -> Option<&Stock> {
        self.stock.get(&root)
    }

    /// How many blank sandboxes of the root are ready.
    pub(in crate::fleet) fn ready(&self, root: RootId) -> usize {
        self.stock_of(root).map_or(0, |stock| stock.ready.len())
    }

    pub(super) fn stock(&mut self, root: RootId) -> &mut Stock {
        self.stock.entry(root).or_default()
    }

    /// Memory that its sandboxes may have: no more than its cores are enough for, since a sandbox's part of a core follows its
    /// memory size.
    pub(in crate::fleet) fn room_mib(&self) -> u64 {
        match self.terms.cpu_millis {
            0 => self.terms.memory_mib,
            millis => self.terms.memory_mib.min(millis.saturating_mul(u64::from(MEMORY_MIB_PER_CORE)) / 1000),
        }
    }

    pub(in crate::fleet) fn fits_beside(&self, need: Amount, freed: Amount) -> bool {
        self.used.memory_mib - freed.memory_mib + need.memory_mib <= self.room_mib()
            && self.used.sandboxes - freed.sandboxes + need.sandboxes <= self.terms.sandboxes_max
    }

    /// Forgets roots of which there is nothing.
    pub(in crate::fleet) fn tidy(&mut self, root: RootId) {
        if self.stock.get(&root).is_some_and(Stock::is_empty) {
            self.stock.remove(&root);
        }
    }

    pub(super) fn will_fit(&self, need: Amount) -> bool {
        self.fits_beside(need, self.ending)
    }

    pub(super) fn fits(&self, need: Amount) -> bool {
        self.fits_beside(need.and(self.promised), Amount::default())
    }

    pub(super) fn may_ever_fit(&self, memory_mib: u64) -> bool {
        self.is_open() && memory_mib <= self.room_mib() && self.terms.sandboxes_max > 0
    }

    /// What ending everything there that nobody uses would free, but for one blank sandbox of `root`.
    pub(in crate::fleet) fn reclaimable(&self, root: RootId, blank_mib: u32) -> Amount {
        let own = self.stock.get(&root).is_some_and(|stock| !stock.ready.is_empty());
        let blanks = self.blanks - usize::from(own);
        let memory_mib = u64::from(blank_mib) * u64::try_from(blanks).unwrap_or(u64::MAX);
        self.ending.and(self.idle).and(Amount { memory_mib, sandboxes: blanks })
    }

    /// What is to be ended first for room: a ready blank sandbox, but not the last one of `root`; else what is idle and of the least
    /// worth.
    pub(in crate::fleet) fn expendable(&self, root: RootId) -> Option<SandboxId> {
        let spare = |(id, stock): (&RootId, &Stock)| stock.ready.get(usize::from(*id == root)).copied();
        let blank = self.stock.iter().find_map(spare);
        blank.or_else(|| self.order.first().map(|(_, _, sandbox)| *sandbox))
    }

    /// The first of those that are idle, with its worth.
    pub(super) fn least_worth(&self) -> Option<&(u64, u64, SandboxId)> {
        self.order.first()
    }

    /// The part of it that is neither blank, idle nor ending.
    pub(in crate::fleet) fn in_use(&self, blank_mib: u32) -> Amount {
        let blank_mib = u64::from(blank_mib).saturating_mul(self.blanks as u64);
        let spare = self.idle.and(self.ending).and(Amount { memory_mib: blank_mib, sandboxes: self.blanks });
        Amount {
            memory_mib: self.used.memory_mib.saturating_sub(spare.memory_mib),
            sandboxes: self.used.sandboxes.saturating_sub(spare.sandboxes),
        }
    }
}
