//! A store whose acknowledgements can be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hearth_store::api::BoxFuture;
use hearth_store::{
    CommitError, Embedded, Entry, Leased, LogRecord, Precondition, QueueState, ReadError, Revision, Store, Watch, Write,
};

/// The real store, but the commit after [`Flaky::lose_next`] is made and not acknowledged, and after so many commits none is made.
#[derive(Debug)]
pub(crate) struct Flaky {
    inner: Embedded,
    lose: Arc<AtomicBool>,
    commits_left: AtomicUsize,
}

impl Flaky {
    pub(crate) fn new(inner: Embedded, lose: Arc<AtomicBool>, commits: usize) -> Self {
        Self { inner, lose, commits_left: AtomicUsize::new(commits) }
    }
}

impl Store for Flaky {
    fn commit<'a>(
        &'a self,
        partition: &'a str,
        preconditions: Vec<Precondition>,
        writes: Vec<Write>,
    ) -> BoxFuture<'a, Result<Revision, CommitError>> {
        Box::pin(async move {
            if self.commits_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
                return Err(CommitError::Unknown { reason: "the daemon was killed".into() });
            }
            let result = self.inner.commit(partition, preconditions, writes).await;
            if self.lose.swap(false, Ordering::SeqCst) {
                return Err(CommitError::Unknown { reason: "lost".into() });
            }
            result
        })
    }

    fn get<'a>(&'a self, partition: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, ReadError>> {
        self.inner.get(partition, key)
    }

    fn list<'a>(
        &'a self,
        partition: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Entry>, ReadError>> {
        self.inner.list(partition, prefix, after, limit)
    }

    fn partitions<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ReadError>> {
        self.inner.partitions(prefix)
    }

    fn watch<'a>(
        &'a self,
        partition: &'a str,
        prefix: &'a str,
        from: Revision,
    ) -> BoxFuture<'a, Result<Watch, ReadError>> {
        self.inner.watch(partition, prefix, from)
    }

    fn read_log<'a>(
        &'a self,
        partition: &'a str,
        log: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<LogRecord>, ReadError>> {
        self.inner.read_log(partition, log, from, limit)
    }

    fn truncate_log<'a>(
        &'a self,
        partition: &'a str,
        log: &'a str,
        before: u64,
    ) -> BoxFuture<'a, Result<(), CommitError>> {
        self.inner.truncate_log(partition, log, before)
    }

    fn lease<'a>(
        &'a self,
        partition: &'a str,
        queue: &'a str,
        limit: usize,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Leased, CommitError>> {
        self.inner.lease(partition, queue, limit, duration)
    }

    fn queues<'a>(&'a self, partition: &'a str) -> BoxFuture<'a, Result<Vec<QueueState>, ReadError>> {
        self.inner.queues(partition)
    }
}
