//! Signature Version 4: what a request claims of itself, and whether its signature bears it out.
//!
//! Source: AWS General Reference, "Signature Version 4 signing process"; for presigned URLs and payload modes the S3 API
//! reference, "Authenticating Requests". botocore is the oracle of the tests.

use std::borrow::Cow;
use std::fmt::Write as _;

use aws_lc_rs::{constant_time, digest, hmac};
use http::Uri;
use http::header::{AUTHORIZATION, DATE, HOST};
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::time::{parse_amz, write_amz};

/// Longest `Authorization` value or query that is looked at, bytes.
const CLAIM_BYTES_MAX: usize = 8192;
/// Names in `SignedHeaders`.
const SIGNED_HEADERS_MAX: usize = 128;
/// Longest life of a presigned URL, seconds.
const EXPIRES_S_MAX: i64 = 604_800;
/// How far the client's clock may be off, seconds.
const SKEW_S_MAX: i64 = 300;
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// SHA-256 of nothing.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Why a request's signature cannot be read or does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureError {
    #[error("the request carries no signature")]
    Missing,
    /// With AWS's words for what is wrong with the header or query.
    #[error("{0}")]
    Incomplete(String),
    #[error("the signature does not match")]
    Mismatch,
    /// With AWS's words for which clock is ahead.
    #[error("{0}")]
    Skewed(String),
    #[error("the presigned request has expired")]
    Expired,
    #[error("the body is not the one that was signed")]
    Body,
}

/// The parts of `AccessKeyId/YYYYMMDD/Region/service/aws4_request`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope<'a> {
    pub access_key_id: &'a str,
    pub date: &'a str,
    pub region: &'a str,
    pub service: &'a str,
}

impl<'a> Scope<'a> {
    /// An access key id may itself contain slashes; the four parts behind it may not.
    pub fn parse(credential: &'a str) -> Option<Self> {
        let mut parts = credential.rsplitn(5, '/');
        let terminator = parts.next()?;
        let service = parts.next()?;
        let region = parts.next()?;
        let date = parts.next()?;
        let access_key_id = parts.next()?;
        let named = !access_key_id.is_empty() && !service.is_empty() && !region.is_empty();
        let dated = date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit());
        (terminator == "aws4_request" && named && dated).then_some(Self { access_key_id, date, region, service })
    }
}

/// Where the signature travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    Header,
    /// In the query; good for so many seconds.
    Query {
        expires_s: i64,
    },
}

/// What a signed request says of itself; nothing of it is verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim<'a> {
    pub carrier: Carrier,
    /// The whole credential, whose parts [`Scope::parse`] gives.
    pub credential: Cow<'a, str>,
    pub signed_headers: Cow<'a, str>,
    /// Hexadecimal.
    pub signature: Cow<'a, str>,
    /// `X-Amz-Date` as sent, or `Date` in that form.
    pub timestamp: Cow<'a, str>,
    pub session_token: Option<Cow<'a, str>>,
}

/// The credential of a header-signed request, however incomplete the rest of it is. This is all that is needed where any
/// credentials pass.
pub fn peek_credential(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let start = header.find("Credential=")? + "Credential=".len();
    let rest = &header[start..];
    Some(rest[..rest.find([',', ' ']).unwrap_or(rest.len())].trim())
}

impl<'a> Claim<'a> {
    /// Reads the claim from the `Authorization` header, else from the query.
    pub fn of(parts: &'a Parts) -> Result<Self, SignatureError> {
        let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
        if let Some(header) = headers.next() {
            let text = header.to_str().ok().filter(|text| text.len() <= CLAIM_BYTES_MAX);
            return match (text, headers.next()) {
                (Some(text), None) => Self::from_header(text, parts),
                _ => Err(SignatureError::Incomplete("Authorization header is not readable.".to_owned())),
            };
        }
        match parts.uri.query() {
            Some(query) if query.contains("X-Amz-Signature=") && query.len() <= CLAIM_BYTES_MAX => {
                Self::from_query(query)
            }
            _ => Err(SignatureError::Missing),
        }
    }

