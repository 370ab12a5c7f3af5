//! One connection to an agent: frames out without blocking, frames in through [`Link::read_into`].

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use hearth_agent_proto::ToAgent;
use tokio::net::UnixStream;
use tokio::sync::Notify;

/// Bytes that may wait for an agent that does not read: an invocation of the largest size and what goes beside it.
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How much room a read gets at least.
const READ_BYTES: usize = 16 * 1024;

/// The agent takes nothing any more; its sandbox is of no further use.
#[derive(Debug, thiserror::Error)]
#[error("the agent does not take what it is sent")]
pub(crate) struct LinkStuck;

#[derive(Debug, Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    failed: bool,
    /// The agent's end was closed before it had read everything.
    reset: bool,
    /// The newest invocation; 0 before the first.
    invocation: u32,
    /// Nothing came after it.
    invocation_is_last: bool,
}

impl Outgoing {
    fn note(&mut self, message: &ToAgent<'_>) {
        self.invocation_is_last = matches!(message, ToAgent::Invoke { .. });
        if let ToAgent::Invoke { id, .. } = message {
            self.invocation = *id;
        }
    }

    /// An agent that never takes all that waits for it must not make it grow for ever.
    fn forget_sent(&mut self) {
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Link {
    stream: UnixStream,
    outgoing: Mutex<Outgoing>,
    more: Notify,
}

impl Link {
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        let stream = std::os::unix::net::UnixStream::from(socket);
        stream.set_nonblocking(true)?;
        let stream = UnixStream::from_std(stream)?;
        Ok(Self { stream, outgoing: Mutex::default(), more: Notify::new() })
    }

    /// Sends at once what the socket takes and leaves the rest to [`Link::flush_forever`].
    pub(crate) fn send(&self, message: &ToAgent<'_>) -> Result<(), LinkStuck> {
        let mut outgoing = self.outgoing();
        if outgoing.failed || outgoing.bytes.len() - outgoing.sent > QUEUE_BYTES_MAX {
            return Err(LinkStuck);
        }
        outgoing.note(message);
        message.encode(&mut outgoing.bytes);
        self.push(&mut outgoing);
        if outgoing.failed { Err(LinkStuck) } else { Ok(()) }
    }

    /// Nothing is sent any more. True if the agent certainly did not get all of this invocation: it was never sent, or was the last
    /// that was and is not read to its end. Of an agent that lives, or took all that there was, nothing is certain.
    pub(crate) fn close(&self, id: u32) -> bool {
        let mut outgoing = self.outgoing();
        outgoing.failed = true;
        if outgoing.invocation == id {
            // Linux resets a connection if one end is closed while something waits there to be read, and that is the end of it.
            let unread = outgoing.reset || outgoing.sent < outgoing.bytes.len();
            return outgoing.invocation_is_last && unread;
        }
        // Numbers go up.
        id.wrapping_sub(outgoing.invocation) < u32::MAX / 2
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, outgoing: &mut Outgoing) {
        while outgoing.sent < outgoing.bytes.len() {
            match self.stream.try_write(&outgoing.bytes[outgoing.sent..]) {
                Ok(written) => outgoing.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.more.notify_one();
                    return outgoing.forget_sent();
                }
                Err(_) => {
                    outgoing.failed = true;
                    return;
                }
            }
        }
        outgoing.sent = 0;
        outgoing.bytes.clear();
        outgoing.bytes.shrink_to(64 * 1024);
    }

    /// Sends what [`Link::send`] could not. Never returns; owned by the session.
    pub(crate) async fn flush_forever(&self) {
        loop {
            self.more.notified().await;
            loop {
                if self.stream.writable().await.is_err() {
                    return std::future::pending().await;
                }
                let mut outgoing = self.outgoing();
                self.push(&mut outgoing);
                if outgoing.failed || outgoing.sent == outgoing.bytes.len() {
                    break;
                }
            }
        }
    }

