//! Streamed responses: to the daemon as they come, as fast as it takes them.

use base64::{Engine, engine::general_purpose::STANDARD};
use hearth_agent_proto::{CHUNK_BYTES_MAX, FromAgent, ResponseHead, StreamEnd, WINDOW_BYTES};

use super::{
    Progress,
    answer::{content_type, refuse_malformed, type_text},
    event::{Events, after},
};
use crate::{
    buffer,
    connection::{Connection, Phase, Stream},
    http::{BodyReader, Malformed, Request, Step, Trailers},
    io::Io,
    reply::{self, Persistence, Refusal},
};

/// What Lambda calls a response beyond the limit.
pub(super) const TOO_LARGE: &str = "Function.ResponseSizeTooLarge";

/// Below this, copying chunks together costs less than a system call for each.
const GATHERED_BYTES_MAX: usize = 16 * 1024;

pub(super) fn too_large_body(limit: u64) -> String {
    format!(
        "{{\"errorType\":\"{TOO_LARGE}\",\"errorMessage\":\
         \"Response payload size exceeded maximum allowed payload size ({limit} bytes).\"}}"
    )
}

pub(super) fn too_large_refusal(limit: u64) -> Refusal {
    Refusal {
        status: 413,
        error_type: "RequestEntityTooLarge",
        message: format!("Exceeded maximum allowed payload size ({limit} bytes)."),
    }
}

pub(super) fn begin(
    events: &mut Events,
    io: &mut Io,
    connection: &mut Connection,
    request: &Request,
    id: u32,
    persistence: Persistence,
) -> Progress {
    let head = ResponseHead { content_type: content_type(connection, request).into() };
    io.drain_lines();
    io.link.send(&io.poller, &FromAgent::StreamStart { id, head });
    events.turn.begin_stream();
    buffer::consume(&mut connection.input, request.head_bytes);
    let reader = BodyReader::new(request.body);
    connection.phase = Phase::Stream(Stream { id, reader, credit: WINDOW_BYTES, sent_bytes: 0, persistence });
    Progress::Again
}

/// How far a pass over the input came.
enum Pass {
    /// All of it is forwarded.
    Dry,
    /// The daemon takes no more for now.
    Stalled,
    End,
    TooLarge,
    Malformed(Malformed),
}

/// Forwards what has come.
pub(super) fn forward(events: &mut Events, io: &mut Io, connection: &mut Connection) -> Progress {
    let Phase::Stream(stream) = &mut connection.phase else {
        return Progress::Again;
    };
    let (taken, pass) = pass(io, stream, &connection.input, events.stream_bytes_max);
    io.link.flush(&io.poller);
    buffer::consume(&mut connection.input, taken);
    match pass {
        Pass::Dry => Progress::Wait,
        Pass::Stalled => {
            connection.socket.set_read(&io.poller, false);
            Progress::Wait
        }
        Pass::End => finish(events, io, connection),
        Pass::TooLarge => cut_off(events, io, connection),
        Pass::Malformed(malformed) => {
            let id = stream.id;
            events.end_stream(io, id, StreamEnd { error: None, truncated: true });
            refuse_malformed(io, connection, malformed)
        }
    }
}

fn pass(io: &mut Io, stream: &mut Stream, input: &[u8], bytes_max: u64) -> (usize, Pass) {
    let mut taken = 0;
    loop {
        if io.must_stall() {
            return (taken, Pass::Stalled);
        }
        let rest = &input[taken..];
        match stream.reader.step(rest, stream.credit.min(CHUNK_BYTES_MAX)) {
            Ok((more, Step::Data(range))) => {
                taken += more;
                stream.sent_bytes += range.len() as u64;
                if stream.sent_bytes > bytes_max {
                    return (taken, Pass::TooLarge);
                }
                stream.credit -= range.len();
                let chunk = FromAgent::StreamChunk { id: stream.id, data: &rest[range] };
                if rest.len() < GATHERED_BYTES_MAX {
                    io.link.push(&chunk);
                } else {
                    io.link.send(&io.poller, &chunk);
                }
            }
            Ok((more, Step::More)) => {
                let is_stalled = stream.credit == 0 && stream.reader.is_in_content();
                return (taken + more, if is_stalled { Pass::Stalled } else { Pass::Dry });
            }
            Ok((more, Step::End)) => return (taken + more, Pass::End),
            Err(malformed) => return (taken, Pass::Malformed(malformed)),
        }
    }
}

fn finish(events: &mut Events, io: &mut Io, connection: &mut Connection) -> Progress {
    let Phase::Stream(stream) = &connection.phase else {
        return Progress::Again;
    };
    let (id, persistence) = (stream.id, stream.persistence);
    events.end_stream(io, id, StreamEnd { error: error_of(stream.reader.trailers()), truncated: false });
    events.scratch.clear();
    reply::write_accepted(&mut events.scratch, persistence);
    connection.phase = after(persistence);
    match connection.write(&io.poller, [&events.scratch, &[]]) {
        Ok(()) => Progress::Again,
        Err(_) => Progress::Close,
    }
}

/// A stream beyond the limit: the daemon hears of the error, the runtime when it has written all.
fn cut_off(events: &mut Events, io: &mut Io, connection: &mut Connection) -> Progress {
    let Phase::Stream(stream) = std::mem::replace(&mut connection.phase, Phase::Head) else {
        return Progress::Again;
    };
    let limit = events.stream_bytes_max;
    let body = too_large_body(limit).into_bytes();
    let error = Some((TOO_LARGE.into(), body.into()));
    events.end_stream(io, stream.id, StreamEnd { error, truncated: false });
    let Stream { reader, persistence, .. } = stream;
    let refusal = too_large_refusal(limit);
    connection.phase = Phase::Unwanted { reader, read_bytes: 0, refusal, persistence };
    Progress::Again
}

type StreamError<'a> = (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, [u8]>);

/// The error in the trailers. A body that is not base64 is passed on as it is: it is all that is known of the error.
fn error_of(trailers: &Trailers) -> Option<StreamError<'_>> {
    if trailers.error_type.is_none() && trailers.error_body.is_none() {
        return None;
    }
    let error_type = type_text(trailers.error_type.as_deref().unwrap_or_default());
    let body = trailers.error_body.as_deref().unwrap_or_default();
    let body = STANDARD.decode(body).map_or(body.into(), Into::into);
    Some((error_type.into(), body))
}
