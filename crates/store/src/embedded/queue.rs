//! Leased queues. `visible_at` is when a message can be taken, or taken again, by the store's clock; `token` is the lease last
//! given out and 0 when the message was given back.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::apply::Context;
use super::clock::millis;
use crate::api::{Lease, Leased, LeasedMessage, QueueState};
use hearth_types::Timestamp;

pub(super) fn enqueue(
    context: &Context<'_>,
    partition: &str,
    queue: &str,
    id: &str,
    body: &Bytes,
    delay: Duration,
) -> rusqlite::Result<()> {
    let connection = context.connection;
    let present: Option<i64> = connection
        .prepare_cached("SELECT 1 FROM message WHERE partition = ? AND queue = ? AND id = ?")?
        .query_row([partition, queue, id], |row| row.get(0))
        .optional()?;
    if present.is_some() {
        return Ok(());
    }
    connection.prepare_cached("INSERT INTO body (body) VALUES (?)")?.execute([&body[..]])?;
    let row = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "INSERT INTO message (partition, queue, id, visible_at, token, deliveries, enqueued_at, body)
             VALUES (?, ?, ?, ?, 0, 0, ?, ?)",
        )?
        .execute(params![partition, queue, id, millis(context.now + delay), millis(context.now), row])?;
    count(connection, partition, queue, 1)
}

fn count(connection: &Connection, partition: &str, queue: &str, change: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO queue (partition, queue, messages) VALUES (?, ?, ?)
             ON CONFLICT (partition, queue) DO UPDATE SET messages = messages + excluded.messages",
        )?
        .execute(params![partition, queue, change])?;
    connection
        .prepare_cached("DELETE FROM queue WHERE partition = ? AND queue = ? AND messages <= 0")?
        .execute([partition, queue])?;
    Ok(())
}

/// Given out and since then neither removed, given back nor given out anew.
pub(super) fn is_held(connection: &Connection, partition: &str, lease: &Lease) -> rusqlite::Result<bool> {
    let token: Option<u64> = connection
        .prepare_cached("SELECT token FROM message WHERE partition = ? AND queue = ? AND id = ?")?
        .query_row([partition, &lease.queue, &lease.id], |row| row.get(0))
        .optional()?;
    Ok(lease.token != 0 && token == Some(lease.token))
}

pub(super) fn acknowledge(context: &Context<'_>, partition: &str, lease: &Lease) -> rusqlite::Result<()> {
    let connection = context.connection;
    connection
        .prepare_cached(
            "DELETE FROM body WHERE row = (SELECT body FROM message WHERE partition = ? AND queue = ? AND id = ?)",
        )?
        .execute([partition, &lease.queue, &lease.id])?;
    connection.prepare_cached("DELETE FROM message WHERE partition = ? AND queue = ? AND id = ?")?.execute([
        partition,
        &lease.queue,
        &lease.id,
    ])?;
    count(connection, partition, &lease.queue, -1)
}

pub(super) fn extend(
    context: &Context<'_>,
    partition: &str,
    lease: &Lease,
    duration: Duration,
) -> rusqlite::Result<()> {
    show_at(context, partition, lease, duration, lease.token)
}

pub(super) fn release(
    context: &Context<'_>,
    partition: &str,
    lease: &Lease,
    delay: Duration,
    body: Option<&[u8]>,
) -> rusqlite::Result<()> {
    if let Some(body) = body {
        context
            .connection
            .prepare_cached(
                "UPDATE body SET body = ?
                 WHERE row = (SELECT body FROM message WHERE partition = ? AND queue = ? AND id = ?)",
            )?
            .execute(params![body, partition, lease.queue, lease.id])?;
    }
    show_at(context, partition, lease, delay, 0)
}

fn show_at(context: &Context<'_>, partition: &str, lease: &Lease, after: Duration, token: u64) -> rusqlite::Result<()> {
    context
        .connection
        .prepare_cached("UPDATE message SET visible_at = ?, token = ? WHERE partition = ? AND queue = ? AND id = ?")?
        .execute(params![millis(context.now + after), token, partition, lease.queue, lease.id])?;
    Ok(())
}

pub(super) fn lease(
    context: &mut Context<'_>,
    partition: &str,
    queue: &str,
    limit: usize,
    duration: Duration,
) -> rusqlite::Result<Leased> {
    let connection = context.connection;
    let token = *context.revision + 1;
    let mut messages: Vec<LeasedMessage> = connection
        .prepare_cached(
            "SELECT message.id, message.deliveries, message.enqueued_at, body.body
             FROM message JOIN body ON body.row = message.body
             WHERE partition = ? AND queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?",
        )?
        .query_map(params![partition, queue, millis(context.now), i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok(LeasedMessage {
                lease: Lease { queue: queue.to_owned(), id: row.get(0)?, token },
                deliveries: row.get(1)?,
                age: since(Timestamp::from_millis(row.get(2)?), context.now),
                body: Bytes::from(row.get::<_, Vec<u8>>(3)?),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut take = connection.prepare_cached(
        "UPDATE message SET visible_at = ?, token = ?, deliveries = ? WHERE partition = ? AND queue = ? AND id = ?",
    )?;
    for message in &mut messages {
        message.deliveries = message.deliveries.saturating_add(1);
        take.execute(params![
            millis(context.now + duration),
            token,
            message.deliveries,
            partition,
            queue,
            message.lease.id
        ])?;
    }
    if !messages.is_empty() {
        *context.revision = token;
    }
    let next: Option<u64> = connection
        .prepare_cached("SELECT MIN(visible_at) FROM message WHERE partition = ? AND queue = ?")?
        .query_row([partition, queue], |row| row.get(0))?;
    Ok(Leased { messages, next_in: next.map(|at| since(context.now, Timestamp::from_millis(at))) })
}

pub(super) fn list(connection: &Connection, partition: &str, now: Timestamp) -> rusqlite::Result<Vec<QueueState>> {
    connection
        .prepare_cached(
            "SELECT queue, messages, (SELECT MIN(visible_at) FROM message
                 WHERE message.partition = queue.partition AND message.queue = queue.queue)
             FROM queue WHERE partition = ? ORDER BY queue",
        )?
        .query_map([partition], |row| {
            let next: Option<u64> = row.get(2)?;
            let next_in = since(now, Timestamp::from_millis(next.unwrap_or_default()));
            Ok(QueueState { queue: row.get(0)?, messages: row.get(1)?, next_in })
        })?
        .collect()
}

/// Zero if `later` is earlier.
fn since(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::from_millis(later.as_millis().saturating_sub(earlier.as_millis()))
}
