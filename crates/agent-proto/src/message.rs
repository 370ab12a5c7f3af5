//! The messages of both directions and their payloads.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::frame::{FrameError, FrameHeader, write_frame};

/// Starts the runtime. Sent once per sandbox, after its code is attached.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Init {
    /// Program and arguments of the runtime process; the program is a path inside the sandbox. Where it does not exist
    /// the next one is tried.
    pub commands: Vec<Vec<String>>,
    /// The whole environment of the runtime process, `AWS_LAMBDA_RUNTIME_API` included.
    pub environment: Vec<(String, String)>,
    pub cwd: String,
    /// Inside the sandbox's user namespace. `None` keeps the agent's own (a host without uid ranges).
    pub uid_gid: Option<(u32, u32)>,
    pub hostname: String,
    pub rlimits: Rlimits,
    /// Largest buffered response, bytes; above it the Runtime API answers 413.
    pub response_bytes_max: u64,
    /// Largest streamed response, bytes.
    pub stream_bytes_max: u64,
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
    pub invocation_id: Cow<'a, str>,
    /// Wall clock, milliseconds since the epoch.
    pub deadline_ms: u64,
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
    /// `Lambda-Runtime-Function-Error-Type`, such as `Runtime.ImportModuleError`.
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
    /// None of the commands could be started (`errno` of the last one).
    NotStarted(i32),
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
}

/// From the daemon to the agent.
#[derive(Clone, PartialEq, Debug)]
pub enum ToAgent<'a> {
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
    /// SIGTERM to the runtime, SIGKILL after the grace.
    Shutdown {
        grace_ms: u32,
    },
}

/// From the agent to the daemon.
#[derive(Clone, PartialEq, Debug)]
pub enum FromAgent<'a> {
    Hello {
        version: u16,
    },
    /// The runtime asked for its first event: initialisation is over.
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
}

fn postcard_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain data into a growing buffer always serialises")
}

fn write_plain<T: Serialize>(out: &mut Vec<u8>, kind: u8, id: u32, value: &T) {
    write_frame(out, kind, 0, id, &[&postcard_bytes(value)]);
}

fn write_with_body<T: Serialize>(out: &mut Vec<u8>, kind: u8, id: u32, head: &T, body: &[u8]) {
    let head = postcard_bytes(head);
    let head_length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes();
    write_frame(out, kind, 0, id, &[&head_length, &head, body]);
}

fn read_plain<'a, T: Deserialize<'a>>(payload: &'a [u8], message: &'static str) -> Result<T, FrameError> {
    match postcard::take_from_bytes(payload) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(FrameError::Malformed { message }),
    }
}

fn read_with_body<'a, T: Deserialize<'a>>(
    payload: &'a [u8],
    message: &'static str,
) -> Result<(T, &'a [u8]), FrameError> {
    let malformed = FrameError::Malformed { message };
    let (length, rest) = payload.split_first_chunk::<4>().ok_or(malformed.clone())?;
    let length = u32::from_le_bytes(*length) as usize;
    let (head, body) = rest.split_at_checked(length).ok_or(malformed)?;
    Ok((read_plain(head, message)?, body))
}

fn read_owned<T: DeserializeOwned>(payload: &[u8], message: &'static str) -> Result<T, FrameError> {
    read_plain(payload, message)
}

impl<'a> ToAgent<'a> {
    /// Appends this message as one frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Init(init) => write_plain(out, ToAgentKind::Init as u8, 0, init),
            Self::Invoke { id, head, body } => write_with_body(out, ToAgentKind::Invoke as u8, *id, head, body),
            Self::Withdraw { id } => write_frame(out, ToAgentKind::Withdraw as u8, 0, *id, &[]),
            Self::Credit { id, tunnel, bytes } => {
                write_frame(out, ToAgentKind::Credit as u8, u8::from(*tunnel), *id, &[&bytes.to_le_bytes()]);
            }
            Self::TunnelData { id, data } => write_frame(out, ToAgentKind::TunnelData as u8, 0, *id, &[data]),
            Self::TunnelClose { id } => write_frame(out, ToAgentKind::TunnelClose as u8, 0, *id, &[]),
            Self::Shutdown { grace_ms } => {
                write_frame(out, ToAgentKind::Shutdown as u8, 0, 0, &[&grace_ms.to_le_bytes()]);
            }
        }
    }

    /// # Errors
    /// The kind is unknown or the payload is not of its form.
    pub fn decode(header: FrameHeader, payload: &'a [u8]) -> Result<Self, FrameError> {
        let id = header.id;
        Ok(match header.kind {
            kind if kind == ToAgentKind::Init as u8 => Self::Init(read_owned(payload, "Init")?),
            kind if kind == ToAgentKind::Invoke as u8 => {
                let (head, body) = read_with_body(payload, "Invoke")?;
                Self::Invoke { id, head, body }
            }
            kind if kind == ToAgentKind::Withdraw as u8 => Self::Withdraw { id },
            kind if kind == ToAgentKind::Credit as u8 => {
                Self::Credit { id, tunnel: header.flags == 1, bytes: read_u32(payload, "Credit")? }
            }
            kind if kind == ToAgentKind::TunnelData as u8 => Self::TunnelData { id, data: payload },
            kind if kind == ToAgentKind::TunnelClose as u8 => Self::TunnelClose { id },
            kind if kind == ToAgentKind::Shutdown as u8 => Self::Shutdown { grace_ms: read_u32(payload, "Shutdown")? },
            kind => return Err(FrameError::UnknownKind { kind }),
        })
    }
}

