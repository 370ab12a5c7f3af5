//! What a burst of cold starts of one function does to the cold starts of a second and the warm calls of a third.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::LocalSet;

use crate::daemon::Daemon;
use crate::http::{Connection, invocation};
use crate::report::{InterferenceRow, Report};
use crate::subject::Subject;

/// Functions called cold while it is quiet, and as many at most during the burst.
const COLD: usize = 40;
/// Between cold calls, and for the pool to fill before the burst.
const PAUSE: Duration = Duration::from_millis(40);
const SETTLE: Duration = Duration::from_secs(3);
const WARM_QUIET: Duration = Duration::from_secs(3);

pub(crate) async fn measure(daemon: &Daemon, subject: &Subject, burst: usize, report: &mut Report) -> Result<()> {
    report.progress(&format!("interference: {burst} cold starts of one function"));
    for name in ["burst-a", "warm-c"] {
        daemon.deploy(name, &subject.function).await?;
    }
    for number in 0..2 * COLD {
        daemon.deploy(&cold_name(number), &subject.function).await?;
    }
    let local = LocalSet::new();
    let (quiet, loaded) = local
        .run_until(async {
            tokio::time::sleep(SETTLE).await;
            let ends = Rc::new(Cell::new(Some(Instant::now() + WARM_QUIET)));
            let quiet = others(daemon, 0, &ends).await?;
            tokio::time::sleep(SETTLE).await;
            let over = Rc::new(Cell::new(None));
            let calls = local_burst(daemon, burst, &over).await?;
            let loaded = others(daemon, COLD, &over).await?;
            for call in calls {
                call.await??;
            }
            anyhow::Ok((quiet, loaded))
        })
        .await?;
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

fn cold_name(number: usize) -> String {
    format!("cold-b-{number}")
}

struct Others {
    cold: Vec<Duration>,
    warm: Vec<Duration>,
}

/// Starts all calls of the burst; `over` is told when the last has its answer.
async fn local_burst(
    daemon: &Daemon,
    count: usize,
    over: &Rc<Cell<Option<Instant>>>,
) -> Result<Vec<tokio::task::JoinHandle<Result<()>>>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(Connection::open(daemon.address).await?);
    }
    let left = Rc::new(Cell::new(count));
    let call = |mut connection: Connection| {
        let (left, over) = (Rc::clone(&left), Rc::clone(over));
        tokio::task::spawn_local(async move {
            let answer = connection.exchange(&invocation("burst-a")).await.and_then(|answer| answer.succeeded());
            left.set(left.get() - 1);
            if left.get() == 0 {
                over.set(Some(Instant::now()));
            }
            answer
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
                took.push(started.elapsed());
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
        cold.push(started.elapsed());
    }
    // The first warm call was a cold one.
    let warm = warm.await??.split_off(1);
    Ok(Others { cold, warm }).and_then(|others| {
        (!others.cold.is_empty() && !others.warm.is_empty()).then_some(others).context("the burst was over at once")
    })
}

/// Milliseconds.
fn percentile(mut durations: Vec<Duration>, share: f64) -> f64 {
    durations.sort_unstable();
    let index = ((durations.len() as f64 * share) as usize).min(durations.len().saturating_sub(1));
    durations.get(index).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_of_the_sorted_durations() {
        let durations: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(durations.clone(), 0.95), 96.0);
        assert_eq!(percentile(durations, 1.0), 100.0);
        assert_eq!(percentile(vec![Duration::from_millis(7)], 0.5), 7.0);
    }
}
