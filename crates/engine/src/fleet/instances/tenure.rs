//! Instances: added, taken, emptied, returned to their sub-pool or released; leases, ages and being taken away.

use std::time::Duration;

use hearth_types::{Instant, SandboxId};

use super::{Site, Standing};
use crate::capacity::{Capacity, Instance, InstanceId};
use crate::event::{Action, DestroyReason};
use crate::fleet::model::State;
use crate::fleet::{Engine, Turn};
use crate::keys::{PoolKey, SiteKey};
use crate::timers::Due;

/// An instance takes nothing new in the last part of its lease.
const DRAIN_BEFORE: Duration = Duration::from_secs(5);

impl Engine {
    pub(in crate::fleet) fn capacity(&mut self, turn: &mut Turn<'_>, change: Capacity) {
        match change {
            Capacity::Add(terms) => self.add_instance(turn, terms),
            Capacity::Remove(instance) => self.with_site(turn, instance, Self::close),
            Capacity::Reclaim { instance, at } => self.with_site(turn, instance, |engine, turn, site| {
                let ends_at = engine.instances.all[site].ends_at.map_or(at, |before| before.min(at));
                engine.instances.all[site].ends_at = Some(ends_at);
                engine.close(turn, site);
                engine.site_due(turn, site);
            }),
            Capacity::Lost(instance) => self.with_site(turn, instance, |engine, turn, site| {
                engine.instances.all[site].ends_at = Some(turn.now);
                engine.site_due(turn, site);
            }),
            Capacity::NotAcquired { pool, count } => self.not_acquired(turn, &pool, count),
            Capacity::SetPool(terms) => self.set_pool(turn, terms),
            Capacity::RemovePool(name) => self.remove_pool(turn, &name),
            Capacity::SetAccount { account, policy } => {
                self.instances.forget_widths(&account);
                self.instances.policies.insert(account, policy);
            }
            Capacity::SetTrustGroups(groups) => {
                self.instances.trust = super::trust::Trust::new(groups);
                self.part_strangers(turn);
            }
        }
        self.ahead.note_change();
        self.roots.note_change();
        self.instances.narrow_due = true;
        self.note_plain();
    }

