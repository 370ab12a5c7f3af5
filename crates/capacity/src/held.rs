//! The documents that are in force, and what the fleet is told of them.

use std::collections::BTreeMap;

use hearth_engine::capacity::{AccountPolicy, Capacity, InstanceId, PoolKind, PoolName};
use hearth_types::{Instant, Timestamp};
use serde::{Deserialize, Serialize};

use super::document::invalid;
use super::{AccountDocument, CapacityBase, CapacityError, GroupDocument, InstanceDocument, PoolDocument};

/// Where a document comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    File,
    Api,
    Hook,
}

#[derive(Clone, Debug)]
pub(super) struct HeldInstance {
    pub(super) document: InstanceDocument,
    /// Of its present life; a share of this machine that was used by one account is another one for the next.
    pub(super) id: InstanceId,
    pub(super) source: Source,
    /// Under which the hook acquired it.
    pub(super) token: Option<String>,
    /// It is being emptied, for the last time.
    pub(super) leaving: bool,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) node: Option<InstanceDocument>,
    pub(super) instances: BTreeMap<String, HeldInstance>,
    pub(super) pools: BTreeMap<String, (Source, PoolDocument)>,
    pub(super) accounts: BTreeMap<String, (Source, AccountDocument)>,
    pub(super) groups: BTreeMap<String, (Source, GroupDocument)>,
    /// Acquisitions and releases that an earlier life of the daemon left under way, by token.
    pub(super) unfinished: Vec<super::record::Unfinished>,
    /// Instances that are asked for and not there yet.
    pub(super) acquiring: usize,
    last_id: u64,
}

/// What is wrong with one of the things that the file declares.
fn of(kind: &str, name: &str, error: CapacityError) -> CapacityError {
    match error {
        CapacityError::Invalid { message } => invalid(format!("{kind} {name:?}: {message}")),
        other => other,
    }
}

impl Held {
    pub(super) fn of_file(base: CapacityBase, now: Timestamp) -> Result<Self, CapacityError> {
        let mut held = Self { node: base.node, ..Self::default() };
        for pool in base.pools {
            pool.check().map_err(|error| of("pool", &pool.name, error))?;
            held.pools.insert(pool.name.clone(), (Source::File, pool));
        }
        for group in base.groups {
            group.check().map_err(|error| of("group", &group.name, error))?;
            held.groups.insert(group.name.clone(), (Source::File, group));
        }
        for account in base.accounts {
            account.check().map_err(|error| of("account", account.account.as_str(), error))?;
            held.accounts.insert(account.account.to_string(), (Source::File, account));
        }
        for document in base.instances {
            // A lease that is over since the file was written is no reason not to start.
            if document.lease_is_over(now) {
                tracing::warn!(
                    instance = document.name,
                    "an instance of the configuration is left out: its lease is over"
                );
                continue;
            }
            document.check(now).map_err(|error| of("instance", &document.name, error))?;
            held.put_instance(document, Source::File, None);
        }
        held.check_references()?;
        Ok(held)
    }

    pub(super) fn put_instance(
        &mut self,
        document: InstanceDocument,
        source: Source,
        token: Option<String>,
    ) -> InstanceId {
        let known = self.instances.get(&document.name).map(|held| held.id);
        let id = known.unwrap_or_else(|| self.next_id());
        let name = document.name.clone();
        self.instances.insert(name, HeldInstance { document, id, source, token, leaving: false });
        id
    }

    /// A copy to try a change on.
    pub(super) fn tentative(&self) -> Self {
        Self {
            instances: self.instances.clone(),
            pools: self.pools.clone(),
            accounts: self.accounts.clone(),
            groups: self.groups.clone(),
            ..Self::default()
        }
    }

    pub(super) fn next_id(&mut self) -> InstanceId {
        self.last_id += 1;
        InstanceId(self.last_id)
    }

    /// An acquisition for this pool that an earlier life of the daemon left under way.
    pub(super) fn take_unfinished(&mut self, wanted: &str) -> Option<super::record::Unfinished> {
        let index = self.unfinished.iter().position(|call| match call {
            super::record::Unfinished::Acquire { pool, .. } => pool == wanted,
            super::record::Unfinished::Release { .. } => false,
        });
        index.map(|index| self.unfinished.remove(index))
    }

    pub(super) fn has_pool(&self, name: &str) -> bool {
        name == PoolName::general().0 || self.pools.contains_key(name)
    }

    /// That every name which is used is one that there is.
    pub(super) fn check_references(&self) -> Result<(), CapacityError> {
        let pool = |user: String, name: &str| match self.has_pool(name) {
            true => Ok(()),
            false => Err(invalid(format!("{user} names the pool {name:?}, which does not exist: make it first"))),
        };
        for held in self.instances.values().filter(|held| !held.leaving) {
            pool(format!("instance {:?}", held.document.name), &held.document.pool)?;
        }
        for (_, account) in self.accounts.values() {
            account.pools().try_for_each(|name| pool(format!("the policy of account {}", account.account), &name))?;
        }
        for (_, pool) in self.pools.values() {
            if let Some(group) = &pool.group
                && !self.groups.contains_key(group)
            {
                return Err(invalid(format!(
                    "pool {:?} belongs to the trust group {group:?}, which does not exist: make it first",
                    pool.name
                )));
            }
        }
        let mut seen = BTreeMap::new();
        for (_, group) in self.groups.values() {
            for account in &group.accounts {
                if let Some(other) = seen.insert(account.clone(), &group.name) {
                    return Err(invalid(format!(
                        "account {account} is in the trust groups {other:?} and {:?}: it can be in one",
                        group.name
                    )));
                }
            }
        }
        Ok(())
    }

    /// All of it, in an order in which each names only what was declared before.
    pub(super) fn everything(&self, at: impl Fn(Timestamp) -> Instant) -> Vec<Capacity> {
        let mut changes = vec![self.trust_groups()];
        changes.extend(self.pools.values().map(|(_, pool)| Capacity::SetPool(pool.to_pool())));
        changes.extend(self.accounts.values().map(|(_, document)| Capacity::SetAccount {
            account: document.account.clone(),
            policy: document.to_policy(),
        }));
        let instances = self.instances.values().filter(|held| !held.leaving);
        changes.extend(instances.map(|held| Capacity::Add(held.document.to_instance(held.id, &at))));
        changes
    }

    pub(super) fn trust_groups(&self) -> Capacity {
        Capacity::SetTrustGroups(self.groups.values().map(|(_, group)| group.to_group()).collect())
    }

    /// What the pool is without a document of its own, or gone.
    pub(super) fn pool_change(&self, name: &str) -> Capacity {
        match self.pools.get(name) {
            Some((_, pool)) => Capacity::SetPool(pool.to_pool()),
            None if name == PoolName::general().0 => Capacity::SetPool(general().to_pool()),
            None => Capacity::RemovePool(PoolName(name.to_owned())),
        }
    }

    pub(super) fn account_change(&self, account: &hearth_types::AccountId) -> Capacity {
        let policy =
            self.accounts.get(account.as_str()).map_or_else(AccountPolicy::default, |(_, held)| held.to_policy());
        Capacity::SetAccount { account: account.clone(), policy }
    }
}

/// The pool that there always is.
pub(super) fn general() -> PoolDocument {
    PoolDocument {
        name: PoolName::general().0,
        kind: PoolKind::General,
        account: None,
        group: None,
        variable: false,
        available: true,
        price: 0.0,
        frequency: None,
        min: 0,
        target: 0,
        max: u32::MAX,
        refill: hearth_engine::capacity::Refill::default(),
        instance_memory_mib: 0,
    }
}
