//! The plain words of Hearth: ids, ARNs, qualifiers, sizes, limits and time values.
//!
//! No I/O, no clocks, no randomness. Everything above depends on this crate, so it stays small and boring.

pub mod arn;
pub mod id;
pub mod limits;
pub mod spec;
pub mod time;

pub use arn::{FunctionArn, FunctionRef, Qualifier};
pub use id::{AccountId, FunctionName, Home, Region, RequestId, SandboxId, Sha256, VersionLabel};
pub use spec::{LayerRef, LogFormat, LogLevel, NetworkMode, VersionKey, VersionSpec};
pub use time::{Instant, Timestamp};
