//! What is stored of keys and accounts, one JSON document each:
//! ```text
//! key/ID, account/NUMBER
//! ```

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hearth_store::{ReadError, Store};
use hearth_types::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::seal::Sealing;
use super::{AccessKey, Owner, Table};

pub(super) const PARTITION: &str = "access";
const KEYS: &str = "key/";
const ACCOUNTS: &str = "account/";
const PAGE: usize = 500;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeyRecord {
    /// `None`: an operator's.
    account: Option<AccountId>,
    name: Option<String>,
    /// Base64.
    sealed_secret: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccountRecord {
    pub(super) name: Option<String>,
    pub(super) disabled: bool,
    pub(super) created_at: Timestamp,
}

impl KeyRecord {
    pub(super) fn of(key: &AccessKey, sealing: &Sealing) -> Self {
        Self {
            account: match &key.owner {
                Owner::Account(account) => Some(account.clone()),
                Owner::Operator => None,
            },
            name: key.name.clone(),
            sealed_secret: STANDARD.encode(sealing.seal(&key.id, key.secret.as_bytes())),
            created_at: key.created_at.unwrap_or_default(),
            expires_at: key.expires_at,
        }
    }

    /// `None` if the secret does not open.
    fn opened(self, id: &str, sealing: &Sealing) -> Option<AccessKey> {
        let secret = sealing.open(id, STANDARD.decode(&self.sealed_secret).ok()?)?;
        Some(AccessKey {
            id: id.to_owned(),
            secret: String::from_utf8(secret).ok()?,
            owner: self.account.map_or(Owner::Operator, Owner::Account),
            name: self.name,
            created_at: Some(self.created_at),
            expires_at: self.expires_at,
        })
    }
}

pub(super) fn key_key(id: &str) -> String {
    format!("{KEYS}{id}")
}

pub(super) fn account_key(account: &AccountId) -> String {
    format!("{ACCOUNTS}{account}")
}

pub(super) fn encoded(record: &impl Serialize) -> Bytes {
    serde_json::to_vec(record).expect("records hold strings and numbers").into()
}

/// Everything in the store. What cannot be read is left there, is of no use meanwhile, and is no reason not to start.
pub(super) async fn load(store: &dyn Store, sealing: &Sealing) -> Result<Table, ReadError> {
    let mut table = Table::default();
    each(store, KEYS, |id, value| {
        let record = serde_json::from_slice::<KeyRecord>(value).ok();
        match record.and_then(|record| record.opened(id, sealing)) {
            Some(key) => drop(table.keys.insert(id.to_owned(), Arc::new(key))),
            None => tracing::error!(id, "an access key cannot be read, and is refused: was access.key replaced?"),
        }
    })
    .await?;
    each(store, ACCOUNTS, |number, value| match (number.parse(), serde_json::from_slice(value)) {
        (Ok(account), Ok(record)) => drop(table.accounts.insert(account, record)),
        _ => tracing::error!(number, "the record of an account cannot be read"),
    })
    .await?;
    Ok(table)
}

async fn each(store: &dyn Store, prefix: &str, mut take: impl FnMut(&str, &[u8]) + Send) -> Result<(), ReadError> {
    let mut after: Option<String> = None;
    loop {
        let page = store.list(PARTITION, prefix, after.as_deref(), PAGE).await?;
        let last = page.len() < PAGE;
        for entry in page {
            take(entry.key.strip_prefix(prefix).unwrap_or(&entry.key), &entry.value);
            after = Some(entry.key);
        }
        if last {
            return Ok(());
        }
    }
}
