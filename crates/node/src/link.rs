//! One connection to an agent: frames out without blocking, frames in through [`Link::read_into`].

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

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
}

impl Outgoing {
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
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        if outgoing.failed || outgoing.bytes.len() - outgoing.sent > QUEUE_BYTES_MAX {
            return Err(LinkStuck);
        }
        message.encode(&mut outgoing.bytes);
        self.push(&mut outgoing);
        if outgoing.failed { Err(LinkStuck) } else { Ok(()) }
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
                let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
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
                Err(_) => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn what_waits_for_an_agent_that_lags_behind_stays_small() {
        let (ours, mut agent) = UnixStream::pair().unwrap();
        let link = Link::new(ours.into_std().unwrap().into()).unwrap();
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
            done = tokio::time::timeout(Duration::from_secs(20), lags_behind) => done.unwrap(),
        }
    }
}
