//! The node's side of the engine in virtual time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use hearth_engine::keep_alive::Policy;
use hearth_engine::{Action, Demand, Engine, EngineConfig, Event, Purpose, RootId, Start, Ticket};
use hearth_types::{Instant, SandboxId, Sha256, VersionKey, VersionLabel};

use crate::faults::{Faults, Loss};
use crate::outcome::Outcome;
use crate::trace::{Call, Trace};

/// The machine that a trace is replayed on.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeModel {
    /// Sandboxes that can start at the same time; others wait for that.
    pub cores: usize,
    /// What sandboxes together may have.
    pub memory_mib: u64,
    /// From an empty sandbox to the function's first request for an event.
    pub start: Duration,
    /// To make an empty sandbox, when none is ready.
    pub blank: Duration,
    /// Seed of what goes wrong: lost nodes, reclaimed leases, slow starts. None: nothing does.
    pub faults: Option<u64>,
}

impl Default for NodeModel {
    fn default() -> Self {
        Self {
            cores: 64,
            memory_mib: 1 << 23,
            start: Duration::from_millis(100),
            blank: Duration::from_millis(10),
            faults: None,
        }
    }
}

const ROOT: RootId = RootId(0);

/// Replays the trace.
pub fn replay(trace: &Trace, model: &NodeModel, policy: Box<dyn Policy>) -> Outcome {
    let mut node = Node::new(trace, model, policy);
    let losses: Vec<u64> = node.faults.iter().flat_map(|faults| &faults.losses).map(|(at, _)| *at).collect();
    for (index, at) in (0u64..).zip(losses) {
        node.plan(SandboxId(index), at, Happening::Loss);
    }
    let mut chunks = trace.chunks();
    let mut calls = Vec::new();
    while chunks.next(&mut calls) {
        for call in &calls {
            node.run_until(nanos(call.at));
            node.call(*call);
        }
    }
    node.run_until(nanos(trace.horizon));
    node.end(nanos(trace.horizon))
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What will happen to a sandbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    Blank,
    Initialised,
    Returns,
    Dead,
    /// Of the loss of that number, not of a sandbox.
    Loss,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sandbox {
    memory_mib: u32,
    /// While it is idle.
    idle_since: Option<u64>,
    made: bool,
    runs: bool,
    /// Its end was reported.
    gone: bool,
}

struct Node<'a> {
    model: &'a NodeModel,
    engine: Engine,
    now: u64,
    demands: Vec<Demand>,
    agenda: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    /// By the engine's numbers, which count from 1.
    sandboxes: Vec<Sandbox>,
    /// Calls that were not handed over yet.
    waiting: HashMap<Ticket, Call>,
    /// The call that the engine is being told of.
    arriving: Option<(Ticket, Call)>,
    /// When each core has nothing to start any more.
    cores: BinaryHeap<Reverse<u64>>,
    faults: Option<Faults>,
    wake: Option<u64>,
    tickets: u64,
    actions: Vec<Action>,
    outcome: Outcome,
}

impl<'a> Node<'a> {
    fn new(trace: &Trace, model: &'a NodeModel, policy: Box<dyn Policy>) -> Self {
        let config = EngineConfig {
            memory_mib_max: model.memory_mib,
            sandboxes_max: usize::MAX,
            blank_memory_mib: 1,
            freeze_after: Duration::MAX,
            queue_len_max: usize::MAX,
            ahead_max: model.cores,
            ..EngineConfig::default()
        };
        let functions = trace.functions.iter().enumerate();
        let demands = functions.map(|(index, function)| demand(index, function.memory_mib)).collect();
        let mut node = Self {
            model,
            engine: Engine::with_policy(config, policy),
            now: 0,
            demands,
            agenda: BinaryHeap::new(),
            sandboxes: Vec::new(),
            waiting: HashMap::new(),
            arriving: None,
            cores: (0..model.cores.max(1)).map(|_| Reverse(0)).collect(),
            faults: model.faults.map(|seed| Faults::new(seed, nanos(trace.horizon))),
            wake: None,
            tickets: 0,
            actions: Vec::new(),
            outcome: Outcome::default(),
        };
        node.tell(Event::RootAvailable { root: ROOT });
        node
    }

