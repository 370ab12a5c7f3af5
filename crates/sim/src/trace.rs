//! Traces: who was called when, for how long, with how much memory.
//!
//! Formats (`traces/README.md`): calls per minute and function, as Azure publishes them; or single calls with their end and
//! duration. Plain or gzip. Files come from anywhere: sizes are bounded, and an error names file and line.

mod calls;
mod csv;
mod events;
mod minutes;
mod sides;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use calls::Call;
use csv::Table;
use sides::Spans;

/// A function of a trace.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    pub memory_mib: u32,
    /// The trace says that a timer calls it.
    pub timer: bool,
    durations: Spans,
}

/// Calls of functions over time.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    /// The file's name without its ending.
    pub name: String,
    pub functions: Vec<Function>,
    /// When it ends.
    pub horizon: Duration,
    seed: u64,
    spread: Spread,
    calls: Calls,
}

/// Where in its minute a call comes, if the trace says only how many there were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Spread {
    /// At even distances, the first at a place by chance that is the same in each minute of a function: what was regular to the
    /// minute stays regular.
    #[default]
    Even,
    /// Each anywhere, by chance: nothing is regular below a minute.
    Random,
}

#[derive(Clone, PartialEq, Debug)]
enum Calls {
    /// Per function, the minutes in which it was called and how often.
    PerMinute(Vec<Vec<(u32, u32)>>),
    /// In order of their arrival.
    Single(Vec<Call>),
}

/// Where a trace comes from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub calls: PathBuf,
    /// Durations and memory; by default files beside the calls whose names say so. Functions that are not in them get
    /// those of others, by chance.
    pub durations: Option<PathBuf>,
    pub memory: Option<PathBuf>,
    /// Of everything that the trace leaves open.
    pub seed: u64,
    pub spread: Spread,
}

/// A trace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read a trace")]
    Io(#[from] std::io::Error),
    #[error("{path}, line {line}: {problem}")]
    Syntax { path: PathBuf, line: usize, problem: String },
}

/// More is not a trace that fits into memory.
const FUNCTIONS_MAX: usize = 1_000_000;
const CALLS_MAX: u64 = 1 << 32;

impl Trace {
    /// Reads a trace and what belongs to it.
    pub fn read(sources: &Sources) -> Result<Self, ReadError> {
        let table = Table::read(&sources.calls)?;
        let read = if table.column("end_timestamp").is_some() { events::read(&table)? } else { minutes::read(&table)? };
        let durations = sides::durations(&beside(sources.durations.as_deref(), &sources.calls, "durations")?)?;
        let memory = sides::memory(&beside(sources.memory.as_deref(), &sources.calls, "memory")?)?;
        let functions = read.names.iter().enumerate().map(|(index, name)| {
            let draw = random_draw(sources.seed, index);
            Function {
                memory_mib: memory.of(name, draw[0]),
                timer: read.timers.contains(&index),
                durations: durations.of(name, draw[1]),
            }
        });
        let functions = functions.collect();
        let (horizon, calls, seed, spread) = (read.horizon, read.calls, sources.seed, sources.spread);
        Ok(Self { name: stem(&sources.calls), functions, horizon, seed, spread, calls })
    }

    /// How many calls there are.
    pub fn calls_total(&self) -> u64 {
        match &self.calls {
            Calls::PerMinute(functions) => functions.iter().flatten().map(|(_, count)| u64::from(*count)).sum(),
            Calls::Single(calls) => u64::try_from(calls.len()).unwrap_or(u64::MAX),
        }
    }
}

/// What the file with the calls says.
struct Read {
    names: Vec<Name>,
    timers: std::collections::HashSet<usize>,
    horizon: Duration,
    calls: Calls,
}

/// A function's name in all files of a trace.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Name {
    app: String,
    function: String,
}

fn random_draw(seed: u64, index: usize) -> [u64; 2] {
    let mut random = crate::random::Random::new(seed, [0x0F, u64::try_from(index).unwrap_or(u64::MAX)]);
    [random.next(), random.next()]
}

/// The tables that say something about `what`: the given one, or those beside the calls. A file with the same prefix comes first
/// (its functions are these), one that is marked as not joined serves as a distribution.
fn beside(given: Option<&Path>, calls: &Path, what: &str) -> Result<Vec<Table>, ReadError> {
    if let Some(given) = given {
        return Ok(vec![Table::read(given)?]);
    }
    let Some(directory) = calls.parent() else { return Ok(Vec::new()) };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let prefix = stem(calls).replace("_invocations", "");
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let name = stem(&path);
        if name == format!("{prefix}_{what}") || name.ends_with(&format!("_{what}_unjoined")) {
            paths.push(path);
        }
    }
    paths.sort_by_key(|path| (stem(path).ends_with("_unjoined"), path.clone()));
    paths.iter().map(|path| Table::read(path)).collect()
}

/// The name without directories, `.gz` and `.csv`.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".csv").unwrap_or(name).to_owned()
}
