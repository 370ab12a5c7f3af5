//! What every part of the agent hears and speaks through.

use crate::{link::Link, logs::Logs, poller::Poller};

#[derive(Debug)]
pub(crate) struct Io {
    pub(crate) poller: Poller,
    pub(crate) link: Link,
    pub(crate) logs: Logs,
    /// Something is no longer read because the daemon is behind.
    pub(crate) is_stalled: bool,
}

impl Io {
    pub(crate) fn new(poller: Poller) -> Self {
        Self { poller, link: Link::default(), logs: Logs::default(), is_stalled: false }
    }

    /// Whether to produce nothing more for the daemon. Whoever asks and is told so stops reading until resumed.
    pub(crate) fn must_stall(&mut self) -> bool {
        self.is_stalled |= self.link.is_congested();
        self.is_stalled
    }

    /// Pushes what the runtime has logged so far, ahead of what is sent next.
    pub(crate) fn drain_lines(&mut self) {
        self.logs.drain_lines(&mut self.link);
    }
}
