//! What the daemon and the agent say to each other, over one stream socket per sandbox.
//!
//! The agent listens on the abstract Unix socket [`AGENT_SOCKET`] of its network namespace; the daemon enters and
//! connects. The agent speaks first ([`FromAgent::Hello`]). After a lost connection the daemon connects anew: the agent
//! keeps what it has to say until then, and says again, from its start, a frame that it had said in part. Tunnels end with
//! their connection. What lies unread in the daemon's socket when it closes is lost: a daemon that means to come back
//! shuts its sending side down and reads to the end; the agent closes when it has read to that end.
//!
//! A frame is a 12-byte header and a payload. Everything that the agent sends is hostile input to the daemon: decoding
//! checks every length and never trusts an id.
//!
//! ```text
//!  0        4       5       6        8            12
//!  | length | kind  | flags | zero   | id          | payload, `length` bytes |      integers little-endian
//! ```
//!
//! `id` names the invocation (counted by the daemon, from 1) or the tunnel (counted by the agent, from 1). Frames with
//! structure carry it as postcard; frames with a body carry a 4-byte length of the structure, the structure, the body.
//!
//! # Flow control
//!
//! Response chunks and tunnel data are sent against credit, per id and direction: [`WINDOW_BYTES`] at the start,
//! more by `Credit` frames. Whoever sends beyond its credit is cut off.

mod codec;
mod frame;
mod message;
mod orders;

pub use frame::{Frame, FrameError, FrameHeader, HEADER_BYTES, PAYLOAD_BYTES_MAX, read_frame, write_frame};
pub use message::{
    ErrorHead, ExitStatus, FromAgent, FromAgentKind, Init, InvokeHead, LogHead, LogSource, Park, Renewal, ResponseHead,
    Rlimits, SMALL_EVENT_BYTES, StreamEnd, ToAgent, ToAgentKind,
};

pub use orders::write_orders;

/// Abstract name (after the NUL) of the agent's listening socket.
pub const AGENT_SOCKET: &[u8] = b"hearth-agent";
/// The Runtime API's port on the sandbox's loopback.
pub const RUNTIME_API_PORT: u16 = 9001;
/// The port on the sandbox's loopback that carries the function's own AWS calls.
pub const ENDPOINT_PORT: u16 = 9002;
/// Changes with every incompatible change of messages.
pub const PROTOCOL_VERSION: u16 = 2;
/// Bytes that may be under way on one response stream or tunnel without a credit.
pub const WINDOW_BYTES: usize = 256 * 1024;
/// Largest chunk of a response stream or tunnel.
pub const CHUNK_BYTES_MAX: usize = 64 * 1024;
/// Tunnels that a sandbox may have open at once.
pub const TUNNELS_MAX: usize = 256;
/// Longest log record; longer ones are cut into several.
pub const LOG_BYTES_MAX: usize = 256 * 1024;
