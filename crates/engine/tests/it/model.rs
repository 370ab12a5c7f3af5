//! The engine against a naive model, with a node that does everything at once and never fails.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hearth_engine::keep_alive::Choice;
use hearth_engine::port::ThrottleReason;
use hearth_engine::{Action, Demand, EngineConfig, Event, Start, Ticket};
use hearth_types::{SandboxId, VersionKey};
use proptest::prelude::*;

use crate::harness::{Bench, config, demand, key};

const ACCOUNT_LIMIT: u32 = 4;
const RESERVED: u32 = 2;
/// More than can be admitted at the same time, so that nobody waits for a place.
const SANDBOXES_MAX: usize = 16;

#[derive(Clone, Debug)]
enum Step {
    Invoke { account: u64, function: u64 },
    Finish { which: usize },
    Kill { which: usize },
    Redeploy { account: u64, function: u64 },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let version = || (0u64..2, 0u64..4);
    prop_oneof![
        8 => version().prop_map(|(account, function)| Step::Invoke { account, function }),
        6 => (0usize..64).prop_map(|which| Step::Finish { which }),
        1 => (0usize..64).prop_map(|which| Step::Kill { which }),
        1 => version().prop_map(|(account, function)| Step::Redeploy { account, function }),
        1 => (1u64..40).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

#[derive(PartialEq, Debug)]
enum Answer {
    Warm(SandboxId),
    Cold,
    Throttled(ThrottleReason),
}

/// Sandboxes in the order of their last use.
#[derive(Default)]
struct Model {
    sandboxes: Vec<ModelSandbox>,
    generations: [[u64; 4]; 2],
    seconds: u64,
    /// How long idle ones are kept, seconds; `None` is for ever.
    kept_for: Option<u64>,
}

#[derive(Clone)]
struct ModelSandbox {
    id: SandboxId,
    key: Arc<VersionKey>,
    reserved: bool,
    busy: bool,
    idle_since: u64,
}

impl Model {
    fn running(&self, wanted: impl Fn(&ModelSandbox) -> bool) -> u32 {
        let running = self.sandboxes.iter().filter(|sandbox| sandbox.busy && wanted(sandbox));
        u32::try_from(running.count()).expect("few")
    }

    fn answer(&self, demand: &Demand) -> Answer {
        let same_account = |other: &ModelSandbox| other.key.account == demand.key.account;
        match demand.reserved {
            Some(max)
                if self.running(|other| same_account(other) && other.key.function == demand.key.function) >= max =>
            {
                return Answer::Throttled(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
            }
            None if self.running(|other| same_account(other) && !other.reserved) >= ACCOUNT_LIMIT => {
                return Answer::Throttled(ThrottleReason::ConcurrentInvocationLimitExceeded);
            }
            Some(_) | None => {}
        }
        let idle = self.sandboxes.iter().rev().find(|sandbox| !sandbox.busy && sandbox.key == demand.key);
        idle.map_or(Answer::Cold, |sandbox| Answer::Warm(sandbox.id))
    }

    fn started(&mut self, answer: &Answer, id: SandboxId, demand: &Demand) {
        if *answer == Answer::Cold && self.sandboxes.len() == SANDBOXES_MAX {
            let oldest = self.sandboxes.iter().position(|sandbox| !sandbox.busy).expect("not all are busy");
            self.sandboxes.remove(oldest);
        }
        self.sandboxes.retain(|sandbox| sandbox.id != id);
        let (key, reserved) = (demand.key.clone(), demand.reserved.is_some());
        self.sandboxes.push(ModelSandbox { id, key, reserved, busy: true, idle_since: 0 });
    }

    fn take_busy(&mut self, which: usize) -> Option<ModelSandbox> {
        let busy: Vec<usize> = (0..self.sandboxes.len()).filter(|index| self.sandboxes[*index].busy).collect();
        let index = *busy.get(which.checked_rem(busy.len())?)?;
        Some(self.sandboxes.remove(index))
    }

    fn finished(&mut self, mut sandbox: ModelSandbox) {
        let [account, function] = place(&sandbox.key);
        if sandbox.key == self.current(account, function) {
            sandbox.busy = false;
            sandbox.idle_since = self.seconds;
            self.sandboxes.push(sandbox);
        }
    }

    fn current(&self, account: u64, function: u64) -> Arc<VersionKey> {
        key(account, function, self.generations[index(account)][index(function)])
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("small")
}

fn place(key: &VersionKey) -> [u64; 2] {
    let function: String = key.function.to_string();
    [key.account.to_string().parse().expect("digits"), function[1..].parse().expect("digits")]
}

/// Does at once what the engine wants, and returns what became of the last ticket.
fn perform(bench: &mut Bench, actions: Vec<Action>) -> Option<(Answer, SandboxId)> {
    let mut actions = VecDeque::from(actions);
    let mut result = None;
    while let Some(action) = actions.pop_front() {
        match action {
            Action::MakeBlank { sandbox, .. } => actions.extend(bench.step(Event::BlankReady { sandbox })),
            Action::Assign { sandbox, .. } => actions.extend(bench.step(Event::Initialised { sandbox })),
            Action::Destroy { sandbox, .. } => actions.extend(bench.step(Event::Dead { sandbox })),
            Action::Dispatch { sandbox, start: Start::Warm, .. } => result = Some((Answer::Warm(sandbox), sandbox)),
            Action::Dispatch { sandbox, start: Start::Cold(_), .. } => result = Some((Answer::Cold, sandbox)),
            Action::Throttle { reason, .. } => result = Some((Answer::Throttled(reason), SandboxId(0))),
            Action::Freeze { .. } | Action::Thaw { .. } => {}
            Action::Withdraw { .. }
            | Action::Fail { .. }
            | Action::Wake { .. }
            | Action::Admit { .. }
            | Action::Acquire { .. }
            | Action::Release { .. } => panic!("{action:?}"),
        }
    }
    result
}

fn play(bench: &mut Bench, model: &mut Model, step: Step) {
    match step {
        Step::Invoke { account, function } => {
            let reserved = (function == 0).then_some(RESERVED);
            let key = model.current(account, function);
            let demand = Demand { reserved, account_unreserved: ACCOUNT_LIMIT, ..demand(&key) };
            let expected = model.answer(&demand);
            let (_, actions): (Ticket, _) = bench.invoke(demand.clone());
            let (answer, sandbox) = perform(bench, actions).expect("an answer at once");
            assert_eq!(answer, expected);
            if !matches!(answer, Answer::Throttled(_)) {
                model.started(&answer, sandbox, &demand);
            }
        }
        Step::Finish { which } => {
            let Some(sandbox) = model.take_busy(which) else { return };
            let actions = bench.finish(sandbox.id);
            perform(bench, actions);
            model.finished(sandbox);
        }
        Step::Kill { which } => {
            let Some(sandbox) = model.take_busy(which) else { return };
            let actions = bench.step(Event::Dead { sandbox: sandbox.id });
            perform(bench, actions);
        }
        Step::Redeploy { account, function } => {
            let old = model.current(account, function);
            model.generations[index(account)][index(function)] += 1;
            model.sandboxes.retain(|sandbox| sandbox.busy || sandbox.key != old);
            let actions = bench.step(Event::Retire { keys: vec![old] });
            perform(bench, actions);
        }
        Step::Pass { seconds } => {
            for _ in 0..seconds {
                let actions = bench.pass(Duration::from_secs(1));
                perform(bench, actions);
            }
            model.seconds += seconds;
            let (now, kept_for) = (model.seconds, model.kept_for);
            model
                .sandboxes
                .retain(|sandbox| sandbox.busy || kept_for.is_none_or(|time| now < sandbox.idle_since + time));
        }
    }
}

proptest! {
    #[test]
    fn same_answers_as_the_naive_model(
        steps in prop::collection::vec(step(), 1..200),
        kept_for in prop::option::weighted(0.8, 1u64..120),
    ) {
        let keep_alive = kept_for.map_or(Choice::Never, |seconds| Choice::Fixed { seconds });
        let mut bench = Bench::new(EngineConfig { sandboxes_max: SANDBOXES_MAX, keep_alive, ..config() });
        let mut model = Model { kept_for, ..Model::default() };
        for step in steps {
            play(&mut bench, &mut model, step);
            prop_assert_eq!(bench.engine.view().sandboxes.idle, model.sandboxes.iter().filter(|one| !one.busy).count());
        }
        prop_assert_eq!(bench.engine.view().counters.anomalies, 0);
    }
}
