//! Pools: made with the first ticket of a version, dropped with its last sandbox and ticket, retired when the version is replaced.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use hearth_types::{Instant, SandboxId, VersionKey};
use slotmap::SlotMap;

use super::model::{Pool, Shelf};
use super::retired::Retired;
use super::{Engine, Turn};
use crate::event::{DestroyReason, Version};
use crate::keys::PoolKey;

/// The pools, by version.
#[derive(Debug, Default)]
pub(super) struct Pools {
    all: SlotMap<PoolKey, Pool>,
    by_version: HashMap<Arc<VersionKey>, PoolKey>,
    retired: Retired,
    /// Those that may have lost their last use in this step.
    perhaps_unused: Vec<PoolKey>,
}

impl Index<PoolKey> for Pools {
    type Output = Pool;

    fn index(&self, pool: PoolKey) -> &Pool {
        &self.all[pool]
    }
}

impl IndexMut<PoolKey> for Pools {
    fn index_mut(&mut self, pool: PoolKey) -> &mut Pool {
        &mut self.all[pool]
    }
}

impl Pools {
    pub(super) fn find(&self, version: &VersionKey) -> Option<PoolKey> {
        self.by_version.get(version).copied()
    }

    pub(super) fn get_mut(&mut self, pool: PoolKey) -> Option<&mut Pool> {
        self.all.get_mut(pool)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PoolKey, &Pool)> {
        self.all.iter()
    }

    /// The pool may have lost its last use.
    pub(super) fn note_end(&mut self, pool: PoolKey) {
        self.perhaps_unused.push(pool);
    }

    /// Takes out one that has no use any more, of those that were noted.
    fn take_unused(&mut self) -> Option<Pool> {
        while let Some(key) = self.perhaps_unused.pop() {
            if self.all.get(key).is_some_and(Pool::is_unused)
                && let Some(pool) = self.all.remove(key)
            {
                self.by_version.remove(&pool.key);
                return Some(pool);
            }
        }
        None
    }
}

impl Engine {
    pub(super) fn pool_of(&mut self, version: &Version) -> PoolKey {
        let Version { key, root, memory_mib, timeout } = version;
        if let Some(pool) = self.pools.find(key) {
            return pool;
        }
        let function = self.admission.hold(key);
        let pool = self.pools.all.insert(Pool {
            key: key.clone(),
            version: self.versions.hold(version.clone()),
            function,
            account: self.admission.account_of(function),
            root: *root,
            timeout: *timeout,
            memory_mib: (*memory_mib).max(self.config.blank_memory_mib),
            retired: self.pools.retired.contains(key),
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
        self.pools.by_version.insert(key.clone(), pool);
        pool
    }

    pub(super) fn drop_unused_pools(&mut self) {
        while let Some(pool) = self.pools.take_unused() {
            self.admission.release_hold(pool.function);
            self.versions.release(pool.version);
        }
    }

    /// Idle sandboxes of the version end now, others when they are done. Tickets that came before are still served by its
    /// sandboxes; those that come after (resolved just before) get sandboxes of their own or wait for one, and none is kept.
    pub(super) fn retire(&mut self, turn: &mut Turn<'_>, key: Arc<VersionKey>) {
        self.versions.retire(&key);
        if let Some(pool) = self.pools.find(&key) {
            self.pools[pool].retired = true;
            self.forget_prewarm(pool);
            self.set_provision(turn, pool, 0);
            self.pools[pool].finishing.clear();
            while let Some((_, sandbox)) = self.pools[pool].idle.first().copied() {
                self.destroy(turn, sandbox, DestroyReason::Retired);
            }
        }
        self.pools.retired.remember(key);
    }

    pub(super) fn put_on_idle(&mut self, sandbox: SandboxId, pool: PoolKey, shelf: Shelf) {
        let place = (shelf.sequence, sandbox);
        if shelf.provisioned {
            self.pools[pool].idle_provisioned.insert(place);
            return;
        }
        self.pools[pool].idle.insert(place);
        self.instances.shelve(sandbox, shelf);
        // What is idle can make room.
        self.ahead.note_room();
    }

    pub(super) fn take_off_idle(&mut self, sandbox: SandboxId, pool: PoolKey, shelf: Shelf) {
        let place = (shelf.sequence, sandbox);
        if shelf.provisioned {
            self.pools[pool].idle_provisioned.remove(&place);
            return;
        }
        self.pools[pool].idle.remove(&place);
        self.instances.unshelve(sandbox, shelf);
    }

    /// Brings the queue for places in line with how many tickets of `pool` have no sandbox on its way.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>, pool: PoolKey) {
        let entry = &mut self.pools[pool];
        let short = entry.waiting.len().saturating_sub(entry.on_way);
        let before = std::mem::replace(&mut entry.short, short);
        self.queue.recount(entry.account, before, short);
        match (before > 0, short > 0) {
            (false, true) => self.join_queue(pool, turn.now),
            (true, false) => {
                self.leave_queue(pool);
                self.instances.note_narrower();
            }
            (false, false) | (true, true) => {}
        }
    }

    pub(super) fn join_queue(&mut self, pool: PoolKey, now: Instant) {
        let sequence = self.next_sequence();
        let entry = &mut self.pools[pool];
        entry.short_since = Some((sequence, now));
        self.queue.join(entry.account, sequence, pool);
    }

    pub(super) fn leave_queue(&mut self, pool: PoolKey) {
        let entry = &mut self.pools[pool];
        if let Some((sequence, _)) = entry.short_since.take() {
            self.queue.leave(entry.account, sequence, pool);
        }
    }
}
