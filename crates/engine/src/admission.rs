//! Concurrency: who may run at all. A ticket counts from its admission until it has responded, failed or died, so that the
//! limits hold exactly whatever the order of events.

use std::collections::HashMap;

use hearth_types::{AccountId, FunctionName, Home, VersionKey};
use slotmap::SlotMap;

use crate::keys::{AccountKey, FunctionKey, HomeKey};
use crate::port::ThrottleReason;

#[derive(Debug)]
struct Account {
    id: AccountId,
    homes: u32,
}

/// What an account's functions in one Region share: limits of concurrency hold for each Region by itself.
#[derive(Debug)]
struct Unreserved {
    home: Home,
    account: AccountKey,
    /// Admitted tickets of functions without a reservation.
    running: u32,
    /// What is provisioned of functions without a reservation, in use or not.
    provisioned: u32,
    functions: u32,
}

#[derive(Debug)]
struct Function {
    account: AccountKey,
    home: HomeKey,
    name: FunctionName,
    /// All admitted tickets, whether they were admitted under a reservation or not.
    running: u32,
    /// Those of `running` that do not use what is provisioned.
    on_demand: u32,
    /// What is provisioned of its versions, in use or not.
    provisioned: u32,
    /// Whether it had a reservation when it was last heard of.
    reserved: bool,
    pools: u32,
}

/// What an admitted ticket counts against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    Provisioned,
    Reserved,
    Unreserved,
}

#[derive(Debug, Default)]
pub(crate) struct Admission {
    accounts: SlotMap<AccountKey, Account>,
    functions: SlotMap<FunctionKey, Function>,
    homes: SlotMap<HomeKey, Unreserved>,
    accounts_by_id: HashMap<AccountId, AccountKey>,
    by_home: HashMap<Home, HomeKey>,
    functions_by_name: HashMap<(Home, FunctionName), FunctionKey>,
}

impl Admission {
    /// Of an account with pools.
    pub(crate) fn id(&self, account: AccountKey) -> &AccountId {
        &self.accounts[account].id
    }

