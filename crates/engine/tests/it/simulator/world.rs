//! The node's side of the engine's interface, and the books that it is checked against.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use hearth_engine::port::ThrottleReason;
use hearth_engine::{Action, Demand, Engine, EngineConfig, Event, FailReason, RootId, Ticket};
use hearth_types::{Instant, SandboxId, VersionKey};

use super::random::Random;
use crate::harness::{demand, key};

/// What may go wrong, in permille, and how busy it is.
pub(crate) struct WorldConfig {
    engine: EngineConfig,
    invocations: u64,
    accounts: u64,
    functions: u64,
    faults: u64,
    gap: Duration,
    unreserved: u32,
}

impl WorldConfig {
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0xFEED);
        let sandboxes = [2, 4, 10, 100][pick(&mut random, 4)];
        let engine = EngineConfig {
            memory_mib_max: u64::try_from(sandboxes).expect("small") * [100, 200, 400][pick(&mut random, 3)] + 400,
            sandboxes_max: sandboxes,
            blank_memory_mib: 16,
            blanks_per_root: pick(&mut random, 4),
            idle_timeout: Duration::from_secs(1 + random.below(20)),
            freeze_after: Duration::from_millis(random.below(3000)),
            queue_len_max: [3, 20, 1000][pick(&mut random, 3)],
            finishing_grace: Duration::from_millis(random.below(40)),
            patience: Duration::from_millis(random.below(2000)),
            destroy_grace: Duration::from_secs(5),
        };
        Self {
            engine,
            invocations: 150 + random.below(150),
            accounts: 1 + random.below(4),
            functions: 1 + random.below(6),
            faults: [0, 20, 100][pick(&mut random, 3)],
            gap: Duration::from_millis([1, 20, 200][pick(&mut random, 3)]),
            unreserved: [3, 20, 1000][pick(&mut random, 3)],
        }
    }
}

fn pick(random: &mut Random, count: u64) -> usize {
    usize::try_from(random.below(count)).expect("small")
}

/// What happens in the world, to be reported to the engine or to follow from what it decided.
#[derive(Clone, Debug)]
enum Occurrence {
    Arrival,
    Report(Event),
    /// The handler of this sandbox returns.
    Returns(SandboxId, u64),
    /// Its runtime asks for the next event.
    Asks(SandboxId, u64),
    Crash(SandboxId),
    /// The agent gets the word to give the invocation back.
    WithdrawArrives(SandboxId, Ticket),
    Tick,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Making,
    Blank,
    Starting,
    /// The runtime waits for an event.
    Waits,
    Runs(Ticket),
    /// Responded; perhaps the agent holds the next invocation.
    Finishes(Option<Ticket>),
}

#[derive(Debug)]
struct Sandbox {
    phase: Phase,
    key: Option<Arc<VersionKey>>,
    memory_mib: u64,
    frozen: bool,
    destroyed: bool,
    /// Counts runs, so that what was planned for an earlier one is void.
    run: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Waiting,
    Dispatched(SandboxId),
}

#[derive(Debug)]
struct Caller {
    demand: Demand,
    arrived: Instant,
    standing: Standing,
}

/// How often each interesting thing happened, so that the simulation is known to cover it.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeMap<&'static str, u64>);

impl Coverage {
    fn saw(&mut self, what: &'static str) {
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
        ] {
            assert!(self.0.get(what).is_some_and(|count| *count >= 10), "{what} is hardly covered: {self:?}");
        }
    }
}

pub(crate) struct World {
    seed: u64,
    config: WorldConfig,
    random: Random,
    engine: Engine,
    now: Instant,
    agenda: BinaryHeap<Reverse<(Instant, u64)>>,
    occurrences: BTreeMap<u64, Occurrence>,
    sandboxes: BTreeMap<SandboxId, Sandbox>,
    callers: BTreeMap<Ticket, Caller>,
    retired: BTreeSet<Arc<VersionKey>>,
    generations: BTreeMap<(u64, u64), u64>,
    arrivals: u64,
    planned: u64,
    next_generation: u64,
    wake: Option<Instant>,
    pub(crate) coverage: Coverage,
}

