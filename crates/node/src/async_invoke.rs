//! Asynchronous invocations: onto the durable queue, and off it again when there is room.
//!
//! An event is acknowledged (202) when it is in the store. It leaves the store in the same commit that records what became of it, so
//! a daemon that dies in between runs it again: at least once, as Lambda promises.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hearth_engine::async_queue::{
    AttemptEnd, Condition, PaceConfig, Progress, RetryConfig, Verdict, after_attempt, hold_back, is_too_old,
    lease_count,
};
use hearth_engine::capacity::{PoolName, Wishes};
use hearth_engine::port::{AsyncConfig, Invocation, InvokeError, Outcome, Reply, ThrottleReason, Timeline};
use hearth_store::{Lease, LeasedMessage, Write};
use hearth_types::{FunctionRef, RequestId, limits};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;

use crate::core::Core;
use crate::node::run_to_the_end;
use crate::report::iso8601;

const PARTITION: &str = "events";
const QUEUE: &str = "invoke";
/// An event of a daemon that died is taken up again after this.
const LEASE: Duration = Duration::from_secs(15);
const EXTEND_EVERY: Duration = Duration::from_secs(5);
/// The queue is looked at this often even if nothing says that it changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const BATCH_MAX: usize = 32;

/// What the queue holds of an accepted event.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Queued {
    request_id: RequestId,
    invoked_arn: String,
    payload: Vec<u8>,
    trace_id: Option<String>,
    accepted_ms: u64,
    /// Attempts in which the function ran.
    runs: u32,
    /// Attempts in a row in which it did not.
    misses: u32,
    /// Behind all else in the queue, and only where there are any.
    #[serde(skip)]
    wishes: Option<KeptWishes>,
}

/// What the caller wished, for as long as the event lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptWishes {
    pool: Option<PoolName>,
    price_max: Option<u64>,
    affinity: Option<u64>,
    /// Milliseconds since 1970 until which it may be held back.
    defer_until_ms: Option<u64>,
}

impl KeptWishes {
    fn new(wishes: &Wishes, accepted_ms: u64) -> Self {
        let until = |defer: Duration| accepted_ms.saturating_add(u64::try_from(defer.as_millis()).unwrap_or(u64::MAX));
        Self {
            pool: wishes.pool.clone(),
            price_max: wishes.price_max,
            affinity: wishes.affinity,
            defer_until_ms: wishes.defer.map(until),
        }
    }

