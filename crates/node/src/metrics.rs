//! What the node counts: atomics alone on the way of an invocation, put into words only when somebody reads them.

mod histogram;
mod scrape;

use std::sync::atomic::{AtomicU64, Ordering};

use hearth_engine::ColdReason;
use hearth_engine::port::{InvokeError, StartKind, ThrottleReason, Timeline};
use serde_json::{Value, json};

use histogram::{BOUNDS_US, Histogram};
pub(crate) use scrape::Scrape;

const KINDS: usize = StartKind::ALL.len();
const REASONS: usize = ColdReason::ALL.len() + 1;
const PHASES: [&str; 4] = ["queue", "sandbox", "init", "run"];
const REFUSALS: [&str; 7] =
    ["concurrency", "reserved-concurrency", "caller-rate", "runtime", "service", "draining", "restore"];

/// Totals since the start of the daemon.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    succeeded: AtomicU64,
    failed: AtomicU64,
    /// By kind, then by reason; the first is for those that have none.
    starts: [[AtomicU64; REASONS]; KINDS],
    /// By kind, then by phase.
    phases: [[Histogram; PHASES.len()]; KINDS],
    refusals: [AtomicU64; REFUSALS.len()],
}

impl Metrics {
    /// An invocation was answered, by the function or with its failure.
    pub(crate) fn answered(&self, timeline: &Timeline, failed: bool) {
        let outcome = if failed { &self.failed } else { &self.succeeded };
        outcome.fetch_add(1, Ordering::Relaxed);
        let kind = timeline.start as usize;
        let reason = timeline.cold_reason.map_or(0, |reason| 1 + reason as usize);
        self.starts[kind][reason].fetch_add(1, Ordering::Relaxed);
        let [queue, sandbox, init, run] = &self.phases[kind];
        queue.observe(timeline.queue_us);
        if timeline.cold_reason.is_some() {
            sandbox.observe(timeline.sandbox_us);
            init.observe(timeline.init_us);
        }
        if let Some(run_us) = timeline.run_us {
            run.observe(run_us);
        }
    }

    /// An invocation was not run.
    pub(crate) fn refused(&self, error: &InvokeError) {
        let index = match error {
            InvokeError::Throttled { reason } => match reason {
                ThrottleReason::ConcurrentInvocationLimitExceeded => 0,
                ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded => 1,
                ThrottleReason::CallerRateLimitExceeded => 2,
            },
            InvokeError::InvalidRuntime { .. } => 3,
            InvokeError::Service { .. } => 4,
            InvokeError::Draining => 5,
            InvokeError::RestoreHook { .. } | InvokeError::RestoreTimeout => 6,
        };
        self.refusals[index].fetch_add(1, Ordering::Relaxed);
    }

    /// `(kind, reason, count)` of all that happened.
    fn starts(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        StartKind::ALL.iter().zip(&self.starts).flat_map(|(kind, counts)| {
            let reasons = std::iter::once("none").chain(ColdReason::ALL.iter().map(|reason| reason.as_str()));
            let counted = reasons.zip(counts).map(|(reason, count)| (kind.as_str(), reason, read(count)));
            counted.filter(|(_, _, count)| *count > 0)
        })
    }

    fn phases(&self) -> impl Iterator<Item = (&'static str, &'static str, &Histogram)> {
        let named = StartKind::ALL.iter().zip(&self.phases).flat_map(|(kind, histograms)| {
            PHASES.iter().zip(histograms).map(|(phase, histogram)| (kind.as_str(), *phase, histogram))
        });
        named.filter(|(_, _, histogram)| histogram.count() > 0)
    }

    /// For `/_hearth/state`.
    pub(crate) fn view(&self) -> Value {
        let starts: Vec<Value> = self
            .starts()
            .map(|(kind, reason, count)| json!({"kind": kind, "reason": reason, "count": count}))
            .collect();
        let phases = self.phases().map(|(kind, phase, histogram)| {
            json!({
                "kind": kind, "phase": phase, "count": histogram.count(), "sum_us": histogram.sum_us(),
                "buckets": histogram.buckets(),
            })
        });
        let cold: u64 = self.starts().filter(|(_, reason, _)| *reason != "none").map(|(_, _, count)| count).sum();
        let refusals = REFUSALS.iter().zip(&self.refusals);
        let (succeeded, failed) = (read(&self.succeeded), read(&self.failed));
        json!({
            "invocations": succeeded + failed, "errors": failed, "cold": cold,
            "throttles": self.refusals[..3].iter().map(read).sum::<u64>(),
            "refusals": refusals.map(|(reason, count)| ((*reason).to_owned(), json!(read(count)))).collect::<serde_json::Map<_, _>>(),
            "starts": starts, "phases": phases.collect::<Vec<_>>(), "bounds_us": BOUNDS_US,
        })
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_reasons_are_numbered_as_they_are_listed() {
        for (index, kind) in StartKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
        for (index, reason) in ColdReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }

    #[test]
    fn what_was_answered_is_in_the_view() {
        let metrics = Metrics::default();
        let warm = Timeline { queue_us: 10, run_us: Some(700), ..Timeline::default() };
        let boot = Timeline {
            start: StartKind::Boot,
            cold_reason: Some(ColdReason::AllBusy),
            init_us: 30_000,
            run_us: Some(1),
            ..Timeline::default()
        };
        metrics.answered(&warm, false);
        metrics.answered(&warm, true);
        metrics.answered(&boot, false);
        metrics.refused(&InvokeError::Draining);
        let view = metrics.view();
        assert_eq!((&view["invocations"], &view["errors"], &view["cold"]), (&json!(3), &json!(1), &json!(1)));
        assert_eq!(
            view["starts"],
            json!([
                {"kind": "warm", "reason": "none", "count": 2}, {"kind": "boot", "reason": "all-busy", "count": 1},
            ])
        );
        assert_eq!(view["refusals"]["draining"], 1);
        let phases: Vec<&Value> = view["phases"].as_array().unwrap().iter().collect();
        assert_eq!(phases.len(), 2 + 4);
        assert_eq!((&phases[1]["phase"], &phases[1]["sum_us"]), (&json!("run"), &json!(1400)));
    }
}
