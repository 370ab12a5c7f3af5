//! Tickets: admitted, served, waiting, ended; and the queue for places.

use std::collections::BTreeSet;
use std::time::Duration;

use hearth_types::{Instant, SandboxId};

use super::choice::Place;
use super::model::{Attempt, State};
use super::{Engine, Turn};
use crate::capacity::PoolName;
use crate::event::{Action, Demand, DestroyReason, FailReason, Purpose, Start, Ticket};
use crate::keys::{AccountKey, PoolKey, SiteKey};
use crate::timers::Due;

/// How many of those who are next are asked whether a place is for them.
const YIELD_AHEAD: usize = 16;

/// Who cannot be served now, and what they wait for.
#[derive(Default)]
struct Passed {
    pools: BTreeSet<PoolKey>,
    accounts: BTreeSet<AccountKey>,
    contended: Vec<SiteKey>,
}

impl Engine {
    pub(super) fn invoke(&mut self, turn: &mut Turn<'_>, ticket: Ticket, demand: &Demand) {
        if self.holds(ticket) {
            return self.anomaly();
        }
        self.counters.invoked += 1;
        if self.draining {
            return self.refuse(turn, ticket, FailReason::Draining);
        }
        let pool = self.pools.find(&demand.key).unwrap_or_else(|| self.pool_of(&demand.version()));
        if !self.hold_back(turn, ticket, pool, demand) {
            self.let_in(turn, ticket, pool, demand);
        }
    }

    /// Admits the ticket, or throttles it.
    pub(super) fn let_in(&mut self, turn: &mut Turn<'_>, ticket: Ticket, pool: PoolKey, demand: &Demand) {
        let slot = match self.admit(pool, demand) {
            Ok(slot) => slot,
            Err(reason) => {
                self.pools.note_end(pool);
                self.counters.throttled += 1;
                return turn.push(Action::Throttle { ticket, reason });
            }
        };
        let sequence = self.next_sequence();
        self.tickets.insert(
            ticket,
            Attempt {
                pool,
                slot,
                sequence,
                waiting: false,
                since: turn.now,
                deadline: self.wait_of(pool).map_or(demand.queue_deadline, |wait| turn.now + wait),
                wishes: demand.wishes.clone(),
                missed: false,
                losses: 0,
                armed: None,
            },
        );
        if demand.wishes.as_ref().is_some_and(|wishes| wishes.defer.is_some()) {
            turn.push(Action::Admit { ticket });
        }
        self.tell_arrival(turn, pool);
        self.versions.note_call(self.pools[pool].version, turn.now);
        let affine = demand.wishes.as_ref().and_then(|wishes| self.affine(wishes.affinity?, pool));
        if let Some(sandbox) = affine.filter(|sandbox| !self.is_too_short(turn, *sandbox, pool)) {
            return self.dispatch(turn, sandbox, ticket, Start::Warm);
        }
        self.place(turn, ticket, pool);
    }

    fn place(&mut self, turn: &mut Turn<'_>, ticket: Ticket, pool: PoolKey) {
        while let Some((_, sandbox)) = self.pools[pool].next_idle() {
            if !self.instances.is_plain() && self.is_too_short(turn, sandbox, pool) {
                self.destroy(turn, sandbox, DestroyReason::Reclaimed);
                continue;
            }
            return self.dispatch(turn, sandbox, ticket, Start::Warm);
        }
        if self.can_never_fit(self.pools[pool].memory_mib) {
            return self.fail(turn, ticket, FailReason::TooLarge);
        }
        if let Some((_, sandbox)) = self.pools[pool].finishing.first().copied()
            && !self.must_yield(turn, pool, sandbox)
            && (self.instances.is_plain() || !self.is_too_short(turn, sandbox, pool))
        {
            return self.bind(turn, sandbox, ticket);
        }
        self.wait(turn, ticket);
        self.serve(turn);
        self.shed(turn, ticket);
    }

    pub(super) fn wait(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        if self.stopped {
            return self.fail(turn, ticket, FailReason::Draining);
        }
        let Some(attempt) = self.tickets.get_mut(&ticket) else {
            return;
        };
        attempt.waiting = true;
        let at = attempt.deadline.min(turn.now + self.config.patience);
        self.timers.arm(Due::Ticket(ticket), &mut attempt.armed, at);
        let pool = attempt.pool;
        self.pools[pool].waiting.insert((attempt.sequence, ticket));
        self.settle(turn, pool);
    }

    /// Takes the ticket off the waiting, if it is there.
    pub(super) fn stop_waiting(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        let Some(attempt) = self.tickets.get_mut(&ticket) else {
            return;
        };
        if !std::mem::take(&mut attempt.waiting) {
            return;
        }
        self.timers.disarm(Due::Ticket(ticket), &mut attempt.armed);
        let pool = attempt.pool;
        self.pools[pool].waiting.remove(&(attempt.sequence, ticket));
        self.pools.note_end(pool);
        self.settle(turn, pool);
    }

