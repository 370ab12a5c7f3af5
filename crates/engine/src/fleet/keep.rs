//! What happens as time passes: keep-alive, freezing, grace periods; and the drain.

use hearth_types::{Instant, SandboxId};

use super::model::{Sandbox, State};
use super::{Engine, EngineConfig, Turn};
use crate::event::{Action, DestroyReason};
use crate::timers::Due;

impl Engine {
    /// Keeps a sandbox that nobody needs now.
    pub(super) fn keep(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, pool: u32) {
        let sequence = self.next_sequence();
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        entry.sequence = sequence;
        entry.state = State::Idle { pool, since: turn.now, frozen: false };
        self.ledger.idle.add(entry.memory_mib);
        self.idle.insert((sequence, sandbox));
        self.pools[pool].idle.insert((sequence, sandbox));
        self.rearm(sandbox);
    }

    pub(super) fn rearm(&mut self, sandbox: SandboxId) {
        if let Some(entry) = self.sandboxes.get_mut(&sandbox)
            && let Some(at) = due_at(&self.config, entry)
        {
            self.timers.arm(Due::Sandbox(sandbox), &mut entry.armed, at);
        }
    }

    pub(super) fn tick(&mut self, turn: &mut Turn<'_>) {
        self.timers.woken();
        while let Some(subject) = self.timers.pop(turn.now) {
            match subject {
                Due::Sandbox(sandbox) => self.sandbox_due(turn, sandbox),
                Due::Ticket(ticket) => self.ticket_due(turn, ticket),
                Due::Root(root) => self.root_due(root),
            }
        }
    }

    fn sandbox_due(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        entry.armed = None;
        if due_at(&self.config, entry).is_some_and(|at| at <= turn.now) {
            match entry.state {
                State::Idle { pool, since, frozen: false } if turn.now < since + self.config.idle_timeout => {
                    entry.state = State::Idle { pool, since, frozen: true };
                    turn.push(Action::Freeze { sandbox });
                }
                State::Idle { .. } => {
                    self.counters.expired += 1;
                    self.destroy(turn, sandbox, DestroyReason::Expired);
                }
                State::Bound { pool, ticket, .. } => {
                    entry.state = State::Withdrawing { pool, ticket };
                    turn.push(Action::Withdraw { sandbox, ticket });
                }
                State::Ending { .. } => {
                    self.anomaly();
                    self.forget(sandbox);
                }
                State::Making
                | State::Blank
                | State::Starting { .. }
                | State::Busy { .. }
                | State::Finishing { .. }
                | State::Withdrawing { .. }
                | State::Slow { .. } => {}
            }
        }
        self.rearm(sandbox);
    }

    pub(super) fn drain(&mut self, turn: &mut Turn<'_>) {
        self.draining = true;
        while let Some((_, sandbox)) = self.idle.first().copied() {
            self.destroy(turn, sandbox, DestroyReason::Draining);
        }
        let blanks: Vec<SandboxId> = self.roots.values().flat_map(|root| root.ready.iter().copied()).collect();
        for sandbox in blanks {
            self.destroy(turn, sandbox, DestroyReason::Draining);
        }
    }
}

/// When time alone will change something about the sandbox.
fn due_at(config: &EngineConfig, entry: &Sandbox) -> Option<Instant> {
    match entry.state {
        State::Idle { since, frozen: false, .. } => Some(since + config.freeze_after.min(config.idle_timeout)),
        State::Idle { since, frozen: true, .. } => Some(since + config.idle_timeout),
        State::Bound { since, .. } => Some(since + config.finishing_grace),
        State::Ending { since } => Some(since + config.destroy_grace),
        State::Making
        | State::Blank
        | State::Starting { .. }
        | State::Busy { .. }
        | State::Finishing { .. }
        | State::Withdrawing { .. }
        | State::Slow { .. } => None,
    }
}
