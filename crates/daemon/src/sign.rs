//! Signature version 4 on requests of our own: the command line's, and those to stores.

use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use bytes::Bytes;
use hearth_frontend::auth::sigv4::{Scope, sha256_hex, signing_key};
use http::Request;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a canonical path and query leave as it is.
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Who signs, and for what.
#[derive(Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) region: &'a str,
    /// Of temporary credentials.
    pub(crate) token: Option<&'a str>,
    pub(crate) service: &'a str,
}

impl Signer<'_> {
    /// Adds the headers that it signs, and `authorization`. Paths are percent-encoded already; signing encodes them once more, as all
    /// services but S3 want it.
    pub(crate) fn sign(&self, request: &mut Request<Bytes>, now: SystemTime) -> anyhow::Result<()> {
        let time = timestamp(now)?;
        let date = time.get(..8).unwrap_or_default();
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let digest = sha256_hex(request.body());
        let for_s3 = self.service == "s3";
        // By name, as they are signed.
        let signed = [
            ("host", Some(&*host)),
            ("x-amz-content-sha256", for_s3.then_some(&*digest)),
            ("x-amz-date", Some(&*time)),
            ("x-amz-security-token", self.token),
        ];
        let signed: Vec<(&str, &str)> = signed.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
        for (name, value) in &signed {
            request.headers_mut().insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let path = request.uri().path();
        let path = if for_s3 { path.to_owned() } else { utf8_percent_encode(path, UNRESERVED).to_string() };
        let canonical = format!(
            "{}\n{path}\n{}\n{lines}\n{names}\n{digest}",
            request.method(),
            canonical_query(request.uri().query().unwrap_or_default()),
        );
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let key = signing_key(
            self.secret,
            &Scope { access_key_id: self.id, date, region: self.region, service: self.service },
        );
        let signature: String =
            hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", self.id);
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
