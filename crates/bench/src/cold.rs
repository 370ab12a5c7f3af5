//! First calls to functions that have no sandbox, in turn with the bare start of the same program.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::daemon::Daemon;
use crate::http::{Connection, invocation};
use crate::report::{ColdRow, Report, Spread};
use crate::subject::Subject;

/// Between measurements, so that what the one leaves to be done in the background is not charged to the next.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) async fn measure(daemon: &Daemon, subject: &Subject, count: usize, report: &mut Report) -> Result<()> {
    report.progress(&format!("cold, {}: deploying {count} functions", subject.language));
    let name = |number: usize| format!("cold-{}-{number}", subject.language.to_lowercase());
    for number in 0..count {
        daemon.deploy(&name(number), subject).await?;
    }
    report.progress(&format!("cold, {}: calling them in turn", subject.language));
    let (mut cold, mut bare, mut client) = (Vec::new(), Vec::new(), Vec::new());
    let mut connection = Connection::open(daemon.address).await?;
    for number in 0..count {
        tokio::time::sleep(PAUSE).await;
        let request = invocation(&name(number));
        let started = Instant::now();
        let answer = connection.exchange(&request).await?;
        let took = started.elapsed();
        answer.succeeded().with_context(|| name(number))?;
        cold.push(took);
        tokio::time::sleep(PAUSE).await;
        bare.push(subject.bare.time()?);
        if let Some(program) = &subject.bare_with_client {
            tokio::time::sleep(PAUSE).await;
            client.push(program.time()?);
        }
    }
    report.cold(ColdRow {
        language: subject.language,
        runtime: subject.runtime.clone(),
        cold: Spread::of(cold),
        bare: Spread::of(bare),
        bare_with_client: (!client.is_empty()).then(|| Spread::of(client)),
    });
    Ok(())
}
