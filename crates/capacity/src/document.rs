//! What operators write of capacity, in the configuration file and over the API, and what the fleet is told of it.

mod account;
mod pool;

use std::collections::BTreeSet;
use std::time::Duration;

use hearth_engine::capacity::{Instance, InstanceId, PRICE_MAX, PoolName, millionths};
use hearth_types::{Instant, Timestamp};
use serde::{Deserialize, Serialize};

use super::CapacityError;
pub use account::{AccountDocument, GroupDocument};
pub use pool::PoolDocument;

const NAME_BYTES_MAX: usize = 64;
const LABELS_MAX: usize = 32;
/// Largest size of anything, MiB: 16 TiB.
const MEMORY_MIB_MAX: u64 = 16 * 1024 * 1024;

/// One machine, or one share of this one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceDocument {
    /// The operator's name for it.
    pub name: String,
    /// The sub-pool in which it waits.
    #[serde(default = "general")]
    pub pool: String,
    /// Its size, MiB.
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
    /// Its provider may take it back before its lease ends.
    #[serde(default)]
    pub reclaimable: bool,
    /// Taken by whoever may draw on its pool side by side, instead of by one account or trust group at a time.
    #[serde(default)]
    pub shared: bool,
    /// Words of the operator's own, for the hook and for lists.
    #[serde(default)]
    pub labels: BTreeSet<String>,
}

fn general() -> String {
    PoolName::general().0
}

impl InstanceDocument {
    /// The name of the node's own memory, which no other instance can have.
    pub const NODE: &'static str = "node";

    /// The node's own memory: everybody's, in the pool `general`.
    pub fn of_node(memory_mib: u64, sandboxes: u32) -> Self {
        Self {
            name: Self::NODE.to_owned(),
            pool: general(),
            memory_mib,
            cpu_millis: 0,
            sandboxes,
            cost_rate: 0.0,
            lease_end: None,
            age_max_s: None,
            reclaimable: false,
            shared: true,
            labels: BTreeSet::new(),
        }
    }
}

const fn sandboxes_default() -> u32 {
    2000
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
        if self.name == Self::NODE {
            return Err(invalid(
                "the instance `node` is this machine's own memory (node.memory_mib): take another name",
            ));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