    /// Accounts with pools.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (AccountKey, &AccountId)> {
        self.accounts.iter().map(|(key, account)| (key, &account.id))
    }

    pub(crate) fn account_of(&self, function: FunctionKey) -> AccountKey {
        self.functions[function].account
    }

    /// The account, if there is a pool of it.
    pub(crate) fn account(&self, id: &AccountId) -> Option<AccountKey> {
        self.accounts_by_id.get(id).copied()
    }

    /// The function of `key`, held for one more pool.
    pub(crate) fn hold(&mut self, key: &VersionKey) -> FunctionKey {
        let name = (key.home(), key.function.clone());
        let index = match self.functions_by_name.get(&name) {
            Some(index) => *index,
            None => {
                let home = self.hold_home(&name.0);
                let function = Function {
                    account: self.homes[home].account,
                    home,
                    name: key.function.clone(),
                    running: 0,
                    on_demand: 0,
                    provisioned: 0,
                    reserved: false,
                    pools: 0,
                };
                let index = self.functions.insert(function);
                self.functions_by_name.insert(name, index);
                index
            }
        };
        self.functions[index].pools += 1;
        index
    }

    /// Undoes one `hold`. Pools end after their tickets, so nothing is counted any more when the last one goes.
    pub(crate) fn release_hold(&mut self, index: FunctionKey) {
        let function = &mut self.functions[index];
        function.pools -= 1;
        if function.pools > 0 {
            return;
        }
        let home = function.home;
        if let Some(function) = self.functions.remove(index) {
            let id = self.homes[home].home.clone();
            self.functions_by_name.remove(&(id, function.name));
        }
        self.homes[home].functions -= 1;
        if self.homes[home].functions == 0
            && let Some(unreserved) = self.homes.remove(home)
        {
            self.by_home.remove(&unreserved.home);
            self.release_account(unreserved.account);
        }
    }

    fn release_account(&mut self, index: AccountKey) {
        self.accounts[index].homes -= 1;
        if self.accounts[index].homes == 0
            && let Some(account) = self.accounts.remove(index)
        {
            self.accounts_by_id.remove(&account.id);
        }
    }

    /// Of functions without a reservation, in all of the account's Regions: what runs, and what is provisioned.
    pub(crate) fn unreserved(&self, account: AccountKey) -> (u32, u32) {
        let homes = self.homes.values().filter(|home| home.account == account);
        homes.fold((0, 0), |(running, provisioned), home| (running + home.running, provisioned + home.provisioned))
    }

    /// What one more ticket would count against, or why there can be none. `provisioned`: some of what is provisioned of the
    /// version is not in use.
    pub(crate) fn slot(
        &mut self,
        function: FunctionKey,
        provisioned: bool,
        reserved: Option<u32>,
        unreserved_max: u32,
    ) -> Result<Slot, ThrottleReason> {
        self.note_reservation(function, reserved);
        let function = &self.functions[function];
        let unreserved = &self.homes[function.home];
        match reserved {
            Some(max)
                if function.running >= max || !provisioned && function.on_demand + function.provisioned >= max =>
            {
                Err(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded)
            }
            None if !provisioned && unreserved.running + unreserved.provisioned >= unreserved_max => {
                Err(ThrottleReason::ConcurrentInvocationLimitExceeded)
            }
            _ if provisioned => Ok(Slot::Provisioned),
            Some(_) => Ok(Slot::Reserved),
            None => Ok(Slot::Unreserved),
        }
    }

    /// Counts one more ticket, or says why not.
    pub(crate) fn admit(
        &mut self,
        function: FunctionKey,
        provisioned: bool,
        reserved: Option<u32>,
        unreserved_max: u32,
    ) -> Result<Slot, ThrottleReason> {
        let slot = self.slot(function, provisioned, reserved, unreserved_max)?;
        let function = &mut self.functions[function];
        function.running += 1;
        function.on_demand += u32::from(slot != Slot::Provisioned);
        self.homes[function.home].running += u32::from(slot == Slot::Unreserved);
        Ok(slot)
    }

    /// Undoes one `admit`.
    pub(crate) fn leave(&mut self, function: FunctionKey, slot: Slot) {
        let function = &mut self.functions[function];
        function.running -= 1;
        function.on_demand -= u32::from(slot != Slot::Provisioned);
        self.homes[function.home].running -= u32::from(slot == Slot::Unreserved);
    }

    /// What is provisioned counts against the reservation, or else against what the account's functions share in the Region.
    pub(crate) fn note_reservation(&mut self, function: FunctionKey, reserved: Option<u32>) {
        let function = &mut self.functions[function];
        let before = std::mem::replace(&mut function.reserved, reserved.is_some());
        let unreserved = &mut self.homes[function.home];
        match (before, function.reserved) {
            (false, true) => unreserved.provisioned -= function.provisioned,
            (true, false) => unreserved.provisioned += function.provisioned,
            (false, false) | (true, true) => {}
        }
    }

    /// One version of the function counts for `after` instead of `before`.
    pub(crate) fn set_provisioned(&mut self, function: FunctionKey, before: u32, after: u32) {
        let function = &mut self.functions[function];
        function.provisioned = function.provisioned - before + after;
        if !function.reserved {
            let unreserved = &mut self.homes[function.home];
            unreserved.provisioned = unreserved.provisioned - before + after;
        }
    }

    pub(crate) fn running(&self, function: FunctionKey) -> u32 {
        self.functions[function].running
    }

    fn hold_home(&mut self, id: &Home) -> HomeKey {
        let index = match self.by_home.get(id) {
            Some(index) => *index,
            None => {
                let account = self.hold_account(&id.account);
                let home = Unreserved { home: id.clone(), account, running: 0, provisioned: 0, functions: 0 };
                let index = self.homes.insert(home);
                self.by_home.insert(id.clone(), index);
                index
            }
        };
        self.homes[index].functions += 1;
        index
    }

    fn hold_account(&mut self, id: &AccountId) -> AccountKey {
        let index = match self.accounts_by_id.get(id) {
            Some(index) => *index,
            None => {
                let account = Account { id: id.clone(), homes: 0 };
                let index = self.accounts.insert(account);
                self.accounts_by_id.insert(id.clone(), index);
                index
            }
        };
        self.accounts[index].homes += 1;
        index
    }
}
