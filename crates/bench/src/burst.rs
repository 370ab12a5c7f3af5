//! Many functions called for the first time at the same moment, beside as many called in turn and as many bare starts.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::LocalSet;

use crate::daemon::Daemon;
use crate::http::{Connection, invocation};
use crate::processes::machine_cpu;
use crate::report::{BurstRow, Report, Spread};
use crate::subject::Subject;

pub(crate) async fn measure(daemon: &Daemon, subject: &Subject, count: usize, report: &mut Report) -> Result<()> {
    let (in_turn, work) = in_turn(daemon, subject, count).await?;
    crate::report::progress(&format!("burst, {}: {count} functions at once", subject.language));
    let mut calls = Vec::with_capacity(count);
    for number in 0..count {
        let name = format!("burst-{}-{number}", subject.language.to_lowercase());
        daemon.deploy(&name, &subject.function).await?;
        calls.push((Connection::open(daemon.address).await?, invocation(&name)));
    }
    let local = LocalSet::new();
    let started = Instant::now();
    let tasks: Vec<_> = calls
        .into_iter()
        .map(|(mut connection, request)| {
            local.spawn_local(async move {
                connection.exchange(&request).await?.succeeded()?;
                anyhow::Ok(started.elapsed())
            })
        })
        .collect();
    let mut answered = Vec::with_capacity(count);
    local
        .run_until(async {
            for task in tasks {
                answered.push(task.await??);
            }
            anyhow::Ok(())
        })
        .await
        .with_context(|| format!("burst of {}", subject.language))?;
    let program = subject.bare_with_client.as_ref().unwrap_or(&subject.bare);
    report.burst(BurstRow {
        language: subject.language,
        count,
        answered: Spread::of(answered),
        in_turn_all: in_turn,
        least: work,
        bare_all: program.time_at_once(count)?,
    });
    Ok(())
}

/// How long as many functions take one after the other, and how long the work that this makes takes all cores at least.
async fn in_turn(daemon: &Daemon, subject: &Subject, count: usize) -> Result<(Duration, Duration)> {
    crate::report::progress(&format!("burst, {}: {count} functions in turn", subject.language));
    let name = |number: usize| format!("turn-{}-{number}", subject.language.to_lowercase());
    for number in 0..count {
        daemon.deploy(&name(number), &subject.function).await?;
    }
    let mut connection = Connection::open(daemon.address).await?;
    let (used, _cores) = machine_cpu()?;
    let started = Instant::now();
    for number in 0..count {
        let answer = connection.exchange(&invocation(&name(number))).await?;
        answer.succeeded().with_context(|| name(number))?;
    }
    let took = started.elapsed();
    let (used_since, cores) = machine_cpu()?;
    Ok((took, used_since.saturating_sub(used) / cores))
}
