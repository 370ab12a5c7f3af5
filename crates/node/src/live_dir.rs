//! Directories of the host that functions run from directly, and whether their file systems answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// What a start waits for a look at its directory.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Looks that may be under way at once, those that hang included: each has a thread until its file system answers.
const LOOKS_MAX: usize = 64;

/// The launcher makes sandboxes one after the other, so nobody may have it look where nothing answers. Each directory is looked at
/// from here first, where a look that hangs holds up its own function alone.
#[derive(Debug)]
pub(crate) struct LiveDirs {
    looks: Arc<Semaphore>,
}

impl Default for LiveDirs {
    fn default() -> Self {
        Self { looks: Arc::new(Semaphore::new(LOOKS_MAX)) }
    }
}

impl LiveDirs {
    /// Whether the file system of `dir` answers in time, be it that there is no such directory.
    pub(crate) async fn answers(&self, dir: &str) -> bool {
        let dir = PathBuf::from(dir);
        self.finishes(move || drop(fs_err::metadata(dir))).await
    }

    async fn finishes(&self, look: impl FnOnce() + Send + 'static) -> bool {
        let looks = Arc::clone(&self.looks);
        let looked = async move {
            let Ok(permit) = looks.acquire_owned().await else { return false };
            let look = move || {
                look();
                drop(permit);
            };
            hearth_tasks::blocking("live directory", look).await.is_ok()
        };
        timeout(ANSWER_WITHIN, looked).await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn looks_that_hang_hold_up_nobody_until_there_are_too_many() {
        let dirs = LiveDirs { looks: Arc::new(Semaphore::new(2)) };
        assert!(dirs.answers("/").await && dirs.answers("/no/such/directory").await);
        let (go, hung) = channel::<()>();
        assert!(!dirs.finishes(move || assert!(hung.recv().is_err())).await);
        assert!(dirs.answers("/").await);
        let (go_too, hung) = channel::<()>();
        assert!(!dirs.finishes(move || assert!(hung.recv().is_err())).await);
        assert!(!dirs.answers("/").await, "none is left to look");
        drop((go, go_too));
        assert!(dirs.answers("/").await);
    }
}
