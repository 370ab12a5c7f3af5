//! The part of HTTP/1 that the Runtime API's clients speak: request heads and bodies, parsed out of a growing buffer.
//!
//! Whoever posts may be hostile. What is ambiguous (RFC 9112, section 11: request smuggling) is refused, not repaired, and
//! the connection is closed behind the refusal.

mod body;
mod request;

pub use body::{BodyReader, Step, Trailers};
pub use request::{BodyLength, Method, Request, Span, parse_request};

/// Longest request head and longest trailer section. Runtime clients put stack traces for X-Ray, of up to 1 MiB, into a header.
pub const HEAD_BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;
/// Most header or trailer lines.
pub const LINES_MAX: usize = 128;

/// The bytes are not HTTP, or not of a kind that has one meaning. The connection is of no further use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    RequestLine,
    Version,
    Header,
    /// Length of the body: none, two, or one that is no number.
    Framing,
    Chunk,
    TooLong,
}

impl Malformed {
    pub fn status(self) -> u16 {
        match self {
            Self::RequestLine | Self::Header | Self::Framing | Self::Chunk => 400,
            Self::TooLong => 431,
            Self::Version => 505,
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::RequestLine => "malformed request line",
            Self::Version => "unsupported HTTP version",
            Self::Header => "malformed header",
            Self::Framing => "malformed or ambiguous body length",
            Self::Chunk => "malformed chunk",
            Self::TooLong => "head of the request too long",
        }
    }
}

/// A header or trailer line's name and its value without the white space around it.
fn split_line(line: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let colon = line.iter().position(|&byte| byte == b':').ok_or(Malformed::Header)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_value = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) || !value.iter().all(is_value) {
        return Err(Malformed::Header);
    }
    Ok((name, value.trim_ascii()))
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
