//! Lists of groups and streams, page by page.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use hearth_types::Home;

use crate::catalogue::GroupEntry;
use crate::journal::GroupRecord;
use crate::query::StreamChoice;
use crate::store::{LogError, LogStore};
use crate::stream::StreamCell;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub name: String,
    /// Milliseconds since the epoch, like every time here.
    pub created_ms: u64,
    pub retention_days: Option<u32>,
    /// Of messages on disk and on their way there.
    pub stored_bytes: u64,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupPage {
    pub groups: Vec<Group>,
    /// What to pass as `after` for the next page, if there may be one.
    pub next: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    pub name: String,
    pub created_ms: u64,
    pub first_event_ms: Option<u64>,
    pub last_event_ms: Option<u64>,
    pub last_ingestion_ms: Option<u64>,
    pub stored_bytes: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamPage {
    pub streams: Vec<Stream>,
    /// What to pass as `token` for the next page, if there may be one.
    pub next: Option<String>,
}

/// `orderBy` of `DescribeLogStreams`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StreamOrder {
    #[default]
    Name,
    /// Streams without events come first in ascending order.
    LastEvent,
}

impl LogStore {
    pub fn group(&self, home: &Home, name: &str) -> Option<Group> {
        let found = self.core.read_catalogue().group(home, name).map(|entry| Listed::of(name, entry));
        found.map(Listed::measure)
    }

    /// Groups in order of their names, behind `after`, whose name satisfies `is_wanted`.
    pub fn groups(
        &self,
        home: &Home,
        is_wanted: impl Fn(&str) -> bool,
        after: Option<&str>,
        limit: usize,
    ) -> GroupPage {
        let catalogue = self.core.read_catalogue();
        let Some(groups) = catalogue.homes.get(home) else { return GroupPage { groups: vec![], next: None } };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut wanted = groups.range::<str, _>((start, Bound::Unbounded)).filter(|(name, _)| is_wanted(name));
        let listed: Vec<Listed> = wanted.by_ref().take(limit).map(|(name, entry)| Listed::of(name, entry)).collect();
        let next = wanted.next().and_then(|_| listed.last().map(|group| group.name.clone()));
        drop(catalogue);
        GroupPage { groups: listed.into_iter().map(Listed::measure).collect(), next }
    }

    /// Streams of a group in the asked order; `token` is a previous page's `next`.
    pub fn streams(
        &self,
        home: &Home,
        group: &str,
        choice: &StreamChoice,
        (order, is_descending): (StreamOrder, bool),
        token: Option<&str>,
        limit: usize,
    ) -> Result<StreamPage, LogError> {
        let after = token.map(|token| parse_token(token).ok_or(LogError::InvalidToken)).transpose()?;
        let cells: Vec<_> = {
            let catalogue = self.core.read_catalogue();
            let entry = catalogue.group(home, group).ok_or(LogError::NotFound { what: "group" })?;
            entry.streams.values().cloned().collect()
        };
        let cells = cells.iter().filter(|cell| choice.includes(&cell.name.stream));
        let mut ranked: Vec<((u64, &str), Stream)> = cells.map(|cell| rank(cell, order)).collect();
        drop_seen(&mut ranked, after, is_descending);
        let has_more = ranked.len() > limit;
        ranked.truncate(limit);
        let last = ranked.last().map(|((time, name), _)| format!("{time}/{name}"));
        let streams = ranked.into_iter().map(|(_, stream)| stream).collect();
        Ok(StreamPage { streams, next: last.filter(|_| has_more) })
    }
}

/// Sorts, and removes what earlier pages had.
fn drop_seen(ranked: &mut Vec<((u64, &str), Stream)>, after: Option<(u64, &str)>, is_descending: bool) {
    if is_descending {
        ranked.retain(|(key, _)| after.is_none_or(|after| *key < after));
        ranked.sort_unstable_by_key(|(key, _)| std::cmp::Reverse(*key));
    } else {
        ranked.retain(|(key, _)| after.is_none_or(|after| *key > after));
        ranked.sort_unstable_by_key(|(key, _)| *key);
    }
}

fn parse_token(token: &str) -> Option<(u64, &str)> {
    let (time, name) = token.split_once('/')?;
    Some((time.parse().ok()?, name))
}

fn rank(cell: &StreamCell, order: StreamOrder) -> ((u64, &str), Stream) {
    let stream = stream(cell);
    let time = match order {
        StreamOrder::Name => 0,
        StreamOrder::LastEvent => stream.last_event_ms.unwrap_or(0),
    };
    ((time, cell.name.stream.as_str()), stream)
}

/// A group as it was under the catalogue's lock. That is everybody's, and there may be very many streams.
struct Listed {
    name: String,
    record: GroupRecord,
    streams: Vec<Arc<StreamCell>>,
}

impl Listed {
    fn of(name: &str, entry: &GroupEntry) -> Self {
        let streams = entry.streams.values().cloned().collect();
        Self { name: name.to_owned(), record: entry.record.clone(), streams }
    }

    fn measure(self) -> Group {
        let GroupRecord { created_ms, retention_days, tags } = self.record;
        let stored_bytes = self.streams.iter().map(|cell| stream(cell).stored_bytes).sum();
        Group { name: self.name, created_ms, retention_days, stored_bytes, tags }
    }
}

fn stream(cell: &StreamCell) -> Stream {
    let state = cell.lock();
    let in_memory = || state.in_memory().map(|(_, event)| event);
    let first = state.parts.iter().map(|part| part.span.time_min).chain(in_memory().map(|event| event.time_ms)).min();
    let last = state.parts.iter().map(|part| part.span.time_max).chain(in_memory().map(|event| event.time_ms)).max();
    let on_disk: u64 = state.parts.iter().map(|part| part.span.bytes).sum();
    let on_the_way: u64 = in_memory().map(|event| event.message.len() as u64).sum();
    Stream {
        name: cell.name.stream.clone(),
        created_ms: cell.created_ms,
        first_event_ms: first,
        last_event_ms: last,
        last_ingestion_ms: last.map(|last| if state.last_ingested_ms > 0 { state.last_ingested_ms } else { last }),
        stored_bytes: on_disk + on_the_way,
    }
}
