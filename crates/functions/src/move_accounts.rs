//! Accounts that a release without Regions stored: moved to the configured one before anything is read.
//!
//! ```text
//! lambda/ACCOUNT ─► lambda/ACCOUNT/REGION:  copy all but the counter ─► copy the counter ─► remove the old one ─► remove the rest
//! ```
//! The counter says that there is an account: at every step one of the two is whole. A move that was cut short goes on with the
//! next start, and copies once more what may be copied already: nobody changes either in between.

use hearth_store::{CommitError, Entry, ReadError, Store, Write};
use hearth_types::{AccountId, Home, Region};

use crate::account::{PARTITION_PREFIX, partition};
use crate::record::COUNTER;

/// Entries of one commit: each may be as long as a value may be, and they must fit into a commit together.
const PAGE: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error("the store cannot be read")]
    Read(#[source] ReadError),
    #[error("the store cannot be written")]
    Write(#[source] CommitError),
}

pub(crate) async fn move_accounts(store: &dyn Store, region: &Region) -> Result<(), MoveError> {
    for old in store.partitions("").await.map_err(MoveError::Read)? {
        let account = old.strip_prefix(PARTITION_PREFIX).and_then(|account| account.parse::<AccountId>().ok());
        let Some(account) = account else { continue };
        tracing::info!(%account, %region, "what is stored of an account moves to its Region");
        Move { store, new: partition(&Home::new(account, region.clone())), old }.run().await?;
    }
    Ok(())
}

struct Move<'a> {
    store: &'a dyn Store,
    old: String,
    new: String,
}

impl Move<'_> {
    async fn run(&self) -> Result<(), MoveError> {
        let counter = self.store.get(&self.old, COUNTER).await.map_err(MoveError::Read)?;
        if let Some(counter) = counter {
            self.copy().await?;
            self.commit(&self.new, vec![Write::Put { key: counter.key, value: counter.value }]).await?;
            self.commit(&self.old, vec![Write::Delete { key: COUNTER.to_owned() }]).await?;
        }
        loop {
            let rest = self.page(None).await?;
            if rest.is_empty() {
                return Ok(());
            }
            self.commit(&self.old, rest.into_iter().map(|entry| Write::Delete { key: entry.key }).collect()).await?;
        }
    }

    async fn copy(&self) -> Result<(), MoveError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.page(after.as_deref()).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let entries = page.into_iter().filter(|entry| entry.key != COUNTER);
            let puts = entries.map(|Entry { key, value, .. }| Write::Put { key, value }).collect();
            self.commit(&self.new, puts).await?;
        }
    }

    async fn page(&self, after: Option<&str>) -> Result<Vec<Entry>, MoveError> {
        self.store.list(&self.old, "", after, PAGE).await.map_err(MoveError::Read)
    }

    async fn commit(&self, partition: &str, writes: Vec<Write>) -> Result<(), MoveError> {
        self.store.commit(partition, Vec::new(), writes).await.map(drop).map_err(MoveError::Write)
    }
}
