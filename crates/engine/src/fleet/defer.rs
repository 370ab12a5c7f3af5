//! Work that may wait: tickets whose callers said so are held back while load is high.
//!
//! For a ticket load is high while
//!
//! - others are short of a place (of its own account, where capacity is divided), or
//! - its function or account is at its concurrency limit, where an urgent one would be throttled, or
//! - three quarters of the memory or of the sandboxes that its account draws on of its own right are in use, that is neither
//!   free, blank, idle nor ending, and nothing that is provisioned of its version is idle.
//!
//! A ticket that is held back counts against no limit, and no place is looked for. When load falls, or at the latest when its time
//! is up, it is admitted as if it had come just then. Turns go round by version, within one by arrival.
//!
//! Events wait in their queue instead, which asks [`Engine::is_loaded_for`] before it takes one out.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::time::Duration;

use hearth_types::Instant;
use slotmap::SecondaryMap;

use super::instances::Amount;
use super::model::IdHasher;
use super::{Engine, Turn};
use crate::event::{Demand, FailReason, Ticket};
use crate::keys::{AccountKey, PoolKey, SiteKey};
use crate::timers::Due;

/// How many times it is looked in one step whether somebody can start.
const LOOKS: usize = 8;
/// When it is looked again, if that was too few.
const AGAIN_AFTER: Duration = Duration::from_millis(10);

/// All tickets that are held back.
#[derive(Debug, Default)]
pub(super) struct Deferred {
    tickets: HashMap<Ticket, Held, IdHasher>,
    /// When the time of each is up.
    due: BTreeSet<(Instant, Ticket)>,
    /// Pools that have some.
    pools: BTreeSet<PoolKey>,
    /// How many of these each account has.
    by_account: SecondaryMap<AccountKey, usize>,
    /// The pool after which it is looked next.
    last: Option<PoolKey>,
    armed: Option<Instant>,
}

#[derive(Debug)]
struct Held {
    pool: PoolKey,
    sequence: u64,
    until: Instant,
    /// How long it may wait for a place once it is admitted.
    patience: Duration,
    demand: Demand,
}

impl Deferred {
    pub(super) fn contains(&self, ticket: Ticket) -> bool {
        self.tickets.contains_key(&ticket)
    }

    pub(super) fn len(&self) -> usize {
        self.tickets.len()
    }

    fn of_account(&self, account: AccountKey) -> usize {
        self.by_account.get(account).copied().unwrap_or(0)
    }

    fn count(&mut self, account: AccountKey, change: impl FnOnce(usize) -> usize) {
        let count = change(self.of_account(account));
        if count == 0 {
            self.by_account.remove(account);
        } else {
            self.by_account.insert(account, count);
        }
    }

    /// The first pool behind this one, round and round.
    fn first_behind(&self, pool: Option<PoolKey>) -> Option<PoolKey> {
        let behind = pool.and_then(|pool| self.pools.range((Bound::Excluded(pool), Bound::Unbounded)).next());
        behind.or(self.pools.first()).copied()
    }
}

impl Engine {
    /// Whether the new ticket may wait, and has to. An account has at most as many held back as may run of it at a time; those
    /// beyond that are treated as urgent.
    pub(super) fn hold_back(&mut self, turn: &mut Turn<'_>, ticket: Ticket, pool: PoolKey, demand: &Demand) -> bool {
        let Some(defer) = demand.wishes.as_ref().and_then(|wishes| wishes.defer) else {
            return false;
        };
        let account = self.pools[pool].account;
        let own = self.deferred.of_account(account);
        if own >= demand.account_unreserved as usize || self.deferred.len() >= self.config.queue_len_max {
            return false;
        }
        let in_vain = demand.reserved == Some(0) || self.can_never_fit(demand.memory_mib);
        if in_vain || self.pools[pool].deferred.is_empty() && !self.is_loaded(turn.now, pool, demand) {
            return false;
        }
        let (sequence, until) = (self.next_sequence(), turn.now + defer);
        self.pools[pool].deferred.insert((sequence, ticket));
        self.deferred.count(account, |count| count + 1);
        self.counters.deferred += 1;
        self.deferred.pools.insert(pool);
        self.deferred.due.insert((until, ticket));
        let patience = demand.queue_deadline.since(turn.now);
        self.deferred.tickets.insert(ticket, Held { pool, sequence, until, patience, demand: demand.clone() });
        self.timers.arm(Due::Deferred, &mut self.deferred.armed, until);
        true
    }

