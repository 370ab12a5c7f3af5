//! How messages become frames and frames messages.

use serde::{Deserialize, Serialize};

use crate::{
    frame::{FrameError, FrameHeader, HEADER_BYTES, PAYLOAD_BYTES_MAX},
    message::{FromAgent, FromAgentKind, ToAgent, ToAgentKind},
};

/// Serialises behind what a vector already holds.
struct Append<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

fn append<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    postcard::serialize_with_flavor(value, Append(out)).expect("plain data into a growing vector always serialises");
}

/// Where a frame is to be written; its header's length is filled in at the end.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    kind: u8,
    flags: u8,
    id: u32,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut Vec<u8>, kind: u8, id: u32) -> Self {
        Self { out, kind, flags: 0, id }
    }

    /// Writes the frame with a payload of what `write` appends and of `body`, which the caller still has to send.
    fn frame(self, write: impl FnOnce(&mut Vec<u8>), body: &[u8]) -> &[u8] {
        let start = self.out.len();
        let (kind, flags, id) = (self.kind, self.flags, self.id);
        self.out.extend_from_slice(&FrameHeader { length: 0, kind, flags, id }.encode());
        write(self.out);
        let length = self.out.len() - start - HEADER_BYTES + body.len();
        debug_assert!(length <= PAYLOAD_BYTES_MAX, "callers cut their bodies");
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        body
    }

    fn bytes<'b>(self, bytes: &[u8]) -> &'b [u8] {
        self.frame(|out| out.extend_from_slice(bytes), &[])
    }

    fn plain<'b, T: Serialize>(self, value: &T) -> &'b [u8] {
        self.frame(|out| append(out, value), &[])
    }

    fn body(self, body: &[u8]) -> &[u8] {
        self.frame(|_out| {}, body)
    }

    fn with_body<'b, T: Serialize>(self, head: &T, body: &'b [u8]) -> &'b [u8] {
        let write = |out: &mut Vec<u8>| {
            let length_at = out.len();
            out.extend_from_slice(&[0; 4]);
            append(out, head);
            let length = u32::try_from(out.len() - length_at - 4).unwrap_or(u32::MAX);
            out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
        };
        self.frame(write, body)
    }
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

fn read_nothing<T>(payload: &[u8], value: T, message: &'static str) -> Result<T, FrameError> {
    if payload.is_empty() { Ok(value) } else { Err(FrameError::Malformed { message }) }
}

fn read_u32(payload: &[u8], message: &'static str) -> Result<u32, FrameError> {
    payload.try_into().map(u32::from_le_bytes).ok().ok_or(FrameError::Malformed { message })
}

impl<'a> ToAgent<'a> {
    /// Appends this message as one frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let body = self.encode_head(out);
        out.extend_from_slice(body);
    }

    /// Appends this message's frame up to its body and returns the body, for writers that gather.
    #[must_use = "the frame is not whole without its body"]
    pub fn encode_head(&self, out: &mut Vec<u8>) -> &'a [u8] {
        use ToAgentKind as Kind;
        match *self {
            Self::Park(ref park) => Writer::new(out, Kind::Park as u8, 0).plain(park),
            Self::Init(ref init) => Writer::new(out, Kind::Init as u8, 0).plain(init),
            Self::Invoke { id, ref head, body } => Writer::new(out, Kind::Invoke as u8, id).with_body(head, body),
            Self::Withdraw { id } => Writer::new(out, Kind::Withdraw as u8, id).bytes(&[]),
            Self::Credit { id, tunnel, bytes } => {
                Writer { out, kind: Kind::Credit as u8, flags: u8::from(tunnel), id }.bytes(&bytes.to_le_bytes())
            }
            Self::TunnelData { id, data } => Writer::new(out, Kind::TunnelData as u8, id).body(data),
            Self::TunnelClose { id } => Writer::new(out, Kind::TunnelClose as u8, id).bytes(&[]),
            Self::Renew(ref renewal) => Writer::new(out, Kind::Renew as u8, 0).plain(renewal),
            Self::Shutdown { grace_ms } => Writer::new(out, Kind::Shutdown as u8, 0).bytes(&grace_ms.to_le_bytes()),
        }
    }

    /// # Errors
    /// The kind is unknown or the payload is not of its form.
    pub fn decode(header: FrameHeader, payload: &'a [u8]) -> Result<Self, FrameError> {
        let id = header.id;
        Ok(match header.kind {
            kind if kind == ToAgentKind::Park as u8 => Self::Park(read_plain(payload, "Park")?),
            kind if kind == ToAgentKind::Init as u8 => Self::Init(read_plain(payload, "Init")?),
            kind if kind == ToAgentKind::Invoke as u8 => {
                let (head, body) = read_with_body(payload, "Invoke")?;
                Self::Invoke { id, head, body }
            }
            kind if kind == ToAgentKind::Withdraw as u8 => read_nothing(payload, Self::Withdraw { id }, "Withdraw")?,
            kind if kind == ToAgentKind::Credit as u8 => {
                Self::Credit { id, tunnel: header.flags == 1, bytes: read_u32(payload, "Credit")? }
            }
            kind if kind == ToAgentKind::TunnelData as u8 => Self::TunnelData { id, data: payload },
            kind if kind == ToAgentKind::TunnelClose as u8 => {
                read_nothing(payload, Self::TunnelClose { id }, "TunnelClose")?
            }
            kind if kind == ToAgentKind::Renew as u8 => Self::Renew(read_plain(payload, "Renew")?),
            kind if kind == ToAgentKind::Shutdown as u8 => Self::Shutdown { grace_ms: read_u32(payload, "Shutdown")? },
            kind => return Err(FrameError::UnknownKind { kind }),
        })
    }
}

