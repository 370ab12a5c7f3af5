//! Sub-pools: who draws on which, and what happens when there is nothing left.

use std::collections::BTreeSet;
use std::time::Duration;

use hearth_engine::capacity::{
    AccountPolicy, Capacity, Constraint, Frequency, GroupName, Instance, InstanceId, Owner, PoolKind, PoolName, Refill,
    Shortage, SubPool, TrustGroup, Wishes,
};
use hearth_engine::view::{InstanceView, SubPoolView};
use hearth_engine::{Action, Demand, EngineConfig, Event, FailReason};
use hearth_types::{AccountId, Instant, SandboxId};

use crate::harness::{Bench, config, demand, destroyed, dispatched, key, made};

const SECOND: Duration = Duration::from_secs(1);

/// A node with room for one sandbox of its own.
fn small() -> Bench {
    Bench::new(EngineConfig { memory_mib_max: 128, ..config() })
}

pub(crate) fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().expect("well-formed")
}

pub(crate) fn of(account: u64, function: u64) -> Demand {
    demand(&key(account, function, function))
}

pub(crate) fn name(name: &str) -> PoolName {
    PoolName(name.to_owned())
}

pub(crate) fn instance(id: u64, pool: &str) -> Instance {
    Instance {
        id: InstanceId(id),
        memory_mib: 256,
        cpu_millis: 1000,
        sandboxes_max: 10,
        cost_rate: 5,
        lease_end: None,
        age_max: None,
        reclaimable: false,
        shared: false,
        labels: BTreeSet::new(),
        pool: name(pool),
    }
}

pub(crate) fn pool(named: &str, owner: Option<Owner>) -> SubPool {
    SubPool {
        name: name(named),
        kind: if owner.is_some() { PoolKind::Dedicated } else { PoolKind::General },
        owner,
        constraint: Constraint::Fixed,
        frequency: None,
        min: 0,
        target: 0,
        max: 10,
        refill: Refill::default(),
        instance_memory_mib: 256,
    }
}

pub(crate) fn tell(bench: &mut Bench, change: Capacity) -> Vec<Action> {
    bench.step(Event::Capacity(Box::new(change)))
}

fn policy(bench: &mut Bench, number: u64, shortage: Vec<Shortage>) -> Vec<Action> {
    let policy = AccountPolicy { shortage, ..AccountPolicy::default() };
    tell(bench, Capacity::SetAccount { account: account(number), policy })
}

fn dedicate(bench: &mut Bench, number: u64) {
    tell(bench, Capacity::SetPool(pool("own", Some(Owner::Account(account(number))))));
    tell(bench, Capacity::Add(instance(1, "own")));
}

pub(crate) fn shown(bench: &Bench, id: u64) -> Option<InstanceView> {
    bench.engine.view().instances.into_iter().find(|instance| instance.id == InstanceId(id))
}

pub(crate) fn sub_pool(bench: &Bench, named: &str) -> SubPoolView {
    bench.engine.view().sub_pools.into_iter().find(|pool| pool.terms.name == name(named)).expect("declared")
}

/// Ends whatever the actions say, until nothing more follows.
pub(crate) fn end_all(bench: &mut Bench, actions: Vec<Action>) -> Vec<Action> {
    let mut all = actions.clone();
    for sandbox in destroyed(&actions) {
        let more = bench.step(Event::Dead { sandbox });
        all.extend(end_all(bench, more));
    }
    all
}

#[test]
fn the_owner_of_a_dedicated_sub_pool_starts_although_the_general_one_is_full() {
    let mut bench = small();
    dedicate(&mut bench, 2);
    bench.start(of(1, 1));
    let (_, actions) = bench.invoke(of(1, 2));
    assert_eq!(made(&actions), [], "the general one is full, and strangers have no part of the other");
    let (_, sandbox) = bench.start(of(2, 3));
    assert_eq!(shown(&bench, 1).expect("there").tenants, [account(2).to_string()]);
    assert_eq!(sub_pool(&bench, "own").counters.hits, 1);
    bench.finish(sandbox);
    assert_eq!(dispatched(&bench.invoke(of(2, 3)).1).len(), 1);
}

