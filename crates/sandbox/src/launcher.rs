//! The launcher: a small single-threaded process of its own, which makes sandboxes on behalf of the daemon.
//!
//! A process of several threads can neither enter other mount name spaces nor fork safely, and forking the daemon would
//! copy its page tables. The launcher rests in a private copy of the host's mounts (the *host* stage). For the birth of
//! a sandbox it steps for a moment onto an almost empty stage, so that the new process never sees the host's mounts:
//!
//! ```text
//!  host stage                       empty stage                     sandbox
//!    clone the root's mount  ──►      clone3 (new user, pid,   ──►    waits for its id maps, enters its groups,
//!                                     mount, time name spaces)        makes the other name spaces, mounts, pivots,
//!    map ids, "go"           ◄──                                      gives up its rights, executes the agent
//! ```
//!
//! Where the root has a zygote, that clones the new process instead, which then executes this very program to go on as here;
//! see `zygote`.
//!
//! Daemon gone, launcher gone: the socket closes, and each sandbox's first process has a parent death signal.

mod apart;
mod attach;
mod birth;
mod child;
mod cradle;
mod criu;
mod egress;
mod ids;
mod reaping;
mod root;
mod saving;
mod server;
mod setup;
mod stage;
mod zygote;

pub(crate) use criu::WORK as CRIU_WORK;
pub(crate) use ids::{FUNCTION_GID, FUNCTION_UID, RANGE as IDS_PER_SANDBOX};
pub use server::launcher_main;

pub(crate) use egress::find_program as find_egress_program;
pub(crate) use setup::is_privileged;

/// A step that failed, by its name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{step}: {reason}")]
pub(crate) struct StepError {
    pub(crate) step: &'static str,
    pub(crate) reason: String,
}

/// Names the step in which something failed.
pub(crate) trait Step<T> {
    fn step(self, step: &'static str) -> Result<T, StepError>;
}

impl<T, E: std::fmt::Display> Step<T> for Result<T, E> {
    fn step(self, step: &'static str) -> Result<T, StepError> {
        self.map_err(|error| StepError { step, reason: error.to_string() })
    }
}
