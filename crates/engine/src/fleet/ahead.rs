//! Sandboxes started ahead of need: what is provisioned, then what is prewarmed. No more than a few are under way at a time, so
//! that warming one version does not delay the cold starts of others.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::instances::Amount;
use super::{Engine, Turn};
use crate::event::{Purpose, Version};
use crate::keys::{PoolKey, SiteKey};
use crate::view::ProvisionProblem;

/// For how many places at most room is made at the same time.
const PROMISES_MAX: u32 = 64;

/// Why none is started, if it is something to be told.
type Obstacle = Option<ProvisionProblem>;

/// What is to be started ahead of need, and how much of it is on its way.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Pools with something provisioned.
    provisioned: BTreeSet<PoolKey>,
    /// Pools with something to be prewarmed.
    prewarmed: BTreeSet<PoolKey>,
    /// Sandboxes on their way that nobody waits for.
    under_way: usize,
    /// The pool after which more are started.
    last: Option<PoolKey>,
    /// Perhaps some can be started now.
    due: bool,
    /// Some lack nothing but room.
    blocked: bool,
}

impl Ahead {
    /// Perhaps more can be started now.
    pub(super) fn note_change(&mut self) {
        self.due = true;
    }

    /// Something can be ended to make room.
    pub(super) fn note_room(&mut self) {
        self.due |= self.blocked;
    }

    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    pub(super) fn provision(&mut self, pool: PoolKey) {
        self.provisioned.insert(pool);
        self.due = true;
    }

    pub(super) fn unprovision(&mut self, pool: PoolKey) {
        self.provisioned.remove(&pool);
    }

    pub(super) fn first_provisioned(&self) -> Option<PoolKey> {
        self.provisioned.first().copied()
    }

    pub(super) fn prewarm(&mut self, pool: PoolKey) {
        self.prewarmed.insert(pool);
        self.due = true;
    }

    /// One is on its way, if nobody waits for it.
    pub(super) fn begin(&mut self, purpose: Purpose) {
        self.under_way += usize::from(purpose != Purpose::Invocation);
    }

    /// It is on its way no longer.
    pub(super) fn end(&mut self, purpose: Purpose) {
        if purpose != Purpose::Invocation {
            self.under_way -= 1;
            self.due = true;
        }
    }
}

impl Engine {
    pub(super) fn prewarm(&mut self, version: &Version, count: u32) {
        let pool = self.pool_of(version);
        self.pools[pool].prewarm = (count as usize).saturating_sub(self.spare(pool));
        self.ahead.prewarm(pool);
    }

    /// Starts what is lacking, in turn by version.
    pub(super) fn start_ahead(&mut self, turn: &mut Turn<'_>) {
        (self.ahead.due, self.ahead.blocked) = (false, false);
        self.instances.forget_promises();
        let mut pools = in_turn(&self.ahead.provisioned, self.ahead.last);
        while !pools.is_empty() && self.ahead.under_way < self.config.ahead_max {
            pools.retain(|pool| self.ahead.under_way < self.config.ahead_max && self.start_provisioned(turn, *pool));
        }
        let prewarmed: Vec<PoolKey> = self.ahead.prewarmed.iter().copied().collect();
        for pool in prewarmed {
            self.start_prewarmed(turn, pool);
        }
    }

    /// One sandbox; `false` if it cannot be, or no more are wanted.
    fn start_provisioned(&mut self, turn: &mut Turn<'_>, pool: PoolKey) -> bool {
        let lacks = self.pools[pool].provision.as_ref().map_or(0, |provision| provision.lacks());
        if lacks == 0 {
            return false;
        }
        if let Err(problem) = self.may_start(turn, pool) {
            self.note_problem(pool, problem);
            return false;
        }
        let own = self.own_sites(turn.now, pool, None);
        let Some(site) = own.iter().copied().find(|site| self.instances.fits(*site, self.need(*site, pool))) else {
            self.ahead.blocked = true;
            if !own.into_iter().any(|site| self.promise(turn, site, pool, lacks)) {
                if self.widen_for(turn.now, pool, None) {
                    return true;
                }
                self.note_problem(pool, Some(ProvisionProblem::Capacity));
            }
            return false;
        };
        self.provisioned_start(pool);
        self.ahead.last = Some(pool);
        self.claim(turn, site, pool, None, Purpose::Provisioned);
        true
    }

    fn may_start(&self, turn: &Turn<'_>, pool: PoolKey) -> Result<(), Obstacle> {
        let entry = &self.pools[pool];
        if self.draining || entry.provision.as_ref().is_some_and(|provision| turn.now < provision.retry_after) {
            return Err(None);
        }
        if self.roots.is_gone(entry.root) {
            return Err(Some(ProvisionProblem::RootGone));
        }
        if self.can_never_fit(entry.memory_mib) {
            return Err(Some(ProvisionProblem::TooLarge));
        }
        Ok(())
    }

    /// Makes room for as many of the lacking as can have it, by ending what is idle or blank, and has it kept free for them.
    fn promise(&mut self, turn: &mut Turn<'_>, site: SiteKey, pool: PoolKey, lacks: u32) -> bool {
        let (root, memory_mib) = (self.pools[pool].root, self.pools[pool].memory_mib);
        let mut need = self.instances[site].promised;
        for place in 0..lacks.min(PROMISES_MAX) {
            if need == Amount::default() {
                need = self.need(site, pool);
            } else {
                need.add(memory_mib);
            }
            if !self.instances[site].fits_beside(need, self.reclaimable(site, root)) {
                return place > 0;
            }
            while !self.instances.will_fit(site, need) && self.evict_one(turn, site, root) {}
            self.instances.promise(site, need);
        }
        true
    }

    /// Only what has room, and never before those who wait.
    fn start_prewarmed(&mut self, turn: &mut Turn<'_>, pool: PoolKey) {
        while self.pools[pool].prewarm > 0 {
            if self.ahead.under_way >= self.config.ahead_max {
                return;
            }
            let possible = self.may_start(turn, pool).is_ok() && !self.pools[pool].retired && self.queue.is_empty();
            let own = if possible { self.own_sites(turn.now, pool, None) } else { Vec::new() };
            let Some(site) = own.into_iter().find(|site| self.instances.fits(*site, self.need(*site, pool))) else {
                break;
            };
            self.pools[pool].prewarm -= 1;
            self.claim(turn, site, pool, None, Purpose::Prewarm);
        }
        self.forget_prewarm(pool);
    }

    pub(super) fn forget_prewarm(&mut self, pool: PoolKey) {
        let entry = &mut self.pools[pool];
        let under_way = entry.loading.len().saturating_sub(std::mem::take(&mut entry.prewarm));
        entry.loading.truncate(under_way);
        self.ahead.prewarmed.remove(&pool);
        self.pools.note_end(pool);
    }

    /// Sandboxes that nobody uses or waits for, or that will be such.
    fn spare(&self, pool: PoolKey) -> usize {
        let pool = &self.pools[pool];
        let on_way = pool.on_way.saturating_sub(pool.waiting.len());
        pool.idle.len() + pool.idle_provisioned.len() + on_way
    }
}

/// All of them, those behind `last` in front.
fn in_turn(pools: &BTreeSet<PoolKey>, last: Option<PoolKey>) -> Vec<PoolKey> {
    let Some(last) = last else { return pools.iter().copied().collect() };
    let behind = pools.range((Bound::Excluded(last), Bound::Unbounded));
    behind.chain(pools.range(..=last)).copied().collect()
}
