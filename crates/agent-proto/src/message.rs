//! The messages of both directions and their payloads.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Starts a runtime process ahead of need, while nobody's code is there: it loads what it can and waits to become one
/// function's ([`Init::parked`]). Sent once at most, before `Init`, and answered by `Parked`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Park {
    /// Program and arguments. Its standard input is a socket: on it the process says a byte when it is ready, and then reads
    /// what it is to become (see [`write_orders`](crate::write_orders)).
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// As in [`Init`]: a process parked with other ids or limits is not used.
    pub uid_gid: Option<(u32, u32)>,
    pub rlimits: Rlimits,
}

/// Starts the runtime. Sent once per sandbox, after its code is attached.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Init {
    /// Program and arguments of the runtime process; the program is a path inside the sandbox. The first one that exists and is
    /// no directory is started, or nothing is.
    pub commands: Vec<Vec<String>>,
    /// The whole environment of the runtime process, `AWS_LAMBDA_RUNTIME_API` included.
    pub environment: Vec<(String, String)>,
    pub cwd: String,
    /// Let the parked process become the runtime, if it lives. Else, and in any case without one, the commands are executed.
    pub parked: bool,
    /// Name the pipe for framed records to the process, as clients of interpreters expect. Other runtimes are told of none on AWS.
    pub telemetry: bool,
    /// Inside the sandbox's user namespace. `None` keeps the agent's own (a host without uid ranges).
    pub uid_gid: Option<(u32, u32)>,
    pub hostname: String,
    pub rlimits: Rlimits,
    /// Largest buffered response, bytes; above it the Runtime API answers 413.
    pub response_bytes_max: u64,
    /// Largest streamed response, bytes.
    pub stream_bytes_max: u64,
}

/// What differs between a sandbox that is saved and those that are restored from it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Renewal<'a> {
    /// A part of the paths below which the Runtime API's port serves what follows: who does not know it gets nothing. The
    /// first one counts.
    #[serde(borrow)]
    pub secret: Cow<'a, str>,
    /// JSON, at `/hearth/SECRET/credentials`, as AWS's clients expect it of a container's host.
    #[serde(borrow)]
    pub credentials: Cow<'a, str>,
    /// JSON, at `/hearth/SECRET/variables`: environment variables that are others than when the runtime was started.
    #[serde(borrow)]
    pub variables: Cow<'a, str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rlimits {
    pub files: u64,
    pub processes: u64,
    /// Largest core dump, bytes: 0.
    pub core_bytes: u64,
}

/// What the runtime gets from `GET /runtime/invocation/next` in headers; the body follows it in the frame.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InvokeHead<'a> {
    /// Stays the same across asynchronous retries.
    #[serde(borrow)]
    pub request_id: Cow<'a, str>,
    /// Unique per attempt.
    #[serde(borrow)]
    pub invocation_id: Cow<'a, str>,
    /// Wall clock, milliseconds since the epoch.
    pub deadline_ms: u64,
    #[serde(borrow)]
    pub function_arn: Cow<'a, str>,
    pub trace_id: Option<Cow<'a, str>>,
    /// JSON, already decoded from base64.
    pub client_context: Option<Cow<'a, str>>,
    pub cognito_identity: Option<Cow<'a, str>>,
}

/// A response's head. The body follows in the same frame (buffered) or in chunks (streamed).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResponseHead<'a> {
    #[serde(borrow)]
    pub content_type: Cow<'a, str>,
}

/// A function or initialisation error as the runtime reported it; its JSON body follows in the frame.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ErrorHead<'a> {
    /// `Lambda-Runtime-Function-Error-Type`, such as `Runtime.ImportModuleError`; empty where the runtime gave none.
    #[serde(borrow)]
    pub error_type: Cow<'a, str>,
}

/// How a streamed response ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StreamEnd<'a> {
    /// From the trailers: error type and the decoded error body.
    #[serde(borrow)]
    pub error: Option<(Cow<'a, str>, Cow<'a, [u8]>)>,
    /// The runtime's connection broke off before the end.
    pub truncated: bool,
}

/// How the runtime's process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ExitStatus {
    Code(i32),
    Signal(i32),
    /// None of the commands' programs is there.
    NotFound,
    /// The first command whose program is there, counted from 0, could not be started.
    NotStarted {
        command: u32,
        errno: i32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LogSource {
    /// Unframed bytes of stdout or stderr, cut at line ends.
    Output,
    /// One frame of the telemetry log pipe; `level` is 0 for none, else Lambda's 4, 8, 12, 16, 20, 24.
    Framed { json: bool, level: u8 },
}

/// A log record's head; its bytes follow in the frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogHead {
    pub source: LogSource,
    /// Wall clock, microseconds since the epoch.
    pub time_us: u64,
}

