//! Who may ask: access keys of accounts, keys of operators, and accounts that are disabled.
//!
//! Keys of the configuration file are there as it says. Those made by command lie in the store, their secrets sealed, and hold from
//! the answer on. An operator's key manages the daemon and has no account; an account's key never manages.

mod record;
mod seal;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearth_store::{Store, Write};
use hearth_types::{AccountId, Timestamp};

use crate::session::unique_id;
use record::{AccountRecord, KeyRecord, PARTITION, account_key, key_key};
use seal::Sealing;

/// Keys that are made by command, of all accounts.
const KEYS_MAX: usize = 10_000;
const ACCOUNTS_MAX: usize = 10_000;
const NAME_CHARS_MAX: usize = 128;
/// Longest time for which a key goes on beside its successor.
const KEEP_MAX: Duration = Duration::from_secs(90 * 24 * 3600);

/// Whom a key stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owner {
    Account(AccountId),
    /// Manages the daemon; has no functions.
    Operator,
}

/// An access key.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
    pub owner: Owner,
    /// What it is for, in its maker's words.
    pub name: Option<String>,
    /// `None`: it is in the configuration file.
    pub created_at: Option<Timestamp>,
    /// From then on it is refused.
    pub expires_at: Option<Timestamp>,
}

impl AccessKey {
    /// Of the configuration file.
    pub fn configured(id: String, secret: String, owner: Owner) -> Self {
        Self { id, secret, owner, name: None, created_at: None, expires_at: None }
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// An account that was made by command, is disabled, or has a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountEntry {
    pub account: AccountId,
    pub name: Option<String>,
    pub disabled: bool,
    pub keys: usize,
}

/// Why keys or accounts are not changed. The messages are for operators and say what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccessError {
    #[error("{0}")]
    Invalid(String),
    #[error("there is no {what} {name:?}")]
    NotFound { what: &'static str, name: String },
    #[error("{0}")]
    Conflict(String),
    #[error("the change could not be stored: try again")]
    Store,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read the access keys")]
pub struct OpenError(#[source] hearth_store::ReadError);

/// All keys and accounts. Cheap to read.
#[derive(Debug)]
pub struct Access {
    store: Arc<dyn Store>,
    sealing: Sealing,
    table: ArcSwap<Table>,
    /// Held over each change.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    keys: HashMap<String, Arc<AccessKey>>,
    accounts: BTreeMap<AccountId, AccountRecord>,
}

impl Table {
    fn has_account(&self, account: &AccountId) -> bool {
        self.accounts.contains_key(account)
            || self.keys.values().any(|key| matches!(&key.owner, Owner::Account(owner) if owner == account))
    }
}

impl Access {
    /// `configured` keys beside those in the store, which `master` seals.
    pub async fn open(store: Arc<dyn Store>, master: &[u8; 32], configured: Vec<AccessKey>) -> Result<Self, OpenError> {
        let sealing = Sealing::new(master);
        let mut table = record::load(&*store, &sealing).await.map_err(OpenError)?;
        table.keys.extend(configured.into_iter().map(|key| (key.id.clone(), Arc::new(key))));
        Ok(Self { store, sealing, table: ArcSwap::from_pointee(table), writing: tokio::sync::Mutex::default() })
    }

    /// Whether requests must be signed with a key. Without any, whoever reaches the daemon is trusted.
    pub fn is_guarded(&self) -> bool {
        !self.table.load().keys.is_empty()
    }

    pub fn has_operator(&self) -> bool {
        operators(&self.table.load()) > 0
    }

    /// The key of this id that holds now.
    pub fn key(&self, id: &str, now: Timestamp) -> Option<Arc<AccessKey>> {
        self.table.load().keys.get(id).filter(|key| !key.is_expired(now)).cloned()
    }

    /// Whether this key still is what it was.
    pub fn holds(&self, key: &Arc<AccessKey>, now: Timestamp) -> bool {
        self.table.load().keys.get(&key.id).is_some_and(|known| Arc::ptr_eq(known, key) && !known.is_expired(now))
    }

    pub fn is_disabled(&self, account: &AccountId) -> bool {
        self.table.load().accounts.get(account).is_some_and(|record| record.disabled)
    }

    /// All keys in the order of their ids; `of`: of this owner alone.
    pub fn keys(&self, of: Option<&Owner>) -> Vec<Arc<AccessKey>> {
        let table = self.table.load();
        let mut keys: Vec<_> =
            table.keys.values().filter(|key| of.is_none_or(|owner| key.owner == *owner)).cloned().collect();
        keys.sort_by(|one, other| one.id.cmp(&other.id));
        keys
    }

    /// All accounts that are known here, in the order of their numbers.
    pub fn accounts(&self) -> Vec<AccountEntry> {
        let table = self.table.load();
        let entry = |(account, record): (&AccountId, &AccountRecord)| {
            let (name, disabled) = (record.name.clone(), record.disabled);
            (account.clone(), AccountEntry { account: account.clone(), name, disabled, keys: 0 })
        };
        let mut entries: BTreeMap<AccountId, AccountEntry> = table.accounts.iter().map(entry).collect();
        for key in table.keys.values() {
            if let Owner::Account(account) = &key.owner {
                let bare = AccountEntry { account: account.clone(), name: None, disabled: false, keys: 0 };
                entries.entry(account.clone()).or_insert(bare).keys += 1;
            }
        }
        entries.into_values().collect()
    }

    pub fn account(&self, account: &str) -> Result<AccountEntry, AccessError> {
        let found = self.accounts().into_iter().find(|entry| entry.account.as_str() == account);
        found.ok_or_else(|| AccessError::NotFound { what: "account", name: account.to_owned() })
    }

    /// A new key, with the only sight of its secret. It is stored when this returns, and holds.
    pub async fn create_key(
        &self,
        owner: Owner,
        name: Option<String>,
        now: Timestamp,
    ) -> Result<Arc<AccessKey>, AccessError> {
        let _one_after_the_other = self.writing.lock().await;
        let table = self.table.load_full();
        self.check_guarded()?;
        check_name(name.as_deref())?;
        if let Owner::Account(account) = &owner
            && !table.has_account(account)
        {
            return Err(AccessError::Invalid(format!(
                "there is no account {account}: make it first, with `hearth account create {account}`"
            )));
        }
        if table.keys.len() >= KEYS_MAX {
            return Err(AccessError::Conflict(format!("there can be at most {KEYS_MAX} keys: delete some first")));
        }
        let key = Arc::new(fresh(owner, name, now));
        self.commit(vec![self.written(&key)], |table| {
            table.keys.insert(key.id.clone(), Arc::clone(&key));
        })
        .await?;
        Ok(key)
    }

    /// A new key in the place of this one, which goes on for `keep`.
    pub async fn rotate_key(
        &self,
        id: &str,
        keep: Duration,
        now: Timestamp,
    ) -> Result<(Arc<AccessKey>, Arc<AccessKey>), AccessError> {
        let _one_after_the_other = self.writing.lock().await;
        let old = self.changeable(id, now)?;
        if keep > KEEP_MAX {
            return Err(AccessError::Invalid("the old key can go on for at most 90 days".to_owned()));
        }
        if old.expires_at.is_some() {
            return Err(AccessError::Conflict(format!("key {id} was replaced already: rotate its successor")));
        }
        let key = Arc::new(fresh(old.owner.clone(), old.name.clone(), now));
        let old = Arc::new(AccessKey { expires_at: Some(now + keep), ..(*old).clone() });
        self.commit(vec![self.written(&key), self.written(&old)], |table| {
            for key in [&key, &old] {
                table.keys.insert(key.id.clone(), Arc::clone(key));
            }
        })
        .await?;
        Ok((key, old))
    }

    /// The key is refused from the answer on.
    pub async fn delete_key(&self, id: &str, now: Timestamp) -> Result<(), AccessError> {
        let _one_after_the_other = self.writing.lock().await;
        let key = self.changeable(id, now)?;
        let last = key.owner == Owner::Operator && key.expires_at.is_none() && operators(&self.table.load()) == 1;
        if last {
            return Err(AccessError::Conflict(format!(
                "key {id} is the last of an operator: nobody could make another. Make that one first"
            )));
        }
        self.commit(vec![Write::Delete { key: key_key(id) }], |table| {
            table.keys.remove(id);
        })
        .await
    }

    /// A new account; without a number, one that nobody has.
    pub async fn create_account(
        &self,
        account: Option<AccountId>,
        name: Option<String>,
        now: Timestamp,
    ) -> Result<AccountEntry, AccessError> {
        let _one_after_the_other = self.writing.lock().await;
        check_name(name.as_deref())?;
        let table = self.table.load_full();
        if table.accounts.len() >= ACCOUNTS_MAX {
            return Err(AccessError::Conflict(format!("there can be at most {ACCOUNTS_MAX} accounts")));
        }
        let account = match account {
            Some(account) if table.accounts.contains_key(&account) => {
                return Err(AccessError::Conflict(format!("account {account} is there already")));
            }
            Some(account) => account,
            None => unused_number(&table),
        };
        let record = AccountRecord { name, disabled: false, created_at: now };
        self.put_account(&account, record).await?;
        self.account(account.as_str())
    }

    /// Disabled: its keys, its roles' sessions and its functions' own calls are refused from the answer on.
    pub async fn set_disabled(
        &self,
        account: &str,
        disabled: bool,
        now: Timestamp,
    ) -> Result<AccountEntry, AccessError> {
        let _one_after_the_other = self.writing.lock().await;
        let entry = self.account(account)?;
        let known = self.table.load().accounts.get(&entry.account).cloned();
        let record = known.unwrap_or(AccountRecord { name: None, disabled, created_at: now });
        self.put_account(&entry.account, AccountRecord { disabled, ..record }).await?;
        self.account(account)
    }

    async fn put_account(&self, account: &AccountId, record: AccountRecord) -> Result<(), AccessError> {
        let write = Write::Put { key: account_key(account), value: record::encoded(&record) };
        self.commit(vec![write], |table| {
            table.accounts.insert(account.clone(), record);
        })
        .await
    }

    /// Keys made by command would otherwise lock out everybody who came without one.
    fn check_guarded(&self) -> Result<(), AccessError> {
        if self.is_guarded() {
            return Ok(());
        }
        Err(AccessError::Conflict(
            "this daemon has no keys, so it takes any credentials and a key would mean nothing: put an [[operator_keys]] \
             into the configuration and restart it first"
                .to_owned(),
        ))
    }

    fn changeable(&self, id: &str, now: Timestamp) -> Result<Arc<AccessKey>, AccessError> {
        let table = self.table.load();
        let missing = || AccessError::NotFound { what: "key", name: id.to_owned() };
        let key = table.keys.get(id).filter(|key| !key.is_expired(now)).ok_or_else(missing)?;
        match key.created_at {
            Some(_) => Ok(Arc::clone(key)),
            None => Err(AccessError::Conflict(format!("key {id} is in the configuration file: change it there"))),
        }
    }

    fn written(&self, key: &AccessKey) -> Write {
        Write::Put { key: key_key(&key.id), value: record::encoded(&KeyRecord::of(key, &self.sealing)) }
    }

    /// The caller holds the writing lock.
    async fn commit(&self, writes: Vec<Write>, change: impl FnOnce(&mut Table)) -> Result<(), AccessError> {
        self.store.commit(PARTITION, Vec::new(), writes).await.map_err(|error| {
            tracing::error!(%error, "a change of keys or accounts could not be stored");
            AccessError::Store
        })?;
        let mut table = (*self.table.load_full()).clone();
        change(&mut table);
        self.table.store(Arc::new(table));
        Ok(())
    }
}

/// Operators' keys that hold for good.
fn operators(table: &Table) -> usize {
    table.keys.values().filter(|key| key.owner == Owner::Operator && key.expires_at.is_none()).count()
}

fn check_name(name: Option<&str>) -> Result<(), AccessError> {
    match name {
        Some(name) if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) => {
            Err(AccessError::Invalid(format!("a name has at most {NAME_CHARS_MAX} characters and none that controls")))
        }
        Some(_) | None => Ok(()),
    }
}

fn fresh(owner: Owner, name: Option<String>, now: Timestamp) -> AccessKey {
    let prefix = if owner == Owner::Operator { "OPER" } else { "AKIA" };
    AccessKey {
        id: unique_id(prefix, random()),
        secret: STANDARD.encode(random::<30>()),
        owner,
        name,
        created_at: Some(now),
        expires_at: None,
    }
}

fn unused_number(table: &Table) -> AccountId {
    loop {
        let number = 100_000_000_000 + u64::from_le_bytes(random()) % 900_000_000_000;
        let account: AccountId = number.to_string().parse().expect("twelve digits");
        if !table.has_account(&account) {
            return account;
        }
    }
}

fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).expect("aws-lc aborts the process before it fails here");
    bytes
}
