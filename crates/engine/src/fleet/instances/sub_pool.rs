//! Sub-pools: what they promise, what they are filled up with, and what is counted of them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use hearth_types::Instant;
use slotmap::SlotMap;

use super::Standing;
use crate::capacity::{Constraint, InstanceId, PoolKind, PoolName, Refill, SubPool};
use crate::event::Action;
use crate::fleet::{Engine, Turn};
use crate::keys::{SiteKey, SubPoolKey};
use crate::timers::Due;
use crate::view::SubPoolCounters;

/// How long a taking counts for the rate.
const RATE_WINDOW: Duration = Duration::from_secs(60);
/// Pause in filling up a sub-pool after an instance could not be acquired; doubled with each further one.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(in crate::fleet) struct Held {
    pub(in crate::fleet) terms: SubPool,
    /// Instances that were asked for and are neither there nor refused.
    pub(in crate::fleet) pending: u32,
    /// When instances were taken, within the last minute.
    takings: VecDeque<Instant>,
    failures: u32,
    retry_after: Instant,
    armed: Option<Instant>,
    pub(in crate::fleet) counters: SubPoolCounters,
}

#[derive(Debug)]
pub(super) struct SubPools {
    all: SlotMap<SubPoolKey, Held>,
    by_name: BTreeMap<PoolName, SubPoolKey>,
}

impl Default for SubPools {
    /// The general one alone, of which nothing is asked.
    fn default() -> Self {
        let mut pools = Self { all: SlotMap::default(), by_name: BTreeMap::new() };
        pools.set(SubPool {
            name: PoolName::general(),
            kind: PoolKind::General,
            owner: None,
            constraint: Constraint::Fixed,
            frequency: None,
            min: 0,
            target: 0,
            max: u32::MAX,
            refill: Refill::default(),
            instance_memory_mib: 0,
        });
        pools
    }
}

impl SubPools {
    fn set(&mut self, terms: SubPool) -> SubPoolKey {
        if let Some(index) = self.by_name.get(&terms.name) {
            self.all[*index].terms = terms;
            return *index;
        }
        let name = terms.name.clone();
        let index = self.all.insert(Held {
            terms,
            pending: 0,
            takings: VecDeque::new(),
            failures: 0,
            retry_after: Instant::ZERO,
            armed: None,
            counters: SubPoolCounters::default(),
        });
        self.by_name.insert(name, index);
        index
    }

    pub(in crate::fleet) fn get(&self, name: &PoolName) -> Option<&Held> {
        self.by_name.get(name).map(|index| &self.all[*index])
    }

    pub(in crate::fleet) fn get_mut(&mut self, name: &PoolName) -> Option<&mut Held> {
        self.by_name.get(name).and_then(|index| self.all.get_mut(*index))
    }

    pub(in crate::fleet) fn index(&self, name: &PoolName) -> Option<SubPoolKey> {
        self.by_name.get(name).copied()
    }

    /// In the order of their names.
    pub(in crate::fleet) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.by_name.values().map(|index| &self.all[*index])
    }

    /// Whether one of them is filled with instances that such a sandbox fits on.
    pub(in crate::fleet) fn may_bring(&self, memory_mib: u64) -> bool {
        self.iter().any(|pool| pool.terms.instance_memory_mib >= memory_mib)
    }
}

impl Engine {
    pub(in crate::fleet) fn set_pool(&mut self, turn: &mut Turn<'_>, terms: SubPool) {
        let index = self.instances.sub_pools.set(terms);
        self.trim(turn, index);
        self.fill(turn, index);
    }

    pub(in crate::fleet) fn remove_pool(&mut self, turn: &mut Turn<'_>, name: &PoolName) {
        if *name == PoolName::general() {
            return self.anomaly();
        }
        let Some(index) = self.instances.sub_pools.by_name.remove(name) else { return self.anomaly() };
        if let Some(mut pool) = self.instances.sub_pools.all.remove(index) {
            self.timers.disarm(Due::SubPool(index), &mut pool.armed);
        }
        for site in self.waiting_in(name) {
            self.close(turn, site);
        }
    }

