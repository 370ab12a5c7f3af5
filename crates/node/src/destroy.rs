//! The end of sandboxes: nothing that may still be there is counted as gone.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::Event;
use hearth_sys::failpoint;
use hearth_types::SandboxId;

use crate::core::Core;
use crate::sandbox::Sandbox;
use crate::session::chain;

/// Pauses between tries to destroy one sandbox.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(30);

impl Core {
    /// Ends the sandbox and then says so to the engine; once, whoever asks.
    pub(crate) fn destroy(self: &Arc<Self>, sandbox: Arc<Sandbox>) {
        if !sandbox.doom() {
            return;
        }
        sandbox.closed.cancel();
        self.destroy_soon(sandbox.place(), RETRY_PAUSE, move |core| {
            // In this order: what the engine decided before is still for a sandbox that is known.
            core.step(Event::Dead { sandbox: sandbox.id });
            core.forget(sandbox.id);
        });
    }

    fn destroy_soon(self: &Arc<Self>, id: SandboxId, pause: Duration, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let core = Arc::clone(self);
        // What becomes of its memory is lost with it.
        let clean_up = || hearth_tasks::ring("destruction of a sandbox");
        let work = move || core.destroy_until_gone(id, pause, then);
        self.tasks.contained_blocking("destruction of a sandbox", work, clean_up);
    }

    /// Ends a sandbox that the engine does not know, sooner or later.
    pub(crate) async fn end(self: &Arc<Self>, id: SandboxId) {
        let core = Arc::clone(self);
        let tried = hearth_tasks::blocking("destruction of a sandbox", move || {
            core.destroy_until_gone(id, RETRY_PAUSE, |_| {})
        });
        if let Err(panicked) = tried.await {
            tracing::error!(sandbox = %id, %panicked, "cannot destroy sandbox");
        }
    }

    /// Tries once, and again later where that fails, until the node has stopped. Blocks.
    pub(crate) fn destroy_until_gone(
        self: &Arc<Self>,
        id: SandboxId,
        pause: Duration,
        then: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        failpoint("destroy");
        let Err(error) = self.isolation.destroy(id) else { return then(self) };
        tracing::warn!(sandbox = %id, error = %chain(&error), "cannot destroy sandbox: its memory stays reserved");
        let core = Arc::clone(self);
        self.tasks.system("destruction of a sandbox", async move {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = core.ended.cancelled() => return,
            }
            core.destroy_soon(id, (pause * 2).min(RETRY_PAUSE_MAX), then);
        });
    }

    /// The sandbox is of no use any more, through nothing that its function did: whoever waits for it gets another. What has died
    /// with it, as with their launcher all do, is not given to anybody first.
    pub(crate) fn lost(self: &Arc<Self>, sandbox: &Arc<Sandbox>) {
        let mut lost = self.sandboxes();
        lost.retain(|other| other.id != sandbox.id && self.isolation.has_died(other.id));
        lost.push(Arc::clone(sandbox));
        for sandbox in lost {
            self.step(Event::Lost { sandbox: sandbox.id });
        }
    }
}
