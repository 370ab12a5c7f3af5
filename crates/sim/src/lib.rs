//! Replays traces of invocations through the very engine, in virtual time, to compare keep-alive policies.
//!
//! ```text
//!  csv ──► Trace ──► calls, minute by minute ──► Node: virtual time ◄──► hearth_engine::Engine ──► Outcome ──► table, JSON, plot
//! ```
//!
//! What the daemon's node does to sandboxes, [`replay`] only accounts for: starts take the time they were measured to take, on so
//! many cores; runs take the durations of the trace. Everything random comes from a seed, so equal inputs give equal figures.

mod compare;
mod faults;
mod fit;
mod node;
mod oracle;
mod outcome;
mod plot;
mod policies;
mod random;
mod report;
mod trace;

pub use compare::compare;
pub use fit::fit;
pub use node::{NodeModel, replay};
pub use outcome::Outcome;
pub use plot::plot;
pub use policies::PolicyName;
pub use report::{BASELINE, Relative, Row, relative};
pub use trace::{Call, Function, ReadError, Sources, Spread, Trace};
