//! Sandboxes that have responded and do not ask for more yet.

use std::time::Duration;

use hearth_engine::{Action, Event, Start};

use crate::harness::{Bench, config, demand, dispatched, key, made};

#[test]
fn a_finishing_sandbox_is_handed_the_next_ticket_at_once() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, sandbox) = bench.start(demand(&key));
    bench.step(Event::Responded { sandbox });
    let (ticket, actions) = bench.invoke(demand(&key));
    assert_eq!(actions, [Action::Dispatch { sandbox, ticket, start: Start::Warm }]);
    assert_eq!(bench.step(Event::Idle { sandbox }), []);
    assert_eq!(bench.pass(Duration::from_secs(1)), []);
    assert_eq!(bench.finish(sandbox), []);
}

#[test]
fn only_one_ticket_is_bound_to_it() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, sandbox) = bench.start(demand(&key));
    bench.step(Event::Responded { sandbox });
    bench.invoke(demand(&key));
    let (_, actions) = bench.invoke(demand(&key));
    assert_eq!((dispatched(&actions).len(), made(&actions).len()), (0, 1));
}

#[test]
fn a_slow_finisher_gives_the_ticket_back() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, slow) = bench.start(demand(&key));
    bench.step(Event::Responded { sandbox: slow });
    let (ticket, _) = bench.invoke(demand(&key));
    assert_eq!(bench.pass(Duration::from_millis(20)), [Action::Withdraw { sandbox: slow, ticket }]);
    let actions = bench.step(Event::Withdrawn { sandbox: slow });
    let fresh = made(&actions)[0];
    let (_, actions) = bench.invoke(demand(&key));
    assert_eq!(dispatched(&actions), [], "it is not trusted again before it asks");
    bench.step(Event::BlankReady { sandbox: fresh });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: fresh })), [(fresh, ticket)]);
    assert_eq!(dispatched(&bench.step(Event::Idle { sandbox: slow })).len(), 1);
}

#[test]
fn a_withdrawal_that_comes_too_late_changes_nothing() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, sandbox) = bench.start(demand(&key));
    bench.step(Event::Responded { sandbox });
    bench.invoke(demand(&key));
    assert_eq!(bench.pass(Duration::from_millis(20)).len(), 1);
    assert_eq!(bench.step(Event::Idle { sandbox }), []);
    assert_eq!(bench.finish(sandbox), []);
    assert_eq!(bench.engine.view().tickets, 0);
}

#[test]
fn the_bound_ticket_survives_the_death_of_the_sandbox() {
    for withdrawn in [false, true] {
        let mut bench = Bench::new(config());
        let key = key(1, 1, 1);
        let (_, sandbox) = bench.start(demand(&key));
        bench.step(Event::Responded { sandbox });
        let (ticket, _) = bench.invoke(demand(&key));
        if withdrawn {
            bench.pass(Duration::from_millis(20));
        }
        let actions = bench.step(Event::Dead { sandbox });
        let fresh = made(&actions)[0];
        bench.step(Event::BlankReady { sandbox: fresh });
        assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: fresh })), [(fresh, ticket)]);
    }
}
