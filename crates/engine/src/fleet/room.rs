//! What there is to draw on: asked before an event is taken off its queue.

use hearth_types::{Instant, VersionKey};

use super::Engine;

/// The memory of all instances that an account draws on of its own right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Room {
    pub total_mib: u64,
    /// The part of it that is neither free, blank, idle nor ending.
    pub in_use_mib: u64,
    /// It is everybody's: there is nothing but the node itself.
    pub shared: bool,
}

impl Engine {
    /// What the version's account draws on; the node's own memory while it has been called nowhere.
    pub fn room_for(&self, now: Instant, key: &VersionKey) -> Room {
        let sites = match self.pools.find(key) {
            Some(pool) => self.own_sites(now, pool, None),
            None => vec![self.instances.node()],
        };
        let mut room = Room { shared: self.instances.is_plain(), ..Room::default() };
        for site in sites {
            let site = &self.instances[site];
            room.total_mib = room.total_mib.saturating_add(site.room_mib());
            room.in_use_mib += site.in_use(self.config.blank_memory_mib).memory_mib;
        }
        room
    }
}