    /// The ticket has had its end.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        self.stop_waiting(turn, ticket);
        if let Some(attempt) = self.tickets.remove(&ticket) {
            self.leave(attempt.pool, attempt.slot);
        }
    }

    pub(super) fn fail(&mut self, turn: &mut Turn<'_>, ticket: Ticket, reason: FailReason) {
        if let Some(attempt) = self.tickets.get(&ticket) {
            self.pools.note_end(attempt.pool);
        }
        self.end(turn, ticket);
        self.refuse(turn, ticket, reason);
    }

    fn fail_for_room(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        let attempt = self.tickets.get(&ticket).filter(|_| !self.instances.is_plain());
        let chosen = attempt.map(|attempt| self.chosen_pool(turn.now, attempt.pool, attempt.wishes.as_deref()));
        let reason = FailReason::Capacity { pool: chosen.unwrap_or_else(PoolName::general) };
        self.fail(turn, ticket, reason);
    }

    pub(super) fn refuse(&mut self, turn: &mut Turn<'_>, ticket: Ticket, reason: FailReason) {
        self.counters.failed += 1;
        turn.push(Action::Fail { ticket, reason });
    }

    /// Whether the ticket has had no end yet.
    pub fn holds(&self, ticket: Ticket) -> bool {
        self.tickets.contains_key(&ticket) || self.deferred.contains(ticket)
    }

    pub(super) fn abandon(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        if self.drop_deferred(ticket) {
            self.counters.abandoned += 1;
        } else if self.tickets.get(&ticket).is_some_and(|attempt| attempt.waiting) {
            self.counters.abandoned += 1;
            self.end(turn, ticket);
        }
    }

    /// Runs the ticket in this idle (or just initialised, or just finished) sandbox.
    pub(super) fn dispatch(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, ticket: Ticket, start: Start) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        let Some((pool, affinity)) = self.tickets.get(&ticket).map(|attempt| (attempt.pool, attempt.affinity())) else {
            return;
        };
        let shelf = entry.shelf();
        let before = std::mem::replace(&mut entry.state, State::Busy { pool, ticket });
        entry.assigned = turn.now;
        if let State::Idle { frozen, .. } = before {
            self.take_off_idle(sandbox, pool, shelf);
            if frozen {
                turn.push(Action::Thaw { sandbox });
            }
        }
        if let Some(number) = affinity {
            self.note_affinity(sandbox, number, pool);
        }
        self.stop_waiting(turn, ticket);
        self.pace.note_call(pool, turn.now);
        match start {
            Start::Warm => self.counters.warm += 1,
            Start::Cold(_) => self.counters.cold += 1,
        }
        turn.push(Action::Dispatch { sandbox, ticket, start });
    }

    /// Has this finishing sandbox hold the ticket until it can run it.
    pub(super) fn bind(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, ticket: Ticket) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        let State::Finishing { pool } = entry.state else {
            return;
        };
        entry.state = State::Bound { pool, ticket, since: turn.now };
        let place = (entry.sequence, sandbox);
        self.pools[pool].finishing.remove(&place);
        if let Some(number) = self.tickets.get(&ticket).and_then(Attempt::affinity) {
            self.note_affinity(sandbox, number, pool);
        }
        self.rearm(sandbox);
        self.stop_waiting(turn, ticket);
        self.pace.note_call(pool, turn.now);
        self.counters.warm += 1;
        turn.push(Action::Dispatch { sandbox, ticket, start: Start::Warm });
    }

    /// Whether the place of `sandbox` must go to somebody else than `pool`, who has waited for too long.
    pub(super) fn must_yield(&self, turn: &Turn<'_>, pool: PoolKey, sandbox: SandboxId) -> bool {
        if self.queue.is_empty() {
            return false;
        }
        let Some(site) = self.sandboxes.get(&sandbox).map(|entry| entry.site) else {
            return false;
        };
        let Some(next) = self.next_on(turn, site, YIELD_AHEAD).first().copied() else {
            return false;
        };
        next != pool && self.is_overdue(turn, next) && !self.instances.will_fit(site, self.need(site, next))
    }

    fn is_overdue(&self, turn: &Turn<'_>, pool: PoolKey) -> bool {
        self.pools[pool].short_since.is_some_and(|(_, since)| since + self.config.patience <= turn.now)
    }

    /// The next pool that is short of a place, but for those that were passed by or are held back.
    fn next_short(&self, passed: &Passed, now: Instant) -> Option<PoolKey> {
        let accounts = self.queue.accounts().filter(|account| !passed.accounts.contains(account));
        let mut pools = accounts.flat_map(|account| self.queue.pools_of(account));
        pools.find(|pool| !passed.pools.contains(pool) && !self.is_held_back(*pool, now))
    }

    /// Starts sandboxes for those that are short of one, in turn, as long as there is room. An instance on which somebody waits
    /// for room is left to him by those who come after.
    pub(super) fn serve(&mut self, turn: &mut Turn<'_>) {
        let mut passed = Passed::default();
        while let Some(pool) = self.next_short(&passed, turn.now) {
            let Some(ticket) = self.first_short(pool) else {
                return;
            };
            if self.roots.is_gone(self.pools[pool].root) {
                self.fail(turn, ticket, FailReason::RootGone);
                continue;
            }
            match self.find_place(turn, pool, ticket, &passed.contended) {
                Place::At(site) => self.start_for(turn, site, pool, ticket),
                Place::Refused(pool) => self.fail(turn, ticket, FailReason::Refused { pool }),
                Place::Wait(sites) => {
                    turn.lacks_room = true;
                    let overdue = self.is_overdue(turn, pool);
                    if let Some(site) = sites.iter().copied().find(|site| !passed.contended.contains(site)) {
                        self.make_room(turn, site, overdue);
                    }
                    passed.pools.insert(pool);
                    if !sites.is_empty() {
                        passed.accounts.insert(self.pools[pool].account);
                    }
                    passed.contended.extend(sites);
                    if self.instances.is_plain() {
                        return;
                    }
                }
            }
        }
    }

    fn start_for(&mut self, turn: &mut Turn<'_>, site: SiteKey, pool: PoolKey, ticket: Ticket) {
        self.note_waited(turn.now, ticket);
        self.claim(turn, site, pool, Some(ticket), Purpose::Invocation);
        self.leave_queue(pool);
        let entry = &mut self.pools[pool];
        self.queue.recount(entry.account, entry.short, entry.short - 1);
        self.queue.pass_turn(entry.account);
        entry.short -= 1;
        if entry.short > 0 {
            self.join_queue(pool, turn.now);
        }
    }

    /// Whether a run that begins now is not over before the sandbox's instance is taken away.
    fn is_too_short(&self, turn: &Turn<'_>, sandbox: SandboxId, pool: PoolKey) -> bool {
        self.sandboxes.get(&sandbox).is_some_and(|entry| !self.outlasts(turn.now, entry.site, pool))
    }

    pub(super) fn first_short(&self, pool: PoolKey) -> Option<Ticket> {
        let pool = &self.pools[pool];
        let served = pool.waiting.len() - pool.short;
        let mut waiting = pool.waiting.iter();
        let first =
            if served < pool.short { waiting.nth(served) } else { waiting.nth_back(pool.short.checked_sub(1)?) };
        first.map(|(_, ticket)| *ticket)
    }

    /// If too many are short of a place now, the youngest of the account that has most of them goes; `newcomer` if its account
    /// has as many.
    fn shed(&mut self, turn: &mut Turn<'_>, newcomer: Ticket) {
        if self.queue.tickets() <= self.config.queue_len_max {
            return;
        }
        let Some(own) = self.tickets.get(&newcomer).map(|attempt| self.pools[attempt.pool].account) else {
            return;
        };
        let queued = |account: AccountKey| self.queue.tickets_of(account);
        let longest = self.queue.accounts().max_by_key(|account| queued(*account));
        let victim = match longest {
            Some(account) if queued(account) > queued(own) => self.youngest_short(account),
            Some(_) | None => Some(newcomer),
        };
        self.fail_for_room(turn, victim.unwrap_or(newcomer));
    }

    fn youngest_short(&self, account: AccountKey) -> Option<Ticket> {
        let pools = self.queue.pools_of(account);
        let (_, ticket) = pools.filter_map(|pool| self.pools[pool].waiting.last()).max()?;
        Some(*ticket)
    }

    /// Whether the ticket waits, and no sandbox is on its way to it.
    pub fn is_short(&self, ticket: Ticket) -> bool {
        if self.deferred.contains(ticket) {
            return true;
        }
        let Some(attempt) = self.tickets.get(&ticket).filter(|attempt| attempt.waiting) else { return false };
        let pool = &self.pools[attempt.pool];
        pool.waiting.iter().rev().take(pool.short).any(|(_, other)| *other == ticket)
    }

    /// A waiting ticket's timer: it fails if its time is up and no sandbox is on its way to it, else it is looked at again later.
    pub(super) fn ticket_due(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        let Some(attempt) = self.tickets.get_mut(&ticket) else {
            return;
        };
        attempt.armed = None;
        if !attempt.waiting {
            return;
        }
        let deadline = attempt.deadline;
        let expired = deadline <= turn.now;
        if expired && self.is_short(ticket) {
            self.note_waited(turn.now, ticket);
            return self.fail_for_room(turn, ticket);
        }
        let Some(attempt) = self.tickets.get_mut(&ticket) else { return };
        let patience = self.config.patience.max(Duration::from_millis(10));
        let at = if expired { turn.now + patience } else { deadline.min(turn.now + patience) };
        self.timers.arm(Due::Ticket(ticket), &mut attempt.armed, at);
    }
}
