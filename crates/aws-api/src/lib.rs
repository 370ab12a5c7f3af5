//! AWS's wire shapes: routes, constraints, errors and the typed inputs and outputs of the services that Hearth knows.
//!
//! Both are made from botocore's models by `cargo xtask models`: routes and constraints are data (`models/`), read once when
//! first needed; what a handler works with are Rust's types ([`shapes`]). [`validate`] has checked the request before it becomes
//! one.

pub mod error;
pub mod model;
mod overrides;
pub mod shape;
pub mod shapes;
pub mod validate;

pub use error::ApiError;
pub use model::{Kind, Location, Matched, Model, Operation, Service};
pub use overrides::RUNTIME_ORDER;
