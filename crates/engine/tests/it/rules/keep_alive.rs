//! Idle sandboxes as time passes.

use std::time::Duration;

use hearth_engine::{Action, DestroyReason, EngineConfig, Event, Start};

use crate::harness::{Bench, config, demand, destroyed, key};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn frozen_then_destroyed() {
    let mut bench = Bench::new(config());
    let sandbox = bench.idle(demand(&key(1, 1, 1)));
    assert_eq!(bench.pass(4 * SECOND), []);
    assert_eq!(bench.pass(SECOND), [Action::Freeze { sandbox }]);
    assert_eq!(bench.pass(54 * SECOND), []);
    assert_eq!(bench.pass(SECOND), [Action::Destroy { sandbox, reason: DestroyReason::Expired }]);
}

#[test]
fn thawed_before_it_is_used() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let sandbox = bench.idle(demand(&key));
    bench.pass(10 * SECOND);
    let (ticket, actions) = bench.invoke(demand(&key));
    assert_eq!(actions, [Action::Thaw { sandbox }, Action::Dispatch { sandbox, ticket, start: Start::Warm }]);
}

#[test]
fn use_starts_the_time_anew() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let sandbox = bench.idle(demand(&key));
    for _ in 0..10 {
        bench.pass(40 * SECOND);
        bench.invoke(demand(&key));
        bench.pass(10 * SECOND);
        bench.finish(sandbox);
    }
    assert_eq!(destroyed(&bench.pass(59 * SECOND)), []);
    assert_eq!(destroyed(&bench.pass(SECOND)), [sandbox]);
}

#[test]
fn surplus_ages_out() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, a) = bench.start(demand(&key));
    let (_, b) = bench.start(demand(&key));
    bench.finish(a);
    bench.finish(b);
    for _ in 0..5 {
        bench.pass(13 * SECOND);
        bench.invoke(demand(&key));
        bench.finish(b);
    }
    let view = bench.engine.view();
    assert_eq!((view.sandboxes.idle, view.counters.expired), (1, 1));
}

#[test]
fn never_frozen_if_so_configured() {
    let mut bench = Bench::new(EngineConfig { freeze_after: Duration::MAX, ..config() });
    let sandbox = bench.idle(demand(&key(1, 1, 1)));
    let reason = DestroyReason::Expired;
    assert_eq!(bench.pass(60 * SECOND), [Action::Destroy { sandbox, reason }]);
}

#[test]
fn few_wakes_for_much_traffic() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let sandbox = bench.idle(demand(&key));
    let mut actions = Vec::new();
    for ticket in 1_000..2_000 {
        let ticket = hearth_engine::Ticket(ticket);
        bench.now = bench.now + Duration::from_millis(1);
        bench.engine.step(bench.now, Event::Invoke { ticket, demand: demand(&key) }, &mut actions);
        bench.engine.step(bench.now, Event::Responded { sandbox }, &mut actions);
        bench.engine.step(bench.now, Event::Idle { sandbox }, &mut actions);
    }
    let wakes = actions.iter().filter(|action| matches!(action, Action::Wake { .. })).count();
    assert_eq!((actions.len(), wakes), (1000, 0));
}
