//! No request makes the reader or the verifier of signatures panic, none passes that was not signed, and a chunked body
//! never grows.

#![no_main]

use std::sync::LazyLock;

use hearth_frontend::auth::chunked::{self, Chunking};
use hearth_frontend::auth::sigv4::{Claim, SignatureError, peek_credential, sha256_hex, signing_key};
use hearth_frontend::auth::{AccessKey, Authenticator};
use hearth_iam::Sessions;
use hearth_types::Timestamp;
use http::request::Parts;
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp::from_millis(1_440_938_160_000);

static GUARDED: LazyLock<Authenticator> = LazyLock::new(|| {
    let account = "123456789012".parse().expect("twelve digits");
    let secret = "a secret that the fuzzer does not know".to_owned();
    let key = AccessKey { id: "AKIDEXAMPLE".to_owned(), secret, account };
    Authenticator::new(vec![key], "000000000000".parse().expect("twelve digits"))
});

/// Lines: path and query, then `name: value`, then a blank line and the body.
fn request(input: &[u8]) -> Option<(Parts, &[u8])> {
    let split = input.windows(2).position(|pair| pair == b"\n\n")?;
    let mut lines = input[..split].split(|byte| *byte == b'\n');
    let mut builder = http::Request::post(lines.next()?);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        builder = builder.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    Some((builder.body(()).ok()?.into_parts().0, &input[split + 2..]))
}

fuzz_target!(|input: &[u8]| {
    let Some((parts, body)) = request(input) else { return };
    let _credential = peek_credential(&parts);
    let sessions = Sessions::new(&[7; 32]);
    if let Ok(admission) = GUARDED.admit(&parts, &sessions, NOW) {
        let accepted = GUARDED.accept_body(&admission, &parts, bytes::Bytes::copy_from_slice(body));
        assert!(accepted.is_err(), "a signature was guessed");
    }
    let Ok(claim) = Claim::of(&parts) else { return };
    let _time = claim.check_time(1_440_938_160);
    if let Ok(scope) = claim.scope() {
        let key = signing_key("another secret", &scope);
        let verdict = claim.verify(&parts, &sha256_hex(body), &key);
        assert!(verdict.is_err(), "a signature was guessed");
        assert_ne!(verdict, Err(SignatureError::Missing));
    }
    for chunking in [Chunking::Signed, Chunking::SignedTrailer, Chunking::UnsignedTrailer] {
        if let Ok(data) = chunked::decode(body, chunking, None) {
            assert!(data.len() < body.len());
        }
    }
});
