//! Work that may wait: held back while load is high, started when it falls or its time is up.

use std::time::Duration;

use hearth_engine::capacity::{PoolName, Wishes};
use hearth_engine::{Action, Demand, EngineConfig, Event, FailReason, Room, Ticket};
use hearth_types::Instant;

use crate::harness::{Bench, config, demand, destroyed, dispatched, key, made};

const SECOND: Duration = Duration::from_secs(1);

fn of(function: u64) -> Demand {
    demand(&key(1, function, function))
}

fn patient(demand: Demand, defer: Duration) -> Demand {
    Demand { wishes: Some(Box::new(Wishes { defer: Some(defer), ..Wishes::default() })), ..demand }
}

/// Room for four sandboxes, of which three are in use.
fn peak() -> (Bench, [hearth_types::SandboxId; 3]) {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 4 * 128, ..config() });
    let busy = [1, 2, 3].map(|function| bench.start(of(function)).1);
    (bench, busy)
}

fn deferred(bench: &Bench) -> usize {
    bench.engine.view().deferred
}

fn admitted(actions: &[Action]) -> Vec<Ticket> {
    let admitted = |action: &Action| if let Action::Admit { ticket } = action { Some(*ticket) } else { None };
    actions.iter().filter_map(admitted).collect()
}

#[test]
fn without_load_it_starts_at_once() {
    let mut bench = Bench::new(config());
    let (ticket, actions) = bench.invoke(patient(of(1), 60 * SECOND));
    assert_eq!((admitted(&actions), made(&actions).len(), deferred(&bench)), (vec![ticket], 1, 0));
    assert_eq!(bench.engine.view().counters.deferred, 0);
}

#[test]
fn at_peak_it_waits_and_what_is_urgent_does_not() {
    let (mut bench, [first, ..]) = peak();
    let (ticket, actions) = bench.invoke(patient(of(4), 60 * SECOND));
    assert_eq!((actions, deferred(&bench)), (Vec::new(), 1));
    let (_, actions) = bench.invoke(of(5));
    let urgent = made(&actions);
    assert_eq!(urgent.len(), 1);
    bench.step(Event::BlankReady { sandbox: urgent[0] });
    bench.step(Event::Initialised { sandbox: urgent[0] });
    assert!(admitted(&bench.finish(urgent[0])).is_empty(), "three of four are still in use");
    let actions = bench.finish(first);
    assert_eq!((admitted(&actions), deferred(&bench)), (vec![ticket], 0));
    assert_eq!(bench.engine.view().tickets, 3);
    assert_eq!(bench.engine.view().counters.deferred, 1);
}

#[test]
fn whoever_asks_is_told_what_would_become_of_it() {
    let (mut bench, [first, ..]) = peak();
    let asked = |bench: &mut Bench, function| {
        let now = bench.now;
        let (before, loaded) = (deferred(bench), bench.engine.is_loaded_for(now, &of(function)));
        assert_eq!(deferred(bench), before);
        loaded
    };
    assert!(asked(&mut bench, 4));
    bench.finish(first);
    assert!(!asked(&mut bench, 4) && !asked(&mut bench, 1));
}

#[test]
fn whoever_asks_is_told_how_much_is_in_use() {
    let (mut bench, [first, ..]) = peak();
    let room = |bench: &Bench, function| bench.engine.room_for(bench.now, &key(1, function, function));
    let all = Room { total_mib: 4 * 128, in_use_mib: 3 * 128, shared: true };
    assert_eq!([room(&bench, 1), room(&bench, 9)], [all; 2]);
    bench.finish(first);
    assert_eq!(room(&bench, 1), Room { in_use_mib: 2 * 128, ..all }, "what is idle is not in use");
}

#[test]
fn it_waits_while_others_want_a_place() {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 4 * 128, ..config() });
    bench.start(of(1));
    bench.start(of(2));
    let (large, actions) = bench.invoke(Demand { memory_mib: 3 * 128, ..of(3) });
    assert!(actions.is_empty(), "there is no room for it");
    bench.invoke(patient(of(4), 60 * SECOND));
    assert_eq!(deferred(&bench), 1);
    let actions = bench.step(Event::Abandon { ticket: large });
    assert_eq!((admitted(&actions).len(), made(&actions).len()), (1, 1));
}

#[test]
fn at_the_end_of_its_time_it_is_like_any_other() {
    let (mut bench, [first, ..]) = peak();
    let (_, last) = bench.start(of(4));
    let wait = Demand { queue_deadline: bench.now + 5 * SECOND, ..of(5) };
    let (late, _) = bench.invoke(patient(wait, 10 * SECOND));
    assert!(bench.pass(9 * SECOND).is_empty());
    let (urgent, _) = bench.invoke(of(6));
    assert_eq!(admitted(&bench.pass(SECOND)), [late]);
    assert_eq!(bench.engine.view().queued, 2, "it waits for room behind the urgent one");
    bench.finish(first);
    let actions = bench.step(Event::Dead { sandbox: first });
    let sandbox = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox })), [(sandbox, urgent)]);
    let failed = |ticket| Action::Fail { ticket, reason: FailReason::Capacity { pool: PoolName::general() } };
    assert!(!bench.pass(4 * SECOND).contains(&failed(late)), "its wait for room began when it was admitted");
    assert!(bench.pass(SECOND).contains(&failed(late)));
    assert!(destroyed(&bench.finish(last)).is_empty());
}

