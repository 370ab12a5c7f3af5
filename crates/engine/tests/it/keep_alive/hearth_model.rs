//! What Hearth's own policy remembers and answers, against models that keep every idle time and count anew.

use std::time::Duration;

use hearth_engine::keep_alive::{CELLS, Choice, Found, History, Idle, Keep, Known, Policy, Rest, bounds};
use hearth_types::Instant;
use proptest::prelude::*;

use crate::harness::key;

const VERSION: Known = Known(2);
/// Cells below a minute.
const SHORT: usize = 6;

fn idle_times() -> impl Strategy<Value = Vec<u64>> {
    let usual = prop_oneof![0u64..60, 60u64..600, 3_000u64..4_000, 0u64..100_000];
    let regular = (60u64..90_000, 1usize..200).prop_map(|(every, times)| vec![every; times]);
    let irregular = prop::collection::vec(usual, 0..80);
    prop_oneof![irregular.clone(), (irregular, regular).prop_map(|(some, same)| [some, same].concat())]
}

fn cell(seconds: u64) -> usize {
    (0..CELLS).rfind(|cell| bounds(*cell).0.as_secs() <= seconds).expect("the first begins at 0")
}

/// How many idle times ended in each cell. What is common is halved, with all that is shorter.
fn counts(idle_times: &[u64]) -> Vec<usize> {
    let mut counts = vec![0; CELLS];
    for cell in idle_times.iter().map(|seconds| cell(*seconds)) {
        counts[cell] += 1;
        if cell >= SHORT && counts[cell] == 64 {
            counts[SHORT..=cell].iter_mut().for_each(|count| *count /= 2);
        }
    }
    counts
}

/// When sandboxes came to rest and when they were needed, seconds; one after the other, or many at a time.
fn periods() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let step = prop_oneof![Just(None), (0u64..100).prop_map(Some), (0u64..10_000).prop_map(Some)];
    let steps = idle_times().prop_flat_map(move |idle_times| {
        let steps = prop::collection::vec(step.clone(), idle_times.len());
        (Just(idle_times), steps)
    });
    steps.prop_map(|(idle_times, steps)| {
        let mut now = 0;
        let period = |(idle, step): (u64, Option<u64>)| {
            now += step.unwrap_or(idle);
            (now.saturating_sub(idle), now)
        };
        idle_times.into_iter().zip(steps).map(period).collect()
    })
}

/// The idle times that count: of those that overlap and are about as long, the first.
fn counted(periods: &[(u64, u64)]) -> Vec<u64> {
    let mut last = None;
    let counts = |(since, until): &(u64, u64)| {
        let cell = cell(until - since);
        let again = last.is_some_and(|(end, other): (u64, usize)| *since < end && cell.abs_diff(other) <= 1);
        if cell >= SHORT && !again {
            last = Some((*until, cell));
        }
        (cell < SHORT || !again).then_some(until - since)
    };
    periods.iter().filter_map(counts).collect()
}

/// The class of a number: how many of these it reaches.
fn class(number: usize, from: &[usize]) -> usize {
    from.iter().filter(|from| number >= **from).count()
}

fn naive(idle_times: &[u64], rank: u32, cell: usize) -> [usize; 7] {
    let counts = counts(idle_times);
    let at = |cell: usize| if (SHORT..CELLS).contains(&cell) { counts[cell] } else { 0 };
    let long: usize = counts[SHORT..].iter().sum();
    let short: usize = counts[..SHORT].iter().sum();
    let near = 2 * at(cell) + at(cell + 1) + cell.checked_sub(1).map_or(0, at);
    let beyond: usize = (cell + 2..CELLS).map(at).sum();
    let last = idle_times.iter().map(|seconds| self::cell(*seconds)).rfind(|cell| *cell >= SHORT);
    let last = last.map_or(0, |last| if last + 1 < cell { 0 } else { 1 + usize::from(last > cell + 1) });
    let bursts = if short == 0 || long == 0 { 0 } else { 1 + usize::from(short >= 2 * long + 2) };
    let rank = if long == 0 && rank <= 31 { 1 } else { rank };
    [
        class(long, &[1, 2, 4, 10, 31]),
        class(near, &[1, 2, 3, 5, 10, 21, 46]),
        class(beyond, &[1, 2, 5, 13, 41]),
        last,
        bursts,
        class(rank as usize, &[2, 3, 9]),
        class(cell, &[1, 2, 3, 6, 7, 8, 10, 12, 16, 21, 30, 41, 67, 111, 136]),
    ]
}