    /// Without the deferral: that is waited for in the queue, where it takes nobody's place.
    fn of_attempt(&self) -> Box<Wishes> {
        let (pool, price_max, affinity) = (self.pool.clone(), self.price_max, self.affinity);
        Box::new(Wishes { pool, price_max, affinity, defer: None })
    }
}

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
    let reply = result.and_then(Result::ok).map(|(reply, _)| reply);
    match after_attempt(retry, end, progress, draw()) {
        Verdict::Done => event.done(core, lease, &current.async_config, reply.as_ref()),
        Verdict::Retry { delay } => vec![Write::Release { lease, delay, body: Some(event.encode()) }],
        Verdict::Discard { condition } => event.discard(core, lease, &current.async_config, condition, reply.as_ref()),
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

impl Queued {
    fn encode(&self) -> Bytes {
        const ALWAYS: &str = "plain data into a growing buffer always serialises";
        let mut bytes = postcard::to_stdvec(self).expect(ALWAYS);
        if let Some(wishes) = &self.wishes {
            bytes = postcard::to_extend(wishes, bytes).expect(ALWAYS);
        }
        bytes.into()
    }

    fn decode(bytes: &[u8]) -> postcard::Result<Self> {
        let (mut event, rest) = postcard::take_from_bytes::<Self>(bytes)?;
        event.wishes = if rest.is_empty() { None } else { Some(postcard::from_bytes(rest)?) };
        Ok(event)
    }

    /// How long the event stays in the queue for now, if it may wait and load is high.
    fn hold_back(&self, core: &Core, retry: RetryConfig, invocation: &Invocation) -> Option<Duration> {
        let until = self.wishes.as_ref()?.defer_until_ms?;
        let rest = Duration::from_millis(until.saturating_sub(core.clock.wall().as_millis()));
        hold_back(retry, rest, self.age(core), draw()).filter(|_| core.is_loaded_for(invocation))
    }

    fn enqueue(&self) -> Write {
        Write::Enqueue {
            queue: QUEUE.to_owned(),
            id: format!("{:016x}-{}", self.accepted_ms, self.request_id),
            body: self.encode(),
            delay: Duration::ZERO,
        }
    }

    fn age(&self, core: &Core) -> Duration {
        Duration::from_millis(core.clock.wall().as_millis().saturating_sub(self.accepted_ms))
    }

    fn done(&self, core: &Core, lease: Lease, config: &AsyncConfig, reply: Option<&Reply>) -> Vec<Write> {
        let mut writes = vec![Write::Acknowledge(lease)];
        writes.extend(config.on_success.as_deref().and_then(|arn| self.to_destination(core, arn, "Success", reply)));
        writes
    }

    fn discard(
        &self,
        core: &Core,
        lease: Lease,
        config: &AsyncConfig,
        condition: Condition,
        reply: Option<&Reply>,
    ) -> Vec<Write> {
        let condition = condition.as_str();
        tracing::warn!(request = %self.request_id, arn = self.invoked_arn, condition, runs = self.runs, "an event is given up");
        let mut writes = vec![Write::Acknowledge(lease)];
        writes.extend(config.on_failure.as_deref().and_then(|arn| self.to_destination(core, arn, condition, reply)));
        writes
    }

    /// The record that a destination gets, as an event of its own. Functions are the destinations that this node reaches; the
    /// control plane refuses others.
    fn to_destination(&self, core: &Core, arn: &str, condition: &str, reply: Option<&Reply>) -> Option<Write> {
        arn.parse::<FunctionRef>().ok()?;
        let now = core.clock.wall();
        let text = |bytes: &[u8]| {
            serde_json::from_slice(bytes).unwrap_or_else(|_binary| json!(String::from_utf8_lossy(bytes)))
        };
        let function_error = reply.filter(|reply| reply.outcome == Outcome::FunctionError).map(|_| "Unhandled");
        let mut function_arn = self.invoked_arn.clone();
        if function_arn.split(':').count() == 7 {
            function_arn.push_str(":$LATEST");
        }
        let mut record = json!({
            "version": "1.0", "timestamp": iso8601(now),
            "requestContext": {
                "requestId": self.request_id.to_string(), "functionArn": function_arn, "condition": condition,
                "approximateInvokeCount": self.runs,
            },
            "requestPayload": text(&self.payload),
        });
        if let Some(reply) = reply {
            record["responseContext"] = json!({"statusCode": 200, "executedVersion": "$LATEST"});
            if let Some(error) = function_error {
                record["responseContext"]["functionError"] = json!(error);
            }
            record["responsePayload"] = text(&reply.payload);
        }
        let mut payload = record.to_string().into_bytes();
        if payload.len() > limits::ASYNC_PAYLOAD_BYTES_MAX {
            record["responsePayload"] = json!(null);
            payload = record.to_string().into_bytes();
        }
        let event = Self {
            request_id: RequestId::from_random(uuid::Uuid::new_v4().into_bytes()),
            invoked_arn: arn.to_owned(),
            payload,
            trace_id: self.trace_id.clone(),
            accepted_ms: now.as_millis(),
            runs: 0,
            misses: 0,
            wishes: None,
        };
        Some(event.enqueue())
    }
}

/// Uniform in 0..=1.
fn draw() -> f64 {
    let [a, b, c, d, ..] = *uuid::Uuid::new_v4().as_bytes();
    f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(wishes: Option<KeptWishes>) -> Queued {
        Queued {
            request_id: RequestId::from_random([7; 16]),
            invoked_arn: "arn:aws:lambda:us-east-1:123456789012:function:f".to_owned(),
            payload: b"{}".to_vec(),
            trace_id: None,
            accepted_ms: 1_000,
            runs: 1,
            misses: 2,
            wishes,
        }
    }

    #[test]
    fn an_event_comes_out_of_the_queue_as_it_went_in() {
        let wishes = Wishes {
            pool: Some(PoolName("spot".to_owned())),
            price_max: Some(5),
            affinity: None,
            defer: Some(Duration::from_secs(9)),
        };
        let wishes = KeptWishes::new(&wishes, 1_000);
        assert_eq!(wishes.defer_until_ms, Some(10_000));
        for event in [event(None), event(Some(wishes))] {
            let decoded = Queued::decode(&event.encode()).unwrap();
            assert_eq!(format!("{decoded:?}"), format!("{event:?}"));
        }
        let torn = event(None).encode();
        assert!(Queued::decode(&torn[..torn.len() - 1]).is_err());
        let mut more = torn.to_vec();
        more.push(9);
        assert!(Queued::decode(&more).is_err());
    }
}
