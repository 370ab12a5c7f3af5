//! What others implement and the front holds: the way to run a function version, whoever performs it.

mod bucket;
mod capacity;
mod provisioner;
mod templates;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use hearth_types::{AccountId, RequestId, VersionKey, VersionSpec};

pub use bucket::{Buckets, ObjectError, ObjectName, ObjectStream};
pub use capacity::CapacitySource;
pub use provisioner::{Provision, ProvisionFailure, Provisioned, Provisioner};
pub use templates::{PrepareError, Prepared, Templates};

use crate::capacity::Wishes;
use crate::event::ColdReason;

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
    /// Concurrency that all functions without a reservation share in this account and Region.
    pub account_unreserved: u32,
    /// What it asks for as to where it runs.
    pub wishes: Option<Box<Wishes>>,
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
    /// As far as it is known when the function begins to answer.
    pub timeline: Timeline,
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
    /// A hook of the function failed after it was restored: 400 `SnapStartException`.
    #[error("{message}")]
    RestoreHook { message: String },
    /// It took too long to restore the function and to run its hooks: 408 `SnapStartTimeoutException`.
    #[error("the function could not be restored in time")]
    RestoreTimeout,
    /// The daemon is shutting down.
    #[error("the service is shutting down")]
    Draining,
}

/// How the sandbox of an attempt came to be, from the quickest way to the slowest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum StartKind {
    /// The sandbox was there and had initialised: nothing had to be started.
    #[default]
    Warm,
    /// Made from the state that the version had after an earlier initialisation.
    Template,
    /// Its runtime was forked from one that waited with everything trusted loaded.
    Zygote,
    /// Its runtime had been started ahead of need and waited for a function.
    Preboot,
    /// The sandbox had been made ahead of need; its runtime had to be started.
    Blank,
    /// All of it from nothing, while the attempt waited.
    Boot,
}

impl StartKind {
    pub const ALL: [Self; 6] = [Self::Warm, Self::Template, Self::Zygote, Self::Preboot, Self::Blank, Self::Boot];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Template => "template",
            Self::Zygote => "zygote",
            Self::Preboot => "preboot",
            Self::Blank => "blank",
            Self::Boot => "boot",
        }
    }
}

/// How one attempt started and where it spent its time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timeline {
    pub start: StartKind,
    /// Why no warm sandbox was there; `None` for warm starts.
    pub cold_reason: Option<ColdReason>,
    /// Until a sandbox was on its way, or free.
    pub queue_us: u64,
    /// Attaching code and connecting the agent.
    pub sandbox_us: u64,
    /// From there until the runtime asked for its first event.
    pub init_us: u64,
    /// Of the function itself; `None` while it still runs.
    pub run_us: Option<u64>,
}

/// Credentials of a function's role session, for Hearth's own API.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCredentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
}

impl std::fmt::Debug for SessionCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionCredentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// How an asynchronous invocation is retried and what becomes of it (lambda-surface 4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AsyncConfig {
    /// 0 to 2.
    pub retries_max: u32,
    /// 60 to 21,600.
    pub age_s_max: u32,
    /// ARNs.
    pub on_success: Option<String>,
    pub on_failure: Option<String>,
}

/// A version as a request that was accepted earlier finds it now.
#[derive(Clone, Debug)]
pub struct Current {
    pub spec: Arc<VersionSpec>,
    pub reserved_concurrency: Option<u32>,
    pub account_unreserved: u32,
    pub async_config: AsyncConfig,
    /// Not while it is being created or prepared, nor if that failed.
    pub invocable: bool,
}

/// What the node asks of the control plane; implemented by it.
pub trait Catalogue: Send + Sync + std::fmt::Debug {
    /// The version that `invoked_arn` (function ARN, qualified or not) means now; `None` if it is gone. `draw`, in 0..1, chooses
    /// between the versions of a weighted alias.
    fn current(&self, invoked_arn: &str, draw: f64) -> Option<Current>;

    /// Whether the function is there although nothing of it can be read now.
    fn is_put_aside(&self, invoked_arn: &str) -> bool;

    /// A new role session for one sandbox of this version.
    fn session(&self, spec: &VersionSpec) -> SessionCredentials;
}

/// Runs invocations; implemented by the node.
pub trait Invoker: Send + Sync + std::fmt::Debug {
    /// Runs to the end and returns the whole reply. If the returned future is dropped the function still runs to its end.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<(Reply, Timeline), InvokeError>>;

    /// Returns once the function has begun to answer (or failed before it did, then as one `Data` and `End`).
    fn invoke_streaming(&self, invocation: Invocation) -> BoxFuture<'_, Result<StreamingReply, InvokeError>>;

    /// Accepts an asynchronous invocation: durable when this returns.
    fn enqueue(&self, invocation: Invocation) -> BoxFuture<'_, Result<(), InvokeError>>;

    /// These versions are no longer current: their sandboxes are used for nothing new, their templates are removed.
    fn retire(&self, keys: Vec<VersionKey>);

    /// State of the node for the `/_hearth` views, or what of it is this account's own: plain JSON text.
    fn view(&self, account: Option<AccountId>) -> BoxFuture<'_, String>;

    /// The node's figures in the OpenMetrics text format.
    fn metrics(&self) -> BoxFuture<'_, String>;
}

mod fleet;

pub use fleet::{CapacityHook, Fleet, HookError};
