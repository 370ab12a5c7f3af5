//! AWS's wire shapes: routes, constraints, errors and the typed requests and responses of the services that Hearth speaks.
//!
//! Routes and constraints are data, trimmed from botocore's models (`models/`), read once when first needed. What a
//! handler works with are hand-written structs ([`lambda`]); [`validate`] has checked the request before it becomes one.

pub mod error;
pub mod lambda;
pub mod model;
mod overrides;
pub mod validate;

pub use error::ApiError;
pub use model::{Location, Matched, Model, Operation};
pub use overrides::RUNTIME_ORDER;
