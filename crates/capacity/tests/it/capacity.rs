//! Declared capacity: kept, checked, told to the fleet; and what comes from the hook.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hearth_capacity::{Actor, CapacityBase, CapacityError, CapacityPlan, HookTerms, Kind};
use hearth_engine::capacity::{Capacity, InstanceId, PoolName};
use hearth_engine::port::{BoxFuture, CapacityHook, CapacitySource, Fleet, HookError};
use hearth_store::{Embedded, Store, Write};
use hearth_types::{Instant, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Notify;

const ACCOUNT: &str = "123456789012";

/// Fills pools that have a minimum as soon as it hears of them, as the fleet does.
#[derive(Debug, Default)]
struct Told {
    plan: Mutex<Option<CapacityPlan>>,
    changes: Mutex<Vec<Capacity>>,
    changed: Notify,
}

impl Fleet for Told {
    fn declare(&self, change: Capacity) {
        let plan = self.plan.lock().unwrap().clone();
        if let (Capacity::SetPool(pool), Some(plan)) = (&change, plan)
            && pool.min > 0
        {
            plan.acquire(pool.name.clone(), pool.min, pool.instance_memory_mib);
        }
        self.changes.lock().unwrap().push(change);
        self.changed.notify_one();
    }

    fn instant_at(&self, wall: Timestamp) -> Instant {
        Instant::from_nanos(wall.as_millis())
    }
}

impl Told {
    fn take(&self) -> Vec<Capacity> {
        std::mem::take(&mut *self.changes.lock().unwrap())
    }

    /// The first change that was not seen yet and is wanted.
    async fn wait_for<T>(&self, wanted: impl Fn(&Capacity) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = self.changes.lock().unwrap().iter().find_map(&wanted) {
                    return found;
                }
                self.changed.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.expect("the fleet is told")
    }
}

/// Answers in turn; without an answer left it never does.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<String, HookError>>>,
    requests: Mutex<Vec<Value>>,
    called: Notify,
}

impl CapacityHook for Scripted {
    fn call(&self, request: String) -> BoxFuture<'_, Result<Vec<u8>, HookError>> {
        self.requests.lock().unwrap().push(serde_json::from_str(&request).unwrap());
        self.called.notify_one();
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer {
                Some(answer) => answer.map(String::into_bytes),
                None => std::future::pending().await,
            }
        })
    }
}

impl Scripted {
    fn of(answers: Vec<Result<String, HookError>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into()), ..Self::default() })
    }

    async fn requests(&self, count: usize) -> Vec<Value> {
        let made = async {
            while self.requests.lock().unwrap().len() < count {
                self.called.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), made).await.expect("the hook is called");
        self.requests.lock().unwrap().clone()
    }

    fn terms(self: &Arc<Self>) -> HookTerms {
        let hook = Arc::clone(self) as Arc<dyn CapacityHook>;
        HookTerms { hook, instances_max: 2, cost_rate_max: Some(5.0), retry: Duration::from_millis(1) }
    }
}

fn instance(cost: f64) -> Result<String, HookError> {
    Ok(json!({"instance": {"memory_mib": 1024, "cost_rate": cost}}).to_string())
}

struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A life of the daemon.
    async fn live(&self, base: CapacityBase, hook: Option<HookTerms>) -> (CapacityPlan, Arc<Told>) {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&self.dir.path().join("store")).unwrap());
        let plan = CapacityPlan::open(store, base, hook, Timestamp::from_millis(0)).await.unwrap();
        let fleet = Arc::new(Told::default());
        *fleet.plan.lock().unwrap() = Some(plan.clone());
        plan.connect(Arc::clone(&fleet) as _);
        (plan, fleet)
    }
}

/// The daemon's end; the store is free for its next life.
async fn end(plan: CapacityPlan, fleet: Arc<Told>) {
    plan.close().await;
    *fleet.plan.lock().unwrap() = None;
}

fn operator() -> Actor {
    Actor::Caller("arn:aws:iam::000000000000:root".to_owned())
}

fn added(change: &Capacity) -> Option<InstanceId> {
    match change {
        Capacity::Add(instance) => Some(instance.id),
        _ => None,
    }
}

