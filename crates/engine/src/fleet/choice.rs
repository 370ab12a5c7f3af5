//! On which instance the next sandbox of a version is placed.
//!
//! First come instances that the account uses already, fullest first; then those that wait in its sub-pool, cheapest first; then
//! what its policy says of a shortage, step by step. A version that is called often, or rarely, does not go to a sub-pool for the others
//! unless it borrows there.

use hearth_types::Instant;

use super::instances::{Site, Standing};
use super::{Engine, Turn};
use crate::capacity::{Frequency, PoolName, Shortage, Wishes};
use crate::event::Ticket;
use crate::keys::{PoolKey, SiteKey};

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
            let free = |site: &SiteKey| !contended.contains(site) && self.instances.fits(*site, self.need(*site, pool));
            if let Some(site) = own.iter().copied().find(free) {
                self.note_hit(site);
                return Place::At(site);
            }
            if self.instances.is_plain()
                || own.iter().any(|site| !contended.contains(site) && self.can_make_room(*site, pool))
            {
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
        while !self.instances.will_fit(site, self.need(site, pool)) && self.evict_one(turn, site, root) {}
    }

    fn can_make_room(&self, site: SiteKey, pool: PoolKey) -> bool {
        let freed = self.reclaimable(site, self.pools[pool].root);
        self.instances[site].fits_beside(self.need(site, pool), freed)
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
        let account = self.admission.id(self.pools[pool].account).clone();
        let chosen = self.chosen_pool(turn.now, pool, wishes);
        self.note_miss(ticket, &chosen);
        let steps = self.instances.policy(&account).map(|policy| policy.shortage.clone()).unwrap_or_default();
        for step in steps {
            match step {
                Shortage::Borrow { from } => {
                    let lent = self.lendable(turn.now, pool, wishes, &from);
                    let free = |site: &SiteKey| {
                        !contended.contains(site) && self.instances.fits(*site, self.need(*site, pool))
                    };
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
        if self.instances.is_plain() {
            return vec![self.instances.node()];
        }
        let account = self.admission.id(self.pools[pool].account);
        let chosen = self.chosen_pool(now, pool, wishes);
        let frequency = self.frequency_of(now, pool);
        let sites = self.ranked(now, pool, wishes, |site| match site.standing {
            Standing::Closed => None,
            Standing::Active if !site.terms.shared => (self.instances.is_home(account, site)
                && self.instances.suits(&site.terms.pool, frequency))
            .then_some(0),
            Standing::Active | Standing::Waiting => {
                (site.terms.pool == chosen && self.instances.may_join(account, site)).then_some(1)
            }
        });
        self.instances.narrowed(account, &chosen, sites)
    }

    /// Has the account use one more shared instance, if its spread allows; `false` if not.
    pub(super) fn widen_for(&mut self, now: Instant, pool: PoolKey, wishes: Option<&Wishes>) -> bool {
        if self.instances.is_plain() {
            return false;
        }
        let chosen = self.chosen_pool(now, pool, wishes);
        let account = self.admission.id(self.pools[pool].account).clone();
        self.instances.widen(&account, &chosen)
    }

    /// Instances of these sub-pools that nobody uses, or everybody, or that the account has borrowed before.
    fn lendable(&self, now: Instant, pool: PoolKey, wishes: Option<&Wishes>, from: &[PoolName]) -> Vec<SiteKey> {
        let account = self.admission.id(self.pools[pool].account);
        let mut sites = self.ranked(now, pool, wishes, |site| {
            let open = site.standing == Standing::Waiting || site.is_open() && site.terms.shared;
            let open = open || site.is_open() && self.instances.is_home(account, site);
            (open && from.contains(&site.terms.pool) && self.instances.may_join(account, site)).then_some(0)
        });
        sites.retain(|site| self.instances.may_reach(account, *site));
        sites
    }

    fn ranked(
        &self,
        now: Instant,
        pool: PoolKey,
        wishes: Option<&Wishes>,
        class: impl Fn(&Site) -> Option<u8>,
    ) -> Vec<SiteKey> {
        let account = self.admission.id(self.pools[pool].account);
        let capped =
            [self.instances.policy(account).and_then(|policy| policy.price_max), wishes.and_then(|w| w.price_max)];
        let price_max = capped.into_iter().flatten().min().unwrap_or(u64::MAX);
        let mut ranked: Vec<_> = self
            .instances
            .iter()
            .filter_map(|(index, site)| {
                let class = class(site)?;
                let price = self.instances.price(site);
                let room = site.room_mib().saturating_sub(site.used.memory_mib);
                (price <= price_max && self.outlasts(now, index, pool)).then_some((class, price, room, index))
            })
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(.., index)| index).collect()
    }

    fn frequency_of(&self, now: Instant, pool: PoolKey) -> Frequency {
        self.versions.frequency(self.pools[pool].version, now)
    }

    /// The sub-pool on which the pool's account draws first.
    pub(super) fn chosen_pool(&self, now: Instant, pool: PoolKey, wishes: Option<&Wishes>) -> PoolName {
        let account = self.admission.id(self.pools[pool].account);
        self.instances.chosen_pool(account, self.frequency_of(now, pool), wishes)
    }

    /// Asks for as many instances as the account's waiting ones need, beyond those that are on their way.
    fn ask_for(&mut self, turn: &mut Turn<'_>, pool: PoolKey, chosen: &PoolName) {
        let short = self.queue.pools_of(self.pools[pool].account);
        let need = short
            .map(|pool| &self.pools[pool])
            .map(|pool| u64::from(pool.memory_mib) * u64::try_from(pool.short).unwrap_or(u64::MAX))
            .sum();
        self.ask_for_memory(turn, chosen, need);
    }

    fn note_hit(&mut self, site: SiteKey) {
        if !self.instances.is_plain() {
            self.instances.count_at(site, |counters| counters.hits += 1);
        }
    }

    /// Once for each ticket.
    fn note_miss(&mut self, ticket: Ticket, chosen: &PoolName) {
        if let Some(attempt) = self.tickets.get_mut(&ticket)
            && !std::mem::replace(&mut attempt.missed, true)
        {
            self.instances.count(chosen, |counters| counters.misses += 1);
        }
    }

    /// The ticket, admitted before, has found a place now, or finds none.
    pub(super) fn note_waited(&mut self, now: Instant, ticket: Ticket) {
        let Some(attempt) = self.tickets.get(&ticket).filter(|attempt| attempt.since < now) else { return };
        let waited = now.since(attempt.since);
        let chosen = self.chosen_pool(now, attempt.pool, attempt.wishes.as_deref());
        self.instances.count(&chosen, |counters| {
            counters.waits += 1;
            counters.waited_us += u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        });
    }

    fn note_borrowed(&mut self, chosen: &PoolName, site: SiteKey) {
        self.instances.count(chosen, |counters| counters.borrowed += 1);
        self.instances.count_at(site, |counters| counters.lent += 1);
    }

    /// Pools that are short of a place and may find it on this instance, in their order.
    pub(super) fn next_on(&self, turn: &Turn<'_>, site: SiteKey, count: usize) -> Vec<PoolKey> {
        let next = self.queue.pools();
        if self.instances.is_plain() {
            return next.take(count).collect();
        }
        next.take(count).filter(|pool| self.own_sites(turn.now, *pool, None).contains(&site)).collect()
    }

    /// How long the account's attempts wait for a place, if its policy says so: what counts is its first step that is not about borrowing.
    pub(super) fn wait_of(&self, pool: PoolKey) -> Option<std::time::Duration> {
        if self.instances.is_plain() {
            return None;
        }
        let account = self.admission.id(self.pools[pool].account);
        let steps = &self.instances.policy(account)?.shortage;
        match steps.iter().find(|step| !matches!(step, Shortage::Borrow { .. }))? {
            Shortage::Provision { seconds } | Shortage::Wait { seconds } => {
                Some(std::time::Duration::from_secs(u64::from(*seconds)))
            }
            Shortage::Borrow { .. } | Shortage::Queue | Shortage::Reject => None,
        }
    }
}
