//! Tickets: admitted, served, waiting, ended; and the queue for places.

use std::time::Duration;

use hearth_types::SandboxId;

use super::model::{Attempt, State};
use super::{Engine, Turn};
use crate::event::{Action, Demand, FailReason, Purpose, Start, Ticket};
use crate::timers::Due;

impl Engine {
    pub(super) fn invoke(&mut self, turn: &mut Turn<'_>, ticket: Ticket, demand: &Demand) {
        if self.tickets.contains_key(&ticket) {
            return self.anomaly();
        }
        self.counters.invoked += 1;
        if self.draining {
            return self.refuse(turn, ticket, FailReason::Draining);
        }
        let pool = self.pool_of(&demand.key, demand.root, demand.memory_mib);
        let slot = match self.admit(pool, demand) {
            Ok(slot) => slot,
            Err(reason) => {
                self.perhaps_unused.push(pool);
                self.counters.throttled += 1;
                return turn.push(Action::Throttle { ticket, reason });
            }
        };
        let sequence = self.next_sequence();
        self.tickets.insert(
            ticket,
            Attempt { pool, slot, sequence, waiting: false, deadline: demand.queue_deadline, losses: 0, armed: None },
        );
        self.place(turn, ticket, pool);
    }

    fn place(&mut self, turn: &mut Turn<'_>, ticket: Ticket, pool: u32) {
        self.tell_arrival(turn, pool);
        if let Some((_, sandbox)) = self.pools[pool].next_idle() {
            return self.dispatch(turn, sandbox, ticket, Start::Warm);
        }
        if self.can_never_fit(self.pools[pool].memory_mib) {
            return self.fail(turn, ticket, FailReason::TooLarge);
        }
        if let Some((_, sandbox)) = self.pools[pool].finishing.first().copied()
            && !self.must_yield(turn, pool)
        {
            return self.bind(turn, sandbox, ticket);
        }
        self.wait(turn, ticket);
        self.serve(turn);
        self.shed(turn, ticket);
    }

    pub(super) fn wait(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
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
        self.perhaps_unused.push(pool);
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
            self.perhaps_unused.push(attempt.pool);
        }
        self.end(turn, ticket);
        self.refuse(turn, ticket, reason);
    }

    fn refuse(&mut self, turn: &mut Turn<'_>, ticket: Ticket, reason: FailReason) {
        self.counters.failed += 1;
        turn.push(Action::Fail { ticket, reason });
    }

    pub(super) fn abandon(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        if self.tickets.get(&ticket).is_some_and(|attempt| attempt.waiting) {
            self.counters.abandoned += 1;
            self.end(turn, ticket);
        }
    }

    /// Runs the ticket in this idle (or just initialised, or just finished) sandbox.
    pub(super) fn dispatch(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, ticket: Ticket, start: Start) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        let Some(pool) = self.tickets.get(&ticket).map(|attempt| attempt.pool) else {
            return;
        };
        let before = std::mem::replace(&mut entry.state, State::Busy { pool, ticket });
        if let State::Idle { frozen, .. } = before {
            self.take_off_idle(sandbox, pool);
            if frozen {
                turn.push(Action::Thaw { sandbox });
            }
        }
        self.stop_waiting(turn, ticket);
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
        self.rearm(sandbox);
        self.stop_waiting(turn, ticket);
        self.counters.warm += 1;
        turn.push(Action::Dispatch { sandbox, ticket, start: Start::Warm });
    }

    /// Whether the next place must go to somebody else than `pool`, who has waited for too long.
    pub(super) fn must_yield(&self, turn: &Turn<'_>, pool: u32) -> bool {
        let Some(next) = self.next_short() else {
            return false;
        };
        next != pool && self.is_overdue(turn, next) && !self.will_fit(self.need(next))
    }

    fn is_overdue(&self, turn: &Turn<'_>, pool: u32) -> bool {
        self.pools[pool].short_since.is_some_and(|(_, since)| since + self.config.patience <= turn.now)
    }

    fn next_short(&self) -> Option<u32> {
        let account = *self.rotation.front()?;
        self.admission.accounts[account].short.first().map(|(_, pool)| *pool)
    }

    /// Starts sandboxes for those that are short of one, in turn, as long as there is room.
    pub(super) fn serve(&mut self, turn: &mut Turn<'_>) {
        while let Some(pool) = self.next_short() {
            let Some(ticket) = self.first_short(pool) else {
                return;
            };
            if self.roots.get(&self.pools[pool].root).is_some_and(|root| root.gone) {
                self.fail(turn, ticket, FailReason::RootGone);
                continue;
            }
            if !self.fits_beside_promises(self.need(pool)) {
                let overdue = self.is_overdue(turn, pool);
                return self.make_room(turn, overdue);
            }
            self.claim(turn, pool, Some(ticket), Purpose::Invocation);
            self.leave_queue(pool);
            self.pools[pool].short -= 1;
            self.ledger.queued -= 1;
            let account = self.pools[pool].account;
            self.admission.accounts[account].queued -= 1;
            if self.rotation.front() == Some(&account) {
                self.rotation.rotate_left(1);
            }
            if self.pools[pool].short > 0 {
                self.join_queue(pool, turn.now);
            }
        }
    }

    fn first_short(&self, pool: u32) -> Option<Ticket> {
        let pool = &self.pools[pool];
        let (_, ticket) = pool.waiting.iter().nth_back(pool.short.checked_sub(1)?)?;
        Some(*ticket)
    }

    /// If too many are short of a place now, the youngest of the account that has most of them goes; `newcomer` if its account
    /// has as many.
    fn shed(&mut self, turn: &mut Turn<'_>, newcomer: Ticket) {
        if self.ledger.queued <= self.config.queue_len_max {
            return;
        }
        let Some(own) = self.tickets.get(&newcomer).map(|attempt| self.pools[attempt.pool].account) else {
            return;
        };
        let queued = |account: u32| self.admission.accounts[account].queued;
        let longest = self.rotation.iter().copied().max_by_key(|account| queued(*account));
        let victim = match longest {
            Some(account) if queued(account) > queued(own) => self.youngest_short(account),
            Some(_) | None => Some(newcomer),
        };
        self.fail(turn, victim.unwrap_or(newcomer), FailReason::Capacity);
    }

    fn youngest_short(&self, account: u32) -> Option<Ticket> {
        let pools = self.admission.accounts[account].short.iter();
        let (_, ticket) = pools.filter_map(|(_, pool)| self.pools[*pool].waiting.last()).max()?;
        Some(*ticket)
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
        let (deadline, place) = (attempt.deadline, (attempt.sequence, ticket));
        let pool = &self.pools[attempt.pool];
        let expired = deadline <= turn.now;
        if expired && pool.waiting.iter().rev().take(pool.short).any(|other| *other == place) {
            return self.fail(turn, ticket, FailReason::Capacity);
        }
        let patience = self.config.patience.max(Duration::from_millis(10));
        let at = if expired { turn.now + patience } else { deadline.min(turn.now + patience) };
        self.timers.arm(Due::Ticket(ticket), &mut attempt.armed, at);
    }
}
