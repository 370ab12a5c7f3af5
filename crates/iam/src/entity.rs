//! Reading and changing one stored entity: optimistic, with the revision read as the condition of the write.

use hearth_store::{CommitError, Precondition, Revision, Store, Write};
use hearth_types::AccountId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Iam;
use crate::error::IamError;
use crate::identity::Identities;
use hearth_store::stored;

/// How often a change is tried again that lost against another.
pub(crate) const TRIES: usize = 16;
/// Entities read at once while listing.
const PAGE: usize = 100;

/// An entity and the revision it was read at.
#[derive(Debug)]
pub(crate) struct Read<T> {
    pub(crate) value: T,
    pub(crate) revision: Revision,
}

/// One account's entities.
#[derive(Debug)]
pub(crate) struct Entities<'a> {
    store: &'a dyn Store,
    identities: &'a Identities,
    partition: String,
}

impl<'a> Entities<'a> {
    pub(crate) fn of(iam: &'a Iam, account: &AccountId) -> Self {
        Self { store: &*iam.store, identities: &iam.identities, partition: format!("iam/{account}") }
    }

    pub(crate) async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Read<T>>, IamError> {
        let entry = self.store.get(&self.partition, key).await.map_err(|error| failed(&error))?;
        entry.map(|entry| Ok(Read { value: decode(&entry.value)?, revision: entry.revision })).transpose()
    }

    /// Up to `limit` entities behind `after` for which `wanted` holds, and the key of the last one if there may be more.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        prefix: &str,
        after: Option<String>,
        limit: usize,
        wanted: impl Fn(&T) -> bool + Send,
    ) -> Result<(Vec<T>, Option<String>), IamError> {
        let mut found = Vec::new();
        let mut after = after;
        loop {
            let page = self.store.list(&self.partition, prefix, after.as_deref(), PAGE).await;
            let page = page.map_err(|error| failed(&error))?;
            let last = page.len() < PAGE;
            for entry in page {
                // One that cannot be read is said so in the log, and keeps nobody from seeing the others.
                if let Ok(value) = decode::<T>(&entry.value)
                    && wanted(&value)
                {
                    if found.len() == limit {
                        return Ok((found, after));
                    }
                    found.push(value);
                }
                after = Some(entry.key);
            }
            if last {
                return Ok((found, None));
            }
        }
    }

    /// `Ok(false)`: something changed since it was read; try again.
    pub(crate) async fn commit(&self, conditions: Vec<Precondition>, writes: Vec<Write>) -> Result<bool, IamError> {
        let done = self.store.commit(&self.partition, conditions, writes).await;
        // Whether it was done or not, which an error may leave open.
        self.identities.forget();
        match done {
            Ok(_) => Ok(true),
            Err(CommitError::Precondition { .. }) => Ok(false),
            Err(CommitError::TooLarge { .. }) => {
                Err(IamError::LimitExceeded("The entity is too large to be stored".to_owned()))
            }
            Err(error) => Err(failed(&error)),
        }
    }
}

pub(crate) fn put<T: Serialize>(key: &str, value: &T) -> Write {
    let value = stored::encode(value).expect("entities hold strings, numbers and maps of strings");
    Write::Put { key: key.to_owned(), value: value.into() }
}

pub(crate) fn at(key: &str, revision: Revision) -> Precondition {
    Precondition::AtRevision { key: key.to_owned(), revision }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, IamError> {
    stored::decode(bytes).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::error::Error) -> IamError {
    tracing::error!(%error, "identities cannot be read or written");
    IamError::Store
}
