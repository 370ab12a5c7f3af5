//! An engine with a clock, and short ways to say things to it.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::keep_alive::Choice;
use hearth_engine::{Action, Demand, Engine, EngineConfig, Event, RootId, Ticket};
use hearth_types::{Instant, SandboxId, Sha256, VersionKey, VersionLabel};

pub(crate) const ROOT: RootId = RootId(1);

pub(crate) fn key(account: u64, function: u64, generation: u64) -> Arc<VersionKey> {
    key_in("eu-west-1", account, function, generation)
}

pub(crate) fn key_in(region: &str, account: u64, function: u64, generation: u64) -> Arc<VersionKey> {
    Arc::new(VersionKey {
        account: format!("{account:012}").parse().expect("well-formed"),
        region: region.parse().expect("well-formed"),
        function: format!("f{function}").parse().expect("well-formed"),
        version: VersionLabel::Latest,
        code: Sha256([generation.to_le_bytes()[0]; 32]),
        generation,
    })
}

pub(crate) fn demand(key: &Arc<VersionKey>) -> Demand {
    Demand {
        key: key.clone(),
        root: ROOT,
        memory_mib: 128,
        reserved: None,
        account_unreserved: 1000,
        timeout: Duration::from_secs(3),
        wishes: None,
        queue_deadline: Instant::ZERO + Duration::from_secs(1_000_000),
    }
}

pub(crate) fn config() -> EngineConfig {
    EngineConfig {
        memory_mib_max: 128 * 100,
        sandboxes_max: 100,
        blank_memory_mib: 16,
        blanks_per_root: 0,
        ahead_max: 4,
        cores: usize::MAX,
        keep_alive: Choice::Fixed { seconds: 60 },
        freeze_after: Duration::from_secs(5),
        queue_len_max: 1000,
        finishing_grace: Duration::from_millis(20),
        patience: Duration::from_secs(1),
    }
}

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) now: Instant,
    pub(crate) wake: Option<Instant>,
    next_ticket: u64,
}

impl Bench {
    pub(crate) fn new(config: EngineConfig) -> Self {
        Self { engine: Engine::new(config), now: Instant::ZERO, wake: None, next_ticket: 0 }
    }

    /// The actions that follow, without `Wake`, which is remembered.
    pub(crate) fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.engine.step(self.now, event, &mut actions);
        actions.retain(|action| {
            if let Action::Wake { at } = action {
                self.wake = Some(*at);
            }
            !matches!(action, Action::Wake { .. })
        });
        actions
    }

    pub(crate) fn invoke(&mut self, demand: Demand) -> (Ticket, Vec<Action>) {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        (ticket, self.step(Event::Invoke { ticket, demand }))
    }

    /// Lets time pass, with a tick whenever one was asked for.
    pub(crate) fn pass(&mut self, duration: Duration) -> Vec<Action> {
        let until = self.now + duration;
        let mut actions = Vec::new();
        while let Some(at) = self.wake.filter(|at| *at <= until) {
            self.wake = None;
            self.now = at.max(self.now);
            actions.extend(self.step(Event::Tick));
        }
        self.now = until;
        actions
    }

    /// A first invocation of the version, up to the dispatch.
    pub(crate) fn start(&mut self, demand: Demand) -> (Ticket, SandboxId) {
        let (ticket, actions) = self.invoke(demand);
        let sandbox = made(&actions)[0];
        self.step(Event::BlankReady { sandbox });
        let actions = self.step(Event::Initialised { sandbox });
        assert!(dispatched(&actions).contains(&(sandbox, ticket)), "{actions:?}");
        (ticket, sandbox)
    }

    pub(crate) fn finish(&mut self, sandbox: SandboxId) -> Vec<Action> {
        let mut actions = self.step(Event::Responded { sandbox });
        actions.extend(self.step(Event::Idle { sandbox }));
        actions
    }

    /// A sandbox of the version that has run once and is idle.
    pub(crate) fn idle(&mut self, demand: Demand) -> SandboxId {
        let (_, sandbox) = self.start(demand);
        self.finish(sandbox);
        sandbox
    }
}

pub(crate) fn made(actions: &[Action]) -> Vec<SandboxId> {
    let made = |action: &Action| if let Action::MakeBlank { sandbox, .. } = action { Some(*sandbox) } else { None };
    actions.iter().filter_map(made).collect()
}

pub(crate) fn dispatched(actions: &[Action]) -> Vec<(SandboxId, Ticket)> {
    let dispatched = |action: &Action| {
        if let Action::Dispatch { sandbox, ticket, .. } = action { Some((*sandbox, *ticket)) } else { None }
    };
    actions.iter().filter_map(dispatched).collect()
}

pub(crate) fn destroyed(actions: &[Action]) -> Vec<SandboxId> {
    let destroyed = |action: &Action| if let Action::Destroy { sandbox, .. } = action { Some(*sandbox) } else { None };
    actions.iter().filter_map(destroyed).collect()
}
