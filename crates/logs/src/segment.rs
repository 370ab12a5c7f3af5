//! Segments: the files that events are in.
//!
//! ```text
//! segment = record* footer-record trailer          trailer = offset of the footer (u64), magic
//! record  = length (u32), crc32 (u32), payload     payload = kind (u8), ...
//! ```
//! A segment is written once from front to back. The footer says which streams it holds and where, so that opening reads
//! footers only; a segment without one was cut short and is scanned, cut behind its last whole record and given a footer. A record
//! that is damaged is passed over by its length, and what follows it is read.
//! Numbers are little-endian.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hearth_types::Region;
use serde::{Deserialize, Serialize};

use crate::stored_home::StoredHome;
use crate::stream::{Event, StreamName};

const MAGIC: [u8; 8] = *b"HLOGSEG1";
const TRAILER_BYTES: u64 = 16;
const HEADER_BYTES: u64 = 8;
/// Events are grouped into records of about this size; a single one may be longer.
pub(crate) const RECORD_BYTES: usize = 256 * 1024;
/// Longer than any record of events: what claims more is broken.
const RECORD_BYTES_MAX: u32 = 4 * 1024 * 1024;
const FOOTER_BYTES_MAX: u32 = 256 * 1024 * 1024;
const KIND_STREAM: u8 = 1;
const KIND_EVENTS: u8 = 2;
const KIND_FOOTER: u8 = 3;
/// Kind, uid, first sequence number, ingestion time, count.
const EVENTS_HEADER_BYTES: usize = 1 + 8 + 8 + 8 + 4;
const READ_BUFFER_BYTES: usize = 128 * 1024;

/// Where in one segment a stream's events are, and what they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Span {
    /// Offset of the first record with events of the stream.
    pub start: u64,
    /// Offset behind the last.
    pub end: u64,
    pub first_sequence: u64,
    pub events: u64,
    /// Of messages.
    pub bytes: u64,
    pub time_min: u64,
    pub time_max: u64,
    pub ingested_max: u64,
}

impl Span {
    pub(crate) fn end_sequence(&self) -> u64 {
        self.first_sequence.saturating_add(self.events)
    }

    pub(crate) fn extend(&mut self, later: &Self) {
        self.end = later.end;
        self.events += later.events;
        self.bytes += later.bytes;
        self.time_min = self.time_min.min(later.time_min);
        self.time_max = self.time_max.max(later.time_max);
        self.ingested_max = self.ingested_max.max(later.ingested_max);
    }
}

/// A stream as a segment introduces it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub uid: u64,
    pub home: StoredHome,
    pub group: String,
    pub stream: String,
    pub created_ms: u64,
}

impl Definition {
    /// `regionless`: where streams belong whose Region is not named.
    pub(crate) fn name(&self, regionless: &Region) -> StreamName {
        let home = self.home.clone().or_in(regionless);
        StreamName { home, group: self.group.clone(), stream: self.stream.clone() }
    }
}

/// What a segment holds.
pub(crate) type Contents = Vec<(Definition, Span)>;

pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.seg"))
}

/// The segment's number, if the file is one.
pub(crate) fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".seg")?.parse().ok()
}

