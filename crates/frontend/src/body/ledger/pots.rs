//! The pots that bodies' memory comes out of, and which body may take how much of them.

use std::collections::HashMap;

use tokio_util::sync::CancellationToken;

use super::Holder;
use super::pace::Pace;

/// Bodies up to this size are small, bytes.
pub(super) const SMALL_BYTES_MAX: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct State {
    proven: Part,
    claimed: Part,
    account_max: usize,
    key_max: usize,
    /// Of those who hold something.
    pub(super) holders: HashMap<Holder, Part>,
    /// On their way from or to a client.
    pub(super) moving: HashMap<u64, Moving>,
    /// Pots of single holders that hold more than they are for.
    overfull: usize,
    last: u64,
}

/// The pots of small bodies and of all others.
pub(super) type Part = [Pot; 2];
const SMALL: usize = 0;
const LARGE: usize = 1;

#[derive(Debug)]
pub(super) struct Pot {
    max: usize,
    used: usize,
    leader: Option<u64>,
    /// What the largest body since it was empty counts for.
    largest: usize,
}

pub(super) fn part(max: usize) -> Part {
    let pot = |max| Pot { max, used: 0, leader: None, largest: 0 };
    [pot(max / 4), pot(max / 4 * 3)]
}

/// Where a body's memory comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Source {
    pub(super) holder: Holder,
    pub(super) size: usize,
}

/// A body on its way.
#[derive(Debug)]
pub(super) struct Moving {
    pub(super) source: Source,
    pub(super) held: usize,
    /// The most that it can come to hold.
    pub(super) whole: usize,
    pub(super) pace: Pace,
    /// For room.
    pub(super) waits: bool,
    pub(super) given_up: CancellationToken,
}

impl State {
    pub(super) fn new(proven_max: usize, account_max: usize, claimed_max: usize, key_max: usize) -> Self {
        Self {
            proven: part(proven_max),
            claimed: part(claimed_max),
            account_max,
            key_max,
            holders: HashMap::new(),
            moving: HashMap::new(),
            overfull: 0,
            last: 0,
        }
    }

    /// A body of `whole` bytes at most, of which nothing is held yet.
    pub(super) fn enter(
        &mut self,
        holder: Holder,
        whole: usize,
        pace: Pace,
        given_up: CancellationToken,
    ) -> (u64, Source) {
        self.last += 1;
        // Many small bodies at once may take what is for others.
        let small = self.holder(&holder)[SMALL].has_room_for_small();
        let size = if whole <= SMALL_BYTES_MAX && small { SMALL } else { LARGE };
        let source = Source { holder, size };
        self.forget_if_empty(&source.holder);
        let moving = Moving { source: source.clone(), held: 0, whole, pace, waits: false, given_up };
        self.moving.insert(self.last, moving);
        (self.last, source)
    }

    /// What is there already, whether or not there is room for it.
    pub(super) fn hold(&mut self, id: u64, source: &Source, bytes: usize) {
        self.holder(&source.holder);
        self.give(source, bytes);
        if let Some(moving) = self.moving.get_mut(&id) {
            moving.held = bytes;
        }
    }

    /// Somebody holds more than is meant for it.
    pub(super) fn is_crowded(&self) -> bool {
        self.overfull > 0 || self.proven[LARGE].used > self.proven[LARGE].max
    }

    /// Whether `holder` may be given more to read: not while it has too much unread, or more than others where all have.
    pub(super) fn may_ask(&mut self, holder: &Holder) -> bool {
        let Some(held) = self.holders.get(holder).map(|part| (part[LARGE].used, part[LARGE].max)) else { return true };
        let (used, max) = held;
        let all = &self.proven[LARGE];
        let holders = self.holders.iter().filter(|(holder, part)| holder.is_proven() && part[LARGE].used > 0).count();
        if used <= max && (all.used <= all.max || used <= all.max / holders.max(1)) {
            return true;
        }
        let source = Source { holder: holder.clone(), size: LARGE };
        self.give_up_stalled(&source, 0, used <= max, used.saturating_sub(max).max(all.used.saturating_sub(all.max)));
        false
    }

