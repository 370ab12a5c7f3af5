//! Asynchronous invocations: onto the durable queue, and off it again when there is room.
//!
//! An event is acknowledged (202) when it is in the store. It leaves the store in the same commit that records what became of it, so
//! a daemon that dies in between runs it again: at least once, as Lambda promises.

mod event;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hearth_engine::async_queue::{
    AttemptEnd, Condition, PaceConfig, Progress, RetryConfig, Verdict, after_attempt, is_too_old, lease_count,
};
use hearth_engine::port::{Invocation, InvokeError, Outcome, Reply, ThrottleReason, Timeline};
use hearth_store::{Lease, LeasedMessage, Write};
use tokio::sync::Notify;

use crate::core::Core;
use crate::node::run_to_the_end;
use event::{KeptWishes, Queued, Ran};

const PARTITION: &str = "events";
const QUEUE: &str = "invoke";
/// An event of a daemon that died is taken up again after this.
const LEASE: Duration = Duration::from_secs(15);
const EXTEND_EVERY: Duration = Duration::from_secs(5);
/// The queue is looked at this often even if nothing says that it changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const BATCH_MAX: usize = 32;

/// Says that the queue changed and counts what is worked on.
#[derive(Debug, Default)]
pub(crate) struct AsyncState {
    changed: Notify,
    running: AtomicUsize,
}

impl AsyncState {
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }
}

pub(crate) async fn enqueue(core: &Arc<Core>, invocation: Invocation) -> Result<(), InvokeError> {
    if core.stopping.is_cancelled() {
        return Err(InvokeError::Draining);
    }
    let accepted_ms = core.clock.wall().as_millis();
    let event = Queued {
        request_id: invocation.request_id,
        invoked_arn: invocation.invoked_arn.to_string(),
        payload: invocation.payload.to_vec(),
        trace_id: invocation.trace_id.clone(),
        accepted_ms,
        runs: 0,
        misses: 0,
        wishes: invocation.wishes.as_deref().map(|wishes| KeptWishes::new(wishes, accepted_ms)),
    };
    let write = event.enqueue();
    core.store.commit(PARTITION, Vec::new(), vec![write]).await.map_err(|error| {
        tracing::error!(%error, "cannot queue an event");
        InvokeError::Service { message: "The event could not be stored. Retry the request.".to_owned() }
    })?;
    core.async_state.changed.notify_one();
    Ok(())
}

/// Events that are accepted and not done yet; `None` if the store does not say.
pub(crate) async fn queued(core: &Core) -> Option<u64> {
    core.store.queue_state(PARTITION, QUEUE).await.ok().map(|(_, messages)| messages)
}

/// Works off the queue until the node stops taking work.
pub(crate) async fn run(core: Arc<Core>) {
    let pace = PaceConfig { running_max: core.config.async_concurrency, batch_max: BATCH_MAX };
    while !core.stopping.is_cancelled() {
        let count = lease_count(pace, core.async_state.running.load(Ordering::Acquire));
        let leased = if count == 0 { Vec::new() } else { lease(&core, count).await };
        let more = leased.len() == count && count > 0;
        for message in leased {
            core.async_state.running.fetch_add(1, Ordering::AcqRel);
            let core = Arc::clone(&core);
            core.tasks.clone().spawn(async move {
                work(&core, message).await;
                core.async_state.running.fetch_sub(1, Ordering::AcqRel);
                core.async_state.changed.notify_one();
            });
        }
        if !more {
            tokio::select! {
                () = core.async_state.changed.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = core.stopping.cancelled() => {}
            }
        }
    }
}

async fn lease(core: &Core, count: usize) -> Vec<LeasedMessage> {
    match core.store.lease(PARTITION, QUEUE, count, LEASE).await {
        Ok(leased) => leased,
        Err(error) => {
            tracing::error!(%error, "cannot read the queue of events");
            Vec::new()
        }
    }
}

async fn work(core: &Arc<Core>, message: LeasedMessage) {
    let Ok(event) = Queued::decode(&message.body) else {
        tracing::error!(id = message.lease.id, "an event in the queue cannot be read and is dropped");
        return settle(core, vec![Write::Acknowledge(message.lease)]).await;
    };
    let lease = message.lease;
    tokio::select! {
        writes = attempt(core, event, lease.clone()) => settle(core, writes).await,
        () = keep_lease(core, &lease) => {}
    }
}

