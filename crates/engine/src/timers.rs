//! What is due when. Timers are lazy: a subject has at most one, possibly too early, and when it fires its owner looks what, if
//! anything, is due, and arms it again.

use std::collections::BTreeSet;

use hearth_types::{Instant, SandboxId};

use crate::event::{RootId, Ticket};
use crate::keep_alive::Known;
use crate::keys::{PoolKey, SiteKey, SubPoolKey};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Due {
    Sandbox(SandboxId),
    Ticket(Ticket),
    /// What is held back.
    Deferred,
    Root(RootId),
    /// What the keep-alive policy loads ahead of this version.
    Load(Known),
    /// What is provisioned in this pool.
    Provision(PoolKey),
    /// An instance.
    Site(SiteKey),
    /// A sub-pool, by its number.
    SubPool(SubPoolKey),
    /// The oldest of the starts that are in a hurry.
    Pace,
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Instant, Due)>,
    /// The time that the node was last told.
    announced: Option<Instant>,
}

impl Timers {
    /// Moves the timer of `subject`, held in `slot`, to `at`, unless it fires earlier anyway.
    pub(crate) fn arm(&mut self, subject: Due, slot: &mut Option<Instant>, at: Instant) {
        if slot.is_some_and(|armed| armed <= at) {
            return;
        }
        self.disarm(subject, slot);
        *slot = Some(at);
        self.due.insert((at, subject));
    }

    pub(crate) fn disarm(&mut self, subject: Due, slot: &mut Option<Instant>) {
        if let Some(armed) = slot.take() {
            self.due.remove(&(armed, subject));
        }
    }

    /// The next subject due at `now`; its slot must be cleared by the caller.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Due> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        self.due.pop_first().map(|(_, subject)| subject)
    }

    /// The node's timer has fired.
    pub(crate) fn woken(&mut self) {
        self.announced = None;
    }

    /// The time to tell the node, if it would be late otherwise.
    pub(crate) fn announce(&mut self) -> Option<Instant> {
        let (first, _) = *self.due.first()?;
        if self.announced.is_some_and(|at| at <= first) {
            return None;
        }
        self.announced = Some(first);
        Some(first)
    }
}