#[test]
fn an_account_fills_its_instance_before_it_takes_another() {
    let mut bench = small();
    dedicate(&mut bench, 2);
    tell(&mut bench, Capacity::Add(instance(2, "own")));
    for function in 1..=2 {
        bench.start(of(2, function));
    }
    assert_eq!((sub_pool(&bench, "own").waiting, sub_pool(&bench, "own").active), (1, 1));
    bench.start(of(2, 3));
    assert_eq!((sub_pool(&bench, "own").waiting, sub_pool(&bench, "own").active), (0, 2));
}

#[test]
fn what_does_not_fit_is_borrowed_only_if_the_policy_says_so() {
    let mut bench = Bench::new(config());
    dedicate(&mut bench, 2);
    for function in 1..=2 {
        bench.start(of(2, function));
    }
    let (_, actions) = bench.invoke(of(2, 3));
    assert_eq!(made(&actions), [], "it waits for its own");
    let actions = policy(&mut bench, 2, vec![Shortage::Borrow { from: vec![PoolName::general()] }]);
    assert_eq!(made(&actions).len(), 1, "and no longer");
    let counters = |named: &str| sub_pool(&bench, named).counters;
    assert_eq!((counters("own").misses, counters("own").borrowed, counters("general").lent), (1, 1, 1));
    policy(&mut bench, 2, vec![Shortage::Reject]);
    let (ticket, actions) = bench.invoke(of(2, 4));
    assert_eq!(actions, [Action::Fail { ticket, reason: FailReason::Refused { pool: name("own") } }]);
}

#[test]
fn room_in_the_own_sub_pool_is_made_before_anything_is_borrowed() {
    let mut bench = Bench::new(config());
    dedicate(&mut bench, 2);
    policy(&mut bench, 2, vec![Shortage::Borrow { from: vec![PoolName::general()] }]);
    let idle = bench.idle(of(2, 1));
    bench.start(of(2, 2));
    assert_eq!(destroyed(&bench.invoke(of(2, 3)).1), [idle]);
}

#[test]
fn a_sub_pool_without_instances_keeps_nobody_from_starting() {
    let mut bench = Bench::new(config());
    let rare = SubPool { frequency: Some(Frequency::Rare), ..pool("archive", None) };
    tell(&mut bench, Capacity::SetPool(rare));
    tell(&mut bench, Capacity::SetPool(pool("own", Some(Owner::Account(account(2))))));
    let named = AccountPolicy { pool: Some(name("archive")), ..AccountPolicy::default() };
    tell(&mut bench, Capacity::SetAccount { account: account(3), policy: named });
    for number in 1..=3 {
        bench.start(of(number, 1));
    }
    policy(&mut bench, 1, vec![Shortage::Reject]);
    bench.start(of(1, 2));
    assert_eq!(shown(&bench, 0).expect("the node").sandboxes, 4);
    policy(&mut bench, 2, vec![Shortage::Reject]);
    let (ticket, actions) = bench.invoke(of(2, 2));
    let reason = FailReason::Refused { pool: name("own") };
    assert_eq!(actions, [Action::Fail { ticket, reason }], "its owner says what happens");
}

/// A stranger who has the only instance keeps nobody else from starting.
#[test]
fn a_sub_pool_that_is_everybodys_is_passed_over_by_those_who_cannot_join() {
    let mut bench = Bench::new(config());
    tell(&mut bench, Capacity::SetPool(SubPool { frequency: Some(Frequency::Rare), ..pool("archive", None) }));
    tell(&mut bench, Capacity::Add(instance(1, "archive")));
    bench.start(of(1, 1));
    bench.start(of(2, 1));
    assert_eq!([0, 1].map(|id| shown(&bench, id).expect("there").sandboxes), [1, 1]);
}

