//! Does what the engine wants, and says what became of it.

use std::collections::{HashMap, VecDeque};

use hearth_engine::capacity::InstanceId;
use hearth_engine::{Action, EngineConfig, Event, FailReason, Ticket};
use hearth_types::SandboxId;

use crate::harness::{Bench, config};
use crate::rules::sub_pools::of;

#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// In the order in which places were found.
    pub(super) started: Vec<(Ticket, SandboxId, InstanceId)>,
    /// In the order of the tickets.
    pub(super) failed: Vec<(Ticket, FailReason)>,
    /// How many instances were asked for.
    pub(super) asked: u32,
    pub(super) released: Vec<InstanceId>,
    pub(super) destroyed: Vec<SandboxId>,
}

pub(super) fn perform(bench: &mut Bench, actions: Vec<Action>) -> Outcome {
    let mut actions = VecDeque::from(actions);
    let mut outcome = Outcome::default();
    let mut made = HashMap::new();
    while let Some(action) = actions.pop_front() {
        match action {
            Action::MakeBlank { sandbox, instance, .. } => {
                made.insert(sandbox, instance);
                actions.extend(bench.step(Event::BlankReady { sandbox }));
            }
            Action::Assign { sandbox, .. } => actions.extend(bench.step(Event::Initialised { sandbox })),
            Action::Dispatch { sandbox, ticket, .. } => outcome.started.push((ticket, sandbox, made[&sandbox])),
            Action::Destroy { sandbox, .. } => {
                outcome.destroyed.push(sandbox);
                actions.extend(bench.step(Event::Dead { sandbox }));
            }
            Action::Fail { ticket, reason } => outcome.failed.push((ticket, reason)),
            Action::Acquire { count, .. } => outcome.asked += count,
            Action::Release { instance } => outcome.released.push(instance),
            Action::Withdraw { .. }
            | Action::Freeze { .. }
            | Action::Thaw { .. }
            | Action::Throttle { .. }
            | Action::Admit { .. }
            | Action::Wake { .. } => panic!("{action:?}"),
        }
    }
    outcome.failed.sort_unstable_by_key(|(ticket, _)| *ticket);
    outcome.released.sort_unstable();
    outcome
}

/// A node whose own memory a stranger has taken: all else is on declared instances.
pub(super) fn full_node() -> Bench {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 128, ..config() });
    bench.start(of(999, 1_000_000));
    bench
}

/// One of these, whatever the number.
pub(super) fn pick<T>(all: &[T], which: usize) -> Option<&T> {
    all.get(which.checked_rem(all.len())?)
}
