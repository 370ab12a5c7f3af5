//! Requests that asked for the same number go to the same sandbox, so that what it kept of one serves the next.

use hearth_types::SandboxId;

use super::Engine;
use super::model::State;
use crate::keys::PoolKey;

impl Engine {
    /// The idle sandbox that served this number last.
    pub(super) fn affine(&self, number: u64, pool: PoolKey) -> Option<SandboxId> {
        let sandbox = *self.pools[pool].affine.get(&number)?;
        let is_idle = self.sandboxes.get(&sandbox).is_some_and(|entry| matches!(entry.state, State::Idle { .. }));
        is_idle.then_some(sandbox)
    }

    /// The sandbox serves this number from now on, and no other.
    pub(super) fn note_affinity(&mut self, sandbox: SandboxId, number: u64, pool: PoolKey) {
        self.forget_affinity(sandbox, pool);
        self.pools[pool].affine.insert(number, sandbox);
        if let Some(entry) = self.sandboxes.get_mut(&sandbox) {
            entry.affinity = Some(number);
        }
    }

    pub(super) fn forget_affinity(&mut self, sandbox: SandboxId, pool: PoolKey) {
        let Some(number) = self.sandboxes.get_mut(&sandbox).and_then(|entry| entry.affinity.take()) else { return };
        let affine = &mut self.pools[pool].affine;
        if affine.get(&number) == Some(&sandbox) {
            affine.remove(&number);
        }
    }
}
