//! Memory for the bodies of requests and of large answers: who may take how much of it, and who gives way.
//!
//! Most of the memory is for requests that are proven to be an account's, and no account gets more than a quarter of all. The rest
//! is for bodies that have to be read before anybody can say whose they are, in equal parts where several ask (`fairness`). A
//! quarter of each part is for small bodies alone.
//!
//! Only what has arrived is counted, so a client that announces much and sends nothing takes nothing. In each pot one body, its
//! *leader*, has room kept for its rest, and after it any other will: bodies never wait for one another half read. Where there is no
//! room, bodies whose clients stall are given up.
//!
//! An answer is there before anybody asks for its room. So it counts in any case, and whoever has more of them unread than it has room for
//! gets its next request begun when it has read some.

mod fairness;
mod pace;
mod pots;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hearth_types::AccountId;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use fairness::Claimant;
use pace::Pace;
use pots::{Source, State};

/// No part is smaller than the largest body and the quarter that it leaves to small ones, bytes.
pub(crate) const PART_BYTES_MIN: usize = 96 * 1024 * 1024;
/// What is counted of a body is rounded up to these, bytes: the second from its own size on.
const STEPS: [usize; 2] = [4 * 1024, 64 * 1024];
/// Those who wait look so often whether somebody has stalled meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Out of whose part a body's memory comes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Holder {
    /// Who asks is proven.
    Account(AccountId),
    Operator,
    Claimed(Claimant),
}

impl Holder {
    fn is_proven(&self) -> bool {
        !matches!(self, Self::Claimed(_))
    }
}

/// There was no room within the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoRoom;

/// The memory for all bodies. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Ledger(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// [`State::is_crowded`], to be read without a lock.
    crowded: AtomicBool,
    freed: Notify,
}

/// A body's part of the memory; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shared: Arc<Shared>,
    id: u64,
    source: Source,
    held: usize,
    /// Cancelled: others need the room, and the client has stalled.
    pub(crate) given_up: CancellationToken,
}

/// What a body of `length` bytes counts for.
fn counted(length: usize) -> usize {
    let [fine, coarse] = STEPS;
    if length <= coarse { length.next_multiple_of(fine) } else { length.next_multiple_of(coarse) }
}

impl Ledger {
    /// `bytes`: for all bodies together.
    pub(crate) fn new(bytes: usize) -> Self {
        let claimed_max = (bytes / 4).max(PART_BYTES_MIN);
        let proven_max = bytes.saturating_sub(claimed_max).max(PART_BYTES_MIN);
        Self::of_parts(proven_max, (bytes / 4).max(PART_BYTES_MIN), claimed_max, (claimed_max / 2).max(PART_BYTES_MIN))
    }

    pub(super) fn of_parts(proven_max: usize, account_max: usize, claimed_max: usize, key_max: usize) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State::new(proven_max, account_max, claimed_max, key_max)),
            crowded: AtomicBool::new(false),
            freed: Notify::new(),
        }))
    }

    /// For a body of `length_max` bytes at most, of which nothing is held yet.
    pub(crate) fn open(&self, holder: Holder, length_max: usize) -> Share {
        let given_up = CancellationToken::new();
        let (id, source) = self.0.state().enter(holder, counted(length_max), Pace::SENDING, given_up.clone());
        Share { shared: self.0.clone(), id, source, held: 0, given_up }
    }

    /// For an answer of `length` bytes, which is there: it counts whether or not there is room. `given_up` ends the connection of a
    /// client that stalls while others need the room.
    pub(crate) fn charge(&self, holder: Holder, length: usize, given_up: CancellationToken) -> Share {
        let held = counted(length);
        let mut state = self.0.state();
        let (id, source) = state.enter(holder, held, Pace::READING, given_up.clone());
        state.hold(id, &source, held);
        self.0.note_crowding(&state);
        drop(state);
        Share { shared: self.0.clone(), id, source, held, given_up }
    }

    /// Waits until `holder` has read enough of its answers to be given more.
    pub(crate) async fn may_ask(&self, holder: impl FnOnce() -> Holder, deadline: Instant) -> Result<(), NoRoom> {
        if !self.0.crowded.load(Ordering::Relaxed) {
            return Ok(());
        }
        let holder = holder();
        self.0.until(deadline, |state| state.may_ask(&holder)).await
    }
}

impl Shared {
    fn note_crowding(&self, state: &State) {
        self.crowded.store(state.is_crowded(), Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `attempt` succeeds.
    async fn until(&self, deadline: Instant, mut attempt: impl FnMut(&mut State) -> bool) -> Result<(), NoRoom> {
        loop {
            if attempt(&mut self.state()) {
                return Ok(());
            }
            let now = Instant::now();
            if now >= deadline {
                return Err(NoRoom);
            }
            let look = tokio::time::sleep(LOOK_EVERY.min(deadline - now));
            tokio::select! {
                () = self.freed.notified() => {}
                () = look => {}
            }
        }
    }
}

impl Share {
    /// Makes it cover `length` bytes.
    pub(crate) async fn grow(&mut self, length: usize, deadline: Instant) -> Result<(), NoRoom> {
        let wanted = counted(length);
        if wanted <= self.held {
            return Ok(());
        }
        let (id, more) = (self.id, wanted - self.held);
        self.shared.until(deadline, |state| state.grow(id, more)).await?;
        self.held = wanted;
        Ok(())
    }

    /// The client is waited for from now on.
    pub(crate) fn await_client(&self) {
        if let Some(moving) = self.shared.state().moving.get_mut(&self.id) {
            moving.pace.await_client();
        }
    }

    /// So many bytes went to or fro, or none. For how long the client was waited for in all.
    pub(crate) fn heard(&self, bytes: usize) -> Duration {
        self.shared.state().moving.get_mut(&self.id).map(|moving| moving.pace.heard(bytes)).unwrap_or_default()
    }

    /// The whole body is there.
    pub(crate) fn complete(&self) {
        self.shared.state().stand_still(self.id);
        self.shared.freed.notify_one();
    }

    /// It is certain whose the body is: it comes out of the owner's part from now on.
    pub(crate) async fn prove(&mut self, owner: Holder, deadline: Instant) -> Result<(), NoRoom> {
        let owner = Source { holder: owner, size: self.source.size };
        if self.source == owner {
            return Ok(());
        }
        let (held, from) = (self.held, self.source.clone());
        self.shared.until(deadline, |state| state.move_to(&from, &owner, held)).await?;
        self.source = owner;
        self.shared.freed.notify_one();
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.stand_still(self.id);
        state.take(&self.source, self.held);
        self.shared.note_crowding(&state);
        drop(state);
        self.shared.freed.notify_one();
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
