//! Two binaries in one run, in turn: A B, B A, A B ... A machine whose speed drifts is unfair to neither.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use comfy_table::Table;
use serde::Serialize;
use serde_json::json;

use crate::Args;
use crate::cold::PAUSE;
use crate::daemon::Daemon;
use crate::http::Connection;
use crate::load::{self, Load};
use crate::processes::{CpuTicks, TICK};
use crate::report::table;
use crate::subject::Subject;

const CONNECTIONS: [usize; 2] = [1, 16];
/// Long enough for as many sandboxes as connections to start.
const WARM_UP: Duration = Duration::from_secs(2);
/// In which the daemons make their first sandboxes, after which both are idle.
const SETTLE: Duration = Duration::from_secs(3);

/// A figure of both binaries, round by round.
#[derive(Debug, Serialize)]
struct Figure {
    what: String,
    unit: &'static str,
    /// Of the binary under test, and of the one it is compared with.
    rounds: Vec<[f64; 2]>,
    more_is_better: bool,
}

impl Figure {
    fn less_is_better(what: String, unit: &'static str) -> Self {
        Self { what, unit, rounds: Vec::new(), more_is_better: false }
    }

    fn more_is_better(what: String, unit: &'static str) -> Self {
        Self { what, unit, rounds: Vec::new(), more_is_better: true }
    }

    fn of(&self, side: usize) -> Vec<f64> {
        sorted(self.rounds.iter().map(|round| round[side]))
    }

    /// Sorted, of each round by itself.
    fn ratios(&self) -> Vec<f64> {
        sorted(self.rounds.iter().map(|[this, other]| this / other))
    }

    /// Rounds in which the binary under test was the worse one.
    fn worse(&self) -> usize {
        self.rounds.iter().filter(|[this, other]| if self.more_is_better { this < other } else { this > other }).count()
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Of an even number of values the mean of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    if sorted.len() % 2 == 1 {
        upper
    } else {
        sorted.get(sorted.len() / 2 - 1).map_or(upper, |lower| (lower + upper) / 2.0)
    }
}

/// Measures `args.hearth` against `other`, prints a table and writes `args.out`.
pub(crate) async fn run(args: &Args, other: &Path) -> Result<()> {
    let subjects = Subject::all(args).context("cannot prepare the sample functions (`scripts/prepare` does)")?;
    let other_runtimes = args.against_runtimes.as_deref().unwrap_or(&args.runtimes);
    let daemons = [start(args, &args.hearth, &args.runtimes).await?, start(args, other, other_runtimes).await?];
    let mut figures = Vec::new();
    for subject in &subjects {
        figures.extend(warm(args, &daemons, subject).await?);
        figures.extend(cold(args, &daemons, subject).await?);
    }
    for daemon in daemons {
        daemon.stop()?;
    }
    crate::report::say(&format!("\n{} against {}\n{}", args.hearth.display(), other.display(), rows(&figures)))?;
    crate::report::write_json(&args.out, &json!({"hearth": args.hearth, "against": other, "figures": figures}))
}

async fn start(args: &Args, program: &Path, runtimes: &Path) -> Result<Daemon> {
    if args.signed {
        Daemon::start_guarded(program, runtimes).await
    } else {
        Daemon::start(program, runtimes, "").await
    }
}

/// Which of both goes first, by turns.
fn order(round: usize) -> [usize; 2] {
    if round.is_multiple_of(2) { [0, 1] } else { [1, 0] }
}

async fn warm(args: &Args, daemons: &[Daemon; 2], subject: &Subject) -> Result<Vec<Figure>> {
    let name = format!("warm-{}", subject.language.to_lowercase());
    for daemon in daemons {
        daemon.deploy(&name, &subject.function).await?;
    }
    let mut figures = Vec::new();
    for connections in CONNECTIONS {
        let what = |figure: &str| format!("warm {}, {connections} conn: {figure}", subject.language);
        let mut of = [
            Figure::less_is_better(what("p50"), "us"),
            Figure::less_is_better(what("p99"), "us"),
            Figure::less_is_better(what("CPU per call"), "us"),
            Figure::more_is_better(what("calls"), "/s"),
        ];
        for round in 0..args.rounds {
            crate::report::progress(&format!(
                "warm, {}, {connections} connections, round {}",
                subject.language,
                round + 1
            ));
            let mut values = [[0.0; 2]; 4];
            for side in order(round) {
                let daemon = &daemons[side];
                let request = daemon.invocation(&name);
                let target = load::Target { address: daemon.address, pid: daemon.pid(), request: &request };
                let load = load::run(&target, connections, WARM_UP, Duration::from_secs(args.seconds)).await?;
                for (pair, value) in values.iter_mut().zip(of_load(&load)) {
                    pair[side] = value;
                }
            }
            for (figure, pair) in of.iter_mut().zip(values) {
                figure.rounds.push(pair);
            }
        }
        figures.extend(of);
    }
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "latencies and counts are far below 2^52")]
fn of_load(load: &Load) -> [f64; 4] {
    let micros = |quantile| load.latency.value_at_quantile(quantile) as f64 / 1e3;
    let calls = load.latency.len().max(1) as f64;
    [micros(0.5), micros(0.99), micros_of(load.cpu) / calls, load.per_second]
}