    /// Ends the connection in such a way that the agent has seen its end when this returns.
    pub(crate) async fn leave(&self) {
        let _gone_already = rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Write).is_err();
        let mut unread = BytesMut::new();
        while self.read_into(&mut unread).await {
            unread.clear();
        }
    }

    /// Reads what is there, waiting for it; `false` at the end of the connection.
    ///
    /// # Cancel safety
    /// Nothing is read unless it is appended to `buffer`.
    pub(crate) async fn read_into(&self, buffer: &mut BytesMut) -> bool {
        loop {
            if self.stream.readable().await.is_err() {
                return false;
            }
            buffer.reserve(READ_BYTES);
            match self.stream.try_read_buf(buffer) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    self.outgoing().reset |= error.kind() == io::ErrorKind::ConnectionReset;
                    return false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hearth_agent_proto::InvokeHead;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    async fn linked() -> (Link, UnixStream) {
        let (ours, agent) = UnixStream::pair().unwrap();
        let link = Link::new(ours.into_std().unwrap().into()).unwrap();
        // Nothing is sent at once before it is known that it can be.
        link.stream.writable().await.unwrap();
        (link, agent)
    }

    async fn soon<T>(what: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(20), what).await.unwrap()
    }

    fn invocation(id: u32, body: &[u8]) -> ToAgent<'_> {
        let head = InvokeHead {
            request_id: "r".into(),
            invocation_id: "i".into(),
            deadline_ms: 0,
            function_arn: "f".into(),
            trace_id: None,
            client_context: None,
            cognito_identity: None,
        };
        ToAgent::Invoke { id, head, body }
    }

    /// Whether an invocation counts as not delivered whose agent has read all but this much when it dies.
    async fn is_lost(id: u32, messages: &[ToAgent<'_>], unread: usize) -> bool {
        let (link, mut agent) = linked().await;
        let mut length = Vec::new();
        for message in messages {
            message.encode(&mut length);
            link.send(message).unwrap();
        }
        soon(agent.read_exact(&mut vec![0; length.len() - unread])).await.unwrap();
        drop(agent);
        assert!(!soon(link.read_into(&mut BytesMut::new())).await);
        let lost = link.close(id);
        assert!(link.send(&ToAgent::Withdraw { id }).is_err(), "closed");
        lost
    }

    #[tokio::test]
    async fn an_invocation_is_lost_if_its_agent_died_before_it_had_read_it() {
        let (first, second) = (invocation(1, b"{}"), invocation(2, b"{}"));
        assert!(!is_lost(1, std::slice::from_ref(&first), 0).await);
        assert!(is_lost(1, std::slice::from_ref(&first), 1).await);
        assert!(!is_lost(1, &[first.clone(), second.clone()], 1).await, "that is the second's");
        assert!(is_lost(2, &[first.clone(), second], 1).await);
        assert!(!is_lost(1, &[first.clone(), ToAgent::Withdraw { id: 1 }], 1).await, "that is the last message's");
        assert!(is_lost(1, &[], 0).await, "never sent");
        assert!(is_lost(2, &[first], 0).await, "never sent");
    }

    #[tokio::test]
    async fn an_invocation_that_is_half_sent_is_lost_when_the_link_is_closed() {
        let (link, mut agent) = linked().await;
        let body = vec![b'x'; 4 << 20];
        link.send(&invocation(1, &body)).unwrap();
        assert!(link.close(1));
        drop(link);
        let mut taken = Vec::new();
        soon(agent.read_to_end(&mut taken)).await.unwrap();
        assert!(taken.len() < body.len(), "the rest does not follow");
    }

    #[tokio::test]
    async fn what_waits_for_an_agent_that_lags_behind_stays_small() {
        let (link, mut agent) = linked().await;
        let waiting = || {
            let outgoing = link.outgoing.lock().unwrap();
            (outgoing.bytes.len() - outgoing.sent, outgoing.bytes.len())
        };
        let message = ToAgent::TunnelData { id: 1, data: &[7; 64 * 1024] };
        while waiting().0 < 512 * 1024 {
            link.send(&message).unwrap();
        }
        let lags_behind = async {
            let mut taken = vec![0; 64 * 1024];
            for _ in 0..200 {
                agent.read_exact(&mut taken).await.unwrap();
                link.send(&message).unwrap();
                let (unsent, kept) = waiting();
                assert!(unsent > 0 && kept <= 2 * unsent, "{unsent} of {kept}");
            }
        };
        tokio::select! {
            () = link.flush_forever() => {}
            () = soon(lags_behind) => {}
        }
    }
}
