//! Versions that are called often and those that are not have sub-pools of their own.

use std::time::Duration;

use hearth_engine::capacity::{AccountPolicy, Capacity, Frequency, Instance, Owner, Shortage, SubPool, Wishes};
use hearth_engine::{Action, Demand, Event, FailReason, Start};
use hearth_types::SandboxId;

use super::sub_pools::{account, instance, name, of, pool, tell};
use crate::harness::{Bench, config, destroyed};

fn add(bench: &mut Bench, id: u64, pool: &str) {
    tell(bench, Capacity::Add(Instance { memory_mib: 12_800, cpu_millis: 0, ..instance(id, pool) }));
}

/// Account 1 has an instance for what is called often, 1, and one for all else, 2.
fn divided() -> Bench {
    let mut bench = Bench::new(config());
    for (id, named, frequency) in [(1, "often", Frequency::Frequent), (2, "seldom", Frequency::Rare)] {
        let owner = Some(Owner::Account(account(1)));
        tell(&mut bench, Capacity::SetPool(SubPool { frequency: Some(frequency), ..pool(named, owner) }));
        add(&mut bench, id, named);
    }
    bench
}

/// Runs the call up to its dispatch: the sandbox, and the instance if it was made for the call.
fn run(bench: &mut Bench, demand: Demand) -> (SandboxId, Option<u64>) {
    let (_, actions) = bench.invoke(demand);
    match actions.as_slice() {
        [Action::MakeBlank { sandbox, instance, .. }] => {
            bench.step(Event::BlankReady { sandbox: *sandbox });
            bench.step(Event::Initialised { sandbox: *sandbox });
            (*sandbox, Some(instance.0))
        }
        [Action::Dispatch { sandbox, start: Start::Warm, .. }] => (*sandbox, None),
        other => panic!("{other:?}"),
    }
}

fn call_often(bench: &mut Bench, demand: &Demand) {
    for _ in 0..20 {
        let (sandbox, _) = run(bench, demand.clone());
        bench.finish(sandbox);
    }
}

#[test]
fn what_is_called_often_moves_and_what_is_idle_stays() {
    let mut bench = divided();
    let (first, place) = run(&mut bench, of(1, 1));
    assert_eq!(place, Some(2));
    bench.finish(first);
    call_often(&mut bench, &of(1, 1));
    assert_eq!(bench.engine.view().versions[0].frequency, Frequency::Frequent);
    assert_eq!(run(&mut bench, of(1, 1)), (first, None), "the one that is idle is used");
    assert_eq!(run(&mut bench, of(1, 1)).1, Some(1), "another is started with its like");
    assert_eq!(run(&mut bench, of(1, 2)).1, Some(2), "others stay where they are");
}

#[test]
fn what_is_called_no_more_moves_back() {
    let mut bench = divided();
    call_often(&mut bench, &of(1, 1));
    bench.pass(Duration::from_secs(900));
    assert_eq!(run(&mut bench, of(1, 1)).1, Some(2));
}

#[test]
fn an_update_does_not_make_a_version_rare() {
    let mut bench = divided();
    call_often(&mut bench, &of(1, 1));
    let mut updated = of(1, 1);
    updated.key = crate::harness::key(1, 1, 2);
    assert_eq!(run(&mut bench, updated).1, Some(1));
}

/// The account uses the other instance already: that is no reason.
#[test]
fn where_the_own_kind_is_full_others_are_not_used_unless_the_policy_says_so() {
    let mut bench = divided();
    call_often(&mut bench, &of(1, 1));
    let (held, _) = run(&mut bench, of(1, 1));
    assert_eq!(run(&mut bench, of(1, 1)).1, Some(1));
    bench.finish(held);
    tell(&mut bench, Capacity::Remove(hearth_engine::capacity::InstanceId(2)));
    let told = |bench: &mut Bench, shortage: Vec<Shortage>| {
        let policy = AccountPolicy { shortage, ..AccountPolicy::default() };
        tell(bench, Capacity::SetAccount { account: account(1), policy });
    };
    told(&mut bench, vec![Shortage::Reject]);
    let (ticket, actions) = bench.invoke(of(1, 2));
    assert_eq!(actions, [Action::Fail { ticket, reason: FailReason::Refused { pool: name("seldom") } }]);
    told(&mut bench, vec![Shortage::Borrow { from: vec![name("often")] }, Shortage::Reject]);
    assert_eq!(run(&mut bench, of(1, 2)).1, Some(1));
    assert_eq!(run(&mut bench, of(1, 3)).1, Some(1));
}

#[test]
fn everybody_is_divided_if_such_pools_are_everybodys() {
    let mut bench = Bench::new(config());
    tell(&mut bench, Capacity::SetPool(SubPool { frequency: Some(Frequency::Frequent), ..pool("often", None) }));
    add(&mut bench, 1, "often");
    assert_eq!(run(&mut bench, of(3, 1)).1, Some(0));
    for _ in 0..19 {
        run(&mut bench, of(3, 1));
    }
    assert_eq!(run(&mut bench, of(3, 1)).1, Some(1));
}

#[test]
fn a_request_does_not_choose_a_pool_for_others() {
    let mut bench = divided();
    let wishes = Some(Box::new(Wishes { pool: Some(name("often")), ..Wishes::default() }));
    assert_eq!(run(&mut bench, Demand { wishes, ..of(1, 1) }).1, Some(2));
}

#[test]
fn a_pool_that_takes_others_from_now_on_ends_nothing() {
    let mut bench = divided();
    let (sandbox, _) = run(&mut bench, of(1, 1));
    bench.finish(sandbox);
    let owner = Some(Owner::Account(account(1)));
    let changed = SubPool { frequency: Some(Frequency::Frequent), ..pool("seldom", owner) };
    assert_eq!(destroyed(&tell(&mut bench, Capacity::SetPool(changed))), []);
    assert_eq!(run(&mut bench, of(1, 1)), (sandbox, None));
}
