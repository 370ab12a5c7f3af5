//! The thread that brings events from memory to disk.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hearth_types::Home;

use crate::segment::{self, Definition, Span};
use crate::store::{Core, LogError, SealedSegment, failed, now_ms};
use crate::stream::{Event, Part, StreamCell, StreamName};

/// How long an event waits in memory at most before it is written.
pub const FLUSH_INTERVAL: Duration = Duration::from_millis(200);
/// What is written at once, give or take one stream's events.
const WRITE_BYTES: usize = 1 << 20;
/// How often segments are looked at for expired ones.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(600);

/// What the writer is to do.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<QueueState>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    dirty: Vec<Arc<StreamCell>>,
    /// Came into being with a stream and are to be written down.
    groups: Vec<(Home, String)>,
    flushes: Vec<SyncSender<Result<(), String>>>,
    /// Memory runs out: do not wait for the interval to pass.
    is_urgent: bool,
    is_closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, cell: Arc<StreamCell>) {
        let mut state = self.lock();
        state.dirty.push(cell);
        if state.dirty.len() == 1 {
            self.wake.notify_one();
        }
    }

    pub(crate) fn note_group(&self, home: &Home, group: &str) {
        self.lock().groups.push((home.clone(), group.to_owned()));
        self.wake.notify_one();
    }

    pub(crate) fn hurry(&self) {
        let mut state = self.lock();
        if !state.is_urgent {
            state.is_urgent = true;
            self.wake.notify_one();
        }
    }

    pub(crate) fn flush(&self) -> Result<(), LogError> {
        let (reply, answer) = sync_channel(1);
        let mut state = self.lock();
        if !state.is_closed {
            state.flushes.push(reply);
            self.wake.notify_one();
        }
        drop(state);
        let result = answer.recv().unwrap_or_else(|_| Err("the log store is closed".to_owned()));
        result.map_err(|reason| failed("write events")(io::Error::other(reason)))
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.wake.notify_one();
    }

    /// Nobody is there any more to answer.
    fn abandon(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.flushes.clear();
    }

    /// Waits for work: until a flush is wanted, memory runs short, or the oldest event has waited long enough.
    fn next(&self) -> QueueState {
        let state = self.lock();
        let is_idle = |state: &mut QueueState| {
            state.dirty.is_empty() && state.groups.is_empty() && state.flushes.is_empty() && !state.is_closed
        };
        let state = self.wake.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
        let may_wait = |state: &mut QueueState| state.flushes.is_empty() && !state.is_urgent && !state.is_closed;
        let waited = self.wake.wait_timeout_while(state, FLUSH_INTERVAL, may_wait);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_closed = state.is_closed;
        let taken = std::mem::take(&mut *state);
        state.is_closed = is_closed;
        taken
    }
}

/// Owns the thread; dropping it writes what is left.
#[derive(Debug)]
pub(crate) struct WriterHandle {
    core: Arc<Core>,
    thread: Option<JoinHandle<()>>,
}

impl WriterHandle {
    pub(crate) fn start(core: &Arc<Core>, first_segment: u64) -> io::Result<Self> {
        let task = WriterTask {
            core: Arc::clone(core),
            next_segment: first_segment,
            active: None,
            buffer: Vec::new(),
            batches: Vec::new(),
            last_expiry: Instant::now(),
            is_failing: false,
        };
        let thread = hearth_tasks::system_thread("log-writer".to_owned(), move || task.run())?;
        Ok(Self { core: Arc::clone(core), thread: Some(thread) })
    }
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        self.core.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the log writer panicked");
        }
    }
}

/// However the thread ends, nobody waits for it afterwards.
struct Ending(Arc<Core>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.queue.abandon();
        self.0.tails.close();
    }
}

struct WriterTask {
    core: Arc<Core>,
    next_segment: u64,
    active: Option<ActiveSegment>,
    buffer: Vec<u8>,
    batches: Vec<Batch>,
    last_expiry: Instant,
    is_failing: bool,
}

