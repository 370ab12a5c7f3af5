//! The store as a whole: opening it, and everything that changes groups and streams.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::SystemTime;

use bytes::Bytes;
use hearth_types::{Home, Region};

use crate::catalogue::{Catalogue, GroupEntry, Restoration, created};
use crate::journal::{GroupRecord, Journal, JournalRecord};
use crate::segment;
use crate::stream::{LogStream, StreamCell, StreamName};
use crate::tail::Tails;
use crate::writer::{Queue, WriterHandle};

/// Bounds of a log store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogConfig {
    /// A segment is closed once it is this long.
    pub segment_bytes: u64,
    /// All segments together; beyond it the oldest go.
    pub total_bytes_max: u64,
    /// Events that wait in memory for the disk; beyond it events are dropped.
    pub queue_bytes_max: usize,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { segment_bytes: 16 << 20, total_bytes_max: 2 << 30, queue_bytes_max: 64 << 20 }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {}", path.display())]
pub struct OpenError {
    pub step: &'static str,
    pub path: PathBuf,
    #[source]
    pub source: std::io::Error,
}

/// Why a call about groups, streams or events failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `ResourceAlreadyExistsException`.
    #[error("the specified log {what} already exists")]
    AlreadyExists { what: &'static str },
    /// `ResourceNotFoundException`.
    #[error("the specified log {what} does not exist")]
    NotFound { what: &'static str },
    /// `InvalidParameterException`: a paging token that this store did not give out.
    #[error("the specified nextToken is invalid")]
    InvalidToken,
    /// `ServiceUnavailableException`: too much waits for the disk.
    #[error("the log store is behind")]
    Busy,
    #[error("cannot {step}")]
    Io {
        step: &'static str,
        #[source]
        source: std::io::Error,
    },
}

/// Function logs on disk; cheap to clone. The last clone's drop writes what is left and closes the store.
#[derive(Clone, Debug)]
pub struct LogStore {
    pub(crate) core: Arc<Core>,
    _writer: Arc<WriterHandle>,
}

/// What everybody shares: appenders, queries and the writer.
#[derive(Debug)]
pub(crate) struct Core {
    pub dir: PathBuf,
    pub config: LogConfig,
    /// Held for moments, as everybody needs it.
    catalogue: RwLock<Catalogue>,
    /// Held while the disk is waited for. Taken before the catalogue by whoever changes what it tells of: groups, and streams that
    /// somebody asked for.
    journal: Mutex<Journal>,
    pub queue: Queue,
    queued_bytes: AtomicUsize,
    segments: Mutex<VecDeque<SealedSegment>>,
    pub tails: Tails,
}

/// A segment that is complete.
#[derive(Debug)]
pub(crate) struct SealedSegment {
    pub number: u64,
    pub bytes: u64,
    pub streams: Vec<Weak<StreamCell>>,
}

impl LogStore {
    /// Opens the logs in `dir`, which is made if it does not exist. One process at a time: the caller sees to that. What was
    /// written before there were Regions belongs to `region` from the first time on that it is opened so.
    pub fn open(dir: &Path, config: LogConfig, region: &Region) -> Result<Self, OpenError> {
        let failed = |step| move |source| OpenError { step, path: dir.to_owned(), source };
        fs_err::create_dir_all(dir).map_err(failed("create"))?;
        let mut restoration = Restoration::new(region.clone());
        let records = Journal::read(dir).map_err(failed("read the catalogue of"))?;
        records.into_iter().for_each(|record| restoration.apply(record));
        let mut segments = VecDeque::new();
        for path in segment_paths(dir).map_err(failed("list"))? {
            let Some(number) = segment::number(&path) else { continue };
            let (contents, bytes) = segment::load(&path).map_err(|source| OpenError {
                step: "read the segment",
                path: path.clone(),
                source,
            })?;
            let cells = restoration.add_segment(number, contents);
            segments.push_back(SealedSegment { number, bytes, streams: cells.iter().map(Arc::downgrade).collect() });
        }
        let (catalogue, records) = restoration.finish();
        let journal = Journal::rewrite(dir, &records).map_err(failed("write the catalogue of"))?;
        let first_segment = segments.back().map_or(1, |segment| segment.number + 1);
        let core = Arc::new(Core {
            dir: dir.to_owned(),
            config,
            catalogue: RwLock::new(catalogue),
            journal: Mutex::new(journal),
            queue: Queue::default(),
            queued_bytes: AtomicUsize::new(0),
            segments: Mutex::new(segments),
            tails: Tails::default(),
        });
        let writer = WriterHandle::start(&core, first_segment).map_err(failed("start the writer of"))?;
        Ok(Self { core, _writer: Arc::new(writer) })
    }

    /// A handle to append to a stream. Group and stream come into being if they are not there.
    pub fn stream(&self, home: &Home, group: &str, stream: &str) -> LogStream {
        LogStream { cell: self.core.stream(home, group, stream), core: Arc::clone(&self.core) }
    }

    /// Returns once everything appended before is on disk.
    pub fn flush(&self) -> Result<(), LogError> {
        self.core.queue.flush()
    }

    /// `PutLogEvents`: the events are on disk when this returns. Group and stream must exist.
    pub fn put_events(
        &self,
        home: &Home,
        group: &str,
        stream: &str,
        events: Vec<(u64, Bytes)>,
    ) -> Result<(), LogError> {
        let cell = self.core.find_stream(home, group, stream)?;
        if self.core.is_behind() {
            return Err(LogError::Busy);
        }
        LogStream { cell, core: Arc::clone(&self.core) }.append_batch(events);
        self.flush()
    }

    pub fn create_group(&self, home: &Home, group: &str, tags: BTreeMap<String, String>) -> Result<(), LogError> {
        let mut journal = self.core.lock_journal();
        if self.core.read_catalogue().group(home, group).is_some() {
            return Err(LogError::AlreadyExists { what: "group" });
        }
        let record = GroupRecord { created_ms: now_ms(), retention_days: None, tags };
        put_group(&mut journal, home, group, &record)?;
        self.core.write_catalogue().put_group(home, group, record);
        Ok(())
    }

    pub fn delete_group(&self, home: &Home, group: &str) -> Result<(), LogError> {
        let mut journal = self.core.lock_journal();
        let below = {
            let mut catalogue = self.core.write_catalogue();
            catalogue.group(home, group).ok_or(LogError::NotFound { what: "group" })?;
            catalogue.take_uid() + 1
        };
        let record = JournalRecord::DeleteGroup { home: home.into(), group: group.to_owned(), below };
        journal.append_durably(&record).map_err(failed("write the catalogue"))?;
        let mut catalogue = self.core.write_catalogue();
        let removed = catalogue.bury(home, group, below, now_ms());
        let is_anew = catalogue.group(home, group).is_some();
        drop(catalogue);
        removed.iter().for_each(|cell| self.core.release(cell.delete()));
        if is_anew {
            self.core.queue.note_group(home, group);
        }
        Ok(())
    }

    /// `None`: events never expire.
    pub fn set_retention(&self, home: &Home, group: &str, days: Option<u32>) -> Result<(), LogError> {
        self.change_group(home, group, |record| record.retention_days = days)
    }

    pub fn tag_group(&self, home: &Home, group: &str, tags: BTreeMap<String, String>) -> Result<(), LogError> {
        self.change_group(home, group, |record| record.tags.extend(tags))
    }

    pub fn untag_group(&self, home: &Home, group: &str, keys: &[String]) -> Result<(), LogError> {
        self.change_group(home, group, |record| record.tags.retain(|key, _| !keys.contains(key)))
    }

    fn change_group(&self, home: &Home, group: &str, change: impl FnOnce(&mut GroupRecord)) -> Result<(), LogError> {
        let mut journal = self.core.lock_journal();
        let known = self.core.read_catalogue().group(home, group).map(|entry| entry.record.clone());
        let mut record = known.ok_or(LogError::NotFound { what: "group" })?;
        change(&mut record);
        put_group(&mut journal, home, group, &record)?;
        if let Some(entry) = self.core.write_catalogue().group_mut(home, group) {
            entry.record = record;
        }
        Ok(())
    }

    /// The group must exist.
    pub fn create_stream(&self, home: &Home, group: &str, stream: &str) -> Result<(), LogError> {
        let mut journal = self.core.lock_journal();
        let uid = {
            let mut catalogue = self.core.write_catalogue();
            let entry = catalogue.group(home, group).ok_or(LogError::NotFound { what: "group" })?;
            if entry.streams.contains_key(stream) {
                return Err(LogError::AlreadyExists { what: "stream" });
            }
            catalogue.take_uid()
        };
        let cell = Arc::new(StreamCell::new(uid, stream_name(home, group, stream), now_ms(), true));
        journal.append_durably(&created(&cell)).map_err(failed("write the catalogue"))?;
        self.core.write_catalogue().insert_stream(&cell);
        Ok(())
    }

    pub fn delete_stream(&self, home: &Home, group: &str, stream: &str) -> Result<(), LogError> {
        let mut journal = self.core.lock_journal();
        let cell = self.core.find_stream(home, group, stream)?;
        let below = self.core.write_catalogue().take_uid() + 1;
        let StreamName { home, group, stream } = cell.name.clone();
        let record = JournalRecord::DeleteStream { home: (&home).into(), group, stream, below };
        journal.append_durably(&record).map_err(failed("write the catalogue"))?;
        if let Some(entry) = self.core.write_catalogue().group_mut(&cell.name.home, &cell.name.group) {
            entry.streams.remove(&cell.name.stream);
        }
        self.core.release(cell.delete());
        Ok(())
    }
}

impl Core {
    /// Whether `bytes` more may wait in memory.
    pub(crate) fn reserve(&self, bytes: usize) -> bool {
        let before = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > self.config.queue_bytes_max {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.queue.hurry();
            return false;
        }
        if before < self.config.queue_bytes_max / 2 && before + bytes >= self.config.queue_bytes_max / 2 {
            self.queue.hurry();
        }
        true
    }

    /// For what is little and must be said.
    pub(crate) fn reserve_always(&self, bytes: usize) {
        self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn release(&self, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn is_behind(&self) -> bool {
        self.queued_bytes.load(Ordering::Relaxed) > self.config.queue_bytes_max / 2
    }

    pub(crate) fn mark_dirty(&self, cell: &Arc<StreamCell>) {
        self.queue.push(Arc::clone(cell));
    }

    pub(crate) fn find_stream(&self, home: &Home, group: &str, stream: &str) -> Result<Arc<StreamCell>, LogError> {
        let catalogue = self.read_catalogue();
        let entry = catalogue.group(home, group).ok_or(LogError::NotFound { what: "group" })?;
        entry.streams.get(stream).cloned().ok_or(LogError::NotFound { what: "stream" })
    }

    /// The stream, made if it is not there. Waits for no disk: a group that comes into being with it is noted later.
    pub(crate) fn stream(&self, home: &Home, group: &str, stream: &str) -> Arc<StreamCell> {
        if let Some(cell) = self.read_catalogue().stream(home, group, stream) {
            return Arc::clone(cell);
        }
        let mut catalogue = self.write_catalogue();
        if let Some(cell) = catalogue.stream(home, group, stream) {
            return Arc::clone(cell);
        }
        let is_new = catalogue.group(home, group).is_none();
        let name = stream_name(home, group, stream);
        let cell = Arc::new(StreamCell::new(catalogue.take_uid(), name, now_ms(), false));
        catalogue.insert_stream(&cell);
        drop(catalogue);
        if is_new {
            self.queue.note_group(home, group);
        }
        cell
    }

    /// Writes down that there is such a group, unless it is gone again.
    pub(crate) fn note_group(&self, home: &Home, group: &str) {
        let mut journal = self.lock_journal();
        let record = self.read_catalogue().group(home, group).map(|entry| entry.record.clone());
        let Some(record) = record else { return };
        let record = JournalRecord::PutGroup { home: home.into(), group: group.to_owned(), record };
        if let Err(error) = journal.append(&record) {
            tracing::warn!(%error, group, "cannot note a new log group");
        }
    }

    pub(crate) fn read_catalogue(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_catalogue(&self) -> RwLockWriteGuard<'_, Catalogue> {
        self.catalogue.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A segment is complete; the oldest go until what is left fits with another one being written.
    pub(crate) fn add_sealed(&self, segment: SealedSegment) {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        segments.push_back(segment);
        self.drop_oldest(&mut segments);
    }

    pub(crate) fn drop_old_segments(&self) {
        self.drop_oldest(&mut self.segments.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn drop_oldest(&self, segments: &mut VecDeque<SealedSegment>) {
        let room = self.config.total_bytes_max.saturating_sub(self.config.segment_bytes);
        let mut total: u64 = segments.iter().map(|segment| segment.bytes).sum();
        while let Some(oldest) = segments.front()
            && (total > room || self.is_expired(oldest))
        {
            if let Err(error) = fs_err::remove_file(segment::path(&self.dir, oldest.number)) {
                tracing::warn!(%error, "cannot remove an old log segment");
                return;
            }
            total -= oldest.bytes;
            self.forget_segment(oldest);
            segments.pop_front();
        }
    }

    /// Every event of the segment is older than its group keeps events.
    fn is_expired(&self, segment: &SealedSegment) -> bool {
        let now = now_ms();
        let catalogue = self.read_catalogue();
        segment.streams.iter().filter_map(Weak::upgrade).all(|cell| {
            let oldest_kept =
                catalogue.group(&cell.name.home, &cell.name.group).map_or(0, |entry| entry.oldest_kept(now));
            let state = cell.lock();
            let part = state.parts.iter().find(|part| part.segment == segment.number);
            part.is_none_or(|part| part.span.time_max < oldest_kept)
        })
    }

    /// Streams that nobody asked for, with nothing left and nobody writing, go with their last segment.
    fn forget_segment(&self, segment: &SealedSegment) {
        let mut catalogue = self.write_catalogue();
        for cell in segment.streams.iter().filter_map(Weak::upgrade) {
            let mut state = cell.lock();
            state.parts.retain(|part| part.segment != segment.number);
            let is_empty = state.parts.is_empty() && state.in_memory().next().is_none();
            drop(state);
            // The catalogue's and this one.
            if is_empty && !cell.is_explicit && Arc::strong_count(&cell) == 2 {
                let StreamName { home, group, stream } = &cell.name;
                if let Some(entry) = catalogue.group_mut(home, group) {
                    entry.streams.remove(stream);
                }
            }
        }
    }
}

impl GroupEntry {
    /// Events before this time have expired.
    pub(crate) fn oldest_kept(&self, now_ms: u64) -> u64 {
        const DAY_MS: u64 = 86_400_000;
        self.record.retention_days.map_or(0, |days| now_ms.saturating_sub(u64::from(days) * DAY_MS))
    }
}

fn segment_paths(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(dir)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn put_group(journal: &mut Journal, home: &Home, group: &str, record: &GroupRecord) -> Result<(), LogError> {
    let record = JournalRecord::PutGroup { home: home.into(), group: group.to_owned(), record: record.clone() };
    journal.append_durably(&record).map_err(failed("write the catalogue"))
}

fn stream_name(home: &Home, group: &str, stream: &str) -> StreamName {
    StreamName { home: home.clone(), group: group.to_owned(), stream: stream.to_owned() }
}

pub(crate) fn failed(step: &'static str) -> impl FnOnce(std::io::Error) -> LogError {
    move |source| LogError::Io { step, source }
}

pub(crate) fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
