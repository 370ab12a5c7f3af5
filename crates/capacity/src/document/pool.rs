//! A sub-pool, as operators write it.

use hearth_engine::capacity::{Constraint, Frequency, GroupName, Owner, PoolKind, PoolName, Refill, SubPool};
use hearth_types::AccountId;
use serde::{Deserialize, Serialize};

use super::{check_memory, check_name, invalid, price_of};
use crate::CapacityError;

/// A sub-pool.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolDocument {
    /// What requests, policies and instances name it by.
    pub name: String,
    /// `general` (for anybody), `reserved` or `dedicated` (for its owner).
    #[serde(default = "general_kind")]
    pub kind: PoolKind,
    /// Who alone may draw on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Instead: the trust group that alone may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its availability and price change over time.
    #[serde(default)]
    pub variable: bool,
    /// Of a variable one.
    #[serde(default = "yes")]
    pub available: bool,
    /// Of a variable one, per hour and instance.
    #[serde(default)]
    pub price: f64,
    /// For versions that are called so often alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
    /// Below so many waiting instances others are asked for...
    #[serde(default)]
    pub min: u32,
    /// ...up to so many.
    #[serde(default)]
    pub target: u32,
    /// More do not wait: they are given back.
    #[serde(default = "instances_default")]
    pub max: u32,
    /// How many are asked for with each that is taken, such as `{per_removal = 1, fast_from = 10, fast_per_removal = 3}`.
    #[serde(default)]
    pub refill: Refill,
    /// Size of the instances that are acquired for it; 0: none is.
    #[serde(default)]
    pub instance_memory_mib: u64,
}

const fn general_kind() -> PoolKind {
    PoolKind::General
}

const fn yes() -> bool {
    true
}

const fn instances_default() -> u32 {
    100
}

impl PoolDocument {
    pub(crate) fn check(&self) -> Result<(), CapacityError> {
        check_name("name", &self.name)?;
        price_of("price", self.price)?;
        if self.account.is_some() && self.group.is_some() {
            return Err(invalid("a pool belongs to an account or to a group, not to both"));
        }
        let owned = self.account.is_some() || self.group.is_some();
        match self.kind {
            PoolKind::General if owned => {
                return Err(invalid("a general pool has no owner: make it `dedicated` or `reserved`"));
            }
            PoolKind::Dedicated | PoolKind::Reserved if !owned => {
                return Err(invalid("a dedicated or reserved pool needs an account or a group"));
            }
            PoolKind::General | PoolKind::Dedicated | PoolKind::Reserved => {}
        }
        if self.name == PoolName::general().0 && self.kind != PoolKind::General {
            return Err(invalid("the pool `general` is everybody's: make another pool"));
        }
        if self.name == PoolName::general().0 && self.frequency.is_some() {
            return Err(invalid(
                "the pool `general` is for all that no other is for: make another pool with a frequency",
            ));
        }
        if self.min > self.target.max(self.min) || self.min > self.max || self.target > self.max {
            return Err(invalid("min and target must not be more than max"));
        }
        if self.instance_memory_mib > 0 {
            check_memory("instance_memory_mib", self.instance_memory_mib, 128)?;
        } else if self.min > 0 || self.target > 0 || self.refill != Refill::default() {
            return Err(invalid("a pool that is filled up needs instance_memory_mib, the size of what is acquired"));
        }
        Ok(())
    }

    pub(crate) fn to_pool(&self) -> SubPool {
        let group = self.group.clone().map(|name| Owner::Group(GroupName(name)));
        let price = price_of("price", self.price).unwrap_or(u64::MAX);
        SubPool {
            name: PoolName(self.name.clone()),
            kind: self.kind,
            owner: self.account.clone().map(Owner::Account).or(group),
            constraint: match self.variable {
                true => Constraint::Variable { available: self.available, price },
                false => Constraint::Fixed,
            },
            frequency: self.frequency,
            min: self.min,
            target: self.target,
            max: self.max,
            refill: self.refill,
            instance_memory_mib: self.instance_memory_mib,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_that_contradict_themselves_are_refused() {
        let pool = |text: &str| serde_json::from_str::<PoolDocument>(text).unwrap().check();
        pool(r#"{"name": "a"}"#).unwrap();
        pool(r#"{"name": "a", "kind": "dedicated", "account": "123456789012"}"#).unwrap();
        pool(r#"{"name": "a", "frequency": "frequent"}"#).unwrap();
        for wrong in [
            r#"{"name": "A"}"#,
            r#"{"name": "a", "kind": "dedicated"}"#,
            r#"{"name": "a", "account": "123456789012"}"#,
            r#"{"name": "general", "kind": "reserved", "group": "g"}"#,
            r#"{"name": "a", "kind": "dedicated", "account": "123456789012", "group": "g"}"#,
            r#"{"name": "a", "min": 3, "max": 2, "instance_memory_mib": 512}"#,
            r#"{"name": "a", "min": 1}"#,
            r#"{"name": "a", "price": -1}"#,
            r#"{"name": "general", "frequency": "rare"}"#,
        ] {
            assert!(matches!(pool(wrong), Err(CapacityError::Invalid { .. })), "{wrong}");
        }
    }
}
