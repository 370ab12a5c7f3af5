//! Reading request bodies: never more than the route's limit, never slower than a minimum, never more in memory at once than
//! what the operator allows. Large answers come out of the same memory.

mod answer;
mod ledger;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[cfg(test)]
pub(crate) use answer::PIECE_BYTES;
pub(crate) use answer::{LargeAnswer, Reader};
pub(crate) use ledger::{Claimant, Holder};
use ledger::{Ledger, NoRoom, Share};

/// Bodies up to this size that come with their head are not counted: a connection has room for no more of them.
const FREE_BYTES: usize = 64 * 1024;
/// From `time_max` on a client must have sent so many bytes per second.
const RATE_MIN: f64 = 8.0 * 1024.0;
/// How long a body waits for room.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(30);
/// What is read and thrown away of a body that is too large, so that a client that writes before it reads sees the answer.
const DISCARD_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long nothing may come of such a body before its connection is closed.
const DISCARD_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Limits of one body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit {
    pub(crate) bytes_max: usize,
    /// For how long the client is waited for, and longer for what it has sent.
    pub(crate) time_max: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("there is no room for the body")]
    NoRoom,
    /// The client went away or broke the framing.
    #[error("the body ended before its end")]
    Broken,
}

impl From<NoRoom> for BodyError {
    fn from(NoRoom: NoRoom) -> Self {
        Self::NoRoom
    }
}

/// Memory for the bodies of all requests together.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    ledger: Ledger,
    /// Rests of refused bodies being thrown away while their refusal is sent. Each ends by its body's deadline.
    discards: TaskTracker,
}

/// A body and its part of the memory.
#[derive(Debug, Default)]
pub(crate) struct BudgetedBody {
    pub(crate) bytes: Bytes,
    /// Of all that arrived, if it was asked for.
    pub(crate) sha256: Option<[u8; 32]>,
    share: Option<Share>,
}

impl BudgetedBody {
    /// It is proven whose the body is.
    pub(crate) async fn prove(&mut self, owner: impl FnOnce() -> Holder) -> Result<(), BodyError> {
        if let Some(share) = &mut self.share {
            share.prove(owner(), Instant::now() + ROOM_WAIT_MAX).await?;
        }
        Ok(())
    }

    /// The bytes, whose memory is counted for as long as any of them is held.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self.share {
            Some(share) => Bytes::from_owner(Counted { bytes: self.bytes, share: Arc::new(share) }),
            None => self.bytes,
        }
    }
}

struct Counted {
    bytes: Bytes,
    #[expect(dead_code, reason = "gives the memory back when the last piece of the bytes is dropped")]
    share: Arc<Share>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { ledger: Ledger::new(bytes), discards: TaskTracker::new() }
    }

    /// Waits until `holder` may be given another answer, which is while it reads those that it has.
    pub(crate) async fn may_ask(&self, holder: impl FnOnce() -> Holder) -> Result<(), BodyError> {
        Ok(self.ledger.may_ask(holder, Instant::now() + ROOM_WAIT_MAX).await?)
    }

    /// `given_up` ends the connection of `holder`.
    pub(crate) fn reader(&self, holder: Holder, given_up: CancellationToken) -> Reader {
        Reader { ledger: self.ledger.clone(), holder, given_up }
    }

    /// The whole body, out of the part of `holder`, with its hash if it is to be `hashed`.
    pub(crate) async fn read<B>(
        &self,
        mut body: B,
        limit: BodyLimit,
        hashed: bool,
        holder: impl FnOnce() -> Holder,
    ) -> Result<BudgetedBody, BodyError>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        if body.is_end_stream() {
            return Ok(BudgetedBody::default());
        }
        let too_late = Instant::now() + limit.time_max;
        let declared = body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if declared.is_some_and(|length| length > limit.bytes_max) {
            self.discards.spawn(discard(body, too_late));
            return Err(BodyError::TooLarge { bytes_max: limit.bytes_max });
        }
        let first = next_data(&mut body, too_late).await?.unwrap_or_default();
        if body.is_end_stream() && first.len() <= limit.bytes_max.min(FREE_BYTES) {
            let sha256 = hashed.then(|| hash_of(digest::digest(&SHA256, &first)));
            return Ok(BudgetedBody { bytes: first, sha256, share: None });
        }
        let share = self.ledger.open(holder(), declared.unwrap_or(limit.bytes_max));
        let room = declared.unwrap_or(FREE_BYTES).min(8 * FREE_BYTES).max(first.len());
        let mut arrival = Arrival {
            whole: BytesMut::with_capacity(room),
            hash: hashed.then(|| digest::Context::new(&SHA256)),
            share,
            limit,
        };
        let mut next = Some(first);
        while let Some(data) = next {
            if let Err(error) = arrival.take(&data).await {
                drop(arrival);
                self.discards.spawn(discard(body, too_late));
                return Err(error);
            }
            next = arrival.next(&mut body).await?;
        }
        Ok(arrival.complete())
    }
}

/// A body that comes in several pieces.
struct Arrival {
    whole: BytesMut,
    hash: Option<digest::Context>,
    share: Share,
    limit: BodyLimit,
}

