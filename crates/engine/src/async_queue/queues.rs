//! Which function's events are taken off the durable queue next. Each function has a queue of its own there.
//!
//! ```text
//!            note          due              next            leased, more are due
//!   (gone) ───────► Later ─────► in its turn ────► leasing ─────────────────────► in its turn
//!      ▲              ▲                               │
//!      │ none left    │ some are due later            │
//!      └──────────────┴───────────────────────────────┘
//! ```
//! - **Turns.** First comes the account with the fewest events under way, within it the function with the fewest, among equals
//!   the one whose last turn, or else its coming, is longest ago.
//! - **Shares** bound what one account and one function have under way (`share`).
//! - **Throttled** functions take up no more than ran when they were throttled, then one more after as many have run. If none ran,
//!   they pause, longer each time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use hearth_types::{FunctionName, Home, Instant};
use slotmap::SlotMap;

use super::share::{Bounds, Held, Terms, allowance};
use crate::keys::{OwnerKey, QueueKey};

/// A queue's name in the store: `ACCOUNT/REGION/FUNCTION`. One without a slash is an account of its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueueName(Arc<str>);

impl QueueName {
    pub fn new(home: &Home, function: &FunctionName) -> Self {
        Self(format!("{home}/{function}").into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In whose turns it is.
    pub fn account(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The function's account, Region and name. Queues from before there were Regions, `ACCOUNT/FUNCTION`, name none.
    pub fn function(&self) -> Option<(&str, Option<&str>, &str)> {
        let (account, rest) = self.0.split_once('/')?;
        Some(rest.split_once('/').map_or((account, None, rest), |(region, name)| (account, Some(region), name)))
    }
}

impl From<&str> for QueueName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

/// So many events of this queue are to be leased. They count as under way from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Take {
    pub queue: QueueName,
    pub count: usize,
    /// What each is counted as.
    pub memory_mib: u64,
}

/// How an event that was taken up ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The function ran.
    Ran,
    /// It could not.
    Throttled,
    /// It was not tried.
    Untried,
}

const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Queue {
    name: QueueName,
    account: OwnerKey,
    held: Held,
    /// When the store's next message is visible, as far as is known; `None`: it has none.
    due: Option<Instant>,
    leasing: bool,
    /// The number of its last turn, or of its coming.
    turn: u64,
    /// Where it is listed now.
    listed: Option<Listed>,
    /// Events that may be under way, after it was throttled.
    window: usize,
    /// Events that ran since the window was changed.
    ran: usize,
    /// Times in a row that it was throttled with nothing else under way.
    pauses: u32,
    paused_until: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Listed {
    Later(Instant),
    /// With this key, in the account's turns.
    Ready(usize, u64),
}

#[derive(Debug)]
struct Account {
    id: Box<str>,
    held: Held,
    turn: u64,
    /// By events under way, then by last turn.
    ready: BTreeSet<(usize, u64, QueueKey)>,
    queues: usize,
}

/// What the node knows of the queues in the store.
#[derive(Debug)]
pub struct EventQueues {
    bounds: Bounds,
    held: Held,
    queues: SlotMap<QueueKey, Queue>,
    by_name: HashMap<QueueName, QueueKey>,
    accounts: SlotMap<OwnerKey, Account>,
    accounts_by_id: HashMap<Box<str>, OwnerKey>,
    /// Accounts with queues whose turn may come, by events under way, then by last turn.
    ready: BTreeSet<(usize, u64, OwnerKey)>,
    later: BTreeSet<(Instant, QueueKey)>,
    turn: u64,
}

impl EventQueues {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            held: Held::default(),
            queues: SlotMap::default(),
            by_name: HashMap::new(),
            accounts: SlotMap::default(),
            accounts_by_id: HashMap::new(),
            ready: BTreeSet::new(),
            later: BTreeSet::new(),
            turn: 0,
        }
    }

    /// Events under way.
    pub fn running(&self) -> usize {
        self.held.running
    }

