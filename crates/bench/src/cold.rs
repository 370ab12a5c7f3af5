//! First calls to functions that have no sandbox, in turn with the bare start of the same program.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::daemon::Daemon;
use crate::http::{Connection, start_kind, told_invocation};
use crate::report::{ColdRow, Report, Spread};
use crate::subject::Subject;

/// Between measurements, so that what the one leaves to be done in the background is not charged to the next.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// A way in which sandboxes are kept ready, and the node's settings for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// What starts are called then, in the timeline.
    pub(crate) start: &'static str,
    pub(crate) node: &'static str,
}

/// From nothing to the quickest.
pub(crate) const WAYS: [Way; 4] = [
    Way { start: "boot", node: "parking = \"none\"\nblanks_per_runtime = 0" },
    Way { start: "blank", node: "parking = \"none\"" },
    Way { start: "preboot", node: "parking = \"exec\"" },
    Way { start: "zygote", node: "parking = \"zygote\"" },
];

/// Long enough for a zygote to load and for sandboxes to be born of it, before the first call.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// Waits until a first call starts in this way; false if none does, as where the runtime has none of the kind.
pub(crate) async fn await_way(daemon: &Daemon, subject: &Subject, way: Way) -> Result<bool> {
    let deadline = Instant::now() + READY_WITHIN;
    let mut connection = Connection::open(daemon.address).await?;
    for number in 0.. {
        let name = format!("first-{}-{number}", subject.language.to_lowercase());
        daemon.deploy(&name, &subject.function).await?;
        let answer = connection.exchange(&told_invocation(&name)).await?;
        answer.succeeded().with_context(|| name.clone())?;
        if start_kind(&answer) == way.start {
            return Ok(true);
        }
        if Instant::now() > deadline || number >= MISSES_MAX {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(false)
}

/// First calls of another kind after which there is none of the wanted one.
const MISSES_MAX: usize = 6;

pub(crate) async fn measure(
    daemon: &Daemon,
    subject: &Subject,
    way: Way,
    count: usize,
    report: &mut Report,
) -> Result<()> {
    crate::report::progress(&format!("cold, {}, {}: deploying {count} functions", subject.language, way.start));
    let name = |number: usize| format!("cold-{}-{number}", subject.language.to_lowercase());
    for number in 0..count {
        daemon.deploy(&name(number), &subject.function).await?;
    }
    crate::report::progress(&format!("cold, {}, {}: calling them in turn", subject.language, way.start));
    let mut alike = 0;
    let (mut cold, mut bare, mut client) = (Vec::new(), Vec::new(), Vec::new());
    let mut connection = Connection::open(daemon.address).await?;
    for number in 0..count {
        tokio::time::sleep(PAUSE).await;
        let request = told_invocation(&name(number));
        let started = Instant::now();
        let answer = connection.exchange(&request).await?;
        let took = started.elapsed();
        answer.succeeded().with_context(|| name(number))?;
        alike += usize::from(start_kind(&answer) == way.start);
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
        runtime: subject.function.runtime.clone(),
        start: way.start,
        alike,
        count,
        cold: Spread::of(cold),
        bare: Spread::of(bare),
        bare_with_client: (!client.is_empty()).then(|| Spread::of(client)),
    });
    Ok(())
}
