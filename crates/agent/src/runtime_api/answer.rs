//! What the runtime posts: responses, errors, failed initialisation.

use hearth_agent_proto::{ErrorHead, FromAgent, ResponseHead};

use super::{Progress, UNWANTED_BYTES_MAX, event::Events, event::after, stream};
use crate::{
    buffer,
    connection::{Connection, Phase},
    http::{BodyLength, BodyReader, Malformed, Request, Step},
    io::Io,
    poller::Key,
    reply::{self, Persistence, Refusal},
    route::{Route, route},
};

/// Longest content type and error type that are passed on.
const TYPE_BYTES_MAX: usize = 1024;

fn persistence(request: &Request) -> Persistence {
    match (request.keep_alive, request.old) {
        (true, false) => Persistence::Keep,
        (true, true) => Persistence::KeepOld,
        (false, _) => Persistence::Close,
    }
}

/// A request's head is there.
pub(super) fn begin(
    events: &mut Events,
    io: &mut Io,
    connection: &mut Connection,
    key: Key,
    request: Request,
) -> Progress {
    match begin_granted(events, io, connection, key, &request) {
        Ok(progress) => progress,
        Err(refusal) => refuse(io, connection, &request, refusal),
    }
}

fn begin_granted(
    events: &mut Events,
    io: &mut Io,
    connection: &mut Connection,
    key: Key,
    request: &Request,
) -> Result<Progress, Refusal> {
    match route(request, &connection.input)? {
        Route::RestoreNext => {
            let persistence = persistence(request);
            let held = events.hold_back(io, connection, key, persistence)?;
            buffer::consume(&mut connection.input, request.head_bytes);
            return Ok(held);
        }
        Route::Renewed { secret, what } => {
            let body = events.renewed(secret, what).map(str::to_owned).ok_or_else(not_found)?;
            buffer::consume(&mut connection.input, request.head_bytes);
            events.scratch.clear();
            reply::write_json(&mut events.scratch, body.as_bytes(), persistence(request));
            return Ok(write_answer(events, io, connection, persistence(request)));
        }
        Route::RestoreError if !events.turn.is_restoring() => return Err(events.turn.refuse("RestoreError")),
        Route::RestoreError => {
            check_length(events, request, |events| stream::too_large_refusal(events.response_bytes_max))?
        }
        Route::Next => {
            if request.body != BodyLength::Known(0) {
                return Err(bad_request("this call has no body"));
            }
            buffer::consume(&mut connection.input, request.head_bytes);
            return events.ask(io, connection, key, persistence(request));
        }
        Route::InitError if !events.turn.is_initialising() => return Err(events.turn.refuse("InitError")),
        Route::InitError => {
            check_length(events, request, |events| stream::too_large_refusal(events.response_bytes_max))?
        }
        Route::Response { request_id } => {
            let id = check(events, connection, request, request_id)?;
            if request.streaming {
                announce_continue(io, connection, request);
                return Ok(stream::begin(events, io, connection, request, id, persistence(request)));
            }
            check_length(events, request, |events| too_large(events, io, id))?;
        }
        Route::InvocationError { request_id } => {
            let id = check(events, connection, request, request_id)?;
            check_length(events, request, |events| too_large(events, io, id))?;
        }
    }
    announce_continue(io, connection, request);
    let reader = BodyReader::new(request.body);
    connection.phase = Phase::Body { request: request.clone(), reader, body_bytes: 0 };
    Ok(Progress::Again)
}

fn check(events: &Events, connection: &Connection, request: &Request, request_id: &[u8]) -> Result<u32, Refusal> {
    let invocation_id = request.invocation_id.map(|span| span.get(&connection.input));
    events.turn.check_answer(request_id, invocation_id)
}

/// A body that says it is too large is refused before it is read. What is read has a length that is safe to count with.
fn check_length(
    events: &mut Events,
    request: &Request,
    refuse: impl FnOnce(&mut Events) -> Refusal,
) -> Result<(), Refusal> {
    match request.body {
        BodyLength::Known(length) if length > events.response_bytes_max => Err(refuse(events)),
        BodyLength::Known(_) | BodyLength::Chunked => Ok(()),
    }
}

/// The invocation fails with the error that Lambda gives it, and the runtime's request is refused.
fn too_large(events: &mut Events, io: &mut Io, id: u32) -> Refusal {
    let limit = events.response_bytes_max;
    io.drain_lines();
    let head = ErrorHead { error_type: stream::TOO_LARGE.into() };
    let body = stream::too_large_body(limit);
    io.link.send(&io.poller, &FromAgent::InvocationError { id, head, body: body.as_bytes() });
    events.turn.answered();
    stream::too_large_refusal(limit)
}

