//! Who may share an instance with whom, and who may draw on a sub-pool.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hearth_types::AccountId;

use crate::capacity::{GroupName, Owner, TrustGroup};

#[derive(Debug, Default)]
pub(super) struct Trust {
    members: BTreeMap<GroupName, BTreeSet<AccountId>>,
    group_of: HashMap<AccountId, GroupName>,
}

impl Trust {
    /// An account that several groups name is in the first of them.
    pub(super) fn new(groups: Vec<TrustGroup>) -> Self {
        let mut trust = Self::default();
        for group in groups {
            for account in group.accounts {
                if !trust.group_of.contains_key(&account) {
                    trust.group_of.insert(account.clone(), group.name.clone());
                    trust.members.entry(group.name.clone()).or_default().insert(account);
                }
            }
        }
        trust
    }

    pub(super) fn trusts(&self, one: &AccountId, other: &AccountId) -> bool {
        one == other || self.group_of.get(one).is_some_and(|group| self.group_of.get(other) == Some(group))
    }

    pub(super) fn is(&self, account: &AccountId, owner: &Owner) -> bool {
        match owner {
            Owner::Account(owner) => owner == account,
            Owner::Group(name) => self.members.get(name).is_some_and(|members| members.contains(account)),
        }
    }

    /// Whether an instance on which these ran may wait for anybody who draws on the pool of `owner`.
    pub(super) fn may_meet(&self, tenants: &BTreeSet<AccountId>, owner: Option<&Owner>) -> bool {
        tenants.iter().all(|tenant| owner.is_some_and(|owner| self.is(tenant, owner)))
    }
}
