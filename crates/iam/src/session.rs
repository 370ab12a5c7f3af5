//! Role sessions: expiring credentials that this daemon and its successors recognise without keeping a list of them.
//!
//! A session token is `base64(claims || HMAC-SHA256(master, claims))`; the secret access key is derived from the same
//! claims. Whoever holds the master key, which lies in the store, can check any token and recompute its secret; nobody
//! else can make one. Tokens therefore survive a restart and cost no memory.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearth_engine::port::SessionCredentials;
use hearth_types::{AccountId, FunctionName, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest token that is looked at, bytes.
const TOKEN_BYTES_MAX: usize = 4096;
/// Bytes of HMAC at the token's end.
const TAG_BYTES: usize = 32;
/// What IAM writes ids with: base32 without `0`, `1`, `8`, `9`.
const ID_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Who a session speaks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionClaims {
    /// `ASIA` and 16 characters; unique per session.
    pub access_key_id: String,
    pub account: AccountId,
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, or the principal that asked for a plain session token.
    pub principal_arn: String,
    /// `AROA...:SESSION`, as `GetCallerIdentity` shows it.
    pub user_id: String,
    pub expires_at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SessionError {
    #[error("the session token was not issued here for this access key")]
    Invalid,
    #[error("the session token has expired")]
    Expired,
}

/// Issues and recognises sessions.
pub struct Sessions {
    master: hmac::Key,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    /// `master` is 32 random bytes that stay the same for the life of the store.
    pub fn new(master: &[u8; 32]) -> Self {
        Self { master: hmac::Key::new(hmac::HMAC_SHA256, master) }
    }

    /// New credentials. `random` names the session; equal bytes give equal credentials. The token is no shorter than asked.
    pub fn issue(
        &self,
        account: AccountId,
        principal_arn: String,
        user_id: String,
        expires_at: Timestamp,
        random: [u8; 10],
        token_bytes_min: usize,
    ) -> SessionCredentials {
        let access_key_id = unique_id("ASIA", random);
        let claims = SessionClaims { access_key_id, account, principal_arn, user_id, expires_at };
        let mut body = serde_json::to_vec(&claims).expect("claims hold only strings and a number");
        // White space behind JSON means nothing. Base64 makes four bytes of three.
        let padded = (token_bytes_min.min(TOKEN_BYTES_MAX) / 4 * 3 + 3).saturating_sub(TAG_BYTES);
        if token_bytes_min > 0 && body.len() < padded {
            body.resize(padded.min(TOKEN_BYTES_MAX / 4 * 3 - TAG_BYTES), b' ');
        }
        let secret_access_key = self.secret_of(&body);
        let mut token = body;
        let tag = hmac::sign(&self.master, &token);
        token.extend_from_slice(tag.as_ref());
        SessionCredentials {
            access_key_id: claims.access_key_id,
            secret_access_key,
            session_token: STANDARD.encode(token),
        }
    }

    /// The claims of a token and the secret access key that belongs to it.
    pub fn open(
        &self,
        access_key_id: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<(SessionClaims, String), SessionError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(SessionError::Invalid);
        }
        let bytes = STANDARD.decode(token).ok().ok_or(SessionError::Invalid)?;
        let split = bytes.len().checked_sub(TAG_BYTES).ok_or(SessionError::Invalid)?;
        let (body, tag) = bytes.split_at(split);
        hmac::verify(&self.master, body, tag).ok().ok_or(SessionError::Invalid)?;
        let claims: SessionClaims = serde_json::from_slice(body).ok().ok_or(SessionError::Invalid)?;
        constant_time::verify_slices_are_equal(claims.access_key_id.as_bytes(), access_key_id.as_bytes())
            .ok()
            .ok_or(SessionError::Invalid)?;
        if claims.expires_at <= now {
            return Err(SessionError::Expired);
        }
        let secret = self.secret_of(body);
        Ok((claims, secret))
    }

    fn secret_of(&self, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.master);
        context.update(b"secret access key\0");
        context.update(body);
        STANDARD.encode(&context.sign().as_ref()[..30])
    }
}

/// An id as IAM writes it: a four-letter prefix and 16 characters for 80 random bits.
pub fn unique_id(prefix: &str, random: [u8; 10]) -> String {
    let mut bits = 0u128;
    for byte in random {
        bits = bits << 8 | u128::from(byte);
    }
    let mut id = String::with_capacity(prefix.len() + 16);
    id.push_str(prefix);
    for position in (0..16).rev() {
        let index = (bits >> (5 * position)) & 31;
        id.push(char::from(ID_ALPHABET[index as usize]));
    }
    id
}

