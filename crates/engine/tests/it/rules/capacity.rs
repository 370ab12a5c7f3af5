//! Memory, places and who gets them.

use std::time::Duration;

use hearth_engine::capacity::PoolName;
use hearth_engine::{Action, Demand, DestroyReason, EngineConfig, Event, FailReason, Ticket, Version};
use hearth_types::{Instant, SandboxId};

use crate::harness::{Bench, ROOT, config, demand, destroyed, dispatched, key, made};

const SECOND: Duration = Duration::from_secs(1);

fn places(sandboxes_max: usize) -> Bench {
    Bench::new(EngineConfig { sandboxes_max, ..config() })
}

fn of(account: u64, function: u64) -> Demand {
    demand(&key(account, function, function))
}

fn run(bench: &mut Bench, sandbox: SandboxId) -> Vec<(SandboxId, Ticket)> {
    bench.step(Event::BlankReady { sandbox });
    dispatched(&bench.step(Event::Initialised { sandbox }))
}

#[test]
fn the_least_recently_used_makes_room_and_its_memory_counts_until_it_is_gone() {
    let mut bench = places(2);
    let oldest = bench.idle(of(1, 1));
    bench.idle(of(1, 2));
    let (ticket, actions) = bench.invoke(of(1, 3));
    assert_eq!(actions, [Action::Destroy { sandbox: oldest, reason: DestroyReason::Evicted }]);
    let actions = bench.step(Event::Dead { sandbox: oldest });
    let sandbox = made(&actions)[0];
    assert_eq!(run(&mut bench, sandbox), [(sandbox, ticket)]);
}

#[test]
fn room_is_made_at_once_for_each_who_needs_it_and_not_twice() {
    let mut bench = places(3);
    for function in 1..=3 {
        bench.idle(of(1, function));
    }
    assert_eq!(destroyed(&bench.invoke(of(1, 4)).1), [SandboxId(1)]);
    assert_eq!(destroyed(&bench.invoke(of(1, 5)).1), [SandboxId(2)]);
    assert_eq!(destroyed(&bench.step(Event::Tick)), []);
    for sandbox in [SandboxId(2), SandboxId(1)] {
        let actions = bench.step(Event::Dead { sandbox });
        assert_eq!((made(&actions).len(), destroyed(&actions).len()), (1, 0));
    }
}

#[test]
fn memory_is_never_promised_twice() {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 1000, ..config() });
    let big = Demand { memory_mib: 600, ..of(1, 1) };
    let (_, actions) = bench.invoke(big.clone());
    let sandbox = made(&actions)[0];
    let (waiting, actions) = bench.invoke(big);
    assert_eq!(actions, []);
    run(&mut bench, sandbox);
    assert_eq!(bench.engine.view().memory_mib, 600);
    assert_eq!(dispatched(&bench.finish(sandbox)), [(sandbox, waiting)]);
}

#[test]
fn what_can_never_fit_fails_at_once() {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 1000, ..config() });
    let (ticket, actions) = bench.invoke(Demand { memory_mib: 1001, ..of(1, 1) });
    assert_eq!(actions, [Action::Fail { ticket, reason: FailReason::TooLarge }]);
    assert_eq!(bench.engine.view().versions.len(), 0);
}

#[test]
fn who_waits_in_vain_fails_at_its_deadline() {
    let mut bench = places(1);
    bench.start(of(1, 1));
    let (ticket, actions) = bench.invoke(Demand { queue_deadline: Instant::ZERO + 5 * SECOND, ..of(1, 2) });
    assert_eq!(actions, []);
    assert_eq!(bench.pass(5 * SECOND - Duration::from_nanos(1)), []);
    assert_eq!(
        bench.pass(Duration::from_nanos(1)),
        [Action::Fail { ticket, reason: FailReason::Capacity { pool: PoolName::general() } }]
    );
}