    fn with_site(
        &mut self,
        turn: &mut Turn<'_>,
        instance: InstanceId,
        change: impl FnOnce(&mut Self, &mut Turn<'_>, SiteKey),
    ) {
        match self.site_of(instance) {
            Some(site) => change(self, turn, site),
            None => self.anomaly(),
        }
    }

    fn add_instance(&mut self, turn: &mut Turn<'_>, terms: Instance) {
        let (id, pool) = (terms.id, terms.pool.clone());
        let site = match self.site_of(id) {
            Some(site) => {
                let entry = &mut self.instances.all[site];
                entry.ends_at = terms.lease_end;
                if site == self.instances.node && !entry.is_open() {
                    entry.standing = Standing::Active;
                }
                entry.terms = terms;
                site
            }
            None => {
                let site = self.instances.all.insert(Site::new(terms, turn.now));
                self.instances.by_id.insert(id, site);
                self.acquired(&pool);
                site
            }
        };
        self.site_due(turn, site);
        self.trim_pool(turn, &pool);
    }

    /// Whether there is nothing but the node itself, for everybody.
    pub(in crate::fleet) fn note_plain(&mut self) {
        let alone = self.instances.by_id.len() == 1
            && self.instances.policies.is_empty()
            && self.instances.sub_pools.iter().count() == 1;
        let node = &self.instances.all[self.instances.node];
        let usual = node.is_open() && node.terms.shared && node.ends_at.is_none() && node.terms.age_max.is_none();
        self.instances.plain = alone && usual;
    }

    /// `pool` places a sandbox on the instance, which is its account's from now on.
    pub(in crate::fleet) fn take_site(&mut self, turn: &mut Turn<'_>, site: SiteKey, pool: PoolKey) {
        let entry = &mut self.instances.all[site];
        if entry.terms.shared {
            return;
        }
        let account = self.admission.id(self.pools[pool].account);
        if !entry.tenants.contains(account) {
            entry.tenants.insert(account.clone());
        }
        if entry.standing == Standing::Waiting {
            entry.standing = Standing::Active;
            let name = entry.terms.pool.clone();
            self.replenish(turn, &name);
        }
    }

    /// Nothing new from now on: what is idle ends, what is on its way starts elsewhere, what runs goes on.
    pub(in crate::fleet) fn close(&mut self, turn: &mut Turn<'_>, site: SiteKey) {
        let entry = &mut self.instances.all[site];
        if !entry.is_open() {
            return;
        }
        entry.standing = Standing::Closed;
        self.give_up_claims(turn, site);
        for (sandbox, state) in self.sandboxes_on(site) {
            match state {
                State::Blank | State::Idle { .. } => self.destroy(turn, sandbox, DestroyReason::Reclaimed),
                State::Starting { pool, .. } => {
                    self.destroy(turn, sandbox, DestroyReason::Reclaimed);
                    self.settle(turn, pool);
                }
                State::Finishing { pool } => {
                    if let Some(entry) = self.sandboxes.get(&sandbox) {
                        self.pools[pool].finishing.remove(&(entry.sequence, sandbox));
                    }
                }
                _ => {}
            }
        }
        self.instances.perhaps_empty.push(site);
    }

    fn give_up_claims(&mut self, turn: &mut Turn<'_>, site: SiteKey) {
        let stock = self.instances.all[site].stock.values_mut();
        let claims: Vec<_> = stock.flat_map(|stock| stock.claims.drain(..)).collect();
        for claim in claims {
            self.give_up(&claim);
            self.settle(turn, claim.pool);
        }
    }

    /// In the order in which they were made.
    fn sandboxes_on(&self, site: SiteKey) -> Vec<(SandboxId, State)> {
        let on = self.sandboxes.iter().filter(|(_, entry)| entry.site == site);
        let mut on: Vec<_> = on.map(|(id, entry)| (*id, entry.state)).collect();
        on.sort_unstable_by_key(|(id, _)| *id);
        on
    }

    /// Ends what still runs. Its attempts end as the node reports it: whatever the runtime has not got yet runs elsewhere.
    fn cut_off_all(&mut self, turn: &mut Turn<'_>, site: SiteKey) {
        for (sandbox, state) in self.sandboxes_on(site) {
            match state {
                State::Busy { .. }
                | State::Finishing { .. }
                | State::Bound { .. }
                | State::Withdrawing { .. }
                | State::Slow { .. } => self.cut_off(turn, sandbox, DestroyReason::Reclaimed),
                State::Making | State::Blank | State::Starting { .. } | State::Idle { .. } | State::Ending => {}
            }
        }
    }

    /// Has a sandbox ended that is in use. It stays in its state until it is dead, and gets nothing new.
    pub(in crate::fleet) fn cut_off(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, reason: DestroyReason) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else { return };
        if std::mem::replace(&mut entry.doomed, true) {
            return;
        }
        if let State::Finishing { pool } = entry.state {
            self.pools[pool].finishing.remove(&(entry.sequence, sandbox));
        }
        turn.push(Action::Destroy { sandbox, reason });
    }

    /// Time has come to close the instance, or to end it, or to look again later.
    pub(in crate::fleet) fn site_due(&mut self, turn: &mut Turn<'_>, site: SiteKey) {
        let Some(entry) = self.instances.all.get_mut(site) else { return };
        self.timers.disarm(Due::Site(site), &mut entry.armed);
        let close_at = entry.closes_at();
        let ends_at = entry.ends_at;
        if ends_at.is_some_and(|at| at <= turn.now) {
            self.close(turn, site);
            return self.cut_off_all(turn, site);
        }
        let closed = !entry.is_open();
        let next = if closed { ends_at } else { close_at };
        match next {
            Some(at) if at <= turn.now => {
                self.close(turn, site);
                self.site_due(turn, site);
            }
            Some(at) => {
                if let Some(entry) = self.instances.all.get_mut(site) {
                    self.timers.arm(Due::Site(site), &mut entry.armed, at);
                }
            }
            None => {}
        }
    }

