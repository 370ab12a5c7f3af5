//! What operators write of capacity, in the configuration file and over the API, and what the fleet is told of it.

use std::collections::BTreeSet;
use std::time::Duration;

use hearth_engine::capacity::{
    AccountPolicy, Constraint, GroupName, Instance, InstanceId, Owner, PRICE_MAX, PoolKind, PoolName, Refill, Shortage,
    SubPool, TrustGroup, millionths,
};
use hearth_types::{AccountId, Instant, Timestamp};
use serde::{Deserialize, Serialize};

use super::CapacityError;

const NAME_BYTES_MAX: usize = 64;
const LABELS_MAX: usize = 32;
/// Largest size of anything, MiB: 16 TiB.
const MEMORY_MIB_MAX: u64 = 16 * 1024 * 1024;
const WAIT_S_MAX: u32 = 86_400;

/// One machine, or one share of this one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceDocument {
    pub name: String,
    #[serde(default = "general")]
    pub pool: String,
    pub memory_mib: u64,
    /// Thousandths of a core; a sandbox takes one for 1,769 MB of its memory size. 0: not stated, and no bound.
    #[serde(default)]
    pub cpu_millis: u64,
    /// Sandboxes that may be on it at once.
    #[serde(default = "sandboxes_default")]
    pub sandboxes: u32,
    /// In the operator's currency, per hour.
    #[serde(default)]
    pub cost_rate: f64,
    /// When it ends, such as `2026-11-25T18:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_end: Option<jiff::Timestamp>,
    /// It takes nothing new from this age on, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_max_s: Option<u64>,
    #[serde(default)]
    pub reclaimable: bool,
    /// Taken by whoever may draw on its pool side by side, instead of by one account or trust group at a time.
    #[serde(default)]
    pub shared: bool,
    #[serde(default)]
    pub labels: BTreeSet<String>,
}

/// A sub-pool.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolDocument {
    pub name: String,
    #[serde(default = "general_kind")]
    pub kind: PoolKind,
    /// Who alone may draw on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
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
    #[serde(default)]
    pub min: u32,
    #[serde(default)]
    pub target: u32,
    #[serde(default = "instances_default")]
    pub max: u32,
    #[serde(default)]
    pub refill: Refill,
    /// Size of the instances that are acquired for it; 0: none is.
    #[serde(default)]
    pub instance_memory_mib: u64,
}

/// What holds for one account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountDocument {
    pub account: AccountId,
    /// Instead of the pool that its identity selects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// What is tried in turn when its pool has nothing: `borrow:POOL,POOL`, `provision:SECONDS`, `wait:SECONDS`, `queue`, `reject`.
    #[serde(default)]
    pub shortage: Vec<String>,
    /// No instance that costs more per hour is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_max: Option<f64>,
}

/// Accounts that trust one another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupDocument {
    pub name: String,
    pub accounts: BTreeSet<AccountId>,
}

fn general() -> String {
    PoolName::general().0
}

const fn general_kind() -> PoolKind {
    PoolKind::General
}

const fn yes() -> bool {
    true
}

const fn sandboxes_default() -> u32 {
    2000
}

const fn instances_default() -> u32 {
    100
}

pub(super) fn invalid(message: impl Into<String>) -> CapacityError {
    CapacityError::Invalid { message: message.into() }
}

/// Lower-case letters, digits and hyphens: what fits into a path and a key as it is.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), CapacityError> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(fits) {
        return Err(invalid(format!(
            "{what} {name:?} must be 1 to {NAME_BYTES_MAX} lower-case letters, digits and hyphens"
        )));
    }
    Ok(())
}

fn price_of(what: &str, price: f64) -> Result<u64, CapacityError> {
    millionths(price).ok_or_else(|| invalid(format!("{what} must be between 0 and {PRICE_MAX}, per hour")))
}

fn check_memory(what: &str, mib: u64, min: u64) -> Result<(), CapacityError> {
    if !(min..=MEMORY_MIB_MAX).contains(&mib) {
        return Err(invalid(format!("{what} must be between {min} and {MEMORY_MIB_MAX}")));
    }
    Ok(())
}

