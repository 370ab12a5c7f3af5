//! Sandboxes that do not come to be.

use std::time::Duration;

use hearth_engine::{Action, Demand, DestroyReason, EngineConfig, Event, FailReason};

use crate::harness::{Bench, ROOT, config, demand, destroyed, dispatched, key, made};

#[test]
fn a_failed_initialisation_fails_the_oldest_ticket_and_starts_nothing() {
    let mut bench = Bench::new(config());
    let (ticket, actions) = bench.invoke(demand(&key(1, 1, 1)));
    let sandbox = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox });
    let actions = bench.step(Event::InitFailed { sandbox });
    let destroy = Action::Destroy { sandbox, reason: DestroyReason::InitFailed };
    assert_eq!(actions, [destroy, Action::Fail { ticket, reason: FailReason::InitFailed { sandbox } }]);
    assert_eq!(bench.step(Event::Dead { sandbox }), []);
    let view = bench.engine.view();
    assert_eq!((view.tickets, view.memory_mib, view.versions.len()), (0, 0, 0));
}

#[test]
fn a_failed_initialisation_that_nobody_waits_for_fails_nobody() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (_, busy) = bench.start(demand(&key));
    let (ticket, actions) = bench.invoke(demand(&key));
    let started = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox: started });
    assert_eq!(dispatched(&bench.step(Event::Responded { sandbox: busy })), [(busy, ticket)]);
    assert_eq!(bench.step(Event::InitFailed { sandbox: started }).len(), 1);
}

#[test]
fn lost_sandboxes_are_replaced_but_not_for_ever() {
    let mut bench = Bench::new(config());
    let (ticket, actions) = bench.invoke(demand(&key(1, 1, 1)));
    let first = made(&actions)[0];
    let actions = bench.step(Event::BlankFailed { sandbox: first });
    let second = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox: second });
    let actions = bench.step(Event::Dead { sandbox: second });
    let third = made(&actions)[0];
    let actions = bench.step(Event::Dead { sandbox: third });
    assert_eq!(actions, [Action::Fail { ticket, reason: FailReason::SandboxLost }]);
    assert_eq!(bench.engine.view().memory_mib, 0);
}

#[test]
fn without_its_root_a_version_runs_only_where_it_is_warm() {
    let mut bench = Bench::new(config());
    let (warm, cold) = (key(1, 1, 1), key(1, 2, 2));
    let sandbox = bench.idle(demand(&warm));
    let (waiting, _) = bench.invoke(demand(&cold));
    let fail = |ticket| Action::Fail { ticket, reason: FailReason::RootGone };
    assert_eq!(bench.step(Event::RootGone { root: ROOT }), [fail(waiting)]);
    let (ticket, actions) = bench.invoke(demand(&cold));
    assert_eq!(actions, [fail(ticket)]);
    assert_eq!(dispatched(&bench.invoke(demand(&warm)).1)[0].0, sandbox);
    bench.step(Event::RootAvailable { root: ROOT });
    assert_eq!(bench.invoke(demand(&cold)).1.len(), 0, "the blank one in the making is for it");
}

#[test]
fn a_drain_finishes_what_was_admitted_and_takes_nothing_new() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let idle = bench.idle(demand(&key));
    let (_, busy) = bench.start(demand(&crate::harness::key(1, 2, 2)));
    let (waiting, actions) = bench.invoke(demand(&crate::harness::key(1, 3, 3)));
    let started = made(&actions)[0];
    assert_eq!(destroyed(&bench.step(Event::Drain)), [idle]);
    let (late, actions) = bench.invoke(demand(&key));
    assert_eq!(actions, [Action::Fail { ticket: late, reason: FailReason::Draining }]);
    bench.step(Event::BlankReady { sandbox: started });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox: started })), [(started, waiting)]);
    assert_eq!(destroyed(&bench.finish(started)), [started]);
    assert_eq!(destroyed(&bench.finish(busy)), [busy]);
}

