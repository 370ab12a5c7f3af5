//! Identities: roles, policies and the sessions issued for them.

pub mod session;

use std::sync::Arc;

use bytes::Bytes;
use hearth_engine::port::SessionCredentials;
use hearth_store::{CommitError, Precondition, ReadError, Store, Write};
use hearth_types::{AccountId, FunctionName, Timestamp};

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
    #[error("the stored session key is not 32 bytes long")]
    Malformed,
    #[error("the system gave no randomness")]
    Random,
}

/// Roles, policies and sessions of all accounts.
#[derive(Debug)]
pub struct Iam {
    sessions: Sessions,
}

impl Iam {
    /// Finds the session key in the store, or makes it.
    pub async fn open(store: Arc<dyn Store>) -> Result<Self, OpenError> {
        let sessions = Sessions::new(&master_key(&*store).await?);
        Ok(Self { sessions })
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
        let principal = session::role_session_arn(account, role_arn, function.as_str());
        let user_id = format!("{}:{function}", session::derived_id("AROA", role_arn));
        self.sessions.issue(account.clone(), principal, user_id, expires_at, random())
    }
}

/// Random bytes for an id.
fn random() -> [u8; 10] {
    let mut bytes = [0u8; 10];
    aws_lc_rs::rand::fill(&mut bytes).expect("the generator was seeded when the session key was made or read");
    bytes
}

async fn master_key(store: &dyn Store) -> Result<[u8; 32], OpenError> {
    loop {
        if let Some(entry) = store.get(KEY_PARTITION, MASTER_KEY).await.map_err(OpenError::Read)? {
            return entry.value.as_ref().try_into().ok().ok_or(OpenError::Malformed);
        }
        let mut key = [0u8; 32];
        aws_lc_rs::rand::fill(&mut key).ok().ok_or(OpenError::Random)?;
        let absent = Precondition::Absent { key: MASTER_KEY.to_owned() };
        let put = Write::Put { key: MASTER_KEY.to_owned(), value: Bytes::copy_from_slice(&key) };
        match store.commit(KEY_PARTITION, vec![absent], vec![put]).await {
            Ok(_) => return Ok(key),
            Err(CommitError::Precondition { .. }) => {}
            Err(error) => return Err(OpenError::Write(error)),
        }
    }
}
