//! Policies by name: those of the engine, and the one that is told the future.

use std::fmt;
use std::str::FromStr;

use hearth_engine::keep_alive::{Choice, Policy, UnknownPolicy};

use crate::node::NodeModel;
use crate::oracle::Oracle;
use crate::trace::Trace;

/// A policy to replay a trace under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyName {
    /// One that a daemon can be given.
    Real(Choice),
    /// Keeps what is needed again within seconds, and loads one just before each other call that would find none: a lower bound.
    Oracle,
}

impl PolicyName {
    /// For one replay. The oracle relies on the trace and on what starts take.
    pub fn policy(self, trace: &Trace, model: &NodeModel) -> Box<dyn Policy> {
        match self {
            Self::Real(choice) => choice.policy(),
            Self::Oracle => Box::new(Oracle::new(trace, model)),
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
