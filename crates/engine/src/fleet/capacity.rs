//! Memory and places: what is promised, what will come free, and how room is made.
//!
//! Where room is short, what nobody uses is ended in this order: blank sandboxes, then idle ones as the keep-alive policy values
//! them, those it values equally by their last use. What is provisioned, on its way or running is never ended for it. The same
//! holds where the host itself runs out of memory.

use crate::keys::{PoolKey, SiteKey};
use std::time::Duration;

use hearth_types::SandboxId;

use super::model::State;
use super::site::{Amount, Site, Stock};
use super::{Engine, Turn};
use crate::event::{Action, ColdReason, DestroyReason, Purpose, RootId};

/// How long no blank sandbox is made ahead of need after the host ran out of memory.
const RELIEF: Duration = Duration::from_secs(10);
/// For how many of those who are next room is made at the same time.
const AHEAD_MAX: usize = 64;

/// Of all instances together.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Idle sandboxes that may be ended.
    pub(super) idle: Amount,
    /// Tickets that are short of a place.
    pub(super) queued: usize,
}

impl Engine {
    /// Whether `need` fits once what is ending has ended.
    pub(super) fn will_fit(&self, site: SiteKey, need: Amount) -> bool {
        let site = &self.sites[site];
        site.fits_beside(need, site.ending)
    }

    /// Whether `need` fits now and leaves what is promised to others.
    pub(super) fn fits(&self, site: SiteKey, need: Amount) -> bool {
        let site = &self.sites[site];
        site.fits_beside(need.and(site.promised), Amount::default())
    }

    /// What another sandbox for `pool` takes beyond what is counted already.
    pub(super) fn need(&self, site: SiteKey, pool: PoolKey) -> Amount {
        let pool = &self.pools[pool];
        let blank_mib = self.config.blank_memory_mib;
        let has_blank = self.sites[site].stock.get(&pool.root).is_some_and(Stock::has_unclaimed);
        let extra_mib = pool.memory_mib.saturating_sub(blank_mib);
        if has_blank {
            return Amount { memory_mib: u64::from(extra_mib), sandboxes: 0 };
        }
        Amount { memory_mib: u64::from(extra_mib) + u64::from(blank_mib), sandboxes: 1 }
    }

    /// Whether such a sandbox is larger than all there is, or may come to be.
    pub(super) fn can_never_fit(&self, memory_mib: u32) -> bool {
        let memory_mib = u64::from(memory_mib.max(self.config.blank_memory_mib));
        let has_room = |site: &Site| site.is_open() && memory_mib <= site.room_mib() && site.terms.sandboxes_max > 0;
        !self.sites.iter().any(|(_, site)| has_room(site)) && !self.sub_pools.may_bring(memory_mib)
    }

    /// Destroys what nobody uses on `site` until those that are next for a place there will fit. Unless the first of them is
    /// `overdue`, each only if that is enough for it.
    pub(super) fn make_room(&mut self, turn: &mut Turn<'_>, site: SiteKey, overdue: bool) {
        if self.sites[site].idle.sandboxes == 0 && self.sites[site].blanks == 0 {
            return;
        }
        let mut need = Amount::default();
        let mut first = true;
        for pool in self.next_on(turn, site, AHEAD_MAX) {
            let entry = &self.pools[pool];
            let (root, memory_mib, short) = (entry.root, entry.memory_mib, entry.short.min(AHEAD_MAX));
            for _ in 0..short {
                if first {
                    need = self.need(site, pool);
                } else {
                    need.add(memory_mib);
                }
                let first_overdue = overdue && std::mem::take(&mut first);
                if !first_overdue && !self.sites[site].fits_beside(need, self.reclaimable(site, root)) {
                    return;
                }
                while !self.will_fit(site, need) && self.evict_one(turn, site, root) {}
                first = false;
            }
        }
    }

    pub(super) fn reclaimable(&self, site: SiteKey, root: RootId) -> Amount {
        let site = &self.sites[site];
        let own = site.stock.get(&root).is_some_and(|stock| !stock.ready.is_empty());
        let blanks = site.blanks - usize::from(own);
        let blank_mib = u64::from(self.config.blank_memory_mib) * u64::try_from(blanks).unwrap_or(u64::MAX);
        site.ending.and(site.idle).and(Amount { memory_mib: blank_mib, sandboxes: blanks })
    }

    pub(super) fn evict_one(&mut self, turn: &mut Turn<'_>, site: SiteKey, root: RootId) -> bool {
        let blank = spare_blank(&self.sites[site], root);
        let idle = || self.sites[site].order.first().map(|(_, _, sandbox)| *sandbox);
        let Some(sandbox) = blank.or_else(idle) else {
            return false;
        };
        self.evict(turn, sandbox);
        true
    }

