//! Making a template: a sandbox of its own is initialised, saved and gone.

use std::sync::Arc;
use std::time::Duration;

use hearth_agent_proto::{Init, RUNTIME_API_PORT, Renewal, ToAgent};
use hearth_engine::Purpose;
use hearth_engine::port::{PrepareError, Prepared};
use hearth_runtimes::RuntimeDefinition;
use hearth_sandbox::{AssignSpec, BlankSpec, Parking};
use hearth_types::{SandboxId, VersionSpec};
use tokio::sync::watch;

use super::{
    CREDENTIALS_BEFORE_SAVE, CREDENTIALS_OF_COPY, MADE_OF, Making, Outcome, credentials_json, image_key, lock,
};
use crate::core::Core;
use crate::env::SNAP_START;
use crate::link::Link;
use crate::report::SystemLines;
use crate::sandbox::{Assigned, Sandbox, StartFailure};
use crate::session::{Session, chain};
use crate::start::{Assignment, cpu_millis};

/// Longest initialisation before a save; Lambda's for SnapStart, where the function's own time-out is not longer.
const INIT_MAX: Duration = Duration::from_secs(130);
/// How long the agent may take to let go of its daemon.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// Why a template was not made: the function's doing, or this host's.
enum MakeError {
    Function(PrepareError),
    /// The version runs all the same, without one.
    Host(String),
}

impl MakeError {
    fn host(error: &dyn std::error::Error) -> Self {
        Self::Host(chain(error))
    }
}

/// Makes sure that there is a template of this version.
pub(crate) async fn prepare(core: Arc<Core>, spec: Arc<VersionSpec>) -> Outcome {
    if let Err(reason) = core.templates.images_for(&spec) {
        return Ok(Prepared::Plain { reason });
    }
    let mut making = core.begin_template(&spec);
    match making.wait_for(Option::is_some).await.map(|outcome| outcome.clone()) {
        Ok(Some(outcome)) => outcome,
        Ok(None) | Err(_) => Err(PrepareError::Interrupted("the node is shutting down".to_owned())),
    }
}

impl Core {
    /// Starts making a template, unless that is under way.
    pub(super) fn begin_template(self: &Arc<Self>, spec: &Arc<VersionSpec>) -> Making {
        let mut making = lock(&self.templates.making);
        if let Some(under_way) = making.get(&spec.key) {
            return under_way.clone();
        }
        let (sender, receiver) = watch::channel(None);
        making.insert(spec.key.clone(), receiver.clone());
        let (core, spec) = (Arc::clone(self), Arc::clone(spec));
        let clean_up = {
            let (core, key) = (Arc::clone(self), spec.key.clone());
            // Whoever waits for it sees that nobody makes it any more.
            move || drop(lock(&core.templates.making).remove(&key))
        };
        let work = async move {
            let outcome = core.make_template(&spec).await;
            lock(&core.templates.making).remove(&spec.key);
            if lock(&core.templates.dropped).remove(&spec.key) {
                let (core, key) = (Arc::clone(&core), spec.key.clone());
                let _panicked =
                    hearth_tasks::blocking("removal of a template", move || core.templates.remove_image(&key))
                        .await
                        .is_err();
            }
            sender.send_replace(Some(outcome));
        };
        self.tasks.contained("making of a template", work, clean_up);
        receiver
    }

    async fn make_template(self: &Arc<Self>, spec: &Arc<VersionSpec>) -> Outcome {
        let runtime = match self.runtime_for_copies(spec).await {
            Ok(runtime) => runtime,
            Err(reason) => return Ok(Prepared::Plain { reason }),
        };
        let made_of = self.made_of(spec, &runtime);
        let _turn = self.templates.saves.turn(spec.key.account.as_str()).await;
        if self.stopping.is_cancelled() {
            return Err(PrepareError::Interrupted("the node is shutting down".to_owned()));
        }
        let (core, wanted, parts) = (Arc::clone(self), Arc::clone(spec), made_of.clone());
        let there = hearth_tasks::blocking("look for a template", move || core.templates.fetch(&wanted, &parts));
        if matches!(there.await, Ok(Ok(Some(_)))) {
            return Ok(Prepared::FromTemplate);
        }
        let id = self.templates.next_id();
        let sandbox = Sandbox::to_be_saved(id);
        let result = tokio::select! {
            result = self.initialise_and_save(&sandbox, spec, &runtime, made_of) => result,
            () = self.stopping.cancelled() => {
                Err(MakeError::Function(PrepareError::Interrupted("the node is shutting down".to_owned())))
            }
        };
        self.end(id).await;
        match result {
            Ok(()) => Ok(Prepared::FromTemplate),
            Err(error) => {
                self.templates.note_failure(&spec.key, self.clock.now());
                match error {
                    MakeError::Function(error) => Err(error),
                    MakeError::Host(reason) => {
                        tracing::warn!(function = %spec.key, reason, "no template could be made");
                        Ok(Prepared::Plain { reason })
                    }
                }
            }
        }
    }

