//! Hearth's own policy in the engine.

use std::time::Duration;

use hearth_engine::keep_alive::{Choice, Memory};
use hearth_engine::{Action, EngineConfig, Event, Purpose, Start};
use hearth_types::SandboxId;

use crate::harness::{Bench, config, demand, dispatched, key, made};

const QUARTER: Duration = Duration::from_secs(900);

fn bench() -> Bench {
    Bench::new(EngineConfig { keep_alive: Choice::HEARTH, ..config() })
}

/// Does what the engine wants while time passes, and returns which sandboxes were loaded ahead.
fn pass(bench: &mut Bench, duration: Duration) -> Vec<SandboxId> {
    let end = bench.now + duration;
    let mut loaded = Vec::new();
    while bench.now < end {
        let mut actions = bench.pass(Duration::from_secs(10));
        while let Some(action) = actions.pop() {
            match action {
                Action::MakeBlank { sandbox, .. } => actions.extend(bench.step(Event::BlankReady { sandbox })),
                Action::Assign { sandbox, purpose, ticket, .. } => {
                    assert_eq!((purpose, ticket), (Purpose::Prewarm, None));
                    loaded.push(sandbox);
                    actions.extend(bench.step(Event::Initialised { sandbox }));
                }
                Action::Destroy { sandbox, .. } => actions.extend(bench.step(Event::Dead { sandbox })),
                Action::Freeze { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    loaded
}

/// One call; whether it found a sandbox.
fn call(bench: &mut Bench, function: u64, generation: u64) -> bool {
    let (_, mut actions) = bench.invoke(demand(&key(1, function, generation)));
    let cold = made(&actions).first().copied();
    if let Some(sandbox) = cold {
        bench.step(Event::BlankReady { sandbox });
        actions = bench.step(Event::Initialised { sandbox });
    }
    assert!(actions.iter().any(|action| match action {
        Action::Dispatch { start, .. } => (*start == Start::Warm) == cold.is_none(),
        _ => false,
    }));
    let sandbox = dispatched(&actions)[0].0;
    bench.finish(sandbox);
    cold.is_none()
}

/// One that has seen a function called every hour.
fn hourly() -> Bench {
    let mut bench = bench();
    for _ in 0..20 {
        call(&mut bench, 1, 1);
        pass(&mut bench, 4 * QUARTER);
    }
    bench
}

#[test]
fn a_function_that_is_called_every_hour_is_loaded_ahead_of_that() {
    let mut bench = bench();
    let mut loaded = 0;
    for round in 0..20 {
        let warm = call(&mut bench, 1, 1);
        assert!(warm || round < 6, "round {round}");
        pass(&mut bench, 3 * QUARTER);
        loaded += pass(&mut bench, QUARTER).len();
    }
    assert!(loaded >= 4, "loaded {loaded} times shortly before it was needed");
}

#[test]
fn new_code_is_loaded_as_the_old_was() {
    let mut bench = hourly();
    bench.step(Event::Retire { keys: vec![key(1, 1, 1)] });
    pass(&mut bench, QUARTER);
    assert_eq!(bench.engine.view().sandboxes.idle, 0, "the old code is not loaded again");
    assert!(!call(&mut bench, 1, 2));
    pass(&mut bench, 4 * QUARTER);
    assert!(call(&mut bench, 1, 2));
}

#[test]
fn a_busy_function_is_kept_and_one_called_once_is_not_kept_for_long() {
    let mut bench = bench();
    call(&mut bench, 2, 1);
    for _ in 0..200 {
        call(&mut bench, 1, 1);
        pass(&mut bench, Duration::from_secs(60));
    }
    let view = bench.engine.view();
    assert_eq!((view.sandboxes.idle, view.counters.cold), (1, 2));
}

#[test]
fn what_was_learned_is_known_to_another_engine() {
    let mut before = hourly();
    call(&mut before, 2, 1);
    let memories = before.engine.memories(100);
    assert_eq!(memories.len(), 1, "of the other there is nothing yet");
    assert_eq!(before.engine.memories(100), [], "once");
    let second_call_is_warm = |memories, generation| {
        let mut bench = bench();
        bench.step(Event::Recall { memories });
        call(&mut bench, 1, generation);
        pass(&mut bench, 4 * QUARTER);
        call(&mut bench, 1, generation)
    };
    assert!(second_call_is_warm(memories.clone(), 1));
    let mut late = bench();
    call(&mut late, 1, 1);
    late.step(Event::Recall { memories: memories.clone() });
    pass(&mut late, 4 * QUARTER);
    assert!(call(&mut late, 1, 1), "of its first call nothing was learned");
    assert_eq!(late.engine.view().recalled, 0);
    assert!(second_call_is_warm(memories.clone(), 2), "as it would have been had the code changed here");
    assert!(!second_call_is_warm(Vec::new(), 1));
    let elsewhere = |memory: &Memory| Memory { region: "us-east-1".parse().unwrap(), ..memory.clone() };
    assert!(
        !second_call_is_warm(memories.iter().map(elsewhere).collect(), 1),
        "another Region's function of this name"
    );
    let damaged = memories.into_iter().map(|memory| Memory { learned: b"idle times 0".to_vec(), ..memory });
    assert!(!second_call_is_warm(damaged.collect(), 1));
}

#[test]
fn as_many_are_handed_out_as_are_wanted() {
    let mut bench = bench();
    for _ in 0..2 {
        for function in 1..=5 {
            call(&mut bench, function, 1);
        }
        pass(&mut bench, QUARTER);
    }
    assert_eq!([2, 2, 2, 2].map(|most| bench.engine.memories(most).len()), [2, 2, 1, 0]);
    call(&mut bench, 3, 1);
    let again = bench.engine.memories(9);
    assert_eq!(again.iter().map(|memory| memory.function.as_str()).collect::<Vec<_>>(), ["f3"]);
}
