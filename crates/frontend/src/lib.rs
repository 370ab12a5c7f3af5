//! The front of the house: HTTP, authentication and every wire protocol that clients and functions speak to Hearth.
//!
//! One endpoint serves all services; requests are routed by SigV4 scope, target header, host or path. Nothing is decided
//! here: rules live in `functions` and `engine`, this crate turns requests into calls and results into AWS's bytes.

mod access;
mod admin;
pub mod auth;
mod body;
mod browser;
mod capacity;
mod connection;
pub mod context;
mod dispatch;
mod entropy;
pub mod error;
pub mod eventstream;
mod iam;
pub mod invoke;
mod lambda;
mod logs;
mod package;
mod permit;
mod protocol;
mod refusal;
mod room;
mod route;
mod server;
mod service;
mod sqs;
mod sts;
mod unsigned;
mod wishes;

pub use auth::check_exposure;
pub use connection::ConnectionTimes;
pub use context::{Body, RequestContext, Response};
pub use error::ApiError;
pub use server::{Backends, Frontend, FrontendConfig, FunctionIdentity};
