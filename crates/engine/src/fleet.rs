//! The fleet of this node: its sandboxes, the pools of versions that they belong to, and who waits for what.
//!
//! ```text
//!  MakeBlank        BlankReady       Assign          Initialised
//! ─────────► Making ─────────► Blank ──────► Starting ─────────► Idle or, if a ticket waits, Busy
//!
//!        Dispatch        Responded             Idle
//!   Idle ───────► Busy ──────────► Finishing ───────► Idle or, if a ticket waits, Busy
//!                  ▲                 │ Dispatch          ▲
//!                  │ Idle            ▼                   │ Idle
//!                  ├──────────────  Bound                │
//!                  │ Idle            │ Withdraw          │
//!                  └──────────────  Withdrawing ──────► Slow
//!                                            Withdrawn
//!   any ── Destroy, Lost ──► Ending ── Dead ──► gone       any ── Dead ──► gone
//! ```
//!
//! A sandbox that is ending holds its memory until it is dead, however long that takes. What is lost before it has run anything ends
//! at once, and whoever waits for it gets another.
//!
//! What has responded and asks for no more by the end of its time (Finishing, Withdrawing, Slow) is destroyed as well, but stays
//! in its state until it is dead: what it reports meanwhile still counts.
//!
//! - **Identity.** A sandbox belongs to one pool, that is one `VersionKey`, from `Assign` to its end.
//! - **Waiting.** Tickets of one version wait in the order of their arrival and take whichever sandbox of the version comes free
//!   first; for each waiting ticket at most one sandbox is on its way. A ticket for which none is on its way is *short* of a place.
//! - **Fairness.** Places go round by account, within an account by version; whoever is next is not passed by because it needs
//!   more memory. Whoever is next and has been short for `patience` gets the next sandbox that comes free, although its own
//!   version may have tickets waiting. So each waits, for each version before it, one `patience` and the next end of a run at most.
//! - **Bursts.** Of one version only a few sandboxes are started at a time; the first of each version never waits for others' (`pace`).
//! - **Ahead of need.** Provisioned sandboxes are started before anybody who waits for a place gets one, and neither expire nor
//!   make room; prewarmed ones are started only where there is room, and are then like those that have served.
//! - **Work that may wait** is held back while load is high, before it is admitted (`defer`).
//! - **Room** is made by destroying blank sandboxes first, then those of the least worth to
//!   the keep-alive policy, among equals those idle for longest.

mod affinity;
mod ahead;
mod capacity;
mod choice;
mod defer;
mod frequency;
mod instances;
mod intake;
mod keep;
mod lifecycle;
mod load;
mod model;
mod pace;
mod pools;
mod provision;
mod queue;
mod refill;
mod retired;
mod room;
mod root;
mod roots;
mod runs;
mod snapshot;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use hearth_types::{AccountId, Instant, SandboxId};

use crate::admission::Admission;
use crate::capacity::{Instance, InstanceId, PoolName};
use crate::event::{Action, Event, Ticket};
use crate::keep_alive::{Choice, Memory, Policy, Versions};
use crate::timers::Timers;
use crate::view::Counters;
use ahead::Ahead;
use defer::Deferred;
pub(crate) use frequency::Calls;
use instances::Instances;
use model::{Attempt, IdHasher, Sandbox};
use pace::Pace;
use pools::Pools;
use queue::Queue;
pub use room::Room;
use root::Roots;
pub(crate) use runs::Runs;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EngineConfig {
    /// Memory that all sandboxes together may be promised, MiB.
    pub memory_mib_max: u64,
    pub sandboxes_max: usize,
    /// What a blank sandbox is counted as, MiB.
    pub blank_memory_mib: u32,
    /// Ready blank sandboxes to keep for each available root.
    pub blanks_per_root: usize,
    /// Sandboxes started ahead of need (provisioned, prewarmed) that may be under way at a time.
    pub ahead_max: usize,
    /// Processors that starts compete for; `usize::MAX` does not pace them.
    pub cores: usize,
    /// How long idle sandboxes are kept.
    pub keep_alive: Choice,
    /// An idle sandbox is frozen after this time; `Duration::MAX` never.
    pub freeze_after: Duration,
    /// Tickets short of a place, of all accounts.
    pub queue_len_max: usize,
    /// How long an invocation may be held by a sandbox that has yet to finish the one before.
    pub finishing_grace: Duration,
    /// How long a version may be short of a place before it gets the next one that comes free anywhere.
    pub patience: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            memory_mib_max: 8192,
            sandboxes_max: 1024,
            blank_memory_mib: 16,
            blanks_per_root: 4,
            ahead_max: 4,
            cores: usize::MAX,
            keep_alive: Choice::Fixed { seconds: 600 },
            freeze_after: Duration::from_secs(1),
            queue_len_max: 10_000,
            finishing_grace: Duration::from_millis(20),
            patience: Duration::from_secs(1),
        }
    }
}

/// The node's own memory as an instance.
fn own_instance(config: &EngineConfig) -> Instance {
    Instance {
        id: InstanceId::NODE,
        memory_mib: config.memory_mib_max,
        cpu_millis: 0,
        sandboxes_max: config.sandboxes_max,
        cost_rate: 0,
        lease_end: None,
        age_max: None,
        reclaimable: false,
        shared: true,
        labels: BTreeSet::new(),
        pool: PoolName::general(),
    }
}

