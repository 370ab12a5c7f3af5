//! Reading request bodies: never more than the route's limit, never longer than the deadline, never more in memory at
//! once than the budget of the whole server.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

/// Bodies up to this size are not counted against the budget: connections are limited, and most calls are small.
const FREE_BYTES: usize = 64 * 1024;
/// The budget is taken in steps of so many KiB.
const STEP_KIB: usize = 256;
/// What is read and thrown away of a body that is too large, so that a client that writes before it reads sees the answer.
const DISCARD_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long nothing may come of such a body before its connection is closed.
const DISCARD_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Limits of one body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit {
    pub(crate) bytes_max: usize,
    /// From the end of the head to the end of the body.
    pub(crate) time_max: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The client went away or broke the framing.
    #[error("the body ended before its end")]
    Broken,
}

/// Memory for the bodies of all requests together.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    kib: Arc<Semaphore>,
    /// Rests of refused bodies being thrown away while their refusal is sent. Each ends by its body's deadline.
    discards: TaskTracker,
}

/// A body and its part of the budget.
#[derive(Debug)]
pub(crate) struct BudgetedBody {
    pub(crate) bytes: Bytes,
    /// To be kept for as long as the bytes are.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        let kib = Arc::new(Semaphore::new((bytes / 1024).min(Semaphore::MAX_PERMITS)));
        Self { kib, discards: TaskTracker::new() }
    }

    /// The whole body. Where the budget is used up this waits for others to finish, within the same deadline.
    pub(crate) async fn read<B>(&self, mut body: B, limit: BodyLimit) -> Result<BudgetedBody, BodyError>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        if body.is_end_stream() {
            return Ok(BudgetedBody { bytes: Bytes::new(), permit: None });
        }
        let deadline = Instant::now() + limit.time_max;
        let declared = body.size_hint().exact();
        if declared.is_some_and(|length| length > limit.bytes_max as u64) {
            self.discards.spawn(discard(body, deadline));
            return Err(BodyError::TooLarge { bytes_max: limit.bytes_max });
        }
        let first = next_data(&mut body, deadline).await?.unwrap_or_default();
        if body.is_end_stream() && first.len() <= limit.bytes_max.min(FREE_BYTES) {
            return Ok(BudgetedBody { bytes: first, permit: None });
        }
        let room = declared.and_then(|length| usize::try_from(length).ok()).unwrap_or(FREE_BYTES);
        let mut whole = BytesMut::with_capacity(room.min(8 * FREE_BYTES).max(first.len()));
        let mut permit = None;
        let mut next = Some(first);
        while let Some(data) = next {
            let length = whole.len() + data.len();
            if length > limit.bytes_max {
                drop((whole, permit));
                self.discards.spawn(discard(body, deadline));
                return Err(BodyError::TooLarge { bytes_max: limit.bytes_max });
            }
            self.grow(&mut permit, length, deadline).await?;
            whole.extend_from_slice(&data);
            next = next_data(&mut body, deadline).await?;
        }
        Ok(BudgetedBody { bytes: whole.freeze(), permit })
    }

    /// Makes `permit` cover `length` bytes. Only what has arrived is counted: a client that announces much and sends
    /// nothing takes nothing from others.
    async fn grow(
        &self,
        permit: &mut Option<OwnedSemaphorePermit>,
        length: usize,
        deadline: Instant,
    ) -> Result<(), BodyError> {
        let held = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if length <= FREE_BYTES.max(held * 1024) {
            return Ok(());
        }
        let wanted = length.div_ceil(1024).next_multiple_of(STEP_KIB) - held;
        let more = u32::try_from(wanted).ok().ok_or(BodyError::TooSlow)?;
        match timeout_at(deadline, self.kib.clone().acquire_many_owned(more)).await {
            Ok(Ok(more)) => match permit {
                Some(permit) => permit.merge(more),
                None => *permit = Some(more),
            },
            Ok(Err(_)) | Err(_) => return Err(BodyError::TooSlow),
        }
        Ok(())
    }
}

/// The next piece of data; trailers are skipped.
async fn next_data<B>(body: &mut B, deadline: Instant) -> Result<Option<Bytes>, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    loop {
        match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(BodyError::TooSlow),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(BodyError::Broken),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

async fn discard<B>(mut body: B, deadline: Instant)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut discarded = 0u64;
    while discarded < DISCARD_BYTES_MAX {
        match next_data(&mut body, deadline.min(Instant::now() + DISCARD_PAUSE_MAX)).await {
            Ok(Some(data)) => discarded += data.len() as u64,
            Ok(None) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn limit(bytes_max: usize) -> BodyLimit {
        BodyLimit { bytes_max, time_max: Duration::from_secs(5) }
    }

    fn pieces(count: usize, size: usize) -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin {
        let piece = Bytes::from(vec![b'x'; size]);
        StreamBody::new(stream::iter((0..count).map(move |_| Ok(Frame::data(piece.clone())))))
    }

    #[tokio::test]
    async fn bodies_up_to_the_limit_are_read_whole() {
        let budget = BodyBudget::new(1 << 20);
        let body = budget.read(Full::new(Bytes::from_static(b"hello")), limit(5)).await.unwrap();
        assert_eq!(&body.bytes[..], b"hello");
        let body = budget.read(pieces(100, 1000), limit(100_000)).await.unwrap();
        assert_eq!(body.bytes.len(), 100_000);
        assert_eq!(budget.read(Full::new(Bytes::new()), limit(0)).await.unwrap().bytes.len(), 0);
    }

    #[tokio::test]
    async fn one_byte_more_is_too_large_declared_or_not() {
        let budget = BodyBudget::new(1 << 20);
        let too_large = |bytes_max| Some(BodyError::TooLarge { bytes_max });
        assert_eq!(budget.read(Full::new(Bytes::from_static(b"hello!")), limit(5)).await.err(), too_large(5));
        assert_eq!(budget.read(pieces(100, 1000), limit(99_999)).await.err(), too_large(99_999));
        assert_eq!(budget.read(pieces(1, 6), limit(5)).await.err(), too_large(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_given_up_at_the_deadline() {
        let budget = BodyBudget::new(1 << 20);
        let stalled = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert_eq!(budget.read(stalled, limit(5)).await.err(), Some(BodyError::TooSlow));
    }

    #[tokio::test(start_paused = true)]
    async fn large_bodies_wait_for_the_budget_and_give_it_back() {
        let budget = BodyBudget::new(1 << 20);
        let held = budget.read(pieces(10, 100_000), limit(1_000_000)).await.unwrap();
        assert_eq!(budget.read(pieces(10, 100_000), limit(1_000_000)).await.err(), Some(BodyError::TooSlow));
        assert!(budget.read(Full::new(Bytes::from_static(b"small")), limit(10)).await.is_ok());
        drop(held);
        assert!(budget.read(pieces(10, 100_000), limit(1_000_000)).await.is_ok());
    }
}
