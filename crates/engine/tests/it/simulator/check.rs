//! What must hold at each step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hearth_engine::view::{EngineView, ProvisionProblem};
use hearth_engine::{Demand, Purpose};
use hearth_types::VersionKey;

use super::world::{Caller, Phase, Sandbox, Slot, Standing, World, is_reserved};

/// How long a start is in a hurry at least after it was given its blank sandbox, which was made meanwhile.
const HURRY: Duration = Duration::from_millis(25);
/// Who has waited for so long may be held back no more.
const IMPATIENT: Duration = Duration::from_millis(4900);

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
            "undelivered",
            "overdue",
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
            "instance added",
            "instance taken away",
            "acquire",
            "release",
            "friends",
            "reclaimed",
            "reclaimed in use",
            "refused",
            "pressure",
            "prewarm",
            "provisioned",
            "unprovisioned",
            "all provisioned",
            "deferred",
            "deferred to the end",
            "deferred in vain",
            "not deferred",
            "crowd",
            "spread",
        ] {
            assert!(self.0.get(what).is_some_and(|count| *count >= 10), "{what} is hardly covered: {self:?}");
        }
    }
}

impl World {
    pub(super) fn check(&mut self) {
        self.check_grounds();
        let overdue = |caller: &Caller| {
            caller.standing == Standing::HeldBack && caller.held_until().is_none_or(|until| until < self.now)
        };
        assert!(!self.callers.values().any(overdue), "seed {}: held back for too long", self.seed);
        if self.callers.values().any(|caller| caller.arrived + IMPATIENT < self.now) {
            self.rush_until = self.now + Duration::from_secs(1);
        }
        self.check_view();
    }

    /// The engine's own account of things must agree with the world's. Looked at now and then only, as it takes long.
    fn check_view(&mut self) {
        if !self.random.chance(30) {
            return;
        }
        let view = self.engine.view();
        let seed = self.seed;
        let held = self.callers.values().filter(|caller| caller.standing == Standing::HeldBack).count();
        assert_eq!((view.tickets, view.deferred), (self.callers.len() - held, held), "seed {seed}");
        assert!(view.memory_mib <= view.memory_mib_max, "seed {seed}");
        let limits = &self.config.engine;
        // What lost its place on the way waits again, however many wait.
        let displaced = limits.sandboxes_max + 6 * self.grounds.declared();
        assert!(view.queued <= limits.queue_len_max + displaced, "seed {seed}: {}", view.queued);
        let count = |phase: fn(Phase) -> bool| {
            self.sandboxes.values().filter(|sandbox| !sandbox.destroyed && phase(sandbox.phase)).count()
        };
        assert_eq!(view.sandboxes.making, count(|phase| phase == Phase::Making), "seed {seed}");
        let waits = |sandbox: &&Sandbox| sandbox.phase == Phase::Waits && !sandbox.destroyed && !sandbox.doomed;
        assert_eq!(view.sandboxes.idle, self.sandboxes.values().filter(waits).count(), "seed {seed}");
        assert_eq!(view.sandboxes.busy, count(|phase| matches!(phase, Phase::Runs(_))), "seed {seed}");
        let frozen = self.sandboxes.values().filter(|sandbox| !sandbox.destroyed && sandbox.frozen).count();
        assert_eq!(view.sandboxes.frozen, frozen, "seed {seed}");
        self.check_provisions(&view);
        self.check_spreads(&view);
        for version in view.versions.iter().filter(|version| self.retired.contains(&version.key)) {
            assert_eq!(version.sandboxes.idle, 0, "seed {seed}: a retired version keeps a sandbox");
        }
        let waits_in_vain = |caller: &Caller| {
            caller.standing == Standing::Waiting && caller.demand.queue_deadline + Duration::from_secs(60) < self.now
        };
        assert!(!self.callers.values().any(waits_in_vain), "seed {seed}: waits for ever");
    }

    fn check_provisions(&self, view: &EngineView) {
        for version in &view.versions {
            let shown = version.provisioned.unwrap_or_default();
            let requested = self.provisioned.get(&version.key).copied().unwrap_or_default();
            let ready = self.sandboxes.values().filter(|sandbox| {
                let of_version = sandbox.key.as_deref() == Some(&version.key);
                of_version
                    && sandbox.purpose == Purpose::Provisioned
                    && !sandbox.destroyed
                    && sandbox.phase != Phase::Starting
            });
            let seed = self.seed;
            assert_eq!((shown.requested, shown.ready as usize), (requested, ready.count()), "seed {seed}: {version:?}");
            assert!(shown.started >= shown.ready, "seed {seed}: {shown:?}");
        }
    }

