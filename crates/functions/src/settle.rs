//! Brings functions from Pending to Active and from InProgress to Successful, and removes what deleted functions left.
//!
//! Code is unpacked before a change is acknowledged, so there is nothing to wait for but the change's own commit; a
//! daemon that died in between settles at its next start.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hearth_aws_api::ApiError;
use hearth_tasks::TaskGroup;
use hearth_types::{FunctionName, Home, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::functions::{Shared, revision_id};
use crate::garbage::{of_settings, steady_time};
use crate::record::{OF_FUNCTION, Status, VersionRecord, version_key};
use hearth_store::stored;

/// Parts of deleted functions removed in one commit; each may note a package, five layers and their tree.
const SWEEP_PAGE: usize = 15;
/// Between two looks for packages that nothing refers to.
const COLLECT_EVERY: Duration = Duration::from_secs(10 * 60);
/// Until what could not be stored is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Work for the settler.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    functions: Mutex<BTreeSet<(Home, FunctionName)>>,
    deleted: Mutex<BTreeSet<(Home, u64, Timestamp)>>,
    nudge: Notify,
}

impl Unsettled {
    pub(crate) fn add(&self, home: Home, name: FunctionName) {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).insert((home, name));
        self.nudge.notify_one();
    }

    /// The function of this `uid` was deleted at `since`.
    pub(crate) fn add_deleted(&self, home: Home, uid: u64, since: Timestamp) {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner).insert((home, uid, since));
        self.nudge.notify_one();
    }
}

/// The background task; aborted when dropped.
#[derive(Debug)]
pub(crate) struct Settler(CancellationToken);

impl Drop for Settler {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Settler {
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        let shared = Arc::clone(shared);
        let stop = CancellationToken::new();
        let work = stop.clone().run_until_cancelled_owned(async move {
            let opened = steady_time();
            shared.find_unfinished().await;
            let mut collect_at = Instant::now();
            loop {
                let done = shared.settle_all().await;
                if collect_at <= Instant::now() {
                    shared.collect_garbage(opened).await;
                    collect_at = Instant::now() + COLLECT_EVERY;
                }
                let wake_at = if done { collect_at } else { Instant::now() + RETRY_AFTER };
                // Whether nudged or not, the next look finds what there is.
                let _nudged = tokio::time::timeout_at(wake_at, shared.unsettled.nudge.notified()).await.is_ok();
            }
        });
        TaskGroup::default().system("settling", async move {
            let _stopped = work.await;
        });
        Self(stop)
    }
}

impl Shared {
    async fn find_unfinished(&self) {
        for account in self.all_accounts() {
            for function in account.functions().values().filter(|function| function.is_unsettled()) {
                self.unsettled.add(account.home.clone(), function.records.name.clone());
            }
            if let Err(error) = self.find_orphans(&account).await {
                tracing::warn!(account = %account.home, %error, "cannot look for what deleted functions left");
            }
        }
    }

    async fn find_orphans(&self, account: &Account) -> Result<(), hearth_store::ReadError> {
        if account.aside().is_any() {
            // Whose parts they are is not known.
            return Ok(());
        }
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
                    // Before this daemon started, at any rate.
                    self.unsettled.add_deleted(account.home.clone(), uid, Timestamp::from_millis(0));
                }
                // '0' is the byte behind '/': on to the next function.
                after = Some(format!("{prefix}{uid:020}0"));
            }
        }
        Ok(())
    }

    /// Returns whether nothing is left to do.
    async fn settle_all(&self) -> bool {
        let mut done = true;
        let functions = std::mem::take(&mut *self.unsettled.functions.lock().unwrap_or_else(PoisonError::into_inner));
        for (home, name) in functions {
            if let Err(error) = self.settle(&self.account(&home), &name).await {
                tracing::error!(account = %home, function = %name, %error, "cannot settle a function");
                self.unsettled.functions.lock().unwrap_or_else(PoisonError::into_inner).insert((home, name));
                done = false;
            }
        }
        let deleted = std::mem::take(&mut *self.unsettled.deleted.lock().unwrap_or_else(PoisonError::into_inner));
        for (home, uid, since) in deleted {
            if let Err(error) = self.sweep(&self.account(&home), uid, since).await {
                tracing::error!(account = %home, %error, "cannot remove what a deleted function left");
                self.unsettled.deleted.lock().unwrap_or_else(PoisonError::into_inner).insert((home, uid, since));
                done = false;
            }
        }
        done
    }

    async fn settle(&self, account: &Account, name: &FunctionName) -> Result<(), ApiError> {
        let mut change = self.change(account).await?;
        let Some(function) = account.find(name) else { return Ok(()) };
        let mut records = function.records.clone();
        let uid = records.function.uid;
        for (number, version) in &mut records.versions {
            if version.status == Status::Creating {
                let version = Arc::make_mut(version);
                version.status = Status::Active;
                version.revision_id = revision_id();
                change.put(version_key(uid, *number), &*version)?;
            }
        }
        if records.function.latest.status != Status::Active {
            records.function.latest.status = Status::Active;
            records.function.latest.revision_id = revision_id();
        }
        change.commit_function(records).await.map(drop)
    }

    async fn sweep(&self, account: &Account, uid: u64, since: Timestamp) -> Result<(), ApiError> {
        for kind in OF_FUNCTION {
            loop {
                let mut change = self.change(account).await?;
                // What looked like an orphan may have been a function in the making.
                if account.functions().values().any(|function| function.records.function.uid == uid) {
                    return Ok(());
                }
                let prefix = format!("{kind}/{uid:020}/");
                let page = self.store.list(&account.partition, &prefix, None, SWEEP_PAGE).await;
                let page = page.map_err(|error| ApiError::service(error.to_string()))?;
                if page.is_empty() {
                    break;
                }
                for entry in page {
                    if let Ok(version) = stored::decode::<VersionRecord>(&entry.value) {
                        of_settings(&version.settings).try_for_each(|stored| change.drop_stored(stored, since))?;
                    }
                    change.delete(entry.key);
                }
                change.commit().await?;
            }
        }
        Ok(())
    }
}
