//! What was measured, one row for each thing.

use std::time::Duration;

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct WarmRow {
    pub(crate) target: String,
    pub(crate) connections: usize,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) per_second: f64,
    /// Processor time per call: the server, the first processes of its sandboxes, what runs in them.
    pub(crate) server_cpu_us: f64,
    pub(crate) agent_cpu_us: f64,
    pub(crate) runtime_cpu_us: f64,
}

/// Of several durations, ms.
#[derive(Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Spread {
    pub(crate) fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let at = |permille: usize| durations.get((durations.len() * permille / 1000).min(durations.len() - 1));
        let millis = |duration: Option<&Duration>| duration.map_or(0.0, |duration| duration.as_secs_f64() * 1e3);
        Self { p50_ms: millis(at(500)), p99_ms: millis(at(990)), max_ms: millis(durations.last()) }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct ColdRow {
    pub(crate) language: &'static str,
    pub(crate) runtime: String,
    /// How these starts are called, and how many of all were such.
    pub(crate) start: &'static str,
    pub(crate) alike: usize,
    pub(crate) count: usize,
    pub(crate) cold: Spread,
    pub(crate) bare: Spread,
    pub(crate) bare_with_client: Option<Spread>,
}

/// Starts from a saved template, beside plain cold starts of the same function.
#[derive(Debug, Serialize)]
pub(crate) struct TemplateRow {
    /// Such as `Python, numpy and pandas`.
    pub(crate) what: &'static str,
    pub(crate) runtime: String,
    pub(crate) count: usize,
    /// How most of the plain ones are called, and how many of all were such.
    pub(crate) plain_start: String,
    pub(crate) plain_alike: usize,
    /// Those of the others that did come from the template.
    pub(crate) template_alike: usize,
    pub(crate) plain: Spread,
    pub(crate) template: Spread,
    pub(crate) bare: Spread,
}

#[derive(Debug, Serialize)]
pub(crate) struct BurstRow {
    pub(crate) language: &'static str,
    pub(crate) count: usize,
    pub(crate) answered: Spread,
    /// As many others, one after the other: starts at once must not wait for each other.
    #[serde(serialize_with = "as_millis")]
    pub(crate) in_turn_all: Duration,
    /// The processor time of those, divided by all cores: who is never idle while there is work takes as long.
    #[serde(serialize_with = "as_millis")]
    pub(crate) least: Duration,
    #[serde(serialize_with = "as_millis")]
    pub(crate) bare_all: Duration,
}

impl BurstRow {
    /// How many times as long as `other` all of them took.
    pub(super) fn to(&self, other: Duration) -> f64 {
        self.answered.max_ms / (other.as_secs_f64() * 1e3)
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct MemoryRow {
    pub(crate) language: &'static str,
    /// How its sandboxes started.
    pub(crate) start: &'static str,
    pub(crate) count: usize,
    pub(crate) agent_kib: f64,
    pub(crate) runtime_kib: f64,
    pub(crate) alone_kib: f64,
}

/// Many idle sandboxes of one runtime; what each adds, KiB.
#[derive(Debug, Serialize)]
pub(crate) struct IdleRow {
    pub(crate) language: &'static str,
    pub(crate) count: usize,
    /// Proportional set sizes of the processes inside, the shared pages of a zygote included.
    pub(crate) agent_kib: f64,
    pub(crate) runtime_kib: f64,
    pub(crate) daemon_kib: f64,
    /// Kernel memory: slabs, page tables and stacks of the whole machine.
    pub(crate) kernel_kib: f64,
    /// By what the machine has less memory available.
    pub(crate) available_kib: f64,
}

/// What a burst of cold starts of one function does to others.
#[derive(Debug, Serialize)]
pub(crate) struct InterferenceRow {
    pub(crate) what: &'static str,
    pub(crate) quiet_ms: f64,
    pub(crate) burst_ms: f64,
    pub(crate) limit: f64,
}

pub(super) fn cold_ratio(row: &ColdRow) -> f64 {
    row.cold.p50_ms / row.bare.p50_ms
}

pub(super) fn template_ratio(row: &TemplateRow) -> f64 {
    row.template.p50_ms / row.plain.p50_ms
}

pub(super) fn overhead_kib(row: &MemoryRow) -> f64 {
    row.agent_kib + row.runtime_kib - row.alone_kib
}

fn as_millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_taken_from_the_sorted_durations() {
        let durations = (1..=100).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(durations);
        assert_eq!((spread.p50_ms, spread.p99_ms, spread.max_ms), (51.0, 100.0, 100.0));
        assert_eq!(Spread::of(vec![Duration::from_millis(7)]).p50_ms, 7.0);
    }
}
