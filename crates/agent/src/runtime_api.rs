//! The Runtime API: gives events to the runtime and takes its answers.

use hearth_agent_proto::{FromAgent, InvokeHead, Renewal, StreamEnd, ToAgent};
use rustix::fd::OwnedFd;

use crate::{
    buffer,
    connection::{Connection, Heard, Phase},
    http::{BodyLength, HEAD_BYTES_MAX, parse_request},
    io::Io,
    poller::{Key, Ready, Source},
    slots::Slots,
};

mod answer;
mod event;
mod stream;

pub(crate) use event::Events;

/// A runtime has one connection, or a few. What comes beyond is closed at once.
const CONNECTIONS_MAX: u16 = 64;
/// What a client may send that nobody wants before the connection is given up.
const UNWANTED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How a connection goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    /// There may be more to do with what is here.
    Again,
    /// Something must arrive first, or be written.
    Wait,
    Close,
}

#[derive(Debug)]
pub(crate) struct RuntimeApi {
    connections: Slots<Connection>,
    events: Events,
}

impl Default for RuntimeApi {
    fn default() -> Self {
        Self { connections: Slots::new(CONNECTIONS_MAX), events: Events::default() }
    }
}

impl RuntimeApi {
    /// The runtime is started: until then all that is asked is refused. Largest buffered and largest streamed response, bytes.
    pub(crate) fn begin(&mut self, response_bytes_max: u64, stream_bytes_max: u64) {
        self.events.response_bytes_max = response_bytes_max;
        self.events.stream_bytes_max = stream_bytes_max;
        self.events.turn.begin();
    }

    pub(crate) fn accept(&mut self, io: &mut Io, socket: OwnedFd) {
        // Answers are written whole: waiting for more to send with them would only delay them.
        if rustix::net::sockopt::set_tcp_nodelay(&socket, true).is_err() {
            return;
        }
        if let Some(key) = self.connections.next_key()
            && let Ok(socket) = io.poller.watch(socket, Source::Connection(key))
        {
            self.connections.insert(key, Connection::new(socket));
        }
    }

    pub(crate) fn on_ready(&mut self, io: &mut Io, key: Key, ready: Ready) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        let interest = connection.socket.interest();
        if ready.write && interest.write && connection.flush(&io.poller).is_err() {
            return self.close(io, key);
        }
        if ready.read && interest.read && read(connection) == Heard::End {
            return self.close(io, key);
        }
        self.advance(io, key);
    }

    /// Does with a connection what can be done with what it has sent.
    fn advance(&mut self, io: &mut Io, key: Key) {
        let mut progress = Progress::Again;
        while progress == Progress::Again
            && let Some(connection) = self.connections.get_mut(key)
        {
            progress = advance_once(&mut self.events, io, connection, key);
        }
        match progress {
            Progress::Close => self.close(io, key),
            Progress::Wait | Progress::Again => {
                if let Some(connection) = self.connections.get_mut(key).filter(|connection| connection.is_in_request())
                {
                    connection.acknowledge();
                }
            }
        }
        if let Some(older) = self.events.take_replaced() {
            self.close(io, older);
        }
    }

    fn close(&mut self, io: &mut Io, key: Key) {
        if let Some(connection) = self.connections.remove(key) {
            self.events.forget(key);
            if let Phase::Stream(stream) = connection.phase {
                self.events.end_stream(io, stream.id, StreamEnd { error: None, truncated: true });
            }
        }
    }

    /// An event for the runtime, given to it now if it waits for one, else when it asks. One at a time can be held: what comes
    /// beyond goes back as withdrawn.
    pub(crate) fn invoke(&mut self, io: &mut Io, id: u32, head: &InvokeHead<'_>, body: &[u8]) {
        if let Some(key) = self.events.waiting_connection()
            && let Some(connection) = self.connections.get_mut(key)
        {
            if self.events.hand_out(io, connection, id, head, body) {
                return self.advance(io, key);
            }
            self.close(io, key);
        }
        if !self.events.hold(&ToAgent::Invoke { id, head: head.clone(), body }) {
            io.link.send(&io.poller, &FromAgent::Withdrawn { id });
        }
    }

    /// Before the runtime is started: it may wait to be restored. After: it was, and goes on.
    pub(crate) fn renew(&mut self, io: &mut Io, renewal: Renewal<'static>, is_started: bool) {
        self.events.set_renewal(renewal);
        if !is_started {
            return;
        }
        let Some(key) = self.events.restore(io) else { return };
        if let Some(connection) = self.connections.get_mut(key) {
            if self.events.let_go(io, connection) {
                self.advance(io, key);
            } else {
                self.close(io, key);
            }
        }
    }

    /// Takes back an event that the runtime has not yet got.
    pub(crate) fn withdraw(&mut self, io: &mut Io, id: u32) {
        if self.events.withdraw(id) {
            io.link.send(&io.poller, &FromAgent::Withdrawn { id });
        }
    }

    /// The daemon takes more of a streamed response.
    pub(crate) fn add_credit(&mut self, io: &mut Io, id: u32, bytes: u32) {
        let streams_it =
            |connection: &Connection| matches!(&connection.phase, Phase::Stream(stream) if stream.id == id);
        if let Some(key) = self.connections.find(streams_it)
            && let Some(connection) = self.connections.get_mut(key)
            && let Phase::Stream(stream) = &mut connection.phase
        {
            stream.credit = stream.credit.saturating_add(bytes as usize);
            connection.socket.set_read(&io.poller, true);
            self.advance(io, key);
        }
    }

    /// The daemon has caught up: streams go on.
    pub(crate) fn resume(&mut self, io: &mut Io) {
        for key in self.connections.keys() {
            if let Some(connection) = self.connections.get_mut(key)
                && matches!(&connection.phase, Phase::Stream(stream) if stream.credit > 0)
            {
                connection.socket.set_read(&io.poller, true);
                self.advance(io, key);
            }
        }
    }

    /// The runtime is gone: takes what it posted before, closes its connections, and gives back the event that it did not get.
    pub(crate) fn finish(&mut self, io: &mut Io) {
        for key in self.connections.keys() {
            while let Some(connection) = self.connections.get_mut(key)
                && connection.socket.interest().read
            {
                match read(connection) {
                    Heard::Bytes(_) => self.advance(io, key),
                    Heard::Nothing | Heard::End => break,
                }
            }
            self.close(io, key);
        }
        if let Some(id) = self.events.take_held() {
            io.link.send(&io.poller, &FromAgent::Withdrawn { id });
        }
    }
}

