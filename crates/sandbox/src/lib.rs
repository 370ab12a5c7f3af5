//! From a specification to a running sandbox.

mod isolation;

pub use isolation::{AssignSpec, BlankSpec, EffectiveTier, Isolation, IsolationError, Usage};
