//! How a sub-pool is filled up again: a set number for each that is taken, more when many are, and from its minimum to its target.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_engine::Event;
use hearth_engine::capacity::{Capacity, Instance, InstanceId, PoolName, Refill, SubPool};
use hearth_types::SandboxId;
use proptest::prelude::*;

use super::node::{Outcome, full_node, perform, pick};
use crate::harness::Bench;
use crate::rules::sub_pools::{instance, of, pool, sub_pool, tell};

#[derive(Clone, Debug)]
enum Step {
    Take,
    End {
        which: usize,
    },
    /// Also what nobody asked for.
    Come {
        cost_rate: u64,
    },
    Refuse {
        count: u32,
    },
    Terms {
        min: u32,
        target: u32,
        max: u32,
        refill: Refill,
    },
    Pass {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let refill = (0u32..3, 0u32..6, 0u32..5).prop_map(|(per_removal, fast_from, fast_per_removal)| Refill {
        per_removal,
        fast_from,
        fast_per_removal,
    });
    prop_oneof![
        8 => Just(Step::Take),
        2 => (0usize..64).prop_map(|which| Step::End { which }),
        8 => (0u64..9).prop_map(|cost_rate| Step::Come { cost_rate }),
        2 => (1u32..5).prop_map(|count| Step::Refuse { count }),
        2 => (0u32..6, 0u32..9, 0u32..12, refill)
            .prop_map(|(min, target, max, refill)| Step::Terms { min, target, max, refill }),
        3 => (1u64..50).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

struct Model {
    now: u64,
    terms: SubPool,
    /// What each costs.
    waiting: BTreeMap<InstanceId, u64>,
    taken: Vec<(SandboxId, InstanceId)>,
    /// When each was taken.
    takings: Vec<u64>,
    pending: u32,
    refusals: u32,
    ask_from: u64,
}

impl Model {
    fn count(&self) -> u32 {
        u32::try_from(self.waiting.len()).expect("few") + self.pending
    }

    fn ask(&mut self, count: u32) -> u32 {
        let count = count.min(self.terms.max.saturating_sub(self.count()));
        let count = if self.now < self.ask_from { 0 } else { count };
        self.pending += count;
        count
    }

    /// One was taken: how many are asked for because of that alone.
    fn replace(&mut self) -> u32 {
        self.takings.push(self.now);
        let refill = self.terms.refill;
        let recent = self.takings.iter().filter(|taking| **taking + 60 >= self.now).count();
        let fast = refill.fast_from > 0 && recent >= refill.fast_from as usize;
        self.ask(if fast { refill.fast_per_removal } else { refill.per_removal })
    }

    fn fill(&mut self) -> u32 {
        let lacks = self.count() < self.terms.min;
        let lacking = self.terms.target.max(self.terms.min).saturating_sub(self.count());
        self.ask(if lacks { lacking } else { 0 })
    }

    /// Those that are released are waiting ones beyond the maximum, of which none that is kept costs more.
    fn check_released(&mut self, released: &[InstanceId]) {
        let excess = self.waiting.len().saturating_sub(self.terms.max as usize);
        assert_eq!(released.len(), excess);
        let costs: Vec<u64> = released.iter().map(|id| self.waiting.remove(id).expect("it waited")).collect();
        let dearest = self.waiting.values().max().copied().unwrap_or_default();
        assert!(costs.iter().all(|cost| *cost >= dearest), "{costs:?} went, and {dearest} is kept");
    }

    /// What nothing but the terms ask for.
    fn settle(&mut self, outcome: &Outcome, asked: u32) {
        self.check_released(&outcome.released);
        assert_eq!(outcome.asked, asked + self.fill());
    }
}

fn take(bench: &mut Bench, model: &mut Model, number: u64) {
    let Some(cheapest) = model.waiting.values().min().copied() else { return };
    let (_, actions) = bench.invoke(of(number, number));
    let outcome = perform(bench, actions);
    let (_, sandbox, instance) = outcome.started[0];
    assert_eq!(model.waiting.remove(&instance), Some(cheapest));
    model.taken.push((sandbox, instance));
    let asked = model.replace();
    model.settle(&outcome, asked);
}

fn play(bench: &mut Bench, model: &mut Model, number: u64, step: Step) {
    let actions = match step {
        Step::Take => return take(bench, model, number),
        Step::End { which } => {
            let Some((sandbox, instance)) = pick(&model.taken, which).copied() else { return };
            model.taken.retain(|(other, _)| *other != sandbox);
            let actions = bench.step(Event::Dead { sandbox });
            let outcome = perform(bench, actions);
            return assert_eq!(
                (outcome.released, outcome.asked),
                (vec![instance], 0),
                "it is everybody's, and was used"
            );
        }
        Step::Come { cost_rate } => {
            model.waiting.insert(InstanceId(number), cost_rate);
            (model.pending, model.refusals) = (model.pending.saturating_sub(1), 0);
            tell(bench, Capacity::Add(Instance { memory_mib: 128, cost_rate, ..instance(number, "general") }))
        }
        Step::Refuse { count } => {
            let count = count.min(model.pending);
            if count == 0 {
                return;
            }
            model.pending -= count;
            model.ask_from = model.now + (1 << model.refusals).min(600);
            model.refusals += 1;
            tell(bench, Capacity::NotAcquired { pool: PoolName::general(), count })
        }
        Step::Terms { min, target, max, refill } => {
            model.terms = SubPool { min, target, max, refill, ..model.terms.clone() };
            tell(bench, Capacity::SetPool(model.terms.clone()))
        }
        Step::Pass { seconds } => {
            for _ in 0..seconds {
                model.now += 1;
                let actions = bench.pass(Duration::from_secs(1));
                let outcome = perform(bench, actions);
                model.settle(&outcome, 0);
            }
            return;
        }
    };
    let outcome = perform(bench, actions);
    model.settle(&outcome, 0);
}

proptest! {
    #[test]
    fn as_many_are_asked_for_as_the_terms_say(steps in prop::collection::vec(step(), 1..150)) {
        let mut bench = full_node();
        let mut model = Model {
            now: 0,
            terms: SubPool { max: 1000, ..pool("general", None) },
            waiting: BTreeMap::new(),
            taken: Vec::new(),
            takings: Vec::new(),
            pending: 0,
            refusals: 0,
            ask_from: 0,
        };
        tell(&mut bench, Capacity::SetPool(model.terms.clone()));
        for (number, step) in (1..).zip(steps) {
            play(&mut bench, &mut model, number, step);
            let shown = sub_pool(&bench, "general");
            prop_assert_eq!((shown.waiting, shown.pending), (model.waiting.len(), model.pending));
        }
        prop_assert_eq!(bench.engine.view().counters.anomalies, 0);
    }
}