/// A policy that has seen these idle times; and was asked after each, or only now.
fn taught(price: u32, idle_times: &[u64], asked: bool) -> (Box<dyn Policy>, Instant) {
    let mut policy = Choice::Hearth { price }.policy();
    policy.meet(VERSION, &key(1, 1, 1), None);
    let mut now = Instant::from_nanos(1);
    for seconds in idle_times {
        let since = now;
        if asked {
            policy.idle(idle(since), now);
        }
        now = now + Duration::from_secs(*seconds);
        policy.arrived(VERSION, now, Found::Idle(rest(since, 1)));
    }
    (policy, now)
}

fn idle(since: Instant) -> Idle {
    ranked(since, 1)
}

fn ranked(since: Instant, rank: u32) -> Idle {
    Idle { version: VERSION, rest: rest(since, rank), memory_mib: 256 }
}

fn rest(since: Instant, rank: u32) -> Rest {
    Rest { since, rank }
}

proptest! {
    #[test]
    fn places_are_those_of_all_idle_times_counted_anew(periods in periods(), rank in 0u32..40) {
        let mut history = History::default();
        for (since, until) in &periods {
            let at = |seconds: u64| Instant::ZERO + Duration::from_secs(seconds);
            history.learn(at(*since), at(*until));
        }
        let idle_times = counted(&periods);
        for (cell, place) in history.places(rank).enumerate() {
            prop_assert_eq!(place.classes(), naive(&idle_times, rank, cell), "cell {}", cell);
            prop_assert_eq!(history.place(rank, cell), place);
        }
    }

    #[test]
    fn the_answer_does_not_depend_on_what_was_asked_before(idle_times in idle_times(), price in 1_000u32..1_000_000) {
        let (mut often, now) = taught(price, &idle_times, true);
        let (mut once, _) = taught(price, &idle_times, false);
        prop_assert_eq!(often.idle(idle(now), now), once.idle(idle(now), now));
    }

    #[test]
    fn what_is_kept_is_ended_or_asked_about_later_and_loaded_at_most_once(idle_times in idle_times(), price in 1_000u32..1_000_000) {
        let (mut policy, since) = taught(price, &idle_times, false);
        let mut now = since;
        let mut answer = policy.idle(idle(since), now);
        for _ in 0..CELLS {
            let Keep::Until { at, .. } = answer else { break };
            prop_assert!(at >= now, "{at:?} is over at {now:?}");
            if at == now {
                return Ok(());
            }
            now = at;
            answer = policy.review(idle(since), now);
        }
        prop_assert_eq!(answer, Keep::End);
        if let Some(at) = policy.load_at(VERSION, now) {
            prop_assert!(at >= now);
            prop_assert_eq!(policy.load(VERSION, at), Some(rest(since, 1)), "in place of the one that was ended");
            prop_assert_eq!(policy.load(VERSION, at), None);
        }
    }

    #[test]
    fn what_one_rank_teaches_does_not_change_what_is_known_of_others(
        idle_times in idle_times(), others in idle_times(), rank in 5u32..100, price in 1_000u32..1_000_000
    ) {
        let (mut policy, now) = taught(price, &idle_times, false);
        let before = policy.idle(idle(now), now);
        for seconds in others {
            let rest = rest(now, rank);
            policy.arrived(VERSION, now + Duration::from_secs(seconds), Found::Idle(rest));
        }
        prop_assert_eq!(policy.idle(idle(now), now), before);
    }
}

/// A call that finds an older sandbox would have taken the younger one, had that not been ended.
#[test]
fn a_call_is_a_lesson_about_the_sandbox_that_was_used_last() {
    let hours = |count: u64| Instant::ZERO + Duration::from_secs(3600 * count);
    let answer = |ended: bool, found: Option<Rest>| {
        let mut policy = Choice::HEARTH.policy();
        policy.meet(VERSION, &key(1, 1, 1), None);
        if ended {
            assert_eq!(policy.review(idle(hours(2)), hours(12)), Keep::End);
        }
        if let Some(found) = found {
            policy.arrived(VERSION, hours(13), Found::Idle(found));
        }
        policy.idle(idle(hours(14)), hours(14))
    };
    let direct = answer(false, Some(rest(hours(2), 1)));
    assert_eq!(answer(true, Some(rest(hours(1), 9))), direct);
    assert_ne!(answer(false, None), direct, "there is something to learn");
}
