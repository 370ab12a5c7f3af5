//! Reading events back: one stream page by page, or whatever matches in a group's streams.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use hearth_types::Home;

use crate::pattern::FilterPattern;
use crate::segment::{Reader, Span};
use crate::store::{LogError, LogStore, now_ms};
use crate::stream::{Event, Part, StreamCell};

/// One page's messages with their overhead, bytes. `GetLogEvents`: "up to 1 MB".
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// What an event counts beside its message. `PutLogEvents`.
const EVENT_OVERHEAD: usize = 26;

/// Some of a group's streams.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum StreamChoice {
    #[default]
    All,
    Prefix(String),
    Named(Vec<String>),
}

impl StreamChoice {
    pub fn includes(&self, stream: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => stream.starts_with(prefix),
            Self::Named(names) => names.iter().any(|name| name == stream),
        }
    }
}

/// `GetLogEvents`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventsQuery {
    /// Events that happened from the start on and before the end.
    pub time: Range<u64>,
    pub limit: usize,
    /// The oldest events first; else the newest. A token says that by itself.
    pub start_from_head: bool,
    pub token: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventsPage {
    /// Oldest first.
    pub events: Vec<Event>,
    /// The same as the token passed in when there is nothing further in that direction.
    pub forward_token: String,
    pub backward_token: String,
}

/// `FilterLogEvents`.
#[derive(Clone, PartialEq, Debug)]
pub struct FilterQuery {
    pub streams: StreamChoice,
    /// Events that happened from the start on and before the end.
    pub time: Range<u64>,
    pub limit: usize,
    pub pattern: FilterPattern,
    /// The previous page's `next`.
    pub token: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterPage {
    /// In order of their times.
    pub events: Vec<FilteredEvent>,
    /// Given if there may be more; the page that follows may be empty.
    pub next: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilteredEvent {
    /// 56 digits, the same whenever the event is returned.
    pub id: String,
    pub stream: String,
    pub event: Event,
}

impl LogStore {
    /// One page of a stream's events. Blocks on the disk.
    pub fn get_events(
        &self,
        home: &Home,
        group: &str,
        stream: &str,
        query: &EventsQuery,
    ) -> Result<EventsPage, LogError> {
        let cell = self.core.find_stream(home, group, stream)?;
        let time = self.kept(home, group, &query.time);
        let from = match &query.token {
            Some(token) => Position::parse(token).ok_or(LogError::InvalidToken)?,
            None if query.start_from_head => Position::From(0),
            None => Position::Before(u64::MAX),
        };
        let snapshot = Snapshot::of(&cell);
        let mut page = VecDeque::new();
        match from {
            Position::From(first) => snapshot.forward(&self.core.dir, first, &time, query.limit, &mut page),
            Position::Before(end) => snapshot.backward(&self.core.dir, end, &time, query.limit, &mut page),
        }
        let (start, end) = match (page.front(), page.back(), from) {
            (Some((first, _)), Some((last, _)), _) => (*first, *last + 1),
            (_, _, Position::From(first)) => (first.min(snapshot.end), first.min(snapshot.end)),
            (_, _, Position::Before(end)) => (end.min(snapshot.end), end.min(snapshot.end)),
        };
        let events = page.into_iter().map(|(_, event)| event).collect();
        let (forward_token, backward_token) = (Position::From(end).to_token(), Position::Before(start).to_token());
        Ok(EventsPage { events, forward_token, backward_token })
    }

    /// One page of the events of several streams that match. Blocks on the disk.
    pub fn filter_events(&self, home: &Home, group: &str, query: &FilterQuery) -> Result<FilterPage, LogError> {
        let after = query.token.as_deref().map(|token| Rank::parse(token).ok_or(LogError::InvalidToken)).transpose()?;
        let cells: Vec<Arc<StreamCell>> = {
            let catalogue = self.core.read_catalogue();
            let entry = catalogue.group(home, group).ok_or(LogError::NotFound { what: "group" })?;
            entry.streams.values().filter(|cell| query.streams.includes(&cell.name.stream)).cloned().collect()
        };
        let mut time = self.kept(home, group, &query.time);
        if let Some(after) = &after {
            time.start = time.start.max(after.time_ms);
        }
        let mut collector = Collector::new(query, time.clone(), after);
        let (plans, in_memory) = plan(&cells, &time);
        for (segment, plan) in plans {
            if !collector.is_beyond(plan.time_min) {
                scan(&self.core.dir, segment, &plan, &mut collector);
            }
        }
        for (stream, sequence, event) in in_memory {
            collector.offer(&stream, sequence, event);
        }
        Ok(collector.into_page())
    }

    /// The part of `time` that the group's retention leaves.
    fn kept(&self, home: &Home, group: &str, time: &Range<u64>) -> Range<u64> {
        let catalogue = self.core.read_catalogue();
        let oldest = catalogue.group(home, group).map_or(0, |entry| entry.oldest_kept(now_ms()));
        time.start.max(oldest)..time.end
    }
}

/// Where a page of one stream starts or ends, by sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Position {
    From(u64),
    Before(u64),
}

impl Position {
    fn parse(token: &str) -> Option<Self> {
        let (direction, number) = token.split_once('/')?;
        let number = number.parse().ok()?;
        match direction {
            "f" => Some(Self::From(number)),
            "b" => Some(Self::Before(number)),
            _ => None,
        }
    }

