//! Keep-alive: how long an idle sandbox is worth its memory, which goes first when memory is short, and when to load one ahead.
//!
//! The engine tells a [`Policy`] what it sees of each version and asks it about each idle sandbox; the policy answers from
//! what it has learned and nothing else. [`Choice`] names the policies that can be configured. Others (one that is given the
//! future, for comparison) implement the trait and are passed to [`crate::Engine::with_policy`].

mod bands;
mod fixed;
mod ghosts;
mod greedy_dual;
mod hazard;
mod history;
mod hybrid;
mod memory;
mod name;
mod prior;
mod slab;
mod versions;

use std::fmt;
use std::time::Duration;

use hearth_types::{Instant, VersionKey};

pub use bands::{Bands, Heir};
pub use history::{CELLS, CLASSES, History, PLACES, Place, bounds, cell_of};
pub use memory::Memory;
pub use name::{Choice, UnknownPolicy};
pub use prior::encode;
pub(crate) use versions::Versions;

/// A version as policies know it: a small number, used again for another version after [`Policy::forget`].
///
/// It stands for an account, a function and a version label; `$LATEST` keeps its number when its code changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Known(pub u32);

impl Known {
    /// Its place in a table.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a sandbox became idle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rest {
    pub since: Instant,
    /// How many of its version's were in use until then, itself included: as the most recently used one is taken first, it is
    /// needed again when so many are.
    pub rank: u32,
}

/// An idle sandbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Idle {
    pub version: Known,
    /// Of one that was loaded ahead, that of the one which it stands for: [`Policy::load`] said so.
    pub rest: Rest,
    pub memory_mib: u32,
}

/// What an arriving attempt found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A sandbox that was idle; it takes the most recently used one.
    Idle(Rest),
    /// None idle, but one that has answered and is about to ask for its next event.
    Finishing,
    /// Neither: unless one in use comes free soon, this is a cold start.
    Nothing,
}

/// Whether an idle sandbox is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Until `at`, when the question is put again. Those of lower `worth` go first when memory is short; among equals the one
    /// that was used least recently.
    Until { at: Instant, worth: u64 },
    /// Not at all.
    End,
}

/// Why an idle sandbox was ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// By the policy's own answer.
    Expired,
    /// Its memory was needed.
    Evicted { worth: u64 },
}

/// Decides from the history of each version. Called under the engine's lock: answers cost microseconds at most, and
/// [`Policy::arrived`], on the path of every invocation, a few nanoseconds.
pub trait Policy: fmt::Debug + Send {
    /// A version appears. `parent` is the version of the same function that appeared before it: what is known of that is a hint.
    fn meet(&mut self, version: Known, key: &VersionKey, parent: Option<Known>) {
        let _ = (version, key, parent);
    }

    /// The version will not be mentioned again, or its number stands for another one.
    fn forget(&mut self, version: Known) {
        let _ = version;
    }

    /// The version's code or configuration changed: what was learned may hold less.
    fn changed(&mut self, version: Known) {
        let _ = version;
    }

    /// What it has learned of the version, for [`Policy::recall`] of the same policy another time. `None`: nothing.
    fn memory(&self, version: Known) -> Option<Vec<u8>> {
        let _ = version;
        None
    }

    /// What was learned of the version, before it was met. What cannot be read is nothing.
    fn recall(&mut self, version: Known, learned: &[u8]) {
        let _ = (version, learned);
    }

    /// An attempt arrived.
    fn arrived(&mut self, version: Known, now: Instant, found: Found) {
        let _ = (version, now, found);
    }

    /// How long the last cold start of the version took, from the assignment of its code to its first request for an event.
    fn started(&mut self, version: Known, cost: Duration) {
        let _ = (version, cost);
    }

    /// A sandbox has become idle.
    fn idle(&mut self, idle: Idle, now: Instant) -> Keep;

    /// It was kept until now.
    fn review(&mut self, idle: Idle, now: Instant) -> Keep {
        let _ = (idle, now);
        Keep::End
    }

    /// An idle sandbox was ended.
    fn ended(&mut self, idle: Idle, now: Instant, why: Ended) {
        let _ = (idle, now, why);
    }

    /// The last sandbox of the version is gone.
    fn emptied(&mut self, version: Known) {
        let _ = version;
    }

    /// When to ask [`Policy::load`] about the version. Put after one of its sandboxes ended, and after `load` itself.
    fn load_at(&mut self, version: Known, now: Instant) -> Option<Instant> {
        let _ = (version, now);
        None
    }

    /// Whether to load a sandbox ahead of need now, and how the one that it stands for became idle. Put until the answer is
    /// `None`.
    fn load(&mut self, version: Known, now: Instant) -> Option<Rest> {
        let _ = (version, now);
        None
    }

    /// Memory that idle sandboxes together may hold, MiB; beyond it those of the lowest worth go.
    fn idle_mib_max(&self) -> u64 {
        u64::MAX
    }
}
