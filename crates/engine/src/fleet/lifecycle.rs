//! What sandboxes report.

use hearth_types::SandboxId;

use super::model::State;
use super::roots::LOSSES_MAX;
use super::{Engine, Turn};
use crate::event::{ColdReason, DestroyReason, FailReason, Purpose, Start, Ticket};
use crate::keys::PoolKey;
use crate::view::ProvisionProblem;

impl Engine {
    fn state(&self, sandbox: SandboxId) -> Option<State> {
        self.sandboxes.get(&sandbox).map(|entry| entry.state)
    }

    pub(super) fn initialised(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(State::Starting { pool, cold }) = self.state(sandbox) else {
            return self.anomaly();
        };
        self.pools[pool].on_way -= 1;
        if let Some(entry) = self.sandboxes.get_mut(&sandbox) {
            self.versions.policy.started(self.pools[pool].version, turn.now - entry.assigned);
            entry.state = State::Slow { pool };
            let (purpose, start) = (entry.purpose, entry.start);
            self.end_start(start);
            self.ahead.end(purpose);
            if purpose == Purpose::Provisioned {
                self.provisioned_ready(pool);
            }
        }
        self.take_next(turn, sandbox, pool, Start::Cold(cold));
        self.settle(turn, pool);
    }

    pub(super) fn init_failed(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(State::Starting { pool, .. }) = self.state(sandbox) else {
            return self.anomaly();
        };
        self.counters.init_failed += 1;
        self.start_failed(turn, sandbox, pool, ProvisionProblem::Initialisation);
        self.destroy(turn, sandbox, DestroyReason::InitFailed);
        if let Some(ticket) = self.unserved(pool) {
            self.fail(turn, ticket, FailReason::InitFailed { sandbox });
        }
        self.settle(turn, pool);
    }

    pub(super) fn responded(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(State::Busy { pool, ticket }) = self.state(sandbox) else {
            return self.anomaly();
        };
        self.end(turn, ticket);
        let sequence = self.next_sequence();
        if let Some(entry) = self.sandboxes.get_mut(&sandbox) {
            entry.state = State::Finishing { pool };
            entry.sequence = sequence;
            self.versions.note_run(self.pools[pool].version, turn.now - entry.assigned);
        }
        self.rearm(sandbox);
        let next = self.pools[pool].waiting.first().map(|(_, ticket)| *ticket);
        match next {
            _ if self.is_closed(sandbox) => {}
            Some(ticket) if self.is_provisioned(sandbox) || !self.must_yield(turn, pool, sandbox) => {
                self.bind(turn, sandbox, ticket);
            }
            Some(_) | None => {
                if !self.pools[pool].retired {
                    self.pools[pool].finishing.insert((sequence, sandbox));
                }
            }
        }
    }

    pub(super) fn asks_for_next(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        match self.state(sandbox) {
            Some(State::Finishing { .. } | State::Slow { .. }) if self.is_doomed(sandbox) => {}
            Some(State::Finishing { pool } | State::Slow { pool }) => {
                if let Some(entry) = self.sandboxes.get(&sandbox) {
                    self.pools[pool].finishing.remove(&(entry.sequence, sandbox));
                }
                let coveted = !self.pools[pool].waiting.is_empty() && !self.is_provisioned(sandbox);
                if coveted && self.must_yield(turn, pool, sandbox) {
                    self.counters.yielded += 1;
                    return self.destroy(turn, sandbox, DestroyReason::Yielded);
                }
                self.take_next(turn, sandbox, pool, Start::Warm);
            }
            Some(State::Bound { pool, ticket, .. } | State::Withdrawing { pool, ticket }) => {
                if let Some(entry) = self.sandboxes.get_mut(&sandbox) {
                    entry.state = State::Busy { pool, ticket };
                    entry.assigned = turn.now;
                }
            }
            Some(
                State::Making
                | State::Blank
                | State::Starting { .. }
                | State::Idle { .. }
                | State::Busy { .. }
                | State::Ending,
            )
            | None => self.anomaly(),
        }
    }