    pub(super) fn grow(&mut self, id: u64, more: usize) -> bool {
        let Some(moving) = self.moving.get(&id) else { return false };
        let (source, whole) = (moving.source.clone(), moving.whole);
        let rest = whole.saturating_sub(moving.held).max(more);
        self.holder(&source.holder);
        for pot in self.pots_mut(&source) {
            pot.largest = pot.largest.max(whole);
        }
        let leads = self.lead(&source, id, rest);
        let [inner, outer] = self.pots(&source).map(|pot| pot.is_some_and(|pot| more <= self.room(pot, id)));
        let fits = inner && outer && !self.yields(id, &source);
        if let Some(moving) = self.moving.get_mut(&id) {
            moving.waits = !fits;
        }
        if !fits {
            self.give_up_stalled(&source, id, inner, if leads { rest } else { more });
            self.forget_if_empty(&source.holder);
            return false;
        }
        self.give(&source, more);
        if let Some(moving) = self.moving.get_mut(&id) {
            moving.held += more;
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
            Some(leader) => self.moving.get(&leader).map_or(pot.largest, |leader| {
                leader.whole.saturating_sub(leader.held).max(pot.largest.saturating_sub(leader.held))
            }),
            None => pot.largest,
        };
        pot.free().saturating_sub(kept)
    }

    pub(super) fn move_to(&mut self, from: &Source, to: &Source, held: usize) -> bool {
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

    /// It does not move any more.
    pub(super) fn stand_still(&mut self, id: u64) {
        let Some(moving) = self.moving.remove(&id) else { return };
        for pot in self.pots_mut(&moving.source) {
            pot.leader = pot.leader.filter(|leader| *leader != id);
        }
    }

    /// The holder's pot, then that of all holders.
    pub(super) fn pots(&self, source: &Source) -> [Option<&Pot>; 2] {
        let all = if source.holder.is_proven() { &self.proven } else { &self.claimed };
        [self.holders.get(&source.holder).map(|part| &part[source.size]), Some(&all[source.size])]
    }

    fn pots_mut(&mut self, source: &Source) -> impl Iterator<Item = &mut Pot> {
        let all = if source.holder.is_proven() { &mut self.proven } else { &mut self.claimed };
        let inner = self.holders.get_mut(&source.holder).map(|part| &mut part[source.size]);
        inner.into_iter().chain([&mut all[source.size]])
    }

    pub(super) fn holder(&mut self, holder: &Holder) -> &mut Part {
        let max = if holder.is_proven() { self.account_max } else { self.key_max };
        self.holders.entry(holder.clone()).or_insert_with(|| part(max))
    }

    pub(super) fn give(&mut self, source: &Source, bytes: usize) {
        self.shift(source, |used| used + bytes);
    }

    pub(super) fn take(&mut self, source: &Source, bytes: usize) {
        self.shift(source, |used| used.saturating_sub(bytes));
        for pot in self.pots_mut(source) {
            if pot.used == 0 {
                pot.largest = 0;
            }
        }
        self.forget_if_empty(&source.holder);
    }

    /// What one holder has above its own pot counts in that alone: it is nobody else's loss.
    fn shift(&mut self, source: &Source, change: impl FnOnce(usize) -> usize) {
        let proven = source.holder.is_proven();
        let Some(inner) = self.holders.get_mut(&source.holder).map(|part| &mut part[source.size]) else { return };
        let (before, was_overfull) = (inner.used.min(inner.max), inner.used > inner.max);
        inner.used = change(inner.used);
        let (after, is_overfull) = (inner.used.min(inner.max), inner.used > inner.max);
        let outer = if proven { &mut self.proven[source.size] } else { &mut self.claimed[source.size] };
        outer.used = (outer.used + after).saturating_sub(before);
        self.overfull = self.overfull + usize::from(is_overfull) - usize::from(was_overfull);
    }

    pub(super) fn forget_if_empty(&mut self, holder: &Holder) {
        let empty = |pot: &Pot| pot.used == 0 && pot.leader.is_none();
        if self.holders.get(holder).is_some_and(|part| part.iter().all(empty)) {
            self.holders.remove(holder);
        }
    }
}

impl Pot {
    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn free(&self) -> usize {
        self.max.saturating_sub(self.used)
    }

    pub(super) fn has_room_for_small(&self) -> bool {
        self.used + 2 * SMALL_BYTES_MAX <= self.max
    }
}