/// Keeps the event ours while the function runs. Returns only when that failed: somebody else has it.
async fn keep_lease(core: &Core, lease: &Lease) {
    loop {
        tokio::time::sleep(EXTEND_EVERY).await;
        let extend = Write::Extend { lease: lease.clone(), duration: LEASE };
        if let Err(error) = core.store.commit(PARTITION, Vec::new(), vec![extend]).await {
            tracing::warn!(%error, id = lease.id, "lost an event to another worker");
            return;
        }
    }
}

async fn settle(core: &Core, writes: Vec<Write>) {
    if let Err(error) = core.store.commit(PARTITION, Vec::new(), writes).await {
        tracing::warn!(%error, "the outcome of an event could not be stored: it will run again");
    }
}

/// Runs the event once and says what to write of it.
async fn attempt(core: &Arc<Core>, mut event: Queued, lease: Lease) -> Vec<Write> {
    let Some(current) = core.catalogue.current(&event.invoked_arn, draw()) else {
        tracing::warn!(arn = event.invoked_arn, "an event's function is gone; the event is dropped");
        return vec![Write::Acknowledge(lease)];
    };
    let retry = RetryConfig::new(current.async_config.retries_max, current.async_config.age_s_max);
    if is_too_old(retry, event.age(core)) {
        return event.discard(core, lease, &current.async_config, Condition::EventAgeExceeded, None);
    }
    let version = current.spec.key.version;
    let invocation = Invocation {
        request_id: event.request_id,
        spec: current.spec,
        invoked_arn: event.invoked_arn.as_str().into(),
        payload: Bytes::from(event.payload.clone()),
        client_context: None,
        trace_id: event.trace_id.clone(),
        log_tail: false,
        streaming: false,
        reserved_concurrency: current.reserved_concurrency,
        account_unreserved: current.account_unreserved,
        wishes: event.wishes.as_ref().map(KeptWishes::of_attempt),
    };
    if let Some(delay) = event.hold_back(core, retry, &invocation) {
        return vec![Write::Release { lease, delay, body: None }];
    }
    // A version that is being created or prepared now: the event waits for it, as it would for room.
    let result = if current.invocable { Some(run_to_the_end(core, invocation).await) } else { None };
    let end = result.as_ref().map_or(AttemptEnd::NotRun, |result| attempt_end(result, current.reserved_concurrency));
    match end {
        AttemptEnd::Success | AttemptEnd::FunctionError => (event.runs, event.misses) = (event.runs + 1, 0),
        AttemptEnd::NotRun | AttemptEnd::ZeroReserved => event.misses += 1,
    }
    let progress = Progress { runs: event.runs, misses: event.misses, age: event.age(core) };
    let ran = result.and_then(Result::ok).map(|(reply, _)| Ran { reply, version });
    match after_attempt(retry, end, progress, draw()) {
        Verdict::Done => event.done(core, lease, &current.async_config, ran.as_ref()),
        Verdict::Retry { delay } => vec![Write::Release { lease, delay, body: Some(event.encode()) }],
        Verdict::Discard { condition } => event.discard(core, lease, &current.async_config, condition, ran.as_ref()),
    }
}

fn attempt_end(result: &Result<(Reply, Timeline), InvokeError>, reserved: Option<u32>) -> AttemptEnd {
    match result {
        Ok((Reply { outcome: Outcome::Success, .. }, _)) => AttemptEnd::Success,
        Ok((Reply { outcome: Outcome::FunctionError, .. }, _)) => AttemptEnd::FunctionError,
        Err(InvokeError::Throttled { reason: ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded })
            if reserved == Some(0) =>
        {
            AttemptEnd::ZeroReserved
        }
        Err(_) => AttemptEnd::NotRun,
    }
}

/// Uniform in 0..=1.
fn draw() -> f64 {
    let [a, b, c, d, ..] = *uuid::Uuid::new_v4().as_bytes();
    f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX)
}
