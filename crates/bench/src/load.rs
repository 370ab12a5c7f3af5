//! Closed-loop load: each connection sends its next request when it has the answer to the last.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::http::Connection;
use crate::processes::CpuTicks;

pub(crate) struct Load {
    /// Nanoseconds.
    pub(crate) latency: Histogram<u64>,
    pub(crate) per_second: f64,
    /// Used by the server while it was measured.
    pub(crate) cpu: CpuTicks,
}

pub(crate) struct Target<'a> {
    pub(crate) address: SocketAddr,
    /// The server's process.
    pub(crate) pid: u32,
    pub(crate) request: &'a [u8],
}

/// Loads for `warm_up`, then measures for `duration`. One thread drives all connections.
pub(crate) async fn run(
    target: &Target<'_>,
    connections: usize,
    warm_up: Duration,
    duration: Duration,
) -> Result<Load> {
    let (address, request) = (target.address, Rc::<[u8]>::from(target.request));
    let from = Instant::now() + warm_up;
    let until = from + duration;
    let local = LocalSet::new();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let request = Rc::clone(&request);
            local.spawn_local(async move { drive(address, &request, from, until).await })
        })
        .collect();
    let mut latency = histogram()?;
    let mut cpu = CpuTicks::default();
    local
        .run_until(async {
            tokio::time::sleep_until(from.into()).await;
            let before = cpu_ticks(target.pid).await?;
            tokio::time::sleep_until(until.into()).await;
            cpu = cpu_ticks(target.pid).await?.since(before);
            for task in tasks {
                latency.add(task.await??)?;
            }
            anyhow::Ok(())
        })
        .await?;
    let count = u32::try_from(latency.len())?;
    Ok(Load { per_second: f64::from(count) / duration.as_secs_f64(), latency, cpu })
}

/// Beside the thread that drives the connections, which must not pause.
async fn cpu_ticks(server: u32) -> Result<CpuTicks> {
    tokio::task::spawn_blocking(move || CpuTicks::of(server)).await?
}

async fn drive(address: SocketAddr, request: &[u8], from: Instant, until: Instant) -> Result<Histogram<u64>> {
    let mut latency = histogram()?;
    let mut connection = Connection::open(address).await?;
    loop {
        let started = Instant::now();
        connection.exchange(request).await?.succeeded()?;
        let ended = Instant::now();
        if ended >= until {
            return Ok(latency);
        }
        if started >= from {
            latency.saturating_record(u64::try_from((ended - started).as_nanos())?);
        }
    }
}

/// 1 us to a minute, in nanoseconds.
pub(crate) fn histogram() -> Result<Histogram<u64>> {
    match Histogram::new_with_bounds(1_000, 60_000_000_000, 3) {
        Ok(histogram) => Ok(histogram),
        Err(error) => bail!("cannot make a histogram: {error}"),
    }
}
