//! `application/vnd.amazon.eventstream`: messages with a prelude, headers, a payload and two checksums.
//!
//! Source: Amazon Transcribe Developer Guide, "Event stream encoding"; the Smithy specification has the same.

use bytes::{BufMut, Bytes, BytesMut};

/// Prelude (two lengths and their CRC) and the CRC at the end, bytes.
const FRAME_BYTES: usize = 16;
/// Type tag of a string header.
const STRING: u8 = 7;

/// An event of a stream: `event_type` is the member of the modelled union.
pub fn event(event_type: &str, content_type: &str, payload: &[u8]) -> Bytes {
    message(&[(":event-type", event_type), (":content-type", content_type), (":message-type", "event")], payload)
}

/// An exception of a stream, after which it ends.
pub fn exception(exception_type: &str, payload: &[u8]) -> Bytes {
    message(
        &[(":exception-type", exception_type), (":content-type", "application/json"), (":message-type", "exception")],
        payload,
    )
}

/// One message. Header names are at most 255 bytes and values 65,535: what is longer is cut.
fn message(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let headers_len: usize = headers.iter().map(|(name, value)| 4 + name.len() + value.len()).sum();
    let total = FRAME_BYTES + headers_len + payload.len();
    let mut out = BytesMut::with_capacity(total);
    out.put_u32(u32::try_from(total).expect("payloads are cut to well under 4 GiB"));
    out.put_u32(u32::try_from(headers_len).expect("headers are a few short names"));
    out.put_u32(crc32fast::hash(&out));
    for (name, value) in headers {
        out.put_u8(u8::try_from(name.len()).expect("header names are constants"));
        out.put_slice(name.as_bytes());
        out.put_u8(STRING);
        out.put_u16(u16::try_from(value.len()).expect("header values are constants"));
        out.put_slice(value.as_bytes());
    }
    out.put_slice(payload);
    out.put_u32(crc32fast::hash(&out));
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn an_empty_message_is_the_documented_one() {
        let bytes = message(&[], b"");
        assert_eq!(&bytes[..], [0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255]);
    }

    #[test]
    fn lengths_and_checksums_cover_what_they_should() {
        let bytes = event("PayloadChunk", "application/octet-stream", b"hello");
        assert_eq!(number(&bytes, 0) as usize, bytes.len());
        let headers_len = number(&bytes, 4) as usize;
        assert_eq!(number(&bytes, 8), crc32fast::hash(&bytes[..8]));
        assert_eq!(&bytes[12 + headers_len..bytes.len() - 4], b"hello");
        assert_eq!(number(&bytes, bytes.len() - 4), crc32fast::hash(&bytes[..bytes.len() - 4]));
        assert_eq!(&bytes[12..13 + 11], b"\x0b:event-type");
    }
}
