//! The accounts that have anything, each in each of its Regions.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use hearth_types::Home;

use crate::account::{Account, Contents};

/// What a request names and has nothing in the store costs memory only while the request lasts: anybody may name any Region.
#[derive(Debug, Default)]
pub(crate) struct Accounts(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<Home, Arc<Account>>,
    /// Those that somebody is about to change and that have nothing yet. All who change one must hold the same.
    fresh: HashMap<Home, Weak<Account>>,
}

impl Accounts {
    pub(crate) fn new(accounts: Vec<Account>) -> Self {
        let known = accounts.into_iter().map(|account| (account.home.clone(), Arc::new(account))).collect();
        Self(RwLock::new(Inner { known, fresh: HashMap::new() }))
    }

    /// One with nothing.
    pub(crate) fn empty(home: &Home) -> Arc<Account> {
        Arc::new(Account::new(home.clone(), Contents::default()))
    }

    pub(crate) fn known(&self, home: &Home) -> Option<Arc<Account>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).known.get(home).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).known.values().cloned().collect()
    }

    pub(crate) fn for_change(&self, home: &Home) -> Arc<Account> {
        if let Some(known) = self.known(home) {
            return known;
        }
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = inner.known.get(home) {
            return Arc::clone(known);
        }
        inner.fresh.retain(|_, account| account.strong_count() > 0);
        if let Some(fresh) = inner.fresh.get(home).and_then(Weak::upgrade) {
            return fresh;
        }
        let fresh = Self::empty(home);
        inner.fresh.insert(home.clone(), Arc::downgrade(&fresh));
        fresh
    }

    /// Something of it is about to be stored: from now on it is known. Whoever stores it holds it.
    pub(crate) fn keep(&self, home: &Home) {
        if self.known(home).is_some() {
            return;
        }
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = inner.fresh.remove(home).and_then(|account| account.upgrade()) {
            inner.known.insert(home.clone(), account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(number: u64) -> Home {
        format!("123456789012/made-up-{number}").parse().unwrap()
    }

    #[test]
    fn what_is_not_stored_is_forgotten_with_its_request() {
        let accounts = Accounts::default();
        for number in 0..10_000 {
            assert!(accounts.known(&home(number)).is_none());
            let _changed_nothing = accounts.for_change(&home(number));
        }
        let inner = accounts.0.read().unwrap();
        assert_eq!((inner.known.len(), inner.fresh.len()), (0, 1));
    }

    #[test]
    fn all_who_change_one_hold_the_same_before_and_after_it_is_stored() {
        let accounts = Accounts::default();
        let (one, other) = (accounts.for_change(&home(1)), accounts.for_change(&home(1)));
        assert!(Arc::ptr_eq(&one, &other));
        accounts.keep(&home(1));
        accounts.keep(&home(1));
        let later = [accounts.for_change(&home(1)), accounts.known(&home(1)).unwrap()];
        assert!(later.iter().all(|later| Arc::ptr_eq(later, &one)));
        assert_eq!((accounts.all().len(), accounts.0.read().unwrap().fresh.len()), (1, 0));
    }
}
