//! Who is asking: signatures checked against access keys, or any credentials taken where that is safe.

pub mod chunked;
pub mod sigv4;
mod time;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac;
use bytes::Bytes;
use hearth_iam::access::{Access, AccessKey, Owner};
use hearth_iam::{SessionClaims, SessionError, Sessions};
use hearth_types::{AccountId, Region, Timestamp};
use http::request::Parts;

use chunked::Chunking;
use sigv4::{Claim, Scope, SignatureError, decode_hex};

/// Derived signing keys that are remembered; forgotten all at once beyond that.
const CACHED_KEYS_MAX: usize = 1024;

/// The address would let anybody in who can reach it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{address} is not a loopback address: configure at least one access key, or listen on 127.0.0.1")]
pub struct ExposureError {
    pub address: SocketAddr,
}

/// Whether Hearth may listen on `address` with so many access keys configured.
pub fn check_exposure(address: SocketAddr, keys: usize) -> Result<(), ExposureError> {
    if keys > 0 || address.ip().to_canonical().is_loopback() { Ok(()) } else { Err(ExposureError { address }) }
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    pub account: AccountId,
    pub arn: String,
    /// As `GetCallerIdentity` shows it.
    pub user_id: String,
    pub rights: Rights,
}

/// What somebody may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rights {
    /// What concerns the account alone.
    Account,
    /// To manage the daemon. There is no account to it.
    Operator,
    /// Both: there are no keys, and whoever reaches the daemon is trusted.
    Everything,
}

impl Principal {
    /// The account itself.
    pub fn root(account: AccountId) -> Self {
        let arn = format!("arn:aws:iam::{account}:root");
        Self { arn, user_id: account.to_string(), account, rights: Rights::Account }
    }

    /// Whoever comes where there are no keys.
    fn trusted(account: AccountId) -> Self {
        Self { rights: Rights::Everything, ..Self::root(account) }
    }

    /// Whether it is an account itself, not a session of one of its roles.
    pub fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }
}

/// Why a request is not let in.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthError {
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("the access key or session token is unknown")]
    UnknownKey,
    #[error("the session token has expired")]
    ExpiredToken,
    #[error("account {0} is disabled")]
    Disabled(AccountId),
    #[error("an operator's key has no account")]
    NoAccount,
    #[error("the signature is for {signed:?}, which is no Region's name")]
    Region { signed: String },
}

/// Lets requests in.
#[derive(Debug)]
pub struct Authenticator {
    access: Arc<Access>,
    /// Who asks where any credentials pass and name no account.
    default: Arc<Principal>,
    cache: RwLock<HashMap<String, Arc<Signer>>>,
}

/// A credential scope that has signed a valid request.
struct Signer {
    key: hmac::Key,
    principal: Arc<Principal>,
    region: Region,
    credentials: Credentials,
}

enum Credentials {
    Key(Arc<AccessKey>),
    Session { token: String, ends: Timestamp },
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// A request whose head is accepted; [`Authenticator::accept_body`] does the rest.
#[derive(Debug)]
pub struct Admission<'a> {
    pub principal: Arc<Principal>,
    /// What it is signed for; `None` if it is not signed. Services that are the same everywhere do not look at it.
    pub region: Option<Region>,
    signed: Option<(Claim<'a>, Arc<Signer>)>,
    /// The signature is checked already: the head says what the body's hash is.
    verified: bool,
}

impl<'a> Admission<'a> {
    /// For whom the channel vouches, not a signature.
    pub fn trusted(principal: Arc<Principal>) -> Self {
        Self { principal, region: None, signed: None, verified: true }
    }

    /// For the Region that the request names, whoever signed it.
    pub fn asking(self, parts: &Parts) -> Result<Self, AuthError> {
        let region = credential_of(parts).map(|credential| region_of(&credential)).transpose()?.flatten();
        Ok(Self { region, ..self })
    }

