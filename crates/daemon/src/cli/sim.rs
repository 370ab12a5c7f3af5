//! `hearth sim`: replays traces under keep-alive policies.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hearth_sim::{BASELINE, NodeModel, PolicyName, Row, Sources, Trace, compare, plot, relative};
use serde_json::json;

use super::output::{Output, Table};

/// Replays traces through the engine in virtual time and compares keep-alive policies: cold starts against idle memory.
#[derive(Debug, clap::Args)]
pub(crate) struct SimArgs {
    /// Calls per minute and function, or single calls, as CSV, plain or gzip.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    trace: Vec<PathBuf>,
    /// `hearth[:THRESHOLD]`, `fixed:SECONDS`, `never`, `hybrid`, `greedy-dual[:MIB]`, or `oracle`, which is told the future.
    #[arg(long, num_args = 1.., value_name = "NAME",
        default_values = ["fixed:300", "fixed:600", "fixed:1200", "fixed:3600", "hybrid", "greedy-dual", "hearth"])]
    policy: Vec<PolicyName>,
    /// Write a plot, a curve per policy.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Write the rows as JSON, besides printing them.
    #[arg(long, value_name = "FILE.json")]
    save: Option<PathBuf>,
    /// Durations of the functions; by default the file beside the trace that is named like it.
    #[arg(long, value_name = "FILE")]
    durations: Option<PathBuf>,
    /// Memory of the functions; by default the file beside the trace that is named like it.
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
    /// Of what the traces leave open: when in its minute a call comes, how long it takes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where in its minute a call comes, if the trace says only how many there were.
    #[arg(long, value_enum, default_value_t)]
    spread: Spread,
    /// Sandboxes that can start at the same time.
    #[arg(long, default_value_t = 64)]
    cores: usize,
    /// Memory of the node, GiB; by default more than any of the recorded traces needs, so that policies decide and not pressure.
    #[arg(long, default_value_t = 8192)]
    memory_gib: u64,
    /// What a cold start takes with an empty sandbox at hand, milliseconds.
    #[arg(long, default_value_t = 100)]
    start_ms: u64,
    /// What making an empty sandbox takes, milliseconds.
    #[arg(long, default_value_t = 10)]
    blank_ms: u64,
    /// Let nodes be lost, leases reclaimed and starts be slow, by this seed.
    #[arg(long, value_name = "SEED")]
    faults: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Spread {
    /// At even distances, the first at a place that is the same in each minute of a function.
    #[default]
    Even,
    /// Anywhere, by chance.
    Random,
}

impl From<Spread> for hearth_sim::Spread {
    fn from(spread: Spread) -> Self {
        match spread {
            Spread::Even => Self::Even,
            Spread::Random => Self::Random,
        }
    }
}

pub(crate) fn run(args: &SimArgs, output: &Output) -> Result<ExitCode> {
    let traces = args.trace.iter().map(|calls| read(args, calls)).collect::<Result<Vec<Trace>>>()?;
    let model = NodeModel {
        cores: args.cores.max(1),
        memory_mib: args.memory_gib.saturating_mul(1024),
        start: Duration::from_millis(args.start_ms),
        blank: Duration::from_millis(args.blank_ms),
        faults: args.faults,
    };
    let rows = compare(&traces, &args.policy, &model);
    if let Some(path) = &args.plot {
        fs_err::write(path, plot(&rows)).context("cannot write the plot")?;
    }
    if let Some(path) = &args.save {
        fs_err::write(path, json!(rows).to_string()).context("cannot write the rows")?;
    }
    output.result(&json!(rows), || as_table(&rows));
    Ok(ExitCode::SUCCESS)
}

fn read(args: &SimArgs, calls: &std::path::Path) -> Result<Trace> {
    let sources = Sources {
        calls: calls.to_owned(),
        durations: args.durations.clone(),
        memory: args.memory.clone(),
        seed: args.seed,
        spread: args.spread.into(),
    };
    Ok(Trace::read(&sources)?)
}

fn as_table(rows: &[Row]) -> String {
    let against = format!("of {BASELINE}");
    let mut table = Table::new(&[
        "trace",
        "policy",
        "calls",
        "cold starts",
        &against,
        "idle GiB s",
        &against,
        "loads ahead",
        "with these",
        &against,
        "evicted",
        "failed",
        "delay p50",
        "p99 ms",
    ])
    .numbers_from(2);
    let percent = |share: Option<f64>| share.map_or(String::new(), |share| format!("{:.1} %", share * 100.0));
    for (row, relative) in rows.iter().zip(relative(rows)) {
        table.row([
            row.trace.clone(),
            row.policy.clone(),
            row.invocations.to_string(),
            row.cold_starts.to_string(),
            percent(relative.map(|relative| relative.cold_starts)),
            format!("{:.0}", row.idle_gib_s),
            percent(relative.map(|relative| relative.idle)),
            row.loads_ahead.to_string(),
            row.starts.to_string(),
            percent(relative.map(|relative| relative.starts)),
            row.evictions.to_string(),
            row.failed.to_string(),
            format!("{:.1}", row.start_delay_p50_ms),
            format!("{:.1}", row.start_delay_p99_ms),
        ]);
    }
    table.to_string()
}
