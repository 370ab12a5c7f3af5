//! What one of many idle, warm sandboxes adds to the machine's memory.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::daemon::Daemon;
use crate::http::{Connection, invocation};
use crate::memory;
use crate::report::{IdleRow, Report};
use crate::subject::Subject;

/// Room for as many sandboxes as anybody measures, and none of them removed meanwhile.
pub(crate) const NODE: &str = "memory_mib = 10000000\nsandboxes = 5000";
/// Until what was started in the background has settled.
const SETTLE: Duration = Duration::from_secs(5);

/// KiB.
struct Machine {
    available: i64,
    kernel: i64,
    daemon: i64,
}

impl Machine {
    fn now(daemon: u32) -> Result<Self> {
        let text = fs_err::read_to_string("/proc/meminfo")?;
        let fields = numbers(&text);
        let field = |name: &str| fields.get(name).copied().with_context(|| format!("no {name} in /proc/meminfo"));
        let status = fs_err::read_to_string(format!("/proc/{daemon}/status"))?;
        let daemon = numbers(&status).get("VmRSS").copied().context("no VmRSS of the daemon")?;
        let kernel = field("Slab")? + field("PageTables")? + field("KernelStack")?;
        Ok(Self { available: field("MemAvailable")?, kernel, daemon })
    }
}

/// Lines of a name, a colon and a number.
fn numbers(text: &str) -> HashMap<&str, i64> {
    let number = |rest: &str| rest.split_whitespace().next().and_then(|number| number.parse().ok());
    text.lines().filter_map(|line| line.split_once(':').and_then(|(name, rest)| Some((name, number(rest)?)))).collect()
}

pub(crate) async fn measure(daemon: &Daemon, subject: &Subject, count: usize, report: &mut Report) -> Result<()> {
    crate::report::progress(&format!("idle, {}: {count} functions", subject.language));
    let name = |number: usize| format!("idle-{number}");
    for number in 0..count {
        daemon.deploy(&name(number), &subject.function).await?;
    }
    tokio::time::sleep(SETTLE).await;
    let before = Machine::now(daemon.pid())?;
    let mut connection = Connection::open(daemon.address).await?;
    for number in 0..count {
        connection.exchange(&invocation(&name(number))).await?.succeeded().with_context(|| name(number))?;
    }
    tokio::time::sleep(SETTLE).await;
    let after = Machine::now(daemon.pid())?;
    let footprint = memory::of_sandboxes(daemon, count)?;
    let each = |growth: i64| growth as f64 / count as f64;
    report.idle(IdleRow {
        language: subject.language,
        count,
        agent_kib: footprint.agent_kib,
        runtime_kib: footprint.runtime_kib,
        daemon_kib: each(after.daemon - before.daemon),
        kernel_kib: each(after.kernel - before.kernel),
        available_kib: each(before.available - after.available),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_their_names() {
        let fields = numbers("MemTotal:       24 kB\nSlab:  7 kB\nName:\thearth\nnothing\n");
        assert_eq!((fields.get("MemTotal"), fields.get("Slab"), fields.get("Name")), (Some(&24), Some(&7), None));
    }
}
