//! Making sandboxes and giving them to versions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hearth_agent_proto::{Init, ToAgent};
use hearth_engine::port::StartKind;
use hearth_engine::{Event, Purpose};
use hearth_logs::LogStream;
use hearth_runtimes::RuntimeDefinition;
use hearth_sandbox::{AssignSpec, BlankSpec, IsolationError, Parking, Readiness};
use hearth_sys::failpoint;
use hearth_types::{VersionSpec, limits};

use crate::ParkingMode;
use crate::attempt::Attempt;
use crate::core::Core;
use crate::destroy::RETRY_PAUSE;
use crate::env::{init_message, initialization_type, park_message, zygote_of};
use crate::link::Link;
use crate::notice;
use crate::report::{SystemLines, log_stream_name};
use crate::roots::Root;
use crate::sandbox::{Assigned, Sandbox};
use crate::session::{Session, chain};

/// How long a start that is not urgent gives way to everything else.
const GIVES_WAY_MAX: Duration = Duration::from_millis(500);
/// Launchers that may die over the making of one sandbox.
const LAUNCHERS_MAX: u32 = 8;

/// What a blank sandbox is given to.
pub(crate) struct Assignment {
    pub(crate) spec: Arc<VersionSpec>,
    /// Who waits for it; another may get it.
    pub(crate) attempt: Option<Arc<Attempt>>,
    pub(crate) purpose: Purpose,
    /// It may delay others.
    pub(crate) urgent: bool,
}

/// A sandbox that has its version's code, and what was looked up or made for it beside that.
pub(crate) struct Attached {
    pub(crate) link: Link,
    pub(crate) runtime: Arc<RuntimeDefinition>,
    /// The name of its log stream, and the stream.
    pub(crate) log: (String, LogStream),
}

