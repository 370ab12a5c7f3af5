//! Accounts and their functions on one node in virtual time, all from one seed: floods, slow functions, throttled ones. Whoever
//! sends an event now and then finds a place for it at once, whatever other accounts do. Beside noisy functions of the same
//! account, which may have taken all that the account may hold, it is the next to get one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use hearth_engine::async_queue::{
    AttemptEnd, Bounds, Ended, EventQueues, Progress, QueueName, RetryConfig, Terms, Verdict, after_attempt,
};
use hearth_types::Instant;
use proptest::prelude::*;

use super::name;

const BOUNDS: Bounds = Bounds { running_max: 100, batch_max: 32 };
const MEMORY_MIB: u64 = 128;

/// What one of the noisy functions is like.
#[derive(Clone, Debug)]
struct Noise {
    account: u64,
    function: u64,
    events: usize,
    runs_ms: u64,
    /// Its limit of concurrency, as it shows when an event is tried; the queues do not know of it.
    hidden_limit: usize,
}

fn noise() -> impl Strategy<Value = Noise> {
    let limit = prop_oneof![Just(0usize), Just(2), Just(usize::MAX)];
    (1..4u64, 1..4u64, 1..400usize, 100..100_000u64, limit).prop_map(
        |(account, function, events, runs_ms, hidden_limit)| Noise { account, function, events, runs_ms, hidden_limit },
    )
}

#[derive(Debug)]
struct Event {
    misses: u32,
    accepted: Instant,
}

#[derive(Debug, Default)]
struct Function {
    waiting: BTreeMap<(Instant, u64), Event>,
    running: usize,
    runs: Duration,
    limit: usize,
    done: usize,
    waited: Duration,
}

struct World {
    queues: EventQueues,
    functions: BTreeMap<QueueName, Function>,
    /// Ends of runs.
    agenda: BinaryHeap<Reverse<(Instant, u64, QueueName)>>,
    now: Instant,
    sequence: u64,
    places: u64,
    /// Whoever was given more while its account's quiet function, with nothing under way, waited.
    passed: Option<QueueName>,
}

/// Functions that send an event now and then: one in an account with noisy functions, one in an account of its own.
fn quiet() -> [QueueName; 2] {
    [name(1, 9), name(9, 1)]
}

impl World {
    fn send(&mut self, queue: &QueueName, event: Event, at: Instant) {
        self.sequence += 1;
        self.functions.get_mut(queue).unwrap().waiting.insert((at, self.sequence), event);
        self.queues.note(queue, at);
    }

    /// Leases and tries whatever may be.
    fn take_up(&mut self) {
        let total_mib = self.places * MEMORY_MIB;
        let in_use_mib = self.agenda.len() as u64 * MEMORY_MIB;
        let terms = |_: &QueueName| Terms { memory_mib: MEMORY_MIB, total_mib, in_use_mib, ..Terms::default() };
        while let Some(take) = self.queues.next(self.now, terms) {
            if self.passes_a_quiet_one(&take.queue) {
                self.passed = Some(take.queue.clone());
            }
            let function = self.functions.get_mut(&take.queue).unwrap();
            let mut leased = VecDeque::new();
            while leased.len() < take.count
                && let Some(first) = function.waiting.first_entry()
                && first.key().0 <= self.now
            {
                leased.push_back(first.remove());
            }
            let next = function.waiting.keys().next().map(|(at, _)| (*at).max(self.now));
            self.queues.leased(&take, leased.len(), next);
            leased.into_iter().for_each(|event| self.attempt(&take.queue, event));
        }
    }

    fn passes_a_quiet_one(&self, taking: &QueueName) -> bool {
        let is_due = |function: &Function| function.waiting.keys().next().is_some_and(|(at, _)| *at <= self.now);
        let passed = |quiet: &QueueName| {
            let function = &self.functions[quiet];
            quiet.account() == taking.account() && quiet != taking && function.running == 0 && is_due(function)
        };
        self.functions[taking].running > 0 && quiet().iter().any(passed)
    }

