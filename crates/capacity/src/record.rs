//! What the store holds: documents that came over the API or from the hook, calls of the hook that are under way, and the log.

use bytes::Bytes;
use hearth_store::{Store, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::held::{Held, Source};
use super::{Actor, Kind};
use super::{CapacityError, InstanceDocument, unread};
use hearth_store::stored;

pub(super) const PARTITION: &str = "capacity";
pub(super) const LOG: &str = "log";
const PAGE: usize = 256;
/// So many records stay in the log at least...
const LOG_RECORDS_MIN: u64 = 10_000;
/// ...and it is cut to that after so many more.
const LOG_CUT_EVERY: u64 = 1000;

/// One document, or that the file's is not to hold.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    source: Source,
    /// `None`: deleted.
    document: Option<Value>,
    token: Option<String>,
}

/// A call of the hook that has begun and whose end is not known.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(super) enum Unfinished {
    Acquire { token: String, pool: String, memory_mib: u64 },
    Release { token: String, name: String },
}

impl Unfinished {
    fn key(&self) -> String {
        match self {
            Self::Acquire { token, .. } | Self::Release { token, .. } => format!("call/{token}"),
        }
    }

    pub(super) fn begin(&self) -> Write {
        put(self.key(), &json!(self))
    }

    pub(super) fn end(&self) -> Write {
        Write::Delete { key: self.key() }
    }
}

fn put(key: String, value: &Value) -> Write {
    let value = stored::encode(value).expect("a document of JSON always serialises");
    Write::Put { key, value: value.into() }
}

fn key(kind: Kind, name: &str) -> String {
    format!("document/{}/{name}", kind.word())
}

pub(super) fn keep(kind: Kind, name: &str, source: Source, document: &Value, token: Option<&str>) -> Write {
    put(key(kind, name), &json!({"source": source, "document": document, "token": token}))
}

/// Over a file's document stays that it was deleted.
pub(super) fn drop_document(kind: Kind, name: &str, source: Source) -> Write {
    match source {
        Source::File => put(key(kind, name), &json!({"source": Source::Api, "document": null, "token": null})),
        Source::Api | Source::Hook => Write::Delete { key: key(kind, name) },
    }
}

/// A line of the log.
pub(super) fn told(actor: &Actor, what: &str, details: Value) -> Write {
    let time = jiff::Timestamp::now();
    let record = json!({"time": format!("{time:.3}"), "actor": actor.to_string(), "what": what, "details": details});
    Write::Append { log: LOG.to_owned(), record: Bytes::from(record.to_string()) }
}

/// Where the log ends, as far as is known.
#[derive(Debug, Default)]
pub(super) struct LogEnd {
    /// No later than the end.
    from: u64,
    /// Records that were added since the log was cut.
    added: u64,
}

impl LogEnd {
    /// Counts what `writes` added; whether it is time to cut the log.
    pub(super) fn note(&mut self, writes: &[Write]) -> bool {
        let records = writes.iter().filter(|write| matches!(write, Write::Append { .. })).count();
        self.added += records as u64;
        let due = self.added >= LOG_CUT_EVERY;
        if due {
            self.added = 0;
        }
        due
    }
}

/// Drops the oldest records beyond those that stay.
pub(super) async fn cut_log(store: &dyn Store, end: &std::sync::Mutex<LogEnd>) {
    let lock = || end.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut from = lock().from;
    loop {
        match store.read_log(PARTITION, LOG, from, PAGE).await {
            Ok(page) if page.is_empty() => break,
            Ok(page) => from = page.last().map_or(from, |last| last.sequence + 1),
            Err(error) => return tracing::warn!(%error, "the log of capacity cannot be read"),
        }
    }
    lock().from = from;
    let before = from.saturating_sub(LOG_RECORDS_MIN);
    if let Err(error) = store.truncate_log(PARTITION, LOG, before).await {
        tracing::warn!(%error, "the log of capacity cannot be cut");
    }
}

/// Brings what was kept over what the file declares.
pub(super) async fn load(store: &dyn Store, held: &mut Held) -> Result<(), CapacityError> {
    for kind in Kind::ALL {
        let prefix = key(kind, "");
        for (name, value) in entries(store, &prefix).await? {
            match stored::decode::<Kept>(&value) {
                Ok(kept) => restore(held, kind, &name, kept),
                Err(error) => {
                    tracing::error!(kind = kind.word(), name, %error, "a change of capacity that was made over the API cannot be read and is left out")
                }
            }
        }
    }
    for (token, value) in entries(store, "call/").await? {
        match stored::decode(&value) {
            Ok(unfinished) => held.unfinished.push(unfinished),
            Err(error) => {
                tracing::error!(token, %error, "an unfinished call of the capacity hook cannot be read and is not made again")
            }
        }
    }
    Ok(())
}

async fn entries(store: &dyn Store, prefix: &str) -> Result<Vec<(String, Bytes)>, CapacityError> {
    let mut all: Vec<(String, Bytes)> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.list(PARTITION, prefix, after.as_deref(), PAGE).await.map_err(unread)?;
        let last = page.len() < PAGE;
        after = page.last().map(|entry| entry.key.clone());
        all.extend(page.into_iter().map(|entry| (entry.key[prefix.len()..].to_owned(), entry.value)));
        if last {
            return Ok(all);
        }
    }
}

fn restore(held: &mut Held, kind: Kind, name: &str, kept: Kept) {
    let Kept { source, document, token } = kept;
    match kind {
        Kind::Instance => {
            held.instances.remove(name);
            if let Some(document) = read::<InstanceDocument>(name, document) {
                held.put_instance(document, source, token);
            }
        }
        Kind::Pool => replace(&mut held.pools, name, source, document),
        Kind::Account => replace(&mut held.accounts, name, source, document),
        Kind::Group => replace(&mut held.groups, name, source, document),
    }
}

fn replace<T: DeserializeOwned>(
    map: &mut std::collections::BTreeMap<String, (Source, T)>,
    name: &str,
    source: Source,
    document: Option<Value>,
) {
    map.remove(name);
    if let Some(document) = read(name, document) {
        map.insert(name.to_owned(), (source, document));
    }
}

fn read<T: DeserializeOwned>(name: &str, document: Option<Value>) -> Option<T> {
    serde_json::from_value(document?)
        .inspect_err(|error| tracing::error!(name, %error, "a change of capacity that was made over the API cannot be read and is left out"))
        .ok()
}