impl<'a> FromAgent<'a> {
    /// Appends this message as one frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let body = self.encode_head(out);
        out.extend_from_slice(body);
    }

    /// Appends this message's frame up to its body and returns the body, for writers that gather.
    #[must_use = "the frame is not whole without its body"]
    pub fn encode_head(&self, out: &mut Vec<u8>) -> &'a [u8] {
        use FromAgentKind as Kind;
        match *self {
            Self::Hello { version } => Writer::new(out, Kind::Hello as u8, 0).bytes(&version.to_le_bytes()),
            Self::Ready => Writer::new(out, Kind::Ready as u8, 0).bytes(&[]),
            Self::Idle { id } => Writer::new(out, Kind::Idle as u8, id).bytes(&[]),
            Self::Withdrawn { id } => Writer::new(out, Kind::Withdrawn as u8, id).bytes(&[]),
            Self::Response { id, ref head, body } => Writer::new(out, Kind::Response as u8, id).with_body(head, body),
            Self::StreamStart { id, ref head } => Writer::new(out, Kind::StreamStart as u8, id).plain(head),
            Self::StreamChunk { id, data } => Writer::new(out, Kind::StreamChunk as u8, id).body(data),
            Self::StreamEnd { id, ref end } => Writer::new(out, Kind::StreamEnd as u8, id).plain(end),
            Self::InvocationError { id, ref head, body } => {
                Writer::new(out, Kind::InvocationError as u8, id).with_body(head, body)
            }
            Self::InitError { ref head, body } => Writer::new(out, Kind::InitError as u8, 0).with_body(head, body),
            Self::Exit(ref status) => Writer::new(out, Kind::Exit as u8, 0).plain(status),
            Self::Log { ref head, data } => Writer::new(out, Kind::Log as u8, 0).with_body(head, data),
            Self::TunnelOpen { id } => Writer::new(out, Kind::TunnelOpen as u8, id).bytes(&[]),
            Self::TunnelData { id, data } => Writer::new(out, Kind::TunnelData as u8, id).body(data),
            Self::TunnelClose { id } => Writer::new(out, Kind::TunnelClose as u8, id).bytes(&[]),
            Self::TunnelCredit { id, bytes } => {
                Writer::new(out, Kind::TunnelCredit as u8, id).bytes(&bytes.to_le_bytes())
            }
            Self::LogsDropped { records } => Writer::new(out, Kind::LogsDropped as u8, 0).bytes(&records.to_le_bytes()),
            Self::Started { id } => Writer::new(out, Kind::Started as u8, id).bytes(&[]),
            Self::Parked { ready } => Writer::new(out, Kind::Parked as u8, 0).plain(&ready),
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
            kind if kind == Kind::Ready as u8 => read_nothing(payload, Self::Ready, "Ready")?,
            kind if kind == Kind::Idle as u8 => read_nothing(payload, Self::Idle { id }, "Idle")?,
            kind if kind == Kind::Withdrawn as u8 => read_nothing(payload, Self::Withdrawn { id }, "Withdrawn")?,
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
            kind if kind == Kind::Exit as u8 => Self::Exit(read_plain(payload, "Exit")?),
            kind if kind == Kind::Log as u8 => {
                let (head, data) = read_with_body(payload, "Log")?;
                Self::Log { head, data }
            }
            kind if kind == Kind::TunnelOpen as u8 => read_nothing(payload, Self::TunnelOpen { id }, "TunnelOpen")?,
            kind if kind == Kind::TunnelData as u8 => Self::TunnelData { id, data: payload },
            kind if kind == Kind::TunnelClose as u8 => read_nothing(payload, Self::TunnelClose { id }, "TunnelClose")?,
            kind if kind == Kind::TunnelCredit as u8 => {
                Self::TunnelCredit { id, bytes: read_u32(payload, "TunnelCredit")? }
            }
            kind if kind == Kind::Started as u8 => read_nothing(payload, Self::Started { id }, "Started")?,
            kind if kind == Kind::Parked as u8 => Self::Parked { ready: read_plain(payload, "Parked")? },
            kind if kind == Kind::LogsDropped as u8 => Self::LogsDropped { records: read_u32(payload, "LogsDropped")? },
            kind => return Err(FrameError::UnknownKind { kind }),
        })
    }
}

#[cfg(test)]
mod tests;