    /// What an attempt will count against, if it may run: Lambda's rules, counted anew.
    pub(super) fn slot(&self, demand: &Demand) -> Option<Slot> {
        let callers = |wanted: &dyn Fn(&Caller) -> bool| {
            let admitted = self.callers.values().filter(|caller| caller.standing != Standing::HeldBack);
            u32::try_from(admitted.filter(|caller| wanted(caller)).count()).expect("few")
        };
        let provisioned = |key: &VersionKey| self.provisioned.get(key).copied().unwrap_or_default();
        let using =
            |key: &VersionKey| callers(&|caller| caller.slot == Some(Slot::Provisioned) && *caller.demand.key == *key);
        let of_account = |key: &VersionKey| key.account == demand.key.account;
        let of_function = |key: &VersionKey| of_account(key) && key.function == demand.key.function;
        let held = |wanted: &dyn Fn(&VersionKey) -> bool| {
            let mut keys: BTreeSet<&VersionKey> = self.provisioned.keys().map(|key| &**key).collect();
            keys.extend(self.callers.values().map(|caller| &*caller.demand.key));
            let held = |key: &&VersionKey| provisioned(key).max(using(key));
            keys.iter().filter(|key| wanted(key)).map(held).sum::<u32>()
        };
        let free = using(&demand.key) < provisioned(&demand.key);
        let on_demand = |caller: &Caller| caller.slot == Some(Slot::OnDemand);
        match demand.reserved {
            Some(max) => {
                let running = callers(&|caller| of_function(&caller.demand.key));
                let others = callers(&|caller| of_function(&caller.demand.key) && on_demand(caller));
                (running < max && (free || others + held(&of_function) < max)).then_some(())?;
            }
            None => {
                let unreserved = |key: &VersionKey| of_account(key) && !is_reserved(key);
                let others = callers(&|caller| unreserved(&caller.demand.key) && on_demand(caller));
                (free || others + held(&unreserved) < demand.account_unreserved).then_some(())?;
            }
        }
        Some(if free { Slot::Provisioned } else { Slot::OnDemand })
    }

    /// Only a few sandboxes that nobody waits for are started at the same time.
    pub(super) fn check_ahead(&self, purpose: Purpose) {
        let ahead = |sandbox: &&Sandbox| sandbox.phase == Phase::Starting && sandbox.purpose != Purpose::Invocation;
        let others = self.sandboxes.values().filter(|sandbox| !sandbox.destroyed).filter(ahead).count();
        let one = usize::from(purpose != Purpose::Invocation);
        assert!(others + one <= self.config.engine.ahead_max, "seed {}: {others}", self.seed);
    }

    /// Of starts that have just begun, those beyond the first of each version are no more than the machine takes.
    pub(super) fn check_pace(&mut self) {
        let cores = self.config.engine.cores;
        if cores == usize::MAX || self.now < self.rush_until {
            return;
        }
        let hurried = |sandbox: &&Sandbox| {
            let invoked = sandbox.purpose == Purpose::Invocation;
            invoked && sandbox.phase == Phase::Starting && !sandbox.destroyed && self.now < sandbox.assigned + HURRY
        };
        let mut starts: BTreeMap<&VersionKey, usize> = BTreeMap::new();
        for key in self.sandboxes.values().filter(hurried).filter_map(|sandbox| sandbox.key.as_deref()) {
            *starts.entry(key).or_default() += 1;
        }
        let crowd: usize = starts.values().map(|count| count - 1).sum();
        assert!(crowd <= cores, "seed {}: {starts:?}", self.seed);
        if crowd > 0 {
            self.coverage.saw("crowd");
        }
    }

    /// Whether all that is provisioned is there, but for what has no room.
    pub(super) fn provisions_settled(&self) -> bool {
        self.provisioned.iter().filter(|(_, count)| **count > 0).all(|(key, count)| {
            let view = self.engine.provisioned(key).expect("provisioned");
            assert_eq!(view.requested, *count, "seed {}", self.seed);
            let no_room = matches!(view.problem, Some(ProvisionProblem::Capacity | ProvisionProblem::TooLarge));
            view.ready == *count || no_room
        })
    }
}
