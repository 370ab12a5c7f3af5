//! Work that nobody's call waits for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{Panicked, at_its_point};

/// How far such work steps back: whoever wakes up goes first, and where all processors are busy a tenth is left for it.
const NICENESS: i32 = 10;

/// As [`crate::blocking`], on a thread of its own that gives way to all others. Its priority cannot be raised again without rights,
/// so that such a thread is used once.
///
/// # Errors
/// The work panicked, or the host has no thread left.
pub async fn background<T: Send + 'static>(
    task: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    let (sender, result) = oneshot::channel();
    let work = at_its_point(task, work);
    let run = move || {
        // A matter of fairness alone. To Linux a process is a thread.
        let _as_any_other = rustix::process::setpriority_process(None, NICENESS).is_err();
        // Of a panic the log tells; whoever waits sees that there is no result.
        if let Ok(done) = catch_unwind(AssertUnwindSafe(work)) {
            let _nobody_waits = sender.send(done).is_err();
        }
    };
    let started = std::thread::Builder::new().name("background".to_owned()).spawn(run);
    started.map_err(|_none_left| Panicked { task })?;
    result.await.map_err(|_logged_by_the_panic| Panicked { task })
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test]
    async fn it_steps_back_alone() {
        let own = || getpriority_process(None).unwrap();
        let before = own();
        assert_eq!(background("a save", own).await, Ok(before.max(NICENESS)));
        assert_eq!((own(), crate::blocking("another", own).await), (before, Ok(before)));
        assert!(background("a panic", || panic!("on purpose")).await.is_err());
    }
}
