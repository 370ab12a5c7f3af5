//! From a specification to a running sandbox.
//!
//! [`Isolation`] is the seam: nobody above knows how a sandbox is kept apart. [`LinuxIsolation`] implements it with name spaces,
//! control groups, a system call filter and Landlock; the work is done by a launcher process (see [`launcher_main`]),
//! because a process of several threads can do it neither safely nor quickly.

mod address;
mod cgroup;
mod criu;
mod isolation;
mod landlock;
mod launcher;
mod linux;
mod probe;
mod protocol;
mod seccomp;

pub use criu::{CRIU_VERSION_MIN, find_criu};
pub use isolation::{
    AssignSpec, BlankSpec, EffectiveTier, Isolation, IsolationError, Parking, Readiness, RestoreSpec, Saving, Usage,
};
pub use launcher::launcher_main;
pub use linux::{LinuxConfig, LinuxIsolation, Subnet};
pub use probe::{Check, Finding, HostReport, probe};
pub use protocol::Zygote;
