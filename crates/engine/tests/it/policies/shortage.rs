//! What becomes of those for whom their sub-pool has nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_engine::capacity::{AccountPolicy, Capacity, InstanceId, Owner, PoolName, Shortage, SubPool};
use hearth_engine::{Demand, EngineConfig, Event, FailReason, Ticket};
use hearth_types::{Instant, SandboxId};
use proptest::prelude::*;

use super::node::{Outcome, perform, pick};
use crate::harness::{Bench, config};
use crate::rules::sub_pools::{account, instance, name, of, pool, sub_pool, tell};

/// Who owns `own`; `other` is a third account's.
const OWNER: u64 = 2;
const STRANGER: u64 = 1;
/// Sandboxes that fit on an instance, and on the node.
const ROOM: usize = 2;
/// How long those wait whose policy says nothing else, seconds.
const QUEUE: u64 = 40;

#[derive(Clone, Debug)]
enum Step {
    Invoke,
    Stranger,
    Finish { which: usize },
    Come { pool: &'static str },
    Refuse { count: u32 },
    Policy { shortage: Vec<Shortage> },
    Pass { seconds: u64 },
}

fn shortage() -> impl Strategy<Value = Shortage> {
    let from = prop_oneof![
        Just(vec![PoolName::general()]),
        Just(vec![name("other")]),
        Just(vec![name("other"), PoolName::general()]),
    ];
    prop_oneof![
        3 => from.prop_map(|from| Shortage::Borrow { from }),
        2 => (1u32..20).prop_map(|seconds| Shortage::Provision { seconds }),
        2 => (1u32..20).prop_map(|seconds| Shortage::Wait { seconds }),
        1 => Just(Shortage::Queue),
        1 => Just(Shortage::Reject),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Invoke),
        1 => Just(Step::Stranger),
        5 => (0usize..64).prop_map(|which| Step::Finish { which }),
        2 => prop_oneof![Just("own"), Just("other")].prop_map(|pool| Step::Come { pool }),
        2 => (1u32..4).prop_map(|count| Step::Refuse { count }),
        3 => prop::collection::vec(shortage(), 0..4).prop_map(|shortage| Step::Policy { shortage }),
        3 => (1u64..12).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

struct Ground {
    pool: &'static str,
    free: usize,
    taken: bool,
}

enum Verdict {
    /// On one of these.
    Start {
        on: Vec<InstanceId>,
        borrowed: bool,
    },
    Refuse,
    Wait {
        asks: bool,
    },
}

struct Model {
    now: u64,
    policy: Vec<Shortage>,
    /// Tickets and their deadlines.
    waiting: Vec<(Ticket, u64)>,
    grounds: BTreeMap<InstanceId, Ground>,
    runs: Vec<(SandboxId, InstanceId)>,
    pending: u32,
    refusals: u32,
    ask_from: u64,
    borrowed: u64,
}

impl Model {
    fn new() -> Self {
        Self {
            now: 0,
            policy: Vec::new(),
            waiting: Vec::new(),
            grounds: BTreeMap::from([(InstanceId::NODE, Ground { pool: "general", free: ROOM, taken: true })]),
            runs: Vec::new(),
            pending: 0,
            refusals: 0,
            ask_from: 0,
            borrowed: 0,
        }
    }

    fn with_room(&self, wanted: impl Fn(InstanceId, &Ground) -> bool) -> Vec<InstanceId> {
        let fitting = self.grounds.iter().filter(|(id, ground)| ground.free > 0 && wanted(**id, ground));
        fitting.map(|(id, _)| *id).collect()
    }

    /// Its own, unless there is nothing in it and the policy does not say what happens then.
    fn chosen(&self) -> PoolName {
        let is_empty = self.grounds.values().all(|ground| ground.pool != "own");
        if self.policy.is_empty() && is_empty { PoolName::general() } else { name("own") }
    }

    /// Those in use before those that wait, and of the first the fullest.
    fn own(&self) -> Vec<InstanceId> {
        let used = self.with_room(|id, ground| id != InstanceId::NODE && ground.taken);
        let Some(least) = used.iter().map(|id| self.grounds[id].free).min() else {
            let chosen = self.chosen();
            return self.with_room(|_, ground| name(ground.pool) == chosen);
        };
        used.into_iter().filter(|id| self.grounds[id].free == least).collect()
    }

    /// The node costs nothing and comes first.
    fn lent(&self, from: &[PoolName]) -> Vec<InstanceId> {
        let lent =
            self.with_room(|id, ground| (id == InstanceId::NODE || !ground.taken) && from.contains(&name(ground.pool)));
        if lent.contains(&InstanceId::NODE) { vec![InstanceId::NODE] } else { lent }
    }

    fn verdict(&self) -> Verdict {
        let own = self.own();
        if !own.is_empty() {
            return Verdict::Start { on: own, borrowed: false };
        }
        for step in &self.policy {
            match step {
                Shortage::Borrow { from } => {
                    let lent = self.lent(from);
                    if !lent.is_empty() {
                        return Verdict::Start { on: lent, borrowed: true };
                    }
                }
                Shortage::Provision { .. } => return Verdict::Wait { asks: true },
                Shortage::Wait { .. } | Shortage::Queue => return Verdict::Wait { asks: false },
                Shortage::Reject => return Verdict::Refuse,
            }
        }
        Verdict::Wait { asks: false }
    }

    /// How long one waits: as the first step says that is not about borrowing.
    fn patience(&self) -> u64 {
        match self.policy.iter().find(|step| !matches!(step, Shortage::Borrow { .. })) {
            Some(Shortage::Provision { seconds } | Shortage::Wait { seconds }) => u64::from(*seconds),
            _ => QUEUE,
        }
    }

    /// Everybody who waits is looked at anew, first come first served.
    fn settle(&mut self, outcome: &Outcome) {
        let late = |(_, deadline): &(Ticket, u64)| *deadline <= self.now;
        let (late, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting).into_iter().partition(late);
        let mut failed: Vec<_> =
            late.into_iter().map(|(ticket, _)| (ticket, FailReason::Capacity { pool: self.chosen() })).collect();
        let mut started = outcome.started.iter();
        let mut asking = false;
        for (ticket, deadline) in waiting {
            match self.verdict() {
                Verdict::Start { on, borrowed } => {
                    let (other, sandbox, instance) = *started.next().expect("there is room");
                    assert_eq!(other, ticket);
                    assert!(on.contains(&instance), "{instance:?} is none of {on:?}");
                    self.take(sandbox, instance);
                    self.borrowed += u64::from(borrowed);
                }
                Verdict::Refuse => failed.push((ticket, FailReason::Refused { pool: name("own") })),
                Verdict::Wait { asks } => {
                    asking = asks;
                    self.waiting.push((ticket, deadline));
                }
            }
        }
        failed.sort_unstable_by_key(|(ticket, _)| *ticket);
        assert_eq!((started.next(), &outcome.failed), (None, &failed));
        self.check_asked(asking, outcome.asked);
    }

    /// Enough for those who wait, but for a while none after a refusal.
    fn check_asked(&mut self, asking: bool, asked: u32) {
        let wanted = u32::try_from(self.waiting.len().div_ceil(ROOM)).expect("few");
        let may = asking && self.now >= self.ask_from;
        assert_eq!(asked, if may { wanted.saturating_sub(self.pending) } else { 0 });
        self.pending += asked;
    }

    fn take(&mut self, sandbox: SandboxId, instance: InstanceId) {
        let ground = self.grounds.get_mut(&instance).expect("it is there");
        ground.free -= 1;
        ground.taken = true;
        self.runs.push((sandbox, instance));
    }

    /// What has become empty returns, if it is the account's own, or goes.
    fn emptied(&mut self, instance: InstanceId) -> Vec<InstanceId> {
        let ground = self.grounds.get_mut(&instance).expect("it is there");
        if instance == InstanceId::NODE || ground.free < ROOM {
            return Vec::new();
        }
        ground.taken = false;
        if ground.pool == "own" {
            return Vec::new();
        }
        self.grounds.remove(&instance);
        vec![instance]
    }
}

fn declare(bench: &mut Bench) {
    for (named, owner) in [("own", OWNER), ("other", 3)] {
        let terms = SubPool { max: 1000, ..pool(named, Some(Owner::Account(account(owner)))) };
        tell(bench, Capacity::SetPool(terms));
    }
}

fn play(bench: &mut Bench, model: &mut Model, number: u64, step: Step) {
    let actions = match step {
        Step::Invoke => {
            let queue_deadline = Instant::ZERO + Duration::from_secs(model.now + QUEUE);
            let (ticket, actions) = bench.invoke(Demand { queue_deadline, ..of(OWNER, number) });
            model.waiting.push((ticket, model.now + model.patience()));
            actions
        }
        Step::Stranger => {
            if model.grounds[&InstanceId::NODE].free == 0 {
                return;
            }
            let (_, actions) = bench.invoke(of(STRANGER, number));
            let (_, sandbox, instance) = perform(bench, actions).started[0];
            assert_eq!(instance, InstanceId::NODE);
            return model.take(sandbox, instance);
        }
        Step::Finish { which } => {
            let Some((sandbox, instance)) = pick(&model.runs, which).copied() else { return };
            model.runs.retain(|(other, _)| *other != sandbox);
            model.grounds.get_mut(&instance).expect("it is there").free += 1;
            let actions = bench.step(Event::Dead { sandbox });
            let outcome = perform(bench, actions);
            model.settle(&outcome);
            return assert_eq!(outcome.released, model.emptied(instance));
        }
        Step::Come { pool } => {
            model.grounds.insert(InstanceId(number), Ground { pool, free: ROOM, taken: false });
            if pool == "own" {
                (model.pending, model.refusals) = (model.pending.saturating_sub(1), 0);
            }
            tell(bench, Capacity::Add(instance(number, pool)))
        }
        Step::Refuse { count } => {
            let count = count.min(model.pending);
            if count == 0 {
                return;
            }
            model.pending -= count;
            model.ask_from = model.now + (1 << model.refusals.min(9));
            model.refusals += 1;
            tell(bench, Capacity::NotAcquired { pool: name("own"), count })
        }
        Step::Policy { shortage } => {
            model.policy.clone_from(&shortage);
            let policy = AccountPolicy { shortage, ..AccountPolicy::default() };
            tell(bench, Capacity::SetAccount { account: account(OWNER), policy })
        }
        Step::Pass { seconds } => {
            for _ in 0..seconds {
                model.now += 1;
                let actions = bench.pass(Duration::from_secs(1));
                let outcome = perform(bench, actions);
                model.settle(&outcome);
            }
            return;
        }
    };
    let outcome = perform(bench, actions);
    model.settle(&outcome);
    assert_eq!(outcome.released, []);
}

proptest! {
    #[test]
    fn each_step_of_the_policy_does_what_it_says(steps in prop::collection::vec(step(), 1..120)) {
        let memory_mib_max = 128 * u64::try_from(ROOM).expect("small");
        let mut bench = Bench::new(EngineConfig { memory_mib_max, ..config() });
        declare(&mut bench);
        let mut model = Model::new();
        for (number, step) in (1..).zip(steps) {
            play(&mut bench, &mut model, number, step);
            prop_assert_eq!(bench.engine.view().queued, model.waiting.len());
        }
        prop_assert_eq!(sub_pool(&bench, "own").counters.borrowed, model.borrowed);
        prop_assert_eq!(bench.engine.view().counters.anomalies, 0);
    }
}