impl World {
    pub(crate) fn new(seed: u64, config: WorldConfig) -> Self {
        let mut world = Self {
            seed,
            random: Random::new(seed),
            engine: Engine::new(config.engine.clone()),
            config,
            now: Instant::ZERO,
            agenda: BinaryHeap::new(),
            occurrences: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
            callers: BTreeMap::new(),
            retired: BTreeSet::new(),
            generations: BTreeMap::new(),
            arrivals: 0,
            planned: 0,
            next_generation: 1000,
            wake: None,
            coverage: Coverage::default(),
        };
        world.plan(Duration::ZERO, Occurrence::Arrival);
        world
    }

    fn plan(&mut self, after: Duration, occurrence: Occurrence) {
        self.planned += 1;
        self.agenda.push(Reverse((self.now + after, self.planned)));
        self.occurrences.insert(self.planned, occurrence);
    }

    fn plan_within(&mut self, max: Duration, occurrence: Occurrence) {
        let after = self.random.duration(max);
        self.plan(after, occurrence);
    }

    /// Until every caller has its answer and every sandbox has expired.
    pub(crate) fn run(&mut self) {
        while let Some(Reverse((at, number))) = self.agenda.pop() {
            self.now = at;
            if let Some(occurrence) = self.occurrences.remove(&number) {
                self.happen(occurrence);
                self.check();
            }
            let idle_only = self.arrivals >= self.config.invocations && self.callers.is_empty();
            if idle_only && self.sandboxes.values().all(|sandbox| sandbox.phase == Phase::Blank) {
                break;
            }
        }
    }

    /// Nothing may be left, in the engine or in the world.
    pub(crate) fn end(&mut self) {
        assert!(self.callers.is_empty(), "seed {}: without an answer: {:?}", self.seed, self.callers);
        self.tell(Event::Drain);
        while let Some(Reverse((at, number))) = self.agenda.pop() {
            self.now = at;
            if let Some(occurrence) = self.occurrences.remove(&number) {
                self.happen(occurrence);
                self.check();
            }
        }
        let view = self.engine.view();
        let left = (view.tickets, view.queued, view.memory_mib, view.versions.len(), view.accounts.len());
        assert_eq!(left, (0, 0, 0, 0, 0), "seed {}: {view:?}", self.seed);
    }

