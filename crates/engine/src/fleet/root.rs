//! Roots: which of them are there, and how making blank sandboxes of each fares.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_types::Instant;

use crate::event::RootId;
use crate::timers::{Due, Timers};

/// Pause in making blank sandboxes after one failed; doubled with each further one.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Roots {
    by_id: BTreeMap<RootId, Root>,
    /// Perhaps a blank sandbox can be made ahead of need now.
    refill_due: bool,
}

#[derive(Debug, Default)]
struct Root {
    gone: bool,
    /// Blank sandboxes that failed in a row.
    failures: u32,
    /// None is made ahead of need before this time.
    refill_after: Instant,
    armed: Option<Instant>,
}

impl Roots {
    /// Perhaps a blank sandbox can be made ahead of need now.
    pub(super) fn note_change(&mut self) {
        self.refill_due = true;
    }

    /// Whether it was noted since it was last asked.
    pub(super) fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.refill_due)
    }

    /// A sandbox of the root is made.
    pub(super) fn meet(&mut self, root: RootId) {
        self.by_id.entry(root).or_default();
    }

    pub(super) fn is_gone(&self, root: RootId) -> bool {
        self.by_id.get(&root).is_some_and(|root| root.gone)
    }

    /// Those of which blank sandboxes are made ahead of need now.
    pub(super) fn usable(&self, now: Instant) -> Vec<RootId> {
        let usable = |(_, root): &(&RootId, &Root)| !root.gone && now >= root.refill_after;
        self.by_id.iter().filter(usable).map(|(id, _)| *id).collect()
    }

    /// Each, and whether it is there.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RootId, bool)> {
        self.by_id.iter().map(|(id, root)| (*id, !root.gone))
    }

    /// A blank sandbox of the root has become ready.
    pub(super) fn made(&mut self, root: RootId) {
        self.by_id.entry(root).or_default().failures = 0;
        self.refill_due = true;
    }

    /// A blank sandbox of the root was lost in the making.
    pub(super) fn failed(&mut self, timers: &mut Timers, now: Instant, id: RootId) {
        let root = self.by_id.entry(id).or_default();
        // Those that were on their way when the first of them failed tell nothing new.
        if now >= root.refill_after {
            let pause = PAUSE.saturating_mul(1 << root.failures.min(6)).min(PAUSE_MAX);
            root.failures = root.failures.saturating_add(1);
            root.refill_after = now + pause;
        }
        timers.arm(Due::Root(id), &mut root.armed, root.refill_after);
    }

    /// None is made ahead of need before `until`.
    pub(super) fn pause(&mut self, until: Instant) {
        self.by_id.values_mut().for_each(|root| root.refill_after = root.refill_after.max(until));
    }

    pub(super) fn come(&mut self, root: RootId) {
        let root = self.by_id.entry(root).or_default();
        (root.gone, root.failures) = (false, 0);
        self.refill_due = true;
    }

    pub(super) fn go(&mut self, root: RootId) {
        self.by_id.entry(root).or_default().gone = true;
    }

    /// The pause of the root is over.
    pub(super) fn due(&mut self, root: RootId) {
        if let Some(root) = self.by_id.get_mut(&root) {
            root.armed = None;
            self.refill_due = true;
        }
    }
}
