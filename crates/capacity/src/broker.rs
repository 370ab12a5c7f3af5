//! More capacity from the operator's hook, and back to it.
//!
//! ```text
//!  acquire ─► limits ─► note the call ─► hook ─► keep the instance, forget the call ─► tell the fleet
//!                             ▲            │ failed: again with the same token, later
//!                             └── restart ─┘ given up, too dear: release under that token
//! ```
//!
//! A call is in the store before it is made, and its token names it for ever: whoever answers twice for one token answers for one
//! instance. So a daemon that dies at any point takes it up again without acquiring twice.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::capacity::{Capacity, InstanceId, PoolName};
use hearth_engine::port::CapacitySource;
use hearth_store::Write;
use serde::Deserialize;
use serde_json::{Value, json};

use super::held::Source;
use super::record::{Unfinished, drop_document, keep, told};
use super::{Actor, Kind};
use super::{CapacityPlan, HookTerms, InstanceDocument, Shared, now};

/// Calls for one instance before it is given up.
const ACQUIRE_TRIES_MAX: u32 = 4;

/// What the hook answers to `acquire`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Acquired {
    Instance(Box<Value>),
    /// There is none to be had now.
    Refused(String),
}

impl CapacitySource for CapacityPlan {
    fn acquire(&self, pool: PoolName, count: u32, memory_mib: u64) {
        let calls = self.shared.calls_for(count);
        for _ in 0..calls {
            // What an earlier life asked for is what this one wants.
            let earlier = {
                let mut held = self.shared.held();
                held.acquiring += 1;
                held.take_unfinished(&pool.0)
            };
            let noted = earlier.is_some();
            let token = uuid::Uuid::new_v4().to_string();
            let call = earlier.unwrap_or(Unfinished::Acquire { token, pool: pool.0.clone(), memory_mib });
            spawn(&self.shared, call, noted);
        }
        if calls < count {
            self.shared.declare(Capacity::NotAcquired { pool, count: count - calls });
        }
    }

    fn release(&self, instance: InstanceId) {
        let shared = Arc::clone(&self.shared);
        self.shared.tasks.system("release of an instance", async move { released(&shared, instance).await });
    }
}

/// Goes on with what was under way when the daemon ended.
pub(super) fn resume(shared: &Arc<Shared>) {
    let unfinished = std::mem::take(&mut shared.held().unfinished);
    for call in unfinished {
        if matches!(call, Unfinished::Acquire { .. }) {
            shared.held().acquiring += 1;
        }
        spawn(shared, call, true);
    }
}

fn spawn(shared: &Arc<Shared>, call: Unfinished, noted: bool) {
    let task = Arc::clone(shared);
    shared.tasks.system("call of the capacity hook", async move {
        let stopping = task.stopping.clone();
        let work = async {
            match &call {
                Unfinished::Acquire { token, pool, memory_mib } => {
                    let there = acquire(&task, &call, token, pool, *memory_mib, noted).await;
                    task.held().acquiring -= 1;
                    if !there {
                        task.declare(Capacity::NotAcquired { pool: PoolName(pool.clone()), count: 1 });
                    }
                }
                Unfinished::Release { token, name } => give_back(&task, &call, token, name).await,
            }
        };
        tokio::select! {
            () = work => {}
            () = stopping.cancelled() => {}
        }
    });
}

