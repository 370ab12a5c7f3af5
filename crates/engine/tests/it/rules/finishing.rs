//! Sandboxes that have responded and do not ask for more yet.

use std::time::Duration;

use hearth_engine::{Action, Demand, DestroyReason, Event, FailReason, Start};

use crate::harness::{Bench, config, demand, destroyed, dispatched, key, made};

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

#[test]
fn one_that_never_asks_for_more_is_ended_when_its_time_is_up() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, sandbox) = bench.start(demand(&key));
    bench.step(Event::Responded { sandbox });
    assert_eq!(bench.pass(Duration::from_millis(2999)), []);
    assert_eq!(bench.pass(Duration::from_millis(1)), [Action::Destroy { sandbox, reason: DestroyReason::Overdue }]);
    let (_, actions) = bench.invoke(demand(&key));
    assert_eq!((dispatched(&actions).len(), made(&actions).len()), (0, 1), "it gets nothing more");
    assert_eq!(bench.step(Event::Idle { sandbox }), [], "not even if it asks after all");
    assert_eq!(bench.pass(Duration::from_secs(60)), [], "it is ended once");
    assert_eq!(bench.step(Event::Dead { sandbox }), []);
    assert_eq!(bench.engine.view().sandboxes.finishing, 0);
}

#[test]
fn one_that_asks_in_time_has_its_time_again_for_the_next_run() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, sandbox) = bench.start(demand(&key));
    for _ in 0..5 {
        bench.pass(Duration::from_secs(2));
        bench.step(Event::Responded { sandbox });
        assert_eq!(dispatched(&bench.invoke(demand(&key)).1).len(), 1);
        assert_eq!(bench.step(Event::Idle { sandbox }), []);
    }
}

#[test]
fn an_agent_that_neither_gives_a_ticket_back_nor_runs_it_does_not_keep_it() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, silent) = bench.start(demand(&key));
    bench.step(Event::Responded { sandbox: silent });
    let (ticket, _) = bench.invoke(demand(&key));
    assert_eq!(destroyed(&bench.pass(Duration::from_secs(3))), [silent]);
    let fresh = made(&bench.step(Event::Dead { sandbox: silent }))[0];
    bench.step(Event::BlankReady { sandbox: fresh });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: fresh })), [(fresh, ticket)]);
}

#[test]
fn what_did_not_reach_its_sandbox_runs_elsewhere() {
    for bound in [false, true] {
        let mut bench = Bench::new(config());
        let key = key(1, 1, 1);
        let (_, sandbox) = bench.start(demand(&key));
        bench.step(Event::Responded { sandbox });
        if !bound {
            bench.step(Event::Idle { sandbox });
        }
        let (ticket, actions) = bench.invoke(demand(&key));
        assert_eq!(dispatched(&actions), [(sandbox, ticket)]);
        let fresh = made(&bench.step(Event::Undelivered { sandbox }))[0];
        assert_eq!(bench.step(Event::Dead { sandbox }), []);
        bench.step(Event::BlankReady { sandbox: fresh });
        assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: fresh })), [(fresh, ticket)]);
        assert_eq!(bench.step(Event::Undelivered { sandbox }), []);
        assert_eq!(bench.engine.view().counters.anomalies, 1);
    }
}

#[test]
fn what_reaches_no_sandbox_at_all_fails_when_its_time_is_up() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let deadline = bench.now + Duration::from_secs(60);
    let (ticket, mut sandbox) = bench.start(Demand { queue_deadline: deadline, ..demand(&key) });
    let mut actions = Vec::new();
    for _ in 0..7 {
        bench.pass(Duration::from_secs(10));
        actions = bench.step(Event::Undelivered { sandbox });
        bench.step(Event::Dead { sandbox });
        let Some(fresh) = made(&actions).first().copied() else { break };
        sandbox = fresh;
        bench.step(Event::BlankReady { sandbox });
        assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox })), [(sandbox, ticket)]);
    }
    assert_eq!(actions, [Action::Fail { ticket, reason: FailReason::SandboxLost }]);
    assert_eq!(bench.engine.view().tickets, 0);
}
