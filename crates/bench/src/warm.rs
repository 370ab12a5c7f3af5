//! Calls to functions that are warm, beside a plain server.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;

use crate::daemon::Daemon;
use crate::hello::HelloServer;
use crate::http::invocation;
use crate::load;
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
    request: Vec<u8>,
}

pub(crate) async fn measure(
    daemon: &Daemon,
    subjects: &[Subject],
    duration: Duration,
    report: &mut Report,
) -> Result<()> {
    let hello = HelloServer::start()?;
    let mut targets =
        vec![Target { name: "plain hyper".to_owned(), address: hello.address, request: invocation("hello") }];
    for subject in subjects {
        let name = format!("bench-{}", subject.language.to_lowercase());
        daemon.deploy(&name, subject).await?;
        let request = invocation(&name);
        targets.push(Target { name: subject.language.to_owned(), address: daemon.address, request });
    }
    for connections in CONNECTIONS {
        let mut latencies = Vec::new();
        for _ in &targets {
            latencies.push((load::histogram()?, Vec::new()));
        }
        for round in 1..=ROUNDS {
            for (target, (latency, rates)) in targets.iter().zip(&mut latencies) {
                report.progress(&format!("warm, {connections} connections, round {round}: {}", target.name));
                let load = load::run(target.address, &target.request, connections, WARM_UP, duration)
                    .await
                    .with_context(|| format!("{} at {connections} connections", target.name))?;
                latency.add(&load.latency)?;
                rates.push(load.per_second);
            }
        }
        let rows =
            targets.iter().zip(latencies).map(|(target, (latency, rates))| row(target, connections, &latency, rates));
        report.warm(rows.collect());
    }
    Ok(())
}

fn row(target: &Target, connections: usize, latency: &Histogram<u64>, mut rates: Vec<f64>) -> WarmRow {
    rates.sort_by(f64::total_cmp);
    WarmRow {
        target: target.name.clone(),
        connections,
        p50_us: micros(latency, 0.5),
        p99_us: micros(latency, 0.99),
        p999_us: micros(latency, 0.999),
        per_second: rates[rates.len() / 2],
    }
}

#[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 ns")]
fn micros(latency: &Histogram<u64>, quantile: f64) -> f64 {
    latency.value_at_quantile(quantile) as f64 / 1e3
}