#[test]
fn it_is_counted_who_waited_for_a_place_and_how_long() {
    let mut bench = places(1);
    let (_, sandbox) = bench.start(of(1, 1));
    let waits = |bench: &Bench| {
        let counters = bench.engine.view().sub_pools[0].counters;
        (counters.waits, counters.waited_us)
    };
    bench.invoke(of(1, 2));
    bench.invoke(Demand { queue_deadline: Instant::ZERO + 5 * SECOND, ..of(1, 3) });
    bench.pass(2 * SECOND);
    assert_eq!(waits(&bench), (0, 0));
    bench.finish(sandbox);
    bench.step(Event::Dead { sandbox });
    assert_eq!(waits(&bench), (1, 2_000_000), "the first has its place");
    bench.pass(8 * SECOND);
    assert_eq!(waits(&bench), (2, 7_000_000), "the second waited in vain");
}

#[test]
fn who_has_a_sandbox_on_its_way_waits_past_the_deadline() {
    let mut bench = places(1);
    let (ticket, actions) = bench.invoke(Demand { queue_deadline: Instant::ZERO + 5 * SECOND, ..of(1, 1) });
    let sandbox = made(&actions)[0];
    assert_eq!(bench.pass(20 * SECOND), []);
    assert_eq!(run(&mut bench, sandbox), [(sandbox, ticket)]);
}

#[test]
fn the_queue_is_bounded_and_the_account_that_fills_it_pays() {
    let mut bench = Bench::new(EngineConfig { sandboxes_max: 1, queue_len_max: 10, ..config() });
    bench.start(of(1, 1));
    let tickets: Vec<_> = (0..10).map(|_| bench.invoke(of(1, 1)).0).collect();
    let fail = |ticket| Action::Fail { ticket, reason: FailReason::Capacity { pool: PoolName::general() } };
    let (own, actions) = bench.invoke(of(1, 1));
    assert_eq!(actions, [fail(own)]);
    let (_, actions) = bench.invoke(of(2, 2));
    assert_eq!(actions, [fail(tickets[9])]);
    assert_eq!(bench.engine.view().queued, 10);
}

/// Makes and initialises all that is asked for; returns the sandboxes that got an attempt.
fn settle(bench: &mut Bench, actions: Vec<Action>) -> Vec<SandboxId> {
    let mut served: Vec<SandboxId> = dispatched(&actions).into_iter().map(|(sandbox, _)| sandbox).collect();
    for action in actions {
        let more = match action {
            Action::MakeBlank { sandbox, .. } => bench.step(Event::BlankReady { sandbox }),
            Action::Assign { sandbox, .. } => bench.step(Event::Initialised { sandbox }),
            _ => continue,
        };
        served.extend(settle(bench, more));
    }
    served
}

#[test]
fn a_host_without_memory_gets_back_blanks_then_idle_ones_and_nothing_that_is_provisioned_or_runs() {
    let mut bench = Bench::new(EngineConfig { blanks_per_root: 2, ..config() });
    let kept = Version { key: key(1, 9, 9), root: ROOT, memory_mib: 128, timeout: SECOND };
    let actions = bench.step(Event::Provision { version: kept, count: 1, reserved: None });
    settle(&mut bench, actions);
    let mut idle = Vec::new();
    for function in 1..=3 {
        let (_, actions) = bench.invoke(of(1, function));
        idle.extend(settle(&mut bench, actions));
        if function < 3 {
            bench.finish(idle[idle.len() - 1]);
        }
    }
    let blanks = bench.engine.view().sandboxes.blank;
    let ended = destroyed(&bench.step(Event::Pressure { memory_mib: 16 * u64::try_from(blanks).expect("few") + 1 }));
    assert_eq!((ended.len(), ended.last()), (blanks + 1, Some(&idle[0])));
    let ended = destroyed(&bench.step(Event::Pressure { memory_mib: 1_000_000 }));
    assert_eq!(ended, [idle[1]]);
    let view = bench.engine.view().sandboxes;
    assert_eq!((view.idle, view.busy), (1, 1));
}

