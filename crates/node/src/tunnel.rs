//! The function's own AWS calls: byte streams out of a sandbox, served by the API under the function's role session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use hearth_agent_proto::{CHUNK_BYTES_MAX, TUNNELS_MAX, ToAgent, WINDOW_BYTES};
use hearth_types::VersionSpec;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Semaphore, mpsc};

use crate::sandbox::Sandbox;

/// Serves connections that come out of sandboxes; implemented above the node by whoever speaks the API.
pub trait TunnelServer: Send + Sync + std::fmt::Debug {
    /// Serves one connection to its end. The caller is the function `spec`, whatever the bytes claim.
    fn serve(&self, io: DuplexStream, spec: Arc<VersionSpec>);
}

/// The sandbox broke the rules of its tunnels.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum TunnelError {
    #[error("more than {TUNNELS_MAX} tunnels are open")]
    TooMany,
    #[error("tunnel {id} is already open")]
    Duplicate { id: u32 },
    #[error("tunnel {id} carries more than its window")]
    WindowExceeded { id: u32 },
}

#[derive(Debug)]
struct Tunnel {
    incoming: mpsc::UnboundedSender<Bytes>,
    /// Bytes that came in and were not yet taken; bounded by the window, which is what bounds the channel.
    outstanding: Arc<Mutex<usize>>,
    credit: Arc<Semaphore>,
}

/// The open tunnels of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Tunnels {
    open: HashMap<u32, Tunnel>,
}

impl Tunnels {
    pub(crate) fn open(
        &mut self,
        id: u32,
        server: &dyn TunnelServer,
        sandbox: &Arc<Sandbox>,
        spec: &Arc<VersionSpec>,
    ) -> Result<(), TunnelError> {
        self.open.retain(|_, tunnel| !tunnel.incoming.is_closed());
        if self.open.len() >= TUNNELS_MAX {
            return Err(TunnelError::TooMany);
        }
        if self.open.contains_key(&id) {
            return Err(TunnelError::Duplicate { id });
        }
        let (ours, theirs) = tokio::io::duplex(CHUNK_BYTES_MAX);
        let (incoming, received) = mpsc::unbounded_channel();
        let tunnel = Tunnel { incoming, outstanding: Arc::default(), credit: Arc::new(Semaphore::new(WINDOW_BYTES)) };
        let pump = Pump { id, sandbox: Arc::downgrade(sandbox), outstanding: Arc::clone(&tunnel.outstanding) };
        tokio::spawn(pump.run(ours, received, Arc::clone(&tunnel.credit), sandbox.closed.clone()));
        self.open.insert(id, tunnel);
        server.serve(theirs, Arc::clone(spec));
        Ok(())
    }

    /// Data for a tunnel that was closed here meanwhile is dropped.
    pub(crate) fn data(&mut self, id: u32, data: &[u8]) -> Result<(), TunnelError> {
        let Some(tunnel) = self.open.get(&id) else { return Ok(()) };
        let mut outstanding = tunnel.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        *outstanding += data.len();
        if *outstanding > WINDOW_BYTES {
            return Err(TunnelError::WindowExceeded { id });
        }
        // A pump that ended has closed the tunnel already.
        let _closed = tunnel.incoming.send(Bytes::copy_from_slice(data)).is_err();
        Ok(())
    }

    pub(crate) fn credit(&mut self, id: u32, bytes: u32) {
        if let Some(tunnel) = self.open.get(&id)
            && tunnel.credit.available_permits() + bytes as usize <= WINDOW_BYTES
        {
            tunnel.credit.add_permits(bytes as usize);
        }
    }

    /// The function closed its end.
    pub(crate) fn close(&mut self, id: u32) {
        self.open.remove(&id);
    }
}

struct Pump {
    id: u32,
    sandbox: Weak<Sandbox>,
    outstanding: Arc<Mutex<usize>>,
}

impl Pump {
    async fn run(
        self,
        io: DuplexStream,
        received: mpsc::UnboundedReceiver<Bytes>,
        credit: Arc<Semaphore>,
        closed: tokio_util::sync::CancellationToken,
    ) {
        let (reader, writer) = tokio::io::split(io);
        tokio::select! {
            () = self.inwards(writer, received) => {}
            () = self.outwards(reader, &credit) => {}
            () = closed.cancelled() => {}
        }
        self.send(&ToAgent::TunnelClose { id: self.id });
    }

    /// Ends when the function has closed its end and everything was taken.
    async fn inwards(&self, mut writer: WriteHalf<DuplexStream>, mut received: mpsc::UnboundedReceiver<Bytes>) {
        while let Some(data) = received.recv().await {
            if writer.write_all(&data).await.is_err() {
                return std::future::pending().await;
            }
            *self.outstanding.lock().unwrap_or_else(PoisonError::into_inner) -= data.len();
            let bytes = u32::try_from(data.len()).unwrap_or(u32::MAX);
            self.send(&ToAgent::Credit { id: self.id, tunnel: true, bytes });
        }
    }

    /// Ends when the server has closed its end.
    async fn outwards(&self, mut reader: ReadHalf<DuplexStream>, credit: &Semaphore) {
        let mut buffer = vec![0; CHUNK_BYTES_MAX];
        loop {
            let Ok(permit) = credit.acquire().await else { return };
            drop(permit);
            let room = credit.available_permits().clamp(1, CHUNK_BYTES_MAX);
            let read = match reader.read(&mut buffer[..room]).await {
                Ok(0) | Err(_) => return,
                Ok(read) => read,
            };
            credit.forget_permits(read);
            if !self.send(&ToAgent::TunnelData { id: self.id, data: &buffer[..read] }) {
                return;
            }
        }
    }

    fn send(&self, message: &ToAgent<'_>) -> bool {
        let Some(sandbox) = self.sandbox.upgrade() else { return false };
        sandbox.assigned.get().is_some_and(|assigned| assigned.link.send(message).is_ok())
    }
}
