//! What a burst of cold starts of one function does to the cold starts of a second and the warm calls of a third.

use std::cell::Cell;
use std::io::{Cursor, Write as _};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::{JoinHandle, LocalSet};
use zip::write::SimpleFileOptions;

use crate::daemon::Daemon;
use crate::http::{Connection, invocation, start_kind, told_invocation};
use crate::report::{InterferenceRow, Report};
use crate::subject::{Function, Subject};

/// Functions called cold while it is quiet, and as many at most during the burst.
const COLD: usize = 40;
/// Between cold calls, and for the pool to fill before the burst.
const PAUSE: Duration = Duration::from_millis(40);
const SETTLE: Duration = Duration::from_secs(3);
const WARM_QUIET: Duration = Duration::from_secs(3);
/// The function of the burst keeps its sandbox for so long, so that each call needs another one.
const HOLDING: &str = include_str!("assets/hold.py");
const HOLD: Duration = Duration::from_secs(8);

pub(crate) async fn measure(daemon: &Daemon, subject: &Subject, burst: usize, report: &mut Report) -> Result<()> {
    crate::report::progress(&format!("interference: {burst} cold starts of one function"));
    daemon.deploy("burst-a", &holding(subject)?).await?;
    daemon.deploy("warm-c", &subject.function).await?;
    for number in 0..2 * COLD {
        daemon.deploy(&cold_name(number), &subject.function).await?;
    }
    let local = LocalSet::new();
    let (quiet, loaded, starts) = local
        .run_until(async {
            tokio::time::sleep(SETTLE).await;
            let ends = Rc::new(Cell::new(Some(Instant::now() + WARM_QUIET)));
            let mut quiet = others(daemon, 0, &ends).await?;
            if let Some((last, _)) = quiet.cold.last() {
                quiet.keep_until(*last + PAUSE)?;
            }
            tokio::time::sleep(SETTLE).await;
            let over = Rc::new(Cell::new(None));
            let began = Instant::now();
            let calls = local_burst(daemon, burst, &over).await?;
            let mut loaded = others(daemon, COLD, &over).await?;
            let mut starts = 0;
            for call in calls {
                starts += usize::from(call.await??);
            }
            // What came later met no starts any more.
            let last_start = over.get().context("the burst is over")? - HOLD;
            loaded.keep_until(last_start)?;
            anyhow::Ok((quiet, loaded, (starts, last_start - began)))
        })
        .await?;
    let (starts, took) = starts;
    crate::report::progress(&format!(
        "interference: {starts} sandboxes were started within {:.2} s",
        took.as_secs_f64()
    ));
    report.interference(InterferenceRow {
        what: "p95 of cold calls",
        quiet_ms: percentile(quiet.cold, 0.95),
        burst_ms: percentile(loaded.cold, 0.95),
        limit: 1.5,
    });
    report.interference(InterferenceRow {
        what: "p99 of warm calls",
        quiet_ms: percentile(quiet.warm, 0.99),
        burst_ms: percentile(loaded.warm, 0.99),
        limit: 1.2,
    });
    Ok(())
}

fn holding(subject: &Subject) -> Result<Function> {
    let Function { ref runtime, handler, memory_mib, .. } = subject.function;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("app.py", SimpleFileOptions::default().unix_permissions(0o644))?;
    zip.write_all(HOLDING.as_bytes())?;
    Ok(Function { runtime: runtime.clone(), handler, memory_mib, package: zip.finish()?.into_inner() })
}

fn cold_name(number: usize) -> String {
    format!("cold-b-{number}")
}

/// When each call began, and how long it took.
struct Others {
    cold: Vec<(Instant, Duration)>,
    warm: Vec<(Instant, Duration)>,
}

impl Others {
    fn keep_until(&mut self, end: Instant) -> Result<()> {
        for calls in [&mut self.cold, &mut self.warm] {
            calls.retain(|(began, _)| *began < end);
            (!calls.is_empty()).then_some(()).context("the burst was over at once")?;
        }
        Ok(())
    }
}

/// Starts all calls of the burst; `over` is told when the last has its answer. Each tells whether it started a sandbox.
async fn local_burst(
    daemon: &Daemon,
    count: usize,
    over: &Rc<Cell<Option<Instant>>>,
) -> Result<Vec<JoinHandle<Result<bool>>>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(Connection::open(daemon.address).await?);
    }
    let left = Rc::new(Cell::new(count));
    let call = |mut connection: Connection| {
        let (left, over) = (Rc::clone(&left), Rc::clone(over));
        tokio::task::spawn_local(async move {
            let answer = connection.exchange(&told_invocation("burst-a")).await;
            left.set(left.get() - 1);
            if left.get() == 0 {
                over.set(Some(Instant::now()));
            }
            let answer = answer?;
            answer.succeeded()?;
            Ok(start_kind(&answer) != "warm")
        })
    };
    Ok(connections.into_iter().map(call).collect())
}

/// Calls the others until `ends`, the cold ones from number `first` on.
async fn others(daemon: &Daemon, first: usize, ends: &Rc<Cell<Option<Instant>>>) -> Result<Others> {
    let is_over = |ends: &Rc<Cell<Option<Instant>>>| ends.get().is_some_and(|ends| Instant::now() >= ends);
    let address = daemon.address;
    let warm = tokio::task::spawn_local({
        let ends = Rc::clone(ends);
        async move {
            let (mut connection, mut took) = (Connection::open(address).await?, Vec::new());
            while !is_over(&ends) {
                let started = Instant::now();
                connection.exchange(&invocation("warm-c")).await?.succeeded()?;
                took.push((started, started.elapsed()));
            }
            anyhow::Ok(took)
        }
    });
    let (mut connection, mut cold) = (Connection::open(address).await?, Vec::new());
    for number in first..first + COLD {
        if is_over(ends) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        let started = Instant::now();
        connection.exchange(&invocation(&cold_name(number))).await?.succeeded()?;
        cold.push((started, started.elapsed()));
    }
    let mut warm = warm.await??;
    (!warm.is_empty() && !cold.is_empty()).then_some(()).context("the burst was over at once")?;
    // The first warm call was a cold one, or met a frozen sandbox.
    warm.remove(0);
    Ok(Others { cold, warm })
}

/// Milliseconds.
fn percentile(calls: Vec<(Instant, Duration)>, share: f64) -> f64 {
    let mut durations: Vec<Duration> = calls.into_iter().map(|(_, took)| took).collect();
    durations.sort_unstable();
    let index = ((durations.len() as f64 * share) as usize).min(durations.len().saturating_sub(1));
    durations.get(index).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_of_the_sorted_durations() {
        let now = Instant::now();
        let calls: Vec<_> = (1..=100).rev().map(|millis| (now, Duration::from_millis(millis))).collect();
        assert_eq!(percentile(calls.clone(), 0.95), 96.0);
        assert_eq!(percentile(calls, 1.0), 100.0);
        assert_eq!(percentile(vec![(now, Duration::from_millis(7))], 0.5), 7.0);
    }
}
