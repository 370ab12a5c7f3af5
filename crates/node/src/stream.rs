//! A streamed reply on its way from a sandbox to the caller: bounded by credit, whoever is slow.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use hearth_agent_proto::WINDOW_BYTES;
use hearth_engine::port::{ReplyChunk, StreamError};

/// Called with the bytes that the caller took, so that the agent may send as many more.
pub(crate) type OnTaken = Box<dyn Fn(usize) + Send + Sync>;

#[derive(Default)]
struct Pipe {
    waiting: BytesMut,
    end: Option<ReplyChunk>,
    ended: bool,
    reader_gone: bool,
    waker: Option<Waker>,
    on_taken: Option<OnTaken>,
}

/// More than the window was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WindowExceeded;

/// The sandbox's end.
#[derive(Clone)]
pub(crate) struct StreamWriter(Arc<Mutex<Pipe>>);

impl std::fmt::Debug for StreamWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamWriter")
    }
}

/// The caller's end.
pub(crate) struct StreamReader(Arc<Mutex<Pipe>>);

pub(crate) fn stream_pipe() -> (StreamWriter, StreamReader) {
    let pipe = Arc::new(Mutex::new(Pipe::default()));
    (StreamWriter(Arc::clone(&pipe)), StreamReader(pipe))
}

impl StreamWriter {
    pub(crate) fn on_taken(&self, on_taken: OnTaken) {
        self.lock().on_taken = Some(on_taken);
    }

    pub(crate) fn data(&self, data: &[u8]) -> Result<(), WindowExceeded> {
        let mut pipe = self.lock();
        if pipe.reader_gone {
            Self::taken(&pipe, data.len());
            return Ok(());
        }
        if pipe.waiting.len() + data.len() > WINDOW_BYTES {
            return Err(WindowExceeded);
        }
        pipe.waiting.extend_from_slice(data);
        Self::wake(&mut pipe);
        Ok(())
    }

    pub(crate) fn end(&self, error: Option<StreamError>, log_tail: Option<Bytes>) {
        let mut pipe = self.lock();
        if !pipe.ended && pipe.end.is_none() {
            pipe.end = Some(ReplyChunk::End { error, log_tail });
            Self::wake(&mut pipe);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pipe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(pipe: &mut Pipe) {
        if let Some(waker) = pipe.waker.take() {
            waker.wake();
        }
    }

    fn taken(pipe: &Pipe, bytes: usize) {
        if let Some(on_taken) = &pipe.on_taken {
            on_taken(bytes);
        }
    }
}

impl Stream for StreamReader {
    type Item = ReplyChunk;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ReplyChunk>> {
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !pipe.waiting.is_empty() {
            let data = pipe.waiting.split().freeze();
            StreamWriter::taken(&pipe, data.len());
            return Poll::Ready(Some(ReplyChunk::Data(data)));
        }
        if let Some(end) = pipe.end.take() {
            pipe.ended = true;
            return Poll::Ready(Some(end));
        }
        if pipe.ended {
            return Poll::Ready(None);
        }
        pipe.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for StreamReader {
    fn drop(&mut self) {
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pipe.reader_gone = true;
        let waiting = pipe.waiting.split().len();
        StreamWriter::taken(&pipe, waiting);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn what_is_written_arrives_in_order_and_gives_credit() {
        let (writer, mut reader) = stream_pipe();
        let credit = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&credit);
        writer.on_taken(Box::new(move |bytes| {
            counted.fetch_add(bytes, Ordering::Relaxed);
        }));
        writer.data(b"one").unwrap();
        writer.data(b"two").unwrap();
        assert_eq!(reader.next().await, Some(ReplyChunk::Data("onetwo".into())));
        assert_eq!(credit.load(Ordering::Relaxed), 6);
        writer.end(None, None);
        assert_eq!(reader.next().await, Some(ReplyChunk::End { error: None, log_tail: None }));
        assert_eq!(reader.next().await, None);
    }

    #[test]
    fn a_sender_beyond_its_window_is_found_out() {
        let (writer, _reader) = stream_pipe();
        assert_eq!(writer.data(&vec![0; WINDOW_BYTES]), Ok(()));
        assert_eq!(writer.data(b"x"), Err(WindowExceeded));
    }

    #[test]
    fn a_caller_who_left_does_not_stop_the_function() {
        let (writer, reader) = stream_pipe();
        drop(reader);
        for _ in 0..100 {
            assert_eq!(writer.data(&vec![0; WINDOW_BYTES]), Ok(()));
        }
    }
}
