//! Capacity as it changes while the node runs.

use std::sync::Arc;

use hearth_engine::Event;
use hearth_engine::capacity::{Capacity, InstanceId, PoolName};
use hearth_engine::port::CapacitySource;
use hearth_types::Instant;

use crate::core::Core;
use crate::node::Node;

impl Node {
    /// Instances come from there from now on. Counts the first time only; before that, none can be had.
    pub fn connect_capacity(&self, source: Arc<dyn CapacitySource>) {
        let _connected_before = self.core().capacity_source.set(source).is_err();
    }

    /// Takes effect with the next request.
    pub fn change_capacity(&self, change: Capacity) {
        self.core().step(Event::Capacity(Box::new(change)));
    }

    /// The clock on which leases end.
    pub fn now(&self) -> Instant {
        self.core().clock.now()
    }
}

impl Core {
    pub(crate) fn acquire(self: &Arc<Self>, pool: PoolName, count: u32, memory_mib: u64) {
        match self.capacity_source.get() {
            Some(source) => source.acquire(pool, count, memory_mib),
            None => self.step(Event::Capacity(Box::new(Capacity::NotAcquired { pool, count }))),
        }
    }

    pub(crate) fn release(&self, instance: InstanceId) {
        if let Some(source) = self.capacity_source.get() {
            source.release(instance);
        }
    }
}