    /// Whether an invocation that may wait would have to, if it came now.
    pub fn is_loaded_for(&mut self, now: Instant, demand: &Demand) -> bool {
        let pool = self.pools.find(&demand.key).unwrap_or_else(|| self.pool_of(&demand.version()));
        self.pools.note_end(pool);
        !self.pools[pool].deferred.is_empty() || self.is_loaded(now, pool, demand)
    }

    fn is_loaded(&mut self, now: Instant, pool: PoolKey, demand: &Demand) -> bool {
        let account = self.pools[pool].account;
        let queued = if self.instances.is_plain() { self.queue.tickets() } else { self.queue.tickets_of(account) };
        if queued > 0 || self.is_at_limit(pool, demand) {
            return true;
        }
        if !self.pools[pool].idle_provisioned.is_empty() {
            return false;
        }
        self.are_busy(&self.own_sites(now, pool, demand.wishes.as_deref()))
    }

    fn are_busy(&self, sites: &[SiteKey]) -> bool {
        let (mut used, mut all) = (Amount::default(), Amount::default());
        for site in sites {
            let site = &self.instances[*site];
            used = used.and(site.in_use(self.config.blank_memory_mib));
            all.memory_mib = all.memory_mib.saturating_add(site.room_mib());
            all.sandboxes = all.sandboxes.saturating_add(site.terms.sandboxes_max);
        }
        used.memory_mib >= all.memory_mib - all.memory_mib / 4 || used.sandboxes >= all.sandboxes - all.sandboxes / 4
    }

    /// Whether load is high for everybody: found without looking at each.
    fn is_loaded_for_all(&self) -> bool {
        self.instances.is_plain()
            && self.ahead.first_provisioned().is_none()
            && (self.queue.tickets() > 0 || self.are_busy(&[self.instances.node()]))
    }

    /// Starts what was held back, as far as load allows.
    pub(super) fn start_deferred(&mut self, turn: &mut Turn<'_>) {
        let (mut last, mut refused) = (self.deferred.last, 0);
        for _ in 0..LOOKS {
            let Some(pool) = self.deferred.first_behind(last).filter(|_| !self.is_loaded_for_all()) else {
                return;
            };
            let Some((_, ticket)) = self.pools[pool].deferred.first().copied() else {
                return;
            };
            last = Some(pool);
            let demand = self.deferred.tickets.get(&ticket).map(|held| held.demand.clone());
            if demand.is_none_or(|demand| self.is_loaded(turn.now, pool, &demand)) {
                refused += 1;
                if refused >= self.deferred.pools.len() {
                    return;
                }
            } else {
                (self.deferred.last, refused) = (last, 0);
                self.let_go(turn, ticket);
            }
        }
        self.deferred.last = last;
        self.timers.arm(Due::Deferred, &mut self.deferred.armed, turn.now + AGAIN_AFTER);
    }

    /// Starts those whose time is up.
    pub(super) fn deferral_due(&mut self, turn: &mut Turn<'_>) {
        self.deferred.armed = None;
        while let Some((_, ticket)) = self.deferred.due.first().copied().filter(|(until, _)| *until <= turn.now) {
            self.let_go(turn, ticket);
        }
        if let Some((until, _)) = self.deferred.due.first().copied() {
            self.timers.arm(Due::Deferred, &mut self.deferred.armed, until);
        }
    }

    fn let_go(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        if let Some(held) = self.take_deferred(ticket) {
            let demand = Demand { queue_deadline: turn.now + held.patience, ..held.demand };
            self.let_in(turn, ticket, held.pool, &demand);
        }
    }

    /// Forgets the ticket; whether it was held back.
    pub(super) fn drop_deferred(&mut self, ticket: Ticket) -> bool {
        self.take_deferred(ticket).is_some()
    }

    fn take_deferred(&mut self, ticket: Ticket) -> Option<Held> {
        let held = self.deferred.tickets.remove(&ticket)?;
        self.deferred.due.remove(&(held.until, ticket));
        let pool = &mut self.pools[held.pool];
        pool.deferred.remove(&(held.sequence, ticket));
        if pool.deferred.is_empty() {
            self.deferred.pools.remove(&held.pool);
        }
        self.deferred.count(pool.account, |count| count - 1);
        self.pools.note_end(held.pool);
        Some(held)
    }

    /// Nothing new is begun any more.
    pub(super) fn refuse_deferred(&mut self, turn: &mut Turn<'_>) {
        while let Some((_, ticket)) = self.deferred.due.first().copied() {
            self.drop_deferred(ticket);
            self.refuse(turn, ticket, FailReason::Draining);
        }
    }
}
