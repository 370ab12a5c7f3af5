//! The policy that knows the trace: what can be had at best, not what can be built.

use std::collections::VecDeque;
use std::time::Duration;

use hearth_engine::keep_alive::{Ended, Found, Idle, Keep, Known, Policy, Rest};
use hearth_types::{Instant, VersionKey};

use crate::node::nanos;
use crate::trace::Trace;

/// Sandboxes that are needed again this soon are kept.
const SOON: u64 = 1_000_000_000;

/// Of each function, what lies ahead.
#[derive(Debug, Default)]
struct Future {
    /// Arrivals that were not reported yet, nanoseconds, in order.
    arrivals: VecDeque<u64>,
    /// Idle sandboxes.
    idle: usize,
    /// When to load a sandbox each, in order.
    loads: VecDeque<u64>,
}

#[derive(Debug)]
pub(crate) struct Oracle {
    functions: Vec<Future>,
    /// The function of each version that the engine has met.
    known: Vec<usize>,
    lead: u64,
}

impl Oracle {
    pub(crate) fn new(trace: &Trace, start: Duration) -> Self {
        let mut functions: Vec<Future> = trace.functions.iter().map(|_| Future::default()).collect();
        let (mut chunks, mut calls) = (trace.chunks(), Vec::new());
        while chunks.next(&mut calls) {
            for call in &calls {
                functions[call.function as usize].arrivals.push_back(nanos(call.at));
            }
        }
        Self { functions, known: Vec::new(), lead: 2 * nanos(start) }
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

    /// The n-th idle sandbox is needed for the n-th arrival from now, if not sooner than one in use comes back.
    fn idle(&mut self, idle: Idle, now: Instant) -> Keep {
        let lead = self.lead;
        let future = self.future(idle.version);
        let Some(next) = future.arrivals.get(future.idle).copied() else { return Keep::End };
        if next.saturating_sub(now.as_nanos()) <= SOON.max(2 * lead) {
            future.idle += 1;
            return Keep::Until { at: Instant::from_nanos(next + SOON), worth: 0 };
        }
        let at = next - lead;
        let place = future.loads.partition_point(|other| *other <= at);
        future.loads.insert(place, at);
        Keep::End
    }

    fn review(&mut self, idle: Idle, _: Instant) -> Keep {
        let future = self.future(idle.version);
        future.idle = future.idle.saturating_sub(1);
        Keep::End
    }

    fn ended(&mut self, idle: Idle, _: Instant, why: Ended) {
        if let Ended::Evicted { .. } = why {
            let future = self.future(idle.version);
            future.idle = future.idle.saturating_sub(1);
        }
    }

    fn load_at(&mut self, version: Known, _: Instant) -> Option<Instant> {
        self.future(version).loads.front().copied().map(Instant::from_nanos)
    }

    fn load(&mut self, version: Known, now: Instant) -> Option<Rest> {
        let loads = &mut self.future(version).loads;
        loads.pop_front_if(|at| *at <= now.as_nanos()).map(|_| Rest { since: now, rank: 1 })
    }
}
