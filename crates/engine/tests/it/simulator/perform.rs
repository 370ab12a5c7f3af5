//! What the node does about the engine's actions, with what goes wrong in it.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::capacity::InstanceId;
use hearth_engine::port::ThrottleReason;
use hearth_engine::{Action, DestroyReason, Event, FailReason, Purpose, Start, Ticket};
use hearth_types::{SandboxId, VersionKey};

use super::world::{Occurrence, Phase, Sandbox, Standing, World, memory_mib};

impl World {
    pub(super) fn perform(&mut self, action: Action) {
        match action {
            Action::MakeBlank { sandbox, instance, .. } => self.make(sandbox, instance),
            Action::Acquire { pool, count, .. } => self.acquire(&pool, count),
            Action::Release { instance } => self.release(instance),
            Action::Assign { sandbox, key, ticket, purpose, .. } => self.assign(sandbox, key, ticket, purpose),
            Action::Dispatch { sandbox, ticket, start } => {
                self.coverage.saw(if start == Start::Warm { "warm" } else { "cold" });
                self.dispatch(sandbox, ticket);
            }
            Action::Withdraw { sandbox, ticket } => {
                self.coverage.saw("withdraw");
                self.plan_within(Duration::from_millis(5), Occurrence::WithdrawArrives(sandbox, ticket));
            }
            Action::Freeze { sandbox } => {
                self.coverage.saw("freeze");
                let entry = self.sandboxes.get_mut(&sandbox).expect("exists");
                assert!(entry.phase == Phase::Waits && !entry.frozen, "seed {}: {entry:?}", self.seed);
                entry.frozen = true;
            }
            Action::Thaw { sandbox } => {
                self.coverage.saw("thaw");
                let entry = self.sandboxes.get_mut(&sandbox).expect("exists");
                assert!(std::mem::take(&mut entry.frozen), "seed {}", self.seed);
            }
            Action::Destroy { sandbox, reason } => self.destroy(sandbox, reason),
            Action::Admit { ticket } => self.admitted(ticket),
            Action::Throttle { ticket, reason } => self.throttled(ticket, reason),
            Action::Fail { ticket, reason } => self.failed(ticket, reason),
            Action::Wake { at } => {
                self.wake = Some(at);
                self.plan(at.since(self.now), Occurrence::Tick);
            }
        }
    }

    fn make(&mut self, sandbox: SandboxId, instance: InstanceId) {
        let made = Sandbox {
            phase: Phase::Making,
            key: None,
            purpose: Purpose::Invocation,
            instance,
            doomed: false,
            memory_mib: 16,
            frozen: false,
            destroyed: false,
            run: 0,
            assigned: self.now,
        };
        assert!(self.sandboxes.insert(sandbox, made).is_none(), "seed {}: {sandbox} made twice", self.seed);
        let report = match self.random.chance(self.config.faults / 2) {
            true if self.random.chance(500) => Event::BlankFailed { sandbox },
            true => Event::Dead { sandbox },
            false => Event::BlankReady { sandbox },
        };
        self.plan_within(Duration::from_millis(20), Occurrence::Report(report));
    }