#[test]
fn what_is_idle_where_is_borrowed_makes_room() {
    let mut bench = small();
    let idle = bench.idle(of(1, 1));
    tell(&mut bench, Capacity::SetPool(pool("own", Some(Owner::Account(account(2))))));
    policy(&mut bench, 2, vec![Shortage::Borrow { from: vec![PoolName::general()] }, Shortage::Reject]);
    let (_, actions) = bench.invoke(of(2, 1));
    assert_eq!(destroyed(&actions), [idle]);
    let actions = bench.step(Event::Dead { sandbox: idle });
    assert_eq!(made(&actions).len(), 1);
    let (ticket, actions) = bench.invoke(of(2, 2));
    let reason = FailReason::Refused { pool: name("own") };
    assert_eq!(actions, [Action::Fail { ticket, reason }], "what is used is not ended");
}

#[test]
fn who_waits_starts_when_an_instance_that_fits_appears_or_fails_at_its_deadline() {
    let mut bench = small();
    let constraint = Constraint::Variable { available: false, price: 3 };
    tell(&mut bench, Capacity::SetPool(SubPool { constraint, ..pool("own", Some(Owner::Account(account(2)))) }));
    tell(&mut bench, Capacity::Add(instance(1, "own")));
    policy(&mut bench, 2, vec![Shortage::Wait { seconds: 30 }]);
    let (late, actions) = bench.invoke(of(2, 1));
    assert_eq!(actions, []);
    let actions = bench.pass(31 * SECOND);
    assert_eq!(actions, [Action::Fail { ticket: late, reason: FailReason::Capacity { pool: name("own") } }]);
    let (_, actions) = bench.invoke(of(2, 1));
    assert_eq!(actions, []);
    let constraint = Constraint::Variable { available: true, price: 3 };
    let actions =
        tell(&mut bench, Capacity::SetPool(SubPool { constraint, ..pool("own", Some(Owner::Account(account(2)))) }));
    assert_eq!(made(&actions).len(), 1);
}

#[test]
fn who_queues_does_not_wait_only_as_long_as_a_later_step_would() {
    let mut bench = small();
    tell(&mut bench, Capacity::SetPool(pool("own", Some(Owner::Account(account(2))))));
    policy(&mut bench, 2, vec![Shortage::Queue, Shortage::Wait { seconds: 5 }]);
    let (ticket, _) = bench.invoke(Demand { queue_deadline: Instant::ZERO + 60 * SECOND, ..of(2, 1) });
    assert_eq!(bench.pass(59 * SECOND), []);
    assert_eq!(bench.pass(SECOND), [Action::Fail { ticket, reason: FailReason::Capacity { pool: name("own") } }]);
}

#[test]
fn an_instance_is_asked_for_if_the_policy_says_so_and_used_when_it_comes() {
    let mut bench = small();
    tell(&mut bench, Capacity::SetPool(pool("own", Some(Owner::Account(account(2))))));
    policy(&mut bench, 2, vec![Shortage::Provision { seconds: 60 }]);
    let (_, actions) = bench.invoke(of(2, 1));
    let ask = |count| Action::Acquire { pool: name("own"), count, memory_mib: 256 };
    assert_eq!(actions, [ask(1)]);
    assert_eq!(bench.invoke(of(2, 2)).1, [], "both fit on one");
    assert_eq!(bench.invoke(of(2, 3)).1, [ask(1)]);
    let actions = tell(&mut bench, Capacity::Add(instance(1, "own")));
    assert_eq!(made(&actions).len(), 2);
    let (_, actions) = bench.invoke(of(1, 9));
    assert_eq!(made(&actions).len(), 1, "nobody else waits for it");
    let actions = tell(&mut bench, Capacity::NotAcquired { pool: name("own"), count: 1 });
    assert_eq!(actions, []);
    bench.invoke(of(2, 3));
    assert_eq!(bench.pass(SECOND), [ask(1)], "it is asked for again, but not at once");
}