    /// Waiting instances of the pool, the most expensive last.
    pub(in crate::fleet) fn waiting_in(&self, name: &PoolName) -> Vec<SiteKey> {
        let waiting = self
            .instances
            .all
            .iter()
            .filter(|(_, site)| site.standing == Standing::Waiting && site.terms.pool == *name);
        let mut waiting: Vec<(u64, SiteKey)> = waiting.map(|(index, site)| (site.terms.cost_rate, index)).collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, index)| index).collect()
    }

    fn count(&self, index: SubPoolKey) -> (u32, u32) {
        let pool = &self.instances.sub_pools.all[index];
        let waiting = u32::try_from(self.waiting_in(&pool.terms.name).len()).unwrap_or(u32::MAX);
        (waiting, pool.pending)
    }

    /// An instance of the pool was taken: as many others are asked for as were set for that, more if many are taken.
    pub(in crate::fleet) fn replenish(&mut self, turn: &mut Turn<'_>, name: &PoolName) {
        let Some(index) = self.instances.sub_pools.index(name) else { return };
        let pool = &mut self.instances.sub_pools.all[index];
        pool.takings.push_back(turn.now);
        let window = RATE_WINDOW;
        while pool.takings.front().is_some_and(|taken| *taken + window < turn.now) {
            pool.takings.pop_front();
        }
        let refill = pool.terms.refill;
        let fast = refill.fast_from > 0 && pool.takings.len() >= refill.fast_from as usize;
        let count = if fast { refill.fast_per_removal } else { refill.per_removal };
        self.ask(turn, index, count);
        self.fill(turn, index);
    }

    /// Asks for as many as are lacking below the minimum, up to the target.
    fn fill(&mut self, turn: &mut Turn<'_>, index: SubPoolKey) {
        let (waiting, pending) = self.count(index);
        let pool = &mut self.instances.sub_pools.all[index];
        let (min, target) = (pool.terms.min, pool.terms.target);
        let there = waiting.saturating_add(pending);
        if there >= min || self.draining {
            return;
        }
        self.ask(turn, index, target.max(min) - there);
    }

    /// Asks for other instances, but for no more than may wait.
    pub(in crate::fleet) fn ask(&mut self, turn: &mut Turn<'_>, index: SubPoolKey, count: u32) {
        let (waiting, pending) = self.count(index);
        let pool = &mut self.instances.sub_pools.all[index];
        let count = count.min(pool.terms.max.saturating_sub(waiting.saturating_add(pending)));
        if count == 0 || self.draining || pool.terms.instance_memory_mib == 0 {
            return;
        }
        if turn.now < pool.retry_after {
            return self.timers.arm(Due::SubPool(index), &mut pool.armed, pool.retry_after);
        }
        pool.pending += count;
        pool.counters.asked += u64::from(count);
        let (pool, memory_mib) = (pool.terms.name.clone(), pool.terms.instance_memory_mib);
        turn.push(Action::Acquire { pool, count, memory_mib });
    }

    /// Asks for as many instances as so much memory takes, beyond those that are on their way.
    pub(in crate::fleet) fn ask_for_memory(&mut self, turn: &mut Turn<'_>, name: &PoolName, memory_mib: u64) {
        let Some(index) = self.instances.sub_pools.index(name) else { return };
        let pool = &self.instances.sub_pools.all[index];
        let wanted = memory_mib.div_ceil(pool.terms.instance_memory_mib.max(1));
        let count = u32::try_from(wanted).unwrap_or(u32::MAX).saturating_sub(pool.pending);
        self.ask(turn, index, count);
    }

    pub(in crate::fleet) fn acquired(&mut self, name: &PoolName) {
        if let Some(pool) = self.instances.sub_pools.get_mut(name) {
            pool.pending = pool.pending.saturating_sub(1);
            pool.failures = 0;
            pool.counters.added += 1;
        }
    }

    pub(in crate::fleet) fn not_acquired(&mut self, turn: &mut Turn<'_>, name: &PoolName, count: u32) {
        let Some(index) = self.instances.sub_pools.index(name) else { return self.anomaly() };
        let pool = &mut self.instances.sub_pools.all[index];
        pool.pending = pool.pending.saturating_sub(count);
        let pause = RETRY_PAUSE.saturating_mul(1 << pool.failures.min(10)).min(RETRY_PAUSE_MAX);
        pool.failures = pool.failures.saturating_add(1);
        pool.retry_after = turn.now + pause;
        self.fill(turn, index);
    }

    pub(in crate::fleet) fn sub_pool_due(&mut self, turn: &mut Turn<'_>, index: SubPoolKey) {
        if let Some(pool) = self.instances.sub_pools.all.get_mut(index) {
            pool.armed = None;
            self.fill(turn, index);
        }
    }

    /// Releases what waits beyond the maximum, the most expensive first.
    pub(in crate::fleet) fn trim(&mut self, turn: &mut Turn<'_>, index: SubPoolKey) {
        let pool = &self.instances.sub_pools.all[index];
        let max = pool.terms.max as usize;
        let waiting = self.waiting_in(&pool.terms.name);
        let node = self.instances.node;
        for site in waiting.into_iter().skip(max).filter(|site| *site != node) {
            self.close(turn, site);
        }
    }

    pub(in crate::fleet) fn trim_pool(&mut self, turn: &mut Turn<'_>, name: &PoolName) {
        if let Some(index) = self.instances.sub_pools.index(name) {
            self.trim(turn, index);
        }
    }

    /// The engine's own instance, whatever it is called outside.
    pub(in crate::fleet) fn site_of(&self, instance: InstanceId) -> Option<SiteKey> {
        self.instances.by_id.get(&instance).copied()
    }
}
