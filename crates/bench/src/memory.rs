//! Memory of sandboxes that are warm and idle, beside the same runtime idle without a sandbox.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::daemon::Daemon;
use crate::processes::{pss_kib, sandboxes};
use crate::report::{MemoryRow, Report};
use crate::runtime_api::RuntimeApi;
use crate::subject::Subject;

const READY_WITHIN: Duration = Duration::from_secs(60);

/// Means over the sandboxes, KiB.
#[derive(Debug)]
pub(crate) struct Footprint {
    pub(crate) agent_kib: f64,
    pub(crate) runtime_kib: f64,
}

/// The footprint of the `count` sandboxes that have run a function. Those in which an interpreter waits for one are counted
/// along: from outside they look alike.
pub(crate) fn of_sandboxes(daemon: &Daemon, count: usize) -> Result<Footprint> {
    let used: Vec<_> = sandboxes(daemon.pid())?.into_iter().filter(|sandbox| !sandbox.others.is_empty()).collect();
    let count_used = used.len();
    if count_used < count {
        bail!("{} sandboxes have a runtime in them, instead of {count}", used.len());
    }
    let (mut agent, mut runtime) = (0, 0);
    for sandbox in &used {
        for pid in &sandbox.others {
            runtime += pss_kib(*pid)?;
        }
        if let Some(pid) = sandbox.agent {
            agent += pss_kib(pid)?;
        }
    }
    Ok(Footprint { agent_kib: mean(agent, count_used), runtime_kib: mean(runtime, count_used) })
}

/// Starts as many of the same runtime without sandboxes, and reports both.
pub(crate) async fn compare(
    subject: &Subject,
    start: &'static str,
    sandboxes: &Footprint,
    count: usize,
    report: &mut Report,
) -> Result<()> {
    crate::report::progress(&format!("memory, {}: {count} without sandboxes", subject.language));
    let mut alone = Vec::with_capacity(count);
    for _ in 0..count {
        let api = RuntimeApi::start().await?;
        let child = Ended(subject.alone.clone().variable("AWS_LAMBDA_RUNTIME_API", &api.address).spawn()?);
        alone.push((api, child));
    }
    let deadline = Instant::now() + READY_WITHIN;
    while !alone.iter().all(|(api, _)| api.is_idle()) {
        if Instant::now() > deadline {
            bail!("{} does not get idle without a sandbox", subject.language);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut total = 0;
    for (_, child) in &alone {
        total += pss_kib(child.0.id())?;
    }
    report.memory(MemoryRow {
        language: subject.language,
        start,
        count,
        agent_kib: sandboxes.agent_kib,
        runtime_kib: sandboxes.runtime_kib,
        alone_kib: mean(total, count),
    });
    Ok(())
}

struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            let _status = self.0.wait().is_ok();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "memory sizes are far below 2^52 KiB")]
fn mean(total: u64, count: usize) -> f64 {
    total as f64 / count.max(1) as f64
}
