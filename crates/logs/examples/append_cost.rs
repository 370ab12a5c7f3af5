//! What an append costs its caller and the writer: `cargo run --release -p hearth-logs --example append_cost`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hearth_logs::{LogConfig, LogStore};

const EVENTS_PER_SECOND: u64 = 66_000;
const SECONDS: u64 = 5;
const STREAMS: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let home: hearth_types::Home = "123456789012/eu-west-1".parse()?;
    let store = LogStore::open(dir.path(), LogConfig::default(), &home.region)?;
    let streams: Vec<_> =
        (0..STREAMS).map(|number| store.stream(&home, "/aws/lambda/bench", &format!("s{number}"))).collect();
    let line =
        Bytes::from("REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Duration: 3.41 ms Billed Duration: 4 ms");

    let cpu_before = cpu_time()?;
    let start = Instant::now();
    let mut spent = Duration::ZERO;
    for tick in 0..SECONDS * 100 {
        let begin = Instant::now();
        for number in 0..EVENTS_PER_SECOND / 100 {
            streams[usize::try_from(number)? % STREAMS].append(tick, line.clone());
        }
        spent += begin.elapsed();
        std::thread::sleep(Duration::from_millis(10 * (tick + 1)).saturating_sub(start.elapsed()));
    }
    store.flush()?;
    let events = EVENTS_PER_SECOND * SECONDS;
    let cpu = cpu_time()? - cpu_before;
    println!("{events} events of {} bytes in {:.2?}", line.len(), start.elapsed());
    println!("append: {:.0} ns each", spent.as_nanos() as f64 / events as f64);
    println!("CPU of the whole process: {:.1} % of a core", 100.0 * cpu.as_secs_f64() / start.elapsed().as_secs_f64());

    let begin = Instant::now();
    let group = store.group(&home, "/aws/lambda/bench").ok_or("no group")?;
    println!("{} bytes stored (counted in {:.2?})", group.stored_bytes, begin.elapsed());
    drop((streams, store));
    let begin = Instant::now();
    let store = LogStore::open(dir.path(), LogConfig::default(), &home.region)?;
    println!("opened again in {:.2?}", begin.elapsed());
    drop(store);
    Ok(())
}

/// User and system time of this process.
fn cpu_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().ok_or("no fields")?.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}