/// The segment that is being written.
struct ActiveSegment {
    number: u64,
    file: File,
    end: u64,
    /// Its name is on disk.
    is_named: bool,
    streams: HashMap<u64, (Arc<StreamCell>, Option<Span>)>,
}

/// A stream's events that stand in the buffer.
struct Batch {
    cell: Arc<StreamCell>,
    span: Span,
    cost: usize,
}

impl WriterTask {
    fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.core));
        self.core.drop_old_segments();
        loop {
            let work = self.core.queue.next();
            work.groups.iter().for_each(|(home, group)| self.core.note_group(home, group));
            let mut result = self.write_streams(&work.dirty);
            if !work.flushes.is_empty() && result.is_ok() {
                result = self.sync();
            }
            self.note(&result);
            for flush in work.flushes {
                // Whoever no longer waits needs no answer.
                drop(flush.send(result.as_ref().copied().map_err(ToString::to_string)));
            }
            if self.last_expiry.elapsed() > EXPIRY_INTERVAL {
                self.last_expiry = Instant::now();
                self.core.drop_old_segments();
            }
            if work.is_closed {
                break;
            }
        }
        let result = self.seal();
        self.note(&result);
    }

    /// One line when trouble begins and one when it ends.
    fn note(&mut self, result: &io::Result<()>) {
        match result {
            Err(error) if !self.is_failing => tracing::error!(%error, "cannot write function logs: events are lost"),
            Ok(()) if self.is_failing => tracing::info!("function logs are written again"),
            _ => {}
        }
        self.is_failing = result.is_err();
    }

    fn write_streams(&mut self, cells: &[Arc<StreamCell>]) -> io::Result<()> {
        let mut result = Ok(());
        for cell in cells {
            let events = begin(&self.core, cell);
            self.core.tails.publish(&cell.name, &events);
            if !events.is_empty() {
                result = self.encode(cell, &events).and(result);
            }
            if self.buffer.len() >= WRITE_BYTES {
                result = self.write_buffer().and(result);
            }
        }
        self.write_buffer().and(result)
    }

    /// Puts the events into the buffer. If there is no segment to put them into they are lost.
    fn encode(&mut self, cell: &Arc<StreamCell>, events: &[Event]) -> io::Result<()> {
        let cost = events.iter().map(Event::cost).sum();
        let active = match self.open_segment() {
            Ok(()) => self.active.as_mut().expect("just opened"),
            Err(error) => {
                lose(&self.core, cell, cost);
                return Err(error);
            }
        };
        active.streams.entry(cell.uid).or_insert_with(|| {
            segment::encode_definition(&mut self.buffer, &definition(cell));
            (Arc::clone(cell), None)
        });
        let base = active.end;
        let now = now_ms();
        let mut sequence = cell.lock().next_sequence;
        let mut whole: Option<Span> = None;
        for chunk in chunks(events) {
            let span = segment::encode_events(&mut self.buffer, base, cell.uid, sequence, now, chunk);
            sequence += chunk.len() as u64;
            whole = Some(whole.map_or(span, |mut whole| {
                whole.extend(&span);
                whole
            }));
        }
        self.batches.extend(whole.map(|span| Batch { cell: Arc::clone(cell), span, cost }));
        Ok(())
    }

    /// Writes the buffer and tells the streams where their events are now.
    fn write_buffer(&mut self) -> io::Result<()> {
        let Some(active) = self.active.as_mut().filter(|_| !self.batches.is_empty()) else { return Ok(()) };
        let result = active.file.write_all_at(&self.buffer, active.end);
        for Batch { cell, span, cost } in self.batches.drain(..) {
            if result.is_err() {
                active.streams.retain(|_, (_, span)| span.is_some());
                lose(&self.core, &cell, cost);
                continue;
            }
            if let Some((_, whole)) = active.streams.get_mut(&cell.uid) {
                match whole {
                    Some(whole) => whole.extend(&span),
                    None => *whole = Some(span),
                }
            }
            finish(&cell, active.number, &span);
            self.core.release(cost);
        }
        let written = self.buffer.len() as u64;
        self.buffer.clear();
        self.buffer.shrink_to(4 * WRITE_BYTES);
        if let Err(error) = result {
            // Leave no half record behind for the next write to fall short of.
            return active.file.set_len(active.end).and(Err(error));
        }
        active.end += written;
        if active.end >= self.core.config.segment_bytes {
            self.seal()?;
        }
        Ok(())
    }

    fn open_segment(&mut self) -> io::Result<()> {
        if self.active.is_some() {
            return Ok(());
        }
        let path = segment::path(&self.core.dir, self.next_segment);
        let file = fs_err::OpenOptions::new().write(true).create_new(true).open(path)?.into_file();
        self.active =
            Some(ActiveSegment { number: self.next_segment, file, end: 0, is_named: false, streams: HashMap::new() });
        self.next_segment += 1;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let Some(active) = &mut self.active else { return Ok(()) };
        active.file.sync_data()?;
        if !active.is_named {
            fs_err::File::open(&self.core.dir)?.sync_all()?;
            active.is_named = true;
        }
        Ok(())
    }

    /// Completes the active segment.
    fn seal(&mut self) -> io::Result<()> {
        let synced = self.sync();
        let Some(mut active) = self.active.take() else { return Ok(()) };
        let streams = active.streams.values().map(|(cell, _)| Arc::downgrade(cell)).collect();
        let contents = active.streams.values().filter_map(|(cell, span)| Some((definition(cell), (*span)?))).collect();
        let result = segment::seal(&mut active.file, active.end, &contents);
        let bytes = *result.as_ref().unwrap_or(&active.end);
        self.core.add_sealed(SealedSegment { number: active.number, bytes, streams });
        synced.and(result.map(drop))
    }
}

