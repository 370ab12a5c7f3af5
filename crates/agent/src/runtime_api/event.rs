//! Events on their way to the runtime.

use hearth_agent_proto::{FromAgent, InvokeHead, Renewal, SMALL_EVENT_BYTES, StreamEnd, ToAgent, read_frame};

use super::Progress;
use crate::{
    connection::{Connection, Phase},
    io::Io,
    poller::Key,
    reply::{self, Persistence, Refusal},
    route::Renewed,
    turn::{Asked, Turn},
};

#[derive(Debug, Default)]
pub(crate) struct Events {
    pub(super) turn: Turn,
    pub(super) response_bytes_max: u64,
    pub(super) stream_bytes_max: u64,
    /// For heads of answers.
    pub(super) scratch: Vec<u8>,
    /// The connection on which the runtime waits for an event.
    waiting: Option<Key>,
    /// A connection that waited and was overtaken by another of the runtime's.
    replaced: Option<Key>,
    /// What differs between copies, in a sandbox that is to be saved or was restored.
    renewal: Option<Renewal<'static>>,
    /// The connection on which the runtime waits to be restored.
    held_back: Option<Key>,
    /// An event that nobody has asked for yet: its number and its frame.
    held: Option<(u32, Vec<u8>)>,
}

impl Events {
    pub(super) fn waiting_connection(&self) -> Option<Key> {
        self.waiting.filter(|_| self.turn.is_waiting())
    }

    pub(super) fn take_replaced(&mut self) -> Option<Key> {
        self.replaced.take()
    }

    /// The connection is closed.
    pub(super) fn forget(&mut self, key: Key) {
        self.waiting = self.waiting.filter(|&waiting| waiting != key);
        self.held_back = self.held_back.filter(|&held| held != key);
    }

    /// Body of the answer to a request for what differs between copies.
    pub(super) fn renewed(&self, secret: &[u8], what: Renewed) -> Option<&str> {
        let renewal = self.renewal.as_ref().filter(|renewal| renewal.secret.as_bytes() == secret)?;
        Some(match what {
            Renewed::Credentials => &renewal.credentials,
            Renewed::Variables => &renewal.variables,
        })
    }

    /// Before the runtime is started this makes the sandbox one that can be saved.
    pub(super) fn set_renewal(&mut self, mut renewal: Renewal<'static>) {
        // The secret was saved with the runtime, and stays.
        if let Some(before) = self.renewal.take() {
            renewal.secret = before.secret;
        }
        self.renewal = Some(renewal);
    }

    /// The runtime waits to be restored, on this connection.
    pub(super) fn hold_back(
        &mut self,
        io: &mut Io,
        connection: &mut Connection,
        key: Key,
        persistence: Persistence,
    ) -> Result<Progress, Refusal> {
        if self.renewal.is_none() {
            return Err(self.turn.refuse("Restoring"));
        }
        let is_first = self.turn.hold()?;
        io.drain_lines();
        if is_first {
            io.link.send(&io.poller, &FromAgent::Ready);
        }
        self.replaced = self.held_back.replace(key).filter(|&older| older != key);
        connection.phase = Phase::Next { persistence };
        Ok(Progress::Wait)
    }

    /// This is a restored copy: the connection to let go.
    pub(super) fn restore(&mut self, io: &mut Io) -> Option<Key> {
        if self.turn.is_waiting() {
            io.link.send(&io.poller, &FromAgent::Ready);
        }
        self.turn.restore();
        self.held_back.take()
    }

    /// Tells the runtime that it goes on; false if its connection is broken.
    pub(super) fn let_go(&mut self, io: &Io, connection: &mut Connection) -> bool {
        let Phase::Next { persistence } = connection.phase else {
            return false;
        };
        self.scratch.clear();
        reply::write_json(&mut self.scratch, b"{}", persistence);
        if connection.write(&io.poller, [&self.scratch, &[]]).is_err() {
            return false;
        }
        connection.phase = after(persistence);
        connection.socket.set_read(&io.poller, true);
        true
    }

    /// Keeps an event until the runtime asks; false if one is kept already.
    pub(super) fn hold(&mut self, event: &ToAgent<'_>) -> bool {
        if self.held.is_some() {
            return false;
        }
        let ToAgent::Invoke { id, .. } = *event else {
            return false;
        };
        let mut frame = Vec::new();
        event.encode(&mut frame);
        self.held = Some((id, frame));
        true
    }

    pub(super) fn withdraw(&mut self, id: u32) -> bool {
        self.held.take_if(|(held, _)| *held == id).is_some()
    }

    /// Lets go of the event that is kept.
    pub(super) fn take_held(&mut self) -> Option<u32> {
        self.held.take().map(|(id, _)| id)
    }

    /// The runtime asks for its next event on this connection.
    pub(super) fn ask(
        &mut self,
        io: &mut Io,
        connection: &mut Connection,
        key: Key,
        persistence: Persistence,
    ) -> Result<Progress, Refusal> {
        let asked = self.turn.ask()?;
        io.drain_lines();
        match asked {
            Asked::First => io.link.send(&io.poller, &FromAgent::Ready),
            Asked::After(id) => io.link.send(&io.poller, &FromAgent::Idle { id }),
            Asked::Again => io.link.flush(&io.poller),
        }
        self.replaced = self.waiting.replace(key).filter(|&older| older != key);
        connection.phase = Phase::Next { persistence };
        let Some((id, frame)) = self.held.take() else {
            return Ok(Progress::Again);
        };
        if let Ok(Some((header, payload, _))) = read_frame(&frame)
            && let Ok(ToAgent::Invoke { head, body, .. }) = ToAgent::decode(header, payload)
            && !self.hand_out(io, connection, id, &head, body)
        {
            self.held = Some((id, frame));
            return Ok(Progress::Close);
        }
        Ok(Progress::Again)
    }

    /// Gives an event to the runtime on the connection on which it waits; false if that is broken.
    pub(super) fn hand_out(
        &mut self,
        io: &mut Io,
        connection: &mut Connection,
        id: u32,
        head: &InvokeHead<'_>,
        body: &[u8],
    ) -> bool {
        let Phase::Next { persistence } = connection.phase else {
            return false;
        };
        self.waiting = None;
        self.scratch.clear();
        reply::write_event_head(&mut self.scratch, head, body.len(), persistence);
        if connection.write(&io.poller, [&self.scratch, body]).is_err() {
            return false;
        }
        self.turn.start(id, &head.request_id, &head.invocation_id);
        if body.len() > SMALL_EVENT_BYTES {
            io.link.send(&io.poller, &FromAgent::Started { id });
        }
        connection.phase = after(persistence);
        connection.socket.set_read(&io.poller, true);
        true
    }

    /// Ends a streamed response, well or not.
    pub(super) fn end_stream(&mut self, io: &mut Io, id: u32, end: StreamEnd<'_>) {
        io.drain_lines();
        io.link.send(&io.poller, &FromAgent::StreamEnd { id, end });
        self.turn.answered();
    }
}

/// What a connection does behind an answer.
pub(super) fn after(persistence: Persistence) -> Phase {
    match persistence {
        Persistence::Keep | Persistence::KeepOld => Phase::Head,
        Persistence::Close => Phase::Closing { read_bytes: 0, is_shut: false },
    }
}
