//! Joins the declared capacity with the node that uses it.

use std::time::Duration;

use hearth_engine::capacity::Capacity;
use hearth_engine::port::Fleet;
use hearth_node::Node;
use hearth_types::{Instant, Timestamp};

/// The node, as capacity is declared to it.
#[derive(Debug)]
pub(crate) struct NodeFleet(pub(crate) Node);

impl Fleet for NodeFleet {
    fn declare(&self, change: Capacity) {
        self.0.change_capacity(change);
    }

    fn instant_at(&self, wall: Timestamp) -> Instant {
        let left = wall.as_millis().saturating_sub(wall_now().as_millis());
        self.0.now() + Duration::from_millis(left)
    }
}

/// The host's clock.
pub(crate) fn wall_now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
