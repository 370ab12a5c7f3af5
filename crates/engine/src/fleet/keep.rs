//! What happens as time passes: keep-alive, freezing, grace periods; and the drain.

use hearth_types::{Instant, SandboxId};

use super::model::{Sandbox, State};
use super::pools::Pools;
use super::{Engine, EngineConfig, Turn};
use crate::event::{Action, DestroyReason, FailReason, Purpose, Ticket};
use crate::keep_alive::{Ended, Found, Idle, Keep, Rest};
use crate::keys::PoolKey;
use crate::timers::Due;

/// The end of time: what is kept until then needs no timer.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

impl Engine {
    /// Keeps a sandbox that nobody needs now.
    pub(super) fn keep(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, pool: PoolKey) {
        let sequence = self.next_sequence();
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        // One that was loaded ahead is older than all that have been used since.
        let loaded = entry.stands_for.take();
        entry.sequence = if loaded.is_some() { 0 } else { sequence };
        let rest = loaded.unwrap_or(Rest { since: turn.now, rank: self.pools[pool].in_use() });
        let since = rest.since;
        entry.rank = rest.rank;
        if entry.purpose == Purpose::Provisioned {
            entry.state = State::Idle { pool, since, frozen: false, until: NEVER };
            let shelf = entry.shelf();
            self.put_on_idle(sandbox, pool, shelf);
            return self.rearm(sandbox);
        }
        let idle = Idle { version: self.pools[pool].version, rest, memory_mib: entry.memory_mib };
        let Keep::Until { at, worth } = self.versions.policy.idle(idle, turn.now) else {
            return self.expire(turn, sandbox, idle);
        };
        entry.worth = worth;
        entry.state = State::Idle { pool, since, frozen: false, until: at };
        let shelf = entry.shelf();
        self.put_on_idle(sandbox, pool, shelf);
        self.rearm(sandbox);
        self.bound_idle(turn);
    }

