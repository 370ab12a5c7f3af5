//! Requests that are signed with an access key, as they are in production.

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;

const ID: &str = "AKIAHEARTHBENCH00000";
const SECRET: &str = "of-no-use-after-the-measurement";
pub(crate) const ACCOUNT: &str = "000000000000";
/// What a daemon serves that is told of no other, and where its IAM is.
const REGION: &str = "us-east-1";

/// Of a daemon's configuration, that it takes signed requests alone.
pub(crate) fn configuration() -> String {
    format!("[[access_keys]]\nid = \"{ID}\"\nsecret = \"{SECRET}\"\naccount = \"{ACCOUNT}\"")
}

/// The headers that sign a request without a query now, for a few minutes.
pub(crate) fn headers(service: &str, method: &str, path: &str, body: &str) -> String {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    headers_at(&time, service, method, path, body)
}

fn headers_at(time: &str, service: &str, method: &str, path: &str, body: &str) -> String {
    const SIGNED: &str = "host;x-amz-date";
    let day = &time[..8];
    let scope = format!("{day}/{REGION}/{service}/aws4_request");
    let body = sha256(body);
    let canonical = format!("{method}\n{path}\n\nhost:localhost\nx-amz-date:{time}\n\n{SIGNED}\n{body}");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(&canonical));
    let key = format!("AWS4{SECRET}").into_bytes();
    let key = [day, REGION, service, "aws4_request"].into_iter().fold(key, |key, part| hmac(&key, part));
    let signature = hex(&hmac(&key, &text));
    format!(
        "X-Amz-Date: {time}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={ID}/{scope}, SignedHeaders={SIGNED}, Signature={signature}\r\n"
    )
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_signed_as_aws_signs_them() {
        let headers = headers_at("20260101T000000Z", "lambda", "POST", "/2015-03-31/functions/f/invocations", "{}");
        // By botocore's SigV4Auth.
        assert!(
            headers.ends_with("Signature=852da89b679a73afa575930a581561f82514ec6ec1d1aabbba8ef2e80ae59672\r\n"),
            "{headers}"
        );
    }
}