/// The number of the oldest record of the log, and how many there are.
async fn extent(plan: &CapacityPlan) -> (u64, usize) {
    let first = plan.log(0, 1).await.unwrap()[0].0;
    let (mut count, mut from) = (0, 0);
    loop {
        let page = plan.log(from, 1000).await.unwrap();
        let Some((last, _)) = page.last() else { return (first, count) };
        (count, from) = (count + page.len(), last + 1);
    }
}

#[tokio::test]
async fn of_the_log_the_latest_ten_thousand_records_stay() {
    let world = World::new();
    let store = Embedded::open(&world.dir.path().join("store")).unwrap();
    for number in 0..120 {
        let record = json!({"what": "earlier", "number": number}).to_string();
        let append = || Write::Append { log: "log".to_owned(), record: record.clone().into() };
        store.commit("capacity", Vec::new(), (0..100).map(|_| append()).collect()).await.unwrap();
    }
    let first = store.read_log("capacity", "log", 0, 1).await.unwrap()[0].sequence;
    drop(store);
    let (plan, fleet) = world.live(CapacityBase::default(), None).await;
    assert_eq!(extent(&plan).await, (first + 2000, 10_000), "those of earlier lives");
    for number in 0..1000 {
        plan.put(Kind::Pool, "p", json!({"max": number}), &operator()).await.unwrap();
    }
    assert_eq!(extent(&plan).await, (first + 3000, 10_000), "while it grows");
    end(plan, fleet).await;
}

