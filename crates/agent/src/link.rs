//! The connection to the daemon, and what is to be said to it while there is none.

use std::io::IoSlice;

use hearth_agent_proto::{FromAgent, FromAgentKind, LogHead, PROTOCOL_VERSION, read_frame};
use rustix::{
    buffer::spare_capacity,
    fd::OwnedFd,
    io::{Errno, read, writev},
};

use crate::{
    buffer,
    poller::{Poller, Source, Watched},
};

/// What may wait for a daemon that reads slowly before the sources of logs, streams and tunnels are no longer read; and what
/// may wait for a daemon that is not there before logs are dropped. Answers are kept in either case.
const WAITING_BYTES_MAX: usize = 1024 * 1024;
/// First capacity of the input buffer: most invocations fit.
const INPUT_BYTES: usize = 16 * 1024;

/// What reading from the daemon came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// New bytes, or none yet.
    Bytes,
    /// The connection is over.
    End,
}

#[derive(Debug, Default)]
pub(crate) struct Link {
    stream: Option<Watched>,
    /// Whole frames; the first `sent` bytes of them were written to the present connection.
    waiting: Vec<u8>,
    sent: usize,
    /// The connection broke while writing; whoever runs the loop has yet to hear of it.
    broken: bool,
    logs_dropped: u32,
    scratch: Vec<u8>,
}

impl Link {
    pub(crate) fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// True once for each connection that broke while it was written to.
    pub(crate) fn take_broken(&mut self) -> bool {
        std::mem::take(&mut self.broken)
    }

    /// The daemon is there and slow: produce nothing more for it until this is false.
    pub(crate) fn is_congested(&self) -> bool {
        self.stream.is_some() && self.waiting.len() - self.sent > WAITING_BYTES_MAX
    }

    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes up a new connection in place of any other, greets, and says what was kept.
    ///
    /// # Errors
    /// The connection cannot be waited for; there is none then.
    pub(crate) fn connect(&mut self, poller: &Poller, fd: OwnedFd) -> rustix::io::Result<()> {
        self.disconnect();
        self.broken = false;
        self.stream = Some(poller.watch(fd, Source::Daemon)?);
        let kept = std::mem::take(&mut self.waiting);
        FromAgent::Hello { version: PROTOCOL_VERSION }.encode(&mut self.waiting);
        self.waiting.extend_from_slice(&kept);
        self.report_dropped();
        self.flush(poller);
        Ok(())
    }

    /// Closes the connection. What was not written whole is kept for the next one, but for greetings and tunnels, which
    /// are the connection's own.
    pub(crate) fn disconnect(&mut self) {
        self.stream = None;
        let sent = std::mem::take(&mut self.sent);
        let old = std::mem::take(&mut self.waiting);
        let mut start = 0;
        while let Ok(Some((header, _, length))) = read_frame(&old[start..]) {
            let end = start + length;
            if end > sent && !is_of_connection(header.kind) {
                self.waiting.extend_from_slice(&old[start..end]);
            }
            start = end;
        }
    }

    /// Reads what has come, into `input`.
    pub(crate) fn read(&mut self, input: &mut Vec<u8>) -> Heard {
        let Some(stream) = &self.stream else {
            return Heard::End;
        };
        if input.capacity() - input.len() < INPUT_BYTES / 4 {
            input.reserve(INPUT_BYTES.max(missing_bytes(input)));
        }
        match read(stream, spare_capacity(input)) {
            Ok(0) => Heard::End,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Heard::Bytes,
            Err(_) => Heard::End,
        }
    }

    /// Says something, now if possible.
    pub(crate) fn send(&mut self, poller: &Poller, message: &FromAgent<'_>) {
        self.report_dropped();
        let mut head = std::mem::take(&mut self.scratch);
        head.clear();
        let body = message.encode_head(&mut head);
        let start = self.waiting.len();
        let is_behind = self.stream.as_ref().is_none_or(|stream| stream.interest().write);
        let written = if is_behind { 0 } else { self.write(&[&head, body]) };
        let whole = start - self.sent + head.len() + body.len();
        if written == whole && self.stream.is_some() {
            self.clear_waiting();
        } else {
            self.waiting.extend_from_slice(&head);
            self.waiting.extend_from_slice(body);
            self.sent += written;
            self.forget_written();
            self.arm(poller);
        }
        self.scratch = head;
    }

