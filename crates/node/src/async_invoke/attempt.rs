//! One attempt of an event that was taken up, and what is written of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hearth_engine::async_queue::{
    AttemptEnd, Condition, Ended, Progress, QueueName, RetryConfig, Verdict, after_attempt, is_too_old,
};
use hearth_engine::port::{Current, Invocation, InvokeError, Outcome, Reply, ThrottleReason, Timeline};
use hearth_store::{Lease, Write};
use hearth_types::Instant;

use super::draw;
use super::event::{KeptWishes, Queued, Ran};
use crate::core::Core;
use crate::node::run_to_the_end;

/// When the event of a function is looked at again whose records cannot be read: another version of Hearth may read them.
const PUT_ASIDE: Duration = Duration::from_secs(60);
/// When an event is tried again whose attempt panicked.
const AFTER_PANIC: Duration = Duration::from_millis(500);

/// An event that is ours for now.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    pub(super) event: Queued,
    pub(super) lease: Lease,
    /// By the store's clock, which nobody sets, when it was leased.
    pub(super) age: Duration,
    pub(super) leased_at: Instant,
    /// While it runs, its time-out in milliseconds; else 0.
    pub(super) running: &'a AtomicU64,
}

impl Taken<'_> {
    pub(super) fn age(&self, core: &Core) -> Duration {
        self.age + core.clock.now().since(self.leased_at)
    }
}

/// What becomes of an event that was taken up.
#[derive(Debug)]
pub(super) struct Settlement {
    pub(super) writes: Vec<Write>,
    pub(super) ended: Ended,
    /// After what time it is tried again.
    pub(super) again: Option<Duration>,
    /// The queue of the destination that is told.
    pub(super) told: Option<QueueName>,
}

impl Settlement {
    fn again(lease: Lease, ended: Ended, delay: Duration, event: Option<&Queued>) -> Self {
        let body = event.map(Queued::encode);
        Self { writes: vec![Write::Release { lease, delay, body }], ended, again: Some(delay), told: None }
    }

    /// A panic broke off the work on it: it is tried again soon, but not while its function, for so long, may still run.
    pub(super) fn after_panic(lease: Lease, may_run: Duration) -> Self {
        Self::again(lease, Ended::Untried, AFTER_PANIC.max(may_run), None)
    }

    /// It is gone, and its record, if there is one, is on its way to a destination.
    fn over(lease: Lease, ended: Ended, record: Option<(QueueName, Write)>) -> Self {
        let mut writes = vec![Write::Acknowledge(lease)];
        let (told, write) = record.unzip();
        writes.extend(write);
        Self { writes, ended, again: None, told }
    }
}

/// Runs the event once and says what to write of it.
pub(super) async fn run(core: &Arc<Core>, mut taken: Taken<'_>) -> Settlement {
    let lease = taken.lease.clone();
    taken.move_to_region(core);
    let Some(current) = core.catalogue.current(&taken.event.invoked_arn, draw()) else {
        if core.catalogue.is_put_aside(&taken.event.invoked_arn) {
            return Settlement::again(lease, Ended::Throttled, PUT_ASIDE, None);
        }
        tracing::warn!(arn = taken.event.invoked_arn, "an event's function is gone; the event is dropped");
        return Settlement::over(lease, Ended::Untried, None);
    };
    let config = current.async_config.clone();
    let retry = RetryConfig::new(config.retries_max, config.age_s_max);
    if is_too_old(retry, taken.age(core)) {
        let record = taken.event.discard(core, &config, Condition::EventAgeExceeded, None);
        return Settlement::over(lease, Ended::Untried, record);
    }
    let (version, reserved, invocable) = (current.spec.key.version, current.reserved_concurrency, current.invocable);
    let invocation = invocation(&taken.event, current);
    if let Some(delay) = taken.hold_back(core, retry, &invocation) {
        return Settlement::again(lease, Ended::Untried, delay, None);
    }
    // A version that is being created or prepared now: the event waits for it, as it would for room.
    let result = if invocable {
        taken.running.store(invocation.spec.timeout_ms, Ordering::Relaxed);
        let result = run_to_the_end(core, invocation).await;
        taken.running.store(0, Ordering::Relaxed);
        Some(result)
    } else {
        None
    };
    let end = result.as_ref().map_or(AttemptEnd::NotRun, |result| attempt_end(result, reserved));
    let event = &mut taken.event;
    let ended = match end {
        AttemptEnd::Success | AttemptEnd::FunctionError => {
            (event.runs, event.misses) = (event.runs + 1, 0);
            Ended::Ran
        }
        AttemptEnd::ZeroReserved => Ended::Untried,
        AttemptEnd::NotRun => {
            event.misses += 1;
            Ended::Throttled
        }
    };
    let progress = Progress { runs: taken.event.runs, misses: taken.event.misses, age: taken.age(core) };
    let ran = result.and_then(Result::ok).map(|(reply, _)| Ran { reply, version });
    match after_attempt(retry, end, progress, draw()) {
        Verdict::Done => Settlement::over(lease, ended, taken.event.done(core, &config, ran.as_ref())),
        Verdict::Retry { delay } => Settlement::again(lease, ended, delay, Some(&taken.event)),
        Verdict::Discard { condition } => {
            Settlement::over(lease, ended, taken.event.discard(core, &config, condition, ran.as_ref()))
        }
    }
}

impl Taken<'_> {
    /// An event that was queued before there were Regions may name one that was configured earlier: its function is in the one
    /// that was configured when there came to be some.
    fn move_to_region(&mut self, core: &Core) {
        let is_old = matches!(QueueName::from(self.lease.queue.as_str()).function(), Some((_, None, _)));
        if !is_old || core.catalogue.current(&self.event.invoked_arn, 0.0).is_some() {
            return;
        }
        let mut parts: Vec<&str> = self.event.invoked_arn.split(':').collect();
        if let Some(region) = parts.get_mut(3) {
            *region = core.config.region.as_str();
            self.event.invoked_arn = parts.join(":");
        }
    }
}

fn invocation(event: &Queued, current: Current) -> Invocation {
    Invocation {
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
