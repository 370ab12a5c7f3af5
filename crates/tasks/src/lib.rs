//! Tasks and threads with an owner, and with a declared reaction to a panic. There is no other way to start one: `clippy.toml`
//! bans those of tokio and of the standard library.
//!
//! - What everybody counts on (timers, queues, the engine, the store) is a *system* task: if it panics the alarm rings, and the
//!   daemon ends, rather than go on without it. Whoever supervises it starts it again; all that was acknowledged is on disk.
//! - What serves one request or one sandbox is *contained*: its panic costs that alone, and whoever started it says how what it
//!   leaves is cleaned up.
//!
//! The name of each is a failpoint too (`hearth_sys::failpoint`).
#![expect(clippy::disallowed_methods, reason = "this is what stands before them")]

mod alarm;
mod background;
mod group;
mod share;

pub use alarm::{has_rung, ring, ring_on_panic, rung};
pub use background::background;
pub use group::{TaskGroup, contain};
pub use share::{FairTurns, Shares, Turn};

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

/// A contained piece of work panicked, which is in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Panicked {
    pub task: &'static str,
}

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ended by a panic", self.task)
    }
}

impl std::error::Error for Panicked {}

/// Runs what blocks where it holds up nobody, and waits for it: as part of the task that calls this. If that is dropped the work
/// still comes to its end.
///
/// # Errors
/// The work panicked.
pub async fn blocking<T: Send + 'static>(
    task: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    tokio::task::spawn_blocking(at_its_point(task, work)).await.map_err(|_logged_by_the_panic| Panicked { task })
}

/// The work, behind the failpoint of its task's name.
fn at_its_point<T>(task: &str, work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    move || {
        hearth_sys::failpoint(task);
        work()
    }
}

/// A thread on which everybody counts. Its owner joins it.
///
/// # Errors
/// The host has no thread left.
pub fn system_thread(name: String, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let task = name.clone();
    std::thread::Builder::new().name(name).spawn(move || {
        if catch_unwind(AssertUnwindSafe(at_its_point(&task, work))).is_err() {
            ring(&task);
        }
    })
}
