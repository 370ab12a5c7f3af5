//! One client connection: HTTP/1.1 or HTTP/2 with every limit set, closed when nothing moves on it any more.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use crate::context::Response;

/// Header lines of a request.
const HEADERS_MAX: usize = 100;
/// Request line and headers, bytes; more is answered 431.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests at once on an HTTP/2 connection, and the head of each, bytes.
const STREAMS_MAX: u32 = 64;
const STREAM_HEAD_BYTES_MAX: u32 = 32 * 1024;
/// Streams that a client has reset before they were accepted ("rapid reset").
const RESET_STREAMS_MAX: usize = 20;
/// HTTP/2 flow control, of each request and of all on a connection, bytes: what waits here to be read is not counted otherwise.
const WINDOW_BYTES: u32 = 64 * 1024;

/// How long a connection may take or rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionTimes {
    /// For the head of a request, and between requests of HTTP/1.1.
    pub head: Duration,
    /// Without a byte in either direction while no request is being worked on, or while the client does not read.
    pub idle: Duration,
}

/// Serves requests until the client is done, the connection rests too long or has to make room, or `shutdown` lets running
/// requests finish.
pub(crate) async fn drive<I, H, F>(
    io: I,
    times: ConnectionTimes,
    activity: Arc<Activity>,
    shutdown: CancellationToken,
    handler: H,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(http::Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let io = TokioIo::new(Watched { io, activity: activity.clone() });
    let watched = activity.clone();
    let service = service_fn(move |request| {
        let busy = Busy::new(&watched);
        let response = handler(request);
        async move { Ok::<_, Infallible>(response.await.map(|body| body.holding(busy))) }
    });
    let builder = builder(times);
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut seen = activity.bytes.load(Ordering::Relaxed);
    let mut draining = false;
    loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = activity.given_up.cancelled() => {
                tracing::debug!("connection closed: others need its place");
                return;
            }
            () = shutdown.cancelled(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(times.idle) => {
                let moved = activity.bytes.load(Ordering::Relaxed);
                if moved == seen && activity.is_resting() {
                    tracing::debug!("connection closed: nothing moved on it");
                    return;
                }
                seen = moved;
            }
        }
    }
}

fn builder(times: ConnectionTimes) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(times.head)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_header_list_size(STREAM_HEAD_BYTES_MAX)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .keep_alive_interval(times.idle)
        .keep_alive_timeout(times.idle);
    builder
}

/// What happens on a connection, as its watchdog sees it.
#[derive(Debug)]
pub(crate) struct Activity {
    bytes: AtomicU64,
    requests: AtomicUsize,
    /// Those of them of which nobody knows yet who sent them.
    unproven: AtomicUsize,
    write_blocked: AtomicBool,
    opened: Instant,
    /// When something was last read, in milliseconds from `opened` on.
    read_ms: AtomicU64,
    /// Cancelled: it makes room for others.
    given_up: CancellationToken,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            bytes: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
            unproven: AtomicUsize::new(0),
            write_blocked: AtomicBool::new(false),
            opened: Instant::now(),
            read_ms: AtomicU64::new(0),
            given_up: CancellationToken::new(),
        }
    }
}

impl Activity {
    /// For how long nothing was read, where nothing is worked on that somebody has a right to.
    pub(crate) fn spare_for(&self) -> Option<Duration> {
        let spare = self.requests.load(Ordering::Relaxed) <= self.unproven.load(Ordering::Relaxed);
        let read = self.opened + Duration::from_millis(self.read_ms.load(Ordering::Relaxed));
        (spare && !self.given_up.is_cancelled()).then(|| read.elapsed())
    }

    pub(crate) fn give_up(&self) {
        self.given_up.cancel();
    }

    /// What gives it up.
    pub(crate) fn given_up(&self) -> CancellationToken {
        self.given_up.clone()
    }

    /// Until the answer is dropped, nobody knows who sent a request.
    pub(crate) fn unproven(&self) -> Unproven<'_> {
        self.unproven.fetch_add(1, Ordering::Relaxed);
        Unproven(self)
    }

    fn note_read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.read_ms.store(now, Ordering::Relaxed);
    }

    fn is_resting(&self) -> bool {
        self.requests.load(Ordering::Relaxed) == 0 || self.write_blocked.load(Ordering::Relaxed)
    }

    fn note_write(&self, result: &Poll<io::Result<usize>>) {
        let blocked = result.is_pending();
        if self.write_blocked.load(Ordering::Relaxed) != blocked {
            self.write_blocked.store(blocked, Ordering::Relaxed);
        }
        if let Poll::Ready(Ok(written)) = result {
            self.bytes.fetch_add(*written as u64, Ordering::Relaxed);
        }
    }
}

pub(crate) struct Unproven<'a>(&'a Activity);

impl Drop for Unproven<'_> {
    fn drop(&mut self) {
        self.0.unproven.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request being worked on, until its response is handed over whole.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

impl Busy {
    fn new(activity: &Arc<Activity>) -> Self {
        activity.requests.fetch_add(1, Ordering::Relaxed);
        Self(activity.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts what goes through.
struct Watched<I> {
    io: I,
    activity: Arc<Activity>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.io).poll_read(cx, buffer);
        let read = buffer.filled().len() - before;
        if read > 0 {
            self.activity.note_read(read);
        }
        result
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.activity.note_write(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.activity.note_write(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