/// Adds a framed record to `buffer`; `fill` writes its payload.
fn frame(buffer: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = buffer.len();
    buffer.extend([0; HEADER_BYTES as usize]);
    fill(buffer);
    let payload = &buffer[start + HEADER_BYTES as usize..];
    let len = u32::try_from(payload.len()).expect("records are bounded");
    let crc = crc32fast::hash(payload);
    buffer[start..start + 4].copy_from_slice(&len.to_le_bytes());
    buffer[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

pub(crate) fn encode_definition(buffer: &mut Vec<u8>, definition: &Definition) {
    frame(buffer, |buffer| {
        buffer.push(KIND_STREAM);
        buffer.extend(postcard::to_stdvec(definition).expect("plain data"));
    });
}

/// Adds one record of `events`, which follow each other from `first_sequence`, and says what it holds. `base` is where `buffer` will
/// be in the segment.
pub(crate) fn encode_events(
    buffer: &mut Vec<u8>,
    base: u64,
    uid: u64,
    first_sequence: u64,
    ingested_ms: u64,
    events: &[Event],
) -> Span {
    let start = base + buffer.len() as u64;
    let (mut bytes, mut time_min, mut time_max) = (0, u64::MAX, 0);
    frame(buffer, |buffer| {
        buffer.push(KIND_EVENTS);
        for number in [uid, first_sequence, ingested_ms] {
            buffer.extend(number.to_le_bytes());
        }
        buffer.extend(u32::try_from(events.len()).expect("records are bounded").to_le_bytes());
        for event in events {
            buffer.extend(event.time_ms.to_le_bytes());
            buffer.extend(u32::try_from(event.message.len()).expect("messages are bounded").to_le_bytes());
            buffer.extend(&event.message);
            bytes += event.message.len() as u64;
            time_min = time_min.min(event.time_ms);
            time_max = time_max.max(event.time_ms);
        }
    });
    let end = base + buffer.len() as u64;
    let events = events.len() as u64;
    Span { start, end, first_sequence, events, bytes, time_min, time_max, ingested_max: ingested_ms }
}

/// Writes footer and trailer at `offset`, where the file ends.
pub(crate) fn seal(file: &mut File, offset: u64, contents: &Contents) -> io::Result<u64> {
    let mut buffer = Vec::new();
    frame(&mut buffer, |buffer| {
        buffer.push(KIND_FOOTER);
        buffer.extend(postcard::to_stdvec(contents).expect("plain data"));
    });
    buffer.extend(offset.to_le_bytes());
    buffer.extend(MAGIC);
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(&buffer)?;
    Ok(offset + buffer.len() as u64)
}

/// What a segment holds and how long it is. One without a footer is mended first.
pub(crate) fn load(path: &Path) -> io::Result<(Contents, u64)> {
    let mut file = fs_err::OpenOptions::new().read(true).write(true).open(path)?.into_file();
    let len = file.metadata()?.len();
    if let Some(contents) = read_footer(&mut file, len)? {
        return Ok((contents, len));
    }
    let (contents, end) = scan_whole(&mut file, len)?;
    file.set_len(end)?;
    let len = seal(&mut file, end, &contents)?;
    Ok((contents, len))
}

fn read_footer(file: &mut File, len: u64) -> io::Result<Option<Contents>> {
    let Some(trailer_start) = len.checked_sub(TRAILER_BYTES) else { return Ok(None) };
    let mut trailer = [0; TRAILER_BYTES as usize];
    file.seek(SeekFrom::Start(trailer_start))?;
    file.read_exact(&mut trailer)?;
    let (offset, magic) = trailer.split_at(8);
    let offset = u64::from_le_bytes(offset.try_into().expect("eight bytes"));
    if magic != MAGIC || offset >= trailer_start {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file).take(trailer_start - offset);
    let Some(payload) = read_record(&mut reader, FOOTER_BYTES_MAX)? else { return Ok(None) };
    match payload.split_first() {
        Some((&KIND_FOOTER, contents)) => Ok(postcard::from_bytes(contents).ok()),
        _ => Ok(None),
    }
}

/// The payload of the next record; `None` at the end or if it is broken.
fn read_record(reader: &mut impl Read, len_max: u32) -> io::Result<Option<Vec<u8>>> {
    Ok(match read_next(reader, len_max)? {
        Next::Whole(payload) => Some(payload),
        Next::Damaged { .. } | Next::End => None,
    })
}

enum Next {
    Whole(Vec<u8>),
    /// Its payload is not what was written.
    Damaged {
        len: u64,
    },
    /// Nothing follows, or nothing that could be found.
    End,
}

fn read_next(reader: &mut impl Read, len_max: u32) -> io::Result<Next> {
    let mut header = [0; HEADER_BYTES as usize];
    if !fill(reader, &mut header)? {
        return Ok(Next::End);
    }
    let [len, crc] = [0, 4].map(|at| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes")));
    if len > len_max {
        return Ok(Next::End);
    }
    let mut payload = Vec::new();
    let count = reader.take(u64::from(len)).read_to_end(&mut payload)?;
    Ok(match payload {
        _ if count != len as usize => Next::End,
        payload if crc32fast::hash(&payload) == crc => Next::Whole(payload),
        _ => Next::Damaged { len: u64::from(len) },
    })
}

/// Whether there was enough to fill the buffer.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Every record that is whole, and where the last of them ends.
fn scan_whole(file: &mut File, len: u64) -> io::Result<(Contents, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(READ_BUFFER_BYTES, file).take(len);
    let mut definitions = HashMap::new();
    let mut spans: HashMap<u64, Span> = HashMap::new();
    let (mut at, mut end) = (0, 0);
    loop {
        let payload = match read_next(&mut reader, RECORD_BYTES_MAX)? {
            Next::Whole(payload) => payload,
            Next::Damaged { len } => {
                at += HEADER_BYTES + len;
                continue;
            }
            Next::End => break,
        };
        let start = at;
        at = start + HEADER_BYTES + payload.len() as u64;
        match payload.split_first() {
            Some((&KIND_STREAM, definition)) => {
                let Ok(definition) = postcard::from_bytes::<Definition>(definition) else { continue };
                definitions.insert(definition.uid, definition);
            }
            Some((&KIND_EVENTS, _)) => {
                let Some((uid, span)) = span_of(&payload, start, at) else { continue };
                spans.entry(uid).and_modify(|known| known.extend(&span)).or_insert(span);
            }
            _ => break,
        }
        end = at;
    }
    let contents = spans.into_iter().filter_map(|(uid, span)| Some((definitions.remove(&uid)?, span))).collect();
    Ok((contents, end))
}

fn span_of(payload: &[u8], start: u64, end: u64) -> Option<(u64, Span)> {
    let batch = Batch::parse(payload)?;
    let (mut bytes, mut time_min, mut time_max) = (0, u64::MAX, 0);
    for event in &batch.events {
        bytes += event.message.len() as u64;
        time_min = time_min.min(event.time_ms);
        time_max = time_max.max(event.time_ms);
    }
    let events = batch.events.len() as u64;
    let first_sequence = batch.first_sequence;
    let span = Span { start, end, first_sequence, events, bytes, time_min, time_max, ingested_max: batch.ingested_ms };
    Some((batch.uid, span))
}

/// The events of one record.
#[derive(Debug)]
pub(crate) struct Batch {
    pub uid: u64,
    pub first_sequence: u64,
    pub events: Vec<Event>,
    ingested_ms: u64,
}

impl Batch {
    fn parse(payload: &[u8]) -> Option<Self> {
        let header = payload.get(..EVENTS_HEADER_BYTES)?;
        let number = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"));
        let (uid, first_sequence, ingested_ms) = (number(1), number(9), number(17));
        let mut rest = Bytes::copy_from_slice(&payload[EVENTS_HEADER_BYTES..]);
        let mut events = Vec::new();
        while !rest.is_empty() {
            if rest.len() < 12 {
                return None;
            }
            let event = rest.split_to(12);
            let time_ms = u64::from_le_bytes(event[..8].try_into().expect("eight bytes"));
            let len = u32::from_le_bytes(event[8..].try_into().expect("four bytes")) as usize;
            if rest.len() < len {
                return None;
            }
            events.push(Event { time_ms, ingested_ms, message: rest.split_to(len) });
        }
        Some(Self { uid, first_sequence, events, ingested_ms })
    }
}

/// Reads the records of chosen streams between two offsets, in order.
pub(crate) struct Reader {
    reader: BufReader<File>,
    offset: u64,
    end: u64,
}

impl Reader {
    /// `None` if the segment is gone.
    pub(crate) fn open(dir: &Path, segment: u64, start: u64, end: u64) -> io::Result<Option<Self>> {
        let mut file = match fs_err::File::open(path(dir, segment)) {
            Ok(file) => file.into_file(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(start))?;
        Ok(Some(Self { reader: BufReader::with_capacity(READ_BUFFER_BYTES, file), offset: start, end }))
    }

    /// The next batch of a stream that `is_wanted` by its uid; others are passed over unread.
    pub(crate) fn next(&mut self, is_wanted: impl Fn(u64) -> bool) -> io::Result<Option<Batch>> {
        while self.offset < self.end {
            let mut header = [0; HEADER_BYTES as usize + 9];
            if !fill(&mut self.reader, &mut header)? {
                return Ok(None);
            }
            let len = u32::from_le_bytes(header[..4].try_into().expect("four bytes"));
            let crc = u32::from_le_bytes(header[4..8].try_into().expect("four bytes"));
            let uid = u64::from_le_bytes(header[9..].try_into().expect("eight bytes"));
            if !(9..=RECORD_BYTES_MAX).contains(&len) {
                tracing::error!(
                    offset = self.offset,
                    "a segment of function logs is damaged; what follows there is lost"
                );
                return Ok(None);
            }
            self.offset += HEADER_BYTES + u64::from(len);
            let rest = i64::from(len) - 9;
            if header[8] != KIND_EVENTS || !is_wanted(uid) {
                self.reader.seek_relative(rest)?;
                continue;
            }
            let mut payload = header[8..].to_vec();
            self.reader.by_ref().take(rest.unsigned_abs()).read_to_end(&mut payload)?;
            match Batch::parse(&payload).filter(|_| crc32fast::hash(&payload) == crc) {
                Some(batch) => return Ok(Some(batch)),
                None => tracing::error!(before = self.offset, "a record of function logs is damaged and passed over"),
            }
        }
        Ok(None)
    }
}
