//! Asynchronous invocations: onto the durable queues, and off them again when there is room.
//!
//! An event is acknowledged (202) when it is in the store. It leaves the store in the same commit that records what became of it, so
//! a daemon that dies in between runs it again: at least once, as Lambda promises.
//!
//! Each function has a queue of its own. The engine decides whose turn it is (`EventQueues`); each turn leases some events
//! of one queue. Nothing is taken up before the daemon says that all which events need is there.

mod aside;
mod attempt;
mod event;
mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hearth_engine::async_queue::{Ended, QueueName};
use hearth_engine::port::{Invocation, InvokeError};
use hearth_store::{CommitError, Lease, Leased, LeasedMessage, Write};
use hearth_types::{FunctionRef, Home, Instant};

use crate::core::Core;
use attempt::{Settlement, Taken};
use event::{KeptWishes, Queued};
pub(crate) use state::AsyncState;
use state::{Slot, Turn};

const PARTITION: &str = "events";
/// An event of a daemon that died is taken up again after this.
const LEASE: Duration = Duration::from_secs(15);
const EXTEND_EVERY: Duration = Duration::from_secs(5);
/// What waits for room is looked at this often even if nothing says that there is some.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const BATCH_MAX: usize = 32;

pub(crate) async fn enqueue(core: &Arc<Core>, invocation: Invocation) -> Result<(), InvokeError> {
    if core.stopping.is_cancelled() {
        return Err(InvokeError::Draining);
    }
    let accepted_ms = core.clock.wall().as_millis();
    let queue = QueueName::new(&invocation.spec.key.home(), &invocation.spec.key.function);
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
    let write = event.enqueue(&queue);
    core.store.commit(PARTITION, Vec::new(), vec![write]).await.map_err(|error| {
        tracing::error!(%error, "cannot queue an event");
        InvokeError::Service { message: "The event could not be stored. Retry the request.".to_owned() }
    })?;
    core.async_state.note(&queue, core.clock.now());
    Ok(())
}

/// Events that are accepted and not done yet; `None` if the store does not say.
pub(crate) async fn queued(core: &Core) -> Option<u64> {
    let queues = core.store.queues(PARTITION).await.ok()?;
    Some(queues.iter().filter(|queue| queue.queue != aside::QUEUE).map(|queue| queue.messages).sum())
}

/// Events that cannot be read; `None` if the store does not say.
pub(crate) async fn put_aside(core: &Core) -> Option<u64> {
    let queues = core.store.queues(PARTITION).await.ok()?;
    Some(queues.iter().filter(|queue| queue.queue == aside::QUEUE).map(|queue| queue.messages).sum())
}

/// The queue of the function that an event is for, or of everything that is for none.
fn queue_for(arn: &str) -> QueueName {
    let function: Option<FunctionRef> = arn.parse().ok();
    let owned = function.and_then(|function| Some((Home::new(function.account?, function.region?), function.name)));
    owned.map_or_else(|| QueueName::from("unknown"), |(home, name)| QueueName::new(&home, &name))
}

/// Works off the queues until the node stops taking work.
pub(crate) async fn run(core: Arc<Core>) {
    aside::take_back(&core).await;
    find_queues(&core).await;
    while !core.stopping.is_cancelled() {
        while let Some(turn) = Turn::next(&core) {
            let core = Arc::clone(&core);
            let tasks = core.tasks.clone();
            // Its leases run out, and what they are of is taken up again.
            tasks.contained("turn of a queue", async move { take_turn(&core, turn).await }, || {});
        }
        let at = core.async_state.wake_at(core.clock.now() + LOOK_EVERY);
        tokio::select! {
            () = core.async_state.changed() => {}
            () = tokio::time::sleep_until(core.clock.tokio_instant(at)) => {}
            () = core.stopping.cancelled() => {}
        }
    }
}

