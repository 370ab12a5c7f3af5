//! Sandboxes made ahead of need.

use std::time::Duration;

use hearth_engine::{Action, Demand, EngineConfig, Event, Purpose, RootId};

use crate::harness::{Bench, ROOT, config, demand, destroyed, dispatched, key, made};

fn with_blanks(blanks_per_root: usize) -> (Bench, Vec<hearth_types::SandboxId>) {
    let mut bench = Bench::new(EngineConfig { blanks_per_root, ..config() });
    let blanks = made(&bench.step(Event::RootAvailable { root: ROOT }));
    for sandbox in &blanks {
        bench.step(Event::BlankReady { sandbox: *sandbox });
    }
    (bench, blanks)
}

#[test]
fn as_many_as_wanted_are_made_and_replaced_when_taken() {
    let (mut bench, blanks) = with_blanks(3);
    assert_eq!(blanks.len(), 3);
    let key = key(1, 1, 1);
    let (ticket, actions) = bench.invoke(demand(&key));
    assert_eq!(
        actions[0],
        Action::Assign { sandbox: blanks[0], key, ticket: Some(ticket), purpose: Purpose::Invocation, urgent: true }
    );
    assert_eq!(made(&actions).len(), 1);
    assert_eq!(bench.step(Event::Initialised { sandbox: blanks[0] }).len(), 1);
}

#[test]
fn cold_starts_of_different_functions_do_not_wait_for_one_another() {
    let mut bench = Bench::new(config());
    let keys: Vec<_> = (0..50).map(|function| key(1, function, function)).collect();
    let sandboxes: Vec<_> = keys.iter().flat_map(|key| made(&bench.invoke(demand(key)).1)).collect();
    assert_eq!(sandboxes.len(), 50);
    for sandbox in sandboxes.iter().rev() {
        let actions = bench.step(Event::BlankReady { sandbox: *sandbox });
        assert!(matches!(actions[..], [Action::Assign { .. }]));
        assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: *sandbox })).len(), 1);
    }
}

#[test]
fn none_is_made_ahead_while_somebody_waits_for_one() {
    let (mut bench, blanks) = with_blanks(1);
    bench.invoke(demand(&key(1, 1, 1)));
    let (_, actions) = bench.invoke(demand(&key(1, 2, 2)));
    assert_eq!(made(&actions), [], "the refill under way is claimed");
    let refill = hearth_types::SandboxId(blanks[0].0 + 1);
    let actions = bench.step(Event::BlankReady { sandbox: refill });
    assert!(matches!(actions[..], [Action::Assign { .. }, Action::MakeBlank { .. }]), "{actions:?}");
}

#[test]
fn failing_ones_are_retried_with_growing_pauses() {
    let mut bench = Bench::new(EngineConfig { blanks_per_root: 1, ..config() });
    let mut blank = made(&bench.step(Event::RootAvailable { root: ROOT }))[0];
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(bench.step(Event::BlankFailed { sandbox: blank }), []);
        assert_eq!(bench.pass(Duration::from_secs(pause) - Duration::from_nanos(1)), []);
        blank = made(&bench.pass(Duration::from_nanos(1)))[0];
    }
}

#[test]
fn a_root_that_is_gone_takes_its_blanks_with_it() {
    let (mut bench, blanks) = with_blanks(2);
    assert_eq!(destroyed(&bench.step(Event::RootGone { root: ROOT })), blanks);
    for sandbox in blanks {
        assert_eq!(bench.step(Event::Dead { sandbox }), []);
    }
    assert_eq!(made(&bench.step(Event::RootAvailable { root: ROOT })).len(), 2);
}

#[test]
fn blanks_make_room_before_anything_warm_does() {
    let mut bench = Bench::new(EngineConfig { blanks_per_root: 1, sandboxes_max: 3, ..config() });
    let blank = made(&bench.step(Event::RootAvailable { root: RootId(2) }))[0];
    bench.step(Event::BlankReady { sandbox: blank });
    let on_root = |function| Demand { root: ROOT, ..demand(&key(1, function, function)) };
    let (_, actions) = bench.invoke(on_root(1));
    let warm = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox: warm });
    bench.step(Event::Initialised { sandbox: warm });
    bench.finish(warm);
    bench.invoke(on_root(2));
    let (_, actions) = bench.invoke(on_root(3));
    assert_eq!(destroyed(&actions), [blank]);
}

#[test]
fn what_is_ready_too_late_is_kept_only_up_to_the_wanted_number() {
    let (mut bench, blanks) = with_blanks(1);
    bench.invoke(demand(&key(1, 1, 1)));
    let refill = hearth_types::SandboxId(blanks[0].0 + 1);
    bench.step(Event::BlankReady { sandbox: refill });
    let (first, actions) = bench.invoke(demand(&key(1, 2, 2)));
    let next = made(&actions);
    let (second, actions) = bench.invoke(demand(&key(1, 3, 3)));
    let extra = [next, made(&actions)].concat();
    bench.step(Event::Abandon { ticket: second });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: refill })), [(refill, first)]);
    assert_eq!(bench.step(Event::BlankReady { sandbox: extra[0] }), []);
    for sandbox in &extra[1..] {
        assert_eq!(destroyed(&bench.step(Event::BlankReady { sandbox: *sandbox })), [*sandbox]);
    }
    assert_eq!(bench.engine.view().roots[0].ready, 1);
}