/// Numbers of the messages that the daemon sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ToAgentKind {
    Init = 1,
    Invoke = 2,
    Withdraw = 3,
    Credit = 4,
    TunnelData = 5,
    TunnelClose = 6,
    Shutdown = 7,
    Park = 8,
    Renew = 16,
}

/// Numbers of the messages that the agent sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FromAgentKind {
    Hello = 64,
    Ready = 65,
    Idle = 66,
    Withdrawn = 67,
    Response = 68,
    StreamStart = 69,
    StreamChunk = 70,
    StreamEnd = 71,
    InvocationError = 72,
    InitError = 73,
    Exit = 74,
    Log = 75,
    TunnelOpen = 76,
    TunnelData = 77,
    TunnelClose = 78,
    TunnelCredit = 79,
    LogsDropped = 80,
    Parked = 81,
    Started = 82,
}

/// From the daemon to the agent.
#[derive(Clone, PartialEq, Debug)]
pub enum ToAgent<'a> {
    Park(Park),
    Init(Init),
    /// May come before the runtime asks for the next event: the agent holds one and gives it when asked.
    Invoke {
        id: u32,
        head: InvokeHead<'a>,
        body: &'a [u8],
    },
    /// Take back an invocation that the runtime has not yet got. Answered by `Withdrawn` if so, else ignored.
    Withdraw {
        id: u32,
    },
    /// More bytes may be sent on this stream; `tunnel` tells tunnels from responses.
    Credit {
        id: u32,
        tunnel: bool,
        bytes: u32,
    },
    TunnelData {
        id: u32,
        data: &'a [u8],
    },
    TunnelClose {
        id: u32,
    },
    /// Before `Init`: the sandbox is to be saved once `Ready` has come; a runtime that asks `restore/next` is held there. After
    /// it: this is a restored copy. The held runtime goes on, and `Ready` comes when it asks for its first event; at once if it
    /// does already.
    Renew(Renewal<'a>),
    /// SIGTERM to the runtime, SIGKILL after the grace.
    Shutdown {
        grace_ms: u32,
    },
}

/// The agent does not say when the runtime was given an event of up to this size.
pub const SMALL_EVENT_BYTES: usize = 64 * 1024;

/// From the agent to the daemon.
#[derive(Clone, PartialEq, Debug)]
pub enum FromAgent<'a> {
    Hello {
        version: u16,
    },
    /// The runtime asked for its first event, or for leave to go on after it was saved: initialisation is over.
    Ready,
    /// The runtime asked for the next event after `id`: the sandbox is free. If an invocation was waiting in the agent it has
    /// been handed out with this.
    Idle {
        id: u32,
    },
    Withdrawn {
        id: u32,
    },
    Response {
        id: u32,
        head: ResponseHead<'a>,
        body: &'a [u8],
    },
    StreamStart {
        id: u32,
        head: ResponseHead<'a>,
    },
    StreamChunk {
        id: u32,
        data: &'a [u8],
    },
    StreamEnd {
        id: u32,
        end: StreamEnd<'a>,
    },
    InvocationError {
        id: u32,
        head: ErrorHead<'a>,
        body: &'a [u8],
    },
    InitError {
        head: ErrorHead<'a>,
        body: &'a [u8],
    },
    /// The runtime's process is gone; the sandbox is of no further use. All its log records were sent before.
    Exit(ExitStatus),
    Log {
        head: LogHead,
        data: &'a [u8],
    },
    /// The function opened a connection to the endpoint port.
    TunnelOpen {
        id: u32,
    },
    TunnelData {
        id: u32,
        data: &'a [u8],
    },
    TunnelClose {
        id: u32,
    },
    TunnelCredit {
        id: u32,
        bytes: u32,
    },
    /// Records that the agent had to drop because nobody took them.
    LogsDropped {
        records: u32,
    },
    /// The runtime was given this event, which is larger than [`SMALL_EVENT_BYTES`]: nobody has to keep it any longer.
    Started {
        id: u32,
    },
    /// The answer to `Park`: the process waits, or there is none.
    Parked {
        ready: bool,
    },
}
