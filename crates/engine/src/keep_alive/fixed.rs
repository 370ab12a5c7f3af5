//! The same time for every version, the most common policy of all; and its limit, for ever.

use std::time::Duration;

use hearth_types::Instant;

use super::{Idle, Keep, Policy};

/// Keeps each idle sandbox for the same time; [`Duration::MAX`] for ever. Least recently used ones go first.
#[derive(Debug)]
pub(super) struct Fixed(pub(super) Duration);

impl Policy for Fixed {
    fn idle(&mut self, idle: Idle, _: Instant) -> Keep {
        Keep::Until { at: idle.rest.since + self.0, worth: 0 }
    }
}
