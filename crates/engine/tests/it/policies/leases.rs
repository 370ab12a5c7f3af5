//! Where runs are placed whose instances end, and what becomes of these as time passes.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_engine::capacity::{Capacity, Instance, InstanceId, Owner, SubPool};
use hearth_engine::{Demand, Event};
use hearth_types::{Instant, SandboxId};
use proptest::prelude::*;

use super::node::{Outcome, full_node, perform, pick};
use crate::harness::Bench;
use crate::rules::sub_pools::{account, instance, of, pool, tell};

const OWNER: u64 = 2;
const ROOM: usize = 3;
/// The last part of a lease, in which nothing new comes, seconds.
const LAST: u64 = 5;

#[derive(Clone, Debug)]
enum Step {
    Invoke { timeout: u64 },
    End { which: usize },
    Come { cost_rate: u64, lease: Option<u64>, age: Option<u64> },
    Reclaim { which: usize, after: u64 },
    Remove { which: usize },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (1u64..40).prop_map(|timeout| Step::Invoke { timeout }),
        4 => (0usize..64).prop_map(|which| Step::End { which }),
        4 => (0u64..3, prop::option::of(1u64..90), prop::option::weighted(0.3, 1u64..90))
            .prop_map(|(cost_rate, lease, age)| Step::Come { cost_rate, lease, age }),
        1 => (0usize..64, 0u64..30).prop_map(|(which, after)| Step::Reclaim { which, after }),
        1 => (0usize..64).prop_map(|which| Step::Remove { which }),
        4 => (1u64..15).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

#[derive(Default)]
struct Ground {
    cost_rate: u64,
    ends_at: Option<u64>,
    closes_at: Option<u64>,
    on_it: Vec<SandboxId>,
}

#[derive(Default)]
struct Model {
    now: u64,
    grounds: BTreeMap<InstanceId, Ground>,
}

impl Model {
    /// What the run has time and room on: in use before waiting, then cheapest, then fullest.
    fn best(&self, timeout: u64) -> Vec<InstanceId> {
        let fits = |ground: &Ground| {
            let open = ground.closes_at.is_none_or(|at| self.now < at);
            open && ground.on_it.len() < ROOM && ground.ends_at.is_none_or(|at| self.now + timeout <= at)
        };
        let rank = |ground: &Ground| (ground.on_it.is_empty(), ground.cost_rate, ROOM - ground.on_it.len());
        let fitting = || self.grounds.iter().filter(|(_, ground)| fits(ground));
        let Some(best) = fitting().map(|(_, ground)| rank(ground)).min() else { return Vec::new() };
        fitting().filter(|(_, ground)| rank(ground) == best).map(|(id, _)| *id).collect()
    }

    /// What has ended is cut off, and what is closed and empty goes.
    fn settle(&mut self, outcome: &Outcome) {
        let (mut cut_off, mut gone) = (Vec::new(), Vec::new());
        for (id, ground) in &mut self.grounds {
            if ground.ends_at.is_some_and(|at| at <= self.now) {
                cut_off.append(&mut ground.on_it);
            }
            if ground.on_it.is_empty() && ground.closes_at.is_some_and(|at| at <= self.now) {
                gone.push(*id);
            }
        }
        gone.iter().for_each(|id| drop(self.grounds.remove(id)));
        let mut destroyed = outcome.destroyed.clone();
        destroyed.sort_unstable();
        cut_off.sort_unstable();
        assert_eq!((destroyed, &outcome.released), (cut_off, &gone));
    }

    fn pick(&self, which: usize) -> Option<InstanceId> {
        let ids: Vec<_> = self.grounds.keys().copied().collect();
        pick(&ids, which).copied()
    }
}

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

fn invoke(bench: &mut Bench, model: &mut Model, timeout: u64, number: u64) {
    let best = model.best(timeout);
    let (ticket, actions) = bench.invoke(Demand { timeout: Duration::from_secs(timeout), ..of(OWNER, number) });
    let outcome = perform(bench, actions);
    assert_eq!(outcome.started.is_empty(), best.is_empty(), "{best:?}");
    let Some((_, sandbox, instance)) = outcome.started.first().copied() else {
        bench.step(Event::Abandon { ticket });
        return;
    };
    assert!(best.contains(&instance), "{instance:?} is none of {best:?}");
    model.grounds.get_mut(&instance).expect("it is there").on_it.push(sandbox);
}

fn come(bench: &mut Bench, model: &mut Model, terms: Instance, lease: Option<u64>, age: Option<u64>) {
    let ends_at = lease.map(|lease| model.now + lease);
    let last = ends_at.map(|at| at.saturating_sub(LAST));
    let closes_at = last.into_iter().chain(age.map(|age| model.now + age)).min();
    let ground = Ground { cost_rate: terms.cost_rate, ends_at, closes_at, on_it: Vec::new() };
    model.grounds.insert(terms.id, ground);
    let (lease_end, age_max) = (ends_at.map(at), age.map(Duration::from_secs));
    let actions = tell(bench, Capacity::Add(Instance { lease_end, age_max, ..terms }));
    model.settle(&perform(bench, actions));
}

fn play(bench: &mut Bench, model: &mut Model, number: u64, step: Step) {
    let actions = match step {
        Step::Invoke { timeout } => return invoke(bench, model, timeout, number),
        Step::Come { cost_rate, lease, age } => {
            return come(
                bench,
                model,
                Instance { cost_rate, memory_mib: 128 * 3, ..instance(number, "own") },
                lease,
                age,
            );
        }
        Step::End { which } => {
            let runs: Vec<_> = model.grounds.values().flat_map(|ground| ground.on_it.iter().copied()).collect();
            let Some(sandbox) = pick(&runs, which).copied() else { return };
            model.grounds.values_mut().for_each(|ground| ground.on_it.retain(|other| *other != sandbox));
            bench.step(Event::Dead { sandbox })
        }
        Step::Reclaim { which, after } => {
            let Some(id) = model.pick(which) else { return };
            let ground = model.grounds.get_mut(&id).expect("it is there");
            let ends_at = model.now + after;
            ground.ends_at = Some(ground.ends_at.map_or(ends_at, |before| before.min(ends_at)));
            ground.closes_at = Some(model.now);
            tell(bench, Capacity::Reclaim { instance: id, at: at(ends_at) })
        }
        Step::Remove { which } => {
            let Some(id) = model.pick(which) else { return };
            model.grounds.get_mut(&id).expect("it is there").closes_at = Some(model.now);
            tell(bench, Capacity::Remove(id))
        }
        Step::Pass { seconds } => {
            for _ in 0..seconds {
                model.now += 1;
                let actions = bench.pass(Duration::from_secs(1));
                model.settle(&perform(bench, actions));
            }
            return;
        }
    };
    model.settle(&perform(bench, actions));
}

proptest! {
    #[test]
    fn nothing_is_placed_where_it_would_be_cut_off(steps in prop::collection::vec(step(), 1..150)) {
        let mut bench = full_node();
        tell(&mut bench, Capacity::SetPool(SubPool { max: 1000, ..pool("own", Some(Owner::Account(account(OWNER)))) }));
        let mut model = Model::default();
        for (number, step) in (1..).zip(steps) {
            play(&mut bench, &mut model, number, step);
        }
        prop_assert_eq!(bench.engine.view().counters.anomalies, 0);
    }
}
