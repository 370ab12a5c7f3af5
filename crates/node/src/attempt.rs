//! One accepted invocation from admission to its reply.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use hearth_engine::Ticket;
use hearth_engine::port::{Invocation, InvokeError, Outcome, Reply, ReplyChunk, StreamError, StreamingReply, Timeline};
use hearth_types::Instant;
use tokio::sync::oneshot;

use crate::report::Failure;
use crate::sandbox::Sandbox;
use crate::stream::{StreamReader, StreamWriter, stream_pipe};

pub(crate) type BufferedReply = Result<(Reply, Timeline), InvokeError>;
pub(crate) type StreamingStart = Result<StreamingReply, InvokeError>;

/// Where the reply goes. Taken by whoever answers first: there is exactly one reply.
#[derive(Debug)]
enum Sink {
    Buffered(oneshot::Sender<BufferedReply>),
    Streaming(oneshot::Sender<StreamingStart>),
    /// The head of a streamed reply is out.
    Started(StreamWriter),
    Answered,
}

#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) ticket: Ticket,
    /// Without its payload.
    pub(crate) invocation: Invocation,
    /// Until the runtime was given it.
    payload: Mutex<Option<Bytes>>,
    pub(crate) accepted_at: Instant,
    /// Nanoseconds of the instant by which the function must have answered; `u64::MAX` until it runs.
    deadline_ns: AtomicU64,
    /// Initialisation failed once and is part of the invocation now.
    init_rerun: AtomicBool,
    /// The reply is out or the function's failure is known: time-outs no longer matter.
    over: AtomicBool,
    sink: Mutex<Sink>,
    /// Where it runs, for whoever has to end it.
    sandbox: Mutex<Weak<Sandbox>>,
    /// Log of a failed initialisation, which the invocation's tail begins with.
    early_log: Mutex<Vec<u8>>,
    /// Why the last sandbox for it could not be made.
    problem: Mutex<Option<String>>,
    /// Ends the watch over the time-out.
    pub(crate) settled: tokio::sync::Notify,
}