    pub(super) fn rearm(&mut self, sandbox: SandboxId) {
        if let Some(entry) = self.sandboxes.get_mut(&sandbox)
            && let Some(at) = due_at(&self.config, &self.pools, entry)
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
                Due::Deferred => self.deferral_due(turn),
                Due::Root(root) => self.roots.due(root),
                Due::Provision(pool) => self.provision_due(pool),
                Due::Load(version) => self.load_due(turn, version),
                Due::Site(site) => self.site_due(turn, site),
                Due::SubPool(index) => self.sub_pool_due(turn, index),
                Due::Pace => self.pace_due(turn),
            }
        }
    }

    fn sandbox_due(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        entry.armed = None;
        if due_at(&self.config, &self.pools, entry).is_some_and(|at| at <= turn.now) {
            match entry.state {
                State::Idle { pool, since, frozen: false, until } if turn.now < until => {
                    entry.state = State::Idle { pool, since, frozen: true, until };
                    turn.push(Action::Freeze { sandbox });
                }
                State::Idle { .. } => self.review(turn, sandbox),
                State::Bound { pool, ticket, .. } => {
                    entry.state = State::Withdrawing { pool, ticket };
                    turn.push(Action::Withdraw { sandbox, ticket });
                }
                State::Finishing { .. } | State::Withdrawing { .. } | State::Slow { .. } => {
                    self.cut_off(turn, sandbox, DestroyReason::Overdue);
                }
                State::Making | State::Blank | State::Starting { .. } | State::Busy { .. } | State::Ending => {}
            }
        }
        self.rearm(sandbox);
    }

    /// An idle sandbox as the policy knows it.
    fn idle_of(&self, sandbox: SandboxId) -> Option<Idle> {
        let entry = self.sandboxes.get(&sandbox)?;
        let State::Idle { pool, since, .. } = entry.state else { return None };
        let rest = Rest { since, rank: entry.rank };
        Some(Idle { version: self.pools[pool].version, rest, memory_mib: entry.memory_mib })
    }

    /// Tells the policy what a new attempt of `pool` finds.
    pub(super) fn tell_arrival(&mut self, turn: &Turn<'_>, pool: PoolKey) {
        let entry = &self.pools[pool];
        let idle = entry.next_idle().and_then(|(_, sandbox)| self.idle_of(sandbox));
        let found = match idle {
            Some(idle) => Found::Idle(idle.rest),
            None if !entry.finishing.is_empty() => Found::Finishing,
            None => Found::Nothing,
        };
        self.versions.policy.arrived(entry.version, turn.now, found);
    }

    pub(super) fn tell_evicted(&mut self, turn: &Turn<'_>, sandbox: SandboxId) {
        let worth = self.sandboxes.get(&sandbox).map_or(0, |entry| entry.worth);
        if let Some(idle) = self.idle_of(sandbox) {
            self.versions.policy.ended(idle, turn.now, Ended::Evicted { worth });
        }
    }

    /// The time that the policy gave an idle sandbox is over.
    fn review(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(idle) = self.idle_of(sandbox) else { return };
        let Keep::Until { at, worth } = self.versions.policy.review(idle, turn.now) else {
            return self.expire(turn, sandbox, idle);
        };
        if at <= turn.now {
            return self.expire(turn, sandbox, idle);
        }
        if let Some(entry) = self.sandboxes.get_mut(&sandbox)
            && let State::Idle { until, .. } = &mut entry.state
        {
            *until = at;
            let shelf = entry.shelf();
            self.instances.revalue(sandbox, shelf, worth);
            entry.worth = worth;
        }
    }

    fn expire(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, idle: Idle) {
        self.counters.expired += 1;
        self.destroy(turn, sandbox, DestroyReason::Expired);
        self.versions.policy.ended(idle, turn.now, Ended::Expired);
        self.plan_load(turn, idle.version);
    }

    /// Ends what the policy has no memory for.
    fn bound_idle(&mut self, turn: &mut Turn<'_>) {
        while self.instances.idle().memory_mib > self.versions.policy.idle_mib_max()
            && let Some(sandbox) = self.instances.least_worth()
        {
            self.evict(turn, sandbox);
        }
    }

    pub(super) fn drain(&mut self, turn: &mut Turn<'_>) {
        self.draining = true;
        self.refuse_deferred(turn);
        self.end_provisions(turn);
        self.ahead.note_change();
        while let Some(sandbox) = self.instances.least_worth() {
            self.destroy(turn, sandbox, DestroyReason::Draining);
        }
        let stocks = self.instances.iter().flat_map(|(_, site)| site.stock.values());
        let blanks: Vec<SandboxId> = stocks.flat_map(|stock| stock.ready.iter().copied()).collect();
        for sandbox in blanks {
            self.destroy(turn, sandbox, DestroyReason::Draining);
        }
    }

    pub(super) fn stop(&mut self, turn: &mut Turn<'_>) {
        self.stopped = true;
        let waiting = self.tickets.iter().filter(|(_, attempt)| attempt.waiting);
        let mut waiting: Vec<Ticket> = waiting.map(|(ticket, _)| *ticket).collect();
        waiting.sort_unstable();
        for ticket in waiting {
            self.fail(turn, ticket, FailReason::Draining);
        }
    }
}

/// When time alone will change something about the sandbox.
fn due_at(config: &EngineConfig, pools: &Pools, entry: &Sandbox) -> Option<Instant> {
    let at = match entry.state {
        State::Idle { since, frozen: false, until, .. } => Some(until.min(since + config.freeze_after)),
        State::Idle { frozen: true, until, .. } => Some(until),
        State::Bound { since, .. } => Some(since + config.finishing_grace),
        State::Finishing { pool } | State::Withdrawing { pool, .. } | State::Slow { pool } => {
            (!entry.doomed).then(|| entry.assigned + pools[pool].timeout)
        }
        State::Making | State::Blank | State::Starting { .. } | State::Busy { .. } | State::Ending => None,
    };
    at.filter(|at| *at < NEVER)
}
