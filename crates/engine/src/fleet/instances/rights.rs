//! Who may come onto which instance, who may draw on which sub-pool, and which one is drawn on first.

use hearth_types::AccountId;

use super::{Instances, Site};
use crate::capacity::{Constraint, Frequency, PoolKind, PoolName, SubPool, Wishes};
use crate::keys::SiteKey;
use crate::view::SubPoolCounters;

impl Instances {
    /// Whether the instance is in use by this account, or by others that trust it on capacity that is also its own.
    pub(in crate::fleet) fn is_home(&self, account: &AccountId, site: &Site) -> bool {
        let drawn = site.tenants.contains(account) || self.may_draw(account, &site.terms.pool);
        drawn && site.tenants.iter().all(|tenant| self.trust.trusts(account, tenant))
    }

    /// Whether the account may come onto an instance that waits, or that everybody shares.
    pub(in crate::fleet) fn may_join(&self, account: &AccountId, site: &Site) -> bool {
        let available = self
            .sub_pools
            .get(&site.terms.pool)
            .is_some_and(|pool| !matches!(pool.terms.constraint, Constraint::Variable { available: false, .. }));
        available && site.tenants.iter().all(|tenant| self.trust.trusts(account, tenant))
    }

    pub(in crate::fleet) fn price(&self, site: &Site) -> u64 {
        match self.sub_pools.get(&site.terms.pool).map(|pool| pool.terms.constraint) {
            Some(Constraint::Variable { price, .. }) => price,
            Some(Constraint::Fixed) | None => site.terms.cost_rate,
        }
    }

    pub(in crate::fleet) fn may_draw(&self, account: &AccountId, name: &PoolName) -> bool {
        self.sub_pools
            .get(name)
            .is_some_and(|pool| pool.terms.owner.as_ref().is_none_or(|owner| self.trust.is(account, owner)))
    }

    /// Whether the sub-pool is for versions that are called so often.
    pub(in crate::fleet) fn suits(&self, name: &PoolName, frequency: Frequency) -> bool {
        self.sub_pools.get(name).is_none_or(|pool| pool.terms.frequency.is_none_or(|wanted| wanted == frequency))
    }

    /// Whether the sub-pool has an instance that the account could come onto, full or not.
    fn has_any_for(&self, account: &AccountId, name: &PoolName) -> bool {
        let mut sites = self.all.iter().map(|(_, site)| site);
        sites.any(|site| site.terms.pool == *name && site.is_open() && self.may_join(account, site))
    }

    /// The sub-pool that the request, the account's policy or its identity selects, of those for versions that are called so often. One
    /// with nothing for the account is passed over, unless the account's policy says what happens then.
    pub(in crate::fleet) fn chosen_pool(
        &self,
        account: &AccountId,
        frequency: Frequency,
        wishes: Option<&Wishes>,
    ) -> PoolName {
        let wished = wishes.and_then(|wishes| wishes.pool.as_ref());
        let policy = self.policies.get(account);
        let set = policy.and_then(|policy| policy.pool.as_ref());
        let has_steps = policy.is_some_and(|policy| !policy.shortage.is_empty());
        let counts = |name: &PoolName| has_steps || self.has_any_for(account, name);
        let allowed = |name: &&PoolName| self.may_draw(account, name) && self.suits(name, frequency) && counts(name);
        if let Some(name) = wished.into_iter().chain(set).find(allowed) {
            return name.clone();
        }
        let rank = |kind| match kind {
            PoolKind::Dedicated => 0,
            PoolKind::Reserved => 1,
            PoolKind::General => 2,
        };
        // One that is everybody's is chosen only if it is for just such versions.
        let selects = |terms: &&SubPool| match &terms.owner {
            Some(owner) => {
                let suits = terms.frequency.is_none_or(|wanted| wanted == frequency);
                suits && self.trust.is(account, owner) && counts(&terms.name)
            }
            None => terms.frequency == Some(frequency) && self.has_any_for(account, &terms.name),
        };
        let selected = self.sub_pools.iter().map(|pool| &pool.terms).filter(selects);
        let best = selected.min_by_key(|terms| (terms.owner.is_none(), rank(terms.kind), terms.frequency.is_none()));
        best.map_or_else(PoolName::general, |terms| terms.name.clone())
    }

    /// Counts something of the sub-pool.
    pub(in crate::fleet) fn count(&mut self, pool: &PoolName, count: impl FnOnce(&mut SubPoolCounters)) {
        if let Some(pool) = self.sub_pools.get_mut(pool) {
            count(&mut pool.counters);
        }
    }

    /// Counts something of the sub-pool that the instance is of.
    pub(in crate::fleet) fn count_at(&mut self, site: SiteKey, count: impl FnOnce(&mut SubPoolCounters)) {
        if let Some(pool) = self.sub_pools.get_mut(&self.all[site].terms.pool) {
            count(&mut pool.counters);
        }
    }
}