    /// Says something with whatever is said next, or with [`Link::flush`].
    pub(crate) fn push(&mut self, message: &FromAgent<'_>) {
        message.encode(&mut self.waiting);
    }

    /// As [`Link::push`]; without a daemon records beyond the bound are counted and dropped.
    pub(crate) fn push_log(&mut self, head: LogHead, data: &[u8]) {
        if self.stream.is_none() && self.waiting.len() + data.len() > WAITING_BYTES_MAX {
            self.logs_dropped = self.logs_dropped.saturating_add(1);
            return;
        }
        self.report_dropped();
        self.push(&FromAgent::Log { head, data });
    }

    fn report_dropped(&mut self) {
        match std::mem::take(&mut self.logs_dropped) {
            0 => {}
            records => self.push(&FromAgent::LogsDropped { records }),
        }
    }

    /// Writes what is waiting, as far as the daemon takes it now.
    pub(crate) fn flush(&mut self, poller: &Poller) {
        if self.waiting.is_empty() || self.stream.is_none() {
            return;
        }
        let written = self.write(&[]);
        if self.sent + written == self.waiting.len() {
            self.clear_waiting();
            if let Some(stream) = &mut self.stream {
                stream.set_write(poller, false);
            }
        } else {
            self.sent += written;
            self.forget_written();
            self.arm(poller);
        }
    }

    /// Lets go of whole frames that were written: a daemon that is always a little behind must not cost ever more memory.
    fn forget_written(&mut self) {
        if self.sent < WAITING_BYTES_MAX {
            return;
        }
        let mut end = 0;
        while let Ok(Some((_, _, length))) = read_frame(&self.waiting[end..])
            && end + length <= self.sent
        {
            end += length;
        }
        self.waiting.drain(..end);
        self.sent -= end;
    }

    fn arm(&mut self, poller: &Poller) {
        if let Some(stream) = &mut self.stream {
            stream.set_write(poller, true);
        }
    }

    fn clear_waiting(&mut self) {
        self.sent = 0;
        buffer::clear(&mut self.waiting);
    }

    /// Writes what is waiting and `parts` behind it: how many bytes the kernel took, 0 if the connection broke.
    fn write(&mut self, parts: &[&[u8]]) -> usize {
        let Some(stream) = &self.stream else {
            return 0;
        };
        let mut slices = [IoSlice::new(&[]); 3];
        slices[0] = IoSlice::new(&self.waiting[self.sent..]);
        for (slice, part) in slices[1..].iter_mut().zip(parts) {
            *slice = IoSlice::new(part);
        }
        match writev(stream, &slices) {
            Ok(written) => written,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(_) => {
                self.broken = true;
                self.disconnect();
                0
            }
        }
    }
}

/// Greetings and tunnels mean nothing to the next connection.
fn is_of_connection(kind: u8) -> bool {
    [
        FromAgentKind::Hello,
        FromAgentKind::TunnelOpen,
        FromAgentKind::TunnelData,
        FromAgentKind::TunnelClose,
        FromAgentKind::TunnelCredit,
    ]
    .iter()
    .any(|&own| own as u8 == kind)
}

