//! What this node works on, and whose turn it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_engine::async_queue::{Bounds, Ended, EventQueues, QueueName, Take, Terms};
use hearth_types::Instant;
use tokio::sync::Notify;

use super::{BATCH_MAX, LEASE, LOOK_EVERY};
use crate::core::Core;

/// The queues as they are known here, and that something about them changed.
#[derive(Debug)]
pub(crate) struct AsyncState {
    queues: Mutex<EventQueues>,
    changed: Notify,
}

impl AsyncState {
    pub(crate) fn new(running_max: usize) -> Self {
        let queues = EventQueues::new(Bounds { running_max, batch_max: BATCH_MAX });
        Self { queues: Mutex::new(queues), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, EventQueues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn running(&self) -> usize {
        self.lock().running()
    }

    /// The queue holds something from `at` on.
    pub(super) fn note(&self, queue: &QueueName, at: Instant) {
        self.lock().note(queue, at);
        self.changed.notify_one();
    }

    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// When to look for the next turn, at the `latest`.
    pub(super) fn wake_at(&self, latest: Instant) -> Instant {
        self.lock().wake_at().map_or(latest, |at| at.min(latest))
    }
}

/// A queue's turn. If it is dropped, nothing was leased.
#[derive(Debug)]
pub(super) struct Turn {
    core: Arc<Core>,
    take: Take,
    is_over: bool,
}

impl Turn {
    pub(super) fn next(core: &Arc<Core>) -> Option<Self> {
        let take = core.async_state.lock().next(core.clock.now(), |queue| terms(core, queue))?;
        Some(Self { core: Arc::clone(core), take, is_over: false })
    }

    pub(super) fn take(&self) -> &Take {
        &self.take
    }

    /// So many were leased; the next one is there at `next`.
    pub(super) fn leased(mut self, count: usize, next: Option<Instant>) -> Vec<Slot> {
        self.end(count, next);
        let Take { queue, memory_mib, .. } = &self.take;
        let slot =
            || Slot { core: Arc::clone(&self.core), queue: queue.clone(), memory_mib: *memory_mib, is_over: false };
        (0..count).map(|_| slot()).collect()
    }

    fn end(&mut self, count: usize, next: Option<Instant>) {
        self.is_over = true;
        let state = &self.core.async_state;
        state.lock().leased(&self.take, count, next);
        state.changed.notify_one();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_over {
            let next = self.core.clock.now() + LOOK_EVERY;
            self.end(0, Some(next));
        }
    }
}

/// The place of one event that is under way. If it is dropped, the event comes back when its lease runs out.
#[derive(Debug)]
pub(super) struct Slot {
    core: Arc<Core>,
    queue: QueueName,
    memory_mib: u64,
    is_over: bool,
}

impl Slot {
    pub(super) fn end(mut self, end: Ended, again: Option<Instant>) {
        self.give_back(end, again);
    }

    fn give_back(&mut self, end: Ended, again: Option<Instant>) {
        self.is_over = true;
        let state = &self.core.async_state;
        state.lock().ended(self.core.clock.now(), &self.queue, self.memory_mib, end, again);
        state.changed.notify_one();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.is_over {
            let again = self.core.clock.now() + LEASE;
            self.give_back(Ended::Untried, Some(again));
        }
    }
}

/// By the function's unpublished version: what others differ in matters little here.
fn terms(core: &Core, queue: &QueueName) -> Terms {
    let Some((account, region, function)) = queue.function() else { return Terms::default() };
    let region = region.unwrap_or(core.config.region.as_str());
    let Some(current) = core.catalogue.current(&format!("arn:aws:lambda:{region}:{account}:function:{function}"), 0.0)
    else {
        return Terms::default();
    };
    let room = core.lock().engine.room_for(core.clock.now(), &current.spec.key);
    Terms {
        memory_mib: u64::from(current.spec.memory_mib),
        total_mib: room.total_mib,
        in_use_mib: room.in_use_mib,
        shared: room.shared,
        running_max: current.reserved_concurrency.unwrap_or(current.account_unreserved) as usize,
    }
}
