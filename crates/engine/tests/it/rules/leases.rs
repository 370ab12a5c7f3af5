//! Instances that end: leases, ages and being taken away.

use std::time::Duration;

use hearth_engine::capacity::{Capacity, Instance, InstanceId, Owner};
use hearth_engine::{Action, DestroyReason, EngineConfig, Event};
use hearth_types::Instant;

use super::sub_pools::{account, end_all, instance, of, pool, shown, tell};
use crate::harness::{Bench, config, destroyed, dispatched, made};

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

/// Account 2 has two instances of its own; the lease of the first, which is cheaper, ends.
fn leased(lease_end: Option<Instant>) -> Bench {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 128, ..config() });
    tell(&mut bench, Capacity::SetPool(pool("own", Some(Owner::Account(account(2))))));
    tell(&mut bench, Capacity::Add(Instance { lease_end, cost_rate: 1, ..instance(1, "own") }));
    tell(&mut bench, Capacity::Add(instance(2, "own")));
    bench
}

fn used(bench: &Bench, id: u64) -> usize {
    shown(bench, id).map_or(0, |instance| instance.sandboxes)
}

#[test]
fn a_run_that_outlasts_the_lease_is_placed_elsewhere() {
    let mut bench = leased(Some(at(90)));
    let (_, sandbox) = bench.start(of(2, 1));
    assert_eq!(used(&bench, 1), 1);
    bench.pass(60 * SECOND);
    bench.finish(sandbox);
    let (_, actions) = bench.invoke(of(2, 1));
    assert_eq!(destroyed(&actions), [sandbox], "a minute is what it takes, and there is less");
    assert_eq!((made(&actions).len(), used(&bench, 2)), (1, 1));
    bench.start(of(2, 2));
    assert_eq!(
        (used(&bench, 1), used(&bench, 2)),
        (2, 1),
        "nothing is known of this one, but that it may take 3 seconds"
    );
}

#[test]
fn an_instance_is_drained_before_its_lease_ends_and_what_still_runs_then_is_ended() {
    let mut bench = leased(Some(at(60)));
    let idle = bench.idle(of(2, 1));
    let (_, busy) = bench.start(of(2, 2));
    assert_eq!(destroyed(&bench.pass(54 * SECOND)), []);
    assert_eq!(destroyed(&bench.pass(2 * SECOND)), [idle]);
    bench.step(Event::Dead { sandbox: idle });
    bench.start(of(2, 3));
    assert_eq!(used(&bench, 2), 1, "nothing new is placed there");
    let reason = DestroyReason::Reclaimed;
    assert_eq!(
        bench.pass(4 * SECOND),
        [Action::Freeze { sandbox: idle }, Action::Destroy { sandbox: busy, reason }][1..]
    );
    assert_eq!(bench.step(Event::Dead { sandbox: busy }), [Action::Release { instance: InstanceId(1) }]);
    assert_eq!(bench.engine.view().tickets, 1);
}

#[test]
fn an_instance_retires_at_its_age_when_its_runs_are_over() {
    let mut bench = leased(None);
    let aged = Instance { age_max: Some(30 * SECOND), cost_rate: 1, ..instance(1, "own") };
    tell(&mut bench, Capacity::Add(aged));
    let (_, busy) = bench.start(of(2, 1));
    assert_eq!(bench.pass(100 * SECOND), []);
    let actions = bench.finish(busy);
    assert_eq!(destroyed(&actions), [busy]);
    assert!(end_all(&mut bench, actions).contains(&Action::Release { instance: InstanceId(1) }));
}

#[test]
fn what_was_on_its_way_on_a_reclaimed_instance_starts_elsewhere() {
    let mut bench = leased(None);
    let (ticket, actions) = bench.invoke(of(2, 1));
    let first = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox: first });
    let (other, waiting) = bench.invoke(of(2, 2));
    assert_eq!((made(&waiting).len(), used(&bench, 1)), (1, 2));
    let actions = tell(&mut bench, Capacity::Reclaim { instance: InstanceId(1), at: at(10) });
    assert_eq!((destroyed(&actions), made(&actions).len(), used(&bench, 2)), (vec![first], 2, 2));
    let again = |sandbox| {
        bench.step(Event::BlankReady { sandbox });
        dispatched(&bench.step(Event::Initialised { sandbox }))[0].1
    };
    let mut served: Vec<_> = made(&actions).into_iter().map(again).collect();
    served.sort_unstable();
    assert_eq!(served, [ticket, other]);
}

#[test]
fn what_the_runtime_has_not_got_yet_runs_elsewhere_and_what_it_has_ends() {
    let mut bench = leased(None);
    let (_, sandbox) = bench.start(of(2, 1));
    bench.step(Event::Responded { sandbox });
    let (held, actions) = bench.invoke(of(2, 1));
    assert_eq!(dispatched(&actions), [(sandbox, held)], "held by the agent");
    let (_, busy) = bench.start(of(2, 2));
    let actions = tell(&mut bench, Capacity::Lost(InstanceId(1)));
    assert_eq!(destroyed(&actions), [sandbox, busy]);
    let actions = bench.step(Event::Dead { sandbox });
    let again = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox: again });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: again })), [(again, held)]);
    bench.step(Event::Dead { sandbox: busy });
    assert_eq!((bench.engine.view().tickets, used(&bench, 1), used(&bench, 2)), (1, 0, 1));
}

#[test]
fn a_removed_instance_finishes_what_runs() {
    let mut bench = leased(None);
    let (_, busy) = bench.start(of(2, 1));
    assert_eq!(tell(&mut bench, Capacity::Remove(InstanceId(1))), []);
    let (_, actions) = bench.invoke(of(2, 1));
    assert_eq!((made(&actions).len(), used(&bench, 2)), (1, 1));
    let actions = bench.finish(busy);
    assert_eq!(actions, [Action::Destroy { sandbox: busy, reason: DestroyReason::Reclaimed }]);
}
