//! Frames: length, kind, flags, id, payload.

/// Bytes of a frame's header.
pub const HEADER_BYTES: usize = 12;
/// Largest payload: a 6 MiB body and its head.
pub const PAYLOAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The bytes are not a frame, or not one of the messages that may come from there.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    #[error("payload of {length} bytes exceeds the limit of {PAYLOAD_BYTES_MAX}")]
    TooLong { length: u32 },
    #[error("unknown message kind {kind}")]
    UnknownKind { kind: u8 },
    #[error("malformed {message} message")]
    Malformed { message: &'static str },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameHeader {
    pub length: u32,
    pub kind: u8,
    pub flags: u8,
    pub id: u32,
}

impl FrameHeader {
    pub fn encode(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4] = self.kind;
        bytes[5] = self.flags;
        bytes[8..].copy_from_slice(&self.id.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        let length = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if length as usize > PAYLOAD_BYTES_MAX {
            return Err(FrameError::TooLong { length });
        }
        let id = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        Ok(Self { length, kind: bytes[4], flags: bytes[5], id })
    }
}

/// A frame's header, its payload and the bytes it takes, header included.
pub type Frame<'a> = (FrameHeader, &'a [u8], usize);

/// The first frame in `buffer` and the bytes it takes; `None` until all of it is there.
///
/// # Errors
/// The length is beyond the limit: the connection is of no further use.
pub fn read_frame(buffer: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    let Some(header) = buffer.first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let header = FrameHeader::decode(header)?;
    let end = HEADER_BYTES + header.length as usize;
    Ok(buffer.get(HEADER_BYTES..end).map(|payload| (header, payload, end)))
}

/// Appends a frame whose payload is `parts`, one behind the other.
pub fn write_frame(out: &mut Vec<u8>, kind: u8, flags: u8, id: u32, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    debug_assert!(length <= PAYLOAD_BYTES_MAX, "callers cut their bodies");
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    out.reserve(HEADER_BYTES + length as usize);
    out.extend_from_slice(&FrameHeader { length, kind, flags, id }.encode());
    for part in parts {
        out.extend_from_slice(part);
    }
}
