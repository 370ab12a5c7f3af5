//! Request bodies: of known length, or chunked with trailers (RFC 9112, section 7.1).

use std::ops::Range;

use super::{BodyLength, HEAD_BYTES_MAX, LINES_MAX, Malformed, split_line};

/// Longest line before a chunk: its length and extensions that nobody reads.
const CHUNK_LINE_BYTES_MAX: usize = 4096;

/// What the next bytes of a body are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// This part of the input is content.
    Data(Range<usize>),
    /// More input is needed to tell.
    More,
    End,
}

/// What a streamed response says of its end.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Trailers {
    /// `Lambda-Runtime-Function-Error-Type`.
    pub error_type: Option<Vec<u8>>,
    /// `Lambda-Runtime-Function-Error-Body`, still base64.
    pub error_body: Option<Vec<u8>>,
}

#[derive(Debug)]
enum State {
    Known { left: u64 },
    ChunkLine,
    Chunk { left: u64 },
    ChunkEnd,
    Trailer,
    Done,
}

/// Reads one body, piece by piece.
#[derive(Debug)]
pub struct BodyReader {
    state: State,
    /// Bytes of the present line in which no end of line was found.
    scanned: usize,
    trailer_bytes: usize,
    trailer_lines: usize,
    trailers: Trailers,
}

impl BodyReader {
    pub fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::Known(left) => State::Known { left },
            BodyLength::Chunked => State::ChunkLine,
        };
        Self { state, scanned: 0, trailer_bytes: 0, trailer_lines: 0, trailers: Trailers::default() }
    }

    /// What came behind the last chunk.
    pub fn trailers(&self) -> &Trailers {
        &self.trailers
    }

    /// Whether the next byte is content: then a step goes on only with room for it.
    pub fn is_in_content(&self) -> bool {
        matches!(self.state, State::Known { left } | State::Chunk { left } if left > 0)
    }

    /// Takes a step into `input`, the bytes not yet taken, but over no more than `data_max` bytes of content. The first value is
    /// how many bytes this step takes; after [`Step::More`] the next call must begin with what it left.
    ///
    /// # Errors
    /// The bytes are not chunks.
    pub fn step(&mut self, input: &[u8], data_max: usize) -> Result<(usize, Step), Malformed> {
        let mut taken = 0;
        loop {
            let (more, step) = self.step_once(&input[taken..], data_max)?;
            match step {
                Some(Step::Data(range)) => {
                    return Ok((taken + more, Step::Data(taken + range.start..taken + range.end)));
                }
                Some(step) => return Ok((taken + more, step)),
                None => taken += more,
            }
        }
    }

    fn step_once(&mut self, input: &[u8], data_max: usize) -> Result<(usize, Option<Step>), Malformed> {
        match &mut self.state {
            State::Known { left: 0 } | State::Done => Ok((0, Some(Step::End))),
            State::Known { left } | State::Chunk { left } if *left > 0 => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len()).min(data_max);
                *left -= length as u64;
                let step = if length == 0 { Step::More } else { Step::Data(0..length) };
                Ok((length, Some(step)))
            }
            State::Known { .. } | State::Chunk { .. } => {
                self.state = State::ChunkEnd;
                Ok((0, None))
            }
            State::ChunkEnd => match input {
                [b'\r', b'\n', ..] => {
                    self.state = State::ChunkLine;
                    Ok((2, None))
                }
                [] | [b'\r'] => Ok((0, Some(Step::More))),
                _ => Err(Malformed::Chunk),
            },
            State::ChunkLine => {
                let Some(line) = self.line(input, CHUNK_LINE_BYTES_MAX)? else {
                    return Ok((0, Some(Step::More)));
                };
                let left = parse_chunk_line(line)?;
                self.state = if left == 0 { State::Trailer } else { State::Chunk { left } };
                Ok((line.len() + 2, None))
            }
            State::Trailer => self.read_trailer(input),
        }
    }

    fn read_trailer(&mut self, input: &[u8]) -> Result<(usize, Option<Step>), Malformed> {
        let Some(line) = self.line(input, HEAD_BYTES_MAX - self.trailer_bytes)? else {
            return Ok((0, Some(Step::More)));
        };
        if line.is_empty() {
            self.state = State::Done;
            return Ok((2, None));
        }
        self.trailer_bytes += line.len();
        self.trailer_lines += 1;
        if self.trailer_lines > LINES_MAX {
            return Err(Malformed::TooLong);
        }
        let (name, value) = split_line(line)?;
        if name.eq_ignore_ascii_case(b"lambda-runtime-function-error-type") {
            self.trailers.error_type = Some(value.to_vec());
        } else if name.eq_ignore_ascii_case(b"lambda-runtime-function-error-body") {
            self.trailers.error_body = Some(value.to_vec());
        }
        Ok((line.len() + 2, None))
    }

    /// The line at the start of `input`, without its CRLF.
    fn line<'a>(&mut self, input: &'a [u8], bytes_max: usize) -> Result<Option<&'a [u8]>, Malformed> {
        let from = self.scanned.min(input.len());
        let Some(end) = input[from..].iter().position(|&byte| byte == b'\n').map(|end| from + end) else {
            self.scanned = input.len();
            return if input.len() > bytes_max { Err(Malformed::TooLong) } else { Ok(None) };
        };
        self.scanned = 0;
        if end > bytes_max {
            return Err(Malformed::TooLong);
        }
        input[..end].strip_suffix(b"\r").map(Some).ok_or(Malformed::Chunk)
    }
}

fn parse_chunk_line(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii_end();
    if digits.is_empty() || digits.len() > 16 {
        return Err(Malformed::Chunk);
    }
    digits.iter().try_fold(0, |length: u64, &digit| {
        let digit = char::from(digit).to_digit(16).ok_or(Malformed::Chunk)?;
        Ok(length << 4 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests;