    fn from_header(text: &'a str, parts: &'a Parts) -> Result<Self, SignatureError> {
        let Some(fields) = text.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with([' ', ','])) else {
            return Err(SignatureError::Incomplete(format!("Unsupported AWS 'algorithm': '{}'.", first_word(text))));
        };
        let [mut credential, mut signed_headers, mut signature] = [None; 3];
        for field in fields.split(',') {
            match field.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value.trim()),
                Some(("SignedHeaders", value)) => signed_headers = Some(value.trim()),
                Some(("Signature", value)) => signature = Some(value.trim()),
                _ => {}
            }
        }
        let mut missing = String::new();
        for (name, value) in [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)] {
            if value.is_none() {
                missing.push_str(&format!("Authorization header requires '{name}' parameter. "));
            }
        }
        let timestamp = timestamp_of(parts);
        if timestamp.is_none() {
            missing.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
        }
        match (credential, signed_headers, signature, timestamp) {
            (Some(credential), Some(signed_headers), Some(signature), Some(timestamp)) => Ok(Self {
                carrier: Carrier::Header,
                credential: credential.into(),
                signed_headers: signed_headers.into(),
                signature: signature.into(),
                timestamp,
                session_token: parts
                    .headers
                    .get("x-amz-security-token")
                    .and_then(|token| token.to_str().ok())
                    .map(Cow::from),
            }),
            _ => Err(SignatureError::Incomplete(format!("{missing}Authorization={}", first_word(text)))),
        }
    }

    fn from_query(query: &'a str) -> Result<Self, SignatureError> {
        let field = |wanted: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, _)| *name == wanted)
                .and_then(|(_, value)| percent_decode_str(value).decode_utf8().ok())
        };
        let incomplete = |name: &str| {
            SignatureError::Incomplete(format!(
                "AWS query-string parameters must include 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', \
                 'X-Amz-SignedHeaders', 'X-Amz-Date' and 'X-Amz-Expires'; '{name}' is missing or wrong."
            ))
        };
        let required = |name: &str| field(name).ok_or_else(|| incomplete(name));
        if required("X-Amz-Algorithm")? != ALGORITHM {
            return Err(incomplete("X-Amz-Algorithm"));
        }
        let expires_s: i64 = required("X-Amz-Expires")?.parse().ok().ok_or_else(|| incomplete("X-Amz-Expires"))?;
        if !(0..=EXPIRES_S_MAX).contains(&expires_s) {
            return Err(incomplete("X-Amz-Expires"));
        }
        Ok(Self {
            carrier: Carrier::Query { expires_s },
            credential: required("X-Amz-Credential")?,
            signed_headers: required("X-Amz-SignedHeaders")?,
            signature: required("X-Amz-Signature")?,
            timestamp: required("X-Amz-Date")?,
            session_token: field("X-Amz-Security-Token"),
        })
    }

    pub fn scope(&self) -> Result<Scope<'_>, SignatureError> {
        Scope::parse(&self.credential).ok_or_else(|| {
            SignatureError::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                first_word(&self.credential)
            ))
        })
    }

    /// Whether the request is of now, give or take the skew that AWS tolerates. `now_s`: seconds since the epoch.
    pub fn check_time(&self, now_s: i64) -> Result<(), SignatureError> {
        let signed_s = parse_amz(&self.timestamp).ok_or_else(|| {
            SignatureError::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'.",
                first_word(&self.timestamp)
            ))
        })?;
        if self.scope()?.date != &self.timestamp[..8] {
            return Err(SignatureError::Skewed(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}'.",
                self.scope()?.date,
                &self.timestamp[..8]
            )));
        }
        if signed_s > now_s + SKEW_S_MAX {
            return Err(SignatureError::Skewed(format!(
                "Signature not yet current: {} is still later than {} ({} + 5 min.)",
                self.timestamp,
                write_amz(now_s + SKEW_S_MAX),
                write_amz(now_s)
            )));
        }
        match self.carrier {
            Carrier::Query { expires_s } if signed_s + expires_s < now_s => Err(SignatureError::Expired),
            Carrier::Header if signed_s < now_s - SKEW_S_MAX => Err(SignatureError::Skewed(format!(
                "Signature expired: {} is now earlier than {} ({} - 5 min.)",
                self.timestamp,
                write_amz(now_s - SKEW_S_MAX),
                write_amz(now_s)
            ))),
            _ => Ok(()),
        }
    }

    /// Whether `key` signed this request with `payload` as the last line of its canonical form: the body's hash in
    /// hexadecimal, or one of the words for an unsigned or streamed body.
    pub fn verify(&self, parts: &Parts, payload: &str, key: &hmac::Key) -> Result<(), SignatureError> {
        let given = decode_hex(&self.signature).ok_or(SignatureError::Mismatch)?;
        let normal = canonical_path(parts.uri.path(), true);
        let signed = self.signature_of(parts, &normal, payload, key)?;
        if equal(signed.as_ref(), &given) {
            return Ok(());
        }
        // COMPAT: clients differ in whether they remove dot segments and doubled slashes before they sign.
        let plain = canonical_path(parts.uri.path(), false);
        if plain != normal && equal(self.signature_of(parts, &plain, payload, key)?.as_ref(), &given) {
            return Ok(());
        }
        Err(SignatureError::Mismatch)
    }

    fn signature_of(
        &self,
        parts: &Parts,
        path: &str,
        payload: &str,
        key: &hmac::Key,
    ) -> Result<hmac::Tag, SignatureError> {
        let canonical = self.canonical_request(parts, path, payload)?;
        Ok(hmac::sign(key, self.string_to_sign(&canonical).as_bytes()))
    }

    fn canonical_request(&self, parts: &Parts, path: &str, payload: &str) -> Result<String, SignatureError> {
        let mut out = String::with_capacity(1024);
        let query = canonical_query(parts.uri.query().unwrap_or(""), self.carrier != Carrier::Header);
        out.extend([parts.method.as_str(), "\n", path, "\n", &query, "\n"]);
        let mut host_signed = false;
        for (index, name) in self.signed_headers.split(';').enumerate() {
            if index >= SIGNED_HEADERS_MAX || name.is_empty() {
                return Err(SignatureError::Mismatch);
            }
            host_signed |= name == "host";
            out.push_str(name);
            out.push(':');
            push_header(&mut out, name, parts);
            out.push('\n');
        }
        if !host_signed {
            return Err(SignatureError::Skewed(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
            ));
        }
        out.extend(["\n", &*self.signed_headers, "\n", payload]);
        Ok(out)
    }

    fn string_to_sign(&self, canonical: &str) -> String {
        let mut out = String::with_capacity(192);
        out.extend([ALGORITHM, "\n", &self.timestamp, "\n", scope_text(&self.credential), "\n"]);
        push_hex(&mut out, digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        out
    }
}

