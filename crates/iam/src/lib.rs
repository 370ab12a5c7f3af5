//! Who may do what: access keys and accounts, roles, policies, and the sessions issued for them.

pub mod access;
mod assume;
mod document;
mod entity;
mod error;
pub mod evaluator;
mod held;
mod identity;
mod managed;
mod pass_role;
mod policy;
mod record;
mod role;
pub mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use evaluator::PolicyCache;
use hearth_engine::port::SessionCredentials;
use hearth_store::{CommitError, Precondition, ReadError, Store, Write};
use hearth_types::{AccountId, FunctionName, Timestamp};

pub use assume::{Assumed, Assumption};
pub use error::IamError;
pub use identity::Identity;
pub use pass_role::{Passing, RoleProblem};
pub use policy::NewPolicy;
pub use record::{Policy, PolicyVersion, Role};
pub use role::{NewRole, RoleUpdate};
pub use session::{SessionClaims, SessionError, Sessions};

/// Where the key of all sessions lies.
const KEY_PARTITION: &str = "iam";
const MASTER_KEY: &str = "session-key";

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot read the session key")]
    Read(#[source] ReadError),
    #[error("cannot write the session key")]
    Write(#[source] CommitError),
    #[error("the system gave no randomness")]
    Random,
}

/// Roles, policies and sessions of all accounts.
#[derive(Debug)]
pub struct Iam {
    store: Arc<dyn Store>,
    sessions: Sessions,
    policies: PolicyCache,
    identities: identity::Identities,
}

/// Credentials and whose they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssuedSession {
    pub credentials: SessionCredentials,
    pub principal_arn: String,
    pub user_id: String,
    pub expires_at: Timestamp,
}

impl Iam {
    /// Finds the session key in the store, or makes it.
    pub async fn open(store: Arc<dyn Store>) -> Result<Self, OpenError> {
        let sessions = Sessions::new(&master_key(&*store).await?);
        Ok(Self { store, sessions, policies: PolicyCache::default(), identities: identity::Identities::default() })
    }

    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Credentials for one sandbox of a function: a session of its role, named after the function.
    pub fn function_session(
        &self,
        account: &AccountId,
        role_arn: &str,
        function: &FunctionName,
        expires_at: Timestamp,
    ) -> SessionCredentials {
        let session = session::function_session_name(function);
        let principal = session::role_session_arn(account, role_arn, &session);
        let user_id = format!("{}:{session}", session::derived_id("AROA", role_arn));
        self.issue(account, principal, user_id, expires_at, 0).credentials
    }

    /// A session of the caller's own.
    pub fn session_token(
        &self,
        account: &AccountId,
        principal_arn: &str,
        user_id: &str,
        expires_at: Timestamp,
        token_bytes_min: usize,
    ) -> IssuedSession {
        self.issue(account, principal_arn.to_owned(), user_id.to_owned(), expires_at, token_bytes_min)
    }

    fn issue(
        &self,
        account: &AccountId,
        principal_arn: String,
        user_id: String,
        expires_at: Timestamp,
        token_bytes_min: usize,
    ) -> IssuedSession {
        let (principal, user) = (principal_arn.clone(), user_id.clone());
        let credentials = self.sessions.issue(account.clone(), principal, user, expires_at, random(), token_bytes_min);
        IssuedSession { credentials, principal_arn, user_id, expires_at }
    }
}

/// Random bytes for an id.
fn random() -> [u8; 10] {
    let mut bytes = [0u8; 10];
    aws_lc_rs::rand::fill(&mut bytes).expect("aws-lc aborts the process before it fails here");
    bytes
}

/// One that is damaged is replaced: sessions that were issued with it are refused from then on.
async fn master_key(store: &dyn Store) -> Result<[u8; 32], OpenError> {
    loop {
        let entry = store.get(KEY_PARTITION, MASTER_KEY).await.map_err(OpenError::Read)?;
        let condition = match entry {
            None => Precondition::Absent { key: MASTER_KEY.to_owned() },
            Some(entry) => {
                if let Ok(key) = entry.value.as_ref().try_into() {
                    return Ok(key);
                }
                tracing::error!(
                    "the key of sessions is damaged and made anew: sessions that were issued before are refused"
                );
                Precondition::AtRevision { key: MASTER_KEY.to_owned(), revision: entry.revision }
            }
        };
        let mut key = [0u8; 32];
        aws_lc_rs::rand::fill(&mut key).ok().ok_or(OpenError::Random)?;
        let put = Write::Put { key: MASTER_KEY.to_owned(), value: Bytes::copy_from_slice(&key) };
        match store.commit(KEY_PARTITION, vec![condition], vec![put]).await {
            Ok(_) => return Ok(key),
            Err(CommitError::Precondition { .. }) => {}
            Err(error) => return Err(OpenError::Write(error)),
        }
    }
}