/// Whether an instance came of it.
async fn acquire(
    shared: &Arc<Shared>,
    call: &Unfinished,
    token: &str,
    pool: &str,
    memory_mib: u64,
    noted: bool,
) -> bool {
    let details = json!({"pool": pool, "memory_mib": memory_mib, "token": token});
    let Some(terms) = &shared.hook else {
        return refused(shared, &[], "no hook is configured (capacity.hook): add an instance by hand", details).await;
    };
    let (count, cost) = shared.hook_holds();
    if !noted {
        if count + shared.held().acquiring > terms.instances_max {
            return refused(shared, &[], "the hook holds as many instances as it may (instances_max)", details).await;
        }
        if terms.cost_rate_max.is_some_and(|max| cost >= max) {
            return refused(shared, &[], "the hook's instances cost as much as they may (cost_rate_max)", details)
                .await;
        }
        if shared.commit(vec![call.begin(), told(&Actor::Fleet, "acquire", details.clone())]).await.is_err() {
            return false;
        }
    }
    let left = terms.cost_rate_max.map(|max| max - cost);
    let request = json!({
        "action": "acquire", "token": token, "pool": pool, "memory_mib": memory_mib, "cost_rate_max": left,
    });
    let mut pause = terms.retry;
    for attempt in 1..=ACQUIRE_TRIES_MAX {
        let problem = match hook(shared, terms, &request).await {
            Ok(answer) => match read_answer(&answer, token, pool) {
                Ok(Ok(document)) => return keep_acquired(shared, terms, call, token, document).await,
                Ok(Err(reason)) => {
                    return refused(shared, &[call.end()], &format!("refused: {reason}"), details).await;
                }
                Err(problem) => problem,
            },
            Err(problem) => problem,
        };
        tracing::warn!(token, attempt, problem, "the capacity hook failed");
        let told = told(&Actor::Hook, "failed", json!({"token": token, "attempt": attempt, "problem": problem}));
        let _stored = shared.commit(vec![told]).await.is_ok();
        if attempt < ACQUIRE_TRIES_MAX {
            tokio::time::sleep(pause).await;
            pause = longer(pause, terms);
        }
    }
    abandon(shared, call, token, "given up after several failures").await;
    false
}

/// Nothing came of it, and nothing is to be cleaned up.
async fn refused(shared: &Shared, writes: &[Write], why: &str, mut details: Value) -> bool {
    details["why"] = json!(why);
    let mut writes = writes.to_vec();
    writes.push(told(&Actor::Hook, "not acquired", details));
    let _logged = shared.commit(writes).await.is_ok();
    false
}

async fn hook(shared: &Shared, terms: &HookTerms, request: &Value) -> Result<Vec<u8>, String> {
    let _permit = shared.hook_calls.acquire().await.map_err(|closed| closed.to_string())?;
    terms.hook.call(request.to_string()).await.map_err(|error| error.to_string())
}

/// An instance as it is to be kept, or the reason why there is none; else what is wrong with the answer.
fn read_answer(answer: &[u8], token: &str, pool: &str) -> Result<Result<InstanceDocument, String>, String> {
    let unusable = |error: String| format!("the hook's answer cannot be used: {error}");
    let mut instance = match serde_json::from_slice(answer).map_err(|error| unusable(error.to_string()))? {
        Acquired::Refused(reason) => return Ok(Err(reason.chars().take(500).collect())),
        Acquired::Instance(instance) => *instance,
    };
    let Value::Object(members) = &mut instance else {
        return Err(unusable("instance must be an object".to_owned()));
    };
    members.entry("name").or_insert_with(|| json!(format!("acquired-{}", token.get(..8).unwrap_or(token))));
    members.insert("pool".to_owned(), json!(pool));
    let document: InstanceDocument = serde_json::from_value(instance).map_err(|error| unusable(error.to_string()))?;
    document.check(now()).map_err(|error| unusable(error.to_string()))?;
    Ok(Ok(document))
}

async fn keep_acquired(
    shared: &Arc<Shared>,
    terms: &HookTerms,
    call: &Unfinished,
    token: &str,
    document: InstanceDocument,
) -> bool {
    let _one_after_the_other = shared.writing.lock().await;
    let name = document.name.clone();
    let (_, cost) = shared.hook_holds();
    let taken = shared.held().instances.get(&name).is_some_and(|held| held.token.as_deref() != Some(token));
    let too_dear = terms.cost_rate_max.is_some_and(|max| cost + document.cost_rate > max);
    let pool_gone = !shared.held().has_pool(&document.pool);
    let problem = match (taken, too_dear, pool_gone) {
        (true, _, _) => Some("its name is another instance's"),
        (_, true, _) => Some("it costs more than the hook may spend (cost_rate_max)"),
        (_, _, true) => Some("its pool is gone meanwhile"),
        (false, false, false) => None,
    };
    if let Some(problem) = problem {
        abandon(shared, call, token, problem).await;
        return false;
    }
    let value = json!(document);
    let details = json!({"instance": name, "document": value, "token": token});
    let writes = vec![
        call.end(),
        keep(Kind::Instance, &name, Source::Hook, &value, Some(token)),
        told(&Actor::Hook, "acquired", details),
    ];
    if shared.commit(writes).await.is_err() {
        // The call is still noted: the next life of the daemon asks again and gets the same instance.
        return false;
    }
    let at = |wall| shared.fleet.get().map_or(hearth_types::Instant::ZERO, |fleet| fleet.instant_at(wall));
    let instance = {
        let mut held = shared.held();
        let id = held.put_instance(document.clone(), Source::Hook, Some(token.to_owned()));
        document.to_instance(id, at)
    };
    shared.declare(Capacity::Add(instance));
    true
}