impl InstanceDocument {
    pub(super) fn check(&self, now: Timestamp) -> Result<(), CapacityError> {
        check_name("name", &self.name)?;
        check_memory("memory_mib", self.memory_mib, 128)?;
        price_of("cost_rate", self.cost_rate)?;
        if self.sandboxes == 0 {
            return Err(invalid("sandboxes must be at least 1"));
        }
        if self.labels.len() > LABELS_MAX || self.labels.iter().any(|label| label.len() > 256) {
            return Err(invalid(format!("labels must be at most {LABELS_MAX}, of at most 256 bytes each")));
        }
        if self.lease_is_over(now) {
            return Err(invalid("lease_end is over: give a time that is still to come"));
        }
        Ok(())
    }

    pub(super) fn lease_is_over(&self, now: Timestamp) -> bool {
        self.lease_end.is_some_and(|end| Self::timestamp(end) <= now)
    }

    fn timestamp(time: jiff::Timestamp) -> Timestamp {
        Timestamp::from_millis(u64::try_from(time.as_millisecond()).unwrap_or(0))
    }

    pub(super) fn to_instance(&self, id: InstanceId, at: impl Fn(Timestamp) -> Instant) -> Instance {
        Instance {
            id,
            memory_mib: self.memory_mib,
            cpu_millis: self.cpu_millis,
            sandboxes_max: self.sandboxes as usize,
            cost_rate: price_of("cost_rate", self.cost_rate).unwrap_or(u64::MAX),
            lease_end: self.lease_end.map(|end| at(Self::timestamp(end))),
            age_max: self.age_max_s.map(Duration::from_secs),
            reclaimable: self.reclaimable,
            shared: self.shared,
            labels: self.labels.clone(),
            pool: PoolName(self.pool.clone()),
        }
    }
}

impl PoolDocument {
    pub(super) fn check(&self) -> Result<(), CapacityError> {
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

    pub(super) fn to_pool(&self) -> SubPool {
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
            min: self.min,
            target: self.target,
            max: self.max,
            refill: self.refill,
            instance_memory_mib: self.instance_memory_mib,
        }
    }
}

impl AccountDocument {
    pub(super) fn check(&self) -> Result<(), CapacityError> {
        if let Some(price) = self.price_max {
            price_of("price_max", price)?;
        }
        if self.shortage.len() > 8 {
            return Err(invalid("shortage has at most 8 steps"));
        }
        self.shortage.iter().try_for_each(|step| shortage(step).map(drop))
    }

    /// The pools that it names.
    pub(super) fn pools(&self) -> impl Iterator<Item = String> {
        let steps = self.shortage.iter().filter_map(|step| shortage(step).ok());
        let borrowed = steps.filter_map(|step| match step {
            Shortage::Borrow { from } => Some(from),
            Shortage::Provision { .. } | Shortage::Wait { .. } | Shortage::Queue | Shortage::Reject => None,
        });
        borrowed.flatten().map(|pool| pool.0).chain(self.pool.clone())
    }

    pub(super) fn to_policy(&self) -> AccountPolicy {
        AccountPolicy {
            pool: self.pool.clone().map(PoolName),
            shortage: self.shortage.iter().filter_map(|step| shortage(step).ok()).collect(),
            price_max: self.price_max.and_then(|price| price_of("price_max", price).ok()),
        }
    }
}

impl GroupDocument {
    pub(super) fn check(&self) -> Result<(), CapacityError> {
        check_name("name", &self.name)
    }

    pub(super) fn to_group(&self) -> TrustGroup {
        TrustGroup { name: GroupName(self.name.clone()), accounts: self.accounts.clone() }
    }
}

