//! Pools: made with the first ticket of a version, dropped with its last sandbox and ticket, retired when the version is replaced.

use crate::keys::PoolKey;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hearth_types::{Instant, SandboxId, VersionKey};

use super::model::{Pool, Shelf};
use super::{Engine, TOMBSTONES_MAX, Turn};
use crate::event::{DestroyReason, Version};

impl Engine {
    pub(super) fn pool_of(&mut self, version: &Version) -> PoolKey {
        let Version { key, root, memory_mib, timeout } = version;
        if let Some(pool) = self.pools_by_key.get(key) {
            return *pool;
        }
        let function = self.admission.hold(key);
        let pool = self.pools.insert(Pool {
            key: key.clone(),
            version: self.versions.hold(version.clone()),
            function,
            account: self.admission.functions[function].account,
            root: *root,
            timeout: *timeout,
            memory_mib: (*memory_mib).max(self.config.blank_memory_mib),
            retired: self.retired.contains(key),
            live: 0,
            on_way: 0,
            hurried: 0,
            started: None,
            idle: BTreeSet::new(),
            idle_provisioned: BTreeSet::new(),
            finishing: BTreeSet::new(),
            waiting: BTreeSet::new(),
            deferred: BTreeSet::new(),
            short: 0,
            short_since: None,
            affine: BTreeMap::new(),
            provision: None,
            prewarm: 0,
            loading: VecDeque::new(),
        });
        self.pools_by_key.insert(key.clone(), pool);
        pool
    }

    pub(super) fn drop_unused_pools(&mut self) {
        while let Some(index) = self.perhaps_unused.pop() {
            if !self.pools.get(index).is_some_and(Pool::is_unused) {
                continue;
            }
            if let Some(pool) = self.pools.remove(index) {
                self.pools_by_key.remove(&pool.key);
                self.admission.release_hold(pool.function);
                self.versions.release(pool.version);
            }
        }
    }

    /// Idle sandboxes of the version end now, others when they are done. Tickets that came before are still served by its
    /// sandboxes; those that come after (resolved just before) get sandboxes of their own or wait for one, and none is kept.
    pub(super) fn retire(&mut self, turn: &mut Turn<'_>, key: Arc<VersionKey>) {
        self.versions.retire(&key);
        if let Some(pool) = self.pools_by_key.get(&key).copied() {
            self.pools[pool].retired = true;
            self.forget_prewarm(pool);
            self.set_provision(turn, pool, 0);
            self.pools[pool].finishing.clear();
            while let Some((_, sandbox)) = self.pools[pool].idle.first().copied() {
                self.destroy(turn, sandbox, DestroyReason::Retired);
            }
        }
        if self.retired.insert(key.clone()) {
            self.retired_order.push_back(key);
        }
        if self.retired_order.len() > TOMBSTONES_MAX
            && let Some(oldest) = self.retired_order.pop_front()
        {
            self.retired.remove(&oldest);
        }
    }

    pub(super) fn put_on_idle(&mut self, sandbox: SandboxId, pool: PoolKey, shelf: Shelf) {
        let place = (shelf.sequence, sandbox);
        if shelf.provisioned {
            self.pools[pool].idle_provisioned.insert(place);
            return;
        }
        self.pools[pool].idle.insert(place);
        let site = &mut self.sites[shelf.site];
        site.order.insert((shelf.worth, shelf.sequence, sandbox));
        site.idle.add(shelf.memory_mib);
        self.ledger.idle.add(shelf.memory_mib);
        // What is idle can make room.
        self.ahead_due |= self.blocked;
    }

    pub(super) fn take_off_idle(&mut self, sandbox: SandboxId, pool: PoolKey, shelf: Shelf) {
        let place = (shelf.sequence, sandbox);
        if shelf.provisioned {
            self.pools[pool].idle_provisioned.remove(&place);
            return;
        }
        self.pools[pool].idle.remove(&place);
        let site = &mut self.sites[shelf.site];
        site.order.remove(&(shelf.worth, shelf.sequence, sandbox));
        site.idle.take(shelf.memory_mib);
        self.ledger.idle.take(shelf.memory_mib);
    }

    /// Brings the queue for places in line with how many tickets of `pool` have no sandbox on its way.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>, pool: PoolKey) {
        let entry = &mut self.pools[pool];
        let short = entry.waiting.len().saturating_sub(entry.on_way);
        let before = std::mem::replace(&mut entry.short, short);
        let account = entry.account;
        let queued = &mut self.admission.accounts[account].queued;
        *queued = *queued - before + short;
        self.ledger.queued = self.ledger.queued - before + short;
        match (before > 0, short > 0) {
            (false, true) => self.join_queue(pool, turn.now),
            (true, false) => {
                self.leave_queue(pool);
                self.narrow_due = true;
            }
            (false, false) | (true, true) => {}
        }
    }

    pub(super) fn join_queue(&mut self, pool: PoolKey, now: Instant) {
        let sequence = self.next_sequence();
        let entry = &mut self.pools[pool];
        entry.short_since = Some((sequence, now));
        let queue = &mut self.admission.accounts[entry.account].short;
        if queue.is_empty() {
            self.rotation.push_back(entry.account);
        }
        queue.insert((sequence, pool));
    }

    pub(super) fn leave_queue(&mut self, pool: PoolKey) {
        let entry = &mut self.pools[pool];
        let Some((sequence, _)) = entry.short_since.take() else {
            return;
        };
        let account = entry.account;
        let queue = &mut self.admission.accounts[account].short;
        queue.remove(&(sequence, pool));
        if queue.is_empty() {
            self.rotation.retain(|other| *other != account);
        }
    }
}
