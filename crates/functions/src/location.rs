//! Signed, short-lived URLs from which a package can be fetched.

use aws_lc_rs::{constant_time, hmac, rand};
use hearth_types::{Sha256, Timestamp};

use crate::functions::{Functions, Scope};

/// Of Code.Location (API reference, GetFunction: "valid for 10 minutes").
const VALID_MS: u64 = 10 * 60 * 1000;

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LocationError {
    #[error("the URL is not one of this endpoint")]
    Malformed,
    #[error("the URL is no longer valid")]
    Expired,
    #[error("the package is gone")]
    Gone,
}

/// Signs with a key that lives as long as the process: a restart ends the URLs.
pub(crate) struct Signer(hmac::Key);

impl Signer {
    /// `None` if the system gives no randomness.
    pub(crate) fn new() -> Option<Self> {
        let mut key = [0u8; 32];
        rand::fill(&mut key).ok()?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    fn sign(&self, code: &str, expires: u64) -> String {
        let tag = hmac::sign(&self.0, format!("{code}:{expires}").as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Functions {
    /// A URL for the package's archive: `ENDPOINT/_hearth/code/<sha256>?expires=<ms>&signature=<hex>`.
    pub fn code_location(&self, scope: Scope<'_>, code: &Sha256) -> String {
        let (code, expires) = (code.to_hex(), scope.now.as_millis() + VALID_MS);
        let signature = self.shared.signer.sign(&code, expires);
        format!("{}/_hearth/code/{code}?expires={expires}&signature={signature}", scope.endpoint)
    }

    /// The file that a URL of [`Functions::code_location`] means. `code` is its last path segment, the others its query.
    pub fn verify_code_location(
        &self,
        code: &str,
        expires: &str,
        signature: &str,
        now: Timestamp,
    ) -> Result<std::path::PathBuf, LocationError> {
        let digest = Sha256::from_hex(code).ok_or(LocationError::Malformed)?;
        let expires: u64 = expires.parse().ok().ok_or(LocationError::Malformed)?;
        let expected = self.shared.signer.sign(code, expires);
        constant_time::verify_slices_are_equal(expected.as_bytes(), signature.as_bytes())
            .ok()
            .ok_or(LocationError::Malformed)?;
        if now.as_millis() > expires {
            return Err(LocationError::Expired);
        }
        self.shared.packages.zip(&digest).ok_or(LocationError::Gone)
    }
}