    /// Everything that happens before `end`.
    fn run_until(&mut self, end: u64) {
        loop {
            let next = self.agenda.peek().map_or(u64::MAX, |Reverse((at, _, _))| *at);
            let wake = self.wake.unwrap_or(u64::MAX);
            if next.min(wake) >= end {
                self.now = end;
                return;
            }
            if wake <= next {
                self.now = wake;
                self.wake = None;
                self.tell(Event::Tick);
            } else if let Some(Reverse((at, sandbox, happening))) = self.agenda.pop() {
                self.now = at;
                self.happen(SandboxId(sandbox), happening);
            }
        }
    }

    fn call(&mut self, call: Call) {
        self.outcome.invocations += 1;
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let mut demand = self.demands[call.function as usize].clone();
        demand.queue_deadline = Instant::from_nanos(self.now) + Duration::from_secs(60);
        self.arriving = Some((ticket, call));
        self.tell(Event::Invoke { ticket, demand });
        if let Some((ticket, call)) = self.arriving.take() {
            self.waiting.insert(ticket, call);
        }
    }

    fn happen(&mut self, sandbox: SandboxId, happening: Happening) {
        if happening != Happening::Loss && self.sandbox(sandbox).gone {
            return;
        }
        match happening {
            Happening::Blank => self.tell(Event::BlankReady { sandbox }),
            Happening::Initialised => {
                self.idle_from_now(sandbox);
                self.tell(Event::Initialised { sandbox });
            }
            Happening::Returns => {
                self.idle_from_now(sandbox);
                self.sandbox(sandbox).runs = false;
                self.tell(Event::Responded { sandbox });
                self.tell(Event::Idle { sandbox });
            }
            Happening::Dead => self.dies(sandbox),
            Happening::Loss => self.lose(usize::try_from(sandbox.0).unwrap_or(usize::MAX)),
        }
    }

    fn dies(&mut self, sandbox: SandboxId) {
        self.count_idle(sandbox);
        let entry = self.sandbox(sandbox);
        entry.gone = true;
        let ran = std::mem::take(&mut entry.runs);
        self.outcome.failed += u64::from(ran);
        self.tell(Event::Dead { sandbox });
    }

    fn lose(&mut self, number: usize) {
        let Some((_, loss)) = self.faults.as_ref().and_then(|faults| faults.losses.get(number)).copied() else {
            return;
        };
        let all = (0u64..).zip(&self.sandboxes).filter(|(_, sandbox)| sandbox.made && !sandbox.gone);
        let lost: Vec<u64> = all.map(|(number, _)| number).filter(|number| is_lost(loss, *number)).collect();
        for sandbox in lost {
            if !self.sandbox(SandboxId(sandbox)).gone {
                self.dies(SandboxId(sandbox));
            }
        }
    }