    /// The access key that an unproven request names; `None` once it is proven who asks.
    pub fn claimed_key(&self) -> Option<&str> {
        let (claim, _) = self.signed.as_ref().filter(|_| !self.verified)?;
        Some(claim.credential.split('/').next().unwrap_or(&claim.credential))
    }

    /// Whether the body's hash counts.
    pub fn wants_hash(&self, parts: &Parts) -> bool {
        self.signed.is_some() && payload_of(parts).is_none_or(|payload| decode_hex(payload).is_some())
    }
}

/// What the head says of the body: its hash, or a word for one that is not signed or comes in signed chunks.
fn payload_of(parts: &Parts) -> Option<&str> {
    parts.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok())
}

impl Authenticator {
    /// Without keys any credentials pass.
    pub fn new(access: Arc<Access>, default_account: AccountId) -> Self {
        let default = Arc::new(Principal::trusted(default_account));
        Self { access, default, cache: RwLock::default() }
    }

    /// Checks all that can be checked without the body: an unknown caller is refused before it is read.
    pub fn admit<'a>(&self, parts: &'a Parts, sessions: &Sessions, now: Timestamp) -> Result<Admission<'a>, AuthError> {
        if !self.access.is_guarded() {
            return Admission::trusted(self.anybody(parts, sessions, now)?).asking(parts);
        }
        let claim = Claim::of(parts)?;
        let signer = match self.cached(&claim, now) {
            Some(signer) => signer,
            None => Arc::new(self.signer(&claim, sessions, now)?),
        };
        claim.check_time(i64::try_from(now.as_millis() / 1000).unwrap_or(i64::MAX))?;
        let payload = payload_of(parts);
        if let Some(payload) = payload {
            claim.verify(parts, payload, &signer.key)?;
            self.remember(&claim, &signer);
        }
        let (principal, region) = (signer.principal.clone(), Some(signer.region.clone()));
        Ok(Admission { principal, region, signed: Some((claim, signer)), verified: payload.is_some() })
    }

    /// Checks the signature over head and body, whose `hash` is known where [`Admission::wants_hash`] asked for it, and gives the
    /// body as it was before it was chunked.
    pub fn accept_body(
        &self,
        admission: &Admission<'_>,
        parts: &Parts,
        body: Bytes,
        hash: Option<[u8; 32]>,
    ) -> Result<Bytes, AuthError> {
        let payload = payload_of(parts);
        let chunking = payload.and_then(Chunking::of);
        let Some((claim, signer)) = &admission.signed else {
            return match chunking {
                Some(chunking) => Ok(chunked::decode(&body, chunking, None)?.into()),
                None => Ok(body),
            };
        };
        let hash = || hash.unwrap_or_else(|| sigv4::sha256(&body));
        if !admission.verified {
            let mut payload = String::with_capacity(64);
            sigv4::push_hex(&mut payload, &hash());
            claim.verify(parts, &payload, &signer.key)?;
            self.remember(claim, signer);
        }
        match (payload, chunking) {
            (_, Some(chunking)) => Ok(chunked::decode(&body, chunking, Some((claim, &signer.key)))?.into()),
            (None | Some("UNSIGNED-PAYLOAD"), None) => Ok(body),
            (Some(claimed), None) => {
                let claimed = decode_hex(claimed).ok_or(SignatureError::Body)?;
                if sigv4::equal(&hash(), &claimed) { Ok(body) } else { Err(SignatureError::Body.into()) }
            }
        }
    }

    /// Without keys: a session of ours is that session, a twelve-digit key id is the account, the rest is the default.
    fn anybody(&self, parts: &Parts, sessions: &Sessions, now: Timestamp) -> Result<Arc<Principal>, AuthError> {
        let Some(credential) = credential_of(parts) else { return Ok(self.default.clone()) };
        let id = credential.split('/').next().unwrap_or(&credential);
        if id.starts_with("ASIA")
            && let Some(token) = parts.headers.get("x-amz-security-token").and_then(|token| token.to_str().ok())
        {
            match sessions.open(id, token, now) {
                Ok((claims, _)) => {
                    let principal = principal_of(claims);
                    let rights = if principal.is_root() { Rights::Everything } else { Rights::Account };
                    return Ok(Arc::new(Principal { rights, ..principal }));
                }
                Err(SessionError::Expired) => return Err(AuthError::ExpiredToken),
                Err(SessionError::Invalid) => {}
            }
        }
        match id.parse::<AccountId>() {
            Ok(account) if account != self.default.account => Ok(Arc::new(Principal::trusted(account))),
            _ => Ok(self.default.clone()),
        }
    }

    fn cached(&self, claim: &Claim<'_>, now: Timestamp) -> Option<Arc<Signer>> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let signer = cache.get(&*claim.credential)?;
        let usable = match &signer.credentials {
            Credentials::Key(key) => self.access.holds(key, now),
            Credentials::Session { token, ends } => {
                *ends > now
                    && claim.session_token.as_ref().is_some_and(|sent| sigv4::equal(sent.as_bytes(), token.as_bytes()))
            }
        };
        usable.then(|| signer.clone())
    }

    fn remember(&self, claim: &Claim<'_>, signer: &Arc<Signer>) {
        let known = |cache: &HashMap<String, Arc<Signer>>| {
            cache.get(&*claim.credential).is_some_and(|cached| Arc::ptr_eq(cached, signer))
        };
        if known(&self.cache.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED_KEYS_MAX {
            cache.clear();
        }
        cache.insert(claim.credential.to_string(), signer.clone());
    }

    fn signer(&self, claim: &Claim<'_>, sessions: &Sessions, now: Timestamp) -> Result<Signer, AuthError> {
        let scope: Scope<'_> = claim.scope()?;
        let region = parse_region(&scope)?;
        if let Some(key) = self.access.key(scope.access_key_id, now) {
            return Ok(Signer {
                key: sigv4::signing_key(&key.secret, &scope),
                principal: Arc::new(self.principal(&key)),
                region,
                credentials: Credentials::Key(key),
            });
        }
        let token = claim.session_token.as_deref().ok_or(AuthError::UnknownKey)?;
        match sessions.open(scope.access_key_id, token, now) {
            Ok((claims, secret)) => Ok(Signer {
                key: sigv4::signing_key(&secret, &scope),
                credentials: Credentials::Session { token: token.to_owned(), ends: claims.expires_at },
                principal: Arc::new(principal_of(claims)),
                region,
            }),
            Err(SessionError::Expired) => Err(AuthError::ExpiredToken),
            Err(SessionError::Invalid) => Err(AuthError::UnknownKey),
        }
    }

    fn principal(&self, key: &AccessKey) -> Principal {
        match &key.owner {
            Owner::Account(account) => Principal::root(account.clone()),
            Owner::Operator => Principal {
                account: self.default.account.clone(),
                arn: format!("operator/{}", key.id),
                user_id: key.id.clone(),
                rights: Rights::Operator,
            },
        }
    }
}

/// The credential that a request names, whether or not the rest of its signature is readable.
fn credential_of(parts: &Parts) -> Option<Cow<'_, str>> {
    if let Some(credential) = sigv4::peek_credential(parts) {
        return Some(credential.into());
    }
    parts.uri.query().filter(|query| query.contains("X-Amz-Credential="))?;
    Claim::of(parts).ok().map(|claim| claim.credential)
}

/// The Region of a credential; `None` where it has no scope.
fn region_of(credential: &str) -> Result<Option<Region>, AuthError> {
    Scope::parse(credential).as_ref().map(parse_region).transpose()
}

fn parse_region(scope: &Scope<'_>) -> Result<Region, AuthError> {
    scope.region.parse().ok().ok_or_else(|| AuthError::Region { signed: scope.region.chars().take(64).collect() })
}

fn principal_of(claims: SessionClaims) -> Principal {
    let SessionClaims { account, principal_arn, user_id, .. } = claims;
    Principal { account, arn: principal_arn, user_id, rights: Rights::Account }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