    fn assign(&mut self, sandbox: SandboxId, key: Arc<VersionKey>, ticket: Option<Ticket>, purpose: Purpose) {
        let seed = self.seed;
        assert_eq!(ticket.is_some(), purpose == Purpose::Invocation, "seed {seed}");
        if let Some(ticket) = ticket {
            let caller = self.callers.get(&ticket).expect("assigned for a caller");
            assert_eq!(caller.demand.key, key, "seed {seed}");
        }
        match purpose {
            Purpose::Invocation => {}
            Purpose::Prewarm => self.coverage.saw("prewarm"),
            Purpose::Provisioned => self.coverage.saw("provisioned"),
        }
        self.check_ahead(purpose);
        self.check_tenant(sandbox, &key);
        let memory_mib = u64::from(memory_mib(&key));
        let entry = self.sandboxes.get_mut(&sandbox).expect("exists");
        assert!(entry.phase == Phase::Blank && entry.key.is_none() && !entry.destroyed, "seed {seed}: {entry:?}");
        entry.phase = Phase::Starting;
        entry.key = Some(key);
        entry.purpose = purpose;
        entry.memory_mib = memory_mib;
        entry.assigned = self.now;
        self.check_pace();
        let report = match self.random.chance(self.config.faults) {
            true if self.random.chance(500) => Event::InitFailed { sandbox },
            true if self.random.chance(500) => Event::Lost { sandbox },
            true => Event::Dead { sandbox },
            false => Event::Initialised { sandbox },
        };
        self.plan_within(Duration::from_secs(1), Occurrence::Report(report));
    }

    fn dispatch(&mut self, sandbox: SandboxId, ticket: Ticket) {
        let seed = self.seed;
        let caller = self.callers.get_mut(&ticket).expect("dispatched for a caller");
        assert_eq!(caller.standing, Standing::Waiting, "seed {seed}: {ticket:?} dispatched twice");
        caller.standing = Standing::Dispatched(sandbox);
        let entry = self.sandboxes.get_mut(&sandbox).expect("exists");
        assert_eq!(entry.key.as_ref(), Some(&caller.demand.key), "seed {seed}: code of another version");
        assert!(!entry.frozen && !entry.destroyed && !entry.doomed, "seed {seed}: {entry:?}");
        match entry.phase {
            Phase::Waits if self.random.chance(self.config.faults / 4) => {
                (entry.phase, entry.run) = (Phase::Runs(ticket), entry.run + 1);
                self.plan_within(Duration::from_millis(20), Occurrence::Misses(sandbox, ticket));
            }
            Phase::Waits => self.begin(sandbox, ticket),
            Phase::Finishes(None) => {
                assert!(!self.retired.contains(entry.key.as_ref().expect("keyed")) || caller.arrived < self.now);
                entry.phase = Phase::Finishes(Some(ticket));
                self.coverage.saw("bound");
            }
            Phase::Making | Phase::Blank | Phase::Starting | Phase::Runs(_) | Phase::Finishes(Some(_)) => {
                panic!("seed {seed}: {ticket:?} handed to {sandbox}, which is {:?}", entry.phase)
            }
        }
    }

    fn destroy(&mut self, sandbox: SandboxId, reason: DestroyReason) {
        let seed = self.seed;
        let entry = self.sandboxes.get_mut(&sandbox).expect("exists");
        assert!(!entry.doomed, "seed {seed}: {sandbox} destroyed twice");
        let in_use = matches!(entry.phase, Phase::Runs(_) | Phase::Finishes(_));
        if in_use && matches!(reason, DestroyReason::Reclaimed | DestroyReason::Overdue) {
            assert!(reason == DestroyReason::Reclaimed || matches!(entry.phase, Phase::Finishes(_)), "seed {seed}");
            entry.doomed = true;
            self.coverage.saw(if reason == DestroyReason::Overdue { "overdue" } else { "reclaimed in use" });
            return self.plan_within(Duration::from_millis(50), Occurrence::Crash(sandbox));
        }
        assert!(!std::mem::replace(&mut entry.destroyed, true), "seed {seed}: {sandbox} destroyed twice");
        let harmless = matches!(entry.phase, Phase::Waits | Phase::Blank | Phase::Starting);
        assert!(harmless, "seed {seed}: {sandbox} destroyed as {:?} for {reason:?}", entry.phase);
        match reason {
            DestroyReason::Expired => self.coverage.saw("expired"),
            DestroyReason::Evicted => self.coverage.saw("evicted"),
            DestroyReason::Yielded => self.coverage.saw("yielded"),
            DestroyReason::Retired => self.coverage.saw("retired"),
            DestroyReason::InitFailed => self.coverage.saw("init failed"),
            DestroyReason::Lost => self.coverage.saw("lost in time"),
            DestroyReason::Surplus => self.coverage.saw("surplus"),
            DestroyReason::Reclaimed => self.coverage.saw("reclaimed"),
            DestroyReason::Unprovisioned => self.coverage.saw("unprovisioned"),
            DestroyReason::Pressure => self.coverage.saw("pressure"),
            DestroyReason::RootGone | DestroyReason::Draining => {}
            DestroyReason::Overdue => panic!("seed {seed}: {sandbox} was not in use"),
        }
        if self.random.chance(self.config.faults / 4) {
            // It takes its time, and keeps its memory meanwhile.
            self.plan(Duration::from_secs(60), Occurrence::Report(Event::Dead { sandbox }));
        } else {
            self.plan_within(Duration::from_millis(50), Occurrence::Report(Event::Dead { sandbox }));
        }
    }

