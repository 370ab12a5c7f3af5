//! Who is short of a place: accounts in turn, the pools of each in the order in which they have waited.

use std::collections::{BTreeSet, VecDeque};

use slotmap::SecondaryMap;

use crate::keys::{AccountKey, PoolKey};

/// The queue for places.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Accounts with pools that are short of a place; the first is next.
    rotation: VecDeque<AccountKey>,
    lines: SecondaryMap<AccountKey, Line>,
    /// Tickets that are short of a place.
    tickets: usize,
}

/// What one account is short of.
#[derive(Debug, Default)]
struct Line {
    /// Longest-waiting first.
    pools: BTreeSet<(u64, PoolKey)>,
    tickets: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.rotation.is_empty()
    }

    pub(super) fn tickets(&self) -> usize {
        self.tickets
    }

    pub(super) fn tickets_of(&self, account: AccountKey) -> usize {
        self.lines.get(account).map_or(0, |line| line.tickets)
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountKey> {
        self.rotation.iter().copied()
    }

    pub(super) fn pools_of(&self, account: AccountKey) -> impl Iterator<Item = PoolKey> {
        self.lines.get(account).into_iter().flat_map(|line| &line.pools).map(|(_, pool)| *pool)
    }

    /// Whoever is next in front.
    pub(super) fn pools(&self) -> impl Iterator<Item = PoolKey> {
        self.accounts().flat_map(|account| self.pools_of(account))
    }

    /// The pool waits for its next place, behind those of its account with smaller numbers.
    pub(super) fn join(&mut self, account: AccountKey, sequence: u64, pool: PoolKey) {
        let Some(line) = self.lines.entry(account).map(slotmap::secondary::Entry::or_default) else { return };
        if line.pools.is_empty() {
            self.rotation.push_back(account);
        }
        line.pools.insert((sequence, pool));
    }

    pub(super) fn leave(&mut self, account: AccountKey, sequence: u64, pool: PoolKey) {
        let Some(line) = self.lines.get_mut(account) else { return };
        line.pools.remove(&(sequence, pool));
        if line.pools.is_empty() {
            self.rotation.retain(|other| *other != account);
            self.tidy(account);
        }
    }

    /// The account has had a place: others are next.
    pub(super) fn pass_turn(&mut self, account: AccountKey) {
        if self.rotation.front() == Some(&account) {
            self.rotation.rotate_left(1);
        }
    }

    /// So many tickets of a pool are short of a place instead of `before`.
    pub(super) fn recount(&mut self, account: AccountKey, before: usize, after: usize) {
        if before == after {
            return;
        }
        let Some(line) = self.lines.entry(account).map(slotmap::secondary::Entry::or_default) else { return };
        line.tickets = line.tickets - before + after;
        self.tickets = self.tickets - before + after;
        self.tidy(account);
    }

    fn tidy(&mut self, account: AccountKey) {
        if self.lines.get(account).is_some_and(|line| line.pools.is_empty() && line.tickets == 0) {
            self.lines.remove(account);
        }
    }
}