#[expect(clippy::cast_precision_loss, reason = "ticks are far below 2^52")]
fn micros_of(cpu: CpuTicks) -> f64 {
    (cpu.server + cpu.agents + cpu.runtimes) as f64 * TICK.as_secs_f64() * 1e6
}

/// First calls to functions that have no sandbox, each on both sides.
async fn cold(args: &Args, daemons: &[Daemon; 2], subject: &Subject) -> Result<Vec<Figure>> {
    let name = |number: usize| format!("cold-{}-{number}", subject.language.to_lowercase());
    crate::report::progress(&format!("cold, {}: {} functions, called in turn", subject.language, args.cold));
    let mut connections = Vec::new();
    for daemon in daemons {
        for number in 0..args.cold {
            daemon.deploy(&name(number), &subject.function).await?;
        }
        connections.push(Connection::open(daemon.address).await?);
    }
    tokio::time::sleep(SETTLE).await;
    let mut took = Figure::less_is_better(format!("cold {}: first call", subject.language), "ms");
    let before = cpu_of(daemons)?;
    for number in 0..args.cold {
        let mut pair = [0.0; 2];
        for side in order(number) {
            tokio::time::sleep(PAUSE).await;
            let started = Instant::now();
            let answer = connections[side].exchange(&daemons[side].invocation(&name(number))).await?;
            pair[side] = started.elapsed().as_secs_f64() * 1e3;
            answer.succeeded().with_context(|| name(number))?;
        }
        took.rounds.push(pair);
    }
    // Making up for the sandboxes that were taken is work of these starts too.
    tokio::time::sleep(SETTLE).await;
    let mut cpu = Figure::less_is_better(format!("cold {}: CPU per start", subject.language), "ms");
    let after = cpu_of(daemons)?;
    let starts = f64::from(u32::try_from(args.cold)?);
    cpu.rounds.push([0, 1].map(|side| micros_of(after[side].since(before[side])) / 1e3 / starts));
    Ok(vec![took, cpu])
}

fn cpu_of(daemons: &[Daemon; 2]) -> Result<[CpuTicks; 2]> {
    Ok([CpuTicks::of(daemons[0].pid())?, CpuTicks::of(daemons[1].pid())?])
}

fn rows(figures: &[Figure]) -> Table {
    let mut table = table(&["", "unit", "this", "other", "ratio", "least", "most", "worse"]);
    for figure in figures {
        let ratios = figure.ratios();
        let extreme = |ratio: Option<&f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        table.add_row([
            figure.what.clone(),
            figure.unit.to_owned(),
            format!("{:.1}", median(&figure.of(0))),
            format!("{:.1}", median(&figure.of(1))),
            format!("{:.3}", median(&ratios)),
            extreme(ratios.first()),
            extreme(ratios.last()),
            format!("{}/{}", figure.worse(), figure.rounds.len()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let mut latency = Figure::less_is_better("p50".to_owned(), "us");
        // The machine became twice as slow half way.
        latency.rounds = vec![[10.0, 10.0], [22.0, 20.0], [9.0, 10.0]];
        assert_eq!(median(&latency.ratios()), 1.0);
        assert_eq!(latency.worse(), 1);
        assert_eq!(median(&latency.of(0)), 10.0);
        assert_eq!(median(&[1.0, 3.0]), 2.0);
        let mut rate = Figure::more_is_better("calls".to_owned(), "/s");
        rate.rounds = latency.rounds;
        assert_eq!(rate.worse(), 1, "fewer calls are worse");
    }

    #[test]
    fn neither_side_always_goes_first() {
        assert_eq!([order(0), order(1), order(2)], [[0, 1], [1, 0], [0, 1]]);
    }
}
