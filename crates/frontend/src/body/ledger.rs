//! Memory for request bodies: who may take how much of it, and who gives way.
//!
//! Most of the memory is for requests that are proven to be an account's, and no account gets more than a quarter of all. The rest
//! is for bodies that have to be read before anybody can say whose they are, half of it at most for each access key that they name. A
//! quarter of each part is for small bodies alone.
//!
//! Only what has arrived is counted, so a client that announces much and sends nothing takes nothing. In each pot one body, its
//! *leader*, has room kept for its rest, and after it any other will: bodies never wait for one another half read. Where there is no
//! room, bodies whose clients stall are given up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hearth_types::AccountId;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// No part is smaller than the largest body and the quarter that it leaves to small ones, bytes.
pub(crate) const PART_BYTES_MIN: usize = 96 * 1024 * 1024;
/// Bodies up to this size are small, bytes.
const SMALL_BYTES_MAX: usize = 256 * 1024;
/// What is counted of a body is rounded up to these, bytes: the second from its own size on.
const STEPS: [usize; 2] = [4 * 1024, 64 * 1024];
/// Where others need room, a client must send something within this time,
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// and from this time on so many bytes per second.
const SLOW_AFTER: Duration = Duration::from_secs(2);
const RATE_MIN: f64 = 32.0 * 1024.0;
/// Those who wait look so often whether somebody has stalled meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Out of whose part a body's memory comes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Holder {
    /// Who asks is proven.
    Account(AccountId),
    Operator,
    /// The access key that an unproven request names.
    Claimed(String),
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
    freed: Notify,
}

#[derive(Debug)]
struct State {
    proven: Part,
    claimed: Part,
    account_max: usize,
    key_max: usize,
    /// Of those who hold something.
    holders: HashMap<Holder, Part>,
    arriving: HashMap<u64, Arriving>,
    last: u64,
}

/// The pots of small bodies and of all others.
type Part = [Pot; 2];
const SMALL: usize = 0;
const LARGE: usize = 1;

#[derive(Debug)]
struct Pot {
    max: usize,
    used: usize,
    leader: Option<u64>,
    /// What the largest body since it was empty counts for.
    largest: usize,
}

fn part(max: usize) -> Part {
    let pot = |max| Pot { max, used: 0, leader: None, largest: 0 };
    [pot(max / 4), pot(max / 4 * 3)]
}

/// Where a body's memory comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Source {
    holder: Holder,
    size: usize,
}

/// A body on its way.
#[derive(Debug)]
struct Arriving {
    source: Source,
    held: usize,
    /// The most that it can come to hold.
    whole: usize,
    received: usize,
    /// For how long its client was waited for, without `since`.
    waited: Duration,
    /// Its client is being waited for.
    since: Option<Instant>,
    given_up: CancellationToken,
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
            state: Mutex::new(State {
                proven: part(proven_max),
                claimed: part(claimed_max),
                account_max,
                key_max,
                holders: HashMap::new(),
                arriving: HashMap::new(),
                last: 0,
            }),
            freed: Notify::new(),
        }))
    }

    /// For a body of `length_max` bytes at most, of which nothing is held yet.
    pub(crate) fn open(&self, holder: Holder, length_max: usize) -> Share {
        let given_up = CancellationToken::new();
        let mut state = self.0.state();
        state.last += 1;
        let (id, whole) = (state.last, counted(length_max));
        // Many small bodies at once may take what is for others.
        let small = state.holder(&holder)[SMALL].has_room_for_small();
        let size = if length_max <= SMALL_BYTES_MAX && small { SMALL } else { LARGE };
        let source = Source { holder, size };
        state.forget_if_empty(&source.holder);
        let arriving = Arriving {
            source: source.clone(),
            held: 0,
            whole,
            received: 0,
            waited: Duration::ZERO,
            since: None,
            given_up: given_up.clone(),
        };
        state.arriving.insert(id, arriving);
        drop(state);
        Share { shared: self.0.clone(), id, source, held: 0, given_up }
    }
}

impl Shared {
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
        if let Some(arriving) = self.shared.state().arriving.get_mut(&self.id) {
            arriving.since = Some(Instant::now());
        }
    }

    /// So many bytes came, or none. For how long the client was waited for in all.
    pub(crate) fn heard(&self, bytes: usize) -> Duration {
        let mut state = self.shared.state();
        let Some(arriving) = state.arriving.get_mut(&self.id) else { return Duration::ZERO };
        arriving.received += bytes;
        arriving.waited += arriving.since.take().map(|since| since.elapsed()).unwrap_or_default();
        arriving.waited
    }

    /// The whole body is there.
    pub(crate) fn complete(&self) {
        self.shared.state().arrived(self.id);
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
        state.arrived(self.id);
        state.take(&self.source, self.held);
        drop(state);
        self.shared.freed.notify_one();
    }
}

impl State {
    fn grow(&mut self, id: u64, more: usize) -> bool {
        let Some(arriving) = self.arriving.get(&id) else { return false };
        let (source, whole) = (arriving.source.clone(), arriving.whole);
        let rest = whole.saturating_sub(arriving.held).max(more);
        self.holder(&source.holder);
        for pot in self.pots_mut(&source) {
            pot.largest = pot.largest.max(whole);
        }
        let leads = self.lead(&source, id, rest);
        let [inner, outer] = self.pots(&source).map(|pot| pot.is_some_and(|pot| more <= self.room(pot, id)));
        if !(inner && outer) {
            self.give_up_stalled(&source, id, inner, if leads { rest } else { more });
            self.forget_if_empty(&source.holder);
            return false;
        }
        self.give(&source, more);
        if let Some(arriving) = self.arriving.get_mut(&id) {
            arriving.held += more;
        }
        true
    }

