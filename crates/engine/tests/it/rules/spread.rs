//! Over how many shared instances an account's sandboxes go.

use hearth_engine::capacity::{AccountPolicy, Capacity, Instance, InstanceId, Owner, PoolName, Shortage, Spread};
use hearth_engine::{Action, Event, FailReason, Version};
use hearth_types::SandboxId;

use super::sub_pools::{account, instance, of, pool, tell};
use crate::harness::{Bench, ROOT, config};

/// The node itself and three others, each with room for two sandboxes, shared by everybody.
fn shared() -> Bench {
    let mut bench = Bench::new(hearth_engine::EngineConfig { memory_mib_max: 256, ..config() });
    for id in 1..=3 {
        tell(&mut bench, Capacity::Add(Instance { shared: true, ..instance(id, "general") }));
    }
    bench
}

fn set_spread(bench: &mut Bench, number: u64, min: u32, max: u32) {
    let spread = Some(Spread { min, max });
    let policy = AccountPolicy { spread, shortage: vec![Shortage::Reject], ..AccountPolicy::default() };
    tell(bench, Capacity::SetAccount { account: account(number), policy });
}

fn start(bench: &mut Bench, number: u64, function: u64) -> Option<(SandboxId, InstanceId)> {
    let (ticket, actions) = bench.invoke(of(number, function));
    match actions.as_slice() {
        [Action::MakeBlank { sandbox, instance, .. }] => {
            bench.step(Event::BlankReady { sandbox: *sandbox });
            bench.step(Event::Initialised { sandbox: *sandbox });
            Some((*sandbox, *instance))
        }
        [Action::Fail { ticket: failed, reason: FailReason::Refused { .. } }] if *failed == ticket => None,
        other => panic!("{other:?}"),
    }
}

/// Where the account's sandboxes go, by the view.
fn set_of(bench: &Bench, number: u64) -> Vec<InstanceId> {
    let view = bench.engine.view();
    let found = view.accounts.iter().find(|found| found.account == account(number).to_string());
    found.and_then(|found| found.spread.as_ref()?.first()).map_or(Vec::new(), |spread| spread.instances.clone())
}

#[test]
fn an_account_keeps_to_its_instances_adds_one_when_they_are_full_and_stops_at_its_maximum() {
    let mut bench = shared();
    set_spread(&mut bench, 1, 1, 2);
    let places: Vec<_> = (1..=4).map(|function| start(&mut bench, 1, function).expect("room").1).collect();
    assert_eq!(places[0], places[1]);
    assert_eq!(places[2], places[3]);
    assert_ne!(places[0], places[2]);
    assert_eq!(set_of(&bench, 1), [places[0], places[2]]);
    assert_eq!(start(&mut bench, 1, 5), None, "two others have room, and are not its");
    assert!(start(&mut bench, 2, 6).is_some(), "whoever has no spread may go anywhere");
}

#[test]
fn an_instance_is_left_when_nothing_of_the_account_is_on_it() {
    let mut bench = shared();
    set_spread(&mut bench, 1, 1, 3);
    let started: Vec<_> = (1..=3).map(|function| start(&mut bench, 1, function).expect("room")).collect();
    assert_eq!(set_of(&bench, 1).len(), 2);
    bench.finish(started[2].0);
    assert_eq!(set_of(&bench, 1).len(), 2, "an idle sandbox is one");
    bench.step(Event::Dead { sandbox: started[2].0 });
    assert_eq!(set_of(&bench, 1), [started[0].1]);
}

#[test]
fn the_minimum_holds_without_need_and_a_new_policy_from_the_next_request_on() {
    let mut bench = shared();
    set_spread(&mut bench, 1, 3, 4);
    start(&mut bench, 1, 1);
    let three = set_of(&bench, 1);
    assert_eq!(three.len(), 3);
    set_spread(&mut bench, 1, 1, 1);
    assert_eq!(set_of(&bench, 1), three[..1]);
    start(&mut bench, 1, 2).expect("room for one more");
    assert_eq!(start(&mut bench, 1, 3), None);
}

#[test]
fn an_instance_that_goes_is_replaced_by_the_next() {
    let mut bench = shared();
    set_spread(&mut bench, 1, 1, 1);
    let (_, first) = start(&mut bench, 1, 1).expect("room");
    tell(&mut bench, Capacity::Remove(first));
    let (_, second) = start(&mut bench, 1, 2).expect("room");
    assert_ne!(first, second);
    assert_eq!(set_of(&bench, 1), [second]);
}

#[test]
fn who_waits_gets_the_first_place_that_comes_free_on_any_of_its_instances() {
    let mut bench = shared();
    let policy = AccountPolicy { spread: Some(Spread { min: 1, max: 2 }), ..AccountPolicy::default() };
    tell(&mut bench, Capacity::SetAccount { account: account(1), policy });
    let started: Vec<_> = (1..=4).map(|function| start(&mut bench, 1, function).expect("room")).collect();
    assert_eq!(bench.invoke(of(1, 5)).1, []);
    let actions = bench.step(Event::Dead { sandbox: started[3].0 });
    assert!(matches!(actions[..], [Action::MakeBlank { instance, .. }] if instance == started[3].1), "{actions:?}");
}

#[test]
fn what_is_provisioned_keeps_to_it_too() {
    let mut bench = shared();
    set_spread(&mut bench, 1, 1, 2);
    let version =
        Version { key: of(1, 1).key, root: ROOT, memory_mib: 128, timeout: std::time::Duration::from_secs(3) };
    let actions = bench.step(Event::Provision { version, count: 7, reserved: None });
    let mut places: Vec<_> = actions
        .iter()
        .map(|action| match action {
            Action::MakeBlank { instance, .. } => *instance,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places.len(), 4, "as many as fit on two");
    places.dedup();
    assert_eq!(places, set_of(&bench, 1));
}

#[test]
fn what_is_borrowed_counts() {
    let mut bench = shared();
    tell(&mut bench, Capacity::SetPool(pool("own", Some(Owner::Account(account(1))))));
    let shortage = vec![Shortage::Borrow { from: vec![PoolName::general()] }, Shortage::Reject];
    let policy = AccountPolicy { spread: Some(Spread { min: 1, max: 2 }), shortage, ..AccountPolicy::default() };
    tell(&mut bench, Capacity::SetAccount { account: account(1), policy });
    let mut places: Vec<_> = (1..=4).map(|function| start(&mut bench, 1, function).expect("room").1).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 2);
    assert_eq!(start(&mut bench, 1, 5), None, "two others have room, and are not its");
}
