//! Sandboxes that are started before anybody asks for them, and what their initialisation leaves in the log.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::port::{Provision, ProvisionFailure, Provisioned, Provisioner};
use hearth_engine::view::ProvisionProblem;
use hearth_engine::{Event, Purpose, RootId, Version};
use hearth_types::{RequestId, VersionKey, VersionSpec};

use crate::core::Core;
use crate::env::initialization_type;
use crate::node::Node;
use crate::report::{Failure, Status, SystemLines};
use crate::sandbox::{Sandbox, StartFailure};

impl Provisioner for Node {
    fn expect(&self, spec: &VersionSpec) {
        // A runtime that is not there is told of when the function is called.
        let _installed = self.core().installed_root(spec).is_some();
    }

    fn provision(&self, provision: Provision) {
        let Provision { spec, count, reserved_concurrency: reserved } = provision;
        let core = self.core();
        let version = core.version(&spec);
        let mut state = core.lock();
        state.specs.set_provisioned(&spec, count > 0);
        core.step_locked(state, core.clock.now(), Event::Provision { version, count, reserved });
    }

    fn provisioned(&self, key: &VersionKey) -> Provisioned {
        let Some(view) = self.core().lock().engine.provisioned(key) else { return Provisioned::default() };
        let failure = view.problem.map(|problem| match problem {
            ProvisionProblem::Initialisation => ProvisionFailure::Init,
            ProvisionProblem::Capacity
            | ProvisionProblem::TooLarge
            | ProvisionProblem::SandboxLost
            | ProvisionProblem::RootGone => ProvisionFailure::Capacity,
        });
        Provisioned { allocated: view.ready, available: view.idle, failure }
    }
}

impl Node {
    /// Has up to `count` sandboxes of the version idle soon, if there is room; once, and for as long as others are kept.
    pub fn prewarm(&self, spec: &Arc<VersionSpec>, count: u32) {
        let core = self.core();
        let version = core.version(spec);
        let mut state = core.lock();
        let _remembered = state.specs.remember(spec);
        core.step_locked(state, core.clock.now(), Event::Prewarm { version, count });
    }
}

impl Core {
    fn version(self: &Arc<Self>, spec: &VersionSpec) -> Version {
        let root = self.installed_root(spec).unwrap_or_else(|| self.announce_missing(spec));
        Version {
            key: Arc::new(spec.key.clone()),
            root,
            memory_mib: spec.memory_mib,
            timeout: Duration::from_millis(spec.timeout_ms),
        }
    }

    /// The engine's number for the root of the version, announced now if it was not; `None` if the runtime is not installed.
    fn installed_root(self: &Arc<Self>, spec: &VersionSpec) -> Option<RootId> {
        let known = self.lock().root(spec);
        known.or_else(|| self.announce(&spec.runtime, spec.memory_mib))
    }

    /// The runtime is not installed: the engine waits with what is provisioned until it is.
    fn announce_missing(self: &Arc<Self>, spec: &VersionSpec) -> RootId {
        let root = self.lock().number(&spec.runtime);
        self.step(Event::RootGone { root });
        root
    }

    /// These versions are no longer current, and will not be started any more.
    pub(crate) fn retire(self: &Arc<Self>, keys: Vec<VersionKey>) {
        let mut state = self.lock();
        keys.iter().for_each(|key| state.specs.forget(key));
        let keys = keys.into_iter().map(Arc::new).collect();
        self.step_locked(state, self.clock.now(), Event::Retire { keys });
    }

    /// What is provisioned has its initialisation reported by itself, and not with the first invocation.
    pub(crate) fn initialised_ahead(&self, sandbox: &Sandbox) {
        let Some(assigned) = sandbox.assigned.get().filter(|assigned| assigned.purpose == Purpose::Provisioned) else {
            return;
        };
        let took = sandbox.state().init.take().unwrap_or_default();
        let wall = self.clock.wall();
        let kind = initialization_type(assigned.purpose);
        if let Some(line) = SystemLines::of(&assigned.spec).init_report(wall, took, Status::Success, kind) {
            assigned.log.append(wall.as_millis(), line.into());
        }
    }

    /// Initialisation failed, and perhaps nobody waited for it: the function's log is where one sees it.
    pub(crate) fn init_failed_ahead(&self, sandbox: &Sandbox) {
        let Some(assigned) = sandbox.assigned.get().filter(|assigned| assigned.purpose != Purpose::Invocation) else {
            return;
        };
        let (failure, since) = {
            let state = sandbox.state();
            (state.start_failure.clone(), state.init_since)
        };
        let wall = self.clock.wall();
        let took = since.map(|since| self.clock.now() - since).unwrap_or_default();
        let failure = failure.unwrap_or(StartFailure::Exit { status: None, out_of_memory: false });
        let failure: Failure = failure.of_request(RequestId::from_random([0; 16]), assigned.spec.timeout_ms, wall);
        tracing::warn!(function = %assigned.spec.key, error = %failure.error_type, "initialisation ahead of need failed");
        let kind = initialization_type(assigned.purpose);
        let line = SystemLines::of(&assigned.spec).init_report(wall, took, failure.status(), kind);
        if let Some(line) = line {
            assigned.log.append(wall.as_millis(), line.into());
        }
    }
}