    /// The version's runtime, if it can be saved and restored; else why not.
    async fn runtime_for_copies(self: &Arc<Self>, spec: &Arc<VersionSpec>) -> Result<Arc<RuntimeDefinition>, String> {
        let (core, wanted) = (Arc::clone(self), Arc::clone(spec));
        let found = hearth_tasks::blocking("look for a runtime", move || core.runtimes.get(&wanted.runtime)).await;
        let runtime = found.ok().flatten().ok_or_else(|| format!("runtime {} is not installed", spec.runtime))?;
        if runtime.renews_copies() {
            return Ok(runtime);
        }
        let name = &runtime.name;
        Err(format!("runtime {name} does not renew restored copies; add it again: hearth runtime add {name}"))
    }

    /// What an image of this version is bound to.
    pub(super) fn made_of(&self, spec: &VersionSpec, runtime: &RuntimeDefinition) -> String {
        let spec = serde_json::to_string(spec).unwrap_or_default();
        format!("{}\nruntime {}\n{spec}", self.templates.made_by, runtime.digest)
    }

    async fn initialise_and_save(
        self: &Arc<Self>,
        sandbox: &Arc<Sandbox>,
        spec: &Arc<VersionSpec>,
        runtime: &Arc<RuntimeDefinition>,
        made_of: String,
    ) -> Result<(), MakeError> {
        let assign = self.initialise(sandbox, spec, runtime).await?;
        let Some(assigned) = sandbox.assigned.get() else {
            return Err(MakeError::Host("the sandbox was never assigned".to_owned()));
        };
        if tokio::time::timeout(LEAVE_MAX, assigned.link.leave()).await.is_err() {
            return Err(MakeError::Host("the agent does not let go".to_owned()));
        }
        let (core, spec, id) = (Arc::clone(self), Arc::clone(spec), sandbox.id);
        let saved = hearth_tasks::background("save", move || core.save(id, &spec, &assign, &made_of));
        saved.await.unwrap_or_else(|panicked| Err(MakeError::host(&panicked)))
    }

    fn save(&self, id: SandboxId, spec: &VersionSpec, assign: &AssignSpec, made_of: &str) -> Result<(), MakeError> {
        let images = self.templates.images_for(spec).map_err(MakeError::Host)?;
        let draft = images.draft().map_err(|error| MakeError::host(&error))?;
        self.isolation.save(id, assign, draft.path()).map_err(|error| MakeError::host(&error))?;
        fs_err::write(draft.path().join(MADE_OF), made_of).map_err(|error| MakeError::host(&error))?;
        let key = image_key(&spec.key);
        images.keep(&spec.key.account, key, draft).map_err(|error| MakeError::host(&error))?;
        lock(&self.templates.known).insert((spec.key.account.clone(), key));
        tracing::info!(function = %spec.key, "saved a template");
        Ok(())
    }

