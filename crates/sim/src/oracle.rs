//! The policy that knows the trace: what can be had at best, not what can be built.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use hearth_engine::keep_alive::{Ended, Found, Idle, Keep, Known, Policy, Rest};
use hearth_types::{Instant, VersionKey};

use crate::node::{NodeModel, nanos};
use crate::trace::Trace;

/// Sandboxes that are needed again this soon are kept.
const SOON: u64 = 1_000_000_000;
/// The rank by which those that were loaded as planned are known.
const LOADED: u32 = u32::MAX;

/// Of each function, what lies ahead.
#[derive(Debug, Default)]
struct Future {
    /// Arrivals that were not reported yet, nanoseconds, in order.
    arrivals: VecDeque<u64>,
    /// Idle sandboxes.
    idle: usize,
    /// In order.
    loads: VecDeque<Load>,
    /// The arrivals for which one was loaded that is not idle yet.
    loading: VecDeque<u64>,
}

/// A sandbox to be started ahead of need.
#[derive(Clone, Copy, Debug)]
struct Load {
    at: u64,
    /// The arrival that would find none without it.
    arrival: u64,
}

impl Future {
    /// One more idle sandbox is for the arrival after those that others are for, if that comes within this time.
    fn keep(&mut self, now: u64, within: u64) -> Keep {
        match self.arrivals.get(self.idle).copied() {
            Some(next) if next.saturating_sub(now) <= within => {
                self.idle += 1;
                Keep::Until { at: Instant::from_nanos(next + SOON), worth: 0 }
            }
            _ => Keep::End,
        }
    }

    /// Those that would come after their arrival are not made.
    fn next_load(&mut self, now: Instant) -> Option<Load> {
        while self.loads.pop_front_if(|load| load.arrival <= now.as_nanos()).is_some() {}
        self.loads.front().copied()
    }
}

#[derive(Debug)]
pub(crate) struct Oracle {
    functions: Vec<Future>,
    /// The function of each version that the engine has met.
    known: Vec<usize>,
    keep: u64,
}

impl Oracle {
    pub(crate) fn new(trace: &Trace, model: &NodeModel) -> Self {
        let start = nanos(model.start);
        let mut functions: Vec<Future> = trace.functions.iter().map(|_| Future::default()).collect();
        let (mut chunks, mut calls) = (trace.chunks(), Vec::new());
        while chunks.next(&mut calls) {
            for call in &calls {
                functions[call.function as usize].arrivals.push_back(nanos(call.at));
            }
        }
        let mut oracle = Self { functions, known: Vec::new(), keep: SOON.max(4 * start) };
        let misses = oracle.misses(trace);
        oracle.plan(misses, 2 * start, nanos(model.blank) + start, model.cores);
        oracle
    }

    /// The arrivals that find no sandbox, in order, with their functions, if only those are kept that are needed soon.
    fn misses(&self, trace: &Trace) -> Vec<(u64, usize)> {
        #[derive(Clone, Default)]
        struct Now {
            arrived: usize,
            idle: usize,
            returns: BinaryHeap<Reverse<u64>>,
        }
        let mut functions = vec![Now::default(); self.functions.len()];
        let (mut chunks, mut calls, mut misses) = (trace.chunks(), Vec::new(), Vec::new());
        while chunks.next(&mut calls) {
            for call in &calls {
                let (index, at) = (call.function as usize, nanos(call.at));
                let (future, now) = (&self.functions[index], &mut functions[index]);
                while let Some(Reverse(returned)) = now.returns.peek().copied().filter(|Reverse(at_)| *at_ < at) {
                    now.returns.pop();
                    let next = future.arrivals.get(now.arrived + now.idle);
                    now.idle += usize::from(next.is_some_and(|next| next - returned <= self.keep));
                }
                match now.idle.checked_sub(1) {
                    Some(idle) => now.idle = idle,
                    None => misses.push((at, index)),
                }
                now.arrived += 1;
                now.returns.push(Reverse(at + nanos(call.takes)));
            }
        }
        misses
    }

    /// Each as late as so many cores allow.
    fn plan(&mut self, misses: Vec<(u64, usize)>, lead: u64, takes: u64, cores: usize) {
        // From the last to the first: when each core begins with what it does then.
        let mut begins: BinaryHeap<u64> = (0..cores.max(1)).map(|_| u64::MAX).collect();
        for (arrival, function) in misses.into_iter().rev() {
            let begin = begins.pop().unwrap_or(u64::MAX);
            let at = arrival.saturating_sub(lead).min(begin.saturating_sub(takes));
            begins.push(at);
            self.functions[function].loads.push_front(Load { at, arrival });
        }
    }

    fn future(&mut self, version: Known) -> &mut Future {
        &mut self.functions[self.known[version.0 as usize]]
    }
}

impl Policy for Oracle {
    fn meet(&mut self, version: Known, key: &VersionKey, _: Option<Known>) {
        let index = version.0 as usize;
        if self.known.len() <= index {
            self.known.resize(index + 1, 0);
        }
        self.known[index] = usize::try_from(key.generation).unwrap_or(usize::MAX);
    }

    fn arrived(&mut self, version: Known, _: Instant, found: Found) {
        let future = self.future(version);
        future.arrivals.pop_front();
        if matches!(found, Found::Idle(_)) {
            future.idle = future.idle.saturating_sub(1);
        }
    }

    /// The n-th idle sandbox is needed for the n-th arrival from now. One that was loaded is there for its own, however early the
    /// cores had to begin.
    fn idle(&mut self, idle: Idle, now: Instant) -> Keep {
        let (keep, now) = (self.keep, now.as_nanos());
        let future = self.future(idle.version);
        let own = if idle.rest.rank == LOADED { future.loading.pop_front() } else { None };
        let early = own.is_some_and(|arrival| arrival > now);
        future.keep(now, if early { u64::MAX } else { keep })
    }

    /// A younger one was taken in its place: it is there for a later arrival, if that is soon.
    fn review(&mut self, idle: Idle, now: Instant) -> Keep {
        let keep = self.keep;
        let future = self.future(idle.version);
        future.idle = future.idle.saturating_sub(1);
        future.keep(now.as_nanos(), keep)
    }

    fn ended(&mut self, idle: Idle, _: Instant, why: Ended) {
        if let Ended::Evicted { .. } = why {
            let future = self.future(idle.version);
            future.idle = future.idle.saturating_sub(1);
        }
    }

    fn load_at(&mut self, version: Known, now: Instant) -> Option<Instant> {
        self.future(version).next_load(now).map(|load| Instant::from_nanos(load.at))
    }

    fn load(&mut self, version: Known, now: Instant) -> Option<Rest> {
        let future = self.future(version);
        let load = future.next_load(now).filter(|load| load.at <= now.as_nanos())?;
        future.loads.pop_front();
        future.loading.push_back(load.arrival);
        Some(Rest { since: now, rank: LOADED })
    }
}
