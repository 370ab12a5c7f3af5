//! Signature version 4 on the command line's own requests.

use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use bytes::Bytes;
use hearth_frontend::auth::sigv4::{Scope, sha256_hex, signing_key};
use http::Request;
use http::header::{AUTHORIZATION, HOST, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a canonical path and query leave as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Who signs, and for what.
#[derive(Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl Signer<'_> {
    /// Adds `host`, `x-amz-date` and `authorization`. Paths are percent-encoded already; signing encodes them once more, as all services
    /// but S3 want it.
    pub(crate) fn sign(&self, request: &mut Request<Bytes>, now: SystemTime) -> anyhow::Result<()> {
        let time = timestamp(now)?;
        let date = time.get(..8).unwrap_or_default();
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        request.headers_mut().insert(HOST, HeaderValue::from_str(&host)?);
        request.headers_mut().insert("x-amz-date", HeaderValue::from_str(&time)?);
        let canonical = format!(
            "{}\n{}\n{}\nhost:{host}\nx-amz-date:{time}\n\nhost;x-amz-date\n{}",
            request.method(),
            utf8_percent_encode(request.uri().path(), UNRESERVED),
            canonical_query(request.uri().query().unwrap_or_default()),
            sha256_hex(request.body()),
        );
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let key = signing_key(
            self.secret,
            &Scope { access_key_id: self.id, date, region: self.region, service: self.service },
        );
        let signature: String =
            hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}",
            self.id
        );
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(&authorization)?);
        Ok(())
    }
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    pairs
        .iter()
        .map(|pair| if pair.contains('=') { (*pair).to_owned() } else { format!("{pair}=") })
        .collect::<Vec<_>>()
        .join("&")
}

/// `YYYYMMDDTHHMMSSZ`.
fn timestamp(now: SystemTime) -> anyhow::Result<String> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let time = jiff::Timestamp::from_second(i64::try_from(since.as_secs())?)?;
    Ok(time.strftime("%Y%m%dT%H%M%SZ").to_string())
}
