//! What others implement and the front holds: the way to run a function version, whoever performs it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use hearth_types::{RequestId, VersionKey, VersionSpec};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request to run a version now.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub request_id: RequestId,
    pub spec: Arc<VersionSpec>,
    /// As the caller qualified it.
    pub invoked_arn: String,
    pub payload: Bytes,
    /// JSON, decoded.
    pub client_context: Option<String>,
    pub trace_id: Option<String>,
    pub log_tail: bool,
    /// The caller takes the response in chunks as the function sends them.
    pub streaming: bool,
    /// Reserved concurrency of the function, if set.
    pub reserved_concurrency: Option<u32>,
}

/// How an invocation ended; all of these are HTTP 200 to the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Success,
    /// `X-Amz-Function-Error: Unhandled`; the payload is the error object.
    FunctionError,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub outcome: Outcome,
    pub payload: Bytes,
    pub content_type: String,
    /// Last 4 KiB of the log, if asked for.
    pub log_tail: Option<Bytes>,
}

/// One piece of a streamed reply; `End` comes exactly once and last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReplyChunk {
    Data(Bytes),
    End { error: Option<StreamError>, log_tail: Option<Bytes> },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamError {
    /// Such as `Runtime.ExitError`.
    pub code: String,
    /// The JSON error object.
    pub details: String,
}

pub struct StreamingReply {
    pub content_type: String,
    pub chunks: Pin<Box<dyn Stream<Item = ReplyChunk> + Send>>,
}

impl std::fmt::Debug for StreamingReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamingReply").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

/// `Reason` of a 429 (lambda-surface 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThrottleReason {
    ConcurrentInvocationLimitExceeded,
    ReservedFunctionConcurrentInvocationLimitExceeded,
    CallerRateLimitExceeded,
}

/// The function did not run, or not to an end that is its own.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvokeError {
    #[error("rate exceeded")]
    Throttled { reason: ThrottleReason },
    /// The runtime is not installed, a package is gone, an image is bad: 502 `InvalidRuntimeException`.
    #[error("{message}")]
    InvalidRuntime { message: String },
    /// This host cannot run it: out of memory for sandboxes, isolation failed. 500 `ServiceException`.
    #[error("{message}")]
    Service { message: String },
    /// The daemon is shutting down.
    #[error("the service is shutting down")]
    Draining,
}

/// Where one attempt spent its time and why it started as it did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Timeline {
    pub start_kind: &'static str,
    pub cold_reason: Option<&'static str>,
    pub queue_us: u64,
    pub sandbox_us: u64,
    pub init_us: u64,
    pub run_us: u64,
}

/// Runs invocations; implemented by the node.
pub trait Invoker: Send + Sync + std::fmt::Debug {
    /// Runs to the end and returns the whole reply. If the returned future is dropped the function still runs to its end.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<(Reply, Timeline), InvokeError>>;

    /// Returns once the function has begun to answer (or failed before it did, then as one `Data` and `End`).
    fn invoke_streaming(&self, invocation: Invocation) -> BoxFuture<'_, Result<StreamingReply, InvokeError>>;

    /// Accepts an asynchronous invocation: durable when this returns.
    fn enqueue(&self, invocation: Invocation) -> BoxFuture<'_, Result<(), InvokeError>>;

    /// These versions are no longer current: their sandboxes are used for nothing new.
    fn retire(&self, keys: Vec<VersionKey>);

    /// State of the node for the `/_hearth` views: plain JSON text.
    fn view(&self) -> String;
}
