//! CRIU, which saves a sandbox's processes into files and restores them: where it is, and how it is talked to.
//!
//! One CRIU process serves one request (`criu swrk`) over a socket pair that the launcher made; the daemon speaks with it.

mod call;
mod image;
mod locate;
mod wire;

pub(crate) use call::{Call, LOG_FILE, Notice, RestoreRequest, SaveRequest};
pub(crate) use image::rewrite_identity;
pub use locate::{CRIU_VERSION_MIN, find_criu};
pub(crate) use wire::Version;
