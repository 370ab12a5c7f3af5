//! One control group per sandbox in every hierarchy that is needed: version 2, version 1, or both as on hybrid hosts.
//!
//! The launcher makes and removes groups and puts sandboxes into them; limits, usage and freezing are read and written
//! directly by the daemon, by path.

mod discover;
mod group;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use discover::prepare;
pub(crate) use group::{Entrances, Limits};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Version {
    V1,
    V2,
}

/// One mounted hierarchy and this instance's directory in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Tree {
    version: Version,
    dir: PathBuf,
}

/// The hierarchies in use, and which of them does what (an index into `trees`).
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Cgroups {
    trees: Vec<Tree>,
    memory: Option<usize>,
    cpu: Option<usize>,
    pids: Option<usize>,
    freezer: Option<usize>,
    /// Where the CPU time used is counted.
    cpu_time: Option<usize>,
    /// What cannot be had, with the reason and what to do.
    pub(crate) missing: Vec<String>,
}

impl Cgroups {
    fn tree(&self, index: Option<usize>) -> Option<&Tree> {
        index.and_then(|index| self.trees.get(index))
    }
}
