//! On which instance the next sandbox of a version is placed.
//!
//! First come instances that the account uses already, fullest first; then those that wait in its sub-pool, cheapest first; then
//! what its policy says of a shortage, step by step. A version that is called often, or rarely, does not go to a sub-pool for the others
//! unless it borrows there.

use crate::keys::{PoolKey, SiteKey};
use hearth_types::{AccountId, Instant};

use super::site::{Site, Standing};
use super::{Engine, Turn};
use crate::capacity::{Constraint, Frequency, PoolKind, PoolName, Shortage, SubPool, Wishes};
use crate::event::Ticket;

/// What is to become of whoever is next for a place.
pub(super) enum Place {
    At(SiteKey),
    /// One of these will do, when there is room.
    Wait(Vec<SiteKey>),
    /// The sub-pool has nothing for it.
    Refused(PoolName),
}

impl Engine {
    pub(super) fn find_place(
        &mut self,
        turn: &mut Turn<'_>,
        pool: PoolKey,
        ticket: Ticket,
        contended: &[SiteKey],
    ) -> Place {
        let wishes = self.tickets.get(&ticket).and_then(|attempt| attempt.wishes.clone());
        loop {
            let own = self.own_sites(turn.now, pool, wishes.as_deref());
            let free = |site: &SiteKey| !contended.contains(site) && self.fits(*site, self.need(*site, pool));
            if let Some(site) = own.iter().copied().find(free) {
                self.note_hit(site);
                return Place::At(site);
            }
            if self.plain || own.iter().any(|site| !contended.contains(site) && self.can_make_room(*site, pool)) {
                return Place::Wait(own);
            }
            if !self.widen_for(turn.now, pool, wishes.as_deref()) {
                return self.on_shortage(turn, pool, ticket, wishes.as_deref(), own, contended);
            }
        }
    }

    /// Ends what nobody uses on the instance until a sandbox for `pool` will fit.
    fn make_room_for(&mut self, turn: &mut Turn<'_>, site: SiteKey, pool: PoolKey) {
        let root = self.pools[pool].root;
        while !self.will_fit(site, self.need(site, pool)) && self.evict_one(turn, site, root) {}
    }

    fn can_make_room(&self, site: SiteKey, pool: PoolKey) -> bool {
        let freed = self.reclaimable(site, self.pools[pool].root);
        self.sites[site].fits_beside(self.need(site, pool), freed)
    }

    fn on_shortage(
        &mut self,
        turn: &mut Turn<'_>,
        pool: PoolKey,
        ticket: Ticket,
        wishes: Option<&Wishes>,
        own: Vec<SiteKey>,
        contended: &[SiteKey],
    ) -> Place {
        let account = self.admission.accounts[self.pools[pool].account].id.clone();
        let chosen = self.chosen_pool(turn.now, pool, wishes);
        self.note_miss(ticket, &chosen);
        let steps = self.policies.get(&account).map(|policy| policy.shortage.clone()).unwrap_or_default();
        for step in steps {
            match step {
                Shortage::Borrow { from } => {
                    let lent = self.lendable(turn.now, pool, wishes, &from);
                    let free = |site: &SiteKey| !contended.contains(site) && self.fits(*site, self.need(*site, pool));
                    if let Some(site) = lent.iter().copied().find(free) {
                        self.note_borrowed(&chosen, site);
                        return Place::At(site);
                    }
                    let may_have = |site: &SiteKey| !contended.contains(site) && self.can_make_room(*site, pool);
                    if let Some(site) = lent.into_iter().find(may_have) {
                        self.make_room_for(turn, site, pool);
                        return Place::Wait(vec![site]);
                    }
                }
                Shortage::Provision { .. } => {
                    self.ask_for(turn, pool, &chosen);
                    return Place::Wait(own);
                }
                Shortage::Wait { .. } | Shortage::Queue => return Place::Wait(own),
                Shortage::Reject => return Place::Refused(chosen),
            }
        }
        Place::Wait(own)
    }

    /// Instances that the pool's account may use of its own right, those to be tried first in front.
    pub(super) fn own_sites(&self, now: Instant, pool: PoolKey, wishes: Option<&Wishes>) -> Vec<SiteKey> {
        if self.plain {
            return vec![self.node];
        }
        let account = &self.admission.accounts[self.pools[pool].account].id;
        let chosen = self.chosen_pool(now, pool, wishes);
        let frequency = self.frequency_of(now, pool);
        let sites = self.ranked(now, pool, wishes, |site| match site.standing {
            Standing::Closed => None,
            Standing::Active if !site.terms.shared => {
                (self.is_home(account, site) && self.suits(&site.terms.pool, frequency)).then_some(0)
            }
            Standing::Active | Standing::Waiting => {
                (site.terms.pool == chosen && self.may_join(account, site)).then_some(1)
            }
        });
        self.narrowed(account, &chosen, sites)
    }

