//! Policies by name: those of the engine, and the one that is told the future.

use std::fmt;
use std::str::FromStr;

use hearth_engine::keep_alive::{Choice, Policy, UnknownPolicy};

use crate::oracle::Oracle;
use crate::trace::Trace;

/// A policy to replay a trace under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyName {
    /// One that a daemon can be given.
    Real(Choice),
    /// Ends every sandbox at once and loads one just before the next call that would miss it.
    Oracle,
}

impl PolicyName {
    pub fn policy(self, trace: &Trace, start: std::time::Duration) -> Box<dyn Policy> {
        match self {
            Self::Real(choice) => choice.policy(),
            Self::Oracle => Box::new(Oracle::new(trace, start)),
        }
    }
}

impl FromStr for PolicyName {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        if text == "oracle" { Ok(Self::Oracle) } else { text.parse().map(Self::Real) }
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real(choice) => choice.fmt(f),
            Self::Oracle => f.write_str("oracle"),
        }
    }
}