/// Takes what a stream has appended; readers go on finding it in `flushing`.
fn begin(core: &Core, cell: &StreamCell) -> Arc<Vec<Event>> {
    let mut state = cell.lock();
    state.is_dirty = false;
    if state.dropped > 0 {
        let message = Bytes::from(format!("[HEARTH] {} log records dropped\n", state.dropped));
        let now = now_ms();
        let notice = Event { time_ms: now, ingested_ms: now, message };
        core.reserve_always(notice.cost());
        state.pending.push(notice);
        state.dropped = 0;
    }
    state.flushing = Arc::new(std::mem::take(&mut state.pending));
    Arc::clone(&state.flushing)
}

/// The events are on disk.
fn finish(cell: &StreamCell, segment: u64, span: &Span) {
    let mut state = cell.lock();
    state.flushing = Arc::default();
    state.next_sequence += span.events;
    state.last_ingested_ms = span.ingested_max;
    if state.is_deleted {
        return;
    }
    match state.parts.last_mut() {
        Some(part) if part.segment == segment => part.span.extend(span),
        _ => state.parts.push(Part { segment, span: *span }),
    }
}

/// The events could not be written. The stream says so when it can.
fn lose(core: &Core, cell: &StreamCell, cost: usize) {
    let mut state = cell.lock();
    state.dropped += std::mem::take(&mut state.flushing).len() as u64;
    drop(state);
    core.release(cost);
}

/// Runs of events that make records of a good size.
fn chunks(events: &[Event]) -> impl Iterator<Item = &[Event]> {
    let mut rest = events;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |event: &&Event| {
            let is_first = bytes == 0;
            bytes += event.cost();
            is_first || bytes <= segment::RECORD_BYTES
        };
        let count = rest.iter().take_while(fits).count();
        let (chunk, others) = rest.split_at(count);
        rest = others;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn definition(cell: &StreamCell) -> Definition {
    let StreamName { home, group, stream } = cell.name.clone();
    Definition { uid: cell.uid, home: (&home).into(), group, stream, created_ms: cell.created_ms }
}