    /// A sandbox can take an attempt: the oldest waiting of its version, or it is kept or ended.
    fn take_next(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, pool: PoolKey, start: Start) {
        let entry = &self.pools[pool];
        if self.is_closed(sandbox) {
            self.destroy(turn, sandbox, DestroyReason::Reclaimed);
        } else if let Some((_, ticket)) = entry.waiting.first().copied() {
            self.dispatch(turn, sandbox, ticket, start);
        } else if entry.retired {
            self.destroy(turn, sandbox, DestroyReason::Retired);
        } else if self.draining {
            self.destroy(turn, sandbox, DestroyReason::Draining);
        } else if self.has_surplus(pool) && self.is_provisioned(sandbox) {
            self.destroy(turn, sandbox, DestroyReason::Unprovisioned);
        } else {
            self.keep(turn, sandbox, pool);
        }
    }

    pub(super) fn withdrawn(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(State::Withdrawing { pool, ticket }) = self.state(sandbox) else {
            return self.anomaly();
        };
        if let Some(entry) = self.sandboxes.get_mut(&sandbox) {
            entry.state = State::Slow { pool };
        }
        self.wait(turn, ticket);
    }

    pub(super) fn undelivered(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(
            State::Busy { pool, ticket } | State::Bound { pool, ticket, .. } | State::Withdrawing { pool, ticket },
        ) = self.state(sandbox)
        else {
            return self.anomaly();
        };
        if let Some(entry) = self.sandboxes.get_mut(&sandbox) {
            entry.state = State::Slow { pool };
        }
        if !self.give_up_lost(turn, ticket) {
            self.wait(turn, ticket);
        }
    }

    pub(super) fn lost(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        match self.state(sandbox) {
            Some(State::Starting { pool, .. }) => {
                self.counters.lost += 1;
                self.start_failed(turn, sandbox, pool, ProvisionProblem::SandboxLost);
                self.destroy(turn, sandbox, DestroyReason::Lost);
                if let Some(ticket) = self.unserved(pool) {
                    self.give_up_lost(turn, ticket);
                }
                self.settle(turn, pool);
            }
            Some(State::Blank) => {
                self.counters.lost += 1;
                self.destroy(turn, sandbox, DestroyReason::Lost);
            }
            // Its end is known already, or is told in another way.
            Some(_) | None => {}
        }
    }

    /// A sandbox that was to run the ticket is gone. It is placed elsewhere, but on a host where no sandbox lives it must not go round for
    /// ever: true if it has failed.
    fn give_up_lost(&mut self, turn: &mut Turn<'_>, ticket: Ticket) -> bool {
        let Some(attempt) = self.tickets.get_mut(&ticket) else { return false };
        attempt.losses += 1;
        let is_hopeless = attempt.losses >= LOSSES_MAX && attempt.deadline <= turn.now;
        if is_hopeless {
            self.fail(turn, ticket, FailReason::SandboxLost);
        }
        is_hopeless
    }

    pub(super) fn dead(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(entry) = self.sandboxes.get(&sandbox) else {
            return self.anomaly();
        };
        let (state, root, site) = (entry.state, entry.root, entry.site);
        let missed_as = if entry.doomed { DestroyReason::Reclaimed.missed_as() } else { ColdReason::Failed };
        if let State::Starting { pool, .. } = state {
            self.start_failed(turn, sandbox, pool, ProvisionProblem::SandboxLost);
        }
        self.note_gone(sandbox, missed_as);
        self.forget(sandbox);
        match state {
            State::Making => self.making_failed(turn, site, root),
            State::Starting { pool, .. } => {
                self.counters.lost += 1;
                self.blame(turn, pool);
            }
            State::Busy { ticket, .. } => self.end(turn, ticket),
            State::Bound { ticket, .. } | State::Withdrawing { ticket, .. } => self.wait(turn, ticket),
            State::Blank | State::Idle { .. } | State::Finishing { .. } | State::Slow { .. } | State::Ending => {}
        }
    }

    /// The sandbox is gone, and its memory free.
    pub(super) fn forget(&mut self, sandbox: SandboxId) {
        self.detach(sandbox);
        if let Some(mut entry) = self.sandboxes.remove(&sandbox) {
            self.timers.disarm(crate::timers::Due::Sandbox(sandbox), &mut entry.armed);
            self.instances.free(entry.site, entry.memory_mib, entry.owned);
            self.roots.note_change();
            self.ahead.note_change();
        }
    }
}