fn announce_continue(io: &Io, connection: &mut Connection, request: &Request) {
    let has_body = connection.input.len() > request.head_bytes || request.body == BodyLength::Known(0);
    if request.expects_continue && !has_body {
        // A broken connection shows again when it is read.
        let _broken = connection.write(&io.poller, [reply::CONTINUE, &[]]);
    }
}

/// Gathers the body of a post, and acts on it when it is whole.
pub(super) fn gather(events: &mut Events, io: &mut Io, connection: &mut Connection) -> Progress {
    let Phase::Body { request, reader, body_bytes } = &mut connection.phase else {
        return Progress::Again;
    };
    let input = &mut connection.input;
    let mut write_at = request.head_bytes + *body_bytes;
    let mut read_at = write_at;
    let outcome = loop {
        match reader.step(&input[read_at..], usize::MAX) {
            Ok((taken, Step::Data(range))) => {
                let length = range.len();
                if read_at + range.start != write_at {
                    input.copy_within(read_at + range.start..read_at + range.end, write_at);
                }
                write_at += length;
                read_at += taken;
            }
            Ok((taken, step)) => {
                read_at += taken;
                break Ok(step);
            }
            Err(malformed) => break Err(malformed),
        }
    };
    // What framed the chunks is cut out from between body and rest.
    input.copy_within(read_at.., write_at);
    input.truncate(input.len() - (read_at - write_at));
    *body_bytes = write_at - request.head_bytes;
    let is_too_large = *body_bytes as u64 > events.response_bytes_max;
    match outcome {
        Err(malformed) => refuse_malformed(io, connection, malformed),
        Ok(_) if is_too_large => outgrow(events, io, connection),
        Ok(Step::End) => finish(events, io, connection),
        Ok(_) => Progress::Wait,
    }
}

/// A chunked body has grown beyond the largest response.
fn outgrow(events: &mut Events, io: &mut Io, connection: &mut Connection) -> Progress {
    let Phase::Body { request, reader, body_bytes } = std::mem::replace(&mut connection.phase, Phase::Head) else {
        return Progress::Again;
    };
    let checked = match route(&request, &connection.input) {
        Ok(Route::Response { request_id } | Route::InvocationError { request_id }) => {
            check(events, connection, &request, request_id).map(Some)
        }
        other => other.map(|_| None),
    };
    let refusal = match checked {
        Ok(Some(id)) => too_large(events, io, id),
        Ok(None) => stream::too_large_refusal(events.response_bytes_max),
        Err(refusal) => refusal,
    };
    buffer::consume(&mut connection.input, request.head_bytes + body_bytes);
    connection.phase = Phase::Unwanted { reader, read_bytes: 0, refusal, persistence: persistence(&request) };
    Progress::Again
}

/// A post is whole: the daemon hears of it, then the runtime that it was taken.
fn finish(events: &mut Events, io: &mut Io, connection: &mut Connection) -> Progress {
    let Phase::Body { request, body_bytes, .. } = std::mem::replace(&mut connection.phase, Phase::Head) else {
        return Progress::Again;
    };
    let persistence = persistence(&request);
    events.scratch.clear();
    match pass_on(events, io, connection, &request, body_bytes) {
        Ok(()) => reply::write_accepted(&mut events.scratch, persistence),
        Err(refusal) => reply::write_refusal(&mut events.scratch, &refusal, persistence),
    }
    buffer::consume(&mut connection.input, request.head_bytes + body_bytes);
    write_answer(events, io, connection, persistence)
}

fn write_answer(events: &Events, io: &Io, connection: &mut Connection, persistence: Persistence) -> Progress {
    connection.phase = after(persistence);
    match connection.write(&io.poller, [&events.scratch, &[]]) {
        Ok(()) => Progress::Again,
        Err(_) => Progress::Close,
    }
}

