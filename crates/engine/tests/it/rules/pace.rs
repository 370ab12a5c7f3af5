//! Bursts: how many sandboxes of one version are started at a time.

use std::collections::VecDeque;
use std::time::Duration;

use hearth_engine::{Action, EngineConfig, Event, FailReason, Ticket};
use hearth_types::SandboxId;

use crate::harness::{Bench, ROOT, config, demand, destroyed, dispatched, key, made};

const CORES: usize = 2;

fn bench() -> Bench {
    Bench::new(EngineConfig { cores: CORES, ..config() })
}

/// Invokes the version so many times at once. Returns the tickets and what is made for them.
fn burst(bench: &mut Bench, function: u64, count: usize) -> (Vec<Ticket>, Vec<SandboxId>) {
    let key = key(1, function, function);
    let (tickets, made): (Vec<_>, Vec<_>) = (0..count)
        .map(|_| {
            let (ticket, actions) = bench.invoke(demand(&key));
            (ticket, self::made(&actions))
        })
        .unzip();
    (tickets, made.concat())
}

/// The blank one is ready, and so is its function. What follows from both.
fn come_up(bench: &mut Bench, sandbox: SandboxId) -> Vec<Action> {
    let mut actions = bench.step(Event::BlankReady { sandbox });
    actions.extend(bench.step(Event::Initialised { sandbox }));
    actions
}

#[test]
fn of_one_version_only_as_many_are_started_at_once_as_the_machine_takes() {
    let mut bench = bench();
    let (_, made) = burst(&mut bench, 1, 20);
    assert_eq!(made.len(), CORES + 1);
    assert_eq!(self::made(&come_up(&mut bench, made[0])).len(), 1, "the next begins when one is over");
    let (_, others) = burst(&mut bench, 2, 20);
    assert_eq!(others.len(), 1, "another version's first begins at once, the rest with the first one's");
}

#[test]
fn while_others_are_called_one_core_is_left_to_them() {
    let mut bench = bench();
    let other = bench.idle(demand(&key(1, 9, 9)));
    bench.pass(Duration::from_secs(1));
    bench.invoke(demand(&key(1, 9, 9)));
    bench.finish(other);
    let (_, made) = burst(&mut bench, 1, 20);
    assert_eq!(made.len(), CORES - 1);
    bench.pass(Duration::from_millis(40));
    assert_eq!(self::made(&come_up(&mut bench, made[0])).len(), 1);
    let more = bench.pass(Duration::from_secs(1));
    assert!(self::made(&more).len() > CORES, "nobody has called the other one for long: {more:?}");
}

/// Whether what is made or started by these actions may delay others.
fn urgent(actions: &[Action]) -> Vec<bool> {
    let urgent = |action: &Action| match action {
        Action::MakeBlank { urgent, .. } | Action::Assign { urgent, .. } => Some(*urgent),
        _ => None,
    };
    actions.iter().filter_map(urgent).collect()
}

#[test]
fn the_first_start_of_a_version_is_urgent_and_those_that_follow_closely_are_not() {
    let mut bench = bench();
    let (_, actions) = bench.invoke(demand(&key(1, 1, 1)));
    assert_eq!(urgent(&actions), [true]);
    let first = made(&actions)[0];
    assert_eq!(urgent(&come_up(&mut bench, first)), [true]);
    let (_, actions) = bench.invoke(demand(&key(1, 1, 1)));
    assert_eq!(urgent(&actions), [false], "even if the first one is over");
    let second = made(&actions)[0];
    assert_eq!(urgent(&come_up(&mut bench, second)), [false]);
    bench.pass(Duration::from_millis(250));
    let (_, actions) = bench.invoke(demand(&key(1, 1, 1)));
    assert_eq!(urgent(&actions), [true]);
    assert_eq!(urgent(&bench.invoke(demand(&key(1, 2, 2))).1), [true], "another version's");
}

#[test]
fn what_is_made_ahead_is_not_urgent() {
    let mut bench = Bench::new(EngineConfig { cores: CORES, blanks_per_root: 1, ..config() });
    assert_eq!(urgent(&bench.step(Event::RootAvailable { root: ROOT })), [false]);
}

#[test]
fn many_versions_are_started_at_once() {
    let mut bench = bench();
    let made: usize = (0..50).map(|function| burst(&mut bench, function, 1).1.len()).sum();
    assert_eq!(made, 50);
}

#[test]
fn whoever_waits_takes_what_comes_free() {
    let mut bench = bench();
    let (tickets, made) = burst(&mut bench, 1, 20);
    assert_eq!(dispatched(&come_up(&mut bench, made[0])), [(made[0], tickets[0])]);
    for ticket in &tickets[1..] {
        let answered = bench.finish(made[0]);
        assert_eq!(dispatched(&answered), [(made[0], *ticket)], "in order of arrival, by one sandbox");
    }
    let left: Vec<_> =
        made[1..].iter().flat_map(|sandbox| bench.step(Event::BlankReady { sandbox: *sandbox })).collect();
    assert_eq!(destroyed(&left), &made[1..], "nobody needs the others any more");
}

#[test]
fn starts_that_last_long_do_not_keep_others_waiting() {
    let mut bench = bench();
    let (_, made) = burst(&mut bench, 1, 20);
    for sandbox in made {
        bench.step(Event::BlankReady { sandbox });
    }
    let made = self::made(&bench.pass(Duration::from_millis(50)));
    assert_eq!(made.len(), CORES + 1);
    let made = self::made(&bench.pass(Duration::from_secs(1)));
    assert_eq!(made.len(), 20 - 2 * (CORES + 1));
}