#[test]
fn each_taking_is_made_up_for_and_faster_when_many_are_taken() {
    let mut bench = small();
    let refill = Refill { per_removal: 1, fast_from: 3, fast_per_removal: 4 };
    tell(&mut bench, Capacity::SetPool(SubPool { refill, max: 100, ..pool("general", None) }));
    for id in 1..=10 {
        tell(&mut bench, Capacity::Add(Instance { memory_mib: 128, ..instance(id, "general") }));
    }
    bench.start(of(9, 9));
    let taken = |bench: &mut Bench, number| {
        let (_, actions) = bench.invoke(of(number, 1));
        let count = |action: &Action| if let Action::Acquire { count, .. } = action { Some(*count) } else { None };
        actions.iter().find_map(count)
    };
    let counts: Vec<_> = (10..14).map(|number| taken(&mut bench, number)).collect();
    assert_eq!(counts, [Some(1), Some(1), Some(4), Some(4)]);
    bench.pass(61 * SECOND);
    assert_eq!(taken(&mut bench, 20), Some(1));
}

#[test]
fn a_sub_pool_is_filled_up_from_its_minimum_to_its_target_and_what_is_too_much_is_released() {
    let mut bench = small();
    let own = SubPool { min: 1, target: 3, max: 3, ..pool("own", Some(Owner::Account(account(2)))) };
    let ask = |count| vec![Action::Acquire { pool: name("own"), count, memory_mib: 256 }];
    assert_eq!(tell(&mut bench, Capacity::SetPool(own.clone())), ask(3));
    assert_eq!(tell(&mut bench, Capacity::NotAcquired { pool: name("own"), count: 3 }), []);
    assert_eq!(bench.pass(SECOND), ask(3));
    for id in 1..=3 {
        tell(&mut bench, Capacity::Add(Instance { cost_rate: id, ..instance(id, "own") }));
    }
    tell(&mut bench, Capacity::SetPool(SubPool { max: 1, ..own }));
    assert_eq!([1, 2, 3].map(|id| shown(&bench, id).is_some()), [true, false, false], "not the most expensive ones");
    assert_eq!(sub_pool(&bench, "own").counters.released, 2);
}

#[test]
fn an_instance_returns_where_its_owner_may_use_it_again_and_else_is_released() {
    let mut bench = small();
    bench.start(of(9, 9));
    dedicate(&mut bench, 2);
    tell(&mut bench, Capacity::Add(instance(2, "general")));
    for (number, id) in [(2, 1), (3, 2)] {
        let (_, sandbox) = bench.start(of(number, 1));
        assert_eq!(shown(&bench, id).expect("there").standing, "active");
        bench.finish(sandbox);
        bench.step(Event::Dead { sandbox });
    }
    assert_eq!(shown(&bench, 1).expect("there").standing, "waiting");
    assert_eq!(sub_pool(&bench, "own").counters.returned, 1);
    assert_eq!(shown(&bench, 2), None, "nobody gets what a stranger has used");
    assert_eq!(sub_pool(&bench, "general").counters.released, 1);
}

#[test]
fn strangers_never_share_an_instance_and_members_of_a_group_may_from_the_next_request_on() {
    let mut bench = small();
    bench.start(of(9, 9));
    tell(&mut bench, Capacity::Add(instance(1, "general")));
    bench.start(of(2, 1));
    let (_, actions) = bench.invoke(of(3, 1));
    assert_eq!(made(&actions), []);
    let accounts = [account(2), account(3)].into();
    let group = TrustGroup { name: GroupName("g".to_owned()), accounts };
    let actions = tell(&mut bench, Capacity::SetTrustGroups(vec![group]));
    assert_eq!(made(&actions).len(), 1);
    assert_eq!(shown(&bench, 1).expect("there").tenants.len(), 2);
    tell(&mut bench, Capacity::SetTrustGroups(Vec::new()));
    for number in [2, 3] {
        assert_eq!(made(&bench.invoke(of(number, 2)).1), [], "now they are strangers on it");
    }
}

