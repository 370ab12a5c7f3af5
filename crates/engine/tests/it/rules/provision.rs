//! Sandboxes started ahead of need.

use std::time::Duration;

use hearth_engine::capacity::InstanceId;
use hearth_engine::port::ThrottleReason;
use hearth_engine::view::{ProvisionProblem, ProvisionView};
use hearth_engine::{Action, Demand, DestroyReason, EngineConfig, Event, Purpose, Start, Version};
use hearth_types::SandboxId;

use crate::harness::{Bench, ROOT, config, demand, destroyed, dispatched, key, made};

const SECOND: Duration = Duration::from_secs(1);

fn version(function: u64) -> Version {
    Version { key: key(1, function, function), root: ROOT, memory_mib: 128, timeout: SECOND }
}

fn of(function: u64) -> Demand {
    demand(&key(1, function, function))
}

fn provision(bench: &mut Bench, function: u64, count: u32) -> Vec<Action> {
    bench.step(Event::Provision { version: version(function), count, reserved: None })
}

fn provisioned(bench: &Bench, function: u64) -> ProvisionView {
    bench.engine.provisioned(&key(1, function, function)).expect("provisioned")
}

/// Makes and initialises all that is asked for, and what is asked for after that. Returns what was started.
fn make_all(bench: &mut Bench, actions: Vec<Action>) -> Vec<SandboxId> {
    let (mut started, mut waiting) = (Vec::new(), actions);
    while !waiting.is_empty() {
        for action in std::mem::take(&mut waiting) {
            match action {
                Action::MakeBlank { sandbox, .. } => waiting.extend(bench.step(Event::BlankReady { sandbox })),
                Action::Assign { sandbox, .. } => {
                    started.push(sandbox);
                    waiting.extend(bench.step(Event::Initialised { sandbox }));
                }
                Action::Destroy { sandbox, .. } => waiting.extend(bench.step(Event::Dead { sandbox })),
                _ => {}
            }
        }
    }
    started
}

#[test]
fn what_is_provisioned_is_started_a_few_at_a_time_and_serves_warm() {
    let mut bench = Bench::new(EngineConfig { ahead_max: 2, ..config() });
    let actions = provision(&mut bench, 1, 3);
    assert_eq!(made(&actions).len(), 2);
    let assigned = bench.step(Event::BlankReady { sandbox: SandboxId(1) });
    let (key, purpose) = (key(1, 1, 1), Purpose::Provisioned);
    assert_eq!(assigned, [Action::Assign { sandbox: SandboxId(1), key, ticket: None, purpose, urgent: true }]);
    let third = made(&bench.step(Event::Initialised { sandbox: SandboxId(1) }));
    assert_eq!(third, [SandboxId(3)]);
    let rest = vec![
        Action::MakeBlank { sandbox: SandboxId(2), root: ROOT, instance: InstanceId::NODE, urgent: true },
        Action::MakeBlank { sandbox: third[0], root: ROOT, instance: InstanceId::NODE, urgent: true },
    ];
    make_all(&mut bench, rest);
    let view = provisioned(&bench, 1);
    assert_eq!((view.requested, view.started, view.ready, view.idle), (3, 3, 3, 3));
    let (ticket, actions) = bench.invoke(of(1));
    let [Action::Dispatch { ticket: served, start: Start::Warm, .. }] = actions[..] else { panic!("{actions:?}") };
    assert_eq!(served, ticket);
    assert_eq!((provisioned(&bench, 1).ready, provisioned(&bench, 1).idle, provisioned(&bench, 1).running), (3, 2, 1));
}

#[test]
fn what_is_provisioned_neither_expires_nor_makes_room_and_is_replaced() {
    let mut bench = Bench::new(EngineConfig { sandboxes_max: 2, ..config() });
    let actions = provision(&mut bench, 1, 1);
    let kept = make_all(&mut bench, actions)[0];
    let actions = bench.pass(10_000 * SECOND);
    assert_eq!(actions, [Action::Freeze { sandbox: kept }]);
    let other = bench.idle(of(2));
    assert_eq!(destroyed(&bench.invoke(of(3)).1), [other]);
    let actions = bench.step(Event::Dead { sandbox: kept });
    assert_eq!(make_all(&mut bench, actions).len(), 1, "before the one who waits for a place");
    assert_eq!(provisioned(&bench, 1).ready, 1);
}

#[test]
fn room_for_what_is_provisioned_is_made_of_what_is_idle_but_not_of_what_runs() {
    let mut bench = Bench::new(EngineConfig { sandboxes_max: 3, ..config() });
    let idle = bench.idle(of(2));
    let (_, busy) = bench.start(of(3));
    let actions = provision(&mut bench, 1, 3);
    let (evicted, first) = (destroyed(&actions), made(&actions));
    assert_eq!((evicted, first.len()), (vec![idle], 1));
    make_all(&mut bench, actions);
    assert_eq!(provisioned(&bench, 1).ready, 2);
    assert_eq!(provisioned(&bench, 1).problem, Some(ProvisionProblem::Capacity));
    let actions = bench.finish(busy);
    assert_eq!(destroyed(&actions), [busy]);
    make_all(&mut bench, actions);
    let view = provisioned(&bench, 1);
    assert_eq!((view.ready, view.problem), (3, None));
}

