//! Who comes onto an instance, and what becomes of it when it is empty: it returns where all who used it own it, else it goes.

use std::collections::{BTreeMap, BTreeSet};

use hearth_engine::Event;
use hearth_engine::capacity::{Capacity, GroupName, InstanceId, Owner, TrustGroup};
use hearth_types::SandboxId;
use proptest::prelude::*;

use super::node::{full_node, perform, pick};
use crate::harness::Bench;
use crate::rules::sub_pools::{account, instance, of, pool, tell};

const ROOM: usize = 2;
/// The first owns `own`; `ours` is group 1's; group 2 has nothing of its own.
const ACCOUNTS: usize = 5;
const POOLS: [&str; 3] = ["general", "own", "ours"];

/// Of each account: 0 is none.
type Groups = [u8; ACCOUNTS];

#[derive(Clone, Debug)]
enum Step {
    Invoke { by: usize },
    End { which: usize },
    Come { pool: &'static str },
    Regroup { groups: Groups },
}

fn step() -> impl Strategy<Value = Step> {
    let groups = (prop_oneof![Just(0u8), Just(2)], [0u8..3, 0..3, 0..3, 0..3]);
    let groups = groups.prop_map(|(first, [b, c, d, e])| [first, b, c, d, e]);
    prop_oneof![
        10 => (0..ACCOUNTS).prop_map(|by| Step::Invoke { by }),
        7 => (0usize..64).prop_map(|which| Step::End { which }),
        4 => prop::sample::select(&POOLS[..]).prop_map(|pool| Step::Come { pool }),
        1 => groups.prop_map(|groups| Step::Regroup { groups }),
    ]
}

struct Ground {
    pool: &'static str,
    /// All who ever were on it.
    tenants: BTreeSet<usize>,
    on_it: usize,
}

#[derive(Default)]
struct Model {
    groups: Groups,
    grounds: BTreeMap<InstanceId, Ground>,
    runs: Vec<(SandboxId, InstanceId)>,
}

impl Model {
    fn trusts(&self, one: usize, other: usize) -> bool {
        one == other || self.groups[one] != 0 && self.groups[one] == self.groups[other]
    }

    fn owns(&self, who: usize, pool: &str) -> bool {
        match pool {
            "own" => who == 0,
            "ours" => self.groups[who] == 1,
            _ => false,
        }
    }

    /// Where a sandbox of this account may go: among those who trust it, on what it uses, may draw on, or has to itself.
    fn may_use(&self, who: usize) -> Vec<InstanceId> {
        let welcome = |ground: &Ground| ground.tenants.iter().all(|tenant| self.trusts(who, *tenant));
        let has_any = |pool: &str| self.grounds.values().any(|ground| ground.pool == pool && welcome(ground));
        let draws_on = POOLS.into_iter().rev().find(|pool| self.owns(who, pool) && has_any(pool)).unwrap_or("general");
        let may = |ground: &Ground| {
            let in_use = ground.on_it > 0;
            let drawn = ground.pool == "general" || self.owns(who, ground.pool) || ground.tenants.contains(&who);
            let place = if in_use { drawn } else { ground.pool == draws_on };
            place && ground.on_it < ROOM && welcome(ground)
        };
        self.grounds.iter().filter(|(_, ground)| may(ground)).map(|(id, _)| *id).collect()
    }

    /// What is empty and was used by somebody who does not own it.
    fn spoilt(&mut self) -> Vec<InstanceId> {
        let spoilt =
            |ground: &Ground| ground.on_it == 0 && !ground.tenants.iter().all(|tenant| self.owns(*tenant, ground.pool));
        let gone: Vec<_> = self.grounds.iter().filter(|(_, ground)| spoilt(ground)).map(|(id, _)| *id).collect();
        gone.iter().for_each(|id| drop(self.grounds.remove(id)));
        gone
    }
}

fn number(who: usize) -> u64 {
    u64::try_from(who).expect("small") + 1
}

fn group(name: &str, number: u8, groups: Groups) -> TrustGroup {
    let members = (0..ACCOUNTS).filter(|who| groups[*who] == number);
    TrustGroup { name: GroupName(name.to_owned()), accounts: members.map(|who| account(self::number(who))).collect() }
}

fn invoke(bench: &mut Bench, model: &mut Model, by: usize, function: u64) {
    let may_use = model.may_use(by);
    let (ticket, actions) = bench.invoke(of(number(by), function));
    let outcome = perform(bench, actions);
    assert_eq!(outcome.started.is_empty(), may_use.is_empty(), "{may_use:?}");
    let Some((_, sandbox, instance)) = outcome.started.first().copied() else {
        bench.step(Event::Abandon { ticket });
        return;
    };
    assert!(may_use.contains(&instance), "{instance:?} is none of {may_use:?}");
    let ground = model.grounds.get_mut(&instance).expect("it is there");
    ground.on_it += 1;
    ground.tenants.insert(by);
    model.runs.push((sandbox, instance));
}

fn play(bench: &mut Bench, model: &mut Model, function: u64, step: Step) {
    let actions = match step {
        Step::Invoke { by } => return invoke(bench, model, by, function),
        Step::End { which } => {
            let Some((sandbox, instance)) = pick(&model.runs, which).copied() else { return };
            model.runs.retain(|(other, _)| *other != sandbox);
            model.grounds.get_mut(&instance).expect("it is there").on_it -= 1;
            bench.step(Event::Dead { sandbox })
        }
        Step::Come { pool } => {
            let ground = Ground { pool, tenants: BTreeSet::new(), on_it: 0 };
            model.grounds.insert(InstanceId(function), ground);
            tell(bench, Capacity::Add(instance(function, pool)))
        }
        Step::Regroup { groups } => {
            model.groups = groups;
            tell(bench, Capacity::SetTrustGroups(vec![group("ours", 1, groups), group("others", 2, groups)]))
        }
    };
    let outcome = perform(bench, actions);
    assert_eq!((outcome.released, outcome.started), (model.spoilt(), Vec::new()));
}

/// Instances as the engine shows them: who used them, and whether somebody does.
fn check(bench: &Bench, model: &Model) {
    let view = bench.engine.view();
    let shown: Vec<_> = view
        .instances
        .into_iter()
        .filter(|instance| instance.id != InstanceId::NODE)
        .map(|instance| (instance.id, instance.tenants, instance.standing))
        .collect();
    let expected: Vec<_> = model
        .grounds
        .iter()
        .map(|(id, ground)| {
            let tenants: Vec<_> = ground.tenants.iter().map(|who| account(number(*who)).to_string()).collect();
            (*id, tenants, if ground.on_it > 0 { "active" } else { "waiting" })
        })
        .collect();
    assert_eq!(shown, expected);
    assert_eq!((view.queued, view.counters.anomalies), (0, 0));
}

proptest! {
    #[test]
    fn strangers_never_meet_and_nothing_returns_to_them(steps in prop::collection::vec(step(), 1..150)) {
        let mut bench = full_node();
        let ours = Owner::Group(GroupName("ours".to_owned()));
        let owners = [None, Some(Owner::Account(account(number(0)))), Some(ours)];
        for (named, owner) in POOLS.into_iter().zip(owners) {
            let terms = hearth_engine::capacity::SubPool { max: 1000, ..pool(named, owner) };
            tell(&mut bench, Capacity::SetPool(terms));
        }
        let mut model = Model::default();
        for (function, step) in (1..).zip(steps) {
            play(&mut bench, &mut model, function, step);
            check(&bench, &model);
        }
    }
}