#[test]
fn when_the_time_for_the_drain_is_up_nothing_is_begun_any_more() {
    let mut bench = Bench::new(EngineConfig { sandboxes_max: 3, ..config() });
    let versions = [key(1, 1, 1), key(1, 2, 2), key(1, 3, 3), key(1, 4, 4)];
    let (_, busy) = bench.start(demand(&versions[0]));
    let (_, finishing) = bench.start(demand(&versions[1]));
    bench.step(Event::Responded { sandbox: finishing });
    let (bound, _) = bench.invoke(demand(&versions[1]));
    let (coming, actions) = bench.invoke(demand(&versions[2]));
    let started = made(&actions)[0];
    let (short, _) = bench.invoke(demand(&versions[3]));
    bench.step(Event::Drain);
    let fail = |ticket| Action::Fail { ticket, reason: FailReason::Draining };
    assert_eq!(bench.step(Event::Stop), [fail(coming), fail(short)]);
    assert_eq!(bench.step(Event::Dead { sandbox: finishing }), [fail(bound)]);
    assert_eq!(bench.step(Event::Dead { sandbox: busy }), [], "its room is nobody's");
    bench.step(Event::BlankReady { sandbox: started });
    bench.step(Event::Dead { sandbox: started });
    let view = bench.engine.view();
    assert_eq!((view.tickets, view.queued, view.memory_mib), (0, 0, 0));
}

#[test]
fn what_is_lost_before_it_has_run_anything_is_replaced_until_the_time_to_wait_is_up() {
    let mut bench = Bench::new(config());
    let deadline = bench.now + Duration::from_secs(60);
    let (ticket, actions) = bench.invoke(Demand { queue_deadline: deadline, ..demand(&key(1, 1, 1)) });
    let mut sandbox = made(&actions)[0];
    for _ in 0..5 {
        bench.step(Event::BlankReady { sandbox });
        let actions = bench.step(Event::Lost { sandbox });
        assert_eq!(destroyed(&actions), [sandbox]);
        assert_eq!(bench.step(Event::Lost { sandbox }), [], "nothing new");
        let fresh = made(&actions)[0];
        assert_eq!(bench.step(Event::Dead { sandbox }), []);
        sandbox = fresh;
    }
    bench.pass(Duration::from_secs(60));
    bench.step(Event::BlankReady { sandbox });
    let destroy = Action::Destroy { sandbox, reason: DestroyReason::Lost };
    let fail = Action::Fail { ticket, reason: FailReason::SandboxLost };
    assert_eq!(bench.step(Event::Lost { sandbox }), [destroy, fail]);
}

#[test]
fn a_lost_one_is_replaced_however_long_it_had_taken() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (ticket, actions) = bench.invoke(demand(&key));
    let mut sandbox = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox });
    bench.pass(Duration::from_secs(600));
    sandbox = made(&bench.step(Event::Lost { sandbox }))[0];
    bench.step(Event::BlankReady { sandbox });
    assert_eq!(dispatched(&bench.step(Event::Initialised { sandbox })), [(sandbox, ticket)]);
    assert_eq!(made(&bench.step(Event::Undelivered { sandbox })).len(), 1);
}

#[test]
fn blanks_that_are_lost_are_not_given_out_any_more() {
    let mut bench = Bench::new(EngineConfig { blanks_per_root: 2, ..config() });
    let blanks = made(&bench.step(Event::RootAvailable { root: ROOT }));
    for sandbox in blanks.iter().copied() {
        bench.step(Event::BlankReady { sandbox });
    }
    for sandbox in blanks.iter().copied() {
        assert_eq!(destroyed(&bench.step(Event::Lost { sandbox })), [sandbox]);
    }
    let (_, actions) = bench.invoke(demand(&key(1, 1, 1)));
    let [fresh] = made(&actions)[..] else { panic!("{actions:?}") };
    let ready = bench.step(Event::BlankReady { sandbox: fresh });
    assert!(matches!(ready[..], [Action::Assign { .. }, ..]), "{ready:?}");
}

#[test]
fn a_sandbox_that_does_not_end_holds_its_memory_until_it_does() {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 128, ..config() });
    let version = key(1, 1, 1);
    let (_, actions) = bench.invoke(demand(&version));
    let sandbox = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox });
    bench.step(Event::InitFailed { sandbox });
    let far = bench.now + Duration::from_secs(100_000);
    let waiting = Demand { queue_deadline: far, ..demand(&key(1, 2, 2)) };
    assert_eq!(made(&bench.invoke(waiting).1), []);
    assert_eq!(made(&bench.pass(Duration::from_secs(3600))), [], "it is still there");
    assert_eq!(bench.engine.view().memory_mib, 128);
    assert_eq!(made(&bench.step(Event::Dead { sandbox })).len(), 1);
    assert_eq!(bench.engine.view().counters.anomalies, 0);
}