    /// A message of the queue is visible from `at` on.
    pub fn note(&mut self, name: &QueueName, at: Instant) {
        let index = self.hold(name);
        self.change(index, |queue| queue.due = Some(queue.due.map_or(at, |due| due.min(at))));
    }

    /// The queue whose turn it is, if any may take up something now.
    pub fn next(&mut self, now: Instant, mut terms: impl FnMut(&QueueName) -> Terms) -> Option<Take> {
        while let Some((_, index)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.unlist(index);
            let key = (self.queues[index].held.running, self.queues[index].turn);
            self.list(index, Listed::Ready(key.0, key.1));
        }
        let bounds = self.bounds;
        let (index, count, memory_mib) = self.ready.iter().find_map(|(.., account)| {
            let account = &self.accounts[*account];
            account.ready.iter().find_map(|(.., index)| {
                let queue = &self.queues[*index];
                let terms = terms(&queue.name);
                let more = allowance(bounds, &terms, self.held, account.held, queue.held);
                let more = more.min(queue.window.saturating_sub(queue.held.running));
                // Half of it, so that a burst ramps up in a few rounds while throttles of the first can still slow it down.
                let count = more.div_ceil(2).min(bounds.batch_max);
                (count > 0).then_some((*index, count, terms.memory_mib))
            })
        })?;
        self.turn += 1;
        let turn = self.turn;
        self.unlist(index);
        self.recount(index, |held| held.add(count, memory_mib));
        let account = self.queues[index].account;
        self.retake(account, |account| account.turn = turn);
        self.change(index, |queue| (queue.leasing, queue.turn, queue.due) = (true, turn, None));
        Some(Take { queue: self.queues[index].name.clone(), count, memory_mib })
    }

    /// The store gave `count` of what was to be taken; its next message is visible from `next` on.
    pub fn leased(&mut self, take: &Take, count: usize, next: Option<Instant>) {
        let Some(index) = self.by_name.get(&take.queue).copied() else { return };
        let missing = take.count.saturating_sub(count);
        self.recount(index, |held| held.remove(missing, take.memory_mib));
        self.change(index, |queue| {
            queue.leasing = false;
            queue.due = queue.due.into_iter().chain(next).min();
        });
    }

    /// One event that was taken up has ended; if it is to be tried again, `again` says from when on.
    pub fn ended(&mut self, now: Instant, name: &QueueName, memory_mib: u64, end: Ended, again: Option<Instant>) {
        let Some(index) = self.by_name.get(name).copied() else { return };
        self.recount(index, |held| held.remove(1, memory_mib));
        let window_max = self.bounds.running_max;
        self.change(index, |queue| {
            queue.due = queue.due.into_iter().chain(again).min();
            match end {
                Ended::Ran => queue.note_run(window_max),
                Ended::Throttled => queue.note_throttle(now),
                Ended::Untried => {}
            }
        });
    }

