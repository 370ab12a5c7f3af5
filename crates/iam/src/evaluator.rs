//! The one evaluator of policies: identity, resource and session policies and permissions boundaries. Pure: what it needs to know
//! of a request stands in the request.
//!
//! ```text
//! document -> Policy (compiled once) -> judge: what one policy says -> decide: what all of them together say
//! ```
//! Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference". What a document says that is not
//! understood never allows: such a statement allows nothing, and denies whatever else of it applies.

mod cache;
mod condition;
mod decide;
mod operand;
mod pattern;
mod policy;
mod principal;
mod request;
#[cfg(test)]
mod tests;

pub use cache::PolicyCache;
pub use decide::{Decision, Policies, ResourceRule, Source, decide};
pub use policy::{Policy, Verdict};
pub use principal::{Named, Principal};
pub use request::{Fact, Request, Values};