    fn attempt(&mut self, queue: &QueueName, mut event: Event) {
        let function = self.functions.get_mut(queue).unwrap();
        if function.running < function.limit {
            function.running += 1;
            function.waited = function.waited.max(self.now.since(event.accepted));
            self.sequence += 1;
            return self.agenda.push(Reverse((self.now + function.runs, self.sequence, queue.clone())));
        }
        event.misses += 1;
        let age = self.now.since(event.accepted);
        let progress = Progress { runs: 0, misses: event.misses, age };
        let verdict = after_attempt(RetryConfig::default(), AttemptEnd::NotRun, progress, 0.5);
        let again = match verdict {
            Verdict::Retry { delay } => Some(self.now + delay),
            Verdict::Done | Verdict::Discard { .. } => None,
        };
        self.queues.ended(self.now, queue, MEMORY_MIB, Ended::Throttled, again);
        match again {
            Some(at) => self.send(queue, event, at),
            None => function.done += 1,
        }
    }

    /// Until `end`, or until nothing is left to happen.
    fn run_until(&mut self, end: Instant) {
        loop {
            self.take_up();
            let ends = self.agenda.peek().map(|Reverse((at, ..))| *at);
            let Some(at) = ends.into_iter().chain(self.queues.wake_at()).min().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            while let Some(Reverse((_, _, queue))) = self.agenda.pop_if_due(self.now) {
                let function = self.functions.get_mut(&queue).unwrap();
                (function.running, function.done) = (function.running - 1, function.done + 1);
                self.queues.ended(self.now, &queue, MEMORY_MIB, Ended::Ran, None);
            }
        }
    }
}

trait PopIfDue<T> {
    fn pop_if_due(&mut self, now: Instant) -> Option<T>;
}

impl PopIfDue<Reverse<(Instant, u64, QueueName)>> for BinaryHeap<Reverse<(Instant, u64, QueueName)>> {
    fn pop_if_due(&mut self, now: Instant) -> Option<Reverse<(Instant, u64, QueueName)>> {
        if self.peek().is_some_and(|Reverse((at, ..))| *at <= now) { self.pop() } else { None }
    }
}

fn play(noises: Vec<Noise>, places: u64, gap_ms: u64) -> Result<(), TestCaseError> {
    let mut world = World {
        queues: EventQueues::new(BOUNDS),
        functions: BTreeMap::new(),
        agenda: BinaryHeap::new(),
        now: Instant::ZERO,
        sequence: 0,
        places,
        passed: None,
    };
    let mut sent: BTreeMap<QueueName, usize> = BTreeMap::new();
    for noise in noises {
        let queue = name(noise.account, noise.function);
        let function = world.functions.entry(queue.clone()).or_default();
        (function.runs, function.limit) = (Duration::from_millis(noise.runs_ms), noise.hidden_limit);
        for _ in 0..noise.events {
            world.send(&queue, Event { misses: 0, accepted: world.now }, world.now);
        }
        *sent.entry(queue).or_default() += noise.events;
    }
    let quiet = quiet();
    for queue in &quiet {
        let function = Function { runs: Duration::from_millis(50), limit: 1000, ..Function::default() };
        world.functions.insert(queue.clone(), function);
    }
    for _ in 0..50 {
        world.run_until(world.now + Duration::from_millis(gap_ms));
        for queue in &quiet {
            world.send(queue, Event { misses: 0, accepted: world.now }, world.now);
            *sent.entry(queue.clone()).or_default() += 1;
        }
    }
    world.run_until(world.now + Duration::from_secs(100_000_000));
    let [_, alone] = &quiet;
    prop_assert_eq!(world.functions[alone].waited, Duration::ZERO, "{:?} was held up", alone);
    prop_assert_eq!(world.passed, None, "a quiet function of its account was waiting");
    for (queue, count) in sent {
        prop_assert_eq!(world.functions[&queue].done, count, "{:?}", queue);
    }
    prop_assert_eq!(world.queues.running(), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn noisy_functions_hold_up_nobody_else(
        noises in prop::collection::vec(noise(), 1..6), places in 16u64..80, gap_ms in 60u64..2000,
    ) {
        play(noises, places, gap_ms)?;
    }
}
