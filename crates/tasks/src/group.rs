//! Tasks of one owner, who waits for them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;
use hearth_sys::failpoint;
use tokio_util::task::TaskTracker;

use crate::alarm::{has_rung, ring};
use crate::{Panicked, at_its_point};

/// Cheap to clone; clones are the same group.
#[derive(Clone, Debug, Default)]
pub struct TaskGroup(TaskTracker);

impl TaskGroup {
    /// Starts a task on which everybody counts.
    pub fn system(&self, task: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(async move {
            if contain(task, work).await.is_err() {
                ring(task);
            }
        });
    }

    /// Starts a task whose panic is the business of nobody but `clean_up`.
    pub fn contained(
        &self,
        task: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
        clean_up: impl FnOnce() + Send + 'static,
    ) {
        self.0.spawn(async move {
            if contain(task, work).await.is_err() {
                after_panic(task, clean_up);
            }
        });
    }

    /// The same for what blocks.
    pub fn contained_blocking(
        &self,
        task: &'static str,
        work: impl FnOnce() + Send + 'static,
        clean_up: impl FnOnce() + Send + 'static,
    ) {
        self.0.spawn_blocking(move || {
            if catch_unwind(AssertUnwindSafe(at_its_point(task, work))).is_err() {
                after_panic(task, clean_up);
            }
        });
    }

    /// [`crate::blocking`], but the group waits for its end whether somebody waits for its result or not.
    ///
    /// # Errors
    /// The work panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        task: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Panicked> {
        self.0.spawn(contain(task, work)).await.map_err(|_logged_by_the_panic| Panicked { task })?
    }

    /// No further task is expected.
    pub fn close(&self) {
        self.0.close();
    }

    /// Until the group is closed and all its tasks have ended.
    pub async fn wait(&self) {
        self.0.wait().await;
    }
}

/// Runs a part of a task that can end by a panic without the rest.
///
/// # Errors
/// The work panicked.
pub async fn contain<T>(task: &'static str, work: impl Future<Output = T>) -> Result<T, Panicked> {
    let work = async {
        failpoint(task);
        work.await
    };
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_logged_by_the_panic| Panicked { task })
}

/// Where the daemon is ending already nothing is cleaned up: what it would take may be broken.
fn after_panic(task: &'static str, clean_up: impl FnOnce()) {
    tracing::error!(task, "a task has panicked");
    if !has_rung() && catch_unwind(AssertUnwindSafe(clean_up)).is_err() {
        ring(task);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_contained_task_costs_itself_alone_and_is_cleaned_up_after() {
        let (group, cleaned) = (TaskGroup::default(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&cleaned);
        group.contained("one", async { panic!("on purpose") }, move || flag.store(true, Ordering::Release));
        group.contained_blocking("two", || {}, || panic!("nothing is to be cleaned up"));
        assert!(group.run("three", async { panic!("on purpose") }).await.is_err());
        group.close();
        group.wait().await;
        assert!(cleaned.load(Ordering::Acquire) && !has_rung());
    }

    #[tokio::test]
    async fn the_alarm_names_the_system_task_that_panicked_first() {
        let group = TaskGroup::default();
        group.system("timers", async { panic!("on purpose") });
        assert_eq!(crate::rung().await, "timers");
        group.system("queue", async { panic!("on purpose") });
        crate::system_thread("writer".to_owned(), || panic!("on purpose")).unwrap().join().unwrap();
        group.close();
        group.wait().await;
        assert_eq!(crate::rung().await, "timers");
    }
}
