//! Concurrency: who may run at all. A ticket counts from its admission until it has responded, failed or died, so that the
//! limits hold exactly whatever the order of events.

use std::collections::{BTreeSet, HashMap};

use hearth_types::{AccountId, FunctionName, VersionKey};

use crate::port::ThrottleReason;
use crate::slab::Slab;

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    /// Admitted tickets of functions without a reservation.
    pub(crate) unreserved: u32,
    /// Pools of this account that want a place for another sandbox, longest-waiting first.
    pub(crate) short: BTreeSet<(u64, u32)>,
    /// Tickets for which no sandbox is on its way.
    pub(crate) queued: usize,
    functions: u32,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) account: u32,
    name: FunctionName,
    /// All admitted tickets, whether they were admitted under a reservation or not.
    running: u32,
    pools: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Admission {
    pub(crate) accounts: Slab<Account>,
    pub(crate) functions: Slab<Function>,
    accounts_by_id: HashMap<AccountId, u32>,
    functions_by_name: HashMap<(AccountId, FunctionName), u32>,
}

impl Admission {
    /// The function of `key`, held for one more pool.
    pub(crate) fn hold(&mut self, key: &VersionKey) -> u32 {
        let name = (key.account.clone(), key.function.clone());
        let index = match self.functions_by_name.get(&name) {
            Some(index) => *index,
            None => {
                let account = self.hold_account(&key.account);
                let function = Function { account, name: key.function.clone(), running: 0, pools: 0 };
                let index = self.functions.insert(function);
                self.functions_by_name.insert(name, index);
                index
            }
        };
        self.functions[index].pools += 1;
        index
    }

    /// Undoes one `hold`. Pools end after their tickets, so nothing is counted any more when the last one goes.
    pub(crate) fn release_hold(&mut self, index: u32) {
        let function = &mut self.functions[index];
        function.pools -= 1;
        if function.pools > 0 {
            return;
        }
        let account = function.account;
        if let Some(function) = self.functions.remove(index) {
            let id = self.accounts[account].id.clone();
            self.functions_by_name.remove(&(id, function.name));
        }
        self.accounts[account].functions -= 1;
        if self.accounts[account].functions == 0
            && let Some(account) = self.accounts.remove(account)
        {
            self.accounts_by_id.remove(&account.id);
        }
    }

    /// Counts one more ticket, or says why not.
    pub(crate) fn admit(
        &mut self,
        function: u32,
        reserved: Option<u32>,
        unreserved_max: u32,
    ) -> Result<(), ThrottleReason> {
        let function = &mut self.functions[function];
        let account = &mut self.accounts[function.account];
        match reserved {
            Some(max) if function.running >= max => {
                return Err(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
            }
            None if account.unreserved >= unreserved_max => {
                return Err(ThrottleReason::ConcurrentInvocationLimitExceeded);
            }
            Some(_) => {}
            None => account.unreserved += 1,
        }
        function.running += 1;
        Ok(())
    }

    /// Undoes one `admit`.
    pub(crate) fn leave(&mut self, function: u32, reserved: bool) {
        let function = &mut self.functions[function];
        function.running -= 1;
        if !reserved {
            self.accounts[function.account].unreserved -= 1;
        }
    }

    pub(crate) fn running(&self, function: u32) -> u32 {
        self.functions[function].running
    }

    fn hold_account(&mut self, id: &AccountId) -> u32 {
        let index = match self.accounts_by_id.get(id) {
            Some(index) => *index,
            None => {
                let account =
                    Account { id: id.clone(), unreserved: 0, short: BTreeSet::new(), queued: 0, functions: 0 };
                let index = self.accounts.insert(account);
                self.accounts_by_id.insert(id.clone(), index);
                index
            }
        };
        self.accounts[index].functions += 1;
        index
    }
}
