//! Nanoseconds per warm invocation (invoke, responded, idle), by how many versions are warm.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::{Action, Demand, Engine, EngineConfig, Event, RootId, Ticket};
use hearth_types::{Instant, SandboxId, Sha256, VersionKey, VersionLabel};

const CYCLES: u64 = 1_000_000;

fn main() {
    for versions in [1, 100, 10_000] {
        let nanos = measure(versions);
        let line = format!("{versions:>6} warm versions: {nanos:>5} ns per cycle\n");
        std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).expect("stdout is open");
    }
}

fn measure(versions: u64) -> u128 {
    let mut engine = Engine::new(EngineConfig {
        memory_mib_max: u64::MAX / 2,
        sandboxes_max: 100_000,
        blanks_per_root: 0,
        ..EngineConfig::default()
    });
    let mut actions = Vec::new();
    let demands: Vec<Demand> = (0..versions).map(demand).collect();
    let sandboxes: Vec<SandboxId> = demands.iter().map(|demand| warm(&mut engine, demand, &mut actions)).collect();
    let start = std::time::Instant::now();
    for cycle in 0..CYCLES {
        let index = usize::try_from(cycle.wrapping_mul(7919) % versions).expect("small");
        let (now, sandbox) = (Instant::from_nanos(cycle * 20_000), sandboxes[index]);
        actions.clear();
        let ticket = Ticket(versions + cycle);
        engine.step(now, Event::Invoke { ticket, demand: demands[index].clone() }, &mut actions);
        engine.step(now, Event::Responded { sandbox }, &mut actions);
        engine.step(now, Event::Idle { sandbox }, &mut actions);
    }
    let took = start.elapsed();
    assert_eq!(engine.view().counters.warm, CYCLES, "all were warm");
    took.as_nanos() / u128::from(CYCLES)
}

fn demand(number: u64) -> Demand {
    let key = VersionKey {
        account: "000000000000".parse().expect("well-formed"),
        region: "eu-west-1".parse().expect("well-formed"),
        function: format!("a-function-with-a-name-{number}").parse().expect("well-formed"),
        version: VersionLabel::Latest,
        code: Sha256([7; 32]),
        generation: number,
    };
    Demand {
        key: Arc::new(key),
        root: RootId(1),
        memory_mib: 128,
        reserved: None,
        account_unreserved: 1000,
        timeout: Duration::from_secs(3),
        wishes: None,
        queue_deadline: Instant::ZERO + Duration::from_secs(60),
    }
}

fn warm(engine: &mut Engine, demand: &Demand, actions: &mut Vec<Action>) -> SandboxId {
    actions.clear();
    let ticket = Ticket(demand.key.generation);
    engine.step(Instant::ZERO, Event::Invoke { ticket, demand: demand.clone() }, actions);
    let made = actions.iter().find_map(|action| match action {
        Action::MakeBlank { sandbox, .. } => Some(*sandbox),
        _ => None,
    });
    let sandbox = made.expect("one is made");
    for event in [
        Event::BlankReady { sandbox },
        Event::Initialised { sandbox },
        Event::Responded { sandbox },
        Event::Idle { sandbox },
    ] {
        engine.step(Instant::ZERO, event, actions);
    }
    sandbox
}
