//! Whose events are taken up: turns, shares, windows.

mod model;
mod neighbours;

use std::time::Duration;

use hearth_engine::async_queue::{Bounds, Ended, EventQueues, QueueName, Take, Terms};
use hearth_types::Instant;

const BOUNDS: Bounds = Bounds { running_max: 100, batch_max: 32 };

fn name(account: u64, function: u64) -> QueueName {
    QueueName::from(format!("{account:012}/f{function}").as_str())
}

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

/// Takes up all that may be, of queues with far more messages than that.
fn fill(queues: &mut EventQueues, now: Instant, terms: impl Fn(&QueueName) -> Terms) -> Vec<Take> {
    let mut taken = Vec::new();
    while let Some(take) = queues.next(now, &terms) {
        queues.leased(&take, take.count, Some(now));
        taken.push(take);
    }
    taken
}

fn of(taken: &[Take], queue: &QueueName) -> usize {
    taken.iter().filter(|take| take.queue == *queue).map(|take| take.count).sum()
}

fn plain(_: &QueueName) -> Terms {
    Terms::default()
}

#[test]
fn one_backlog_leaves_some_for_whoever_comes_next() {
    let mut queues = EventQueues::new(BOUNDS);
    let flood = name(1, 1);
    queues.note(&flood, at(0));
    let alone = of(&fill(&mut queues, at(0), plain), &flood);
    assert!((50..=75).contains(&alone), "{alone}");
    let mut left = BOUNDS.running_max - alone;
    for newcomer in [name(1, 2), name(2, 1), name(3, 1), name(3, 2), name(4, 1), name(5, 1)] {
        queues.note(&newcomer, at(0));
        let taken = of(&fill(&mut queues, at(0), plain), &newcomer);
        assert!(taken >= 1 && taken < left.max(2), "{newcomer:?}: {taken} of {left}");
        left -= taken;
    }
}

#[test]
fn a_small_node_serves_them_in_turn() {
    let mut queues = EventQueues::new(Bounds { running_max: 1, batch_max: 32 });
    let (flood, other) = (name(1, 1), name(2, 1));
    queues.note(&flood, at(0));
    let first = queues.next(at(0), plain).unwrap();
    queues.leased(&first, 1, Some(at(0)));
    queues.note(&other, at(1));
    assert_eq!(queues.next(at(1), plain), None);
    let mut served = Vec::new();
    let mut last = first;
    for second in 2..6 {
        queues.ended(at(second), &last.queue, last.memory_mib, Ended::Ran, None);
        last = queues.next(at(second), plain).unwrap();
        queues.leased(&last, 1, Some(at(second)));
        served.push(last.queue.clone());
    }
    assert_eq!(served, [&flood, &other, &flood, &other].map(Clone::clone), "whoever came first is first");
}

#[test]
fn a_throttled_function_takes_up_what_ran_and_tries_more_bit_by_bit() {
    let mut queues = EventQueues::new(BOUNDS);
    let queue = name(1, 1);
    queues.note(&queue, at(0));
    let running = of(&fill(&mut queues, at(0), plain), &queue);
    for _ in 2..running {
        queues.ended(at(1), &queue, 0, Ended::Throttled, Some(at(9)));
    }
    assert_eq!(queues.next(at(1), plain), None, "two run, and no more can");
    queues.ended(at(1), &queue, 0, Ended::Ran, None);
    assert_eq!(of(&fill(&mut queues, at(1), plain), &queue), 1);
    queues.ended(at(2), &queue, 0, Ended::Ran, None);
    assert_eq!(of(&fill(&mut queues, at(2), plain), &queue), 2, "as many have run: one more is tried");
}

#[test]
fn a_function_that_cannot_run_at_all_pauses_longer_each_time() {
    let mut queues = EventQueues::new(BOUNDS);
    let queue = name(1, 1);
    queues.note(&queue, at(0));
    let mut now = Instant::ZERO;
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        let take = queues.next(now, plain).unwrap();
        queues.leased(&take, 1, Some(now));
        queues.ended(now, &queue, 0, Ended::Throttled, None);
        assert_eq!(queues.next(now, plain), None);
        now = now + Duration::from_secs(pause);
        assert_eq!(queues.wake_at(), Some(now));
    }
    let take = queues.next(now, plain).unwrap();
    queues.leased(&take, 1, None);
    queues.ended(now, &queue, 0, Ended::Ran, None);
    assert_eq!(queues.wake_at(), None, "it is empty");
}

#[test]
fn events_take_no_more_memory_than_leaves_some_for_others() {
    let mut queues = EventQueues::new(BOUNDS);
    let memory = |in_use_mib| {
        move |_: &QueueName| Terms { memory_mib: 128, total_mib: 16 * 128, in_use_mib, ..Terms::default() }
    };
    let (flood, other) = (name(1, 1), name(2, 1));
    queues.note(&flood, at(0));
    let alone = of(&fill(&mut queues, at(0), memory(0)), &flood);
    assert_eq!(alone, 9);
    queues.note(&other, at(0));
    let others = of(&fill(&mut queues, at(0), memory(9 * 128)), &other);
    assert!((2..=5).contains(&others), "{others}");
    queues.note(&name(3, 1), at(0));
    let late = fill(&mut queues, at(0), memory(16 * 128));
    assert_eq!(late.iter().map(|take| take.count).sum::<usize>(), 1, "the first waits in the fleet, not here");
}

#[test]
fn a_reservation_bounds_what_is_taken_up() {
    let mut queues = EventQueues::new(BOUNDS);
    let reserved = |running_max| move |_: &QueueName| Terms { running_max, ..Terms::default() };
    queues.note(&name(1, 1), at(0));
    assert_eq!(of(&fill(&mut queues, at(0), reserved(3)), &name(1, 1)), 3);
    queues.note(&name(1, 2), at(0));
    assert_eq!(of(&fill(&mut queues, at(0), reserved(0)), &name(1, 2)), 1, "somebody has to find that it is none");
}

#[test]
fn what_is_noted_while_the_store_is_asked_is_not_forgotten() {
    let mut queues = EventQueues::new(BOUNDS);
    let queue = name(1, 1);
    queues.note(&queue, at(0));
    let take = queues.next(at(0), plain).unwrap();
    queues.note(&queue, at(0));
    assert_eq!(queues.next(at(0), plain), None, "one look at a time");
    queues.leased(&take, 0, None);
    assert!(queues.next(at(0), plain).is_some());
}