#[test]
fn what_waits_for_a_group_goes_when_one_who_used_it_leaves_the_group() {
    let mut bench = small();
    let group = |numbers: &[u64]| {
        let accounts = numbers.iter().map(|number| account(*number)).collect();
        Capacity::SetTrustGroups(vec![TrustGroup { name: GroupName("g".to_owned()), accounts }])
    };
    tell(&mut bench, group(&[2, 3]));
    tell(&mut bench, Capacity::SetPool(pool("ours", Some(Owner::Group(GroupName("g".to_owned()))))));
    tell(&mut bench, Capacity::Add(instance(1, "ours")));
    let (_, sandbox) = bench.start(of(2, 1));
    bench.finish(sandbox);
    bench.step(Event::Dead { sandbox });
    assert_eq!(shown(&bench, 1).expect("there").standing, "waiting");
    let (_, sandbox) = bench.start(of(3, 1));
    bench.finish(sandbox);
    bench.step(Event::Dead { sandbox });
    let actions = tell(&mut bench, group(&[3]));
    assert_eq!(actions, [Action::Release { instance: InstanceId(1) }]);
}

#[test]
fn nothing_that_costs_more_than_the_cap_is_used() {
    let mut bench = small();
    dedicate(&mut bench, 2);
    let capped = |price_max| Demand { wishes: Some(Box::new(Wishes { price_max, ..Wishes::default() })), ..of(2, 1) };
    assert_eq!(made(&bench.invoke(capped(Some(4))).1), []);
    bench.step(Event::Abandon { ticket: hearth_engine::Ticket(1) });
    assert_eq!(made(&bench.invoke(capped(Some(5))).1).len(), 1);
}

#[test]
fn a_request_may_name_a_sub_pool_that_its_account_may_draw_on() {
    let mut bench = Bench::new(config());
    dedicate(&mut bench, 2);
    tell(&mut bench, Capacity::SetPool(pool("spot", None)));
    tell(&mut bench, Capacity::Add(instance(2, "spot")));
    let wish = |number, named: &str| {
        let wishes = Wishes { pool: Some(name(named)), ..Wishes::default() };
        Demand { wishes: Some(Box::new(wishes)), ..of(number, 1) }
    };
    bench.start(wish(3, "own"));
    assert_eq!(shown(&bench, 1).expect("there").sandboxes, 0, "not his");
    bench.start(wish(2, "spot"));
    assert_eq!(shown(&bench, 2).expect("there").sandboxes, 1);
}

#[test]
fn who_waits_for_one_sub_pool_does_not_hold_up_those_who_wait_for_others() {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 256, ..config() });
    tell(&mut bench, Capacity::SetPool(pool("own", Some(Owner::Account(account(2))))));
    policy(&mut bench, 2, vec![Shortage::Queue]);
    for function in 1..=3 {
        assert_eq!(made(&bench.invoke(of(2, function)).1), []);
    }
    for function in 1..=2 {
        assert_eq!(made(&bench.invoke(of(1, function)).1).len(), 1);
    }
}

#[test]
fn requests_with_the_same_number_go_to_the_same_sandbox() {
    let mut bench = Bench::new(config());
    let numbered = |affinity| Demand {
        wishes: Some(Box::new(Wishes { affinity: Some(affinity), ..Wishes::default() })),
        ..of(1, 1)
    };
    let first = bench.start(numbered(1)).1;
    let second = bench.start(numbered(2)).1;
    bench.finish(first);
    bench.finish(second);
    let serve = |bench: &mut Bench, affinity| -> SandboxId {
        let sandbox = dispatched(&bench.invoke(numbered(affinity)).1)[0].0;
        bench.finish(sandbox);
        sandbox
    };
    for _ in 0..3 {
        assert_eq!(serve(&mut bench, 1), first);
        assert_eq!(serve(&mut bench, 2), second);
    }
    bench.step(Event::Dead { sandbox: first });
    assert_eq!(serve(&mut bench, 1), second);
}