impl Attempt {
    pub(crate) fn buffered(
        ticket: Ticket,
        invocation: Invocation,
        now: Instant,
    ) -> (Arc<Self>, oneshot::Receiver<BufferedReply>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self::new(ticket, invocation, now, Sink::Buffered(sender))), receiver)
    }

    pub(crate) fn streaming(
        ticket: Ticket,
        invocation: Invocation,
        now: Instant,
    ) -> (Arc<Self>, oneshot::Receiver<StreamingStart>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self::new(ticket, invocation, now, Sink::Streaming(sender))), receiver)
    }

    fn new(ticket: Ticket, mut invocation: Invocation, now: Instant, sink: Sink) -> Self {
        let payload = std::mem::take(&mut invocation.payload);
        Self {
            ticket,
            invocation,
            payload: Mutex::new(Some(payload)),
            accepted_at: now,
            deadline_ns: AtomicU64::new(u64::MAX),
            init_rerun: AtomicBool::new(false),
            over: AtomicBool::new(false),
            sink: Mutex::new(sink),
            sandbox: Mutex::default(),
            early_log: Mutex::default(),
            problem: Mutex::default(),
            settled: tokio::sync::Notify::new(),
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.invocation.spec.timeout_ms)
    }

    /// The event; `None` once the runtime was given it: then it runs nowhere else.
    pub(crate) fn payload(&self) -> Option<Bytes> {
        self.payload.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The runtime was given the event: others may have its memory while the function runs.
    pub(crate) fn let_payload_go(&self) {
        *self.payload.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// `None` while the function does not run.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let nanos = self.deadline_ns.load(Ordering::Acquire);
        (nanos != u64::MAX).then(|| Instant::from_nanos(nanos))
    }

    pub(crate) fn set_deadline(&self, at: Instant) {
        self.deadline_ns.store(at.as_nanos(), Ordering::Release);
    }

    pub(crate) fn sandbox(&self) -> Option<Arc<Sandbox>> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    pub(crate) fn set_sandbox(&self, sandbox: &Arc<Sandbox>) {
        *self.sandbox.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(sandbox);
    }

    pub(crate) fn take_early_log(&self) -> Vec<u8> {
        std::mem::take(&mut *self.early_log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_early_log(&self, log: Vec<u8>) {
        *self.early_log.lock().unwrap_or_else(PoisonError::into_inner) = log;
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_problem(&self, message: String) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
    }

    /// Whether this is the first failure of initialisation, which Lambda answers by running it again inside the invocation.
    pub(crate) fn may_rerun_init(&self) -> bool {
        !self.init_rerun.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn init_is_rerun(&self) -> bool {
        self.init_rerun.load(Ordering::Acquire)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// The function was not run to an end of its own.
    pub(crate) fn refuse(&self, error: InvokeError) {
        match self.take_sink() {
            Sink::Buffered(sender) => drop(sender.send(Err(error))),
            Sink::Streaming(sender) => drop(sender.send(Err(error))),
            Sink::Started(writer) => {
                let details = format!("{{\"errorMessage\":{}}}", serde_json::Value::from(error.to_string()));
                writer.end(Some(StreamError { code: "Service.Error".to_owned(), details }), None);
            }
            Sink::Answered => {}
        }
    }

    /// The function's whole answer.
    pub(crate) fn succeed(&self, content_type: &str, payload: Bytes, timeline: Timeline, log_tail: Option<Bytes>) {
        self.answer(Outcome::Success, content_type, payload, timeline, log_tail, None);
    }

    pub(crate) fn fail(&self, failure: &Failure, timeline: Timeline, log_tail: Option<Bytes>) {
        let payload = Bytes::copy_from_slice(&failure.payload);
        let error = StreamError {
            code: failure.error_type.clone(),
            details: String::from_utf8_lossy(&failure.payload).into_owned(),
        };
        self.answer(Outcome::FunctionError, "application/json", payload, timeline, log_tail, Some(error));
    }

    fn answer(
        &self,
        outcome: Outcome,
        content_type: &str,
        payload: Bytes,
        timeline: Timeline,
        log_tail: Option<Bytes>,
        error: Option<StreamError>,
    ) {
        let content_type = content_type.to_owned();
        match self.take_sink() {
            Sink::Buffered(sender) => {
                let reply = Reply { outcome, payload, content_type, log_tail };
                drop(sender.send(Ok((reply, timeline))));
            }
            Sink::Streaming(sender) => {
                let data = (error.is_none() && !payload.is_empty()).then_some(ReplyChunk::Data(payload));
                let end = ReplyChunk::End { error, log_tail };
                let chunks = futures_util::stream::iter(data.into_iter().chain([end]));
                drop(sender.send(Ok(StreamingReply { content_type, timeline, chunks: Box::pin(chunks) })));
            }
            Sink::Started(writer) => writer.end(error, log_tail),
            Sink::Answered => {}
        }
    }

    /// The head of a streamed answer arrived. `None` if the caller wants (or has) the answer in another way.
    pub(crate) fn start_stream(&self, content_type: &str, timeline: Timeline) -> Option<StreamWriter> {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*sink, Sink::Streaming(_)) {
            return None;
        }
        let (writer, reader): (StreamWriter, StreamReader) = stream_pipe();
        let Sink::Streaming(sender) = std::mem::replace(&mut *sink, Sink::Started(writer.clone())) else {
            return None;
        };
        let (content_type, chunks) = (content_type.to_owned(), Box::pin(reader));
        drop(sender.send(Ok(StreamingReply { content_type, timeline, chunks })));
        Some(writer)
    }

    fn take_sink(&self) -> Sink {
        self.over.store(true, Ordering::Release);
        self.settled.notify_one();
        std::mem::replace(&mut *self.sink.lock().unwrap_or_else(PoisonError::into_inner), Sink::Answered)
    }
}
