//! Threads for what blocks, shared out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Panicked, blocking};

/// So many threads at once for each account's work of one kind. What hangs, or takes long, then keeps that account's next waiting and
/// nobody else's.
#[derive(Debug)]
pub struct Shares {
    threads: usize,
    turns: Mutex<Option<HashMap<String, Weak<Semaphore>>>>,
}

impl Shares {
    pub const fn new(threads: usize) -> Self {
        Self { threads, turns: Mutex::new(None) }
    }

    /// As [`blocking`], in the account's turn: they come in order.
    ///
    /// # Errors
    /// The work panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        account: &str,
        task: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let turn = self.turn(account).await;
        let in_turn = move || {
            let _held_to_its_end = turn;
            work()
        };
        blocking(task, in_turn).await
    }

    /// The account's turn, to be held for as long as it lasts. It is never `None`: such a semaphore is not closed.
    pub async fn turn(&self, account: &str) -> Option<OwnedSemaphorePermit> {
        self.of(account).acquire_owned().await.ok()
    }

    fn of(&self, account: &str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turns = turns.get_or_insert_default();
        if let Some(known) = turns.get(account).and_then(Weak::upgrade) {
            return known;
        }
        // Of those of whom nothing is under way nothing is kept.
        turns.retain(|_, known| known.strong_count() > 0);
        let new = Arc::new(Semaphore::new(self.threads));
        turns.insert(account.to_owned(), Arc::downgrade(&new));
        new
    }
}

/// So many turns at once for all accounts together, and so many for each. However many of one account wait, another's next is behind
/// one round of those who wait at most.
#[derive(Debug)]
pub struct FairTurns {
    /// Of one account no more wait among all than may be under way.
    own: Shares,
    all: Arc<Semaphore>,
}

/// To be held for as long as it lasts. The account's own goes last: until then none of its others waits among all.
#[derive(Debug)]
pub struct Turn {
    _all: Option<OwnedSemaphorePermit>,
    _own: Option<OwnedSemaphorePermit>,
}

impl FairTurns {
    pub fn new(of_all: usize, of_each: usize) -> Self {
        Self { own: Shares::new(of_each), all: Arc::new(Semaphore::new(of_all)) }
    }

    pub async fn turn(&self, account: &str) -> Turn {
        let own = self.own.turn(account).await;
        Turn { _all: Arc::clone(&self.all).acquire_owned().await.ok(), _own: own }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn what_hangs_holds_up_its_own_account_alone() {
        static SHARES: Shares = Shares::new(2);
        let (go, hung) = channel::<()>();
        let hung = Arc::new(Mutex::new(hung));
        let hang = || {
            let hung = Arc::clone(&hung);
            tokio::spawn(SHARES.blocking("a", "one that hangs", move || hung.lock().unwrap().recv().is_err()))
        };
        let held = [hang(), hang()];
        while SHARES.of("a").available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let next = tokio::spawn(SHARES.blocking("a", "the next", || true));
        assert_eq!(SHARES.blocking("b", "another's", || true).await, Ok(true));
        assert!(!next.is_finished());
        drop(go);
        for work in held.into_iter().chain([next]) {
            assert_eq!(work.await.unwrap(), Ok(true));
        }
        assert_eq!(SHARES.of("a").available_permits(), 2);
    }

    #[tokio::test]
    async fn one_that_waits_beside_many_of_another_is_next() {
        let turns = FairTurns::new(1, 1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let held = turns.turn("a").await;
        let work = |account: &'static str| {
            let (order, turns) = (Arc::clone(&order), &turns);
            async move {
                let _turn = turns.turn(account).await;
                order.lock().unwrap().push(account);
            }
        };
        let all = futures_util::future::join_all(["a", "a", "a", "b", "a"].map(work));
        // Everybody waits by then: they are polled in this order.
        futures_util::future::join(all, async { drop(held) }).await;
        assert_eq!(*order.lock().unwrap(), ["b", "a", "a", "a", "a"]);
    }
    #[tokio::test]
    async fn accounts_of_which_nothing_is_under_way_are_forgotten() {
        let shares = Shares::new(1);
        let held = shares.turn("a").await;
        drop(shares.turn("b").await);
        let _another = shares.turn("c").await;
        let known = || shares.turns.lock().unwrap().as_ref().unwrap().keys().cloned().collect::<Vec<_>>();
        assert!(known().contains(&"a".to_owned()) && !known().contains(&"b".to_owned()));
        drop(held);
        drop(shares.turn("d").await);
        assert!(!known().contains(&"a".to_owned()));
    }
}