    /// From now on it counts, and only so long may it wait.
    fn admitted(&mut self, ticket: Ticket) {
        let caller = self.callers.get(&ticket).expect("admitted once");
        assert_eq!(caller.standing, Standing::HeldBack, "seed {}: {ticket:?} admitted twice", self.seed);
        let slot = self.slot(&caller.demand);
        assert!(slot.is_some(), "seed {}: admitted beyond its limit", self.seed);
        let caller = self.callers.get_mut(&ticket).expect("just seen");
        let held = self.now.since(caller.arrived);
        caller.demand.queue_deadline = caller.demand.queue_deadline + held;
        (caller.slot, caller.standing) = (slot, Standing::Waiting);
        let up = caller.held_until() == Some(self.now);
        let held = if held.is_zero() { "not deferred" } else { "deferred" };
        self.coverage.saw(if up { "deferred to the end" } else { held });
    }

    /// Throttled if and only if the limit is reached, by the world's own count.
    fn throttled(&mut self, ticket: Ticket, reason: ThrottleReason) {
        let caller = self.callers.remove(&ticket).expect("throttled once");
        if caller.standing == Standing::HeldBack {
            assert_eq!(self.slot(&caller.demand), None, "seed {}: throttled below its limit", self.seed);
            let at_once = caller.arrived == self.now;
            assert!(at_once || caller.held_until() == Some(self.now), "seed {}: its time is not up", self.seed);
            self.coverage.saw("deferred in vain");
        } else {
            assert_eq!(caller.arrived, self.now, "seed {}: throttled after it was admitted", self.seed);
            assert_eq!(caller.slot, None, "seed {}: throttled below its limit", self.seed);
        }
        if caller.demand.reserved.is_some() {
            assert_eq!(reason, ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
            self.coverage.saw("reserved throttle");
        } else {
            assert_eq!(reason, ThrottleReason::ConcurrentInvocationLimitExceeded);
            self.coverage.saw("throttle");
        }
    }

    fn failed(&mut self, ticket: Ticket, reason: FailReason) {
        let caller = self.callers.remove(&ticket).expect("failed once");
        assert_eq!(caller.standing, Standing::Waiting, "seed {}: failed while it ran", self.seed);
        match reason {
            FailReason::Capacity { .. } => self.coverage.saw("capacity"),
            FailReason::TooLarge => self.coverage.saw("too large"),
            FailReason::SandboxLost => self.coverage.saw("lost"),
            FailReason::InitFailed { sandbox } => {
                assert_eq!(self.sandboxes[&sandbox].key.as_ref(), Some(&caller.demand.key), "seed {}", self.seed);
            }
            FailReason::Refused { .. } => {
                self.coverage.saw("refused");
                assert!(self.grounds.rejecting.contains(&caller.demand.key.account), "seed {}", self.seed);
            }
            FailReason::RootGone | FailReason::Draining => panic!("seed {}: {reason:?}", self.seed),
        }
    }
}
