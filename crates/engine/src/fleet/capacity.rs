//! Memory and places: what is promised, what will come free, and how room is made.

use hearth_types::SandboxId;

use super::model::State;
use super::{Engine, Turn};
use crate::event::{Action, DestroyReason, Purpose, RootId};

/// For how many of those who are next room is made at the same time.
const AHEAD_MAX: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Of all sandboxes that exist or are being made or destroyed, and of claims.
    pub(super) memory_mib: u64,
    pub(super) sandboxes: usize,
    /// The part of it that comes free without further decisions.
    pub(super) ending: Amount,
    /// The part of it that is idle.
    pub(super) idle: Amount,
    /// Tickets that are short of a place.
    pub(super) queued: usize,
    /// Ready blank sandboxes, of all roots.
    pub(super) blanks: usize,
    /// What comes free and is for sandboxes to be provisioned.
    pub(super) promised: Amount,
}

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
}

impl Engine {
    pub(super) fn fits(&self, need: Amount) -> bool {
        self.fits_beside(need, Amount::default())
    }

    /// Whether `need` fits once what is ending has ended.
    pub(super) fn will_fit(&self, need: Amount) -> bool {
        self.fits_beside(need, self.ledger.ending)
    }

    /// Whether `need` fits and leaves what is promised to others.
    pub(super) fn fits_beside_promises(&self, need: Amount) -> bool {
        let promised = self.ledger.promised;
        self.fits(Amount {
            memory_mib: need.memory_mib + promised.memory_mib,
            sandboxes: need.sandboxes + promised.sandboxes,
        })
    }

    pub(super) fn fits_beside(&self, need: Amount, freed: Amount) -> bool {
        let memory_mib = self.ledger.memory_mib - freed.memory_mib + need.memory_mib;
        let sandboxes = self.ledger.sandboxes - freed.sandboxes + need.sandboxes;
        memory_mib <= self.config.memory_mib_max && sandboxes <= self.config.sandboxes_max
    }

    /// What another sandbox for `pool` takes beyond what is counted already.
    pub(super) fn need(&self, pool: u32) -> Amount {
        let pool = &self.pools[pool];
        let blank_mib = self.config.blank_memory_mib;
        let has_blank =
            self.roots.get(&pool.root).is_some_and(|root| !root.ready.is_empty() || root.making > root.claims.len());
        let extra_mib = pool.memory_mib.saturating_sub(blank_mib);
        if has_blank {
            return Amount { memory_mib: u64::from(extra_mib), sandboxes: 0 };
        }
        Amount { memory_mib: u64::from(extra_mib) + u64::from(blank_mib), sandboxes: 1 }
    }

    /// Whether `pool` is alone on the node and still does not fit.
    pub(super) fn can_never_fit(&self, memory_mib: u32) -> bool {
        u64::from(memory_mib.max(self.config.blank_memory_mib)) > self.config.memory_mib_max
            || self.config.sandboxes_max == 0
    }

    /// Destroys what nobody uses until those that are next for a place will fit. Unless the first of them is `overdue`, each only if
    /// that is enough for it.
    pub(super) fn make_room(&mut self, turn: &mut Turn<'_>, overdue: bool) {
        if self.ledger.idle.sandboxes == 0 && self.ledger.blanks == 0 {
            return;
        }
        let queues = self.rotation.iter().flat_map(|account| &self.admission.accounts[*account].short);
        let next: Vec<u32> = queues.take(AHEAD_MAX).map(|(_, pool)| *pool).collect();
        let mut need = Amount::default();
        for (index, pool) in next.into_iter().enumerate() {
            let entry = &self.pools[pool];
            let (root, memory_mib, short) = (entry.root, entry.memory_mib, entry.short.min(AHEAD_MAX));
            for place in 0..short {
                match (index, place) {
                    (0, 0) => need = self.need(pool),
                    _ => need.add(memory_mib),
                }
                let first_overdue = overdue && index == 0 && place == 0;
                if !first_overdue && !self.fits_beside(need, self.reclaimable(root)) {
                    return;
                }
                while !self.will_fit(need) && self.evict_one(turn, root) {}
            }
        }
    }

    pub(super) fn reclaimable(&self, root: RootId) -> Amount {
        let own = self.roots.get(&root).is_some_and(|root| !root.ready.is_empty());
        let blanks = self.ledger.blanks - usize::from(own);
        let blank_mib = u64::from(self.config.blank_memory_mib) * u64::try_from(blanks).unwrap_or(u64::MAX);
        Amount {
            memory_mib: self.ledger.ending.memory_mib + self.ledger.idle.memory_mib + blank_mib,
            sandboxes: self.ledger.ending.sandboxes + self.ledger.idle.sandboxes + blanks,
        }
    }

    pub(super) fn evict_one(&mut self, turn: &mut Turn<'_>, root: RootId) -> bool {
        let blank = self.spare_blank(root);
        let Some(sandbox) = blank.or_else(|| self.idle.first().map(|(_, _, sandbox)| *sandbox)) else {
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

    /// A ready blank sandbox, but not the last one of `wanted`.
    fn spare_blank(&self, wanted: RootId) -> Option<SandboxId> {
        let spare = |(id, root): (&RootId, &super::model::Root)| {
            let keep = usize::from(*id == wanted);
            root.ready.get(keep).copied()
        };
        self.roots.iter().find_map(spare)
    }

    /// Takes the sandbox out of everything but the ledger and asks the node to end it.
    pub(super) fn destroy(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, reason: DestroyReason) {
        self.detach(sandbox);
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        entry.state = State::Ending { since: turn.now };
        self.ledger.ending.add(entry.memory_mib);
        self.rearm(sandbox);
        turn.push(Action::Destroy { sandbox, reason });
    }

    /// Takes the sandbox out of its pool, its root and the orders it stands in. Leaves its tickets and its state alone.
    pub(super) fn detach(&mut self, sandbox: SandboxId) {
        let Some(entry) = self.sandboxes.get(&sandbox) else {
            return;
        };
        let (state, root, memory_mib, purpose) = (entry.state, entry.root, entry.memory_mib, entry.purpose);
        let place = (entry.sequence, sandbox);
        if purpose == Purpose::Provisioned {
            self.lose_provisioned(state);
        }
        match state {
            State::Making => {
                if let Some(root) = self.roots.get_mut(&root) {
                    root.making -= 1;
                }
            }
            State::Blank => {
                if let Some(root) = self.roots.get_mut(&root) {
                    root.ready.retain(|ready| *ready != sandbox);
                }
                self.ledger.blanks -= 1;
            }
            State::Starting { pool, .. } => {
                self.pools[pool].on_way -= 1;
                self.ahead_ended(purpose);
                self.leave_pool(pool);
            }
            State::Idle { pool, .. } => {
                self.take_off_idle(sandbox, pool);
                self.leave_pool(pool);
            }
            State::Finishing { pool } => {
                self.pools[pool].finishing.remove(&place);
                self.leave_pool(pool);
            }
            State::Busy { pool, .. }
            | State::Bound { pool, .. }
            | State::Withdrawing { pool, .. }
            | State::Slow { pool } => self.leave_pool(pool),
            State::Ending { .. } => self.ledger.ending.take(memory_mib),
        }
    }

    fn leave_pool(&mut self, pool: u32) {
        self.pools[pool].live -= 1;
        self.perhaps_unused.push(pool);
    }
}