#[test]
fn places_go_round_by_account() {
    let mut bench = places(1);
    let (_, sandbox) = bench.start(of(1, 1));
    for function in 2..=4 {
        bench.invoke(of(1, function));
    }
    let (other, _) = bench.invoke(of(2, 5));
    bench.finish(sandbox);
    let first = made(&bench.step(Event::Dead { sandbox }))[0];
    run(&mut bench, first);
    bench.finish(first);
    let second = made(&bench.step(Event::Dead { sandbox: first }))[0];
    assert_eq!(run(&mut bench, second), [(second, other)]);
}

#[test]
fn whoever_has_waited_too_long_gets_a_sandbox_that_is_in_demand() {
    let mut bench = places(1);
    let (_, sandbox) = bench.start(of(1, 1));
    let (hungry, _) = bench.invoke(of(2, 2));
    for _ in 0..9 {
        bench.invoke(of(1, 1));
        bench.pass(SECOND / 10);
        assert_eq!(dispatched(&bench.finish(sandbox)).len(), 1, "not before its patience is at its end");
    }
    bench.invoke(of(1, 1));
    bench.pass(SECOND / 10);
    let reason = DestroyReason::Yielded;
    assert_eq!(bench.finish(sandbox), [Action::Destroy { sandbox, reason }]);
    let fresh = made(&bench.step(Event::Dead { sandbox }))[0];
    assert_eq!(run(&mut bench, fresh), [(fresh, hungry)]);
}

#[test]
fn small_ones_do_not_pass_by_a_large_one_for_ever() {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 4 * 128, ..config() });
    let busy: Vec<_> = (1..=4).map(|function| bench.start(of(1, function)).1).collect();
    let (large, _) = bench.invoke(Demand { memory_mib: 4 * 128, ..of(2, 9) });
    let mut served = Vec::new();
    for (small, sandbox) in (10..).zip(busy) {
        bench.pass(SECOND);
        bench.invoke(of(1, small));
        for sandbox in destroyed(&bench.finish(sandbox)) {
            served.extend(made(&bench.step(Event::Dead { sandbox })));
        }
    }
    assert_eq!(served.len(), 1);
    assert_eq!(run(&mut bench, served[0]), [(served[0], large)]);
}

/// Three versions of one account always want more than there is; another account's ticket must come through each time.
#[test]
fn nobody_starves_beside_those_who_never_have_enough() {
    let mut bench = places(2);
    let mut busy: Vec<SandboxId> = Vec::new();
    let mut pending: Vec<Action> = Vec::new();
    for function in [1, 1, 1, 2, 2, 2, 3, 3, 3] {
        pending.extend(bench.invoke(of(1, function)).1);
    }
    for round in 0..20 {
        let (light, actions) = bench.invoke(of(2, 100 + round));
        pending.extend(actions);
        let asked = bench.now;
        let mut served = false;
        while !served {
            assert!(bench.now.since(asked) <= 8 * SECOND, "round {round}: still waiting");
            for action in std::mem::take(&mut pending) {
                match action {
                    Action::MakeBlank { sandbox, .. } => pending.extend(bench.step(Event::BlankReady { sandbox })),
                    Action::Assign { sandbox, .. } => pending.extend(bench.step(Event::Initialised { sandbox })),
                    Action::Destroy { sandbox, .. } => pending.extend(bench.step(Event::Dead { sandbox })),
                    Action::Dispatch { sandbox, ticket, .. } => {
                        served |= ticket == light;
                        busy.push(sandbox);
                    }
                    _ => {}
                }
            }
            pending.extend(bench.pass(SECOND / 10));
            for sandbox in std::mem::take(&mut busy) {
                pending.extend(bench.finish(sandbox));
            }
            while bench.engine.view().tickets < 9 {
                let function = 1 + bench.now.as_nanos() % 3;
                pending.extend(bench.invoke(of(1, function)).1);
            }
        }
    }
}
