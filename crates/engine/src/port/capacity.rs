//! Where instances come from beside what the node has itself.

use crate::capacity::{InstanceId, PoolName};

/// Gets instances and gives them back, by the operator's own means. Both return at once. What comes of `acquire` is told to the
/// node as [`crate::capacity::Capacity::Add`] for each that came and [`crate::capacity::Capacity::NotAcquired`] for the rest.
pub trait CapacitySource: Send + Sync + std::fmt::Debug {
    /// `count` instances of at least `memory_mib` each, for this sub-pool.
    fn acquire(&self, pool: PoolName, count: u32, memory_mib: u64);

    /// Nothing is on the instance any more, and it is used for nothing again.
    fn release(&self, instance: InstanceId);
}