impl<'a> FromAgent<'a> {
    /// Appends this message as one frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        use FromAgentKind as Kind;
        match self {
            Self::Hello { version } => write_frame(out, Kind::Hello as u8, 0, 0, &[&version.to_le_bytes()]),
            Self::Ready => write_frame(out, Kind::Ready as u8, 0, 0, &[]),
            Self::Idle { id } => write_frame(out, Kind::Idle as u8, 0, *id, &[]),
            Self::Withdrawn { id } => write_frame(out, Kind::Withdrawn as u8, 0, *id, &[]),
            Self::Response { id, head, body } => write_with_body(out, Kind::Response as u8, *id, head, body),
            Self::StreamStart { id, head } => write_plain(out, Kind::StreamStart as u8, *id, head),
            Self::StreamChunk { id, data } => write_frame(out, Kind::StreamChunk as u8, 0, *id, &[data]),
            Self::StreamEnd { id, end } => write_plain(out, Kind::StreamEnd as u8, *id, end),
            Self::InvocationError { id, head, body } => {
                write_with_body(out, Kind::InvocationError as u8, *id, head, body);
            }
            Self::InitError { head, body } => write_with_body(out, Kind::InitError as u8, 0, head, body),
            Self::Exit(status) => write_plain(out, Kind::Exit as u8, 0, status),
            Self::Log { head, data } => write_with_body(out, Kind::Log as u8, 0, head, data),
            Self::TunnelOpen { id } => write_frame(out, Kind::TunnelOpen as u8, 0, *id, &[]),
            Self::TunnelData { id, data } => write_frame(out, Kind::TunnelData as u8, 0, *id, &[data]),
            Self::TunnelClose { id } => write_frame(out, Kind::TunnelClose as u8, 0, *id, &[]),
            Self::TunnelCredit { id, bytes } => {
                write_frame(out, Kind::TunnelCredit as u8, 0, *id, &[&bytes.to_le_bytes()]);
            }
            Self::LogsDropped { records } => {
                write_frame(out, Kind::LogsDropped as u8, 0, 0, &[&records.to_le_bytes()]);
            }
        }
    }

    /// # Errors
    /// The kind is unknown or the payload is not of its form.
    pub fn decode(header: FrameHeader, payload: &'a [u8]) -> Result<Self, FrameError> {
        use FromAgentKind as Kind;
        let id = header.id;
        Ok(match header.kind {
            kind if kind == Kind::Hello as u8 => {
                let bytes = payload.try_into().ok().ok_or(FrameError::Malformed { message: "Hello" })?;
                Self::Hello { version: u16::from_le_bytes(bytes) }
            }
            kind if kind == Kind::Ready as u8 => Self::Ready,
            kind if kind == Kind::Idle as u8 => Self::Idle { id },
            kind if kind == Kind::Withdrawn as u8 => Self::Withdrawn { id },
            kind if kind == Kind::Response as u8 => {
                let (head, body) = read_with_body(payload, "Response")?;
                Self::Response { id, head, body }
            }
            kind if kind == Kind::StreamStart as u8 => {
                Self::StreamStart { id, head: read_plain(payload, "StreamStart")? }
            }
            kind if kind == Kind::StreamChunk as u8 => Self::StreamChunk { id, data: payload },
            kind if kind == Kind::StreamEnd as u8 => Self::StreamEnd { id, end: read_plain(payload, "StreamEnd")? },
            kind if kind == Kind::InvocationError as u8 => {
                let (head, body) = read_with_body(payload, "InvocationError")?;
                Self::InvocationError { id, head, body }
            }
            kind if kind == Kind::InitError as u8 => {
                let (head, body) = read_with_body(payload, "InitError")?;
                Self::InitError { head, body }
            }
            kind if kind == Kind::Exit as u8 => Self::Exit(read_owned(payload, "Exit")?),
            kind if kind == Kind::Log as u8 => {
                let (head, data) = read_with_body(payload, "Log")?;
                Self::Log { head, data }
            }
            kind if kind == Kind::TunnelOpen as u8 => Self::TunnelOpen { id },
            kind if kind == Kind::TunnelData as u8 => Self::TunnelData { id, data: payload },
            kind if kind == Kind::TunnelClose as u8 => Self::TunnelClose { id },
            kind if kind == Kind::TunnelCredit as u8 => {
                Self::TunnelCredit { id, bytes: read_u32(payload, "TunnelCredit")? }
            }
            kind if kind == Kind::LogsDropped as u8 => Self::LogsDropped { records: read_u32(payload, "LogsDropped")? },
            kind => return Err(FrameError::UnknownKind { kind }),
        })
    }
}

fn read_u32(payload: &[u8], message: &'static str) -> Result<u32, FrameError> {
    payload.try_into().map(u32::from_le_bytes).ok().ok_or(FrameError::Malformed { message })
}