    fn tell(&mut self, event: Event) {
        let mut actions = std::mem::take(&mut self.actions);
        self.engine.step(Instant::from_nanos(self.now), event, &mut actions);
        for action in actions.drain(..) {
            self.perform(action);
        }
        self.actions = actions;
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::MakeBlank { sandbox, .. } => {
                self.sandbox(sandbox).made = true;
                self.start(sandbox, self.model.blank, Happening::Blank);
            }
            Action::Assign { sandbox, key, purpose, .. } => {
                self.outcome.loads_ahead += u64::from(purpose == Purpose::Prewarm);
                let function = usize::try_from(key.generation).unwrap_or(usize::MAX);
                let memory_mib = self.demands[function].memory_mib;
                self.sandbox(sandbox).memory_mib = memory_mib;
                self.start(sandbox, self.model.start, Happening::Initialised);
            }
            Action::Dispatch { sandbox, ticket, start } => self.dispatch(sandbox, ticket, start),
            Action::Destroy { sandbox, .. } => {
                self.count_idle(sandbox);
                self.plan(sandbox, self.now, Happening::Dead);
            }
            Action::Fail { ticket, .. } | Action::Throttle { ticket, .. } => {
                self.arriving = None;
                self.waiting.remove(&ticket);
                self.outcome.failed += 1;
            }
            Action::Wake { at } => self.wake = Some(at.as_nanos()),
            Action::Withdraw { .. }
            | Action::Admit { .. }
            | Action::Freeze { .. }
            | Action::Thaw { .. }
            | Action::Acquire { .. }
            | Action::Release { .. } => {}
        }
    }

    fn dispatch(&mut self, sandbox: SandboxId, ticket: Ticket, start: Start) {
        let own = self.arriving.take_if(|(arriving, _)| *arriving == ticket).map(|(_, call)| call);
        let Some(call) = own.or_else(|| self.waiting.remove(&ticket)) else {
            return;
        };
        self.outcome.cold_starts += u64::from(start != Start::Warm);
        self.outcome.dispatched(self.now - nanos(call.at));
        self.count_idle(sandbox);
        self.sandbox(sandbox).runs = true;
        self.plan(sandbox, self.now + nanos(call.takes), Happening::Returns);
    }

    /// Begins as soon as a core is free.
    fn start(&mut self, sandbox: SandboxId, takes: Duration, end: Happening) {
        let takes = self.faults.as_mut().map_or(takes, |faults| faults.start(takes));
        let free = self.cores.pop().map_or(0, |Reverse(at)| at);
        let at = self.now.max(free) + nanos(takes);
        self.cores.push(Reverse(at));
        self.plan(sandbox, at, end);
    }

    fn plan(&mut self, sandbox: SandboxId, at: u64, happening: Happening) {
        self.agenda.push(Reverse((at, sandbox.0, happening)));
    }

    fn sandbox(&mut self, sandbox: SandboxId) -> &mut Sandbox {
        let index = usize::try_from(sandbox.0).unwrap_or(usize::MAX);
        if self.sandboxes.len() <= index {
            self.sandboxes.resize(index + 1, Sandbox::default());
        }
        &mut self.sandboxes[index]
    }

    fn idle_from_now(&mut self, sandbox: SandboxId) {
        let now = self.now;
        self.sandbox(sandbox).idle_since = Some(now);
    }

    fn count_idle(&mut self, sandbox: SandboxId) {
        let now = self.now;
        let entry = self.sandbox(sandbox);
        let memory_mib = u128::from(entry.memory_mib);
        if let Some(since) = entry.idle_since.take() {
            self.outcome.idle_mib_ns += memory_mib * u128::from(now - since);
        }
    }

    fn end(mut self, horizon: u64) -> Outcome {
        self.now = horizon;
        for sandbox in 0..self.sandboxes.len() {
            self.count_idle(SandboxId(u64::try_from(sandbox).unwrap_or(u64::MAX)));
        }
        self.outcome.evictions = self.engine.view().counters.evicted;
        self.outcome.finish();
        self.outcome
    }
}

fn is_lost(loss: Loss, sandbox: u64) -> bool {
    match loss {
        Loss::Node => true,
        Loss::Lease(lease) => Faults::lease_of(sandbox) == lease,
    }
}

/// The function's number is its generation, so that it is found again.
fn demand(index: usize, memory_mib: u32) -> Demand {
    let key = VersionKey {
        account: "000000000000".parse().expect("twelve digits"),
        region: "eu-west-1".parse().expect("well-formed"),
        function: format!("f{index}").parse().expect("a well-formed name"),
        version: VersionLabel::Latest,
        code: Sha256([0; 32]),
        generation: u64::try_from(index).unwrap_or(u64::MAX),
    };
    Demand {
        key: Arc::new(key),
        root: ROOT,
        memory_mib,
        reserved: None,
        account_unreserved: u32::MAX,
        timeout: Duration::ZERO,
        wishes: None,
        queue_deadline: Instant::ZERO,
    }
}