/// Whatever the hook may have acquired under the token is given back; nobody waits for that.
async fn abandon(shared: &Arc<Shared>, call: &Unfinished, token: &str, why: &str) {
    let release = Unfinished::Release { token: token.to_owned(), name: String::new() };
    let told = told(&Actor::Hook, "not acquired", json!({"token": token, "why": why}));
    if shared.commit(vec![call.end(), release.begin(), told]).await.is_ok() {
        spawn(shared, release, true);
    }
}

/// Calls the hook until it has taken the instance back.
async fn give_back(shared: &Shared, call: &Unfinished, token: &str, name: &str) {
    let Some(terms) = &shared.hook else {
        tracing::warn!(token, name, "an instance cannot be given back: no capacity hook is configured any more");
        return;
    };
    let request = json!({"action": "release", "token": token, "instance": name});
    let mut pause = terms.retry;
    loop {
        match hook(shared, terms, &request).await {
            Ok(_anything) => break,
            Err(problem) => {
                tracing::warn!(token, name, problem, "the capacity hook failed to release");
                let details = json!({"token": token, "instance": name, "problem": problem});
                let _logged = shared.commit(vec![told(&Actor::Hook, "failed", details)]).await.is_ok();
            }
        }
        tokio::time::sleep(pause).await;
        pause = longer(pause, terms);
    }
    let details = json!({"token": token, "instance": name});
    let _again_after_restart = shared.commit(vec![call.end(), told(&Actor::Hook, "released", details)]).await.is_ok();
}

fn longer(pause: Duration, terms: &HookTerms) -> Duration {
    (pause * 2).min(terms.retry * 100)
}

/// The fleet has emptied an instance for good. The hook gets back what came from it. A share of this machine that is still
/// declared begins another life: whatever ran on it is gone, nothing is left of its former user.
async fn released(shared: &Arc<Shared>, id: InstanceId) {
    let _one_after_the_other = shared.writing.lock().await;
    let Some((name, token, source, again)) = ({
        let held = shared.held();
        held.instances.values().find(|held| held.id == id).map(|held| {
            let again = held.token.is_none() && !held.leaving && !held.document.lease_is_over(now());
            (held.document.name.clone(), held.token.clone(), held.source, again)
        })
    }) else {
        return;
    };
    if again {
        return renew(shared, &name);
    }
    let release = token.map(|token| Unfinished::Release { token, name: name.clone() });
    let mut writes = vec![told(&Actor::Fleet, "emptied", json!({"instance": name}))];
    // The file's own is left out by its lease, or was hidden when it was deleted.
    if source != Source::File {
        writes.push(drop_document(Kind::Instance, &name, source));
    }
    writes.extend(release.iter().map(Unfinished::begin));
    if shared.commit(writes).await.is_err() {
        return;
    }
    shared.held().instances.remove(&name);
    if let Some(release) = release {
        spawn(shared, release, true);
    }
}

fn renew(shared: &Shared, name: &str) {
    let at = |wall| shared.fleet.get().map_or(hearth_types::Instant::ZERO, |fleet| fleet.instant_at(wall));
    let instance = {
        let mut held = shared.held();
        let id = held.next_id();
        held.instances.get_mut(name).map(|instance| {
            instance.id = id;
            instance.document.to_instance(id, at)
        })
    };
    if let Some(instance) = instance {
        shared.declare(Capacity::Add(instance));
    }
}

impl Shared {
    /// How many calls of the hook are made for so many instances: as many as it may acquire, and one at least, which says in the
    /// log why there are no more.
    fn calls_for(&self, count: u32) -> u32 {
        let (holds, _) = self.hook_holds();
        let max = self.hook.as_ref().map_or(0, |terms| terms.instances_max);
        let room = max.saturating_sub(holds + self.held().acquiring);
        count.min(u32::try_from(room.max(1)).unwrap_or(u32::MAX))
    }

    /// How many instances came from the hook, and what they cost together per hour.
    fn hook_holds(&self) -> (usize, f64) {
        let held = self.held();
        let acquired: Vec<f64> =
            held.instances.values().filter(|held| held.token.is_some()).map(|held| held.document.cost_rate).collect();
        (acquired.len(), acquired.iter().sum())
    }
}
