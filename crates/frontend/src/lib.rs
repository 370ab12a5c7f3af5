//! The front of the house: HTTP, authentication and every wire protocol that clients and functions speak to Hearth.
//!
//! One endpoint serves all services; requests are routed by SigV4 scope, target header, host or path. Nothing is decided
//! here: rules live in `control` and `engine`, this crate turns requests into calls and results into AWS's bytes.

pub mod context;
pub mod error;
mod lambda;

pub use context::{Body, RequestContext, Response};
pub use error::ApiError;
