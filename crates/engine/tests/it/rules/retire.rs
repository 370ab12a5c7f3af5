//! Versions that are no longer current.

use hearth_engine::{Action, DestroyReason, Event};

use crate::harness::{Bench, config, demand, destroyed, dispatched, key, made};

#[test]
fn idle_ones_end_at_once_and_busy_ones_when_done() {
    let mut bench = Bench::new(config());
    let (old, other) = (key(1, 1, 1), key(1, 2, 2));
    let (_, busy) = bench.start(demand(&old));
    let idle = bench.idle(demand(&old));
    let kept = bench.idle(demand(&other));
    let reason = DestroyReason::Retired;
    assert_eq!(bench.step(Event::Retire { keys: vec![old] }), [Action::Destroy { sandbox: idle, reason }]);
    assert_eq!(bench.step(Event::Responded { sandbox: busy }), []);
    assert_eq!(bench.step(Event::Idle { sandbox: busy }), [Action::Destroy { sandbox: busy, reason }]);
    assert_eq!(dispatched(&bench.invoke(demand(&other)).1)[0].0, kept);
}

#[test]
fn a_late_invoke_runs_in_a_sandbox_of_its_own_which_is_not_kept() {
    let mut bench = Bench::new(config());
    let old = key(1, 1, 1);
    let (_, busy) = bench.start(demand(&old));
    bench.step(Event::Retire { keys: vec![old.clone()] });
    bench.step(Event::Responded { sandbox: busy });
    let (ticket, actions) = bench.invoke(demand(&old));
    assert_eq!(dispatched(&actions), []);
    let fresh = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox: fresh });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: fresh })), [(fresh, ticket)]);
    assert_eq!(destroyed(&bench.finish(fresh)), [fresh]);
}

#[test]
fn a_retire_that_overtakes_the_first_invoke_still_counts() {
    let mut bench = Bench::new(config());
    let old = key(1, 1, 1);
    bench.step(Event::Retire { keys: vec![old.clone()] });
    let (_, sandbox) = bench.start(demand(&old));
    assert_eq!(destroyed(&bench.finish(sandbox)), [sandbox]);
}

#[test]
fn retirements_are_remembered_within_bounds() {
    let mut bench = Bench::new(config());
    for generation in 0..10_000 {
        bench.step(Event::Retire { keys: vec![key(1, 1, generation)] });
    }
    let (_, sandbox) = bench.start(demand(&key(1, 1, 9_999)));
    assert_eq!(destroyed(&bench.finish(sandbox)), [sandbox]);
    bench.step(Event::Dead { sandbox });
    let (_, sandbox) = bench.start(demand(&key(1, 1, 0)));
    assert_eq!(bench.finish(sandbox), [], "forgotten: kept until it expires, for a key that nobody asks for");
}