    /// Makes the body leader of its pots where these have none and hold its rest. Of the outer pot only the leader of an inner one
    /// becomes leader: so there is always one body that nothing but its client holds up.
    fn lead(&mut self, source: &Source, id: u64, rest: usize) -> bool {
        for pot in self.pots_mut(source) {
            if pot.leader.is_none() && rest <= pot.free() {
                pot.leader = Some(id);
            }
            if pot.leader != Some(id) {
                return false;
            }
        }
        true
    }

    /// What a body may take: all that is free as the leader. Else what leaves the leader its rest, and the largest its whole once the
    /// leader is gone.
    fn room(&self, pot: &Pot, id: u64) -> usize {
        let kept = match pot.leader {
            Some(leader) if leader == id => 0,
            Some(leader) => self.arriving.get(&leader).map_or(pot.largest, |leader| {
                leader.whole.saturating_sub(leader.held).max(pot.largest.saturating_sub(leader.held))
            }),
            None => pot.largest,
        };
        pot.free().saturating_sub(kept)
    }

    /// Gives up bodies whose clients stall, the slowest first, until so many bytes are free for another.
    fn give_up_stalled(&mut self, source: &Source, but: u64, inner_has_room: bool, wanted: usize) {
        let now = Instant::now();
        let proven = source.holder.is_proven();
        let near = |other: &Source| {
            let kin = if inner_has_room { other.holder.is_proven() == proven } else { other.holder == source.holder };
            kin && other.size == source.size
        };
        let arriving = self.arriving.iter().filter(|(id, other)| **id != but && near(&other.source));
        let mut stalled: Vec<(f64, &Arriving)> =
            arriving.filter_map(|(_, other)| Some((other.stalled(now)?, other))).collect();
        stalled.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut freed = 0;
        for (_, other) in stalled {
            if freed >= wanted {
                break;
            }
            freed += other.held;
            other.given_up.cancel();
        }
    }

    fn move_to(&mut self, from: &Source, to: &Source, held: usize) -> bool {
        self.holder(&to.holder);
        let fits = self.pots(to).iter().all(|pot| pot.is_some_and(|pot| held <= pot.free()));
        if fits {
            self.give(to, held);
            self.take(from, held);
        } else {
            self.give_up_stalled(to, 0, true, held);
            self.forget_if_empty(&to.holder);
        }
        fits
    }

    fn arrived(&mut self, id: u64) {
        let Some(arriving) = self.arriving.remove(&id) else { return };
        for pot in self.pots_mut(&arriving.source) {
            pot.leader = pot.leader.filter(|leader| *leader != id);
        }
    }

    /// The holder's pot, then that of all holders.
    fn pots(&self, source: &Source) -> [Option<&Pot>; 2] {
        let all = if source.holder.is_proven() { &self.proven } else { &self.claimed };
        [self.holders.get(&source.holder).map(|part| &part[source.size]), Some(&all[source.size])]
    }

    fn pots_mut(&mut self, source: &Source) -> impl Iterator<Item = &mut Pot> {
        let all = if source.holder.is_proven() { &mut self.proven } else { &mut self.claimed };
        let inner = self.holders.get_mut(&source.holder).map(|part| &mut part[source.size]);
        inner.into_iter().chain([&mut all[source.size]])
    }

    fn holder(&mut self, holder: &Holder) -> &mut Part {
        let max = if holder.is_proven() { self.account_max } else { self.key_max };
        self.holders.entry(holder.clone()).or_insert_with(|| part(max))
    }

    fn give(&mut self, source: &Source, bytes: usize) {
        for pot in self.pots_mut(source) {
            pot.used += bytes;
        }
    }

    fn take(&mut self, source: &Source, bytes: usize) {
        for pot in self.pots_mut(source) {
            pot.used = pot.used.saturating_sub(bytes);
            if pot.used == 0 {
                pot.largest = 0;
            }
        }
        self.forget_if_empty(&source.holder);
    }

    fn forget_if_empty(&mut self, holder: &Holder) {
        let empty = |pot: &Pot| pot.used == 0 && pot.leader.is_none();
        if self.holders.get(holder).is_some_and(|part| part.iter().all(empty)) {
            self.holders.remove(holder);
        }
    }
}

impl Pot {
    fn free(&self) -> usize {
        self.max.saturating_sub(self.used)
    }

    fn has_room_for_small(&self) -> bool {
        self.used + 2 * SMALL_BYTES_MAX <= self.max
    }
}

impl Arriving {
    /// The rate of a body whose client has stalled, bytes per second.
    fn stalled(&self, now: Instant) -> Option<f64> {
        if self.given_up.is_cancelled() {
            return None;
        }
        let pause = now - self.since?;
        let waited = self.waited + pause;
        let rate = self.received as f64 / waited.as_secs_f64().max(0.001);
        (pause >= PAUSE_MAX || (waited >= SLOW_AFTER && rate < RATE_MIN)).then_some(rate)
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