/// Learns what the store holds.
async fn find_queues(core: &Core) {
    while !core.stopping.is_cancelled() {
        match core.store.queues(PARTITION).await {
            Ok(queues) => {
                let now = core.clock.now();
                for queue in queues.iter().filter(|queue| queue.queue != aside::QUEUE) {
                    core.async_state.note(&QueueName::from(queue.queue.as_str()), now + queue.next_in);
                }
                return;
            }
            Err(error) => {
                tracing::error!(%error, "cannot read the queues of events");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// Leases the events whose turn it is, and works on each.
async fn take_turn(core: &Arc<Core>, turn: Turn) {
    let (queue, count) = (turn.take().queue.clone(), turn.take().count);
    match core.store.lease(PARTITION, queue.as_str(), count, LEASE).await {
        Ok(Leased { messages, next_in }) => {
            let leased_at = core.clock.now();
            let slots = turn.leased(messages.len(), next_in.map(|next| leased_at + next));
            for (message, slot) in messages.into_iter().zip(slots) {
                let (queue, lease) = (queue.clone(), message.lease.clone());
                let (working, freeing) = (Arc::clone(core), Arc::clone(core));
                let clean_up = move || give_back(&freeing, queue, lease);
                core.tasks.contained("event", async move { work(&working, message, leased_at, slot).await }, clean_up);
            }
        }
        Err(error) => {
            tracing::error!(%error, "cannot read the queue of events");
            drop(turn.leased(0, Some(core.clock.now() + LOOK_EVERY)));
        }
    }
}

async fn work(core: &Arc<Core>, message: LeasedMessage, leased_at: Instant, slot: Slot) {
    let lease = message.lease.clone();
    let settlement = match Queued::decode(&message.body) {
        Ok(event) => {
            let running = AtomicU64::new(0);
            let event = Taken { event, lease: lease.clone(), age: message.age, leased_at, running: &running };
            tokio::select! {
                attempted = hearth_tasks::contain("attempt of an event", attempt::run(core, event)) => {
                    attempted.unwrap_or_else(|_panicked| Settlement::after_panic(lease.clone(), may_run(&running)))
                }
                () = keep_lease(core, &lease) => return slot.end(Ended::Untried, None),
            }
        }
        Err(error) => aside::put(&message, &error),
    };
    let again = if settle(core, settlement.writes).await { settlement.again } else { Some(LEASE) };
    let now = core.clock.now();
    if let Some(queue) = settlement.told {
        core.async_state.note(&queue, now);
    }
    slot.end(settlement.ended, again.map(|delay| now + delay));
}

/// How long the function of an attempt that broke off may still run. Sandboxes of a daemon that is ending end with it.
fn may_run(running: &AtomicU64) -> Duration {
    if hearth_tasks::has_rung() { Duration::ZERO } else { Duration::from_millis(running.load(Ordering::Relaxed)) }
}

/// Has an event soon tried again on which work broke off. Nothing runs of it: attempts answer for themselves.
fn give_back(core: &Arc<Core>, queue: QueueName, lease: Lease) {
    let core = Arc::clone(core);
    let tasks = core.tasks.clone();
    let work = async move {
        let Settlement { writes, again, .. } = Settlement::after_panic(lease, Duration::ZERO);
        if settle(&core, writes).await {
            core.async_state.note(&queue, core.clock.now() + again.unwrap_or_default());
        }
    };
    tasks.contained("return of an event", work, || {});
}

/// Keeps the event ours while the function runs. Returns only when somebody else has it.
async fn keep_lease(core: &Core, lease: &Lease) {
    loop {
        tokio::time::sleep(EXTEND_EVERY).await;
        let extend = Write::Extend { lease: lease.clone(), duration: LEASE };
        match core.store.commit(PARTITION, Vec::new(), vec![extend]).await {
            Ok(_) => {}
            Err(CommitError::LeaseLost { .. }) => {
                return tracing::warn!(
                    id = lease.id,
                    "an event ran for longer than its lease: another worker has taken it up"
                );
            }
            Err(error) => tracing::warn!(%error, id = lease.id, "cannot extend the lease of an event"),
        }
    }
}

/// Whether it is stored.
async fn settle(core: &Core, writes: Vec<Write>) -> bool {
    let result = core.store.commit(PARTITION, Vec::new(), writes).await;
    if let Err(error) = &result {
        tracing::warn!(%error, "the outcome of an event could not be stored: it will run again");
    }
    result.is_ok()
}

/// Uniform in 0..=1.
fn draw() -> f64 {
    let [a, b, c, d, ..] = *uuid::Uuid::new_v4().as_bytes();
    f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX)
}
