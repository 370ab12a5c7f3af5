//! What belongs to a trace's functions: durations and memory. Functions that are in no table get those of another, by chance;
//! without any table they follow the distributions that *Serverless in the Wild* (ATC 2020) fits to Azure's.

use std::collections::HashMap;
use std::time::Duration;

use super::csv::Table;
use super::{Name, ReadError};

/// Shares of the calls at which the durations are known.
const SHARES: [f64; 7] = [0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0];
const COLUMNS: [&str; 7] = ["0", "1", "25", "50", "75", "99", "100"];
/// A week, in milliseconds.
const DURATION_MAX_MS: f64 = 604_800_000.0;
const MEMORY_MAX_MIB: f64 = 1_048_576.0;

/// Percentiles of a function's durations, milliseconds, at least 1 each.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Spans([f64; 7]);

impl Spans {
    /// The duration that `share` of the calls do not exceed. Geometric between the percentiles: their tails are long.
    pub(super) fn at(&self, share: f64) -> Duration {
        let upper = SHARES.iter().position(|known| *known > share).unwrap_or(6).max(1);
        let (low, high) = (self.0[upper - 1], self.0[upper]);
        let part = (share - SHARES[upper - 1]) / (SHARES[upper] - SHARES[upper - 1]);
        Duration::from_secs_f64(low * (high / low).powf(part.clamp(0.0, 1.0)) / 1000.0)
    }

    /// Log-normal in seconds with log-mean -0.38 and deviation 2.36, section 3 of the paper, at this share of the functions; each
    /// takes much the same time on every call.
    fn typical(share: f64) -> Self {
        let seconds = (-0.38 + 2.36 * normal_quantile(share)).exp();
        Self([0.5, 0.6, 0.8, 1.0, 1.25, 2.0, 4.0].map(|factor| (seconds * 1000.0 * factor).clamp(1.0, 600_000.0)))
    }
}

/// What is known of the functions by name, and everything that is known of any function.
#[derive(Debug)]
struct Known<T> {
    by_name: HashMap<Name, T>,
    all: Vec<T>,
}

impl<T: Copy> Known<T> {
    fn new() -> Self {
        Self { by_name: HashMap::new(), all: Vec::new() }
    }

    fn of(&self, name: &Name, draw: u64) -> Option<T> {
        self.by_name.get(name).copied().or_else(|| {
            let count = u64::try_from(self.all.len()).unwrap_or(u64::MAX);
            let index = usize::try_from(draw.checked_rem(count)?).unwrap_or(0);
            self.all.get(index).copied()
        })
    }
}

#[derive(Debug)]
pub(super) struct Durations(Known<Spans>);

impl Durations {
    pub(super) fn of(&self, name: &Name, draw: u64) -> Spans {
        self.0.of(name, draw).unwrap_or_else(|| Spans::typical(share(draw)))
    }
}

pub(super) fn durations(tables: &[Table]) -> Result<Durations, ReadError> {
    let mut known = Known::new();
    for table in tables {
        let (app, function) = (table.expect("HashApp")?, table.expect("HashFunction")?);
        let columns = COLUMNS.map(|percent| table.column(&format!("percentile_Average_{percent}")));
        for row in table.rows() {
            let row = row?;
            let mut spans = [1.0f64; 7];
            for (index, column) in columns.iter().enumerate() {
                let column = column.ok_or_else(|| table.problem(1, format!("no percentile {}", COLUMNS[index])))?;
                spans[index] = row.amount(column, DURATION_MAX_MS)?.max(1.0);
            }
            if spans.windows(2).any(|pair| pair[1] < pair[0]) {
                return Err(row.problem(function, "has percentiles out of order"));
            }
            let name = Name { app: row.text(app).to_owned(), function: row.text(function).to_owned() };
            known.by_name.entry(name).or_insert(Spans(spans));
            known.all.push(Spans(spans));
        }
    }
    Ok(Durations(known))
}

#[derive(Debug)]
pub(super) struct Memory(Known<u32>);

impl Memory {
    pub(super) fn of(&self, name: &Name, draw: u64) -> u32 {
        self.0.of(name, draw).unwrap_or_else(|| typical_memory(share(draw)))
    }
}

pub(super) fn memory(tables: &[Table]) -> Result<Memory, ReadError> {
    let mut known = Known::new();
    for table in tables {
        let (app, function) = (table.expect("HashApp")?, table.column("HashFunction"));
        let amount = table.expect("AverageAllocatedMb")?;
        for row in table.rows() {
            let row = row?;
            let mib = to_mib(row.amount(amount, MEMORY_MAX_MIB)?);
            if let Some(function) = function {
                let name = Name { app: row.text(app).to_owned(), function: row.text(function).to_owned() };
                known.by_name.entry(name).or_insert(mib);
            }
            known.all.push(mib);
        }
    }
    Ok(Memory(known))
}

/// Burr distribution with c = 11.652, k = 0.221, scale 107.083 MB, section 3 of the paper.
fn typical_memory(share: f64) -> u32 {
    to_mib(107.083 * ((1.0 - share).powf(-1.0 / 0.221) - 1.0).powf(1.0 / 11.652))
}

fn to_mib(mib: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and within bounds")]
    let mib = mib.round().clamp(1.0, MEMORY_MAX_MIB) as u32;
    mib
}

/// From 0.001 to 0.999: the ends of the fitted distributions are not of this world.
fn share(draw: u64) -> f64 {
    let thousandths = u32::try_from(draw % 999).unwrap_or(0);
    f64::from(thousandths + 1) / 1000.0
}

/// Of the standard normal distribution; Abramowitz and Stegun 26.2.23, good to 0.00045.
fn normal_quantile(share: f64) -> f64 {
    let (tail, sign) = if share < 0.5 { (share, -1.0) } else { (1.0 - share, 1.0) };
    let t = (-2.0 * tail.ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    sign * (t - numerator / denominator)
}