/// What the frame at the start of `input` still lacks.
fn missing_bytes(input: &[u8]) -> usize {
    let Some(length) = input.first_chunk::<4>() else {
        return 0;
    };
    let length = (u32::from_le_bytes(*length) as usize).min(hearth_agent_proto::PAYLOAD_BYTES_MAX);
    (length + hearth_agent_proto::HEADER_BYTES).saturating_sub(input.len())
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::net::UnixStream};

    use hearth_agent_proto::{FrameHeader, ResponseHead};

    use super::*;

    fn connected() -> (Poller, Link, UnixStream) {
        let (poller, mut link) = (Poller::new().unwrap(), Link::default());
        let daemon = reconnect(&poller, &mut link);
        (poller, link, daemon)
    }

    fn reconnect(poller: &Poller, link: &mut Link) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        link.connect(poller, ours.into()).unwrap();
        theirs
    }

    /// The kinds of all frames that were written before the link was cut.
    fn kinds(link: &mut Link, mut daemon: UnixStream) -> Vec<u8> {
        link.disconnect();
        let mut bytes = Vec::new();
        daemon.read_to_end(&mut bytes).unwrap();
        let (mut kinds, mut rest) = (Vec::new(), &bytes[..]);
        while let Some((FrameHeader { kind, .. }, _, length)) = read_frame(rest).unwrap() {
            kinds.push(kind);
            rest = &rest[length..];
        }
        kinds
    }

    fn response(body: &[u8]) -> FromAgent<'_> {
        FromAgent::Response { id: 1, head: ResponseHead { content_type: "".into() }, body }
    }

    #[test]
    fn what_was_said_without_a_daemon_comes_behind_the_greeting_and_in_order() {
        let (poller, mut link) = (Poller::new().unwrap(), Link::default());
        link.send(&poller, &response(b"r"));
        link.send(&poller, &FromAgent::Idle { id: 1 });
        let daemon = reconnect(&poller, &mut link);
        let expected = [FromAgentKind::Hello, FromAgentKind::Response, FromAgentKind::Idle].map(|kind| kind as u8);
        assert_eq!(kinds(&mut link, daemon), expected);
    }

    #[test]
    fn what_the_last_daemon_got_whole_is_not_said_to_the_next_and_what_it_got_in_part_is() {
        let (poller, mut link, mut old) = connected();
        let large = vec![0; 4 * 1024 * 1024];
        link.send(&poller, &FromAgent::Ready);
        link.send(&poller, &FromAgent::TunnelOpen { id: 1 });
        link.send(&poller, &response(&large));
        link.send(&poller, &FromAgent::TunnelClose { id: 1 });
        link.send(&poller, &FromAgent::Idle { id: 1 });
        assert!(link.is_congested());
        old.read_exact(&mut [0; 1000]).unwrap();
        link.disconnect();
        assert!(!link.is_connected() && !link.is_congested());
        let mut new = reconnect(&poller, &mut link);
        #[expect(clippy::disallowed_methods, reason = "joined below")]
        let read = std::thread::spawn(move || {
            let mut bytes = vec![0; 4 * 1024 * 1024];
            new.read_exact(&mut bytes).unwrap();
            new
        });
        while link.has_waiting() {
            link.flush(&poller);
        }
        // The thread has read past the start of the response; all that is left of it is zeros, then comes what was behind it.
        let mut daemon = read.join().unwrap();
        link.disconnect();
        let mut rest = Vec::new();
        daemon.read_to_end(&mut rest).unwrap();
        let mut idle = Vec::new();
        FromAgent::Idle { id: 1 }.encode(&mut idle);
        assert!(rest.ends_with(&idle) && !rest.windows(idle.len()).any(|window| window == closing_frame()));
    }

    fn closing_frame() -> Vec<u8> {
        let mut frame = Vec::new();
        FromAgent::TunnelClose { id: 1 }.encode(&mut frame);
        frame
    }

    #[test]
    fn a_daemon_that_never_quite_catches_up_costs_no_more_memory() {
        let (poller, mut link, mut daemon) = connected();
        let body = vec![0; 64 * 1024];
        let mut taken = vec![0; 64 * 1024];
        for _ in 0..500 {
            link.send(&poller, &response(&body));
            if link.is_congested() {
                daemon.read_exact(&mut taken).unwrap();
                link.flush(&poller);
            }
        }
        assert!(link.has_waiting());
        assert!(link.waiting.len() < 4 * WAITING_BYTES_MAX, "{} bytes", link.waiting.len());
    }

    #[test]
    fn a_daemon_that_went_away_is_noticed_by_writing_and_loses_nothing() {
        let (poller, mut link, daemon) = connected();
        drop(daemon);
        link.send(&poller, &response(b"r"));
        assert!(link.take_broken() && !link.take_broken() && !link.is_connected());
        let daemon = reconnect(&poller, &mut link);
        assert_eq!(kinds(&mut link, daemon), [FromAgentKind::Hello as u8, FromAgentKind::Response as u8]);
    }
}
