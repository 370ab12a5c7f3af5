//! Starting from a template.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use hearth_logs::LogStream;
use hearth_runtimes::RuntimeDefinition;
use hearth_sandbox::{IsolationError, RestoreSpec};
use hearth_templates::ImagesError;
use hearth_types::{SandboxId, VersionSpec};

use crate::core::Core;
use crate::link::Link;
use crate::sandbox::Sandbox;
use crate::session::chain;
use crate::start::{Assignment, Attached};

/// Why a start is an ordinary one after all.
#[derive(Debug, thiserror::Error)]
enum RestoreError {
    #[error("its images cannot be read")]
    Images(#[source] ImagesError),
    #[error("its code cannot be read")]
    Assign(#[source] crate::start::AssignError),
    #[error("it cannot be restored")]
    Isolation(#[source] IsolationError),
}

/// The way to a copy's agent, and as [`Attached`] has it.
type Restored = (OwnedFd, Arc<RuntimeDefinition>, (String, LogStream));

impl Core {
    /// Puts a restored copy in the place of the blank sandbox, if the version has a template: a link to its agent. The blank one
    /// is there until then, so that any failure costs time and nothing else.
    pub(crate) async fn restore(self: &Arc<Self>, sandbox: &Arc<Sandbox>, assignment: &Assignment) -> Option<Attached> {
        let spec = &assignment.spec;
        if self.templates.images_for(spec).is_err() || !self.templates.may_have(&spec.key) {
            return None;
        }
        let _turn = self.templates.restores.turn(spec.key.account.as_str()).await;
        let copy = self.templates.next_id();
        let urgent = assignment.is_urgent(sandbox);
        if !urgent {
            sandbox.state().restoring = Some(copy);
            self.hasten_later(sandbox);
        }
        let (core, wanted) = (Arc::clone(self), Arc::clone(spec));
        let work = move || core.restore_as(copy, &wanted, urgent);
        let restored = self.starts.blocking(spec.key.account.as_str(), "restore", work).await.ok()?;
        sandbox.state().restoring = None;
        let attached = match restored {
            Ok(Some((socket, runtime, log))) => Link::new(socket).ok().map(|link| Attached { link, runtime, log }),
            Ok(None) => return None,
            Err(RestoreError::Isolation(IsolationError::LauncherGone)) => None,
            Err(error) => {
                tracing::warn!(function = %spec.key, error = %chain(&error), "template discarded");
                self.discard(spec).await;
                None
            }
        };
        // Whoever destroys the sandbox from now on destroys the copy; who did so already has destroyed the blank one.
        if attached.is_none() || !sandbox.take_place(copy) {
            self.end(copy).await;
            return None;
        }
        let (core, blank) = (Arc::clone(self), sandbox.id);
        self.tasks.system("destruction of a sandbox", async move { core.end(blank).await });
        attached
    }

    fn restore_as(&self, copy: SandboxId, spec: &VersionSpec, urgent: bool) -> Result<Option<Restored>, RestoreError> {
        let Some(runtime) = self.runtimes.get(&spec.runtime) else { return Ok(None) };
        let made_of = self.made_of(spec, &runtime);
        let Some(hot) = self.templates.fetch(spec, &made_of).map_err(RestoreError::Images)? else { return Ok(None) };
        let assign = self.assign_spec(spec, urgent).map_err(RestoreError::Assign)?;
        let restore = RestoreSpec { image_dir: hot.path().to_owned(), root: runtime.root.clone(), assign };
        let socket = self.isolation.restore(copy, &restore).map_err(RestoreError::Isolation)?;
        Ok(Some((socket, runtime, self.open_log(spec))))
    }

    /// Removes a template that is no good.
    async fn discard(self: &Arc<Self>, spec: &Arc<VersionSpec>) {
        self.templates.note_failure(&spec.key, self.clock.now());
        let (core, key) = (Arc::clone(self), spec.key.clone());
        let _panicked =
            hearth_tasks::blocking("removal of a template", move || core.templates.remove_image(&key)).await.is_err();
    }

    /// A copy ended before it was ready, and not because a hook of the function said so.
    pub(crate) fn distrust(self: &Arc<Self>, spec: &Arc<VersionSpec>) {
        tracing::warn!(function = %spec.key, "template discarded: a copy of it did not come to life");
        let (core, spec) = (Arc::clone(self), Arc::clone(spec));
        self.tasks.contained("removal of a template", async move { core.discard(&spec).await }, || {});
    }

    /// A copy came to life: perhaps the next start is to be an ordinary one, because that is faster.
    pub(crate) fn weigh_template(self: &Arc<Self>, spec: &Arc<VersionSpec>, took: Option<Duration>) {
        if self.templates.note_restored(spec, self.clock.now(), took) {
            tracing::info!(function = %spec.key, "template removed: the version starts faster without");
            let (core, spec) = (Arc::clone(self), Arc::clone(spec));
            let work = move || core.templates.remove_image(&spec.key);
            self.tasks.contained_blocking("removal of a template", work, || {});
        }
    }

    /// A sandbox of the version initialised by itself: perhaps the next is to have a template.
    pub(crate) fn consider_template(self: &Arc<Self>, spec: &Arc<VersionSpec>, init: Duration, took: Option<Duration>) {
        if !self.stopping.is_cancelled()
            && !self.templates.may_have(&spec.key)
            && self.templates.note_cold_start(spec, self.clock.now(), init, took)
        {
            let _awaited_by_nobody = self.begin_template(spec);
        }
    }
}
