//! The function's own AWS calls: byte streams out of a sandbox, served by the API under the function's role session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::{Bytes, BytesMut};
use hearth_agent_proto::{CHUNK_BYTES_MAX, TUNNELS_MAX, ToAgent, WINDOW_BYTES};
use hearth_tasks::TaskGroup;
use hearth_types::VersionSpec;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

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

/// Connections that were closed by the function and that the server is not done with, at most as many as may be open.
const PUMPS_MAX: usize = 2 * TUNNELS_MAX;

#[derive(Debug)]
struct Tunnel {
    inbox: Arc<Inbox>,
    credit: Arc<Semaphore>,
}

/// What came in through a tunnel and is to be taken by the server.
#[derive(Debug, Default)]
struct Inbox {
    state: Mutex<Incoming>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Incoming {
    waiting: BytesMut,
    /// Bytes that came in and were not yet taken; at most a window.
    untaken: usize,
    /// The function has closed its end.
    closed: bool,
    /// Nobody takes anything any more.
    abandoned: bool,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, Incoming> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece, when there is one; `None` at the end.
    async fn next(&self) -> Option<Bytes> {
        loop {
            {
                let mut state = self.state();
                if !state.waiting.is_empty() {
                    let piece = state.waiting.len().min(CHUNK_BYTES_MAX);
                    return Some(state.waiting.split_to(piece).freeze());
                }
                if state.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }
}

/// The open tunnels of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Tunnels {
    open: HashMap<u32, Tunnel>,
    /// One for each pump beside this one.
    pumps: Arc<()>,
    /// They end with their sandbox.
    tasks: TaskGroup,
}

impl Tunnels {
    pub(crate) fn open(
        &mut self,
        id: u32,
        server: &dyn TunnelServer,
        sandbox: &Arc<Sandbox>,
        spec: &Arc<VersionSpec>,
    ) -> Result<(), TunnelError> {
        self.open.retain(|_, tunnel| !tunnel.inbox.state().abandoned);
        if self.open.len() >= TUNNELS_MAX || Arc::strong_count(&self.pumps) > PUMPS_MAX {
            return Err(TunnelError::TooMany);
        }
        if self.open.contains_key(&id) {
            return Err(TunnelError::Duplicate { id });
        }
        let (ours, theirs) = tokio::io::duplex(CHUNK_BYTES_MAX);
        let tunnel = Tunnel { inbox: Arc::default(), credit: Arc::new(Semaphore::new(WINDOW_BYTES)) };
        let pump = Pump {
            id,
            sandbox: Arc::downgrade(sandbox),
            inbox: Arc::clone(&tunnel.inbox),
            _counted: Arc::clone(&self.pumps),
        };
        let (credit, closed) = (Arc::clone(&tunnel.credit), sandbox.closed.clone());
        self.tasks.contained("tunnel", async move { pump.run(ours, credit, closed).await }, || {});
        self.open.insert(id, tunnel);
        server.serve(theirs, Arc::clone(spec));
        Ok(())
    }

    /// Data for a tunnel that was closed here meanwhile is dropped.
    pub(crate) fn data(&mut self, id: u32, data: &[u8]) -> Result<(), TunnelError> {
        let Some(tunnel) = self.open.get(&id) else { return Ok(()) };
        let mut state = tunnel.inbox.state();
        if state.abandoned {
            return Ok(());
        }
        if state.untaken + data.len() > WINDOW_BYTES {
            return Err(TunnelError::WindowExceeded { id });
        }
        state.untaken += data.len();
        state.waiting.extend_from_slice(data);
        drop(state);
        tunnel.inbox.changed.notify_one();
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
        if let Some(tunnel) = self.open.remove(&id) {
            tunnel.inbox.state().closed = true;
            tunnel.inbox.changed.notify_one();
        }
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        let ids: Vec<u32> = self.open.keys().copied().collect();
        ids.into_iter().for_each(|id| self.close(id));
    }
}

struct Pump {
    id: u32,
    sandbox: Weak<Sandbox>,
    inbox: Arc<Inbox>,
    _counted: Arc<()>,
}

impl Pump {
    async fn run(&self, io: DuplexStream, credit: Arc<Semaphore>, closed: CancellationToken) {
        let (reader, writer) = tokio::io::split(io);
        tokio::select! {
            () = self.inwards(writer) => {}
            () = self.outwards(reader, &credit) => {}
            () = closed.cancelled() => {}
        }
    }

    /// Ends when the function has closed its end and everything was taken.
    async fn inwards(&self, mut writer: WriteHalf<DuplexStream>) {
        while let Some(data) = self.inbox.next().await {
            if writer.write_all(&data).await.is_err() {
                return std::future::pending().await;
            }
            self.inbox.state().untaken -= data.len();
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

/// However it ends, the function hears of it.
impl Drop for Pump {
    fn drop(&mut self) {
        self.inbox.state().abandoned = true;
        self.send(&ToAgent::TunnelClose { id: self.id });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specs::tests::spec;

    /// Takes connections and reads nothing.
    #[derive(Debug, Default)]
    struct Deaf(Mutex<Vec<DuplexStream>>);

    impl TunnelServer for Deaf {
        fn serve(&self, io: DuplexStream, _spec: Arc<VersionSpec>) {
            self.0.lock().unwrap().push(io);
        }
    }

    struct Scene {
        tunnels: Tunnels,
        server: Deaf,
        sandbox: Arc<Sandbox>,
    }

    impl Scene {
        fn new() -> Self {
            let sandbox = Sandbox::new(hearth_types::SandboxId(1));
            Self { tunnels: Tunnels::default(), server: Deaf::default(), sandbox }
        }

        fn open(&mut self, id: u32) -> Result<(), TunnelError> {
            self.tunnels.open(id, &self.server, &self.sandbox, &spec(1))
        }
    }

    #[tokio::test]
    async fn what_nobody_takes_is_bounded_however_small_its_pieces() {
        let mut scene = Scene::new();
        scene.open(7).unwrap();
        for _ in 0..WINDOW_BYTES {
            assert_eq!(scene.tunnels.data(7, b"x"), Ok(()));
            assert_eq!(scene.tunnels.data(7, b""), Ok(()));
        }
        let kept = scene.tunnels.open[&7].inbox.state().waiting.capacity();
        assert!(kept <= 2 * WINDOW_BYTES, "{kept}");
        assert_eq!(scene.tunnels.data(7, b"x"), Err(TunnelError::WindowExceeded { id: 7 }));
    }

    #[tokio::test]
    async fn connections_that_are_closed_before_they_were_served_are_bounded() {
        let mut scene = Scene::new();
        let unserved = (0u32..).find(|id| {
            if let Err(error) = scene.open(*id) {
                assert_eq!(error, TunnelError::TooMany);
                return true;
            }
            scene.tunnels.data(*id, &vec![0; CHUNK_BYTES_MAX + 1]).unwrap();
            scene.tunnels.close(*id);
            false
        });
        assert_eq!(unserved, Some(u32::try_from(PUMPS_MAX).unwrap()));
    }

    #[tokio::test]
    async fn bytes_arrive_in_order_and_their_end_with_them() {
        let mut scene = Scene::new();
        scene.open(1).unwrap();
        let sent: Vec<u8> = (0..WINDOW_BYTES).map(|byte| byte.to_le_bytes()[0]).collect();
        for piece in sent.chunks(1000) {
            scene.tunnels.data(1, piece).unwrap();
        }
        scene.tunnels.close(1);
        let mut io = scene.server.0.lock().unwrap().pop().unwrap();
        let mut received = Vec::new();
        io.read_to_end(&mut received).await.unwrap();
        assert!(received == sent, "{} of {} bytes", received.len(), sent.len());
    }
}