/// Decides where each attempt runs.
///
/// It routes events to its parts and lets them act on one another; it has a field for each, and little beside them:
///
/// | part | what it knows |
/// |---|---|
/// | `admission` | how many tickets of a function and an account are admitted |
/// | `deferred` | who may wait and is held back before that |
/// | `pools` | the sandboxes and tickets of each version, and which versions were replaced |
/// | `queue` | who is short of a place, and whose turn it is |
/// | `instances` | what is promised on each instance, sub-pools, who may draw on what |
/// | `roots` | of which roots blank sandboxes can be made |
/// | `ahead` | what is provisioned or prewarmed and yet to be started |
/// | `pace` | how many starts the machine takes at once |
/// | `versions` | what the keep-alive policy has learned |
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    draining: bool,
    /// Nobody waits any more.
    stopped: bool,
    admission: Admission,
    deferred: Deferred,
    pools: Pools,
    sandboxes: HashMap<SandboxId, Sandbox, IdHasher>,
    tickets: HashMap<Ticket, Attempt, IdHasher>,
    queue: Queue,
    instances: Instances,
    roots: Roots,
    ahead: Ahead,
    pace: Pace,
    versions: Versions,
    timers: Timers,
    counters: Counters,
    /// Numbers what joins an order.
    sequence: u64,
    last_sandbox: u64,
    /// When the last step was.
    last_step: Instant,
}

/// One step: what time it is, and where to put what follows from it.
struct Turn<'a> {
    now: Instant,
    actions: &'a mut Vec<Action>,
    /// Somebody waits for room.
    lacks_room: bool,
}

impl Turn<'_> {
    fn push(&mut self, action: Action) {
        self.actions.push(action);
    }
}

impl Engine {
    pub fn new(config: EngineConfig) -> Self {
        let policy = config.keep_alive.policy();
        Self::with_policy(config, policy)
    }

    /// With a keep-alive policy that has no name.
    pub fn with_policy(config: EngineConfig, policy: Box<dyn Policy>) -> Self {
        Self {
            instances: Instances::new(own_instance(&config)),
            config,
            draining: false,
            stopped: false,
            admission: Admission::default(),
            pools: Pools::default(),
            sandboxes: HashMap::default(),
            tickets: HashMap::default(),
            deferred: Deferred::default(),
            roots: Roots::default(),
            versions: Versions::new(policy),
            queue: Queue::default(),
            timers: Timers::default(),
            counters: Counters::default(),
            ahead: Ahead::default(),
            pace: Pace::default(),
            sequence: 0,
            last_sandbox: 0,
            last_step: Instant::ZERO,
        }
    }

    /// What its keep-alive policy has learned of so many versions at most that were called since they were last handed out; none
    /// when there are no more.
    pub fn memories(&mut self, most: usize) -> Vec<Memory> {
        self.versions.memories(most)
    }

    /// Takes in one event and appends what is to be done about it. Time never runs backwards. An event that cannot be (of an
    /// unknown sandbox, in the wrong state, twice) changes nothing and is counted as an anomaly.
    pub fn step(&mut self, now: Instant, event: Event, actions: &mut Vec<Action>) {
        self.last_step = now;
        let turn = &mut Turn { now, actions, lacks_room: false };
        match event {
            Event::Invoke { ticket, demand } => self.invoke(turn, ticket, &demand),
            Event::Abandon { ticket } => self.abandon(turn, ticket),
            Event::BlankReady { sandbox } => self.blank_ready(turn, sandbox),
            Event::BlankFailed { sandbox } => self.blank_failed(turn, sandbox),
            Event::Initialised { sandbox } => self.initialised(turn, sandbox),
            Event::InitFailed { sandbox } => self.init_failed(turn, sandbox),
            Event::Responded { sandbox } => self.responded(turn, sandbox),
            Event::Idle { sandbox } => self.asks_for_next(turn, sandbox),
            Event::Withdrawn { sandbox } => self.withdrawn(turn, sandbox),
            Event::Undelivered { sandbox } => self.undelivered(turn, sandbox),
            Event::Lost { sandbox } => self.lost(turn, sandbox),
            Event::Dead { sandbox } => self.dead(turn, sandbox),
            Event::Prewarm { version, count } => self.prewarm(&version, count),
            Event::Provision { version, count, reserved } => self.provision(turn, &version, count, reserved),
            Event::Retire { keys } => keys.into_iter().for_each(|key| self.retire(turn, key)),
            Event::Recall { memories } => self.versions.recall(memories),
            Event::RootAvailable { root } => self.root_available(root),
            Event::RootGone { root } => self.root_gone(turn, root),
            Event::Capacity(change) => self.capacity(turn, *change),
            Event::Pressure { memory_mib } => self.relieve(turn, memory_mib),
            Event::Tick => self.tick(turn),
            Event::Drain => self.drain(turn),
            Event::Stop => self.stop(turn),
        }
        if self.ahead.is_due() {
            self.start_ahead(turn);
        }
        turn.lacks_room = false;
        if !self.queue.is_empty() {
            self.serve(turn);
        }
        if self.deferred.len() > 0 {
            self.start_deferred(turn);
        }
        if self.roots.take_due() {
            self.refill(turn);
        }
        self.settle_sites(turn);
        if self.instances.is_narrow_due() {
            let (admission, queue) = (&self.admission, &self.queue);
            let known = |account: &AccountId| admission.account(account).map(|key| (key, queue.tickets_of(key) > 0));
            self.instances.narrow(known);
        }
        self.drop_unused_pools();
        if let Some(at) = self.timers.announce() {
            turn.push(Action::Wake { at });
        }
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    fn anomaly(&mut self) {
        self.counters.anomalies += 1;
    }
}
