//! What the engine holds, as plain values for the `/_hearth` views and for metrics.

use hearth_types::VersionKey;
use serde::Serialize;

use crate::capacity::{Frequency, InstanceId, PoolName, SubPool, show_price};
use crate::event::RootId;

/// Totals since the engine was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counters {
    pub invoked: u64,
    /// Dispatched to a sandbox that had run before, or had been started for another ticket that did without it.
    pub warm: u64,
    pub cold: u64,
    pub throttled: u64,
    pub failed: u64,
    pub abandoned: u64,
    /// Held back for a while, as they were not urgent.
    pub deferred: u64,
    /// Sandboxes that were given to a version.
    pub started: u64,
    pub init_failed: u64,
    /// Sandboxes that were lost before they were ready.
    pub lost: u64,
    pub expired: u64,
    pub evicted: u64,
    pub yielded: u64,
    /// Admitted beyond what is provisioned of their version.
    pub spilled: u64,
    /// Events that could not be.
    pub anomalies: u64,
}

/// Sandboxes by state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SandboxCounts {
    pub making: usize,
    pub blank: usize,
    pub starting: usize,
    /// Includes `frozen`.
    pub idle: usize,
    pub frozen: usize,
    pub busy: usize,
    /// Responded, and not yet asking for the next event.
    pub finishing: usize,
    pub ending: usize,
}

/// Why what is provisioned is not all there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProvisionProblem {
    /// There is no room, even if all that is idle is ended.
    Capacity,
    /// One sandbox is larger than the whole node.
    TooLarge,
    /// The function's initialisation fails; it is tried again.
    Initialisation,
    /// The host fails to make sandboxes; it is tried again.
    SandboxLost,
    /// The runtime is not installed.
    RootGone,
}

/// What is provisioned of one version, in sandboxes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ProvisionView {
    pub requested: u32,
    /// There, or on their way.
    pub started: u32,
    /// Initialised; idle or in use.
    pub ready: u32,
    pub idle: u32,
    /// Attempts under way that use it; at most `requested` unless that was lowered since.
    pub running: u32,
    pub problem: Option<ProvisionProblem>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VersionView {
    pub key: VersionKey,
    pub root: RootId,
    pub memory_mib: u32,
    pub retired: bool,
    pub frequency: Frequency,
    pub sandboxes: SandboxCounts,
    pub waiting: usize,
    /// Those of `waiting` that no sandbox is on its way to.
    pub short: usize,
    /// Not urgent, and held back.
    pub deferred: usize,
    /// Admitted tickets of the function, of all its versions.
    pub function_running: u32,
    pub provisioned: Option<ProvisionView>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RootView {
    pub root: RootId,
    pub available: bool,
    pub ready: usize,
    pub making: usize,
    pub claims: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AccountView {
    pub account: String,
    /// Admitted tickets of functions without a reservation, in all Regions.
    pub unreserved_running: u32,
    /// What is provisioned of functions without a reservation, in all Regions.
    pub unreserved_provisioned: u32,
    pub queued: usize,
    /// `None`: anywhere that it may.
    pub spread: Option<Vec<SpreadView>>,
}

/// The shared instances of a sub-pool to which an account's sandboxes go, in the account's order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SpreadView {
    pub pool: PoolName,
    pub instances: Vec<InstanceId>,
}

/// Totals of a sub-pool since it was declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SubPoolCounters {
    /// Sandboxes that were placed on its instances at once, for those whose sub-pool it is.
    pub hits: u64,
    /// Attempts for which it had nothing.
    pub misses: u64,
    /// Attempts that had to wait for a place of their own, until they had it or in vain.
    pub waits: u64,
    /// How long all of these together, in microseconds.
    pub waited_us: u64,
    /// Sandboxes placed on others' instances for want of its own.
    pub borrowed: u64,
    /// Sandboxes of others placed on its instances.
    pub lent: u64,
    /// Instances that were asked for.
    pub asked: u64,
    pub added: u64,
    /// Instances that came back empty.
    pub returned: u64,
    pub released: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SubPoolView {
    pub terms: SubPool,
    /// Instances that wait, are in use, take nothing new, and were asked for.
    pub waiting: usize,
    pub active: usize,
    pub closed: usize,
    pub pending: u32,
    pub memory_mib: u64,
    pub memory_mib_max: u64,
    pub counters: SubPoolCounters,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct InstanceView {
    pub id: InstanceId,
    pub pool: PoolName,
    /// `waiting`, `active` or `closed`.
    pub standing: &'static str,
    /// Accounts that use it or did; of one that is shared those that use it now.
    pub tenants: Vec<String>,
    pub memory_mib: u64,
    pub memory_mib_max: u64,
    pub cpu_millis: u64,
    pub sandboxes: usize,
    pub sandboxes_max: usize,
    /// In the operator's currency per hour, where it is shown.
    #[serde(serialize_with = "show_price")]
    pub cost_rate: u64,
    pub shared: bool,
    pub reclaimable: bool,
    pub labels: Vec<String>,
    /// On the engine's clock, ms.
    pub ends_at_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EngineView {
    pub draining: bool,
    /// Promised to sandboxes that exist, are on their way or are ending, MiB.
    pub memory_mib: u64,
    pub memory_mib_max: u64,
    pub sandboxes_max: usize,
    pub sandboxes: SandboxCounts,
    /// Admitted and not ended.
    pub tickets: usize,
    /// Short of a place.
    pub queued: usize,
    /// Held back, not admitted.
    pub deferred: usize,
    pub counters: Counters,
    /// Versions of which something was learned before this daemon, and that were not called since.
    pub recalled: usize,
    /// Ordered by key.
    pub versions: Vec<VersionView>,
    pub roots: Vec<RootView>,
    /// Ordered by name.
    pub sub_pools: Vec<SubPoolView>,
    /// Ordered by number.
    pub instances: Vec<InstanceView>,
    /// Ordered by account.
    pub accounts: Vec<AccountView>,
}