impl Arrival {
    async fn take(&mut self, data: &[u8]) -> Result<(), BodyError> {
        let (length, bytes_max) = (self.whole.len() + data.len(), self.limit.bytes_max);
        if length > bytes_max {
            return Err(BodyError::TooLarge { bytes_max });
        }
        let given_up = self.share.given_up.clone();
        tokio::select! {
            grown = self.share.grow(length, Instant::now() + ROOM_WAIT_MAX) => grown?,
            () = given_up.cancelled() => return Err(BodyError::NoRoom),
        }
        self.whole.extend_from_slice(data);
        if let Some(hash) = &mut self.hash {
            hash.update(data);
        }
        Ok(())
    }

    /// The next piece, unless the client takes too long, or somebody else needs the room and it has stalled.
    async fn next<B>(&self, body: &mut B) -> Result<Option<Bytes>, BodyError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let waited = self.share.heard(0);
        let allowed = self.limit.time_max + Duration::from_secs_f64(self.whole.len() as f64 / RATE_MIN);
        self.share.await_client();
        let next = tokio::select! {
            biased;
            next = next_data(body, Instant::now() + allowed.saturating_sub(waited)) => next?,
            () = self.share.given_up.cancelled() => return Err(BodyError::TooSlow),
        };
        self.share.heard(next.as_ref().map_or(0, Bytes::len));
        Ok(next)
    }

    fn complete(self) -> BudgetedBody {
        self.share.complete();
        let sha256 = self.hash.map(|hash| hash_of(hash.finish()));
        BudgetedBody { bytes: self.whole.freeze(), sha256, share: Some(self.share) }
    }
}

fn hash_of(digest: digest::Digest) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
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

    use futures_util::{StreamExt, stream};
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn limit(bytes_max: usize) -> BodyLimit {
        BodyLimit { bytes_max, time_max: Duration::from_secs(5) }
    }

    async fn read<B>(budget: &BodyBudget, body: B, bytes_max: usize) -> Result<BudgetedBody, BodyError>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        budget.read(body, limit(bytes_max), true, holder).await
    }

    fn holder() -> Holder {
        Holder::Account("123456789012".parse().unwrap())
    }

    fn pieces(count: usize, size: usize) -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin {
        let piece = Bytes::from(vec![b'x'; size]);
        StreamBody::new(stream::iter((0..count).map(move |_| Ok(Frame::data(piece.clone())))))
    }

    fn budget() -> BodyBudget {
        BodyBudget { ledger: Ledger::of_parts(1 << 20, 1 << 20, 1 << 20, 1 << 20), discards: TaskTracker::new() }
    }

    #[tokio::test]
    async fn bodies_up_to_the_limit_are_read_whole_and_hashed() {
        let budget = budget();
        let body = read(&budget, Full::new(Bytes::from_static(b"hello")), 5).await.unwrap();
        assert_eq!((&body.bytes[..], body.sha256), (&b"hello"[..], Some(hash_of(digest::digest(&SHA256, b"hello")))));
        let body = read(&budget, pieces(100, 1000), 100_000).await.unwrap();
        assert_eq!(body.sha256, Some(hash_of(digest::digest(&SHA256, &vec![b'x'; 100_000]))));
        assert_eq!(body.into_bytes().len(), 100_000);
        assert_eq!(read(&budget, Full::new(Bytes::new()), 0).await.unwrap().bytes.len(), 0);
    }

    #[tokio::test]
    async fn one_byte_more_is_too_large_declared_or_not() {
        let budget = budget();
        let too_large = |bytes_max| Some(BodyError::TooLarge { bytes_max });
        assert_eq!(read(&budget, Full::new(Bytes::from_static(b"hello!")), 5).await.err(), too_large(5));
        assert_eq!(read(&budget, pieces(100, 1000), 99_999).await.err(), too_large(99_999));
        assert_eq!(read(&budget, pieces(1, 6), 5).await.err(), too_large(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_given_up_at_the_deadline() {
        let budget = budget();
        let stalled = || stream::pending::<Result<Frame<Bytes>, Infallible>>();
        assert_eq!(read(&budget, StreamBody::new(stalled()), 5).await.err(), Some(BodyError::TooSlow));
        let begun = stream::iter([Ok(Frame::data(Bytes::from_static(b"begun")))]).chain(stalled());
        assert_eq!(read(&budget, StreamBody::new(begun), 50).await.err(), Some(BodyError::TooSlow));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_held_for_as_long_as_the_bytes_are() {
        let budget = budget();
        let held = read(&budget, pieces(7, 100_000), 700_000).await.unwrap().into_bytes();
        let part = held.slice(5..6);
        drop(held);
        assert_eq!(read(&budget, pieces(7, 100_000), 700_000).await.err(), Some(BodyError::NoRoom));
        assert!(read(&budget, Full::new(Bytes::from_static(b"small")), 10).await.is_ok());
        drop(part);
        assert!(read(&budget, pieces(7, 100_000), 700_000).await.is_ok());
    }
}
