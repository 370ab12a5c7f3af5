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
    /// Sandboxes started ahead of need.
    pub loaded_ahead: u64,
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
            loaded_ahead: outcome.loaded_ahead,
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

/// Cold starts and idle memory of each row as multiples of the baseline's on the same trace.
pub fn relative(rows: &[Row]) -> Vec<Option<(f64, f64)>> {
    let ratio = |row: &Row| {
        let base = rows.iter().find(|other| other.trace == row.trace && other.policy == BASELINE)?;
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let cold = row.cold_starts as f64 / base.cold_starts as f64;
        Some((cold, row.idle_gib_s / base.idle_gib_s))
    };
    rows.iter().map(ratio).collect()
}
