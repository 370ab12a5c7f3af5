//! Sandboxes that the keep-alive policy has loaded ahead, in place of those that it ended.

use std::time::Duration;

use super::{Engine, Turn};
use crate::keep_alive::Known;
use crate::timers::Due;

/// The least time between two questions about a version.
const AGAIN_AFTER: Duration = Duration::from_millis(1);

impl Engine {
    /// Has the policy asked when it wants to be.
    pub(super) fn plan_load(&mut self, turn: &Turn<'_>, version: Known) {
        let at = self.versions.policy.load_at(version, turn.now);
        if let Some((at, slot)) = at.zip(self.versions.armed(version)) {
            // Never again in this step, whatever the policy says.
            self.timers.arm(Due::Load(version), slot, at.max(turn.now + AGAIN_AFTER));
        }
    }

    pub(super) fn load_due(&mut self, turn: &mut Turn<'_>, version: Known) {
        // Forgotten meanwhile, or known by this number now: then it is asked in vain.
        let Some(slot) = self.versions.armed(version) else { return };
        *slot = None;
        while let Some(rest) = self.versions.policy.load(version, turn.now) {
            let Some(wanted) = self.versions.current(version).cloned() else { continue };
            let pool = self.pool_of(&wanted);
            self.pools[pool].loading.push_back(rest);
            self.pools[pool].prewarm += 1;
            self.ahead.prewarm(pool);
        }
        self.plan_load(turn, version);
    }
}
