//! The figures as rows, for programs and for people.

use serde::Serialize;

use crate::outcome::Outcome;

/// One trace under one policy.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    pub trace: String,
    pub policy: String,
    pub invocations: u64,
    pub cold_starts: u64,
    /// Memory of idle sandboxes, GiB times seconds.
    pub idle_gib_s: f64,
    /// Idle sandboxes ended to make room.
    pub evictions: u64,
    /// How long invocations waited for their sandbox, warm ones too.
    pub start_delay_p50_ms: f64,
    pub start_delay_p99_ms: f64,
    /// Sandboxes started ahead of need. One that was not ready in time is a cold start as well.
    pub loads_ahead: u64,
    /// Cold starts and starts ahead of need together, at most: one ahead of need that came too late is in both.
    pub starts: u64,
    /// Invocations that got no sandbox, or lost theirs.
    pub failed: u64,
}

impl Row {
    pub fn new(trace: &str, policy: &str, outcome: &Outcome) -> Self {
        let millis = |per_mille| rounded(outcome.start_delay(per_mille).as_secs_f64() * 1000.0);
        Self {
            trace: trace.to_owned(),
            policy: policy.to_owned(),
            invocations: outcome.invocations,
            cold_starts: outcome.cold_starts,
            idle_gib_s: rounded(outcome.idle_gib_s()),
            evictions: outcome.evictions,
            start_delay_p50_ms: millis(500),
            start_delay_p99_ms: millis(990),
            loads_ahead: outcome.loads_ahead,
            starts: outcome.cold_starts + outcome.loads_ahead,
            failed: outcome.failed,
        }
    }

    /// What curves are drawn of: the policy's name without its parameter.
    pub fn family(&self) -> &str {
        self.policy.split(':').next().unwrap_or_default()
    }
}

/// To thousandths.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// What the table compares with, where it was replayed.
pub const BASELINE: &str = "fixed:600";

/// A row as multiples of the baseline on the same trace.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Relative {
    pub cold_starts: f64,
    pub idle: f64,
    /// With the starts ahead of need.
    pub starts: f64,
}

/// Each row beside the baseline, where that was replayed.
pub fn relative(rows: &[Row]) -> Vec<Option<Relative>> {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let ratio = |count: u64, base: u64| count as f64 / base as f64;
    let beside = |row: &Row| {
        let base = rows.iter().find(|other| other.trace == row.trace && other.policy == BASELINE)?;
        Some(Relative {
            cold_starts: ratio(row.cold_starts, base.cold_starts),
            idle: row.idle_gib_s / base.idle_gib_s,
            starts: ratio(row.starts, base.starts),
        })
    };
    rows.iter().map(beside).collect()
}
