//! Concurrency limits.

use hearth_engine::port::ThrottleReason::{
    ConcurrentInvocationLimitExceeded, ReservedFunctionConcurrentInvocationLimitExceeded,
};
use hearth_engine::{Action, Demand, Event};

use crate::harness::{Bench, config, demand, dispatched, key, key_in, made};

#[test]
fn of_a_thousand_at_once_exactly_the_limit_runs() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (mut sandboxes, mut throttled) = (Vec::new(), 0);
    for _ in 0..1000 {
        let (ticket, actions) = bench.invoke(Demand { account_unreserved: 100, ..demand(&key) });
        sandboxes.extend(made(&actions));
        let reason = ConcurrentInvocationLimitExceeded;
        throttled += usize::from(actions == [Action::Throttle { ticket, reason }]);
    }
    assert_eq!((sandboxes.len(), throttled), (100, 900));
    for sandbox in sandboxes {
        bench.step(Event::BlankReady { sandbox });
        assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox })).len(), 1);
    }
    assert_eq!(bench.engine.view().accounts[0].unreserved_running, 100);
}

#[test]
fn a_reservation_bounds_its_function_and_nobody_else() {
    let mut bench = Bench::new(config());
    let reserved =
        |function| Demand { reserved: Some(2), account_unreserved: 1, ..demand(&key(1, function, function)) };
    let plain = |function| Demand { reserved: None, ..reserved(function) };
    bench.start(reserved(1));
    let (_, second) = bench.start(reserved(1));
    let (ticket, actions) = bench.invoke(reserved(1));
    assert_eq!(actions, [Action::Throttle { ticket, reason: ReservedFunctionConcurrentInvocationLimitExceeded }]);
    bench.start(plain(2));
    let (ticket, actions) = bench.invoke(plain(3));
    assert_eq!(actions, [Action::Throttle { ticket, reason: ConcurrentInvocationLimitExceeded }]);
    bench.step(Event::Responded { sandbox: second });
    let (ticket, actions) = bench.invoke(reserved(1));
    assert_eq!(dispatched(&actions), [(second, ticket)]);
}

#[test]
fn a_reservation_of_zero_admits_nobody_and_leaves_nothing_behind() {
    let mut bench = Bench::new(config());
    let (ticket, actions) = bench.invoke(Demand { reserved: Some(0), ..demand(&key(1, 1, 1)) });
    assert_eq!(actions, [Action::Throttle { ticket, reason: ReservedFunctionConcurrentInvocationLimitExceeded }]);
    let view = bench.engine.view();
    assert_eq!((view.versions.len(), view.accounts.len(), view.tickets), (0, 0, 0));
}

#[test]
fn a_reservation_is_shared_by_the_functions_versions() {
    let mut bench = Bench::new(config());
    bench.start(Demand { reserved: Some(1), ..demand(&key(1, 1, 1)) });
    let (_, actions) = bench.invoke(Demand { reserved: Some(1), ..demand(&key(1, 1, 2)) });
    assert!(matches!(actions[..], [Action::Throttle { .. }]));
}

#[test]
fn limits_hold_for_each_region_by_itself() {
    let mut bench = Bench::new(config());
    let one = |region| Demand { account_unreserved: 1, ..demand(&key_in(region, 1, 1, 1)) };
    let reserved = |region| Demand { reserved: Some(1), ..demand(&key_in(region, 1, 2, 1)) };
    for region in ["eu-west-1", "us-east-1"] {
        bench.start(one(region));
        assert!(matches!(bench.invoke(one(region)).1[..], [Action::Throttle { .. }]));
        bench.start(reserved(region));
        assert!(matches!(bench.invoke(reserved(region)).1[..], [Action::Throttle { .. }]));
    }
    let view = bench.engine.view();
    assert_eq!(view.accounts.len(), 1, "it is one account");
    assert_eq!((view.accounts[0].unreserved_running, view.versions.len()), (2, 4));
}

#[test]
fn a_death_gives_the_place_back() {
    let mut bench = Bench::new(config());
    let one = Demand { account_unreserved: 1, ..demand(&key(1, 1, 1)) };
    let (_, sandbox) = bench.start(one.clone());
    assert!(matches!(bench.invoke(one.clone()).1[..], [Action::Throttle { .. }]));
    bench.step(Event::Dead { sandbox });
    bench.start(one);
}
