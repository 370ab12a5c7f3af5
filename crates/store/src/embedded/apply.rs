//! What a commit does to the tables. Every refusal is decided before the first write, so that a refused commit leaves the
//! group's transaction as it was.

use bytes::Bytes;
use hearth_types::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::queue;
use super::read::prefix_end;
use crate::api::{CommitError, Lease, Precondition, Revision, Write};

/// Records dropped by one transaction, so that a long log does not hold up everybody's commits.
const TRUNCATE_MAX: u64 = 1000;

pub(super) struct Context<'a> {
    pub connection: &'a Connection,
    pub now: Timestamp,
    /// The newest one given out.
    pub revision: &'a mut u64,
    pub deletions: &'a mut u64,
}

pub(super) fn commit(
    context: &mut Context<'_>,
    partition: &str,
    preconditions: &[Precondition],
    writes: &[Write],
) -> rusqlite::Result<Result<Revision, CommitError>> {
    for (index, precondition) in preconditions.iter().enumerate() {
        if !holds(context.connection, partition, precondition)? {
            return Ok(Err(CommitError::Precondition { index }));
        }
    }
    if let Some(write) = lost_lease(context.connection, partition, writes)? {
        return Ok(Err(CommitError::LeaseLost { write }));
    }
    if !writes.is_empty() {
        *context.revision += 1;
    }
    for write in writes {
        make(context, partition, write)?;
    }
    Ok(Ok(Revision(*context.revision)))
}

fn holds(connection: &Connection, partition: &str, precondition: &Precondition) -> rusqlite::Result<bool> {
    Ok(match precondition {
        Precondition::Absent { key } => revision_of(connection, partition, key)?.is_none(),
        Precondition::AtRevision { key, revision } => revision_of(connection, partition, key)? == Some(revision.0),
        Precondition::PrefixEmpty { prefix } => {
            let end = prefix_end(prefix);
            let any: Option<i64> = connection
                .prepare_cached(
                    "SELECT 1 FROM kv WHERE partition = ? AND key >= ? AND (?3 IS NULL OR key < ?3) LIMIT 1",
                )?
                .query_row(params![partition, prefix, end], |row| row.get(0))
                .optional()?;
            any.is_none()
        }
        Precondition::LeaseHeld(lease) => queue::is_held(connection, partition, lease)?,
        Precondition::LogAt { log, next } => log_next(connection, partition, log)? == *next,
    })
}

fn revision_of(connection: &Connection, partition: &str, key: &str) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT revision FROM kv WHERE partition = ? AND key = ?")?
        .query_row([partition, key], |row| row.get(0))
        .optional()
}

/// The first write that uses a lease which is not held, or which an earlier write of the same commit ends.
fn lost_lease(connection: &Connection, partition: &str, writes: &[Write]) -> rusqlite::Result<Option<usize>> {
    let mut ended: Vec<&Lease> = Vec::new();
    for (index, write) in writes.iter().enumerate() {
        let (lease, ends) = match write {
            Write::Acknowledge(lease) | Write::Release { lease, .. } => (lease, true),
            Write::Extend { lease, .. } => (lease, false),
            Write::Put { .. } | Write::Delete { .. } | Write::Append { .. } | Write::Enqueue { .. } => continue,
        };
        if ended.contains(&lease) || !queue::is_held(connection, partition, lease)? {
            return Ok(Some(index));
        }
        if ends {
            ended.push(lease);
        }
    }
    Ok(None)
}

fn make(context: &mut Context<'_>, partition: &str, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Put { key, value } => put(context, partition, key, value),
        Write::Delete { key } => delete(context, partition, key),
        Write::Append { log, record } => append(context, partition, log, record),
        Write::Enqueue { queue, id, body, delay } => queue::enqueue(context, partition, queue, id, body, *delay),
        Write::Acknowledge(lease) => queue::acknowledge(context, partition, lease),
        Write::Extend { lease, duration } => queue::extend(context, partition, lease, *duration),
        Write::Release { lease, delay, body } => queue::release(context, partition, lease, *delay, body.as_deref()),
    }
}

fn put(context: &mut Context<'_>, partition: &str, key: &str, value: &Bytes) -> rusqlite::Result<()> {
    let connection = context.connection;
    connection
        .prepare_cached(
            "INSERT INTO kv (partition, key, revision, value) VALUES (?, ?, ?, ?)
             ON CONFLICT (partition, key) DO UPDATE SET revision = excluded.revision, value = excluded.value",
        )?
        .execute(params![partition, key, *context.revision, &value[..]])?;
    connection.prepare_cached("DELETE FROM deleted WHERE partition = ? AND key = ?")?.execute([partition, key])?;
    Ok(())
}

fn delete(context: &mut Context<'_>, partition: &str, key: &str) -> rusqlite::Result<()> {
    let connection = context.connection;
    let gone =
        connection.prepare_cached("DELETE FROM kv WHERE partition = ? AND key = ?")?.execute([partition, key])?;
    if gone > 0 {
        connection
            .prepare_cached("INSERT OR REPLACE INTO deleted (partition, key, revision) VALUES (?, ?, ?)")?
            .execute(params![partition, key, *context.revision])?;
        *context.deletions += 1;
    }
    Ok(())
}

fn log_next(connection: &Connection, partition: &str, log: &str) -> rusqlite::Result<u64> {
    let next = connection
        .prepare_cached("SELECT next FROM log WHERE partition = ? AND log = ?")?
        .query_row([partition, log], |row| row.get(0))
        .optional()?;
    Ok(next.unwrap_or(0))
}

fn append(context: &Context<'_>, partition: &str, log: &str, record: &Bytes) -> rusqlite::Result<()> {
    let connection = context.connection;
    let sequence = log_next(connection, partition, log)?;
    connection
        .prepare_cached("INSERT INTO log_record (partition, log, sequence, record) VALUES (?, ?, ?, ?)")?
        .execute(params![partition, log, sequence, &record[..]])?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO log (partition, log, next) VALUES (?, ?, ?)")?
        .execute(params![partition, log, sequence + 1])?;
    Ok(())
}

/// Drops some records before `before`; whether none are left.
pub(super) fn truncate_log(context: &Context<'_>, partition: &str, log: &str, before: u64) -> rusqlite::Result<bool> {
    let dropped = context
        .connection
        .prepare_cached(
            "DELETE FROM log_record WHERE rowid IN (SELECT rowid FROM log_record
             WHERE partition = ? AND log = ? AND sequence < ? ORDER BY sequence LIMIT ?)",
        )?
        .execute(params![partition, log, before, TRUNCATE_MAX])?;
    Ok((dropped as u64) < TRUNCATE_MAX)
}

/// Keeps only the newest `kept` deletions of each partition.
pub(super) fn forget_deletions(connection: &mut Connection, kept: u64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let crowded: Vec<String> = transaction
        .prepare_cached("SELECT partition FROM deleted GROUP BY partition HAVING COUNT(*) > ?")?
        .query_map([kept], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for partition in crowded {
        let newest_forgotten: u64 = transaction
            .prepare_cached("SELECT revision FROM deleted WHERE partition = ? ORDER BY revision DESC LIMIT 1 OFFSET ?")?
            .query_row(params![partition, kept], |row| row.get(0))?;
        transaction
            .prepare_cached("DELETE FROM deleted WHERE partition = ? AND revision <= ?")?
            .execute(params![partition, newest_forgotten])?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO compacted (partition, revision) VALUES (?, ?)")?
            .execute(params![partition, newest_forgotten])?;
    }
    transaction.commit()
}
