//! Directories of the host that functions run from directly, and whether their file systems answer.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hearth_tasks::Shares;
use hearth_types::AccountId;
use tokio::sync::watch;
use tokio::time::timeout;

/// What a start waits for a look at its directory.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Looks of one account that may be under way at once, those that hang included: each has a thread until its file system answers.
const LOOKS_PER_ACCOUNT: usize = 8;

/// The launcher makes sandboxes one after the other, so nobody may have it look where nothing answers. Each directory is looked at
/// from here first, where a look that hangs holds up its own function alone.
#[derive(Debug)]
pub(crate) struct LiveDirs {
    looks: Shares,
    under_way: Arc<UnderWay>,
}

/// Looks that have not come to their end: who wants the same waits with them.
#[derive(Debug, Default)]
struct UnderWay(Mutex<HashMap<String, watch::Receiver<()>>>);

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LiveDirs {
    fn default() -> Self {
        Self { looks: Shares::new(LOOKS_PER_ACCOUNT), under_way: Arc::default() }
    }
}

impl LiveDirs {
    /// Whether the file system of `dir` answers in time, be it that there is no such directory.
    pub(crate) async fn answers(&self, account: &AccountId, dir: &str) -> bool {
        let path = PathBuf::from(dir);
        self.finishes(account, dir, move || drop(fs_err::metadata(path))).await
    }

    async fn finishes(&self, account: &AccountId, dir: &str, look: impl FnOnce() + Send + 'static) -> bool {
        let under_way = self.under_way.lock().get(dir).cloned();
        let looked = async {
            match under_way {
                // It ends by being dropped.
                Some(mut end) => end.changed().await.is_err(),
                None => self.look(account, dir, look).await,
            }
        };
        timeout(ANSWER_WITHIN, looked).await.unwrap_or(false)
    }

    async fn look(&self, account: &AccountId, dir: &str, look: impl FnOnce() + Send + 'static) -> bool {
        let (under_way, dir) = (Arc::clone(&self.under_way), dir.to_owned());
        let look = move || {
            let (end, ended) = watch::channel(());
            under_way.lock().insert(dir.clone(), ended);
            look();
            under_way.lock().remove(&dir);
            drop(end);
        };
        self.looks.blocking(account.as_str(), "live directory", look).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// A look that hangs until the sender is dropped.
    fn hanging() -> (Sender<()>, impl FnOnce() + Send + 'static) {
        let (go, hung) = channel::<()>();
        (go, move || assert!(hung.recv().is_err()))
    }

    #[tokio::test]
    async fn looks_that_hang_hold_up_their_own_account_and_that_only_if_there_are_too_many() {
        let dirs = LiveDirs { looks: Shares::new(2), ..LiveDirs::default() };
        let [one, other] = ["111111111111", "222222222222"].map(|id| id.parse::<AccountId>().unwrap());
        assert!(dirs.answers(&one, "/").await && dirs.answers(&one, "/no/such/directory").await);
        let (go, look) = hanging();
        assert!(!dirs.finishes(&one, "/hung", look).await);
        let waits_with_the_first = dirs.finishes(&one, "/hung", || panic!("a second look at what hangs"));
        assert!(!waits_with_the_first.await);
        assert!(dirs.answers(&one, "/").await);
        let (go_too, look) = hanging();
        assert!(!dirs.finishes(&one, "/hung too", look).await);
        assert!(!dirs.answers(&one, "/").await, "none is left to look");
        assert!(dirs.answers(&other, "/").await, "another account has its own");
        drop((go, go_too));
        assert!(dirs.answers(&one, "/").await);
        while !dirs.under_way.lock().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}
