//! Making sandboxes and giving them to versions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hearth_agent_proto::ToAgent;
use hearth_engine::Event;
use hearth_engine::port::StartKind;
use hearth_runtimes::RuntimeDefinition;
use hearth_sandbox::{AssignSpec, BlankSpec};
use hearth_types::{VersionSpec, limits};

use crate::attempt::Attempt;
use crate::core::Core;
use crate::env::init_message;
use crate::link::Link;
use crate::report::{SystemLines, log_stream_name};
use crate::sandbox::{Assigned, Sandbox};
use crate::session::{Session, chain};

/// Why a sandbox could not be given to a version: the host's fault, never the function's.
#[derive(Debug, thiserror::Error)]
enum AssignError {
    #[error("the package of the function cannot be read")]
    Package(#[source] hearth_store::ArtifactError),
    #[error("the sandbox cannot be set up")]
    Isolation(#[source] hearth_sandbox::IsolationError),
    #[error("the agent cannot be reached")]
    Agent(#[source] std::io::Error),
    #[error("runtime {name} is not installed; add it with `hearth runtime add {name}`")]
    NoRuntime { name: String },
    #[error("the sandbox was assigned before")]
    Twice,
}

impl Core {
    /// Makes a blank sandbox.
    pub(crate) fn create(self: &Arc<Self>, sandbox: Arc<Sandbox>, runtime: Arc<str>) {
        let core = Arc::clone(self);
        self.tasks.spawn_blocking(move || {
            let Some(definition) = core.runtimes.get(&runtime) else {
                core.blank_failed(&sandbox, &format!("runtime {runtime} is not installed"));
                return core.root_gone(&runtime);
            };
            let spec = BlankSpec { id: sandbox.id, root: definition.root.clone() };
            match core.isolation.create(&spec) {
                Ok(()) => {
                    // Whoever waits for it has it when this returns.
                    core.step(Event::BlankReady { sandbox: sandbox.id });
                    sandbox.state().lay_ready = true;
                }
                Err(error) => core.blank_failed(&sandbox, &chain(&error)),
            }
        });
    }

    /// Gives a blank sandbox to the version of `attempt` and starts its runtime.
    pub(crate) fn assign(self: &Arc<Self>, sandbox: Arc<Sandbox>, attempt: Arc<Attempt>) {
        {
            let mut state = sandbox.state();
            state.start_kind = if state.lay_ready { StartKind::Blank } else { StartKind::Boot };
        }
        let core = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = core.try_assign(&sandbox, &attempt).await {
                let message = chain(&error);
                tracing::error!(sandbox = %sandbox.id, function = %attempt.invocation.spec.key, error = %message, "cannot start");
                attempt.set_problem(message);
                core.destroy(sandbox);
            }
        });
    }

    async fn try_assign(self: &Arc<Self>, sandbox: &Arc<Sandbox>, attempt: &Arc<Attempt>) -> Result<(), AssignError> {
        let since = self.clock.now();
        let spec = &attempt.invocation.spec;
        let no_runtime = || AssignError::NoRuntime { name: spec.runtime.clone() };
        let runtime = self.runtimes.get(&spec.runtime).ok_or_else(no_runtime)?;
        let link = self.attach(sandbox, spec).await?;
        let wall = self.clock.wall();
        let random = uuid::Uuid::new_v4().into_bytes();
        let stream = log_stream_name(wall, &spec.key.version.to_string(), random);
        let log = self.logs.stream(&spec.key.account, &spec.log_group, &stream);
        if let Some(line) = SystemLines::of(spec).init_start(wall) {
            sandbox.state().init_tail.push(line.as_bytes());
            log.append(wall.as_millis(), line.into());
        }
        let init = self.init_message(spec, &runtime, &stream);
        let now = self.clock.now();
        {
            let mut state = sandbox.state();
            state.placement = now - since;
            state.init_since = Some(now);
        }
        // A link that takes nothing ends its session, which reports it.
        let _stuck = link.send(&ToAgent::Init(init)).is_err();
        sandbox.assigned.set(Assigned { spec: Arc::clone(spec), link, log }).map_err(|_again| AssignError::Twice)?;
        let session = Session::new(Arc::clone(self), Arc::clone(sandbox), init_limit(attempt));
        self.tasks.spawn(session.run());
        Ok(())
    }

    fn init_message(&self, spec: &VersionSpec, runtime: &RuntimeDefinition, stream: &str) -> hearth_agent_proto::Init {
        let credentials = self.catalogue.session(spec);
        init_message(spec, runtime, &credentials, stream, self.isolation.tier().function_uid_gid)
    }

    async fn attach(self: &Arc<Self>, sandbox: &Sandbox, spec: &Arc<VersionSpec>) -> Result<Link, AssignError> {
        let core = Arc::clone(self);
        let (id, spec) = (sandbox.id, Arc::clone(spec));
        let attached = tokio::task::spawn_blocking(move || {
            let assign = core.assign_spec(&spec)?;
            core.isolation.assign(id, &assign).map_err(AssignError::Isolation)
        });
        let socket = match attached.await {
            Ok(socket) => socket?,
            Err(panicked) => return Err(AssignError::Agent(std::io::Error::other(panicked))),
        };
        Link::new(socket).map_err(AssignError::Agent)
    }

    fn assign_spec(&self, spec: &VersionSpec) -> Result<AssignSpec, AssignError> {
        let task_dir = match &spec.live_dir {
            Some(dir) => PathBuf::from(dir),
            None => self.artifacts.ensure_unpacked(&spec.key.code).map_err(AssignError::Package)?,
        };
        let layers: Vec<_> = spec.layers.iter().map(|layer| layer.code).collect();
        let opt_dir = self.artifacts.merged_layers(&layers).map_err(AssignError::Package)?;
        let cores = cpu_millis(spec.memory_mib);
        Ok(AssignSpec {
            task_dir,
            opt_dir,
            tmp_mib: spec.ephemeral_storage_mib,
            memory_mib: spec.memory_mib,
            cpu_weight_millis: cores,
            cpu_limit_millis: self.config.cpu_quota.then_some(cores),
            processes_max: limits::SANDBOX_PROCESSES_MAX,
            network: spec.network,
        })
    }

    fn blank_failed(self: &Arc<Self>, sandbox: &Sandbox, message: &str) {
        tracing::error!(sandbox = %sandbox.id, error = message, "cannot make a sandbox");
        self.forget(sandbox.id);
        self.step(Event::BlankFailed { sandbox: sandbox.id });
    }
}

/// CPU in proportion to memory.
fn cpu_millis(memory_mib: u32) -> u32 {
    memory_mib.saturating_mul(1000) / limits::MEMORY_MIB_PER_CORE
}

/// Ten seconds; the second time, inside the invocation, the function's own time-out.
fn init_limit(attempt: &Attempt) -> Duration {
    if attempt.init_is_rerun() { attempt.timeout() } else { Duration::from_millis(limits::INIT_MS_MAX) }
}