    fn to_token(self) -> String {
        match self {
            Self::From(number) => format!("f/{number:020}"),
            Self::Before(number) => format!("b/{number:020}"),
        }
    }
}

/// Where a stream's events are at one moment.
struct Snapshot {
    uid: u64,
    parts: Vec<Part>,
    in_memory: Vec<(u64, Event)>,
    /// Behind the last event.
    end: u64,
}

type Numbered = VecDeque<(u64, Event)>;

impl Snapshot {
    fn of(cell: &StreamCell) -> Self {
        let state = cell.lock();
        let in_memory: Vec<(u64, Event)> = state.in_memory().map(|(number, event)| (number, event.clone())).collect();
        let end = state.next_sequence + in_memory.len() as u64;
        Self { uid: cell.uid, parts: state.parts.clone(), in_memory, end }
    }

    /// Events from number `first` on until the page is full.
    fn forward(&self, dir: &Path, first: u64, time: &Range<u64>, limit: usize, page: &mut Numbered) {
        let mut bytes = 0;
        let mut add = |number: u64, event: Event| {
            if number >= first && time.contains(&event.time_ms) {
                bytes += event.message.len() + EVENT_OVERHEAD;
                if page.len() >= limit || (bytes > PAGE_BYTES_MAX && !page.is_empty()) {
                    return false;
                }
                page.push_back((number, event));
            }
            true
        };
        for part in self.parts.iter().filter(|part| part.span.end_sequence() > first && overlaps(&part.span, time)) {
            if !self.read(dir, part, &mut add) {
                return;
            }
        }
        for (number, event) in &self.in_memory {
            if !add(*number, event.clone()) {
                return;
            }
        }
    }

    /// The last events before number `end` that fit the page.
    fn backward(&self, dir: &Path, end: u64, time: &Range<u64>, limit: usize, page: &mut Numbered) {
        let mut bytes = 0;
        let is_wanted = |number: u64, event: &Event| number < end && time.contains(&event.time_ms);
        let mut prepend = |page: &mut Numbered, events: Numbered| {
            for (number, event) in events.into_iter().rev() {
                bytes += event.message.len() + EVENT_OVERHEAD;
                if page.len() >= limit || (bytes > PAGE_BYTES_MAX && !page.is_empty()) {
                    return false;
                }
                page.push_front((number, event));
            }
            true
        };
        let in_memory = self.in_memory.iter().filter(|(number, event)| is_wanted(*number, event)).cloned().collect();
        if !prepend(page, in_memory) {
            return;
        }
        let parts = self.parts.iter().rev();
        for part in parts.filter(|part| part.span.first_sequence < end && overlaps(&part.span, time)) {
            let mut newest = Newest::default();
            self.read(dir, part, &mut |number, event| {
                if is_wanted(number, &event) {
                    newest.push(number, event, limit);
                }
                number < end
            });
            if !prepend(page, newest.events) {
                return;
            }
        }
    }

