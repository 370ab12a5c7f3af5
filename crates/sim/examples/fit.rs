//! Fits the engine's table of hazards: `fit TRACE...` prints it. `crates/engine/src/keep_alive/prior.txt` comes from trace C alone.

use std::io::Write as _;

use hearth_sim::{NodeModel, ReadError, Sources, Trace, fit};

fn main() -> Result<(), ReadError> {
    let read = |calls: String| Trace::read(&Sources { calls: calls.into(), seed: 1, ..Sources::default() });
    let traces = std::env::args().skip(1).map(read).collect::<Result<Vec<Trace>, ReadError>>()?;
    std::io::stdout().write_all(fit(&traces, &NodeModel::default()).as_bytes())?;
    Ok(())
}
