//! How much one account, and one function within it, may have under way at a time.
//!
//! Of events and of memory alike an account may take until it holds three times what it leaves free, and a function likewise of
//! what its account may still take. So one backlog alone gets over half of a node, and whoever comes next, however many
//! there are already, finds some of it free. Besides, the first event of a function waits for no memory: then it is the
//! fleet, which gives places in turn, that has it wait for one.

/// Bounds for the whole node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Events leased and not settled.
    pub running_max: usize,
    /// Events leased in one go.
    pub batch_max: usize,
}

/// What is known of a queue's function and of where it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// What one event's sandbox takes.
    pub memory_mib: u64,
    /// All memory that the account draws on; `u64::MAX` if that is not known.
    pub total_mib: u64,
    /// The part of it that is neither free, blank, idle nor ending.
    pub in_use_mib: u64,
    /// Every account draws on this memory.
    pub shared: bool,
    /// The function's limit of concurrency.
    pub running_max: usize,
}

impl Default for Terms {
    /// Of a function of which nothing is known.
    fn default() -> Self {
        Self { memory_mib: 0, total_mib: u64::MAX, in_use_mib: 0, shared: true, running_max: usize::MAX }
    }
}

/// Functions of an account whose first events wait for no memory.
const FIRST_MAX: usize = 4;

/// What is under way of a function, of an account or of the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Held {
    pub(super) running: usize,
    pub(super) memory_mib: u64,
}

impl Held {
    pub(super) fn add(&mut self, count: usize, memory_mib: u64) {
        self.running += count;
        self.memory_mib = self.memory_mib.saturating_add(memory_mib.saturating_mul(count as u64));
    }

    pub(super) fn remove(&mut self, count: usize, memory_mib: u64) {
        self.running -= count;
        self.memory_mib = self.memory_mib.saturating_sub(memory_mib.saturating_mul(count as u64));
    }
}

/// What whoever holds `held` may take of what is `free`, so that it holds three times at most what it leaves.
fn room(free: u64, held: u64) -> u64 {
    free.saturating_mul(3).saturating_sub(held) / 4
}

/// How many more events a function may have under way.
pub(super) fn allowance(bounds: Bounds, terms: &Terms, node: Held, account: Held, function: Held) -> usize {
    let own = terms.running_max.max(1).saturating_sub(function.running);
    own.min(by_number(bounds, node, account, function)).min(by_memory(terms, node, account, function))
}

/// An account that has nothing under way may begin something as long as there is a place at all, and so may a function within what
/// its account may take.
fn by_number(bounds: Bounds, node: Held, account: Held, function: Held) -> usize {
    let free = bounds.running_max.saturating_sub(node.running);
    let at_least_one = |room: u64, of: u64, held: usize| if held == 0 { room.max(1).min(of) } else { room };
    let of_account = at_least_one(room(free as u64, account.running as u64), free as u64, account.running);
    let of_function = at_least_one(room(of_account, function.running as u64), of_account, function.running);
    usize::try_from(of_function).unwrap_or(usize::MAX)
}

fn by_memory(terms: &Terms, node: Held, account: Held, function: Held) -> usize {
    // What was taken up a moment ago is not in use yet.
    let taken = if terms.shared { node.memory_mib } else { account.memory_mib };
    let free = terms.total_mib.saturating_sub(terms.in_use_mib.max(taken));
    let of_account = room(free, account.memory_mib);
    let count = room(of_account, function.memory_mib) / terms.memory_mib.max(1);
    let is_first = function.running == 0 && (of_account >= terms.memory_mib || account.running < FIRST_MAX);
    usize::try_from(count).unwrap_or(usize::MAX).max(usize::from(is_first))
}