    /// Hands out the stream's events of a segment until `take` has enough; whether it has not. A segment that is gone or broken
    /// ends early.
    fn read(&self, dir: &Path, part: &Part, take: &mut impl FnMut(u64, Event) -> bool) -> bool {
        let result = Reader::open(dir, part.segment, part.span.start, part.span.end).and_then(|reader| {
            let Some(mut reader) = reader else { return Ok(true) };
            while let Some(batch) = reader.next(|uid| uid == self.uid)? {
                for (number, event) in (batch.first_sequence..).zip(batch.events) {
                    if !take(number, event) {
                        return Ok(false);
                    }
                }
            }
            Ok(true)
        });
        result.unwrap_or_else(|error| {
            tracing::warn!(%error, segment = part.segment, "cannot read a log segment");
            true
        })
    }
}

/// The last events that came by, as many as a page can hold.
#[derive(Default)]
struct Newest {
    events: Numbered,
    bytes: usize,
}

impl Newest {
    fn push(&mut self, number: u64, event: Event, limit: usize) {
        self.bytes += event.message.len() + EVENT_OVERHEAD;
        self.events.push_back((number, event));
        while self.events.len() > limit || (self.bytes > PAGE_BYTES_MAX && self.events.len() > 1) {
            let Some((_, oldest)) = self.events.pop_front() else { break };
            self.bytes -= oldest.message.len() + EVENT_OVERHEAD;
        }
    }
}

fn overlaps(span: &Span, time: &Range<u64>) -> bool {
    span.time_max >= time.start && span.time_min < time.end
}

/// What to read of one segment.
struct SegmentPlan {
    bytes: Range<u64>,
    time_min: u64,
    /// Names by uid.
    streams: HashMap<u64, Arc<str>>,
}

type InMemory = Vec<(Arc<str>, u64, Event)>;

fn plan(cells: &[Arc<StreamCell>], time: &Range<u64>) -> (BTreeMap<u64, SegmentPlan>, InMemory) {
    let mut plans: BTreeMap<u64, SegmentPlan> = BTreeMap::new();
    let mut in_memory = Vec::new();
    for cell in cells {
        let name: Arc<str> = cell.name.stream.as_str().into();
        let state = cell.lock();
        for Part { segment, span } in state.parts.iter().filter(|part| overlaps(&part.span, time)) {
            let new = || SegmentPlan { bytes: span.start..span.end, time_min: span.time_min, streams: HashMap::new() };
            let plan = plans.entry(*segment).or_insert_with(new);
            plan.bytes = plan.bytes.start.min(span.start)..plan.bytes.end.max(span.end);
            plan.time_min = plan.time_min.min(span.time_min);
            plan.streams.insert(cell.uid, Arc::clone(&name));
        }
        in_memory.extend(state.in_memory().map(|(number, event)| (Arc::clone(&name), number, event.clone())));
    }
    (plans, in_memory)
}

fn scan(dir: &Path, segment: u64, plan: &SegmentPlan, collector: &mut Collector<'_>) {
    let result = Reader::open(dir, segment, plan.bytes.start, plan.bytes.end).and_then(|reader| {
        let Some(mut reader) = reader else { return Ok(()) };
        while let Some(batch) = reader.next(|uid| plan.streams.contains_key(&uid))? {
            let Some(stream) = plan.streams.get(&batch.uid) else { continue };
            for (number, event) in (batch.first_sequence..).zip(batch.events) {
                collector.offer(stream, number, event);
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        tracing::warn!(%error, segment, "cannot read a log segment");
    }
}

/// The order of events across streams.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Rank {
    time_ms: u64,
    stream: Arc<str>,
    sequence: u64,
}

impl Rank {
    fn parse(token: &str) -> Option<Self> {
        let mut parts = token.splitn(3, '/');
        let (time_ms, sequence) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { time_ms, sequence, stream: parts.next()?.into() })
    }

    fn to_token(&self) -> String {
        format!("{}/{}/{}", self.time_ms, self.sequence, self.stream)
    }

    fn id(&self) -> String {
        format!("{:020}{:010}{:026}", self.time_ms, crc32fast::hash(self.stream.as_bytes()), self.sequence)
    }
}

struct Ranked {
    rank: Rank,
    event: Event,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

/// Keeps the first events in order that match, as many as fit a page, in whatever order they are offered.
struct Collector<'a> {
    query: &'a FilterQuery,
    time: Range<u64>,
    after: Option<Rank>,
    first: BinaryHeap<Ranked>,
    bytes: usize,
    /// The first event that did not fit.
    end: Option<Rank>,
}

impl<'a> Collector<'a> {
    fn new(query: &'a FilterQuery, time: Range<u64>, after: Option<Rank>) -> Self {
        Self { query, time, after, first: BinaryHeap::new(), bytes: 0, end: None }
    }

    /// Whether no event of this time or later can be on the page.
    fn is_beyond(&self, time_ms: u64) -> bool {
        self.end.as_ref().is_some_and(|end| end.time_ms < time_ms)
    }

    fn offer(&mut self, stream: &Arc<str>, sequence: u64, event: Event) {
        if !self.time.contains(&event.time_ms) {
            return;
        }
        let rank = Rank { time_ms: event.time_ms, stream: Arc::clone(stream), sequence };
        let is_outside = self.after.as_ref().is_some_and(|after| rank <= *after)
            || self.end.as_ref().is_some_and(|end| rank >= *end);
        if is_outside || !self.query.pattern.matches(&event.message) {
            return;
        }
        self.bytes += event.message.len() + EVENT_OVERHEAD;
        self.first.push(Ranked { rank, event });
        while self.first.len() > self.query.limit || (self.bytes > PAGE_BYTES_MAX && self.first.len() > 1) {
            let Some(last) = self.first.pop() else { break };
            self.bytes -= last.event.message.len() + EVENT_OVERHEAD;
            self.end = Some(last.rank);
        }
    }

    fn into_page(self) -> FilterPage {
        let has_more = self.end.is_some();
        let ranked = self.first.into_sorted_vec();
        let next = ranked.last().filter(|_| has_more).map(|last| last.rank.to_token());
        let events = ranked
            .into_iter()
            .map(|Ranked { rank, event }| FilteredEvent { id: rank.id(), stream: rank.stream.to_string(), event })
            .collect();
        FilterPage { events, next }
    }
}