#[test]
fn fewer_or_none_end_the_idle_ones_at_once_and_the_others_when_they_are_done() {
    let mut bench = Bench::new(config());
    let actions = provision(&mut bench, 1, 3);
    make_all(&mut bench, actions);
    let (_, actions) = bench.invoke(of(1));
    let (busy, _) = dispatched(&actions)[0];
    let actions = provision(&mut bench, 1, 2);
    assert_eq!(destroyed(&actions).len(), 1);
    assert_eq!(destroyed(&provision(&mut bench, 1, 0)).len(), 1);
    let actions = bench.finish(busy);
    assert_eq!(actions, [Action::Destroy { sandbox: busy, reason: DestroyReason::Unprovisioned }]);
    assert!(bench.engine.provisioned(&key(1, 1, 1)).is_none());
}

#[test]
fn a_replaced_version_keeps_nothing() {
    let mut bench = Bench::new(config());
    let actions = provision(&mut bench, 1, 2);
    make_all(&mut bench, actions);
    assert_eq!(destroyed(&bench.step(Event::Retire { keys: vec![key(1, 1, 1)] })).len(), 2);
    assert_eq!(provision(&mut bench, 1, 2), []);
}

#[test]
fn what_is_provisioned_counts_as_concurrency_whether_it_is_used_or_not() {
    let mut bench = Bench::new(config());
    let limited = |function| Demand { account_unreserved: 3, ..of(function) };
    let actions = provision(&mut bench, 1, 2);
    make_all(&mut bench, actions);
    bench.invoke(limited(2));
    let (ticket, actions) = bench.invoke(limited(2));
    let reason = ThrottleReason::ConcurrentInvocationLimitExceeded;
    assert_eq!(actions, [Action::Throttle { ticket, reason }]);
    for _ in 0..2 {
        assert_eq!(dispatched(&bench.invoke(limited(1)).1).len(), 1, "beyond the limit of others, within its own");
    }
    let (ticket, actions) = bench.invoke(limited(1));
    assert_eq!(actions, [Action::Throttle { ticket, reason }], "the spill-over shares with all others");
    assert_eq!(bench.engine.view().accounts[0].unreserved_provisioned, 2);
}

#[test]
fn within_a_reservation_what_is_provisioned_is_taken_from_the_other_versions() {
    let mut bench = Bench::new(config());
    let reserved = |generation| Demand { reserved: Some(2), ..demand(&key(1, 1, generation)) };
    let version = Version { key: key(1, 1, 1), root: ROOT, memory_mib: 128, timeout: SECOND };
    let actions = bench.step(Event::Provision { version, count: 2, reserved: Some(2) });
    make_all(&mut bench, actions);
    let (ticket, actions) = bench.invoke(reserved(2));
    let reason = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
    assert_eq!(actions, [Action::Throttle { ticket, reason }]);
    assert_eq!(dispatched(&bench.invoke(reserved(1)).1).len(), 1);
    assert_eq!(bench.engine.view().accounts[0].unreserved_provisioned, 0);
}

#[test]
fn a_failing_initialisation_is_told_and_tried_again_with_growing_pauses() {
    let mut bench = Bench::new(config());
    let mut sandbox = made(&provision(&mut bench, 1, 1))[0];
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        bench.step(Event::BlankReady { sandbox });
        bench.step(Event::InitFailed { sandbox });
        assert_eq!(bench.step(Event::Dead { sandbox }), []);
        assert_eq!(provisioned(&bench, 1).problem, Some(ProvisionProblem::Initialisation));
        assert_eq!(bench.pass(pause * SECOND - Duration::from_nanos(1)), []);
        sandbox = made(&bench.pass(Duration::from_nanos(1)))[0];
    }
    bench.step(Event::BlankReady { sandbox });
    bench.step(Event::Initialised { sandbox });
    assert_eq!(provisioned(&bench, 1).problem, None);
}

#[test]
fn an_attempt_takes_what_is_on_its_way_to_be_provisioned() {
    let mut bench = Bench::new(config());
    let sandbox = made(&provision(&mut bench, 1, 1))[0];
    bench.step(Event::BlankReady { sandbox });
    let (ticket, actions) = bench.invoke(of(1));
    assert_eq!(actions, []);
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox })), [(sandbox, ticket)]);
}

#[test]
fn too_large_and_without_a_runtime_is_told() {
    let mut bench = Bench::new(config());
    let version = Version { memory_mib: 1_000_000, ..version(1) };
    bench.step(Event::Provision { version, count: 1, reserved: None });
    assert_eq!(provisioned(&bench, 1).problem, Some(ProvisionProblem::TooLarge));
    bench.step(Event::RootGone { root: ROOT });
    provision(&mut bench, 2, 1);
    assert_eq!(provisioned(&bench, 2).problem, Some(ProvisionProblem::RootGone));
    let actions = bench.step(Event::RootAvailable { root: ROOT });
    make_all(&mut bench, actions);
    let view = provisioned(&bench, 2);
    assert_eq!((view.ready, view.problem), (1, None));
}

#[test]
fn prewarming_starts_what_is_missing_where_there_is_room_and_keeps_it_as_others_are_kept() {
    let mut bench = Bench::new(EngineConfig { sandboxes_max: 3, ..config() });
    bench.idle(of(1));
    let prewarm = |count| Event::Prewarm { version: version(1), count };
    let actions = bench.step(prewarm(2));
    assert_eq!(make_all(&mut bench, actions).len(), 1, "one is there");
    bench.idle(of(2));
    assert_eq!(bench.step(prewarm(3)), [], "nobody loses his place");
    assert_eq!(dispatched(&bench.invoke(of(1)).1).len(), 1);
    assert_eq!(destroyed(&bench.pass(100 * SECOND)).len(), 2);
}
