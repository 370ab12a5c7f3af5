//! Spread, against a model that counts.

use std::collections::{BTreeMap, BTreeSet};

use hearth_engine::capacity::{AccountPolicy, Capacity, Instance, InstanceId, PoolName, Shortage, Spread};
use hearth_engine::{Event, FailReason};
use hearth_types::SandboxId;
use proptest::prelude::*;

use super::node::{full_node, perform, pick};
use crate::harness::Bench;
use crate::rules::sub_pools::{account, instance, of, tell};

const ACCOUNTS: u64 = 3;
const INSTANCES: u64 = 9;

fn add(bench: &mut Bench, id: u64) {
    tell(bench, Capacity::Add(Instance { shared: true, ..instance(id, "general") }));
}

fn set_spread(bench: &mut Bench, number: u64, spread: Spread) {
    let shortage = vec![Shortage::Reject];
    let policy = AccountPolicy { spread: Some(spread), shortage, ..AccountPolicy::default() };
    tell(bench, Capacity::SetAccount { account: account(number), policy });
}

fn shown(bench: &Bench, number: u64) -> Vec<u64> {
    let view = bench.engine.view();
    let found = view.accounts.iter().find(|found| found.account == account(number).to_string()).expect("shown");
    let spread = found.spread.as_ref().expect("declared");
    spread.iter().flat_map(|spread| &spread.instances).map(|instance| instance.0).collect()
}

/// The account's order of all instances that there ever will be.
fn order(number: u64) -> Vec<u64> {
    let mut bench = full_node();
    (1..=INSTANCES).for_each(|id| add(&mut bench, id));
    set_spread(&mut bench, number, Spread { min: 100, max: 100 });
    bench.invoke(of(number, 1));
    shown(&bench, number)
}

#[derive(Debug)]
struct Model {
    orders: BTreeMap<u64, Vec<u64>>,
    spreads: BTreeMap<u64, Spread>,
    widths: BTreeMap<u64, usize>,
    there: BTreeSet<u64>,
    /// Account and instance of what runs.
    running: BTreeMap<SandboxId, (u64, u64)>,
}

impl Model {
    fn order(&self, number: u64) -> Vec<u64> {
        self.orders[&number].iter().copied().filter(|id| self.there.contains(id)).collect()
    }

    fn has_room(&self, id: u64) -> bool {
        id != 0 && self.running.values().filter(|(_, other)| *other == id).count() < 2
    }

    fn place(&mut self, number: u64) -> Option<u64> {
        let order = self.order(number);
        loop {
            let width = self.widths[&number];
            if let Some(id) = order.iter().take(width).find(|id| self.has_room(**id)) {
                return Some(*id);
            }
            if width >= order.len() || width >= self.spreads[&number].max as usize {
                return None;
            }
            self.widths.insert(number, width + 1);
        }
    }

    fn narrow(&mut self) {
        for number in 1..=ACCOUNTS {
            let order = self.order(number);
            let uses = |id: &u64| self.running.values().any(|used| *used == (number, *id));
            let used = order.iter().rposition(uses).map_or(0, |place| place + 1);
            let least = used.max(self.spreads[&number].min as usize);
            let width = self.widths[&number].min(least).max(self.spreads[&number].min as usize);
            self.widths.insert(number, width);
        }
    }
}

proptest! {
    #[test]
    fn each_account_goes_where_the_model_says(
        spreads in prop::collection::vec((1u32..4, 0u32..4), ACCOUNTS as usize),
        steps in prop::collection::vec((0u32..10, 1u64..=ACCOUNTS, any::<prop::sample::Index>()), 1..120),
    ) {
        let mut bench = full_node();
        let numbers = 1..=ACCOUNTS;
        let mut model = Model {
            orders: numbers.clone().map(|number| (number, order(number))).collect(),
            spreads: numbers.clone().zip(&spreads).map(|(n, (min, more))| (n, Spread { min: *min, max: min + more })).collect(),
            widths: numbers.clone().zip(&spreads).map(|(number, (min, _))| (number, *min as usize)).collect(),
            there: (0..=4).collect(),
            running: BTreeMap::new(),
        };
        (1..=4).for_each(|id| add(&mut bench, id));
        numbers.for_each(|number| set_spread(&mut bench, number, model.spreads[&number]));
        let mut next = 5;
        for (function, (kind, number, which)) in (1..).zip(steps) {
            match kind {
                0 if next <= INSTANCES => {
                    add(&mut bench, next);
                    model.there.insert(next);
                    next += 1;
                }
                1 => {
                    let ids: Vec<u64> = model.there.iter().copied().filter(|id| *id != 0).collect();
                    if let Some(id) = pick(&ids, which.index(100)) {
                        tell(&mut bench, Capacity::Remove(InstanceId(*id)));
                        model.there.remove(id);
                    }
                }
                2..=4 => {
                    let running: Vec<SandboxId> = model.running.keys().copied().collect();
                    if let Some(sandbox) = pick(&running, which.index(100)) {
                        bench.step(Event::Dead { sandbox: *sandbox });
                        model.running.remove(sandbox);
                    }
                }
                _ => {
                    let expected = model.place(number);
                    let (ticket, actions) = bench.invoke(of(number, function));
                    let outcome = perform(&mut bench, actions);
                    let started = outcome.started.first().map(|(_, sandbox, instance)| (*sandbox, instance.0));
                    prop_assert_eq!(started.map(|(_, id)| id), expected);
                    match started {
                        Some((sandbox, id)) => drop(model.running.insert(sandbox, (number, id))),
                        None => prop_assert_eq!(outcome.failed, [(ticket, FailReason::Refused { pool: PoolName::general() })]),
                    }
                }
            }
            model.narrow();
            for found in bench.engine.view().accounts {
                let Some(number) = (1..=ACCOUNTS).find(|number| account(*number).to_string() == found.account) else { continue };
                let set = shown(&bench, number);
                prop_assert!(set.len() <= model.spreads[&number].max as usize);
                let expected: Vec<u64> = model.order(number).into_iter().take(model.widths[&number]).collect();
                prop_assert_eq!(set, expected);
            }
        }
    }
}
