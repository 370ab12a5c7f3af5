//! One client's connection to the Runtime API: bytes in, bytes out.

use std::io::IoSlice;

use rustix::{
    buffer::spare_capacity,
    io::{Errno, Result, read, writev},
};

use crate::{
    buffer,
    http::{BodyReader, Request},
    poller::{Poller, Watched},
    reply::{Persistence, Refusal},
};

/// First capacity of the input buffer: most requests fit, head and body.
const INPUT_BYTES: usize = 16 * 1024;

/// What the connection is in the middle of.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Between requests, or in a request's head.
    Head,
    /// A body is gathered behind its head. `input` holds the head, then `body_bytes` of content, then what was not looked at.
    Body { request: Request, reader: BodyReader, body_bytes: usize },
    /// A body that nobody wants is read to its end, because a client that is still writing would not see the refusal.
    Unwanted { reader: BodyReader, read_bytes: u64, refusal: Refusal, persistence: Persistence },
    /// A response goes to the daemon as it comes.
    Stream(Stream),
    /// The runtime waits for its next event.
    Next { persistence: Persistence },
    /// The last answer is written, then the sending side shut; what still comes is counted and dropped.
    Closing { read_bytes: u64, is_shut: bool },
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: u32,
    pub(crate) reader: BodyReader,
    /// Bytes that the daemon lets us send yet.
    pub(crate) credit: usize,
    pub(crate) sent_bytes: u64,
    pub(crate) persistence: Persistence,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Watched,
    pub(crate) input: Vec<u8>,
    /// Bytes of a begun head that were searched for its end.
    pub(crate) scanned: usize,
    pub(crate) phase: Phase,
    output: Vec<u8>,
    written: usize,
}

/// What reading came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// This many bytes.
    Bytes(usize),
    Nothing,
    End,
}

impl Connection {
    pub(crate) fn new(socket: Watched) -> Self {
        Self { socket, input: Vec::new(), scanned: 0, phase: Phase::Head, output: Vec::new(), written: 0 }
    }

    /// Reads what has come, expecting `expected_bytes` more of what was begun.
    pub(crate) fn read(&mut self, expected_bytes: usize) -> Heard {
        if self.input.capacity() - self.input.len() < INPUT_BYTES / 4 {
            self.input.reserve(expected_bytes.max(INPUT_BYTES));
        }
        match read(&self.socket, spare_capacity(&mut self.input)) {
            Ok(0) => Heard::End,
            Ok(length) => Heard::Bytes(length),
            Err(Errno::AGAIN | Errno::INTR) => Heard::Nothing,
            Err(_) => Heard::End,
        }
    }

    /// Whether all that was answered is written: a new request is looked at only then.
    pub(crate) fn is_flushed(&self) -> bool {
        self.output.is_empty()
    }

    /// Writes `parts`, now as far as the client takes them, the rest when it does.
    ///
    /// # Errors
    /// The connection is broken.
    pub(crate) fn write(&mut self, poller: &Poller, parts: [&[u8]; 2]) -> Result<()> {
        let total = parts[0].len() + parts[1].len();
        let mut taken = 0;
        if self.output.is_empty() {
            taken = match writev(&self.socket, &parts.map(IoSlice::new)) {
                Ok(written) => written,
                Err(Errno::AGAIN | Errno::INTR) => 0,
                Err(error) => return Err(error),
            };
        }
        if taken < total {
            let in_first = taken.min(parts[0].len());
            self.output.extend_from_slice(&parts[0][in_first..]);
            self.output.extend_from_slice(&parts[1][taken - in_first..]);
            self.socket.set_write(poller, true);
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// The connection is broken.
    pub(crate) fn flush(&mut self, poller: &Poller) -> Result<()> {
        match rustix::io::write(&self.socket, &self.output[self.written..]) {
            Ok(written) => self.written += written,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        if self.written == self.output.len() {
            self.written = 0;
            buffer::clear(&mut self.output);
            self.socket.set_write(poller, false);
        }
        Ok(())
    }

    /// Whether the client has sent part of a request and is to send more.
    pub(crate) fn is_in_request(&self) -> bool {
        match &self.phase {
            Phase::Head => !self.input.is_empty(),
            Phase::Body { .. } | Phase::Unwanted { .. } | Phase::Stream(_) => true,
            Phase::Next { .. } | Phase::Closing { .. } => false,
        }
    }

    /// Acknowledges what was read at once. The kernel would wait 40 ms for an answer to send it with, and some clients (hyper
    /// without `TCP_NODELAY`) hold the next piece of their request back until then.
    pub(crate) fn acknowledge(&self) {
        let _slower = rustix::net::sockopt::set_tcp_quickack(&self.socket, true);
    }
}