/// Reads what has come; until all that is known to come is there, if much is.
fn read(connection: &mut Connection) -> Heard {
    let expected = |connection: &Connection| match &connection.phase {
        Phase::Body { request, .. } => match request.body {
            // Checked against the largest response before the phase was entered.
            BodyLength::Known(length) => (request.head_bytes + length as usize).saturating_sub(connection.input.len()),
            BodyLength::Chunked => 0,
        },
        _ => 0,
    };
    let mut heard = connection.read(expected(connection));
    while expected(connection) > 0 && matches!(heard, Heard::Bytes(_)) {
        heard = match connection.read(expected(connection)) {
            Heard::Nothing => return heard,
            heard => heard,
        };
    }
    heard
}

fn advance_once(events: &mut Events, io: &mut Io, connection: &mut Connection, key: Key) -> Progress {
    match &connection.phase {
        Phase::Head if connection.is_flushed() => {
            connection.socket.set_read(&io.poller, true);
            begin(events, io, connection, key)
        }
        // What a client sends ahead is kept, within the bound of a head, however slowly it reads its answers.
        Phase::Head | Phase::Next { .. } => {
            connection.socket.set_read(&io.poller, connection.input.len() < HEAD_BYTES_MAX);
            Progress::Wait
        }
        Phase::Body { .. } => answer::gather(events, io, connection),
        Phase::Stream(_) => stream::forward(events, io, connection),
        Phase::Unwanted { .. } => answer::discard(io, connection),
        Phase::Closing { .. } => linger(connection),
    }
}

fn begin(events: &mut Events, io: &mut Io, connection: &mut Connection, key: Key) -> Progress {
    // RFC 9112, section 2.2: an empty line before a request is ignored.
    while connection.input.starts_with(b"\r\n") {
        buffer::consume(&mut connection.input, 2);
        connection.scanned = 0;
    }
    match parse_request(&connection.input, &mut connection.scanned) {
        Ok(None) => Progress::Wait,
        Ok(Some(request)) => answer::begin(events, io, connection, key, request),
        Err(malformed) => answer::refuse_malformed(io, connection, malformed),
    }
}

/// Closing while the client still writes would reset the connection, and the client might miss the refusal.
fn linger(connection: &mut Connection) -> Progress {
    let (is_flushed, unread) = (connection.is_flushed(), connection.input.len());
    buffer::clear(&mut connection.input);
    let Phase::Closing { read_bytes, is_shut } = &mut connection.phase else {
        return Progress::Wait;
    };
    *read_bytes += unread as u64;
    if *read_bytes > UNWANTED_BYTES_MAX {
        return Progress::Close;
    }
    if is_flushed && !std::mem::replace(is_shut, true) {
        let shut = rustix::net::shutdown(&connection.socket, rustix::net::Shutdown::Write);
        return if shut.is_ok() { Progress::Wait } else { Progress::Close };
    }
    Progress::Wait
}
