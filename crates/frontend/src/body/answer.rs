//! Large answers on their way to who asked: counted until they are sent, and handed over in pieces.

use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::ledger::{Holder, Ledger, Share};
use super::{Counted, FREE_BYTES};

/// What is handed over at once, bytes.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;

/// Who an answer is for.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(super) ledger: Ledger,
    pub(super) holder: Holder,
    /// Ends its connection.
    pub(super) given_up: CancellationToken,
}

impl Reader {
    /// Small ones are not counted: a connection has room for them.
    pub(crate) fn counts(bytes: &Bytes) -> bool {
        bytes.len() > FREE_BYTES
    }

    /// Counts `bytes` from now on, as much as there is of them.
    pub(crate) fn charge(&self, bytes: Bytes) -> LargeAnswer {
        let share = Arc::new(self.ledger.charge(self.holder.clone(), bytes.len(), self.given_up.clone()));
        share.await_client();
        let rest = Bytes::from_owner(Counted { bytes, share: share.clone() });
        LargeAnswer { rest, share, handed: 0 }
    }
}

/// What is still to be handed over. Its memory is counted for as long as any piece of it is held.
#[derive(Debug)]
pub(crate) struct LargeAnswer {
    rest: Bytes,
    share: Arc<Share>,
    /// The piece that the client is reading, bytes.
    handed: usize,
}

impl LargeAnswer {
    /// Asked for once the client has read the last one.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        self.share.heard(self.handed);
        self.handed = self.rest.len().min(PIECE_BYTES);
        self.share.await_client();
        (self.handed > 0).then(|| self.rest.split_to(self.handed))
    }

    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }
}
