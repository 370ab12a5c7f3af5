//! Directories of the host that functions run from directly: how many of one account's may be waited for at a time.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::time::Duration;

use hearth_tasks::{FairTurns, Turn};
use hearth_types::AccountId;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Attachments that may be under way at once, those that hang included: each has a process until its file system answers.
const ACCOUNT_MAX: usize = 8;
const ALL_MAX: usize = 64;
/// What a start waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(2);

/// Bounds what waits for file systems that do not answer. One that hangs holds up its own function, and from some number on its own account.
#[derive(Debug)]
pub(crate) struct LiveDirs(FairTurns);

/// One attachment under way.
#[derive(Debug)]
pub(crate) struct Attaching(#[expect(dead_code, reason = "is held")] Turn);

impl Default for LiveDirs {
    fn default() -> Self {
        Self(FairTurns::new(ALL_MAX, ACCOUNT_MAX))
    }
}

impl LiveDirs {
    /// `None` where too many of them hang.
    pub(crate) async fn begin(&self, account: &AccountId) -> Option<Attaching> {
        timeout(TURN_WITHIN, self.0.turn(account.as_str())).await.ok().map(Attaching)
    }
}

impl Attaching {
    /// Counts until `ended` is readable.
    pub(crate) async fn until(self, ended: OwnedFd) {
        let ended = StdStream::from(ended);
        let ended = ended.set_nonblocking(true).and_then(|()| UnixStream::from_std(ended));
        match ended {
            Ok(ended) => drop(ended.readable().await),
            Err(error) => tracing::warn!(%error, "a process that hangs cannot be waited for"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_hangs_holds_up_its_own_account_alone_until_there_are_too_many() {
        let dirs = LiveDirs::default();
        let account = |number: usize| format!("{number:012}").parse::<AccountId>().unwrap();
        let mut hung = Vec::new();
        for number in 0..ALL_MAX / ACCOUNT_MAX {
            for _ in 0..ACCOUNT_MAX {
                hung.push(dirs.begin(&account(number)).await.unwrap());
            }
            assert!(dirs.begin(&account(number)).await.is_none(), "one account has its part");
        }
        assert!(dirs.begin(&account(100)).await.is_none(), "all have more than there is room for");
        hung.truncate(hung.len() - 1);
        assert!(dirs.begin(&account(100)).await.is_some());
        drop(hung);
        assert!(dirs.begin(&account(0)).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn it_counts_until_its_process_has_ended() {
        let dirs = LiveDirs(FairTurns::new(1, ACCOUNT_MAX));
        let account: AccountId = "123456789012".parse().unwrap();
        let attaching = dirs.begin(&account).await.unwrap();
        let (ours, process) = StdStream::pair().unwrap();
        let mut waits = std::pin::pin!(attaching.until(ours.into()));
        tokio::select! {
            biased;
            () = &mut waits => panic!("it has not ended"),
            () = std::future::ready(()) => {}
        }
        assert!(dirs.begin(&account).await.is_none());
        drop(process);
        waits.await;
        assert!(dirs.begin(&account).await.is_some());
    }
}