fn shortage(step: &str) -> Result<Shortage, CapacityError> {
    let wrong = || {
        invalid(format!(
            "shortage step {step:?} must be borrow:POOL,POOL, provision:SECONDS, wait:SECONDS (at most {WAIT_S_MAX}), \
             queue or reject"
        ))
    };
    let (word, detail) = step.split_once(':').map_or((step, None), |(word, detail)| (word, Some(detail)));
    let seconds = || {
        let seconds = detail.and_then(|detail| detail.parse().ok());
        seconds.filter(|seconds| (1..=WAIT_S_MAX).contains(seconds)).ok_or_else(wrong)
    };
    match (word, detail) {
        ("queue", None) => Ok(Shortage::Queue),
        ("reject", None) => Ok(Shortage::Reject),
        ("wait", Some(_)) => Ok(Shortage::Wait { seconds: seconds()? }),
        ("provision", Some(_)) => Ok(Shortage::Provision { seconds: seconds()? }),
        ("borrow", Some(pools)) => {
            let from: Vec<PoolName> = pools.split(',').map(|pool| PoolName(pool.to_owned())).collect();
            from.iter().try_for_each(|pool| check_name("pool", &pool.0)).map_err(|_name| wrong())?;
            Ok(Shortage::Borrow { from })
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortage_steps_are_read_or_refused_with_what_to_write() {
        let borrow = Shortage::Borrow { from: vec![PoolName("a".to_owned()), PoolName("b-2".to_owned())] };
        assert_eq!(shortage("borrow:a,b-2").unwrap(), borrow);
        assert_eq!(shortage("wait:30").unwrap(), Shortage::Wait { seconds: 30 });
        assert_eq!(shortage("provision:5").unwrap(), Shortage::Provision { seconds: 5 });
        assert_eq!((shortage("queue").unwrap(), shortage("reject").unwrap()), (Shortage::Queue, Shortage::Reject));
        for wrong in ["", "wait", "wait:", "wait:0", "wait:-1", "wait:86401", "borrow:", "borrow:A", "queue:1", "steal"]
        {
            assert!(shortage(wrong).unwrap_err().to_string().contains("wait:SECONDS"), "{wrong}");
        }
    }

    #[test]
    fn pools_that_contradict_themselves_are_refused() {
        let pool = |text: &str| serde_json::from_str::<PoolDocument>(text).unwrap().check();
        pool(r#"{"name": "a"}"#).unwrap();
        pool(r#"{"name": "a", "kind": "dedicated", "account": "123456789012"}"#).unwrap();
        for wrong in [
            r#"{"name": "A"}"#,
            r#"{"name": "a", "kind": "dedicated"}"#,
            r#"{"name": "a", "account": "123456789012"}"#,
            r#"{"name": "general", "kind": "reserved", "group": "g"}"#,
            r#"{"name": "a", "kind": "dedicated", "account": "123456789012", "group": "g"}"#,
            r#"{"name": "a", "min": 3, "max": 2, "instance_memory_mib": 512}"#,
            r#"{"name": "a", "min": 1}"#,
            r#"{"name": "a", "price": -1}"#,
        ] {
            assert!(matches!(pool(wrong), Err(CapacityError::Invalid { .. })), "{wrong}");
        }
    }

    #[test]
    fn instances_have_sane_sizes_and_leases_to_come() {
        let check =
            |text: &str| serde_json::from_str::<InstanceDocument>(text).unwrap().check(Timestamp::from_millis(5000));
        check(r#"{"name": "m1", "memory_mib": 1024, "lease_end": "1970-01-01T00:00:06Z"}"#).unwrap();
        for wrong in [
            r#"{"name": "m1", "memory_mib": 1024, "lease_end": "1970-01-01T00:00:05Z"}"#,
            r#"{"name": "m1", "memory_mib": 0}"#,
            r#"{"name": "m1", "memory_mib": 18446744073709551615}"#,
            r#"{"name": "m/1", "memory_mib": 1024}"#,
            r#"{"name": "m1", "memory_mib": 1024, "sandboxes": 0}"#,
            r#"{"name": "m1", "memory_mib": 1024, "cost_rate": 1e300}"#,
        ] {
            assert!(matches!(check(wrong), Err(CapacityError::Invalid { .. })), "{wrong}");
        }
    }
}
