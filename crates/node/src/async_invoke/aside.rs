//! Events that this version of Hearth cannot read: kept in a queue of their own, for a version that can.

use std::time::Duration;

use hearth_engine::async_queue::Ended;
use hearth_store::{Leased, LeasedMessage, Write};

use super::attempt::Settlement;
use super::event::{Queued, Unreadable};
use super::{LEASE, PARTITION, queue_for};
use crate::core::Core;
use crate::session::chain;

/// Nobody works on it.
pub(super) const QUEUE: &str = "unreadable";
const BATCH: usize = 32;

/// Puts the event aside as it is.
pub(super) fn put(message: &LeasedMessage, error: &Unreadable) -> Settlement {
    let LeasedMessage { lease, body, .. } = message;
    tracing::error!(
        id = lease.id,
        queue = lease.queue,
        error = %chain(error),
        "an event cannot be read and is put aside; a version of Hearth that can read it runs it"
    );
    let aside =
        Write::Enqueue { queue: QUEUE.to_owned(), id: lease.id.clone(), body: body.clone(), delay: Duration::ZERO };
    Settlement {
        writes: vec![Write::Acknowledge(lease.clone()), aside],
        ended: Ended::Untried,
        again: None,
        told: None,
    }
}

/// Brings back what another version put aside and this one can read. The others stay.
pub(super) async fn take_back(core: &Core) {
    let mut left = Vec::new();
    loop {
        let messages = match core.store.lease(PARTITION, QUEUE, BATCH, LEASE).await {
            Ok(Leased { messages, .. }) => messages,
            Err(error) => return tracing::error!(%error, "cannot read the events that were put aside"),
        };
        if messages.is_empty() {
            break;
        }
        for message in messages {
            match Queued::decode(&message.body) {
                Ok(event) => {
                    let queue = queue_for(&event.invoked_arn);
                    write(core, vec![Write::Acknowledge(message.lease), event.enqueue(&queue)]).await;
                }
                Err(_) => left.push(Write::Release { lease: message.lease, delay: Duration::ZERO, body: None }),
            }
        }
    }
    if !left.is_empty() {
        tracing::error!(events = left.len(), "events that this version of Hearth cannot read are kept aside");
    }
    for writes in left.chunks(BATCH) {
        write(core, writes.to_vec()).await;
    }
}

async fn write(core: &Core, writes: Vec<Write>) {
    if let Err(error) = core.store.commit(PARTITION, Vec::new(), writes).await {
        tracing::warn!(%error, "events that were put aside cannot be written");
    }
}