/// The key that signs for a day, Region and service.
pub fn signing_key(secret: &str, scope: &Scope<'_>) -> hmac::Key {
    let step = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let date = step(format!("AWS4{secret}").as_bytes(), scope.date);
    let region = step(date.as_ref(), scope.region);
    let service = step(region.as_ref(), scope.service);
    hmac::Key::new(hmac::HMAC_SHA256, step(service.as_ref(), "aws4_request").as_ref())
}

/// Lower-case hexadecimal SHA-256.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(64);
    push_hex(&mut out, &sha256(bytes));
    out
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

pub(crate) fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

pub(crate) fn decode_hex(text: &str) -> Option<[u8; 32]> {
    hearth_types::Sha256::from_hex(text).map(|digest| digest.0)
}

pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// `YYYYMMDD/Region/service/aws4_request` of a credential.
pub(crate) fn scope_text(credential: &str) -> &str {
    let start = credential.rmatch_indices('/').nth(3).map_or(credential.len(), |(index, _)| index + 1);
    &credential[start..]
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or("").chars().take(100).collect()
}

fn timestamp_of(parts: &Parts) -> Option<Cow<'_, str>> {
    if let Some(value) = parts.headers.get("x-amz-date") {
        return value.to_str().ok().map(Cow::from);
    }
    let date = httpdate::parse_http_date(parts.headers.get(DATE)?.to_str().ok()?).ok()?;
    let seconds = date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds).ok().map(write_amz).map(Cow::from)
}

/// The header's values, trimmed, runs of spaces made one, joined by commas. HTTP/2 has the host in `:authority`.
fn push_header(out: &mut String, name: &str, parts: &Parts) {
    let mut first = true;
    for value in parts.headers.get_all(name) {
        if !first {
            out.push(',');
        }
        first = false;
        let text = String::from_utf8_lossy(value.as_bytes());
        for (index, word) in text.split_ascii_whitespace().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    if first && name == HOST.as_str() {
        out.push_str(authority(&parts.uri));
    }
}

fn authority(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

/// The path as it was sent, encoded once more; `normal`: without dot segments and doubled slashes.
fn canonical_path(path: &str, normal: bool) -> String {
    let mut segments: Vec<&str> = Vec::with_capacity(8);
    let path = if path.is_empty() { "/" } else { path };
    for segment in path.split('/').skip(1) {
        match segment {
            "" | "." if normal => {}
            ".." if normal => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len() + 16);
    for segment in &segments {
        out.push('/');
        push_encoded(&mut out, segment.as_bytes());
    }
    let last = path.rsplit('/').next().unwrap_or("");
    if out.is_empty() || (normal && matches!(last, "" | "." | "..") && !out.ends_with('/')) {
        out.push('/');
    }
    out
}

/// Pairs decoded, encoded in one way, sorted; without the signature itself where it travels here.
fn canonical_query(query: &str, presigned: bool) -> String {
    if query.is_empty() {
        return String::new();
    }
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| !(presigned && *name == "X-Amz-Signature"))
        .map(|(name, value)| (recode(name), recode(value)))
        .collect();
    pairs.sort_unstable();
    let mut out = String::with_capacity(query.len() + 16);
    for (index, (name, value)) in pairs.iter().enumerate() {
        let separator = if index > 0 { "&" } else { "" };
        out.extend([separator, name, "=", value]);
    }
    out
}

fn recode(text: &str) -> String {
    let spaced = text.replace('+', "%20");
    let decoded: Vec<u8> = percent_decode_str(&spaced).collect();
    let mut out = String::with_capacity(text.len());
    push_encoded(&mut out, &decoded);
    out
}

fn push_encoded(out: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
}

#[cfg(test)]
#[path = "sigv4_tests.rs"]
mod tests;