    /// When the next queue's time comes. Those whose turn it is already wait for something to end.
    pub fn wake_at(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Whether any could take up more, but for what is under way.
    pub fn is_waiting(&self) -> bool {
        !self.ready.is_empty()
    }

    fn hold(&mut self, name: &QueueName) -> QueueKey {
        if let Some(index) = self.by_name.get(name) {
            return *index;
        }
        let account = self.hold_account(name.account());
        self.turn += 1;
        let index = self.queues.insert(Queue {
            name: name.clone(),
            account,
            held: Held::default(),
            due: None,
            leasing: false,
            turn: self.turn,
            listed: None,
            window: usize::MAX,
            ran: 0,
            pauses: 0,
            paused_until: Instant::ZERO,
        });
        self.by_name.insert(name.clone(), index);
        index
    }

    /// The account, held for one more queue.
    fn hold_account(&mut self, id: &str) -> OwnerKey {
        let account = match self.accounts_by_id.get(id) {
            Some(account) => *account,
            None => {
                self.turn += 1;
                let (held, turn) = (Held::default(), self.turn);
                let account =
                    self.accounts.insert(Account { id: id.into(), held, turn, ready: BTreeSet::new(), queues: 0 });
                self.accounts_by_id.insert(id.into(), account);
                account
            }
        };
        self.accounts[account].queues += 1;
        account
    }

    /// Changes the queue and lists it where it belongs then, or forgets it if nothing is left of it.
    fn change(&mut self, index: QueueKey, change: impl FnOnce(&mut Queue)) {
        self.unlist(index);
        let queue = &mut self.queues[index];
        change(queue);
        match queue.due {
            _ if queue.leasing => {}
            Some(due) => {
                let at = due.max(queue.paused_until);
                self.list(index, Listed::Later(at));
            }
            None if queue.held.running == 0 => self.forget(index),
            None => {}
        }
    }

    fn forget(&mut self, index: QueueKey) {
        let Some(queue) = self.queues.remove(index) else { return };
        self.by_name.remove(&queue.name);
        let account = &mut self.accounts[queue.account];
        account.queues -= 1;
        if account.queues == 0
            && let Some(account) = self.accounts.remove(queue.account)
        {
            self.accounts_by_id.remove(&account.id);
        }
    }

    fn list(&mut self, index: QueueKey, place: Listed) {
        self.queues[index].listed = Some(place);
        match place {
            Listed::Later(at) => {
                self.later.insert((at, index));
            }
            Listed::Ready(running, turn) => {
                let account = self.queues[index].account;
                self.retake(account, |account| {
                    account.ready.insert((running, turn, index));
                });
            }
        }
    }

    fn unlist(&mut self, index: QueueKey) {
        match self.queues[index].listed.take() {
            None => {}
            Some(Listed::Later(at)) => {
                self.later.remove(&(at, index));
            }
            Some(Listed::Ready(running, turn)) => {
                let account = self.queues[index].account;
                self.retake(account, |account| {
                    account.ready.remove(&(running, turn, index));
                });
            }
        }
    }

    fn recount(&mut self, index: QueueKey, count: impl Fn(&mut Held)) {
        count(&mut self.held);
        count(&mut self.queues[index].held);
        let account = self.queues[index].account;
        self.retake(account, |account| count(&mut account.held));
    }

    /// Changes the account and puts it where it belongs in the order of turns.
    fn retake(&mut self, index: OwnerKey, change: impl FnOnce(&mut Account)) {
        let account = &mut self.accounts[index];
        self.ready.remove(&(account.held.running, account.turn, index));
        change(account);
        if !account.ready.is_empty() {
            self.ready.insert((account.held.running, account.turn, index));
        }
    }
}

impl Queue {
    fn note_run(&mut self, window_max: usize) {
        (self.pauses, self.paused_until) = (0, Instant::ZERO);
        self.ran += 1;
        if self.ran >= self.window {
            (self.ran, self.window) = (0, self.window + 1);
        }
        if self.window >= window_max {
            self.window = usize::MAX;
        }
    }

    fn note_throttle(&mut self, now: Instant) {
        (self.ran, self.window) = (0, self.held.running.max(1));
        if self.held.running == 0 {
            let pause = PAUSE_MIN.saturating_mul(1 << self.pauses.min(16)).min(PAUSE_MAX);
            (self.pauses, self.paused_until) = (self.pauses + 1, now + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_says_whose_it_is_with_and_without_a_region() {
        let name =
            QueueName::new(&"123456789012/eu-west-1".parse().expect("well-formed"), &"f".parse().expect("well-formed"));
        assert_eq!(name.as_str(), "123456789012/eu-west-1/f");
        assert_eq!(name.function(), Some(("123456789012", Some("eu-west-1"), "f")));
        assert_eq!(QueueName::from("123456789012/f").function(), Some(("123456789012", None, "f")));
        assert_eq!((QueueName::from("unknown").function(), QueueName::from("unknown").account()), (None, "unknown"));
        assert_eq!(QueueName::from("123456789012/f").account(), name.account());
    }
}
