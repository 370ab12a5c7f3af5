//! The calls of a trace, in order, minute by minute: a day of a hot trace does not fit into memory at once.

use std::time::Duration;

use super::{Calls, Spread, Trace};
use crate::random::Random;

/// One call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Call {
    /// Since the start of the trace.
    pub at: Duration,
    /// Its place in the trace's functions.
    pub function: u32,
    /// How long the function runs.
    pub takes: Duration,
}

const MINUTE: u64 = 60_000_000_000;

impl Trace {
    /// Minutes that have begun when it ends.
    pub fn minutes(&self) -> u32 {
        u32::try_from(self.horizon.as_nanos().div_ceil(u128::from(MINUTE))).unwrap_or(u32::MAX)
    }

    /// All calls in order, in chunks of one minute. Where the trace has only counts, the calls are spread over their minute.
    pub fn chunks(&self) -> Chunks<'_> {
        let places = match &self.calls {
            Calls::PerMinute(functions) => functions.len(),
            Calls::Single(_) => 1,
        };
        Chunks { trace: self, minute: 0, next: vec![0; places] }
    }
}

/// See [`Trace::chunks`].
#[derive(Debug)]
pub struct Chunks<'a> {
    trace: &'a Trace,
    minute: u32,
    /// Per function, the first entry that is not used up; with single calls, the first call.
    next: Vec<usize>,
}

impl Chunks<'_> {
    /// The calls of the next minute, in order; `false` after the last.
    pub fn next(&mut self, calls: &mut Vec<Call>) -> bool {
        calls.clear();
        if self.minute >= self.trace.minutes() {
            return false;
        }
        match &self.trace.calls {
            Calls::Single(all) => {
                let end = u64::from(self.minute + 1) * MINUTE;
                let rest = &all[self.next[0]..];
                let count = rest.partition_point(|call| call.at.as_nanos() < u128::from(end));
                calls.extend_from_slice(&rest[..count]);
                self.next[0] += count;
            }
            Calls::PerMinute(functions) => {
                for (index, minutes) in functions.iter().enumerate() {
                    if let Some((minute, count)) = minutes.get(self.next[index])
                        && *minute == self.minute
                    {
                        self.next[index] += 1;
                        self.spread(index, *count, calls);
                    }
                }
                calls.sort_unstable_by_key(|call| (call.at, call.function));
            }
        }
        self.minute += 1;
        true
    }

    fn spread(&self, index: usize, count: u32, calls: &mut Vec<Call>) {
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        let mut random = Random::new(self.trace.seed, [number, u64::from(self.minute)]);
        let start = u64::from(self.minute) * MINUTE;
        let durations = &self.trace.functions[index].durations;
        let phase = Random::new(self.trace.seed, [number, u64::MAX]).below(MINUTE);
        for call in 0..u64::from(count) {
            let place = match self.trace.spread {
                Spread::Even => (phase + call * MINUTE / u64::from(count)) % MINUTE,
                Spread::Random => random.below(MINUTE),
            };
            let at = Duration::from_nanos(start + place);
            let takes = durations.at(random.unit());
            calls.push(Call { at, function: u32::try_from(index).unwrap_or(u32::MAX), takes });
        }
    }
}