    /// Starts the version in a new sandbox and waits until it has initialised.
    async fn initialise(
        self: &Arc<Self>,
        sandbox: &Arc<Sandbox>,
        spec: &Arc<VersionSpec>,
        runtime: &Arc<RuntimeDefinition>,
    ) -> Result<AssignSpec, MakeError> {
        // Nobody's call waits for it.
        sandbox.state().cpu_weight_millis = Some(cpu_millis(spec.memory_mib));
        self.hasten_later(sandbox);
        let (core, wanted, root, id) = (Arc::clone(self), Arc::clone(spec), runtime.root.clone(), sandbox.id);
        let made = hearth_tasks::blocking("making of a sandbox", move || {
            let assign = core.assign_spec(&wanted, false).map_err(|error| MakeError::host(&error))?;
            core.isolation
                .create(&BlankSpec { id, root, parking: Parking::None, urgent: false })
                .map_err(|error| MakeError::host(&error))?;
            let socket = core.isolation.assign(id, &assign).map_err(|error| MakeError::host(&error))?;
            Ok((assign, socket, core.open_log(&wanted)))
        });
        let (assign, socket, (stream, log)) = made.await.unwrap_or_else(|panicked| Err(MakeError::host(&panicked)))?;
        let link = Link::new(socket).map_err(|error| MakeError::host(&error))?;
        let wall = self.clock.wall();
        if let Some(line) = SystemLines::of(spec).init_start(wall, SNAP_START) {
            log.append(wall.as_millis(), line.into());
        }
        // It is saved with the process: what is below it differs from copy to copy, the secret does not.
        let secret = uuid::Uuid::new_v4().simple().to_string();
        let renewal = self.renewal(spec, &secret, &stream, CREDENTIALS_BEFORE_SAVE);
        let assignment = Assignment { spec: Arc::clone(spec), attempt: None, purpose: Purpose::Prewarm, urgent: true };
        let mut init = self.init_message(&assignment, runtime, &stream);
        make_restorable(&mut init, &secret);
        sandbox.state().init_since = Some(self.clock.now());
        // A link that takes nothing ends its session, which reports it.
        let _stuck = link.send(&ToAgent::Renew(renewal)).and_then(|()| link.send(&ToAgent::Init(init))).is_err();
        if sandbox.assigned.set(Assigned { spec: Arc::clone(spec), purpose: Purpose::Prewarm, link, log }).is_err() {
            return Err(MakeError::Host("the sandbox was assigned before".to_owned()));
        }
        self.give_notice(sandbox, spec);
        let limit = INIT_MAX.max(Duration::from_millis(spec.timeout_ms));
        Session::new(Arc::clone(self), Arc::clone(sandbox), limit).run().await;
        let (initialised, failure) = {
            let mut state = sandbox.state();
            (state.initialised, state.start_failure.take())
        };
        self.write_snapshot_report(sandbox, failure.clone().filter(|_| !initialised));
        if initialised { Ok(assign) } else { Err(MakeError::Function(cause(failure))) }
    }

    /// What is a copy's own.
    pub(super) fn renewal(
        &self,
        spec: &VersionSpec,
        secret: &str,
        stream: &str,
        lasting: Duration,
    ) -> Renewal<'static> {
        let credentials = self.catalogue.session(spec);
        let expire = jiff::Timestamp::now() + lasting;
        Renewal {
            secret: secret.to_owned().into(),
            credentials: credentials_json(&credentials, expire).into(),
            variables: serde_json::json!({"AWS_LAMBDA_LOG_STREAM_NAME": stream}).to_string().into(),
        }
    }

    pub(crate) fn renewal_of_copy(&self, spec: &VersionSpec, stream: &str) -> Renewal<'static> {
        // The secret is in the image: the agent keeps the one that it was given first.
        self.renewal(spec, "", stream, CREDENTIALS_OF_COPY)
    }
}

/// As Lambda starts what is to be saved: no credentials that would be saved with it, but where to get them.
fn make_restorable(init: &mut Init, secret: &str) {
    const SAVED_WITH_IT: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    init.environment.retain(|(name, _)| !SAVED_WITH_IT.contains(&name.as_str()));
    let base = format!("http://127.0.0.1:{RUNTIME_API_PORT}/hearth/{secret}");
    for (name, value) in [
        ("AWS_LAMBDA_INITIALIZATION_TYPE", SNAP_START.to_owned()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{base}/credentials")),
        ("HEARTH_VARIABLES_URI", format!("{base}/variables")),
    ] {
        match init.environment.iter_mut().find(|(present, _)| present == name) {
            Some((_, present)) => *present = value,
            None => init.environment.push((name.to_owned(), value)),
        }
    }
}

fn cause(failure: Option<StartFailure>) -> PrepareError {
    let function =
        |error_type: &str, message: String| PrepareError::Function { error_type: error_type.to_owned(), message };
    match failure {
        Some(StartFailure::Reported { error_type, payload }) => {
            let message = serde_json::from_slice::<serde_json::Value>(&payload).ok();
            let message = message.and_then(|value| value.get("errorMessage")?.as_str().map(str::to_owned));
            function(&error_type, message.unwrap_or_else(|| String::from_utf8_lossy(&payload).into_owned()))
        }
        Some(StartFailure::TimedOut) => {
            function("Sandbox.Timedout", "initialisation took longer than it may before a snapshot".to_owned())
        }
        Some(StartFailure::Exit { out_of_memory: true, .. }) => {
            function("Runtime.OutOfMemory", "initialisation needs more memory than the function has".to_owned())
        }
        Some(StartFailure::Exit { .. }) => {
            function("Runtime.ExitError", "the runtime ended while it initialised".to_owned())
        }
        None => PrepareError::Interrupted("the sandbox was lost".to_owned()),
    }
}
