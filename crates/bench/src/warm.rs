//! Calls to functions that are warm, beside a plain server.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;

use crate::daemon::Daemon;
use crate::hello::HelloServer;
use crate::http::invocation;
use crate::load;
use crate::processes::{CpuTicks, TICK};
use crate::report::{Report, WarmRow};
use crate::subject::Subject;

const ROUNDS: usize = 3;
/// Connections of the latency figures, and one more number to find the highest throughput.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// Long enough for as many sandboxes as connections to start.
const WARM_UP: Duration = Duration::from_secs(2);

struct Target {
    name: String,
    address: SocketAddr,
    pid: u32,
    request: Vec<u8>,
}

pub(crate) async fn measure(
    daemon: &Daemon,
    subjects: &[Subject],
    duration: Duration,
    report: &mut Report,
) -> Result<()> {
    let hello = HelloServer::start()?;
    let mut targets = vec![Target {
        name: "plain hyper".to_owned(),
        address: hello.address,
        pid: hello.pid(),
        request: invocation("hello"),
    }];
    for subject in subjects {
        let name = format!("bench-{}", subject.language.to_lowercase());
        daemon.deploy(&name, &subject.function).await?;
        let request = invocation(&name);
        targets.push(Target { name: subject.language.to_owned(), address: daemon.address, pid: daemon.pid(), request });
    }
    for connections in CONNECTIONS {
        let mut all = targets.iter().map(|_| Measured::new()).collect::<Result<Vec<_>>>()?;
        for round in 1..=ROUNDS {
            for (target, measured) in targets.iter().zip(&mut all) {
                crate::report::progress(&format!("warm, {connections} connections, round {round}: {}", target.name));
                let Target { address, pid, request, .. } = target;
                let under_load = load::Target { address: *address, pid: *pid, request };
                let load = load::run(&under_load, connections, WARM_UP, duration)
                    .await
                    .with_context(|| format!("{} at {connections} connections", target.name))?;
                measured.latency.add(&load.latency)?;
                measured.rates.push(load.per_second);
                measured.cpu.add(load.cpu);
            }
        }
        let rows = targets.iter().zip(all).map(|(target, measured)| measured.row(target, connections));
        report.warm(rows.collect());
    }
    Ok(())
}

/// The rounds of one target, together.
struct Measured {
    latency: Histogram<u64>,
    rates: Vec<f64>,
    cpu: CpuTicks,
}

impl Measured {
    fn new() -> Result<Self> {
        Ok(Self { latency: load::histogram()?, rates: Vec::new(), cpu: CpuTicks::default() })
    }

    fn row(mut self, target: &Target, connections: usize) -> WarmRow {
        self.rates.sort_by(f64::total_cmp);
        WarmRow {
            target: target.name.clone(),
            connections,
            p50_us: self.micros(0.5),
            p99_us: self.micros(0.99),
            p999_us: self.micros(0.999),
            per_second: self.rates[self.rates.len() / 2],
            server_cpu_us: self.cpu_us(self.cpu.server),
            agent_cpu_us: self.cpu_us(self.cpu.agents),
            runtime_cpu_us: self.cpu_us(self.cpu.runtimes),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 ns")]
    fn micros(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }

    /// Per call.
    #[expect(clippy::cast_precision_loss, reason = "ticks and calls are far below 2^52")]
    fn cpu_us(&self, ticks: u64) -> f64 {
        ticks as f64 * TICK.as_secs_f64() * 1e6 / self.latency.len().max(1) as f64
    }
}