/// Checked again: while the body came, another connection may have answered.
fn pass_on(
    events: &mut Events,
    io: &mut Io,
    connection: &Connection,
    request: &Request,
    body_bytes: usize,
) -> Result<(), Refusal> {
    let body = &connection.input[request.head_bytes..request.head_bytes + body_bytes];
    let error = || {
        let error_type = request.error_type.map(|span| span.get(&connection.input)).unwrap_or_default();
        ErrorHead { error_type: type_text(error_type).into() }
    };
    match route(request, &connection.input)? {
        Route::Response { request_id } => {
            let id = check(events, connection, request, request_id)?;
            let head = ResponseHead { content_type: content_type(connection, request).into() };
            io.drain_lines();
            io.link.send(&io.poller, &FromAgent::Response { id, head, body });
            events.turn.answered();
        }
        Route::InvocationError { request_id } => {
            let id = check(events, connection, request, request_id)?;
            io.drain_lines();
            io.link.send(&io.poller, &FromAgent::InvocationError { id, head: error(), body });
            events.turn.answered();
        }
        Route::InitError => {
            events.turn.fail_init()?;
            io.drain_lines();
            io.link.send(&io.poller, &FromAgent::InitError { head: error(), body });
        }
        Route::RestoreError => {
            events.turn.fail_restore()?;
            io.drain_lines();
            io.link.send(&io.poller, &FromAgent::InitError { head: error(), body });
        }
        Route::Next | Route::RestoreNext | Route::Renewed { .. } => {}
    }
    Ok(())
}

pub(super) fn content_type<'a>(connection: &'a Connection, request: &Request) -> &'a str {
    match request.content_type.map(|span| type_text(span.get(&connection.input))) {
        None | Some("") => "application/octet-stream",
        Some(content_type) => content_type,
    }
}

/// A type as text, or nothing if it is not worth passing on.
pub(super) fn type_text(bytes: &[u8]) -> &str {
    let text = bytes.get(..TYPE_BYTES_MAX).unwrap_or(bytes);
    std::str::from_utf8(text).unwrap_or_default()
}

fn not_found() -> Refusal {
    Refusal { status: 404, error_type: "NotFound", message: "no such path".to_owned() }
}

fn bad_request(message: &str) -> Refusal {
    Refusal { status: 400, error_type: "BadRequest", message: message.to_owned() }
}

/// Says no, behind the request's body.
fn refuse(io: &Io, connection: &mut Connection, request: &Request, refusal: Refusal) -> Progress {
    buffer::consume(&mut connection.input, request.head_bytes);
    // A client that waits for leave to send its body will not send it.
    let is_held_back = request.expects_continue && connection.input.is_empty();
    let persistence = if is_held_back { Persistence::Close } else { persistence(request) };
    if is_held_back {
        return write_refusal(io, connection, &refusal, persistence);
    }
    let reader = BodyReader::new(request.body);
    connection.phase = Phase::Unwanted { reader, read_bytes: 0, refusal, persistence };
    Progress::Again
}

/// Drops a body that nobody wants, and answers behind it.
pub(super) fn discard(io: &Io, connection: &mut Connection) -> Progress {
    let Phase::Unwanted { reader, read_bytes, refusal, persistence } = &mut connection.phase else {
        return Progress::Again;
    };
    let mut taken = 0;
    let outcome = loop {
        match reader.step(&connection.input[taken..], usize::MAX) {
            Ok((more, Step::Data(_))) => taken += more,
            Ok((more, step)) => {
                taken += more;
                break Ok(step);
            }
            Err(malformed) => break Err(malformed),
        }
    };
    *read_bytes += taken as u64;
    let is_too_much = *read_bytes > UNWANTED_BYTES_MAX;
    let (refusal, persistence) = (refusal.clone(), *persistence);
    buffer::consume(&mut connection.input, taken);
    match outcome {
        Err(malformed) => refuse_malformed(io, connection, malformed),
        Ok(Step::End) => write_refusal(io, connection, &refusal, persistence),
        Ok(_) if is_too_much => write_refusal(io, connection, &refusal, Persistence::Close),
        Ok(_) => Progress::Wait,
    }
}

pub(super) fn write_refusal(
    io: &Io,
    connection: &mut Connection,
    refusal: &Refusal,
    persistence: Persistence,
) -> Progress {
    let mut answer = Vec::new();
    reply::write_refusal(&mut answer, refusal, persistence);
    connection.phase = after(persistence);
    match connection.write(&io.poller, [&answer, &[]]) {
        Ok(()) => Progress::Again,
        Err(_) => Progress::Close,
    }
}

pub(super) fn refuse_malformed(io: &Io, connection: &mut Connection, malformed: Malformed) -> Progress {
    let refusal = Refusal { status: malformed.status(), ..bad_request(malformed.message()) };
    buffer::clear(&mut connection.input);
    write_refusal(io, connection, &refusal, Persistence::Close)
}
