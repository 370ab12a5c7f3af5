//! The greedy-dual cache, in the engine, against a model that looks at everything each time.

use std::time::Duration;

use hearth_engine::keep_alive::Choice;
use hearth_engine::{Action, EngineConfig, Event};
use hearth_types::SandboxId;
use proptest::prelude::*;

use crate::harness::{Bench, config, demand, destroyed, dispatched, key, made};

const CACHE_MIB: u64 = 1000;

#[derive(Debug)]
struct Cached {
    sandbox: SandboxId,
    function: u64,
    memory_mib: u64,
    worth: u64,
}

#[derive(Default)]
struct Model {
    /// Least recently used first.
    cached: Vec<Cached>,
    clock: u64,
    frequency: [u64; 6],
    cost: [u64; 6],
}

fn index(function: u64) -> usize {
    usize::try_from(function).expect("small")
}

fn memory_mib(function: u64) -> u32 {
    [64, 128, 200, 300, 128, 700][index(function)]
}

impl Model {
    fn call(&mut self, function: u64) -> Option<SandboxId> {
        self.frequency[index(function)] += 1;
        let place = self.cached.iter().rposition(|cached| cached.function == function)?;
        Some(self.cached.remove(place).sandbox)
    }

    /// What is evicted when this one comes back.
    fn keep(&mut self, sandbox: SandboxId, function: u64) -> Vec<SandboxId> {
        let memory_mib = u64::from(memory_mib(function));
        let worth = self.clock + self.frequency[index(function)] * self.cost[index(function)] / memory_mib;
        self.cached.push(Cached { sandbox, function, memory_mib, worth });
        let mut gone = Vec::new();
        while self.cached.iter().map(|cached| cached.memory_mib).sum::<u64>() > CACHE_MIB {
            let least = self.cached.iter().map(|cached| cached.worth).min().expect("not empty");
            let place = self.cached.iter().position(|cached| cached.worth == least).expect("it is there");
            let victim = self.cached.remove(place);
            self.clock = self.clock.max(victim.worth);
            if self.cached.iter().all(|cached| cached.function != victim.function) {
                self.frequency[index(victim.function)] = 0;
            }
            gone.push(victim.sandbox);
        }
        gone
    }
}

/// One invocation from its arrival to its sandbox being idle again.
fn call(bench: &mut Bench, model: &mut Model, function: u64, cost_ms: u64) {
    let key = key(1, function, 1);
    let demand = hearth_engine::Demand { memory_mib: memory_mib(function), ..demand(&key) };
    let warm = model.call(function);
    let (ticket, mut actions) = bench.invoke(demand);
    let sandbox = match made(&actions).first() {
        Some(sandbox) => {
            actions = bench.step(Event::BlankReady { sandbox: *sandbox });
            assert!(matches!(actions[..], [Action::Assign { .. }]));
            bench.now = bench.now + Duration::from_millis(cost_ms);
            model.cost[index(function)] = cost_ms * 1000;
            actions = bench.step(Event::Initialised { sandbox: *sandbox });
            *sandbox
        }
        None => dispatched(&actions)[0].0,
    };
    assert!(dispatched(&actions).contains(&(sandbox, ticket)));
    assert_eq!(warm.unwrap_or(sandbox), sandbox);
    let finished = destroyed(&bench.finish(sandbox));
    assert_eq!(finished, model.keep(sandbox, function));
    for sandbox in finished {
        bench.step(Event::Dead { sandbox });
    }
}

proptest! {
    #[test]
    fn evicts_what_the_model_evicts(calls in prop::collection::vec((0u64..6, 1u64..2_000), 1..120)) {
        let keep_alive = Choice::GreedyDual { idle_mib_max: Some(CACHE_MIB) };
        let mut bench = Bench::new(EngineConfig { keep_alive, ..config() });
        let mut model = Model::default();
        for (function, cost_ms) in calls {
            bench.now = bench.now + Duration::from_secs(1);
            call(&mut bench, &mut model, function, cost_ms);
        }
    }
}

#[test]
fn nothing_leaves_a_cache_without_a_bound_but_to_make_room() {
    let mut bench = Bench::new(EngineConfig { keep_alive: Choice::GreedyDual { idle_mib_max: None }, ..config() });
    let a = bench.idle(demand(&key(1, 1, 1)));
    bench.idle(demand(&key(1, 2, 1)));
    assert_eq!(destroyed(&bench.pass(Duration::from_secs(1_000_000))), []);
    let large = hearth_engine::Demand { memory_mib: 128 * 99, ..demand(&key(1, 3, 1)) };
    let (_, actions) = bench.invoke(large);
    assert_eq!(destroyed(&actions), [a]);
}