#[test]
fn nobody_is_held_back_for_ever() {
    let mut bench =
        Bench::new(EngineConfig { cores: CORES, sandboxes_max: 1000, memory_mib_max: 128 * 1000, ..config() });
    let other = bench.idle(demand(&key(1, 9, 9)));
    let (_, first) = burst(&mut bench, 1, 900);
    let mut made = first.len();
    for _ in 0..51 {
        made += self::made(&bench.pass(Duration::from_millis(100))).len();
        bench.invoke(demand(&key(1, 9, 9)));
        bench.finish(other);
    }
    assert_eq!(made, 900);
}

#[test]
fn failed_starts_make_way_for_others() {
    let mut bench = bench();
    let (tickets, made) = burst(&mut bench, 1, 20);
    bench.step(Event::BlankReady { sandbox: made[0] });
    let actions = bench.step(Event::InitFailed { sandbox: made[0] });
    let reason = FailReason::InitFailed { sandbox: made[0] };
    assert!(actions.contains(&Action::Fail { ticket: tickets[0], reason }), "{actions:?}");
    assert_eq!(self::made(&actions).len(), 1);
    assert_eq!(self::made(&bench.step(Event::BlankFailed { sandbox: made[1] })).len(), 1);
    bench.step(Event::BlankReady { sandbox: made[2] });
    assert_eq!(self::made(&bench.step(Event::Dead { sandbox: made[2] })).len(), 1);
}

#[test]
fn those_that_give_up_are_not_started_for() {
    let mut bench = bench();
    let (tickets, made) = burst(&mut bench, 1, 20);
    for ticket in tickets {
        assert_eq!(bench.step(Event::Abandon { ticket }), []);
    }
    let left: Vec<_> = made.iter().flat_map(|sandbox| bench.step(Event::BlankReady { sandbox: *sandbox })).collect();
    assert_eq!(destroyed(&left), made);
    assert_eq!(burst(&mut bench, 2, 20).1.len(), CORES + 1, "none is in a hurry any more");
}

#[test]
fn a_burst_leaves_blank_ones_to_others() {
    let mut bench = Bench::new(EngineConfig { cores: CORES, blanks_per_root: 4, ..config() });
    let mut blanks = made(&bench.step(Event::RootAvailable { root: ROOT }));
    while let Some(sandbox) = blanks.pop() {
        blanks.extend(made(&bench.step(Event::BlankReady { sandbox })));
    }
    assert_eq!(bench.engine.view().roots[0].ready, 4);
    burst(&mut bench, 1, 20);
    assert_eq!(bench.engine.view().roots[0].ready, 2, "some are for others");
    let (_, actions) = bench.invoke(demand(&key(1, 2, 2)));
    assert!(matches!(actions[0], Action::Assign { .. }), "{actions:?}");
    assert_eq!(bench.engine.view().roots[0].ready, 1);
    assert_eq!(bench.engine.view().sandboxes.making, CORES, "one of them is to be ready for the next");
}

#[test]
fn what_others_took_is_made_again_while_the_burst_goes_on() {
    let mut bench = Bench::new(EngineConfig { cores: CORES, blanks_per_root: 4, ..config() });
    let mut blanks = VecDeque::from(made(&bench.step(Event::RootAvailable { root: ROOT })));
    while let Some(sandbox) = blanks.pop_front() {
        blanks.extend(made(&bench.step(Event::BlankReady { sandbox })));
    }
    let mut actions: VecDeque<Action> = (0..60).flat_map(|_| bench.invoke(demand(&key(1, 1, 1))).1).collect();
    for function in 2..5 {
        actions.extend(bench.invoke(demand(&key(1, function, function))).1);
    }
    assert_eq!(bench.engine.view().roots[0].ready, 0);
    let mut started = 0;
    while bench.engine.view().roots[0].ready < 2 {
        let answer = match actions.pop_front().expect("somebody is made or started") {
            Action::MakeBlank { sandbox, .. } => Event::BlankReady { sandbox },
            Action::Assign { sandbox, .. } => Event::Initialised { sandbox },
            _ => continue,
        };
        started += usize::from(matches!(answer, Event::Initialised { .. }));
        actions.extend(bench.step(answer));
    }
    assert!(started < 20, "the burst took all of them: {started}");
}

#[test]
fn blank_ones_are_made_a_few_at_a_time() {
    let mut bench = Bench::new(EngineConfig { cores: CORES, blanks_per_root: 9, ..config() });
    let blanks = made(&bench.step(Event::RootAvailable { root: ROOT }));
    assert_eq!(blanks.len(), CORES + 1);
    assert_eq!(made(&bench.step(Event::BlankReady { sandbox: blanks[0] })).len(), 1);
}

#[test]
fn what_is_being_made_is_for_whoever_is_alone_before_a_crowd() {
    let mut bench = bench();
    let (_, crowd) = burst(&mut bench, 1, 20);
    let (alone, _) = bench.invoke(demand(&key(1, 2, 2)));
    let assigned = |actions: &[Action]| {
        let assigned = |action: &Action| if let Action::Assign { ticket, .. } = action { *ticket } else { None };
        actions.iter().find_map(assigned)
    };
    assert_ne!(assigned(&bench.step(Event::BlankReady { sandbox: crowd[0] })), Some(alone), "it is the first one's");
    assert_eq!(assigned(&bench.step(Event::BlankReady { sandbox: crowd[1] })), Some(alone));
}