/// Why a sandbox could not be given to a version: the host's fault, never the function's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssignError {
    #[error("the package of the function cannot be read")]
    Package(#[source] hearth_packages::PackageError),
    #[error("the sandbox cannot be set up")]
    Isolation(#[source] IsolationError),
    #[error("the agent cannot be reached")]
    Agent(#[source] std::io::Error),
    #[error("the file system of the function's live directory {dir} does not answer")]
    LiveDir { dir: String },
    #[error("runtime {name} is not installed; add it with `hearth runtime add {name}`")]
    NoRuntime { name: String },
    #[error("the sandbox was assigned before")]
    Twice,
}

impl AssignError {
    fn is_of_launcher(&self) -> bool {
        matches!(self, Self::Isolation(IsolationError::LauncherGone))
    }
}

impl Core {
    /// Makes a blank sandbox.
    pub(crate) fn create(self: &Arc<Self>, sandbox: Arc<Sandbox>, root: Root, urgent: bool) {
        if !urgent {
            self.hasten_later(&sandbox);
        }
        let (core, made) = (Arc::clone(self), Arc::clone(&sandbox));
        let clean_up = {
            let core = Arc::clone(self);
            move || core.blank_failed(&made, "a panic")
        };
        let work = move || {
            failpoint("create");
            let Some(definition) = core.runtimes.get(&root.runtime) else {
                core.blank_failed(&sandbox, &format!("runtime {} is not installed", root.runtime));
                return core.root_gone(&root.runtime);
            };
            let uid_gid = core.isolation.tier().function_uid_gid;
            let parked_mib = root.fit.parked_mib();
            let park = parked_mib.and_then(|parked_mib| park_message(&definition, parked_mib, uid_gid));
            let mode = core.config.parking;
            let park = park.filter(|_| mode != ParkingMode::None);
            let zygote = zygote_of(&definition).filter(|_| mode == ParkingMode::Zygote);
            let parking = match (park, zygote) {
                (None, _) => Parking::None,
                (Some(park), None) => Parking::Exec(park),
                (Some(park), Some(zygote)) => Parking::Zygote(park, zygote),
            };
            let spec = BlankSpec { id: sandbox.id, root: definition.root.clone(), parking, urgent };
            match core.create_with_any_launcher(&spec, &sandbox) {
                Ok(readiness) => {
                    {
                        let mut state = sandbox.state();
                        (state.readiness, state.parked_mib) = (readiness, parked_mib);
                    }
                    // Whoever waits for it has it when this returns.
                    core.step(Event::BlankReady { sandbox: sandbox.id });
                    sandbox.state().lay_ready = true;
                }
                Err(error) => core.blank_failed(&sandbox, &chain(&error)),
            }
        };
        self.tasks.contained_blocking("making of a sandbox", work, clean_up);
    }

    /// It is no failure of the sandbox if a launcher dies over it. Of one that kills them all there is an end.
    fn create_with_any_launcher(&self, spec: &BlankSpec, sandbox: &Sandbox) -> Result<Readiness, IsolationError> {
        let mut tries = 1;
        loop {
            match self.isolation.create(spec) {
                Err(IsolationError::LauncherGone) if tries < LAUNCHERS_MAX && !sandbox.is_doomed() => tries += 1,
                result => return result,
            }
        }
    }

    /// Gives a blank sandbox to a version and starts its runtime.
    pub(crate) fn assign(self: &Arc<Self>, sandbox: Arc<Sandbox>, assignment: Assignment) {
        {
            let mut state = sandbox.state();
            state.start_kind = if state.lay_ready { StartKind::Blank } else { StartKind::Boot };
        }
        let clean_up = self.gives_up(&sandbox);
        let core = Arc::clone(self);
        let work = async move {
            failpoint("start");
            if let Err(error) = core.try_assign(&sandbox, &assignment).await {
                let message = chain(&error);
                // What is ended on its way is no fault.
                if sandbox.is_doomed() || core.ended.is_cancelled() {
                    tracing::debug!(sandbox = %sandbox.id, error = %message, "ended while it started");
                } else {
                    let function = &assignment.spec.key;
                    tracing::error!(sandbox = %sandbox.id, %function, error = %message, "cannot start");
                }
                if let Some(attempt) = &assignment.attempt {
                    attempt.set_problem(message);
                }
                // Nobody hears of the end of blank ones before they are needed.
                if error.is_of_launcher() || core.isolation.has_died(sandbox.id) {
                    core.lost(&sandbox);
                }
                core.destroy(sandbox);
            }
        };
        self.tasks.contained("start", work, clean_up);
    }

    /// Whoever waits for the sandbox gets another.
    fn gives_up(self: &Arc<Self>, sandbox: &Arc<Sandbox>) -> impl FnOnce() + Send + 'static {
        let (core, sandbox) = (Arc::clone(self), Arc::clone(sandbox));
        move || {
            core.lost(&sandbox);
            core.destroy(sandbox);
        }
    }

    async fn try_assign(self: &Arc<Self>, sandbox: &Arc<Sandbox>, assignment: &Assignment) -> Result<(), AssignError> {
        let since = self.clock.now();
        let (spec, purpose) = (&assignment.spec, assignment.purpose);
        {
            let mut state = sandbox.state();
            (state.gives_way, state.hastened) = (!assignment.urgent, false);
            state.cpu_weight_millis = Some(cpu_millis(spec.memory_mib));
        }
        if !assignment.urgent {
            self.hasten_later(sandbox);
        }
        let restored = self.restore(sandbox, assignment).await;
        let is_copy = restored.is_some();
        let Attached { link, runtime, log: (stream, log) } = match restored {
            Some(attached) => attached,
            None => self.attach(sandbox, assignment).await?,
        };
        let wall = self.clock.wall();
        let lines = SystemLines::of(spec);
        let first =
            if is_copy { lines.restore_start(wall) } else { lines.init_start(wall, initialization_type(purpose)) };
        if let Some(line) = first {
            // Lambda's tails do not begin with `INIT_START`.
            if is_copy {
                sandbox.state().init_tail.push(line.as_bytes());
            }
            log.append(wall.as_millis(), line.into());
        }
        let now = self.clock.now();
        {
            let mut state = sandbox.state();
            state.placement = now - since;
            state.init_since = Some(now);
        }
        // A link that takes nothing ends its session, which reports it.
        let _stuck = if is_copy {
            sandbox.state().start_kind = StartKind::Template;
            link.send(&ToAgent::Renew(self.renewal_of_copy(spec, &stream))).is_err()
        } else {
            let mut init = self.init_message(assignment, &runtime, &stream);
            init.parked = sandbox.state().use_parked(&runtime, spec.memory_mib, &init.environment);
            link.send(&ToAgent::Init(init)).is_err()
        };
        let assigned = Assigned { spec: Arc::clone(spec), purpose, link, log };
        sandbox.assigned.set(assigned).map_err(|_again| AssignError::Twice)?;
        let session = Session::new(Arc::clone(self), Arc::clone(sandbox), assignment.init_limit());
        let (core, talked_to) = (Arc::clone(self), Arc::clone(sandbox));
        self.tasks.contained("session", session.run(), move || core.session_ended(&talked_to));
        self.give_notice(sandbox, spec);
        Ok(())
    }

    /// Tells the function's log what it does not get; nothing waits for that.
    pub(crate) fn give_notice(self: &Arc<Self>, sandbox: &Arc<Sandbox>, spec: &Arc<VersionSpec>) {
        if !spec.tracing_active && spec.layers.is_empty() {
            return;
        }
        let (core, sandbox, spec) = (Arc::clone(self), Arc::clone(sandbox), Arc::clone(spec));
        let work = move || {
            let layers: Vec<_> = spec.layers.iter().map(|layer| layer.code).collect();
            let opt_dir = core.packages.merged_layers(&layers).ok().flatten();
            let wall = core.clock.wall();
            let Some(assigned) = sandbox.assigned.get() else { return };
            for line in notice::lines(&spec, opt_dir.as_deref(), wall) {
                assigned.log.append(wall.as_millis(), line.into());
            }
        };
        self.tasks.contained_blocking("notice", work, || {});
    }

    pub(crate) fn init_message(&self, assignment: &Assignment, runtime: &RuntimeDefinition, stream: &str) -> Init {
        let spec = &assignment.spec;
        let credentials = self.catalogue.session(spec);
        init_message(spec, runtime, &credentials, stream, assignment.purpose, self.isolation.tier().function_uid_gid)
    }

    async fn attach(self: &Arc<Self>, sandbox: &Sandbox, assignment: &Assignment) -> Result<Attached, AssignError> {
        let hangs = |dir: &String| AssignError::LiveDir { dir: dir.clone() };
        let attaching = match &assignment.spec.live_dir {
            Some(dir) => {
                let account = &assignment.spec.key.account;
                Some(self.live_dirs.begin(account).await.ok_or_else(|| hangs(dir))?)
            }
            None => None,
        };
        let core = Arc::clone(self);
        let (id, spec, urgent) = (sandbox.id, Arc::clone(&assignment.spec), assignment.is_urgent(sandbox));
        let account = assignment.spec.key.account.as_str();
        let attached = self.starts.blocking(account, "assignment", move || {
            let runtime = core.runtimes.get(&spec.runtime);
            let runtime = runtime.ok_or_else(|| AssignError::NoRuntime { name: spec.runtime.clone() })?;
            let assign = core.assign_spec(&spec, urgent)?;
            let socket = core.isolation.assign(id, &assign).map_err(AssignError::Isolation)?;
            Ok((socket, runtime, core.open_log(&spec)))
        });
        let (socket, runtime, log) = match attached.await {
            Ok(Err(AssignError::Isolation(IsolationError::Hangs { ended, .. }))) => {
                if let Some(attaching) = attaching {
                    self.tasks.contained("live directory", self.until_ended(attaching.until(ended)), || {});
                }
                return Err(hangs(assignment.spec.live_dir.as_ref().unwrap_or(&String::new())));
            }
            Ok(attached) => attached?,
            Err(panicked) => return Err(AssignError::Agent(std::io::Error::other(panicked))),
        };
        Ok(Attached { link: Link::new(socket).map_err(AssignError::Agent)?, runtime, log })
    }

    /// A new log stream of the version, and its name. May wait for others who open theirs.
    pub(crate) fn open_log(&self, spec: &VersionSpec) -> (String, LogStream) {
        let random = uuid::Uuid::new_v4().into_bytes();
        let stream = log_stream_name(self.clock.wall(), &spec.key.version.to_string(), random);
        let log = self.logs.stream(&spec.key.home(), &spec.log_group, &stream);
        (stream, log)
    }

    pub(crate) fn assign_spec(&self, spec: &VersionSpec, urgent: bool) -> Result<AssignSpec, AssignError> {
        let task_dir = match &spec.live_dir {
            Some(dir) => PathBuf::from(dir),
            None => self.packages.ensure_unpacked(&spec.key.code).map_err(AssignError::Package)?,
        };
        let task_dir_may_hang = spec.live_dir.is_some();
        let layers: Vec<_> = spec.layers.iter().map(|layer| layer.code).collect();
        let opt_dir = self.packages.merged_layers(&layers).map_err(AssignError::Package)?;
        let cores = cpu_millis(spec.memory_mib);
        Ok(AssignSpec {
            task_dir,
            task_dir_may_hang,
            opt_dir,
            tmp_mib: spec.ephemeral_storage_mib,
            memory_mib: spec.memory_mib,
            cpu_weight_millis: cores,
            cpu_limit_millis: self.config.cpu_quota.then_some(cores),
            processes_max: limits::SANDBOX_PROCESSES_MAX,
            network: spec.network,
            urgent,
        })
    }

    /// `work`, or as much of it as there is time for.
    fn until_ended(
        self: &Arc<Self>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let ended = self.ended.clone();
        async move {
            tokio::select! {
                () = work => {}
                () = ended.cancelled() => {}
            }
        }
    }

    /// What gives way to others does so only for a while: where all cores are busy for long, it would never be ready.
    pub(crate) fn hasten_later(self: &Arc<Self>, sandbox: &Arc<Sandbox>) {
        let (core, sandbox) = (Arc::clone(self), Arc::downgrade(sandbox));
        let work = async move {
            tokio::select! {
                () = tokio::time::sleep(GIVES_WAY_MAX) => {}
                () = core.ended.cancelled() => return,
            }
            if let Some(sandbox) = sandbox.upgrade() {
                core.hasten_soon(&sandbox);
            }
        };
        self.tasks.contained("giving way", work, || {});
    }

    /// The kernel may take its time over it.
    pub(crate) fn hasten_soon(self: &Arc<Self>, sandbox: &Arc<Sandbox>) {
        let (core, sandbox) = (Arc::clone(self), Arc::clone(sandbox));
        self.tasks.contained_blocking("hastening", move || core.hasten(&sandbox), || {});
    }

    /// From now on the sandbox has its share of the processors.
    fn hasten(&self, sandbox: &Sandbox) {
        // Held meanwhile, so that it is not given to a version, with another weight, in between.
        let mut state = sandbox.state();
        state.hastened = true;
        for id in [sandbox.place()].into_iter().chain(state.restoring) {
            if let Err(error) = self.isolation.hasten(id, state.cpu_weight_millis) {
                // As after the end of a sandbox.
                tracing::debug!(sandbox = %id, error = %chain(&error), "cannot be hastened");
            }
        }
    }

    fn blank_failed(self: &Arc<Self>, sandbox: &Sandbox, message: &str) {
        self.destroy_until_gone(sandbox.id, RETRY_PAUSE, |_| {});
        if sandbox.is_doomed() || self.ended.is_cancelled() {
            tracing::debug!(sandbox = %sandbox.id, error = message, "ended while it was made");
        } else {
            tracing::error!(sandbox = %sandbox.id, error = message, "cannot make a sandbox");
        }
        self.forget(sandbox.id);
        self.step(Event::BlankFailed { sandbox: sandbox.id });
    }
}

/// CPU in proportion to memory.
pub(crate) fn cpu_millis(memory_mib: u32) -> u32 {
    memory_mib.saturating_mul(1000) / limits::MEMORY_MIB_PER_CORE
}

impl Assignment {
    /// Whether it may delay others, or has waited for them long enough.
    pub(crate) fn is_urgent(&self, sandbox: &Sandbox) -> bool {
        self.urgent || sandbox.state().hastened
    }

    /// Ten seconds; the second time, inside the invocation, the function's own time-out; more where nobody waits for it.
    fn init_limit(&self) -> Duration {
        let timeout_ms = self.spec.timeout_ms;
        let rerun = self.attempt.as_ref().is_some_and(|attempt| attempt.init_is_rerun());
        Duration::from_millis(match self.purpose {
            Purpose::Provisioned => timeout_ms.max(limits::PROVISIONED_INIT_MS_MAX),
            Purpose::Invocation if rerun => timeout_ms,
            Purpose::Invocation | Purpose::Prewarm => limits::INIT_MS_MAX,
        })
    }
}