    pub(super) fn evict(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        self.counters.evicted += 1;
        self.tell_evicted(turn, sandbox);
        self.destroy(turn, sandbox, DestroyReason::Evicted);
    }

    /// Ends blank sandboxes and then idle ones, wherever they are, until so much is freed; pauses in making others ahead of need.
    pub(super) fn relieve(&mut self, turn: &mut Turn<'_>, memory_mib: u64) {
        self.roots.values_mut().for_each(|root| root.refill_after = root.refill_after.max(turn.now + RELIEF));
        let mut freed = 0;
        while freed < memory_mib {
            let blank =
                self.sites.iter().flat_map(|(_, site)| site.stock.values()).find_map(|stock| stock.ready.front());
            let Some(sandbox) = blank.copied().or_else(|| self.least_worth()) else { return };
            freed += self.sandboxes.get(&sandbox).map_or(0, |entry| u64::from(entry.memory_mib));
            self.counters.evicted += 1;
            self.tell_evicted(turn, sandbox);
            self.destroy(turn, sandbox, DestroyReason::Pressure);
        }
    }

    /// The idle sandbox of the least worth.
    pub(super) fn least_worth(&self) -> Option<SandboxId> {
        let first = self.sites.iter().filter_map(|(_, site)| site.order.first()).min()?;
        Some(first.2)
    }

    /// Takes the sandbox out of everything but the ledger and asks the node to end it.
    pub(super) fn destroy(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, reason: DestroyReason) {
        self.note_gone(sandbox, reason.missed_as());
        self.detach(sandbox);
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        entry.state = State::Ending;
        self.sites[entry.site].ending.add(entry.memory_mib);
        let told = entry.doomed;
        self.rearm(sandbox);
        if !told {
            turn.push(Action::Destroy { sandbox, reason });
        }
    }

    /// Remembers how the version lost its sandbox, if it had it still.
    pub(super) fn note_gone(&mut self, sandbox: SandboxId, missed_as: ColdReason) {
        let pool = self.sandboxes.get(&sandbox).and_then(|entry| entry.state.pool());
        if let Some(pool) = pool.map(|pool| &self.pools[pool]) {
            self.versions.note_gone(pool.version, pool.key.generation, missed_as);
        }
    }

    /// Takes the sandbox out of its pool, its root and the orders it stands in. Leaves its tickets and its state alone.
    pub(super) fn detach(&mut self, sandbox: SandboxId) {
        let Some(entry) = self.sandboxes.get(&sandbox) else {
            return;
        };
        let (state, root, memory_mib, purpose) = (entry.state, entry.root, entry.memory_mib, entry.purpose);
        let (place, site, shelf) = ((entry.sequence, sandbox), entry.site, entry.shelf());
        let start = entry.start;
        if purpose == Purpose::Provisioned {
            self.lose_provisioned(state);
        }
        match state {
            State::Making => self.sites[site].stock(root).making -= 1,
            State::Blank => {
                self.sites[site].stock(root).ready.retain(|ready| *ready != sandbox);
                self.sites[site].blanks -= 1;
            }
            State::Starting { pool, .. } => {
                self.pools[pool].on_way -= 1;
                self.end_start(start);
                self.ahead_ended(purpose);
                self.leave_pool(sandbox, pool);
            }
            State::Idle { pool, .. } => {
                self.take_off_idle(sandbox, pool, shelf);
                self.leave_pool(sandbox, pool);
            }
            State::Finishing { pool } => {
                self.pools[pool].finishing.remove(&place);
                self.leave_pool(sandbox, pool);
            }
            State::Busy { pool, .. }
            | State::Bound { pool, .. }
            | State::Withdrawing { pool, .. }
            | State::Slow { pool } => self.leave_pool(sandbox, pool),
            State::Ending => self.sites[site].ending.take(memory_mib),
        }
    }

    fn leave_pool(&mut self, sandbox: SandboxId, pool: PoolKey) {
        self.forget_affinity(sandbox, pool);
        if let Some(entry) = self.sandboxes.get(&sandbox) {
            self.sites[entry.site].let_go(self.pools[pool].account);
            self.narrow_due = true;
        }
        self.pools[pool].live -= 1;
        self.perhaps_unused.push(pool);
    }
}

/// A ready blank sandbox, but not the last one of `wanted`.
fn spare_blank(site: &Site, wanted: RootId) -> Option<SandboxId> {
    let spare = |(id, stock): (&RootId, &Stock)| {
        let keep = usize::from(*id == wanted);
        stock.ready.get(keep).copied()
    };
    site.stock.iter().find_map(spare)
}
