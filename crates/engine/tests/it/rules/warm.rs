//! Reuse of sandboxes.

use hearth_engine::{Action, ColdReason, DestroyReason, Event, Purpose, Start};

use hearth_types::SandboxId;

use crate::harness::{Bench, config, demand, dispatched, key, made};

#[test]
fn cold_then_warm_in_the_same_sandbox() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (first, actions) = bench.invoke(demand(&key));
    let sandbox = made(&actions)[0];
    let actions = bench.step(Event::BlankReady { sandbox });
    assert_eq!(
        actions,
        [Action::Assign { sandbox, key: key.clone(), ticket: Some(first), purpose: Purpose::Invocation, urgent: true }]
    );
    let actions = bench.step(Event::Initialised { sandbox });
    assert_eq!(actions, [Action::Dispatch { sandbox, ticket: first, start: Start::Cold(ColdReason::First) }]);
    assert_eq!(bench.finish(sandbox), []);
    let (second, actions) = bench.invoke(demand(&key));
    assert_eq!(actions, [Action::Dispatch { sandbox, ticket: second, start: Start::Warm }]);
    assert_eq!(bench.engine.view().counters.anomalies, 0);
}

#[test]
fn most_recently_used_first() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, a) = bench.start(demand(&key));
    let (_, b) = bench.start(demand(&key));
    bench.finish(b);
    bench.finish(a);
    assert_eq!(dispatched(&bench.invoke(demand(&key)).1)[0].0, a);
    assert_eq!(dispatched(&bench.invoke(demand(&key)).1)[0].0, b);
}

#[test]
fn nothing_is_shared_between_generations_functions_or_accounts() {
    let mut bench = Bench::new(config());
    bench.idle(demand(&key(1, 1, 1)));
    for other in [key(1, 1, 2), key(1, 2, 1), key(2, 1, 1)] {
        let (_, actions) = bench.invoke(demand(&other));
        assert_eq!(dispatched(&actions), []);
        assert_eq!(made(&actions).len(), 1);
    }
}

#[test]
fn waiting_ticket_takes_whatever_comes_free_first_and_the_started_one_is_kept() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, busy) = bench.start(demand(&key));
    let (waiting, actions) = bench.invoke(demand(&key));
    let started = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox: started });
    assert_eq!(dispatched(&bench.step(Event::Responded { sandbox: busy })), [(busy, waiting)]);
    assert_eq!(bench.step(Event::Initialised { sandbox: started }), []);
    let (next, actions) = bench.invoke(demand(&key));
    assert_eq!(actions, [Action::Dispatch { sandbox: started, ticket: next, start: Start::Warm }]);
}

#[test]
fn waiting_tickets_are_served_in_order_of_arrival() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (first, actions) = bench.invoke(demand(&key));
    let a = made(&actions)[0];
    let (second, actions) = bench.invoke(demand(&key));
    let b = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox: b });
    bench.step(Event::BlankReady { sandbox: a });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: b })), [(b, first)]);
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: a })), [(a, second)]);
}

#[test]
fn an_abandoned_ticket_takes_nothing() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (ticket, actions) = bench.invoke(demand(&key));
    let sandbox = made(&actions)[0];
    assert_eq!(bench.step(Event::Abandon { ticket }), []);
    let reason = DestroyReason::Surplus;
    assert_eq!(bench.step(Event::BlankReady { sandbox }), [Action::Destroy { sandbox, reason }]);
    let view = bench.engine.view();
    assert_eq!((view.tickets, view.versions.len(), view.accounts.len()), (0, 0, 0));
}

#[test]
fn what_cannot_be_is_ignored_and_counted() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let sandbox = bench.idle(demand(&key));
    let unknown = SandboxId(999);
    for event in [
        Event::Idle { sandbox },
        Event::Responded { sandbox },
        Event::Withdrawn { sandbox },
        Event::Initialised { sandbox },
        Event::BlankReady { sandbox },
        Event::BlankFailed { sandbox },
        Event::InitFailed { sandbox },
        Event::Dead { sandbox: unknown },
        Event::Idle { sandbox: unknown },
    ] {
        assert_eq!(bench.step(event), []);
    }
    assert_eq!(bench.engine.view().counters.anomalies, 9);
    let (ticket, actions) = bench.invoke(demand(&key));
    assert_eq!(dispatched(&actions), [(sandbox, ticket)]);
    assert_eq!(bench.step(Event::Invoke { ticket, demand: demand(&key) }), []);
    assert_eq!(bench.engine.view().tickets, 1);
}
