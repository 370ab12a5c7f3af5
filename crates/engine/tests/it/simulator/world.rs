//! The node's side of the engine's interface, and the books that it is checked against.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use hearth_engine::capacity::{InstanceId, PoolName, Wishes};
use hearth_engine::keep_alive::Choice;
use hearth_engine::{Demand, Engine, EngineConfig, Event, Purpose, RootId, Ticket, Version};
use hearth_types::{Instant, SandboxId, VersionKey};

use super::capacity::Grounds;
use super::check::Coverage;
use super::random::Random;
use crate::harness::{demand, key};

/// What may go wrong, in permille, and how busy it is.
pub(crate) struct WorldConfig {
    pub(super) engine: EngineConfig,
    invocations: u64,
    accounts: u64,
    functions: u64,
    pub(super) faults: u64,
    gap: Duration,
    pub(super) unreserved: u32,
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
            ahead_max: 1 + pick(&mut random, 4),
            cores: [1, 2, 4, usize::MAX][pick(&mut random, 4)],
            keep_alive: keep_alive(&mut random),
            freeze_after: Duration::from_millis(random.below(3000)),
            queue_len_max: [3, 20, 1000][pick(&mut random, 3)],
            finishing_grace: Duration::from_millis(random.below(40)),
            patience: Duration::from_millis(random.below(2000)),
        };
        Self {
            engine,
            invocations: 150 + random.below(150),
            accounts: 1 + random.below(4),
            functions: 1 + random.below(6),
            faults: [0, 20, 150][pick(&mut random, 3)],
            gap: Duration::from_millis([1, 20, 200][pick(&mut random, 3)]),
            unreserved: [3, 20, 1000][pick(&mut random, 3)],
        }
    }
}

/// Any of the policies: what they answer may waste memory, never break a promise.
fn keep_alive(random: &mut Random) -> Choice {
    match random.below(8) {
        6 => Choice::HEARTH,
        7 => Choice::Hearth { price: u32::try_from(random.below(10_000_000)).expect("small") + 1 },
        0 => Choice::Hybrid,
        1 => Choice::GreedyDual { idle_mib_max: Some(random.below(2000)) },
        _ => Choice::Fixed { seconds: random.below(20) },
    }
}

fn pick(random: &mut Random, count: u64) -> usize {
    usize::try_from(random.below(count)).expect("small")
}

/// What happens in the world, to be reported to the engine or to follow from what it decided.
#[derive(Clone, Debug)]
pub(super) enum Occurrence {
    Arrival,
    Report(Event),
    /// The handler of this sandbox returns.
    Returns(SandboxId, u64),
    /// Its runtime asks for the next event.
    Asks(SandboxId, u64),
    Crash(SandboxId),
    /// An invocation finds that the sandbox has come to its end.
    Misses(SandboxId, Ticket),
    /// What was asked for comes, or does not.
    Acquired {
        pool: PoolName,
        comes: bool,
    },
    /// The agent gets the word to give the invocation back.
    WithdrawArrives(SandboxId, Ticket),
    Tick,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
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
pub(super) struct Sandbox {
    pub(super) phase: Phase,
    pub(super) key: Option<Arc<VersionKey>>,
    pub(super) purpose: Purpose,
    pub(super) instance: InstanceId,
    /// The engine had it ended while it was in use.
    pub(super) doomed: bool,
    pub(super) memory_mib: u64,
    pub(super) frozen: bool,
    pub(super) destroyed: bool,
    /// Counts runs, so that what was planned for an earlier one is void.
    pub(super) run: u64,
    /// When it was given to its version.
    pub(super) assigned: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Not urgent, and not admitted yet.
    HeldBack,
    Waiting,
    Dispatched(SandboxId),
}

/// What an attempt counts against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slot {
    Provisioned,
    OnDemand,
}

#[derive(Debug)]
pub(super) struct Caller {
    pub(super) demand: Demand,
    /// `None` if it must be throttled.
    pub(super) slot: Option<Slot>,
    pub(super) arrived: Instant,
    pub(super) standing: Standing,
}