    /// What became of instances that lost a sandbox or a claim in this step.
    pub(in crate::fleet) fn settle_sites(&mut self, turn: &mut Turn<'_>) {
        while let Some(site) = self.instances.perhaps_empty.pop() {
            if self.instances.all.get(site).is_some_and(|entry| entry.occupied == 0) {
                self.emptied(turn, site);
            }
        }
    }

    fn emptied(&mut self, turn: &mut Turn<'_>, site: SiteKey) {
        let entry = &self.instances.all[site];
        if entry.standing == Standing::Active && !entry.terms.shared {
            let name = entry.terms.pool.clone();
            if self.may_return(site) {
                self.instances.all[site].standing = Standing::Waiting;
                if let Some(pool) = self.instances.sub_pools.get_mut(&name) {
                    pool.counters.returned += 1;
                }
                self.trim_pool(turn, &name);
                self.roots.note_change();
            } else {
                self.close(turn, site);
            }
        }
        let entry = &self.instances.all[site];
        if !entry.is_open() && entry.used.sandboxes == 0 && site != self.instances.node {
            self.release(turn, site);
        }
    }

    fn release(&mut self, turn: &mut Turn<'_>, site: SiteKey) {
        let Some(mut entry) = self.instances.all.remove(site) else { return };
        self.timers.disarm(Due::Site(site), &mut entry.armed);
        self.instances.by_id.remove(&entry.terms.id);
        if let Some(pool) = self.instances.sub_pools.get_mut(&entry.terms.pool) {
            pool.counters.released += 1;
        }
        turn.push(Action::Release { instance: entry.terms.id });
        self.note_plain();
    }

    fn may_return(&self, site: SiteKey) -> bool {
        let entry = &self.instances.all[site];
        let pool = self.instances.sub_pools.get(&entry.terms.pool);
        pool.is_some_and(|pool| self.instances.trust.may_meet(&entry.tenants, pool.terms.owner.as_ref()))
    }

    /// Trust has changed: what waits and was used by somebody whom others that draw on its pool do not trust any more, goes.
    fn part_strangers(&mut self, turn: &mut Turn<'_>) {
        let waiting = self.instances.all.iter().filter(|(_, site)| site.standing == Standing::Waiting);
        let waiting: Vec<SiteKey> = waiting.map(|(site, _)| site).collect();
        for site in waiting {
            if !self.may_return(site) {
                self.close(turn, site);
            }
        }
        // Whoever is on the way to an instance is placed anew.
        let exclusive: Vec<SiteKey> =
            self.instances.all.iter().filter(|(_, site)| !site.terms.shared).map(|(site, _)| site).collect();
        for site in exclusive {
            self.give_up_claims(turn, site);
        }
    }

    pub(in crate::fleet) fn is_doomed(&self, sandbox: SandboxId) -> bool {
        self.sandboxes.get(&sandbox).is_some_and(|entry| entry.doomed)
    }

    /// Whether the sandbox, or its instance, takes nothing new.
    pub(in crate::fleet) fn is_closed(&self, sandbox: SandboxId) -> bool {
        let closed = |site: SiteKey| !self.instances.plain && !self.instances.all[site].is_open();
        self.sandboxes.get(&sandbox).is_some_and(|entry| entry.doomed || closed(entry.site))
    }

    /// Whether a run of `pool` that begins now is over before the instance is taken away, as far as one can tell.
    pub(in crate::fleet) fn outlasts(&self, now: Instant, site: SiteKey, pool: PoolKey) -> bool {
        let entry = &self.pools[pool];
        self.instances.all[site].ends_at.is_none_or(|at| {
            let run = self.versions.runs(entry.version).and_then(crate::fleet::Runs::predicted);
            now + run.unwrap_or(entry.timeout) <= at
        })
    }
}

impl Site {
    fn closes_at(&self) -> Option<Instant> {
        let aged = self.terms.age_max.map(|age| self.since + age);
        let leased = self.ends_at.map(|at| Instant::ZERO + at.since(Instant::ZERO + DRAIN_BEFORE));
        aged.into_iter().chain(leased).min()
    }
}
