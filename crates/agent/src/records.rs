//! Log records out of what a runtime writes: lines of its output, frames of its telemetry pipe.

use hearth_agent_proto::{LOG_BYTES_MAX, LogSource};

use crate::buffer;

/// Where records go: source, the writer's own time (microseconds since the epoch) if it gave one, bytes.
pub trait Sink: FnMut(LogSource, Option<u64>, &[u8]) {}
impl<F: FnMut(LogSource, Option<u64>, &[u8])> Sink for F {}

/// Cuts output at line ends; a record keeps its line end. Lines longer than [`LOG_BYTES_MAX`] are cut into several records.
#[derive(Debug, Default)]
pub struct LineCutter {
    /// The begun line, without a line end.
    begun: Vec<u8>,
}

impl LineCutter {
    pub fn feed(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.begun.is_empty() && line.ends_with(b"\n") && line.len() <= LOG_BYTES_MAX {
                sink(LogSource::Output, None, line);
            } else {
                self.feed_part(line, sink);
            }
        }
    }

    /// `part` has no line end but at its end.
    fn feed_part(&mut self, part: &[u8], sink: &mut impl Sink) {
        let mut rest = part;
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(rest.len().min(LOG_BYTES_MAX - self.begun.len()));
            self.begun.extend_from_slice(head);
            rest = tail;
            if self.begun.len() == LOG_BYTES_MAX || head.ends_with(b"\n") {
                self.flush(sink);
            }
        }
    }

    /// Ends the begun line where it is.
    pub fn flush(&mut self, sink: &mut impl Sink) {
        if !self.begun.is_empty() {
            sink(LogSource::Output, None, &self.begun);
            buffer::clear(&mut self.begun);
        }
    }
}

/// Bytes before each message: type, length, microseconds since the epoch, all big-endian.
const FRAME_HEADER_BYTES: usize = 16;
const TEXT: u32 = 0xa55a_0003;
const JSON: u32 = 0xa55a_0002;
const LEVELS: u32 = 0x1c;

/// Cuts the telemetry pipe (`_LAMBDA_TELEMETRY_LOG_FD`) into messages. Longer ones than [`LOG_BYTES_MAX`] are cut into several
/// records. Behind bytes that are no frame there is no way back into step: all that follows counts as plain output.
#[derive(Debug, Default)]
pub struct FrameCutter {
    state: FrameState,
    held: Vec<u8>,
}

#[derive(Debug, Default)]
enum FrameState {
    #[default]
    Header,
    Message {
        source: FrameSource,
        left: usize,
    },
    Plain(LineCutter),
}

#[derive(Clone, Copy, Debug)]
struct FrameSource {
    json: bool,
    level: u8,
    time_us: u64,
}

impl FrameSource {
    fn emit(self, message: &[u8], sink: &mut impl Sink) {
        sink(LogSource::Framed { json: self.json, level: self.level }, Some(self.time_us), message);
    }
}

impl FrameCutter {
    pub fn feed(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match &mut self.state {
                FrameState::Header => self.feed_header(rest),
                FrameState::Message { .. } => self.feed_message(rest, sink),
                FrameState::Plain(lines) => {
                    lines.feed(rest, sink);
                    &[]
                }
            };
            if let FrameState::Plain(lines) = &mut self.state {
                lines.feed(&std::mem::take(&mut self.held), sink);
            }
        }
    }

    fn feed_header<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (head, rest) = bytes.split_at(bytes.len().min(FRAME_HEADER_BYTES - self.held.len()));
        self.held.extend_from_slice(head);
        if let Some(header) = self.held.first_chunk() {
            self.state = match parse_header(header) {
                Some((source, left)) => {
                    self.held.clear();
                    if left == 0 { FrameState::Header } else { FrameState::Message { source, left } }
                }
                None => FrameState::Plain(LineCutter::default()),
            };
        }
        rest
    }

    fn feed_message<'a>(&mut self, bytes: &'a [u8], sink: &mut impl Sink) -> &'a [u8] {
        let FrameState::Message { source, left } = &mut self.state else {
            return bytes;
        };
        let (head, rest) = bytes.split_at(bytes.len().min(*left).min(LOG_BYTES_MAX - self.held.len()));
        *left -= head.len();
        let source = *source;
        let is_whole = *left == 0;
        if is_whole && self.held.is_empty() {
            source.emit(head, sink);
        } else {
            self.held.extend_from_slice(head);
            if is_whole || self.held.len() == LOG_BYTES_MAX {
                source.emit(&self.held, sink);
                buffer::clear(&mut self.held);
            }
        }
        if is_whole {
            self.state = FrameState::Header;
        }
        rest
    }

    /// Gives out what there is of a begun message, because no more will come.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        match &mut self.state {
            FrameState::Header => {}
            FrameState::Message { source, .. } if !self.held.is_empty() => source.emit(&self.held, sink),
            FrameState::Message { .. } => {}
            FrameState::Plain(lines) => lines.flush(sink),
        }
        *self = Self::default();
    }
}

fn parse_header(header: &[u8; FRAME_HEADER_BYTES]) -> Option<(FrameSource, usize)> {
    let (kind, rest) = header.split_first_chunk()?;
    let (length, time_us) = rest.split_first_chunk()?;
    let kind = u32::from_be_bytes(*kind);
    let json = match kind & !LEVELS {
        TEXT => false,
        JSON => true,
        _ => return None,
    };
    let level = u8::try_from(kind & LEVELS).ok()?;
    let time_us = u64::from_be_bytes(*time_us.first_chunk()?);
    Some((FrameSource { json, level, time_us }, u32::from_be_bytes(*length) as usize))
}

#[cfg(test)]
mod tests;
