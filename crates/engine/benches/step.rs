//! What the engine takes to decide on a warm call: its invocation, its response and the sandbox's wish for the next event.
//!
//! `cargo bench --package hearth-engine` prints nanoseconds per call, of these three steps together.

#![allow(clippy::print_stdout, reason = "a benchmark reports on its standard output")]
#![allow(clippy::unwrap_used, reason = "what is written here is well-formed")]

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::{Action, Demand, Engine, EngineConfig, Event, RootId, Ticket};
use hearth_types::{Instant, SandboxId, Sha256, VersionKey, VersionLabel};

const BATCH: u64 = 20_000;
const BATCHES: usize = 51;

fn demand(function: usize) -> Demand {
    let key = VersionKey {
        account: format!("{:012}", function % 50).parse().unwrap(),
        region: "eu-west-1".parse().expect("well-formed"),
        function: format!("f{function}").parse().unwrap(),
        version: VersionLabel::Latest,
        code: Sha256([7; 32]),
        generation: 1,
    };
    Demand {
        key: Arc::new(key),
        root: RootId(1),
        memory_mib: 128,
        reserved: None,
        account_unreserved: 1000,
        timeout: Duration::from_secs(3),
        wishes: None,
        queue_deadline: Instant::ZERO + Duration::from_secs(1_000_000),
    }
}

struct Bench {
    engine: Engine,
    now: Instant,
    actions: Vec<Action>,
    tickets: u64,
}

impl Bench {
    fn step(&mut self, event: Event) {
        self.actions.clear();
        self.now = self.now + Duration::from_micros(50);
        self.engine.step(self.now, event, &mut self.actions);
    }

    fn invoke(&mut self, demand: &Demand) {
        self.tickets += 1;
        self.step(Event::Invoke { ticket: Ticket(self.tickets), demand: demand.clone() });
    }

    /// The sandbox that the last step made, or gave something to do.
    fn sandbox(&self) -> SandboxId {
        let named = |action: &Action| match action {
            Action::MakeBlank { sandbox, .. } | Action::Dispatch { sandbox, .. } => Some(*sandbox),
            _ => None,
        };
        self.actions.iter().find_map(named).unwrap()
    }

    fn call(&mut self, demand: &Demand) {
        self.invoke(demand);
        let sandbox = self.sandbox();
        self.step(Event::Responded { sandbox });
        self.step(Event::Idle { sandbox });
    }
}

fn measure(functions: usize) {
    let config = EngineConfig {
        memory_mib_max: 1 << 20,
        sandboxes_max: 10_000,
        blanks_per_root: 0,
        freeze_after: Duration::MAX,
        ..EngineConfig::default()
    };
    let mut bench = Bench { engine: Engine::new(config), now: Instant::ZERO, actions: Vec::new(), tickets: 0 };
    let demands: Vec<Demand> = (0..functions).map(demand).collect();
    for demand in &demands {
        bench.invoke(demand);
        let sandbox = bench.sandbox();
        bench.step(Event::BlankReady { sandbox });
        bench.step(Event::Initialised { sandbox });
        bench.step(Event::Responded { sandbox });
        bench.step(Event::Idle { sandbox });
    }
    let mut times: Vec<u128> = (0..BATCHES)
        .map(|_| {
            let began = std::time::Instant::now();
            (0..BATCH).zip(demands.iter().cycle()).for_each(|(_, demand)| bench.call(demand));
            began.elapsed().as_nanos() / u128::from(BATCH)
        })
        .collect();
    assert_eq!(bench.engine.view().counters.cold, functions as u64, "all others were warm");
    times.sort_unstable();
    println!(
        "{functions:>5} functions: median {} ns, fastest {} ns, slowest {} ns per call",
        times[BATCHES / 2],
        times[0],
        times[BATCHES - 1]
    );
}

fn main() {
    [1, 100, 5000].into_iter().for_each(measure);
}
