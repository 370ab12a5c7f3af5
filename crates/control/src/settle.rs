//! Brings functions from Pending to Active and from InProgress to Successful, and removes what deleted functions left.
//!
//! Code is unpacked before a change is acknowledged, so there is nothing to wait for but the change's own commit; a
//! daemon that died in between settles at its next start.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use hearth_aws_api::ApiError;
use hearth_types::{AccountId, FunctionName};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::account::Account;
use crate::control::{Shared, revision_id};
use crate::record::{OF_FUNCTION, Status, version_key};

/// Parts of deleted functions removed in one commit.
const SWEEP_PAGE: usize = 100;

/// Work for the settler.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    functions: Mutex<BTreeSet<(AccountId, FunctionName)>>,
    deleted: Mutex<BTreeSet<(AccountId, u64)>>,
    nudge: Notify,
}

impl Unsettled {
    pub(crate) fn add(&self, account: AccountId, name: FunctionName) {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).insert((account, name));
        self.nudge.notify_one();
    }

    /// The function of this `uid` was deleted.
    pub(crate) fn add_deleted(&self, account: AccountId, uid: u64) {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner).insert((account, uid));
        self.nudge.notify_one();
    }
}

/// The background task; aborted when dropped.
#[derive(Debug)]
pub(crate) struct Settler(JoinHandle<()>);

impl Drop for Settler {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Settler {
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        let shared = Arc::clone(shared);
        Self(tokio::spawn(async move {
            shared.find_unfinished().await;
            loop {
                shared.settle_all().await;
                shared.unsettled.nudge.notified().await;
            }
        }))
    }
}

impl Shared {
    async fn find_unfinished(&self) {
        for account in self.all_accounts() {
            for function in account.functions().values().filter(|function| function.is_unsettled()) {
                self.unsettled.add(account.id.clone(), function.records.name.clone());
            }
            if let Err(error) = self.find_orphans(&account).await {
                tracing::warn!(account = %account.id, %error, "cannot look for what deleted functions left");
            }
        }
    }

    async fn find_orphans(&self, account: &Account) -> Result<(), hearth_store::ReadError> {
        let live: BTreeSet<u64> = account.functions().values().map(|function| function.records.function.uid).collect();
        for kind in OF_FUNCTION {
            let mut after: Option<String> = None;
            loop {
                let prefix = format!("{kind}/");
                let page = self.store.list(&account.partition, &prefix, after.as_deref(), 1).await?;
                let Some(entry) = page.first() else { break };
                let uid = entry.key[prefix.len()..].split('/').next().and_then(|uid| uid.parse::<u64>().ok());
                let Some(uid) = uid else { break };
                if !live.contains(&uid) {
                    self.unsettled.add_deleted(account.id.clone(), uid);
                }
                // '0' is the byte behind '/': on to the next function.
                after = Some(format!("{prefix}{uid:020}0"));
            }
        }
        Ok(())
    }

    async fn settle_all(&self) {
        let functions = std::mem::take(&mut *self.unsettled.functions.lock().unwrap_or_else(PoisonError::into_inner));
        for (account, name) in functions {
            if let Err(error) = self.settle(&self.account(&account), &name).await {
                tracing::error!(%account, function = %name, %error, "cannot settle a function");
            }
        }
        let deleted = std::mem::take(&mut *self.unsettled.deleted.lock().unwrap_or_else(PoisonError::into_inner));
        for (account, uid) in deleted {
            if let Err(error) = self.sweep(&self.account(&account), uid).await {
                tracing::error!(%account, %error, "cannot remove what a deleted function left");
            }
        }
    }

    async fn settle(&self, account: &Account, name: &FunctionName) -> Result<(), ApiError> {
        let mut change = self.change(account).await?;
        let Some(function) = account.find(name) else { return Ok(()) };
        let mut records = function.records.clone();
        let uid = records.function.uid;
        for (number, version) in &mut records.versions {
            if version.status != Status::Active {
                Arc::make_mut(version).status = Status::Active;
                change.put(version_key(uid, *number), &**version)?;
            }
        }
        if records.function.latest.status != Status::Active {
            records.function.latest.status = Status::Active;
            records.function.latest.revision_id = revision_id();
        }
        change.commit_function(records).await.map(drop)
    }

    async fn sweep(&self, account: &Account, uid: u64) -> Result<(), ApiError> {
        for kind in OF_FUNCTION {
            loop {
                let prefix = format!("{kind}/{uid:020}/");
                let page = self.store.list(&account.partition, &prefix, None, SWEEP_PAGE).await;
                let page = page.map_err(|error| ApiError::service(error.to_string()))?;
                if page.is_empty() {
                    break;
                }
                let mut change = self.change(account).await?;
                for entry in page {
                    change.delete(entry.key);
                }
                change.commit().await?;
            }
        }
        Ok(())
    }
}