    fn happen(&mut self, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Arrival => self.arrive(),
            Occurrence::Report(event) => self.report(event),
            Occurrence::Returns(sandbox, run) => self.returns(sandbox, run),
            Occurrence::Asks(sandbox, run) => self.asks(sandbox, run),
            Occurrence::Crash(sandbox) => {
                if self.sandboxes.get(&sandbox).is_some_and(|entry| !entry.destroyed) {
                    self.coverage.saw("crash");
                    self.die(sandbox);
                }
            }
            Occurrence::WithdrawArrives(sandbox, ticket) => self.withdraw_arrives(sandbox, ticket),
            Occurrence::Tick => {
                if self.wake.is_some_and(|at| at <= self.now) {
                    self.wake = None;
                    self.tell(Event::Tick);
                }
            }
        }
    }

    fn arrive(&mut self) {
        self.arrivals += 1;
        let gap = self.random.duration(self.config.gap);
        if self.arrivals < self.config.invocations {
            self.plan(gap, Occurrence::Arrival);
        }
        let account = self.random.below(self.config.accounts);
        let function = self.random.below(self.config.functions);
        if self.random.chance(30) {
            self.redeploy(account, function);
        }
        let current = self.generations.get(&(account, function)).copied().unwrap_or(function);
        let late = self.random.chance(30) && current > function;
        let key = key(account, function, if late { function } else { current });
        let wait = self.random.duration(Duration::from_secs(20));
        let demand = Demand {
            root: RootId(u32::try_from(function % 2).expect("small")),
            memory_mib: [128, 128, 256, 512, 5000][usize::try_from(function % 5).expect("small")],
            reserved: (function == 1).then_some(2),
            account_unreserved: self.config.unreserved,
            queue_deadline: self.now + wait,
            ..demand(&key)
        };
        let ticket = Ticket(self.arrivals);
        let caller = Caller { demand: demand.clone(), arrived: self.now, standing: Standing::Waiting };
        self.callers.insert(ticket, caller);
        if self.random.chance(20) {
            self.plan_within(Duration::from_secs(3), Occurrence::Report(Event::Abandon { ticket }));
        }
        self.tell(Event::Invoke { ticket, demand });
    }

    fn redeploy(&mut self, account: u64, function: u64) {
        let old = self.generations.insert((account, function), self.next_generation).unwrap_or(function);
        self.next_generation += 1;
        let keys = vec![key(account, function, old)];
        self.plan_within(Duration::from_millis(50), Occurrence::Report(Event::Retire { keys }));
    }

    /// Passes on what is still true, and now and then something twice, or about nobody.
    fn report(&mut self, event: Event) {
        if let Some(sandbox) = subject(&event) {
            let Some(entry) = self.sandboxes.get_mut(&sandbox).filter(|entry| !entry.destroyed || is_dead(&event))
            else {
                return;
            };
            match event {
                Event::BlankReady { .. } => entry.phase = Phase::Blank,
                Event::Initialised { .. } => entry.phase = Phase::Waits,
                Event::BlankFailed { .. } | Event::Dead { .. } => {
                    self.sandboxes.remove(&sandbox);
                }
                _ => {}
            }
        }
        match &event {
            Event::Retire { keys } => self.retired.extend(keys.iter().cloned()),
            Event::Abandon { ticket } => {
                if self.callers.get(ticket).is_some_and(|caller| caller.standing == Standing::Waiting) {
                    self.coverage.saw("abandoned");
                    self.callers.remove(ticket);
                }
            }
            _ => {}
        }
        let twice = self.random.chance(self.config.faults / 4);
        self.tell(event.clone());
        if twice {
            self.coverage.saw("duplicate");
            self.tell(event);
            self.tell(Event::Idle { sandbox: SandboxId(u64::MAX) });
        }
    }

    fn returns(&mut self, sandbox: SandboxId, run: u64) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox).filter(|entry| entry.run == run && !entry.destroyed) else {
            return;
        };
        let Phase::Runs(ticket) = entry.phase else { return };
        entry.phase = Phase::Finishes(None);
        self.callers.remove(&ticket);
        self.plan_within(Duration::from_millis(100), Occurrence::Asks(sandbox, run));
        self.report(Event::Responded { sandbox });
    }

    fn asks(&mut self, sandbox: SandboxId, run: u64) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox).filter(|entry| entry.run == run && !entry.destroyed) else {
            return;
        };
        let Phase::Finishes(held) = entry.phase else { return };
        entry.phase = Phase::Waits;
        if let Some(ticket) = held {
            self.begin(sandbox, ticket);
        }
        self.report(Event::Idle { sandbox });
    }

    fn begin(&mut self, sandbox: SandboxId, ticket: Ticket) {
        let entry = self.sandboxes.get_mut(&sandbox).expect("alive");
        entry.phase = Phase::Runs(ticket);
        entry.run += 1;
        let run = entry.run;
        self.plan_within(Duration::from_secs(2), Occurrence::Returns(sandbox, run));
        if self.random.chance(self.config.faults) {
            self.plan_within(Duration::from_secs(2), Occurrence::Crash(sandbox));
        }
    }

    fn withdraw_arrives(&mut self, sandbox: SandboxId, ticket: Ticket) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox).filter(|entry| !entry.destroyed) else {
            return;
        };
        if entry.phase == Phase::Finishes(Some(ticket)) {
            entry.phase = Phase::Finishes(None);
            self.callers.get_mut(&ticket).expect("held").standing = Standing::Waiting;
            self.coverage.saw("withdrawn");
            self.report(Event::Withdrawn { sandbox });
        }
    }

    fn die(&mut self, sandbox: SandboxId) {
        match self.sandboxes[&sandbox].phase {
            Phase::Runs(ticket) => {
                self.callers.remove(&ticket);
            }
            Phase::Finishes(Some(ticket)) => {
                self.coverage.saw("redelivered");
                self.callers.get_mut(&ticket).expect("held").standing = Standing::Waiting;
            }
            Phase::Making | Phase::Blank | Phase::Starting | Phase::Waits | Phase::Finishes(None) => {}
        }
        self.report(Event::Dead { sandbox });
    }

    fn tell(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.engine.step(self.now, event, &mut actions);
        for action in actions {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::MakeBlank { sandbox, .. } => self.make(sandbox),
            Action::Assign { sandbox, key, ticket } => self.assign(sandbox, key, ticket),
            Action::Dispatch { sandbox, ticket, start } => {
                self.coverage.saw(if start == hearth_engine::Start::Warm { "warm" } else { "cold" });
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
            Action::Throttle { ticket, reason } => self.throttled(ticket, reason),
            Action::Fail { ticket, reason } => self.failed(ticket, reason),
            Action::Wake { at } => {
                self.wake = Some(at);
                self.plan(at.since(self.now), Occurrence::Tick);
            }
        }
    }

    fn make(&mut self, sandbox: SandboxId) {
        let made = Sandbox { phase: Phase::Making, key: None, memory_mib: 16, frozen: false, destroyed: false, run: 0 };
        assert!(self.sandboxes.insert(sandbox, made).is_none(), "seed {}: {sandbox} made twice", self.seed);
        let report = match self.random.chance(self.config.faults / 2) {
            true if self.random.chance(500) => Event::BlankFailed { sandbox },
            true => Event::Dead { sandbox },
            false => Event::BlankReady { sandbox },
        };
        self.plan_within(Duration::from_millis(20), Occurrence::Report(report));
    }

    fn assign(&mut self, sandbox: SandboxId, key: Arc<VersionKey>, ticket: Ticket) {
        let seed = self.seed;
        let caller = self.callers.get(&ticket).expect("assigned for a caller");
        assert_eq!(caller.demand.key, key, "seed {seed}");
        let memory_mib = u64::from(caller.demand.memory_mib);
        let entry = self.sandboxes.get_mut(&sandbox).expect("exists");
        assert!(entry.phase == Phase::Blank && entry.key.is_none() && !entry.destroyed, "seed {seed}: {entry:?}");
        entry.phase = Phase::Starting;
        entry.key = Some(key);
        entry.memory_mib = memory_mib;
        let report = match self.random.chance(self.config.faults) {
            true if self.random.chance(600) => Event::InitFailed { sandbox },
            true => Event::Dead { sandbox },
            false => Event::Initialised { sandbox },
        };
        self.plan_within(Duration::from_secs(1), Occurrence::Report(report));
    }

    fn dispatch(&mut self, sandbox: SandboxId, ticket: Ticket) {
        let seed = self.seed;
        let demand = self.callers[&ticket].demand.clone();
        match demand.reserved {
            Some(max) => assert!(self.running_of_function(&demand) <= max, "seed {seed}"),
            None => assert!(self.running_unreserved(&demand) <= demand.account_unreserved, "seed {seed}"),
        }
        let caller = self.callers.get_mut(&ticket).expect("dispatched for a caller");
        assert_eq!(caller.standing, Standing::Waiting, "seed {seed}: {ticket:?} dispatched twice");
        caller.standing = Standing::Dispatched(sandbox);
        let entry = self.sandboxes.get_mut(&sandbox).expect("exists");
        assert_eq!(entry.key.as_ref(), Some(&caller.demand.key), "seed {seed}: code of another version");
        assert!(!entry.frozen && !entry.destroyed, "seed {seed}: {entry:?}");
        match entry.phase {
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

    fn destroy(&mut self, sandbox: SandboxId, reason: hearth_engine::DestroyReason) {
        use hearth_engine::DestroyReason;
        let seed = self.seed;
        let entry = self.sandboxes.get_mut(&sandbox).expect("exists");
        assert!(!std::mem::replace(&mut entry.destroyed, true), "seed {seed}: {sandbox} destroyed twice");
        let harmless = matches!(entry.phase, Phase::Waits | Phase::Blank | Phase::Starting);
        assert!(harmless, "seed {seed}: {sandbox} destroyed as {:?} for {reason:?}", entry.phase);
        match reason {
            DestroyReason::Expired => self.coverage.saw("expired"),
            DestroyReason::Evicted => self.coverage.saw("evicted"),
            DestroyReason::Yielded => self.coverage.saw("yielded"),
            DestroyReason::Retired => self.coverage.saw("retired"),
            DestroyReason::InitFailed => self.coverage.saw("init failed"),
            DestroyReason::RootGone | DestroyReason::Draining => {}
        }
        if self.random.chance(self.config.faults / 4) {
            self.sandboxes.get_mut(&sandbox).expect("exists").memory_mib = 0;
            self.plan(self.config.engine.destroy_grace * 2, Occurrence::Report(Event::Dead { sandbox }));
        } else {
            self.plan_within(Duration::from_millis(50), Occurrence::Report(Event::Dead { sandbox }));
        }
    }

    /// Throttled if and only if the limit is reached, by the world's own count.
    fn throttled(&mut self, ticket: Ticket, reason: ThrottleReason) {
        let caller = self.callers.remove(&ticket).expect("throttled once");
        assert_eq!(caller.arrived, self.now, "seed {}: throttled after it was admitted", self.seed);
        let demand = &caller.demand;
        let full = match demand.reserved {
            Some(max) => {
                assert_eq!(reason, ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
                self.coverage.saw("reserved throttle");
                self.running_of_function(demand) == max
            }
            None => {
                assert_eq!(reason, ThrottleReason::ConcurrentInvocationLimitExceeded);
                self.coverage.saw("throttle");
                self.running_unreserved(demand) == demand.account_unreserved
            }
        };
        assert!(full, "seed {}: throttled below its limit", self.seed);
    }

    fn failed(&mut self, ticket: Ticket, reason: FailReason) {
        let caller = self.callers.remove(&ticket).expect("failed once");
        assert_eq!(caller.standing, Standing::Waiting, "seed {}: failed while it ran", self.seed);
        match reason {
            FailReason::Capacity => self.coverage.saw("capacity"),
            FailReason::TooLarge => self.coverage.saw("too large"),
            FailReason::SandboxLost => self.coverage.saw("lost"),
            FailReason::InitFailed { sandbox } => {
                assert_eq!(self.sandboxes[&sandbox].key.as_ref(), Some(&caller.demand.key), "seed {}", self.seed);
            }
            FailReason::RootGone | FailReason::Draining => panic!("seed {}: {reason:?}", self.seed),
        }
    }

    fn running_of_function(&self, demand: &Demand) -> u32 {
        self.count(|other| other.key.account == demand.key.account && other.key.function == demand.key.function)
    }

    fn running_unreserved(&self, demand: &Demand) -> u32 {
        self.count(|other| other.key.account == demand.key.account && other.reserved.is_none())
    }

    fn count(&self, wanted: impl Fn(&Demand) -> bool) -> u32 {
        u32::try_from(self.callers.values().filter(|caller| wanted(&caller.demand)).count()).expect("few")
    }

    fn check(&mut self) {
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
}

fn subject(event: &Event) -> Option<SandboxId> {
    match event {
        Event::BlankReady { sandbox }
        | Event::BlankFailed { sandbox }
        | Event::Initialised { sandbox }
        | Event::InitFailed { sandbox }
        | Event::Responded { sandbox }
        | Event::Idle { sandbox }
        | Event::Withdrawn { sandbox }
        | Event::Dead { sandbox } => Some(*sandbox),
        _ => None,
    }
}

fn is_dead(event: &Event) -> bool {
    matches!(event, Event::Dead { .. })
}
