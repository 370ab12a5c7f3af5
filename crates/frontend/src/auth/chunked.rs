//! `aws-chunked` bodies: pieces of data, each under a signature that continues the one before it.
//!
//! Source: S3 API reference, "Signature calculations for chunked upload", with and without trailing headers.

use aws_lc_rs::hmac;

use super::sigv4::{Claim, EMPTY_SHA256, SignatureError, decode_hex, equal, push_hex, scope_text, sha256_hex};

/// Longest line that starts a chunk, bytes.
const LINE_BYTES_MAX: usize = 256;
/// All trailing headers, bytes.
const TRAILER_BYTES_MAX: usize = 4096;

/// How the body is sent, as `x-amz-content-sha256` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chunking {
    Signed,
    SignedTrailer,
    UnsignedTrailer,
}

impl Chunking {
    pub fn of(payload: &str) -> Option<Self> {
        match payload {
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(Self::Signed),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(Self::SignedTrailer),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Self::UnsignedTrailer),
            _ => None,
        }
    }
}

/// The data of a chunked body; given who signed, only if every signature in it holds.
pub fn decode(
    body: &[u8],
    chunking: Chunking,
    signed: Option<(&Claim<'_>, &hmac::Key)>,
) -> Result<Vec<u8>, SignatureError> {
    let signed = signed.filter(|_| chunking != Chunking::UnsignedTrailer);
    let mut chain = signed.map(|(claim, key)| Chain { claim, key, last: claim.signature.to_string() });
    let mut data = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        let (line, after) = split_line(rest)?;
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let size = usize::from_str_radix(size, 16).ok().ok_or(SignatureError::Body)?;
        if size > after.len() {
            return Err(SignatureError::Body);
        }
        let (chunk, after) = after.split_at(size);
        if let Some(chain) = &mut chain {
            chain.check_chunk(extension, chunk)?;
        }
        data.extend_from_slice(chunk);
        if size == 0 {
            if let Some(chain) = chain.as_mut().filter(|_| chunking == Chunking::SignedTrailer) {
                chain.check_trailer(after)?;
            }
            return Ok(data);
        }
        rest = after.strip_prefix(b"\r\n").ok_or(SignatureError::Body)?;
    }
}

/// The signatures so far.
struct Chain<'a> {
    claim: &'a Claim<'a>,
    key: &'a hmac::Key,
    last: String,
}

impl Chain<'_> {
    fn check_chunk(&mut self, extension: &str, chunk: &[u8]) -> Result<(), SignatureError> {
        let given = extension.strip_prefix("chunk-signature=").ok_or(SignatureError::Mismatch)?;
        self.check("AWS4-HMAC-SHA256-PAYLOAD", &[EMPTY_SHA256, &sha256_hex(chunk)], given)
    }

    fn check_trailer(&mut self, trailer: &[u8]) -> Result<(), SignatureError> {
        let text = std::str::from_utf8(trailer).ok().filter(|text| text.len() <= TRAILER_BYTES_MAX);
        let text = text.ok_or(SignatureError::Body)?;
        let mut signed = String::new();
        let mut given = None;
        for line in text.split(['\r', '\n']).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(SignatureError::Body)?;
            if name.eq_ignore_ascii_case("x-amz-trailer-signature") {
                given = Some(value.trim());
            } else {
                signed.extend([&name.to_ascii_lowercase(), ":", value.trim(), "\n"]);
            }
        }
        let given = given.ok_or(SignatureError::Mismatch)?;
        self.check("AWS4-HMAC-SHA256-TRAILER", &[&sha256_hex(signed.as_bytes())], given)
    }

    fn check(&mut self, algorithm: &str, hashes: &[&str], given: &str) -> Result<(), SignatureError> {
        let given = decode_hex(given).ok_or(SignatureError::Mismatch)?;
        let mut text = String::with_capacity(320);
        text.extend([
            algorithm,
            "\n",
            &*self.claim.timestamp,
            "\n",
            scope_text(&self.claim.credential),
            "\n",
            &*self.last,
        ]);
        for hash in hashes {
            text.extend(["\n", hash]);
        }
        let expected = hmac::sign(self.key, text.as_bytes());
        if !equal(expected.as_ref(), &given) {
            return Err(SignatureError::Mismatch);
        }
        self.last.clear();
        push_hex(&mut self.last, expected.as_ref());
        Ok(())
    }
}

fn split_line(body: &[u8]) -> Result<(&str, &[u8]), SignatureError> {
    let window = &body[..body.len().min(LINE_BYTES_MAX)];
    let end = window.windows(2).position(|pair| pair == b"\r\n").ok_or(SignatureError::Body)?;
    let line = std::str::from_utf8(&body[..end]).ok().ok_or(SignatureError::Body)?;
    Ok((line, &body[end + 2..]))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::sigv4::{Carrier, Scope, signing_key};
    use super::*;

    /// The example of the S3 API reference: 65 KiB of `a` in chunks of 64 KiB, 1 KiB and 0.
    fn example() -> (Claim<'static>, hmac::Key, Vec<u8>) {
        let credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
        let claim = Claim {
            carrier: Carrier::Header,
            credential: credential.into(),
            signed_headers: "host".into(),
            signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9".into(),
            timestamp: Cow::from("20130524T000000Z"),
            session_token: None,
        };
        let key = signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &Scope::parse(credential).unwrap());
        let mut body = Vec::new();
        for (size, signature) in [
            (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ] {
            body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
            body.extend(std::iter::repeat_n(b'a', size));
            body.extend_from_slice(b"\r\n");
        }
        (claim, key, body)
    }

    #[test]
    fn the_documented_example_decodes() {
        let (claim, key, body) = example();
        let data = decode(&body, Chunking::Signed, Some((&claim, &key))).unwrap();
        assert_eq!(data, vec![b'a'; 66560]);
    }

    #[test]
    fn a_changed_byte_or_a_missing_end_is_refused() {
        let (claim, key, body) = example();
        for index in [0, 5, 30, 100, 65536, 65700, body.len() - 40] {
            let mut changed = body.clone();
            changed[index] ^= 1;
            assert!(decode(&changed, Chunking::Signed, Some((&claim, &key))).is_err(), "byte {index}");
        }
        for length in [0, 1, 80, 87, 65700, body.len() - 60] {
            assert!(decode(&body[..length], Chunking::Signed, Some((&claim, &key))).is_err(), "length {length}");
        }
        let huge = b"ffffffffffffffff;chunk-signature=00\r\n";
        assert!(decode(huge, Chunking::Signed, Some((&claim, &key))).is_err());
    }

    #[test]
    fn an_unsigned_trailer_is_dropped() {
        let (claim, key, _) = example();
        let body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        assert_eq!(decode(body, Chunking::UnsignedTrailer, Some((&claim, &key))).unwrap(), b"hello");
    }
}
