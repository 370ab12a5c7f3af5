//! Over how many of the instances that everybody shares an account's sandboxes are spread.
//!
//! Each account has an order of its own of a sub-pool's shared instances, by a hash of both: instances that come or go change
//! nothing about the order of the others. The account's sandboxes go to the first few of them. If there is no room for one, the
//! next in the order is added, up to the maximum; the last is left again once nothing of the account is on it and nothing of it waits.

use std::collections::BTreeMap;

use hearth_types::AccountId;

use super::{Instances, Site};
use crate::capacity::{InstanceId, PoolName, Spread};
use crate::keys::{AccountKey, SiteKey};
use crate::view::SpreadView;

/// How many instances of a sub-pool an account uses, where these are more than its minimum.
pub(super) type Widths = BTreeMap<(AccountId, PoolName), u32>;

/// Where the instance stands in the account's order: the higher the earlier.
fn weight(account: &AccountId, instance: InstanceId) -> u64 {
    let named = account
        .as_str()
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    mixed(named ^ mixed(instance.0))
}

/// As `SplitMix64` ends: each bit of the result depends on each of the number.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

impl Site {
    /// A sandbox of the account, or a claim to one, is here.
    pub(super) fn hold_for(&mut self, account: AccountKey) {
        *self.held_for.entry(account).or_default() += 1;
    }

    pub(super) fn let_go(&mut self, account: AccountKey) {
        if let Some(count) = self.held_for.get_mut(&account) {
            *count -= 1;
            if *count == 0 {
                self.held_for.remove(&account);
            }
        }
    }
}

impl Instances {
    fn spread(&self, account: &AccountId) -> Option<Spread> {
        self.policies.get(account)?.spread
    }

    fn width(&self, account: &AccountId, pool: &PoolName, spread: Spread) -> u32 {
        let width = self.widths.get(&(account.clone(), pool.clone())).copied();
        width.unwrap_or(spread.min).min(spread.max)
    }

    /// Shared instances of the sub-pool in the account's order.
    fn in_order(&self, account: &AccountId, pool: &PoolName) -> Vec<SiteKey> {
        let shared = self.all.iter().filter(|(_, site)| {
            site.terms.shared && site.is_open() && site.terms.pool == *pool && self.may_join(account, site)
        });
        let mut order: Vec<(u64, InstanceId, SiteKey)> =
            shared.map(|(index, site)| (weight(account, site.terms.id), site.terms.id, index)).collect();
        order.sort_unstable_by(|one, other| other.cmp(one));
        order.into_iter().map(|(.., index)| index).collect()
    }

    /// Leaves of `sites` those that the account's spread allows, in its order; those that are not shared are not its matter.
    pub(in crate::fleet) fn narrowed(&self, account: &AccountId, pool: &PoolName, sites: Vec<SiteKey>) -> Vec<SiteKey> {
        let Some(spread) = self.spread(account) else { return sites };
        let width = self.width(account, pool, spread) as usize;
        let mut narrowed = sites.clone();
        narrowed.retain(|site| !self.all[*site].terms.shared);
        narrowed.extend(self.in_order(account, pool).into_iter().take(width).filter(|site| sites.contains(site)));
        narrowed
    }

    /// Whether the account's spread may ever reach this instance.
    pub(in crate::fleet) fn may_reach(&self, account: &AccountId, site: SiteKey) -> bool {
        let Some(spread) = self.spread(account).filter(|_| self.all[site].terms.shared) else { return true };
        let order = self.in_order(account, &self.all[site].terms.pool);
        order.into_iter().take(spread.max as usize).any(|other| other == site)
    }

    /// Adds the next instance in the account's order; `false` if there is none, or it may have no more.
    pub(in crate::fleet) fn widen(&mut self, account: &AccountId, pool: &PoolName) -> bool {
        let Some(spread) = self.spread(account) else { return false };
        let width = self.width(account, pool, spread);
        if width >= spread.max || self.in_order(account, pool).len() <= width as usize {
            return false;
        }
        self.widths.insert((account.clone(), pool.clone()), width + 1);
        self.narrow_due = true;
        true
    }

    /// Leaves instances at the end of accounts' orders on which nothing of theirs is. `known`: the key of an account that has
    /// pools, and whether any of them waits.
    pub(in crate::fleet) fn narrow(&mut self, known: impl Fn(&AccountId) -> Option<(AccountKey, bool)>) {
        self.narrow_due = false;
        for ((account, pool), width) in std::mem::take(&mut self.widths) {
            let Some(spread) = self.spread(&account) else { continue };
            let known = known(&account);
            let waits = known.is_some_and(|(_, waits)| waits);
            let order = self.in_order(&account, &pool);
            let uses = |site: &SiteKey| known.is_some_and(|(key, _)| self.all[*site].held_for.contains_key(&key));
            let used = order.iter().rposition(uses).map_or(0, |place| place + 1);
            let least = if waits { width as usize } else { used.max(spread.min as usize) };
            let left = width.min(u32::try_from(least.min(order.len())).unwrap_or(u32::MAX)).min(spread.max);
            if left > spread.min {
                self.widths.insert((account, pool), left);
            }
        }
    }

    /// The account's policy is another one.
    pub(super) fn forget_widths(&mut self, account: &AccountId) {
        self.widths.retain(|(other, _), _| other != account);
    }

    /// Where the account's sandboxes go, if it has a spread: of each sub-pool that it may draw on and that has shared instances.
    pub(in crate::fleet) fn spread_view(&self, account: &AccountId) -> Option<Vec<SpreadView>> {
        let spread = self.spread(account)?;
        let pools = self.sub_pools.iter().map(|pool| &pool.terms.name).filter(|name| self.may_draw(account, name));
        let view = |pool: &PoolName| {
            let width = self.width(account, pool, spread) as usize;
            let order = self.in_order(account, pool).into_iter().take(width);
            let instances: Vec<InstanceId> = order.map(|site| self.all[site].terms.id).collect();
            (!instances.is_empty()).then(|| SpreadView { pool: pool.clone(), instances })
        };
        Some(pools.filter_map(view).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u64) -> AccountId {
        format!("{number:012}").parse().expect("well-formed")
    }

    fn first(account: &AccountId, instances: impl Iterator<Item = u64>) -> u64 {
        instances.max_by_key(|instance| weight(account, InstanceId(*instance))).expect("some")
    }

    #[test]
    fn accounts_are_spread_evenly() {
        let mut counts = [0; 8];
        for number in 0..8000 {
            counts[usize::try_from(first(&account(number), 0..8)).expect("small")] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn an_instance_that_comes_takes_accounts_and_moves_no_other() {
        let mut moved = 0;
        for number in 0..1000 {
            let (before, after) = (first(&account(number), 0..8), first(&account(number), 0..9));
            assert!(after == before || after == 8);
            moved += u32::from(after == 8);
        }
        assert!((70..160).contains(&moved), "{moved}");
    }
}
