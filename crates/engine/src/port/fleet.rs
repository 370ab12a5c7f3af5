//! Who is told of capacity, and the operator's own way to more of it.

use hearth_types::{Instant, Timestamp};

use super::BoxFuture;
use crate::capacity::Capacity;

/// Takes in what capacity there is and who may draw on it; implemented by the node.
pub trait Fleet: Send + Sync + std::fmt::Debug {
    /// Holds for the next request.
    fn declare(&self, change: Capacity);

    /// The point on the node's own clock that is this wall time.
    fn instant_at(&self, wall: Timestamp) -> Instant;
}

/// Why an operator's hook gave no usable answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HookError {
    #[error("the hook did not answer within {seconds} s")]
    TimedOut { seconds: u64 },
    /// It could not be run or reached, or it said that it failed.
    #[error("{0}")]
    Failed(String),
}

/// The operator's own way to machines: a command or a URL.
pub trait CapacityHook: Send + Sync + std::fmt::Debug {
    /// Hands over a JSON document and returns the hook's answer, at most 64 KiB, within the configured time.
    fn call(&self, request: String) -> BoxFuture<'_, Result<Vec<u8>, HookError>>;
}