async fn what_happened(plan: &CapacityPlan) -> Vec<String> {
    let log = plan.log(0, 1000).await.unwrap();
    log.iter().map(|(_, record)| record["what"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn documents_survive_and_hold_over_the_file() {
    let world = World::new();
    let pool = |text| serde_json::from_str(text).unwrap();
    let base = CapacityBase {
        pools: vec![pool(r#"{"name": "a", "max": 1}"#), pool(r#"{"name": "b"}"#)],
        ..CapacityBase::default()
    };
    {
        let (plan, fleet) = world.live(base.clone(), None).await;
        let changed = plan.patch(Kind::Pool, "a", json!({"max": 7}), &operator()).await.unwrap();
        assert_eq!((&changed["max"], &changed["source"]), (&json!(7), &json!("api")));
        plan.delete(Kind::Pool, "b", &operator()).await.unwrap();
        let (made, new) = plan.put(Kind::Pool, "c", json!({}), &operator()).await.unwrap();
        assert!(new && made["kind"] == "general");
        let document = json!({"memory_mib": 512, "pool": "c", "lease_end": "2099-01-01T00:00:00Z"});
        plan.put(Kind::Instance, "m1", document, &operator()).await.unwrap();
        end(plan, fleet).await;
    }
    let (plan, fleet) = world.live(base, None).await;
    assert_eq!(plan.get(Kind::Pool, "a").unwrap()["max"], 7);
    assert_eq!(plan.get(Kind::Pool, "b"), Err(CapacityError::NotFound { kind: "pool", name: "b".to_owned() }));
    let names: Vec<Value> = plan.list(Kind::Pool).iter().map(|pool| pool["name"].clone()).collect();
    assert_eq!(names, ["a", "c", "general"]);
    let told = fleet.take();
    assert!(
        told.iter().any(|change| matches!(change, Capacity::Add(m1) if m1.memory_mib == 512 && m1.lease_end.is_some()))
    );
    assert_eq!(told.iter().filter(|change| matches!(change, Capacity::SetPool(_))).count(), 2);
    assert_eq!(what_happened(&plan).await, ["set pool", "delete", "set pool", "set instance"]);
}

#[tokio::test]
async fn what_would_dangle_is_refused() {
    let (plan, fleet) = World::new().live(CapacityBase::default(), None).await;
    fleet.take();
    let invalid = |result: Result<(Value, bool), CapacityError>, words: &str| match result {
        Err(CapacityError::Invalid { message }) => assert!(message.contains(words), "{message}"),
        other => panic!("{other:?}"),
    };
    let put = async |kind, name, document| plan.put(kind, name, document, &operator()).await;
    invalid(put(Kind::Instance, "m", json!({"memory_mib": 512, "pool": "x"})).await, "make it first");
    invalid(put(Kind::Instance, "m", json!({"memory_mib": 512, "size": 1})).await, "unknown field `size`");
    invalid(put(Kind::Instance, "m", json!({"memory_mib": 512, "name": "n"})).await, "sent to \"m\"");
    invalid(put(Kind::Pool, "p", json!({"kind": "dedicated", "group": "g"})).await, "make it first");
    invalid(put(Kind::Account, ACCOUNT, json!({"shortage": ["borrow:x"]})).await, "make it first");
    invalid(put(Kind::Account, "12", json!({})).await, "");
    put(Kind::Group, "g", json!({"accounts": [ACCOUNT]})).await.unwrap();
    invalid(put(Kind::Group, "h", json!({"accounts": [ACCOUNT]})).await, "it can be in one");
    put(Kind::Pool, "p", json!({"kind": "dedicated", "group": "g"})).await.unwrap();
    put(Kind::Account, ACCOUNT, json!({"shortage": ["borrow:p"]})).await.unwrap();
    let delete = async |kind, name| plan.delete(kind, name, &operator()).await;
    for (kind, name) in [(Kind::Group, "g"), (Kind::Pool, "p")] {
        assert!(matches!(delete(kind, name).await, Err(CapacityError::Conflict { .. })), "{name}");
    }
    assert_eq!(fleet.take().len(), 3, "refused changes are not told");
    for (kind, name) in [(Kind::Account, ACCOUNT), (Kind::Pool, "p"), (Kind::Group, "g")] {
        delete(kind, name).await.unwrap();
        assert!(matches!(delete(kind, name).await, Err(CapacityError::NotFound { .. })), "{name}");
    }
}

#[tokio::test]
async fn a_share_of_the_machine_is_another_one_after_each_use() {
    let (plan, fleet) = World::new().live(CapacityBase::default(), None).await;
    plan.put(Kind::Instance, "m1", json!({"memory_mib": 512}), &operator()).await.unwrap();
    let first = fleet.wait_for(added).await;
    fleet.take();
    plan.release(first);
    let second = fleet.wait_for(added).await;
    assert_ne!(first, second);
    plan.delete(Kind::Instance, "m1", &operator()).await.unwrap();
    fleet.wait_for(|change| (*change == Capacity::Remove(second)).then_some(())).await;
    assert_eq!(plan.get(Kind::Instance, "m1").unwrap()["leaving"], true);
    fleet.take();
    plan.release(second);
    plan.close().await;
    assert!(fleet.take().is_empty());
    assert!(plan.get(Kind::Instance, "m1").is_err());
}

#[tokio::test]
async fn the_hook_brings_an_instance_and_takes_it_back() {
    let hook = Scripted::of(vec![instance(1.0), Ok(String::new())]);
    let (plan, fleet) = World::new().live(CapacityBase::default(), Some(hook.terms())).await;
    plan.acquire(PoolName::general(), 1, 512);
    let id = fleet.wait_for(added).await;
    let request = &hook.requests(1).await[0];
    assert_eq!(
        (&request["action"], &request["memory_mib"], &request["cost_rate_max"]),
        (&json!("acquire"), &json!(512), &json!(5.0))
    );
    let held = &plan.list(Kind::Instance)[0];
    assert_eq!((&held["source"], &held["pool"]), (&json!("hook"), &json!("general")));
    plan.release(id);
    let requests = hook.requests(2).await;
    assert_eq!((&requests[1]["action"], &requests[1]["token"]), (&json!("release"), &requests[0]["token"]));
    plan.close().await;
    assert!(plan.list(Kind::Instance).is_empty());
}

#[tokio::test]
async fn failures_and_rubbish_are_tried_again_with_the_same_token_and_then_cleaned_up() {
    let failed = || Err(HookError::Failed("no route".to_owned()));
    let rubbish = |text: &str| Ok(text.to_owned());
    let answers = vec![
        failed(),
        rubbish("<html>"),
        rubbish(r#"{"instance": {"memory_mib": -1}}"#),
        rubbish(r#"{"instance": {"memory_mib": 1024, "name": "../x"}}"#),
        failed(),
        Ok(String::new()),
    ];
    let hook = Scripted::of(answers);
    let (plan, fleet) = World::new().live(CapacityBase::default(), Some(hook.terms())).await;
    plan.acquire(PoolName::general(), 1, 512);
    let refused = fleet.wait_for(|change| match change {
        Capacity::NotAcquired { count, .. } => Some(*count),
        _ => None,
    });
    assert_eq!(refused.await, 1);
    let requests = hook.requests(6).await;
    assert!(requests.iter().all(|request| request["token"] == requests[0]["token"]));
    let actions: Vec<&str> = requests.iter().map(|request| request["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["acquire", "acquire", "acquire", "acquire", "release", "release"]);
    let released = async {
        loop {
            let what = what_happened(&plan).await;
            if what.last().is_some_and(|what| what == "released") {
                return what;
            }
        }
    };
    let what = tokio::time::timeout(Duration::from_secs(20), released).await.expect("the log tells of the release");
    assert_eq!(what.iter().filter(|what| *what == "failed").count(), 5);
    assert!(!what.contains(&"acquired".to_owned()), "{what:?}");
}

#[tokio::test]
async fn limits_hold_whatever_the_hook_answers() {
    let hook = Scripted::of(vec![instance(3.0), instance(3.0), Ok(String::new()), instance(2.0)]);
    let (plan, fleet) = World::new().live(CapacityBase::default(), Some(hook.terms())).await;
    let not_acquired = |change: &Capacity| matches!(change, Capacity::NotAcquired { .. }).then_some(());
    plan.acquire(PoolName::general(), 1, 512);
    fleet.wait_for(added).await;
    fleet.take();
    plan.acquire(PoolName::general(), 1, 512);
    fleet.wait_for(not_acquired).await;
    assert_eq!(hook.requests(3).await[2]["action"], "release", "too dear");
    plan.acquire(PoolName::general(), 1, 512);
    fleet.wait_for(added).await;
    fleet.take();
    plan.acquire(PoolName::general(), 1, 512);
    fleet.wait_for(not_acquired).await;
    assert_eq!(hook.requests(4).await.len(), 4, "not called beyond instances_max");
}

#[tokio::test]
async fn more_than_can_be_had_is_refused_at_once() {
    let hook = Scripted::of(Vec::new());
    let (plan, fleet) = World::new().live(CapacityBase::default(), Some(hook.terms())).await;
    plan.acquire(PoolName::general(), u32::MAX, 512);
    let refused = |change: &Capacity| matches!(change, Capacity::NotAcquired { .. }).then(|| change.clone());
    let rest = Capacity::NotAcquired { pool: PoolName::general(), count: u32::MAX - 2 };
    assert_eq!(fleet.wait_for(refused).await, rest);
    assert_eq!(hook.requests(2).await.len(), 2);
}

#[tokio::test]
async fn an_acquisition_that_the_daemon_did_not_live_to_see_is_found_again() {
    let world = World::new();
    let pool = serde_json::from_str(r#"{"name": "p", "min": 1, "target": 1, "instance_memory_mib": 512}"#).unwrap();
    let base = CapacityBase { pools: vec![pool], ..CapacityBase::default() };
    let silent = Scripted::of(Vec::new());
    let token = {
        let (plan, fleet) = world.live(base.clone(), Some(silent.terms())).await;
        let token = silent.requests(1).await[0]["token"].clone();
        end(plan, fleet).await;
        token
    };
    let hook = Scripted::of(vec![instance(1.0), Ok(String::new())]);
    {
        let (plan, fleet) = world.live(base, Some(hook.terms())).await;
        let id = fleet.wait_for(added).await;
        let requests = hook.requests(1).await;
        assert_eq!((requests.len(), &requests[0]["token"]), (1, &token), "not acquired twice");
        let name = plan.list(Kind::Instance)[0]["name"].as_str().unwrap().to_owned();
        plan.delete(Kind::Instance, &name, &operator()).await.unwrap();
        fleet.wait_for(|change| (*change == Capacity::Remove(id)).then_some(())).await;
        end(plan, fleet).await;
    }
    // The daemon ended before the instance was empty: the next one gives it back.
    let (plan, fleet) = world.live(CapacityBase::default(), Some(hook.terms())).await;
    let requests = hook.requests(2).await;
    assert_eq!((&requests[1]["action"], &requests[1]["token"]), (&json!("release"), &token));
    assert!(fleet.take().iter().all(|change| added(change).is_none()) && plan.list(Kind::Instance).is_empty());
}