#[test]
fn at_a_limit_it_waits_without_counting() {
    for limited in [Demand { reserved: Some(1), ..of(1) }, Demand { account_unreserved: 1, ..of(1) }] {
        let mut bench = Bench::new(config());
        let (_, sandbox) = bench.start(limited.clone());
        let (ticket, actions) = bench.invoke(patient(limited.clone(), 60 * SECOND));
        assert_eq!((actions.len(), bench.engine.view().tickets), (0, 1));
        let (_, actions) = bench.invoke(limited.clone());
        assert!(matches!(actions[..], [Action::Throttle { .. }]), "an urgent one does not wait");
        let actions = bench.step(Event::Responded { sandbox });
        assert_eq!((admitted(&actions), dispatched(&actions)), (vec![ticket], vec![(sandbox, ticket)]));
    }
}

#[test]
fn still_at_the_limit_when_its_time_is_up_it_is_throttled() {
    let limited = Demand { reserved: Some(1), ..of(1) };
    let mut bench = Bench::new(config());
    bench.start(limited.clone());
    let (late, _) = bench.invoke(patient(limited, SECOND));
    let actions = bench.pass(SECOND);
    assert!(matches!(actions[..], [Action::Throttle { ticket, .. }] if ticket == late), "{actions:?}");
    assert_eq!(deferred(&bench), 0);
}

#[test]
fn what_can_never_run_is_not_held_back() {
    let (mut bench, _) = peak();
    let (_, actions) = bench.invoke(patient(Demand { reserved: Some(0), ..of(4) }, SECOND));
    assert!(matches!(actions[..], [Action::Throttle { .. }]));
    let (ticket, actions) = bench.invoke(patient(Demand { memory_mib: 5000, ..of(5) }, SECOND));
    assert!(actions.contains(&Action::Fail { ticket, reason: FailReason::TooLarge }));
}

#[test]
fn an_account_has_only_so_many_held_back() {
    let limited = |function| Demand { account_unreserved: 3, ..of(function) };
    let mut bench = Bench::new(config());
    for function in 1..=3 {
        bench.start(limited(function));
    }
    (1..=3).for_each(|_| assert!(bench.invoke(patient(limited(4), SECOND)).1.is_empty()));
    let (_, actions) = bench.invoke(patient(limited(4), SECOND));
    assert!(matches!(actions[..], [Action::Throttle { .. }]), "{actions:?}");
}

#[test]
fn versions_take_turns_and_none_is_forgotten() {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 128, ..config() });
    let (_, mut sandbox) = bench.start(of(1));
    let mut left: Vec<Ticket> =
        (2..=41).map(|number| bench.invoke(patient(of(2 + number % 20), 900 * SECOND)).0).collect();
    let mut started: Vec<Ticket> = Vec::new();
    while !left.is_empty() {
        let mut actions = bench.finish(sandbox);
        while admitted(&actions).is_empty() {
            actions.extend(bench.pass(Duration::from_millis(10)));
        }
        let tickets = admitted(&actions);
        assert_eq!(tickets.len(), 1, "one at a time");
        started.extend(&tickets);
        left.retain(|ticket| !tickets.contains(ticket));
        let ended = destroyed(&actions);
        actions.extend(ended.into_iter().flat_map(|sandbox| bench.step(Event::Dead { sandbox })));
        sandbox = made(&actions)[0];
        bench.step(Event::BlankReady { sandbox });
        bench.step(Event::Initialised { sandbox });
    }
    let (early, late) = started.split_at(20);
    assert!(early.iter().max() < late.iter().min(), "each version once before any twice: {started:?}");
    assert!(bench.now < Instant::ZERO + 900 * SECOND);
}

#[test]
fn abandoned_or_drained_it_is_gone() {
    let (mut bench, [first, second, _]) = peak();
    let (ticket, _) = bench.invoke(patient(of(4), 60 * SECOND));
    bench.step(Event::Abandon { ticket });
    assert_eq!((deferred(&bench), bench.engine.view().counters.abandoned), (0, 1));
    assert!(bench.engine.view().versions.iter().all(|version| version.key != *of(4).key), "nothing keeps its pool");
    assert!(admitted(&bench.finish(first)).is_empty());
    let (ticket, _) = bench.invoke(patient(Demand { reserved: Some(1), ..of(2) }, 60 * SECOND));
    let actions = bench.step(Event::Drain);
    assert!(actions.contains(&Action::Fail { ticket, reason: FailReason::Draining }));
    assert!(admitted(&bench.finish(second)).is_empty());
    assert_eq!((deferred(&bench), bench.engine.view().counters.anomalies), (0, 0));
}
