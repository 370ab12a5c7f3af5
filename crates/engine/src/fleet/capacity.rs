//! Memory and places: what is promised, what will come free, and how room is made.
//!
//! Where room is short, what nobody uses is ended in this order: blank sandboxes, then idle ones as the keep-alive policy values
//! them, those it values equally by their last use. What is provisioned, on its way or running is never ended for it. The same
//! holds where the host itself runs out of memory.

use std::time::Duration;

use hearth_types::SandboxId;

use super::instances::{Amount, Stock};
use super::model::State;
use super::{Engine, Turn};
use crate::event::{Action, ColdReason, DestroyReason, Purpose, RootId};
use crate::keys::{PoolKey, SiteKey};

/// How long no blank sandbox is made ahead of need after the host ran out of memory.
const RELIEF: Duration = Duration::from_secs(10);
/// For how many of those who are next room is made at the same time.
const AHEAD_MAX: usize = 64;

impl Engine {
    /// What another sandbox for `pool` takes beyond what is counted already.
    pub(super) fn need(&self, site: SiteKey, pool: PoolKey) -> Amount {
        let pool = &self.pools[pool];
        let blank_mib = self.config.blank_memory_mib;
        let has_blank = self.instances[site].stock.get(&pool.root).is_some_and(Stock::has_unclaimed);
        let extra_mib = pool.memory_mib.saturating_sub(blank_mib);
        if has_blank {
            return Amount { memory_mib: u64::from(extra_mib), sandboxes: 0 };
        }
        Amount { memory_mib: u64::from(extra_mib) + u64::from(blank_mib), sandboxes: 1 }
    }

    /// Whether such a sandbox is larger than all there is, or may come to be.
    pub(super) fn can_never_fit(&self, memory_mib: u32) -> bool {
        let memory_mib = u64::from(memory_mib.max(self.config.blank_memory_mib));
        !self.instances.may_ever_fit(memory_mib)
    }

    /// Destroys what nobody uses on `site` until those that are next for a place there will fit. Unless the first of them is
    /// `overdue`, each only if that is enough for it.
    pub(super) fn make_room(&mut self, turn: &mut Turn<'_>, site: SiteKey, overdue: bool) {
        if self.instances[site].idle.sandboxes == 0 && self.instances[site].blanks == 0 {
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
                if !first_overdue && !self.instances[site].fits_beside(need, self.reclaimable(site, root)) {
                    return;
                }
                while !self.instances.will_fit(site, need) && self.evict_one(turn, site, root) {}
                first = false;
            }
        }
    }

    /// What ending everything there that nobody uses would free, but for one blank sandbox of `root`.
    pub(super) fn reclaimable(&self, site: SiteKey, root: RootId) -> Amount {
        self.instances[site].reclaimable(root, self.config.blank_memory_mib)
    }

    pub(super) fn evict_one(&mut self, turn: &mut Turn<'_>, site: SiteKey, root: RootId) -> bool {
        let Some(sandbox) = self.instances[site].expendable(root) else {
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
        self.roots.pause(turn.now + RELIEF);
        let mut freed = 0;
        while freed < memory_mib {
            let blank =
                self.instances.iter().flat_map(|(_, site)| site.stock.values()).find_map(|stock| stock.ready.front());
            let Some(sandbox) = blank.copied().or_else(|| self.instances.least_worth()) else { return };
            freed += self.sandboxes.get(&sandbox).map_or(0, |entry| u64::from(entry.memory_mib));
            self.counters.evicted += 1;
            self.tell_evicted(turn, sandbox);
            self.destroy(turn, sandbox, DestroyReason::Pressure);
        }
    }

    /// Takes the sandbox out of everything but what its instance counts, and asks the node to end it.
    pub(super) fn destroy(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, reason: DestroyReason) {
        self.note_gone(sandbox, reason.missed_as());
        self.detach(sandbox);
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        entry.state = State::Ending;
        self.instances.begin_end(entry.site, entry.memory_mib);
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
            State::Making => self.instances.end_making(site, root),
            State::Blank => self.instances.drop_ready(site, root, sandbox),
            State::Starting { pool, .. } => {
                self.pools[pool].on_way -= 1;
                self.end_start(start);
                self.ahead.end(purpose);
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
            State::Ending => self.instances.end_end(site, memory_mib),
        }
    }

    fn leave_pool(&mut self, sandbox: SandboxId, pool: PoolKey) {
        self.forget_affinity(sandbox, pool);
        if let Some(entry) = self.sandboxes.get(&sandbox) {
            self.instances.let_go(entry.site, self.pools[pool].account);
        }
        self.pools[pool].live -= 1;
        self.pools.note_end(pool);
    }
}
