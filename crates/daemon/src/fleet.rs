//! Joins the declared capacity with the node. The node places sandboxes on its own memory alone, so on what is declared beside that
//! nothing ever runs: whatever is to be emptied is empty.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hearth_control::capacity::CapacityPlan;
use hearth_engine::capacity::Capacity;
use hearth_engine::port::Fleet;
use hearth_types::{Instant, Timestamp};

/// The node, as capacity is declared to it.
#[derive(Debug)]
pub(crate) struct NodeFleet(pub(crate) CapacityPlan);

impl Fleet for NodeFleet {
    fn declare(&self, change: Capacity) {
        if let Capacity::Remove(instance) | Capacity::Reclaim { instance, .. } = change {
            self.0.release(instance);
        }
    }

    fn instant_at(&self, wall: Timestamp) -> Instant {
        Instant::ZERO + Duration::from_millis(wall.as_millis())
    }
}

/// The host's clock.
pub(crate) fn wall_now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
