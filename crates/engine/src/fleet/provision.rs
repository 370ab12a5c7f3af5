//! Provisioned concurrency: how much there is of it, who uses it, and what it counts as.

use std::time::Duration;

use hearth_types::SandboxId;

use super::model::{Provision, State};
use super::{Engine, Turn};
use crate::admission::Slot;
use crate::event::{Demand, DestroyReason, Purpose, Version};
use crate::keys::PoolKey;
use crate::port::ThrottleReason;
use crate::timers::Due;
use crate::view::ProvisionProblem;

/// Pause in starting provisioned sandboxes of a version after one failed; doubled with each further one.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);

impl Engine {
    pub(super) fn provision(&mut self, turn: &mut Turn<'_>, version: &Version, count: u32, reserved: Option<u32>) {
        let pool = self.pool_of(version);
        self.admission.note_reservation(self.pools[pool].function, reserved);
        let refused = self.draining || self.pools[pool].retired;
        self.set_provision(turn, pool, if refused { 0 } else { count });
    }

    pub(super) fn end_provisions(&mut self, turn: &mut Turn<'_>) {
        while let Some(pool) = self.ahead.first_provisioned() {
            self.ahead.unprovision(pool);
            self.set_provision(turn, pool, 0);
        }
    }

    pub(super) fn set_provision(&mut self, turn: &mut Turn<'_>, pool: PoolKey, count: u32) {
        if count == 0 && self.pools[pool].provision.is_none() {
            return self.pools.note_end(pool);
        }
        self.change_provision(pool, |provision| {
            // Whoever asks again wants it tried again now.
            *provision = Provision {
                count,
                have: provision.have,
                ready: provision.ready,
                running: provision.running,
                armed: provision.armed,
                ..Provision::default()
            };
        });
        if count > 0 {
            self.ahead.provision(pool);
        }
        while self.has_surplus(pool)
            && let Some((_, sandbox)) = self.pools[pool].idle_provisioned.first().copied()
        {
            self.destroy(turn, sandbox, DestroyReason::Unprovisioned);
        }
    }

    /// Every change of what is provisioned goes through here, so that it is counted as concurrency, and ends when it is over.
    fn change_provision(&mut self, pool: PoolKey, change: impl FnOnce(&mut Provision)) {
        let entry = &mut self.pools[pool];
        let provision = entry.provision.get_or_insert_default();
        let before = provision.held();
        change(provision);
        let (function, after) = (entry.function, provision.held());
        if provision.is_over() {
            self.timers.disarm(Due::Provision(pool), &mut provision.armed);
            entry.provision = None;
            self.pools.note_end(pool);
            self.ahead.unprovision(pool);
        }
        self.admission.set_provisioned(function, before, after);
    }

    /// Whether a ticket of the pool would be throttled now.
    pub(super) fn is_at_limit(&mut self, pool: PoolKey, demand: &Demand) -> bool {
        let entry = &self.pools[pool];
        let free = entry.provision.as_ref().is_some_and(|provision| provision.running < provision.count);
        self.admission.slot(entry.function, free, demand.reserved, demand.account_unreserved).is_err()
    }

    /// Counts a ticket of the pool, against what is provisioned as long as that is not all in use.
    pub(super) fn admit(&mut self, pool: PoolKey, demand: &Demand) -> Result<Slot, ThrottleReason> {
        let entry = &self.pools[pool];
        let free = entry.provision.as_ref().is_some_and(|provision| provision.running < provision.count);
        let slot = self.admission.admit(entry.function, free, demand.reserved, demand.account_unreserved)?;
        match slot {
            Slot::Provisioned => self.change_provision(pool, |provision| provision.running += 1),
            Slot::Reserved | Slot::Unreserved if entry.provision.is_some() => self.counters.spilled += 1,
            Slot::Reserved | Slot::Unreserved => {}
        }
        Ok(slot)
    }

    pub(super) fn leave(&mut self, pool: PoolKey, slot: Slot) {
        self.admission.leave(self.pools[pool].function, slot);
        if slot == Slot::Provisioned {
            self.change_provision(pool, |provision| provision.running -= 1);
        }
    }

    pub(super) fn is_provisioned(&self, sandbox: SandboxId) -> bool {
        self.sandboxes.get(&sandbox).is_some_and(|entry| entry.purpose == Purpose::Provisioned)
    }

    /// Whether there are more provisioned sandboxes than there shall be.
    pub(super) fn has_surplus(&self, pool: PoolKey) -> bool {
        self.pools[pool].provision.as_ref().is_some_and(|provision| provision.have > provision.count)
    }

    pub(super) fn provisioned_ready(&mut self, pool: PoolKey) {
        self.change_provision(pool, |provision| {
            provision.ready += 1;
            provision.failures = 0;
            provision.problem = None;
        });
    }

    /// A provisioned sandbox leaves its pool, in this state.
    pub(super) fn lose_provisioned(&mut self, state: State) {
        let Some(pool) = state.pool() else { return };
        let ready = !matches!(state, State::Starting { .. });
        self.change_provision(pool, |provision| {
            provision.have -= 1;
            provision.ready -= u32::from(ready);
        });
        self.ahead.note_change();
    }

    pub(super) fn lose_provisioned_claim(&mut self, pool: PoolKey) {
        self.change_provision(pool, |provision| provision.have -= 1);
        self.ahead.note_change();
    }

    /// A sandbox did not come to be initialised.
    pub(super) fn start_failed(
        &mut self,
        turn: &mut Turn<'_>,
        sandbox: SandboxId,
        pool: PoolKey,
        problem: ProvisionProblem,
    ) {
        if self.is_provisioned(sandbox) {
            self.provision_failed(turn, pool, problem);
        }
    }

    pub(super) fn provisioned_start(&mut self, pool: PoolKey) {
        self.change_provision(pool, |provision| {
            provision.have += 1;
            if provision.failures == 0 {
                provision.problem = None;
            }
        });
    }

    /// Why what is lacking cannot be started now; `None` leaves what was said before.
    pub(super) fn note_problem(&mut self, pool: PoolKey, problem: Option<ProvisionProblem>) {
        if let (Some(provision), Some(_)) = (self.pools[pool].provision.as_deref_mut(), problem) {
            provision.problem = problem;
        }
    }

    pub(super) fn provision_failed(&mut self, turn: &mut Turn<'_>, pool: PoolKey, problem: ProvisionProblem) {
        let Some(provision) = self.pools[pool].provision.as_deref_mut() else { return };
        let pause = RETRY_PAUSE.saturating_mul(1 << provision.failures.min(6)).min(RETRY_PAUSE_MAX);
        provision.failures = provision.failures.saturating_add(1);
        provision.problem = Some(problem);
        provision.retry_after = turn.now + pause;
        self.timers.arm(Due::Provision(pool), &mut provision.armed, provision.retry_after);
    }

    pub(super) fn provision_due(&mut self, pool: PoolKey) {
        if let Some(provision) = self.pools.get_mut(pool).and_then(|pool| pool.provision.as_deref_mut()) {
            provision.armed = None;
            self.ahead.note_change();
        }
    }
}