/// The id of something that is known by its ARN alone: the same each time.
pub fn derived_id(prefix: &str, arn: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, arn.as_bytes());
    let mut bytes = [0u8; 10];
    bytes.copy_from_slice(&digest.as_ref()[..10]);
    unique_id(prefix, bytes)
}

/// What the session of a function is called. Recorded: sessions' names have two letters at least, and Lambda makes up for what the
/// function's lacks.
pub fn function_session_name(function: &FunctionName) -> String {
    match function.as_str() {
        short if short.len() < 2 => format!("{short}@lambda_function"),
        name => name.to_owned(),
    }
}

/// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`; the role's path is left out, as STS does.
pub fn role_session_arn(account: &AccountId, role_arn: &str, session: &str) -> String {
    let role = role_arn.rsplit('/').next().unwrap_or(role_arn);
    format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(sessions: &Sessions, random: u8) -> SessionCredentials {
        sessions.issue(
            "123456789012".parse().unwrap(),
            "arn:aws:sts::123456789012:assumed-role/r/s".to_owned(),
            "AROA:s".to_owned(),
            Timestamp::from_millis(1000),
            [random; 10],
            0,
        )
    }

    #[test]
    fn a_token_is_as_long_as_asked_and_still_opens() {
        let sessions = Sessions::new(&[7; 32]);
        for size in [0, 1, 500, 1001, 4093, 4096] {
            let (account, arn) = ("123456789012".parse().unwrap(), "arn:aws:iam::123456789012:root".to_owned());
            let ends = Timestamp::from_millis(1000);
            let credentials = sessions.issue(account, arn, "AROA:s".to_owned(), ends, [1; 10], size);
            let token = &credentials.session_token;
            assert!((size..=TOKEN_BYTES_MAX).contains(&token.len()), "{size}: {}", token.len());
            assert!(sessions.open(&credentials.access_key_id, token, Timestamp::from_millis(1)).is_ok(), "{size}");
        }
    }

    #[test]
    fn a_session_opens_until_it_expires_also_with_another_instance_of_the_same_key() {
        let credentials = issue(&Sessions::new(&[7; 32]), 1);
        let later = Sessions::new(&[7; 32]);
        let (claims, secret) =
            later.open(&credentials.access_key_id, &credentials.session_token, Timestamp::from_millis(999)).unwrap();
        assert_eq!(claims.principal_arn, "arn:aws:sts::123456789012:assumed-role/r/s");
        assert_eq!(secret, credentials.secret_access_key);
        assert_eq!(secret.len(), 40);
        let expired = later.open(&credentials.access_key_id, &credentials.session_token, Timestamp::from_millis(1000));
        assert_eq!(expired, Err(SessionError::Expired));
    }

    #[test]
    fn sessions_of_functions_have_names_of_two_letters_at_least() {
        let name = |function: &str| function_session_name(&function.parse().unwrap());
        assert_eq!((name("f"), name("fn")), ("f@lambda_function".to_owned(), "fn".to_owned()));
    }

    #[test]
    fn tokens_of_another_key_another_session_or_with_any_bit_changed_are_refused() {
        let sessions = Sessions::new(&[7; 32]);
        let one = issue(&sessions, 1);
        let two = issue(&sessions, 2);
        let now = Timestamp::from_millis(1);
        assert_ne!(one.secret_access_key, two.secret_access_key);
        assert!(sessions.open(&two.access_key_id, &one.session_token, now).is_err());
        assert!(Sessions::new(&[8; 32]).open(&one.access_key_id, &one.session_token, now).is_err());
        let bytes = STANDARD.decode(&one.session_token).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(sessions.open(&one.access_key_id, &STANDARD.encode(changed), now).is_err(), "byte {index}");
        }
        for token in ["", "a", "====", &"A".repeat(5000)] {
            assert!(sessions.open(&one.access_key_id, token, now).is_err());
        }
    }

    #[test]
    fn ids_look_like_those_of_iam() {
        assert_eq!(unique_id("AROA", [0; 10]), "AROAAAAAAAAAAAAAAAAA");
        assert_eq!(unique_id("ASIA", [255; 10]), "ASIA7777777777777777");
    }
}
