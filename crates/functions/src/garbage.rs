//! Packages that nothing refers to any more, and when they leave the disk.
//!
//! A package is noted before it is stored, because the change that will refer to it may fail, and by the commit that drops
//! the last reference to it. Sandboxes that were retired by it may still run the code, but
//! not longer than any function may run; so a noted package is removed an hour later, or at the daemon's next start, when no
//! sandbox is left. Uploading the same code again in the meantime keeps it.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use hearth_aws_api::ApiError;
use hearth_store::Entry;
use hearth_types::{Sha256, Timestamp};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::function::Records;
use crate::functions::{Change, Shared};
use crate::record::Settings;
use hearth_store::stored;

const PREFIX: &str = "garbage/";
const PAGE: usize = 50;
/// Longer than any attempt runs: 15 minutes, and what stopping takes.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// What lies on the disk: the package of one digest, or the merged tree of a list of layers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) enum Stored {
    Package(Sha256),
    Merged(Vec<Sha256>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Garbage {
    stored: Stored,
    since: Timestamp,
}

/// What a version refers to.
pub(crate) fn of_settings(settings: &Settings) -> impl Iterator<Item = Stored> {
    let layers: Vec<Sha256> = settings.layers.iter().map(|layer| layer.package.code).collect();
    let merged = (layers.len() > 1).then(|| Stored::Merged(layers.clone()));
    let codes = layers.into_iter().chain([settings.package.code]).map(Stored::Package);
    codes.chain(merged)
}

fn of_records(records: &Records) -> BTreeSet<Stored> {
    let versions = records.versions.values().map(|version| &version.settings);
    versions.chain([&records.function.latest.settings]).flat_map(of_settings).collect()
}

impl Change<'_> {
    /// Notes something that this change may have dropped the last reference to, which was last used at `since`.
    pub(crate) fn drop_stored(&mut self, stored: Stored, since: Timestamp) -> Result<(), ApiError> {
        let name = match &stored {
            Stored::Package(code) => code.to_hex(),
            Stored::Merged(layers) => layers.iter().map(|layer| layer.to_hex()[..16].to_owned()).collect(),
        };
        self.put(format!("{PREFIX}{name}"), &Garbage { stored, since })
    }

    /// Notes what `before` refers to and `after` does not.
    pub(crate) fn drop_difference(&mut self, before: &Records, after: &Records) -> Result<(), ApiError> {
        let (kept, now) = (of_records(after), steady_time());
        of_records(before).difference(&kept).cloned().try_for_each(|stored| self.drop_stored(stored, now))
    }
}

impl Shared {
    /// Notes a package that is about to be stored, in case nothing comes to refer to it.
    pub(crate) async fn announce(&self, account: &Account, code: Sha256) -> Result<(), ApiError> {
        let mut change = self.change(account).await?;
        change.drop_stored(Stored::Package(code), steady_time())?;
        change.commit().await
    }

    /// Removes what was noted before this daemon started, at `opened`, or long enough ago.
    pub(crate) async fn collect_garbage(&self, opened: Timestamp) {
        for account in self.all_accounts() {
            if let Err(error) = self.collect(&account, opened).await {
                tracing::warn!(account = %account.home, %error, "cannot remove unused packages");
            }
        }
    }

    async fn collect(&self, account: &Account, opened: Timestamp) -> Result<(), ApiError> {
        let now = steady_time();
        let mut after: Option<String> = None;
        loop {
            let page = self.store.list(&account.partition, PREFIX, after.as_deref(), PAGE).await;
            let page = page.map_err(|error| ApiError::service(error.to_string()))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            for entry in page {
                let Ok(garbage) = stored::decode::<Garbage>(&entry.value) else { continue };
                if garbage.since < opened || garbage.since + GRACE < now {
                    self.remove(account, entry, garbage.stored).await?;
                }
            }
        }
    }

    async fn remove(&self, account: &Account, note: Entry, stored: Stored) -> Result<(), ApiError> {
        // Nobody is between storing a package and referring to it while this is held.
        let _collection = self.collection.write().await;
        let mut change = self.change(account).await?;
        let found = self.store.get(&account.partition, &note.key).await;
        let found = found.map_err(|error| ApiError::service(error.to_string()))?;
        if found.is_none_or(|found| found.revision != note.revision) {
            // Used and dropped again since it was listed: the new note is for another time.
            return Ok(());
        }
        if !self.is_referenced(&stored) {
            let packages = Arc::clone(&self.packages);
            let removed = hearth_tasks::blocking("removal of code", move || match stored {
                Stored::Package(code) => packages.remove(&code),
                Stored::Merged(layers) => packages.remove_merged(&layers),
            });
            let removed = removed.await.map_err(|error| ApiError::service(error.to_string()))?;
            removed.map_err(|error| ApiError::service(error.to_string()))?;
        }
        change.delete(note.key);
        change.commit().await
    }

    /// As long as somebody's records cannot be read, everything is.
    fn is_referenced(&self, stored: &Stored) -> bool {
        self.all_accounts().iter().any(|account| {
            if account.aside().is_any() {
                return true;
            }
            let functions = account.functions();
            functions.values().any(|function| of_records(&function.records).contains(stored))
                || account
                    .layers()
                    .values()
                    .flat_map(|versions| versions.values())
                    .any(|layer| *stored == Stored::Package(layer.package.code))
        })
    }
}

/// The time of day as it was when it was first asked for, and what has passed since. A clock that is set back meanwhile does not have
/// something that was dropped just now look like what an earlier daemon left, and one that is set forth ends no grace.
pub(crate) fn steady_time() -> Timestamp {
    static FIRST: LazyLock<(Instant, Timestamp)> = LazyLock::new(|| (Instant::now(), system_time()));
    let (first, then) = *FIRST;
    then + first.elapsed()
}

/// The time of day as others see it, for what they are to compare with theirs.
pub(crate) fn system_time() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}
