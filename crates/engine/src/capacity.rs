//! What capacity consists of, who may draw on it, and what becomes of those for whom there is none: the words in which the fleet
//! is told, all of them changeable at any time and effective on the next request.
//!
//! An *instance* is what capacity is bought in. It waits in a *sub-pool* until an account draws on it and is then that account's
//! until it is empty. The engine's own memory ([`crate::EngineConfig`]) is instance [`InstanceId::NODE`] in sub-pool
//! [`PoolName::general`], shared by everybody: who declares nothing else notices none of this.

use std::collections::BTreeSet;
use std::time::Duration;

use hearth_types::{AccountId, Instant};
use serde::{Deserialize, Serialize};

/// The most that anything costs, in the operator's currency per hour.
pub const PRICE_MAX: f64 = 1e9;

/// A price as it is kept: in millionths, of one in the operator's currency. `None` if it is none, or more than [`PRICE_MAX`].
pub fn millionths(price: f64) -> Option<u64> {
    if !(0.0..=PRICE_MAX).contains(&price) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Some((price * 1e6).round() as u64)
}

/// A price as it is shown: in the operator's currency, whatever is kept.
pub(crate) fn show_price<S: serde::Serializer>(millionths: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_precision_loss, reason = "PRICE_MAX in millionths is below 2^53")]
    serializer.serialize_f64(*millionths as f64 / 1e6)
}

/// Numbered by whoever declares instances; never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(pub u64);

impl InstanceId {
    /// The memory of the node itself.
    pub const NODE: Self = Self(0);
}

/// Such as `general` or `dedicated-123456789012`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PoolName(pub String);

impl PoolName {
    /// Whose instances wait for any account. It always exists.
    pub fn general() -> Self {
        Self("general".to_owned())
    }
}

/// Name of a trust group.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupName(pub String);

/// Accounts that trust one another: their sandboxes may share instances. An account is in one group at most; the first that
/// names it counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrustGroup {
    pub name: GroupName,
    pub accounts: BTreeSet<AccountId>,
}

/// Who alone may draw on a sub-pool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    Account(AccountId),
    Group(GroupName),
}

/// One machine, or one share of a machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    pub id: InstanceId,
    pub memory_mib: u64,
    /// Thousandths of a core. Sandboxes take it up in proportion to their memory sizes: 1,769 MiB are a core. 0: no bound.
    pub cpu_millis: u64,
    pub sandboxes_max: usize,
    /// What it costs, in millionths of the operator's currency per hour.
    pub cost_rate: u64,
    /// When it ends, whatever still runs on it.
    pub lease_end: Option<Instant>,
    /// It ends to take new sandboxes at this age.
    pub age_max: Option<Duration>,
    /// Whoever lent it may take it back at any time.
    pub reclaimable: bool,
    /// Taken by anybody who draws on its pool, side by side; else by one account (or trust group) at a time.
    pub shared: bool,
    /// Free words of the operator, to be shown.
    pub labels: BTreeSet<String>,
    /// Where it waits, and where it returns to if it may.
    pub pool: PoolName,
}

/// What a sub-pool promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// Waits to be given to any account.
    General,
    /// Generic capacity that waits for its owner alone: as much as its `min` promises.
    Reserved,
    /// Its owner's before any request arrives.
    Dedicated,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// What is there can be had.
    #[default]
    Fixed,
    /// Availability and price change over time.
    Variable {
        available: bool,
        /// As [`Instance::cost_rate`]; holds for all its instances.
        #[serde(serialize_with = "show_price")]
        price: u64,
    },
}

/// How often a version is called, by what is recorded of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    Frequent,
    /// As is what has not been seen.
    Rare,
}

/// How a sub-pool is filled again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Refill {
    /// Instances asked for with each that is taken.
    pub per_removal: u32,
    /// From this many takings a minute on...
    pub fast_from: u32,
    /// ...so many are asked for with each.
    pub fast_per_removal: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SubPool {
    pub name: PoolName,
    pub kind: PoolKind,
    /// `None`: everybody.
    pub owner: Option<Owner>,
    pub constraint: Constraint,
    /// `Some`: for versions that are called so often alone.
    pub frequency: Option<Frequency>,
    /// Waiting instances: fewer are filled up at once, more than `max` are released.
    pub min: u32,
    pub target: u32,
    pub max: u32,
    pub refill: Refill,
    /// Size of an instance that is asked for, MiB.
    pub instance_memory_mib: u64,
}

/// What happens if an account's own sub-pool has nothing for it. Several are tried in order; who comes to the end waits as with
/// `Queue`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shortage {
    /// Draw on these others, whoever owns them.
    Borrow {
        from: Vec<PoolName>,
    },
    /// Ask for another instance of the sub-pool, and wait for it for so long.
    Provision {
        seconds: u32,
    },
    /// Wait for so long until something fits.
    Wait {
        seconds: u32,
    },
    /// Wait as long as an invocation waits for room.
    Queue,
    Reject,
}

/// Over how many of a sub-pool's shared instances an account's sandboxes go: over `min`, and over more, up to `max`, while there
/// is no room for one on these.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    pub min: u32,
    pub max: u32,
}

/// What holds for one account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccountPolicy {
    /// Instead of the sub-pool that its identity selects.
    pub pool: Option<PoolName>,
    pub shortage: Vec<Shortage>,
    /// No instance that costs more is used.
    pub price_max: Option<u64>,
    /// `None`: over all of them.
    pub spread: Option<Spread>,
}

/// What one request asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wishes {
    /// A sub-pool that its account may draw on; else of no effect.
    pub pool: Option<PoolName>,
    /// As in [`AccountPolicy`]; the lower one holds.
    pub price_max: Option<u64>,
    /// Requests of the version with the same number go to the same sandbox where it is idle.
    pub affinity: Option<u64>,
    /// It is not urgent, and may be held back for so long while load is high.
    pub defer: Option<Duration>,
}

/// Changes of capacity and of who gets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Capacity {
    /// A new instance, whether asked for or not; or new terms for one that is known.
    Add(Instance),
    /// Use it for nothing new, and release it when it is empty.
    Remove(InstanceId),
    /// It will be taken away at `at`: what can end before that does, what cannot is ended then.
    Reclaim {
        instance: InstanceId,
        at: Instant,
    },
    /// It is gone, with all that was on it. Its sandboxes are reported dead as well.
    Lost(InstanceId),
    /// So many instances that were asked for will not come.
    NotAcquired {
        pool: PoolName,
        count: u32,
    },
    /// A new sub-pool, or new terms for it.
    SetPool(SubPool),
    /// What waits in it is released; what is in use stays until it is empty.
    RemovePool(PoolName),
    SetAccount {
        account: AccountId,
        policy: AccountPolicy,
    },
    SetTrustGroups(Vec<TrustGroup>),
}