impl Caller {
    pub(super) fn held_until(&self) -> Option<Instant> {
        Some(self.arrived + self.demand.wishes.as_ref()?.defer?)
    }
}

pub(crate) struct World {
    pub(super) seed: u64,
    pub(super) config: WorldConfig,
    pub(super) random: Random,
    pub(super) engine: Engine,
    pub(super) now: Instant,
    agenda: BinaryHeap<Reverse<(Instant, u64)>>,
    occurrences: BTreeMap<u64, Occurrence>,
    pub(super) sandboxes: BTreeMap<SandboxId, Sandbox>,
    pub(super) callers: BTreeMap<Ticket, Caller>,
    pub(super) retired: BTreeSet<Arc<VersionKey>>,
    /// What the engine was told last.
    pub(super) provisioned: BTreeMap<Arc<VersionKey>, u32>,
    pub(super) grounds: Grounds,
    generations: BTreeMap<(u64, u64), u64>,
    arrivals: u64,
    planned: u64,
    next_generation: u64,
    pub(super) wake: Option<Instant>,
    /// Until then some may start that have waited for too long to be held back.
    pub(super) rush_until: Instant,
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
            provisioned: BTreeMap::new(),
            grounds: Grounds::default(),
            generations: BTreeMap::new(),
            arrivals: 0,
            planned: 0,
            next_generation: 1000,
            wake: None,
            rush_until: Instant::ZERO,
            coverage: Coverage::default(),
        };
        world.declare(seed % 2 == 1);
        world.plan(Duration::ZERO, Occurrence::Arrival);
        world
    }

    pub(super) fn plan(&mut self, after: Duration, occurrence: Occurrence) {
        self.planned += 1;
        assert!(self.planned < PLANNED_MAX, "seed {}: no end of it", self.seed);
        self.agenda.push(Reverse((self.now + after, self.planned)));
        self.occurrences.insert(self.planned, occurrence);
    }

    pub(super) fn plan_within(&mut self, max: Duration, occurrence: Occurrence) {
        let after = self.random.duration(max);
        self.plan(after, occurrence);
    }

    /// Until every caller has its answer and every sandbox has expired that is not provisioned.
    pub(crate) fn run(&mut self) {
        while let Some(Reverse((at, number))) = self.agenda.pop() {
            self.now = at;
            if let Some(occurrence) = self.occurrences.remove(&number) {
                self.happen(occurrence);
                self.check();
            }
            let idle_only = self.arrivals >= self.config.invocations && self.callers.is_empty();
            if idle_only && self.sandboxes.values().all(Sandbox::rests) && self.provisions_settled() {
                self.coverage.saw("all provisioned");
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
            Occurrence::Misses(sandbox, ticket) => self.misses(sandbox, ticket),
            Occurrence::Acquired { pool, comes } => self.acquired(pool, comes),
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
        if self.random.chance(40) {
            self.want(account, function);
        }
        self.change_capacity();
        if self.random.chance(10) {
            let memory_mib = self.random.below(500);
            self.tell(Event::Pressure { memory_mib });
        }
        let current = self.generations.get(&(account, function)).copied().unwrap_or(function);
        let late = self.random.chance(30) && current > function;
        let key = key(account, function, if late { function } else { current });
        let wait = self.random.duration(Duration::from_secs(20));
        let version = version(&key);
        let demand = Demand {
            root: version.root,
            memory_mib: version.memory_mib,
            reserved: is_reserved(&key).then_some(RESERVED),
            account_unreserved: self.config.unreserved,
            wishes: self.wishes(),
            queue_deadline: self.now + wait,
            ..demand(&key)
        };
        let ticket = Ticket(self.arrivals);
        let urgent = demand.wishes.is_none();
        let slot = if urgent { self.slot(&demand) } else { None };
        let standing = if urgent { Standing::Waiting } else { Standing::HeldBack };
        let caller = Caller { demand: demand.clone(), slot, arrived: self.now, standing };
        self.callers.insert(ticket, caller);
        if self.random.chance(20) {
            self.plan_within(Duration::from_secs(3), Occurrence::Report(Event::Abandon { ticket }));
        }
        self.tell(Event::Invoke { ticket, demand });
        if urgent && slot.is_none() {
            assert!(!self.callers.contains_key(&ticket), "seed {}: admitted beyond its limit", self.seed);
        }
    }

    /// Now and then one is not urgent.
    fn wishes(&mut self) -> Option<Box<Wishes>> {
        let defer = self.random.chance(100).then(|| self.random.duration(Duration::from_secs(10)))?;
        Some(Box::new(Wishes { defer: Some(defer), ..Wishes::default() }))
    }

    /// Wants sandboxes of the current version that nobody waits for.
    fn want(&mut self, account: u64, function: u64) {
        let current = self.generations.get(&(account, function)).copied().unwrap_or(function);
        let key = key(account, function, current);
        let count = u32::try_from(self.random.below(4)).expect("small");
        if self.random.chance(500) {
            return self.tell(Event::Prewarm { version: version(&key), count });
        }
        let reserved = is_reserved(&key).then_some(RESERVED);
        let before = if self.retired.contains(&key) { 0 } else { count };
        self.provisioned.insert(key.clone(), before);
        self.tell(Event::Provision { version: version(&key), count, reserved });
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
            Event::Retire { keys } => {
                self.retired.extend(keys.iter().cloned());
                self.provisioned.retain(|key, _| !keys.contains(key));
            }
            Event::Abandon { ticket }
                if self
                    .callers
                    .get(ticket)
                    .is_some_and(|caller| !matches!(caller.standing, Standing::Dispatched(_))) =>
            {
                self.coverage.saw("abandoned");
                self.callers.remove(ticket);
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
        // Some never ask again.
        if !self.random.chance(self.config.faults / 4) {
            self.plan_within(Duration::from_millis(100), Occurrence::Asks(sandbox, run));
        }
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

    pub(super) fn begin(&mut self, sandbox: SandboxId, ticket: Ticket) {
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

    fn misses(&mut self, sandbox: SandboxId, ticket: Ticket) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else { return };
        entry.phase = Phase::Finishes(None);
        self.callers.get_mut(&ticket).expect("dispatched").standing = Standing::Waiting;
        self.coverage.saw("undelivered");
        self.plan_within(Duration::from_millis(50), Occurrence::Crash(sandbox));
        self.report(Event::Undelivered { sandbox });
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

    pub(super) fn tell(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.engine.step(self.now, event, &mut actions);
        for action in actions {
            self.perform(action);
        }
    }
}

const RESERVED: u32 = 2;
/// A hundred times what a usual world takes.
const PLANNED_MAX: u64 = 1_000_000;

impl Sandbox {
    /// Nothing will become of it by itself.
    fn rests(&self) -> bool {
        let kept = self.purpose == Purpose::Provisioned && self.phase == Phase::Waits;
        self.phase == Phase::Blank || kept && !self.destroyed
    }
}

fn function_number(key: &VersionKey) -> usize {
    key.function.as_str()[1..].parse().expect("a number")
}

pub(super) fn is_reserved(key: &VersionKey) -> bool {
    function_number(key) == 1
}

pub(super) fn memory_mib(key: &VersionKey) -> u32 {
    [128, 128, 256, 512, 5000][function_number(key) % 5]
}

fn version(key: &Arc<VersionKey>) -> Version {
    let root = RootId(u32::try_from(function_number(key) % 2).expect("small"));
    Version { key: key.clone(), root, memory_mib: memory_mib(key), timeout: Duration::from_secs(2) }
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
        | Event::Undelivered { sandbox }
        | Event::Lost { sandbox }
        | Event::Dead { sandbox } => Some(*sandbox),
        _ => None,
    }
}

fn is_dead(event: &Event) -> bool {
    matches!(event, Event::Dead { .. })
}
