//! Random steps against a naive model that looks through everything each time.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_engine::async_queue::{Bounds, Ended, EventQueues, QueueName, Take, Terms};
use hearth_types::Instant;
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Note {
        queue: usize,
        after_ms: u64,
    },
    Next,
    /// The store answers the oldest open take with so many, and says when there is more.
    Answer {
        permille: usize,
        next_ms: Option<u64>,
    },
    End {
        running: usize,
        end: Ended,
        again_ms: Option<u64>,
    },
    Pass {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![4 => Just(Ended::Ran), 3 => Just(Ended::Throttled), 1 => Just(Ended::Untried)];
    let again = proptest::option::of(0..3000u64);
    prop_oneof![
        3 => (0..6usize, 0..2000u64).prop_map(|(queue, after_ms)| Step::Note { queue, after_ms }),
        5 => Just(Step::Next),
        4 => (0..=1000usize, proptest::option::of(0..2000u64))
            .prop_map(|(permille, next_ms)| Step::Answer { permille, next_ms }),
        5 => (any::<usize>(), end, again).prop_map(|(running, end, again_ms)| Step::End { running, end, again_ms }),
        2 => (0..3000u64).prop_map(|ms| Step::Pass { ms }),
    ]
}

#[derive(Clone, Debug, Default)]
struct Queue {
    due: Option<Instant>,
    running: usize,
    leasing: bool,
    turn: u64,
    window: Option<usize>,
    ran: usize,
    pauses: u32,
    paused_until: Instant,
}

/// Its rank among those whose turn may come, its name, how many.
type Candidate = ((u64, u64, usize, u64), (usize, usize), usize);

#[derive(Debug)]
struct Model {
    bounds: Bounds,
    /// By account and function.
    queues: BTreeMap<(usize, usize), Queue>,
    turns: BTreeMap<usize, u64>,
    turn: u64,
}

const MEMORY_MIB: u64 = 100;

fn terms(total_mib: u64, queue: &QueueName) -> Terms {
    let running_max = if queue.as_str().ends_with('2') { 3 } else { 1000 };
    Terms { memory_mib: MEMORY_MIB, total_mib, in_use_mib: 0, shared: true, running_max }
}

fn name((account, function): (usize, usize)) -> QueueName {
    QueueName::from(format!("{account}/{function}").as_str())
}

/// The most that may be added to `held` so that it is three times at most of what is left of `free`.
fn room(free: u64, held: u64) -> u64 {
    (0..=free).rev().find(|more| held + more <= 3 * (free - more)).unwrap_or(0)
}

impl Model {
    fn running(&self, of: impl Fn(&(usize, usize)) -> bool) -> u64 {
        self.queues.iter().filter(|(key, _)| of(key)).map(|(_, queue)| queue.running as u64).sum()
    }

    fn allowance(&self, key: (usize, usize), total_mib: u64) -> u64 {
        let (all, account) = (self.running(|_| true), self.running(|(account, _)| *account == key.0));
        let own = self.queues[&key].running as u64;
        let free = (self.bounds.running_max as u64).saturating_sub(all);
        let of_account = if account == 0 { room(free, account).max(1).min(free) } else { room(free, account) };
        let number = if own == 0 { room(of_account, own).max(1).min(of_account) } else { room(of_account, own) };
        let free = total_mib.saturating_sub(all * MEMORY_MIB);
        let of_account = room(free, account * MEMORY_MIB);
        let memory = room(of_account, own * MEMORY_MIB) / MEMORY_MIB;
        let first = own == 0 && (of_account >= MEMORY_MIB || account < 4);
        let limit = terms(total_mib, &name(key)).running_max as u64;
        number.min(memory.max(u64::from(first))).min(limit.saturating_sub(own))
    }

    fn come(&mut self, key: (usize, usize)) {
        if self.queues.contains_key(&key) {
            return;
        }
        let mut next = || {
            self.turn += 1;
            self.turn
        };
        self.turns.entry(key.0).or_insert_with(&mut next);
        self.queues.insert(key, Queue { turn: next(), ..Queue::default() });
    }