    /// Has the account use one more shared instance, if its spread allows; `false` if not.
    pub(super) fn widen_for(&mut self, now: Instant, pool: PoolKey, wishes: Option<&Wishes>) -> bool {
        if self.plain {
            return false;
        }
        let chosen = self.chosen_pool(now, pool, wishes);
        let account = self.admission.accounts[self.pools[pool].account].id.clone();
        self.widen(&account, &chosen)
    }

    /// Instances of these sub-pools that nobody uses, or everybody, or that the account has borrowed before.
    fn lendable(&self, now: Instant, pool: PoolKey, wishes: Option<&Wishes>, from: &[PoolName]) -> Vec<SiteKey> {
        let account = &self.admission.accounts[self.pools[pool].account].id;
        let mut sites = self.ranked(now, pool, wishes, |site| {
            let open = site.standing == Standing::Waiting || site.is_open() && site.terms.shared;
            let open = open || site.is_open() && self.is_home(account, site);
            (open && from.contains(&site.terms.pool) && self.may_join(account, site)).then_some(0)
        });
        sites.retain(|site| self.may_reach(account, *site));
        sites
    }

    fn ranked(
        &self,
        now: Instant,
        pool: PoolKey,
        wishes: Option<&Wishes>,
        class: impl Fn(&Site) -> Option<u8>,
    ) -> Vec<SiteKey> {
        let account = &self.admission.accounts[self.pools[pool].account].id;
        let capped = [self.policies.get(account).and_then(|policy| policy.price_max), wishes.and_then(|w| w.price_max)];
        let price_max = capped.into_iter().flatten().min().unwrap_or(u64::MAX);
        let mut ranked: Vec<_> = self
            .sites
            .iter()
            .filter_map(|(index, site)| {
                let class = class(site)?;
                let price = self.price(site);
                let room = site.room_mib().saturating_sub(site.used.memory_mib);
                (price <= price_max && self.outlasts(now, index, pool)).then_some((class, price, room, index))
            })
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(.., index)| index).collect()
    }

    /// Whether the instance is in use by this account, or by others that trust it on capacity that is also its own.
    fn is_home(&self, account: &AccountId, site: &Site) -> bool {
        let drawn = site.tenants.contains(account) || self.may_draw(account, &site.terms.pool);
        drawn && site.tenants.iter().all(|tenant| self.trust.trusts(account, tenant))
    }

    /// Whether the account may come onto an instance that waits, or that everybody shares.
    pub(super) fn may_join(&self, account: &AccountId, site: &Site) -> bool {
        let available = self
            .sub_pools
            .get(&site.terms.pool)
            .is_some_and(|pool| !matches!(pool.terms.constraint, Constraint::Variable { available: false, .. }));
        available && site.tenants.iter().all(|tenant| self.trust.trusts(account, tenant))
    }

    fn price(&self, site: &Site) -> u64 {
        match self.sub_pools.get(&site.terms.pool).map(|pool| pool.terms.constraint) {
            Some(Constraint::Variable { price, .. }) => price,
            Some(Constraint::Fixed) | None => site.terms.cost_rate,
        }
    }

    pub(super) fn may_draw(&self, account: &AccountId, name: &PoolName) -> bool {
        self.sub_pools
            .get(name)
            .is_some_and(|pool| pool.terms.owner.as_ref().is_none_or(|owner| self.trust.is(account, owner)))
    }

    fn frequency_of(&self, now: Instant, pool: PoolKey) -> Frequency {
        self.versions.frequency(self.pools[pool].version, now)
    }

    /// Whether the sub-pool is for versions that are called so often.
    fn suits(&self, name: &PoolName, frequency: Frequency) -> bool {
        self.sub_pools.get(name).is_none_or(|pool| pool.terms.frequency.is_none_or(|wanted| wanted == frequency))
    }

    /// Whether the sub-pool has an instance that the account could come onto, full or not.
    fn has_any_for(&self, account: &AccountId, name: &PoolName) -> bool {
        let mut sites = self.sites.iter().map(|(_, site)| site);
        sites.any(|site| site.terms.pool == *name && site.is_open() && self.may_join(account, site))
    }

    /// The sub-pool that the request, the account's policy or its identity selects, of those for versions that are called so often. One
    /// with nothing for the account is passed over, unless the account's policy says what happens then.
    pub(super) fn chosen_pool(&self, now: Instant, pool: PoolKey, wishes: Option<&Wishes>) -> PoolName {
        let account = &self.admission.accounts[self.pools[pool].account].id;
        let frequency = self.frequency_of(now, pool);
        let wished = wishes.and_then(|wishes| wishes.pool.as_ref());
        let policy = self.policies.get(account);
        let set = policy.and_then(|policy| policy.pool.as_ref());
        let has_steps = policy.is_some_and(|policy| !policy.shortage.is_empty());
        let counts = |name: &PoolName| has_steps || self.has_any_for(account, name);
        let allowed = |name: &&PoolName| self.may_draw(account, name) && self.suits(name, frequency) && counts(name);
        if let Some(name) = wished.into_iter().chain(set).find(allowed) {
            return name.clone();
        }
        let rank = |kind| match kind {
            PoolKind::Dedicated => 0,
            PoolKind::Reserved => 1,
            PoolKind::General => 2,
        };
        // One that is everybody's is chosen only if it is for just such versions.
        let selects = |terms: &&SubPool| match &terms.owner {
            Some(owner) => {
                let suits = terms.frequency.is_none_or(|wanted| wanted == frequency);
                suits && self.trust.is(account, owner) && counts(&terms.name)
            }
            None => terms.frequency == Some(frequency) && self.has_any_for(account, &terms.name),
        };
        let selected = self.sub_pools.iter().map(|pool| &pool.terms).filter(selects);
        let best = selected.min_by_key(|terms| (terms.owner.is_none(), rank(terms.kind), terms.frequency.is_none()));
        best.map_or_else(PoolName::general, |terms| terms.name.clone())
    }

    /// Asks for as many instances as the account's waiting ones need, beyond those that are on their way.
    fn ask_for(&mut self, turn: &mut Turn<'_>, pool: PoolKey, chosen: &PoolName) {
        let Some(index) = self.sub_pools.index(chosen) else { return };
        let Some(held) = self.sub_pools.get(chosen) else { return };
        let size = held.terms.instance_memory_mib;
        let short = self.admission.accounts[self.pools[pool].account].short.iter();
        let need: u64 = short
            .map(|(_, pool)| &self.pools[*pool])
            .map(|pool| u64::from(pool.memory_mib) * u64::try_from(pool.short).unwrap_or(u64::MAX))
            .sum();
        let wanted = u32::try_from(need.div_ceil(size.max(1))).unwrap_or(u32::MAX);
        let count = wanted.saturating_sub(held.pending);
        self.ask(turn, index, count);
    }

    fn note_hit(&mut self, site: SiteKey) {
        if !self.plain
            && let Some(pool) = self.sub_pools.get_mut(&self.sites[site].terms.pool)
        {
            pool.counters.hits += 1;
        }
    }

    /// Once for each ticket.
    fn note_miss(&mut self, ticket: Ticket, chosen: &PoolName) {
        if let Some(attempt) = self.tickets.get_mut(&ticket)
            && !std::mem::replace(&mut attempt.missed, true)
            && let Some(pool) = self.sub_pools.get_mut(chosen)
        {
            pool.counters.misses += 1;
        }
    }

    /// The ticket, admitted before, has found a place now, or finds none.
    pub(super) fn note_waited(&mut self, now: Instant, ticket: Ticket) {
        let Some(attempt) = self.tickets.get(&ticket).filter(|attempt| attempt.since < now) else { return };
        let waited = now.since(attempt.since);
        let chosen = self.chosen_pool(now, attempt.pool, attempt.wishes.as_deref());
        if let Some(pool) = self.sub_pools.get_mut(&chosen) {
            pool.counters.waits += 1;
            pool.counters.waited_us += u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        }
    }

    fn note_borrowed(&mut self, chosen: &PoolName, site: SiteKey) {
        if let Some(pool) = self.sub_pools.get_mut(chosen) {
            pool.counters.borrowed += 1;
        }
        if let Some(pool) = self.sub_pools.get_mut(&self.sites[site].terms.pool) {
            pool.counters.lent += 1;
        }
    }

    /// Pools that are short of a place and may find it on this instance, in their order.
    pub(super) fn next_on(&self, turn: &Turn<'_>, site: SiteKey, count: usize) -> Vec<PoolKey> {
        let queues = self.rotation.iter().flat_map(|account| &self.admission.accounts[*account].short);
        let next = queues.map(|(_, pool)| *pool);
        if self.plain {
            return next.take(count).collect();
        }
        next.take(count).filter(|pool| self.own_sites(turn.now, *pool, None).contains(&site)).collect()
    }

    /// How long the account's attempts wait for a place, if its policy says so: what counts is its first step that is not about borrowing.
    pub(super) fn wait_of(&self, pool: PoolKey) -> Option<std::time::Duration> {
        if self.plain {
            return None;
        }
        let account = &self.admission.accounts[self.pools[pool].account].id;
        let steps = &self.policies.get(account)?.shortage;
        match steps.iter().find(|step| !matches!(step, Shortage::Borrow { .. }))? {
            Shortage::Provision { seconds } | Shortage::Wait { seconds } => {
                Some(std::time::Duration::from_secs(u64::from(*seconds)))
            }
            Shortage::Borrow { .. } | Shortage::Queue | Shortage::Reject => None,
        }
    }
}
