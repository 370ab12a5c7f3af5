//! What must hold at each step.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_engine::Demand;

use super::world::{Caller, Phase, Standing, World};

/// How often each interesting thing happened, so that the simulation is known to cover it.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeMap<&'static str, u64>);

impl Coverage {
    pub(super) fn saw(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub(crate) fn assert_everything_happened(&self) {
        for what in [
            "cold",
            "warm",
            "bound",
            "withdraw",
            "withdrawn",
            "freeze",
            "thaw",
            "throttle",
            "reserved throttle",
            "init failed",
            "lost",
            "capacity",
            "expired",
            "evicted",
            "yielded",
            "retired",
            "abandoned",
            "too large",
            "crash",
            "redelivered",
            "duplicate",
            "surplus",
        ] {
            assert!(self.0.get(what).is_some_and(|count| *count >= 10), "{what} is hardly covered: {self:?}");
        }
    }
}

impl World {
    pub(super) fn check(&mut self) {
        let seed = self.seed;
        let limits = &self.config.engine;
        let real = self.sandboxes.values().filter(|sandbox| sandbox.memory_mib > 0);
        let memory_mib: u64 = real.clone().map(|sandbox| sandbox.memory_mib).sum();
        assert!(memory_mib <= limits.memory_mib_max, "seed {seed}: {memory_mib} MiB");
        assert!(real.count() <= limits.sandboxes_max, "seed {seed}");
        self.check_view();
    }

    /// The engine's own account of things must agree with the world's. Looked at now and then only, as it takes long.
    fn check_view(&mut self) {
        if !self.random.chance(30) {
            return;
        }
        let view = self.engine.view();
        let seed = self.seed;
        assert_eq!(view.tickets, self.callers.len(), "seed {seed}");
        assert!(view.memory_mib <= view.memory_mib_max, "seed {seed}");
        let limits = &self.config.engine;
        assert!(view.queued <= limits.queue_len_max + limits.sandboxes_max, "seed {seed}: {}", view.queued);
        let count = |phase: fn(Phase) -> bool| {
            self.sandboxes.values().filter(|sandbox| !sandbox.destroyed && phase(sandbox.phase)).count()
        };
        assert_eq!(view.sandboxes.making, count(|phase| phase == Phase::Making), "seed {seed}");
        assert_eq!(view.sandboxes.idle, count(|phase| phase == Phase::Waits), "seed {seed}");
        assert_eq!(view.sandboxes.busy, count(|phase| matches!(phase, Phase::Runs(_))), "seed {seed}");
        let frozen = self.sandboxes.values().filter(|sandbox| !sandbox.destroyed && sandbox.frozen).count();
        assert_eq!(view.sandboxes.frozen, frozen, "seed {seed}");
        for version in view.versions.iter().filter(|version| self.retired.contains(&version.key)) {
            assert_eq!(version.sandboxes.idle, 0, "seed {seed}: a retired version keeps a sandbox");
        }
        let waits_in_vain = |caller: &Caller| {
            caller.standing == Standing::Waiting && caller.demand.queue_deadline + Duration::from_secs(60) < self.now
        };
        assert!(!self.callers.values().any(waits_in_vain), "seed {seed}: waits for ever");
    }

    pub(super) fn running_of_function(&self, demand: &Demand) -> u32 {
        self.count(|other| other.key.account == demand.key.account && other.key.function == demand.key.function)
    }

    pub(super) fn running_unreserved(&self, demand: &Demand) -> u32 {
        self.count(|other| other.key.account == demand.key.account && other.reserved.is_none())
    }

    fn count(&self, wanted: impl Fn(&Demand) -> bool) -> u32 {
        u32::try_from(self.callers.values().filter(|caller| wanted(&caller.demand)).count()).expect("few")
    }
}