    fn next(&mut self, now: Instant, total_mib: u64) -> Option<((usize, usize), usize)> {
        let mut best: Option<Candidate> = None;
        for (key, queue) in &self.queues {
            let due = queue.due.is_some_and(|due| due.max(queue.paused_until) <= now);
            let window = queue.window.map_or(u64::MAX, |window| window.saturating_sub(queue.running) as u64);
            let more = self.allowance(*key, total_mib).min(window);
            let count = usize::try_from(more.div_ceil(2)).unwrap().min(self.bounds.batch_max);
            let account = self.running(|(account, _)| *account == key.0);
            let rank = (account, self.turns[&key.0], queue.running, queue.turn);
            if due && !queue.leasing && count > 0 && best.as_ref().is_none_or(|(other, ..)| rank < *other) {
                best = Some((rank, *key, count));
            }
        }
        let (_, key, count) = best?;
        self.turn += 1;
        let queue = self.queues.get_mut(&key).unwrap();
        (queue.leasing, queue.due, queue.turn) = (true, None, self.turn);
        queue.running += count;
        self.turns.insert(key.0, self.turn);
        Some((key, count))
    }

    fn end(&mut self, now: Instant, key: (usize, usize), end: Ended, again: Option<Instant>) {
        let running_max = self.bounds.running_max;
        let queue = self.queues.get_mut(&key).unwrap();
        queue.running -= 1;
        queue.due = queue.due.into_iter().chain(again).min();
        match end {
            Ended::Untried => {}
            Ended::Ran => {
                (queue.pauses, queue.paused_until) = (0, Instant::ZERO);
                queue.ran += 1;
                if queue.window.is_some_and(|window| queue.ran >= window) {
                    (queue.ran, queue.window) = (0, queue.window.map(|window| window + 1));
                }
                queue.window = queue.window.filter(|window| *window < running_max);
            }
            Ended::Throttled => {
                (queue.ran, queue.window) = (0, Some(queue.running.max(1)));
                if queue.running == 0 {
                    let pause = Duration::from_secs([1, 2, 4, 8, 16, 30][queue.pauses.min(5) as usize]);
                    (queue.pauses, queue.paused_until) = (queue.pauses + 1, now + pause);
                }
            }
        }
    }

    /// What has nothing left is as if it had never been.
    fn forget(&mut self) {
        self.queues.retain(|_, queue| queue.leasing || queue.running > 0 || queue.due.is_some());
        let left: Vec<usize> = self.queues.keys().map(|(account, _)| *account).collect();
        self.turns.retain(|account, _| left.contains(account));
    }
}

fn run(bounds: Bounds, total_mib: u64, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut queues = EventQueues::new(bounds);
    let mut model = Model { bounds, queues: BTreeMap::new(), turns: BTreeMap::new(), turn: 0 };
    let mut now = Instant::ZERO;
    let mut open: Vec<((usize, usize), Take)> = Vec::new();
    let mut running: Vec<(usize, usize)> = Vec::new();
    for step in steps {
        let after = |ms| now + Duration::from_millis(ms);
        match step {
            Step::Note { queue, after_ms } => {
                let key = (queue / 3, queue % 3);
                queues.note(&name(key), after(after_ms));
                model.come(key);
                let known = model.queues.get_mut(&key).unwrap();
                known.due = known.due.into_iter().chain([after(after_ms)]).min();
            }
            Step::Next => {
                let take = queues.next(now, |queue| terms(total_mib, queue));
                let expected = model.next(now, total_mib);
                let found = take.as_ref().map(|take| (take.queue.clone(), take.count));
                prop_assert_eq!(found, expected.map(|(key, count)| (name(key), count)));
                open.extend(expected.map(|(key, _)| key).zip(take));
            }
            Step::Answer { permille, next_ms } if !open.is_empty() => {
                let (key, take) = open.remove(0);
                let count = take.count * permille / 1000;
                queues.leased(&take, count, next_ms.map(after));
                let queue = model.queues.get_mut(&key).unwrap();
                queue.leasing = false;
                queue.running -= take.count - count;
                queue.due = queue.due.into_iter().chain(next_ms.map(after)).min();
                running.extend(std::iter::repeat_n(key, count));
            }
            Step::End { running: index, end, again_ms } if !running.is_empty() => {
                let key = running.swap_remove(index % running.len());
                queues.ended(now, &name(key), MEMORY_MIB, end, again_ms.map(after));
                model.end(now, key, end, again_ms.map(after));
            }
            Step::Answer { .. } | Step::End { .. } => {}
            Step::Pass { ms } => now = after(ms),
        }
        model.forget();
        prop_assert_eq!(queues.running() as u64, model.running(|_| true));
        prop_assert!(queues.running() <= bounds.running_max);
    }
    Ok(())
}

proptest! {
    #[test]
    fn turns_and_shares_are_those_of_the_model(
        running_max in 1usize..40, batch_max in 1usize..10, places in 1u64..40, steps in vec(step(), 1..200),
    ) {
        run(Bounds { running_max, batch_max }, places * MEMORY_MIB, steps)?;
    }
}
