//! The performer: feeds the engine with what happens and does what it answers.
//!
//! ```text
//!  invoke ──► step(Event) ──► engine ──► [Action] ──► perform: sandboxes, agents, replies
//!                 ▲                                      │
//!                 └── session tasks, start tasks, timers ┘
//! ```
//!
//! One short lock guards the engine and the two maps beside it; nothing is awaited, read or written under it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hearth_agent_proto::{InvokeHead, ToAgent};
use hearth_engine::capacity::{InstanceId, PoolName};
use hearth_engine::port::{CapacitySource, Catalogue, InvokeError, StartKind, Timeline};
use hearth_engine::view::EngineView;
use hearth_engine::{Action, ColdReason, Demand, Engine, Event, FailReason, Purpose, RootId, Start, Ticket};
use hearth_logs::LogStore;
use hearth_runtimes::Runtimes;
use hearth_sandbox::Isolation;
use hearth_store::Artifacts;
use hearth_store::Store;
use hearth_types::{Instant, LogFormat, SandboxId, Timestamp, VersionSpec};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::NodeConfig;
use crate::async_invoke::AsyncState;
use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::env::initialization_type;
use crate::metrics::Metrics;
use crate::report::{Failure, Report, Status, SystemLines};
use crate::roots::{Root, Roots};
use crate::sandbox::{Assigned, LogTail, Running, Sandbox, StartFailure};
use crate::specs::Specs;
use crate::start::Assignment;
use crate::template::{TemplateParts, TemplateShop};
use crate::tunnel::TunnelServer;

/// How often the memory of one sandbox is read at most.
const MEMORY_READ_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: NodeConfig,
    pub(crate) clock: Clock,
    pub(crate) isolation: Arc<dyn Isolation>,
    pub(crate) runtimes: Arc<Runtimes>,
    pub(crate) artifacts: Arc<Artifacts>,
    pub(crate) logs: Arc<LogStore>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) catalogue: Arc<dyn Catalogue>,
    pub(crate) tunnels: Arc<dyn TunnelServer>,
    pub(crate) tasks: TaskTracker,
    /// Nothing new is taken.
    pub(crate) stopping: CancellationToken,
    /// Nothing runs any more.
    pub(crate) ended: CancellationToken,
    pub(crate) wake: tokio::sync::watch::Sender<Option<Instant>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) async_state: AsyncState,
    pub(crate) templates: TemplateShop,
    pub(crate) capacity_source: OnceLock<Arc<dyn CapacitySource>>,
    next_ticket: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) engine: Engine,
    attempts: HashMap<Ticket, Arc<Attempt>>,
    sandboxes: HashMap<SandboxId, Arc<Sandbox>>,
    roots: Roots,
    pub(crate) specs: Specs,
}

/// An action with everything that performing it needs.
enum Effect {
    Create { sandbox: Arc<Sandbox>, root: Root },
    Assign { sandbox: Arc<Sandbox>, assignment: Assignment },
    Dispatch { sandbox: Arc<Sandbox>, attempt: Arc<Attempt>, start: Start },
    Withdraw { sandbox: Arc<Sandbox>, ticket: Ticket },
    SetFrozen(Arc<Sandbox>),
    Destroy(Arc<Sandbox>),
    Refuse { attempt: Arc<Attempt>, error: InvokeError },
    StartFailed { attempt: Arc<Attempt>, sandbox: Option<Arc<Sandbox>> },
    Wake(Instant),
    Acquire { pool: PoolName, count: u32, memory_mib: u64 },
    Release(InstanceId),
}

/// What the node works with.
#[derive(Debug)]
pub struct Parts {
    pub config: NodeConfig,
    pub isolation: Arc<dyn Isolation>,
    pub runtimes: Arc<Runtimes>,
    pub artifacts: Arc<Artifacts>,
    pub logs: Arc<LogStore>,
    pub store: Arc<dyn Store>,
    pub catalogue: Arc<dyn Catalogue>,
    pub tunnels: Arc<dyn TunnelServer>,
    pub templates: TemplateParts,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let engine = Engine::new(parts.config.engine.clone());
        Arc::new(Self {
            clock: Clock::start(),
            isolation: Arc::clone(&parts.isolation),
            runtimes: parts.runtimes,
            artifacts: parts.artifacts,
            logs: parts.logs,
            store: parts.store,
            catalogue: parts.catalogue,
            tunnels: parts.tunnels,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            ended: CancellationToken::new(),
            wake: tokio::sync::watch::Sender::new(None),
            metrics: Arc::default(),
            async_state: AsyncState::default(),
            templates: TemplateShop::new(parts.templates, parts.isolation.as_ref()),
            capacity_source: OnceLock::new(),
            next_ticket: AtomicU64::new(1),
            state: Mutex::new(State {
                engine,
                attempts: HashMap::new(),
                sandboxes: HashMap::new(),
                roots: Roots::default(),
                specs: Specs::default(),
            }),
            config: parts.config,
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_ticket(&self) -> Ticket {
        Ticket(self.next_ticket.fetch_add(1, Ordering::Relaxed))
    }

    /// Sandboxes of this runtime, for functions of this memory size, are made ahead of need from now on. Returns the engine's
    /// number for them, `None` if the runtime is not installed. Reads the disk: not for the warm path.
    pub(crate) fn announce(self: &Arc<Self>, runtime: &str, memory_mib: u32) -> Option<RootId> {
        let sized = self.runtimes.get(runtime)?.parks_by_size();
        let mut state = self.lock();
        let root = state.roots.announce(runtime, memory_mib, sized);
        let now = self.clock.now();
        self.step_locked(state, now, Event::RootAvailable { root });
        Some(root)
    }

    /// The runtime was removed: no sandbox can be made of it until it is announced again.
    pub(crate) fn root_gone(self: &Arc<Self>, runtime: &str) {
        let gone = self.lock().roots.withdraw(runtime);
        for root in gone {
            self.step(Event::RootGone { root });
        }
    }

    /// Asks the engine for a sandbox for this attempt.
    pub(crate) fn admit(self: &Arc<Self>, attempt: &Arc<Attempt>) {
        let spec = &attempt.invocation.spec;
        let mut state = self.lock();
        let root = match state.root(spec) {
            Some(root) => root,
            None => {
                drop(state);
                let Some(root) = self.announce(&spec.runtime, spec.memory_mib) else {
                    return attempt.refuse(not_installed(&spec.runtime));
                };
                state = self.lock();
                root
            }
        };
        let now = self.clock.now();
        state.attempts.insert(attempt.ticket, Arc::clone(attempt));
        let demand = Demand {
            key: Arc::new(spec.key.clone()),
            root,
            memory_mib: spec.memory_mib,
            reserved: attempt.invocation.reserved_concurrency,
            account_unreserved: attempt.invocation.account_unreserved,
            timeout: attempt.timeout(),
            wishes: attempt.invocation.wishes.clone(),
            queue_deadline: now + self.config.queue_timeout,
        };
        self.step_locked(state, now, Event::Invoke { ticket: attempt.ticket, demand });
    }

    /// Tells the engine what happened and performs what it decides.
    pub(crate) fn step(self: &Arc<Self>, event: Event) {
        let now = self.clock.now();
        self.step_locked(self.lock(), now, event);
    }

    pub(crate) fn step_locked(self: &Arc<Self>, mut state: MutexGuard<'_, State>, now: Instant, event: Event) {
        let mut actions = Vec::new();
        state.engine.step(now, event, &mut actions);
        if actions.is_empty() {
            return;
        }
        let effects: Vec<Effect> = actions.into_iter().filter_map(|action| state.effect(action)).collect();
        drop(state);
        for effect in effects {
            self.perform(effect);
        }
    }

    fn perform(self: &Arc<Self>, effect: Effect) {
        match effect {
            Effect::Create { sandbox, root } => self.create(sandbox, root),
            Effect::Assign { sandbox, assignment } => self.assign(sandbox, assignment),
            Effect::Dispatch { sandbox, attempt, start } => self.dispatch(&sandbox, attempt, start),
            Effect::Withdraw { sandbox, ticket } => withdraw(&sandbox, ticket),
            Effect::SetFrozen(sandbox) => self.set_frozen(&sandbox),
            Effect::Destroy(sandbox) => self.destroy(sandbox),
            Effect::Refuse { attempt, error } => {
                self.metrics.refused(&error);
                attempt.refuse(error);
            }
            Effect::StartFailed { attempt, sandbox } => self.start_failed(&attempt, sandbox.as_deref()),
            Effect::Wake(at) => self.wake_at(at),
            Effect::Acquire { pool, count, memory_mib } => self.acquire(pool, count, memory_mib),
            Effect::Release(instance) => self.release(instance),
        }
    }

    /// Hands an attempt to a sandbox's agent.
    fn dispatch(self: &Arc<Self>, sandbox: &Arc<Sandbox>, attempt: Arc<Attempt>, start: Start) {
        let Some(assigned) = sandbox.assigned.get() else { return };
        let now = self.clock.now();
        let wall = self.clock.wall();
        let deadline = now + attempt.timeout();
        attempt.set_deadline(deadline);
        attempt.set_sandbox(sandbox);
        let id = self.begin(sandbox, assigned, &attempt, start, (now, wall));
        let invocation = &attempt.invocation;
        let message = ToAgent::Invoke {
            id,
            head: InvokeHead {
                request_id: invocation.request_id.to_string().into(),
                invocation_id: uuid::Uuid::new_v4().to_string().into(),
                deadline_ms: (wall + attempt.timeout()).as_millis(),
                function_arn: (&*invocation.invoked_arn).into(),
                trace_id: invocation.trace_id.as_deref().map(Into::into),
                client_context: invocation.client_context.as_deref().map(Into::into),
                cognito_identity: None,
            },
            body: &invocation.payload,
        };
        if assigned.link.send(&message).is_err() {
            sandbox.closed.cancel();
        }
    }

    /// Notes the attempt as running and writes its `START` line.
    fn begin(
        &self,
        sandbox: &Sandbox,
        assigned: &Assigned,
        attempt: &Arc<Attempt>,
        start: Start,
        (now, wall): (Instant, Timestamp),
    ) -> u32 {
        let mut state = sandbox.state();
        state.last_id = state.last_id.wrapping_add(1);
        let id = state.last_id;
        let init = state.init.take();
        let (kind, placement) = (state.start_kind, state.placement);
        let before = std::mem::take(&mut state.init_tail);
        let tail = attempt.invocation.log_tail.then(|| before.behind(&attempt.take_early_log()));
        let line = SystemLines::of(&assigned.spec).start(wall, attempt.invocation.request_id);
        state.running.push_back(Running {
            id,
            attempt: Arc::clone(attempt),
            since: now,
            responded: false,
            start,
            kind,
            placement,
            init,
            tail,
            collected: None,
            writer: None,
            streamed_bytes: 0,
        });
        if let (Some(line), Some(running)) = (line, state.running.back_mut()) {
            if let Some(tail) = &mut running.tail {
                tail.push(line.as_bytes());
            }
            assigned.log.append(wall.as_millis(), line.into());
        }
        id
    }

    pub(crate) fn initialised(self: &Arc<Self>, sandbox: &Arc<Sandbox>) {
        let (init, kind) = {
            let mut state = sandbox.state();
            if state.initialised {
                return;
            }
            state.initialised = true;
            let now = self.clock.now();
            state.init = state.init_since.map(|since| now - since);
            (state.init, state.start_kind)
        };
        if sandbox.to_be_saved {
            return;
        }
        if let (Some(assigned), Some(init)) = (sandbox.assigned.get(), init)
            && kind != StartKind::Template
        {
            self.consider_template(&assigned.spec, init);
        }
        self.restored(sandbox);
        self.initialised_ahead(sandbox);
        self.step(Event::Initialised { sandbox: sandbox.id });
    }

    /// The function's answer, whole.
    pub(crate) fn respond(self: &Arc<Self>, sandbox: &Arc<Sandbox>, id: u32, content_type: &str, body: Bytes) {
        if let Some((attempt, timeline, tail)) = self.settle(sandbox, id, None) {
            self.step(Event::Responded { sandbox: sandbox.id });
            attempt.succeed(content_type, body, timeline, tail);
        }
    }

    /// The function's failure, as the runtime reported it.
    pub(crate) fn fail(self: &Arc<Self>, sandbox: &Arc<Sandbox>, id: u32, failure: &Failure) {
        if let Some((attempt, timeline, tail)) = self.settle(sandbox, id, Some(failure)) {
            self.step(Event::Responded { sandbox: sandbox.id });
            attempt.fail(failure, timeline, tail);
        }
    }

    /// Marks the running invocation `id` as answered and writes its `END` and `REPORT`. `None` if it is not under way: the
    /// agent answered twice, or the answer lost against the time-out.
    fn settle(
        &self,
        sandbox: &Sandbox,
        id: u32,
        failure: Option<&Failure>,
    ) -> Option<(Arc<Attempt>, Timeline, Option<Bytes>)> {
        let assigned = sandbox.assigned.get()?;
        let now = self.clock.now();
        let memory_bytes_max = self.memory(sandbox, now);
        let mut state = sandbox.state();
        let running = state.running.front_mut().filter(|first| first.id == id && !first.responded)?;
        running.responded = true;
        let duration = now - running.since;
        let timeline = timeline(running, Some(duration));
        let report = Report {
            duration,
            init: running.init,
            memory_bytes_max,
            status: failure.map_or(Status::Success, Failure::status),
            trace_id: running.attempt.invocation.trace_id.as_deref(),
            timeline: &timeline,
        };
        self.write_end(assigned, running.attempt.invocation.request_id, &report, failure, &mut running.tail);
        let attempt = Arc::clone(&running.attempt);
        let tail = running.tail.take().map(LogTail::into_bytes);
        drop(state);
        self.metrics.answered(&timeline, failure.is_some());
        if let Some(reason) = timeline.cold_reason {
            tell_cold(&attempt, reason, &timeline);
        }
        self.lock().attempts.remove(&attempt.ticket);
        Some((attempt, timeline, tail))
    }

    fn write_end(
        &self,
        assigned: &Assigned,
        request: hearth_types::RequestId,
        report: &Report<'_>,
        failure: Option<&Failure>,
        tail: &mut Option<LogTail>,
    ) {
        let wall = self.clock.wall();
        let lines = SystemLines::of(&assigned.spec);
        let why = failure.and_then(|failure| failure.log_line.clone());
        let why = why.filter(|_| assigned.spec.log_format == LogFormat::Text);
        for line in [why, lines.end(request), lines.report(wall, request, report)].into_iter().flatten() {
            if let Some(tail) = tail {
                tail.push(line.as_bytes());
            }
            assigned.log.append(wall.as_millis(), line.into());
        }
    }

    /// The most memory that the sandbox ever used, read at most every [`MEMORY_READ_EVERY`].
    fn memory(&self, sandbox: &Sandbox, now: Instant) -> u64 {
        {
            let state = sandbox.state();
            if state.memory_read_at.is_some_and(|at| now - at < MEMORY_READ_EVERY) {
                return state.memory_bytes_max;
            }
        }
        let usage = self.isolation.usage(sandbox.place()).unwrap_or_default();
        let mut state = sandbox.state();
        state.memory_read_at = Some(now);
        state.memory_bytes_max = state.memory_bytes_max.max(usage.memory_bytes_max);
        state.memory_bytes_max
    }

    /// Ends the attempt if its time is over. Called by whoever watches it.
    pub(crate) fn enforce_deadline(self: &Arc<Self>, attempt: &Arc<Attempt>) {
        if attempt.is_over() || attempt.deadline().is_none_or(|deadline| self.clock.now() < deadline) {
            return;
        }
        let Some(sandbox) = attempt.sandbox() else { return };
        let id = sandbox.state().running.front().filter(|first| first.attempt.ticket == attempt.ticket).map(|r| r.id);
        let Some(id) = id else { return };
        let request = attempt.invocation.request_id;
        let failure = Failure::timeout(request, attempt.invocation.spec.timeout_ms, self.clock.wall());
        self.fail_with(&sandbox, id, &failure);
        sandbox.closed.cancel();
    }

    /// Answers the running invocation with a failure that costs the sandbox its life.
    fn fail_with(self: &Arc<Self>, sandbox: &Sandbox, id: u32, failure: &Failure) {
        if let Some((attempt, timeline, tail)) = self.settle(sandbox, id, Some(failure)) {
            attempt.fail(failure, timeline, tail);
        }
    }

    /// The session ended: the runtime exited, was killed, timed out or broke the rules; or the engine gave the sandbox up.
    pub(crate) fn session_ended(self: &Arc<Self>, sandbox: &Arc<Sandbox>) {
        let out_of_memory = self.isolation.usage(sandbox.place()).is_ok_and(|usage| usage.oom_kills > 0);
        let mut distrusted = None;
        let (initialised, status, first) = {
            let mut state = sandbox.state();
            let status = state.exit;
            if !state.initialised && state.start_kind == StartKind::Template && !sandbox.is_doomed() {
                let by_hook = matches!(state.start_failure, Some(StartFailure::Reported { .. }));
                // Who did not ask for SnapStart is not to suffer from it.
                distrusted = sandbox.assigned.get().filter(|assigned| !by_hook || !assigned.spec.snap_start);
            }
            if !state.initialised && state.start_failure.is_none() {
                state.start_failure = Some(StartFailure::Exit { status, out_of_memory });
            }
            let first = state.running.front().filter(|first| !first.responded);
            (state.initialised, status, first.map(|first| (first.id, first.attempt.invocation.request_id)))
        };
        if sandbox.to_be_saved {
            return;
        }
        if let Some(assigned) = distrusted {
            self.distrust(&assigned.spec);
        }
        if let Some((id, request)) = first {
            let failure = Failure::exit(request, status, out_of_memory);
            self.fail_with(sandbox, id, &failure);
        }
        if !initialised && !sandbox.is_doomed() {
            self.init_failed_ahead(sandbox);
            self.step(Event::InitFailed { sandbox: sandbox.id });
        }
        self.destroy(Arc::clone(sandbox));
    }

    /// No sandbox came to be for this attempt.
    fn start_failed(self: &Arc<Self>, attempt: &Arc<Attempt>, sandbox: Option<&Sandbox>) {
        let failure = sandbox.and_then(|sandbox| sandbox.state().start_failure.clone());
        let failure = failure.unwrap_or(StartFailure::Exit { status: None, out_of_memory: false });
        let request = attempt.invocation.request_id;
        let spec = &attempt.invocation.spec;
        if let Some(error) = sandbox.and_then(|sandbox| self.restore_failure(sandbox, &failure)) {
            self.lock().attempts.remove(&attempt.ticket);
            self.metrics.refused(&error);
            return attempt.refuse(error);
        }
        let rerun = attempt.may_rerun_init();
        let failure = failure.of_request(request, spec.timeout_ms, self.clock.wall());
        let took = sandbox.and_then(|sandbox| sandbox.state().init_since).map(|since| self.clock.now() - since);
        let took = took.unwrap_or_default();
        let assigned = sandbox.and_then(|sandbox| sandbox.assigned.get());
        if rerun {
            if let Some(assigned) = assigned {
                let wall = self.clock.wall();
                let kind = initialization_type(assigned.purpose);
                let line = SystemLines::of(spec).init_report(wall, took, failure.status(), kind);
                if let Some(line) = line {
                    attempt.set_early_log(line.clone().into_bytes());
                    if assigned.purpose == Purpose::Invocation {
                        assigned.log.append(wall.as_millis(), line.into());
                    }
                }
            }
            return self.admit(attempt);
        }
        self.init_failed_for_good(attempt, sandbox, took, &failure);
    }

    /// The second failure of initialisation is the invocation's own.
    fn init_failed_for_good(&self, attempt: &Attempt, sandbox: Option<&Sandbox>, took: Duration, failure: &Failure) {
        let request = attempt.invocation.request_id;
        let start = sandbox.map_or(StartKind::Boot, |sandbox| sandbox.state().start_kind);
        let waited = self.clock.now() - attempt.accepted_at;
        let timeline = Timeline {
            start,
            cold_reason: Some(ColdReason::NoSandbox),
            queue_us: micros(waited.saturating_sub(took)),
            init_us: micros(took),
            ..Timeline::default()
        };
        let mut tail = attempt.invocation.log_tail.then(LogTail::default);
        let mut memory_bytes_max = 0;
        if let Some(sandbox) = sandbox {
            memory_bytes_max = self.memory(sandbox, self.clock.now());
            if let Some(tail) = &mut tail {
                *tail = std::mem::take(&mut sandbox.state().init_tail);
            }
        }
        if let Some(assigned) = sandbox.and_then(|sandbox| sandbox.assigned.get()) {
            let wall = self.clock.wall();
            if let Some(line) = SystemLines::of(&assigned.spec).start(wall, request) {
                if let Some(tail) = &mut tail {
                    tail.push(line.as_bytes());
                }
                assigned.log.append(wall.as_millis(), line.into());
            }
            let report = Report {
                duration: took,
                init: None,
                memory_bytes_max,
                status: failure.status(),
                trace_id: None,
                timeline: &timeline,
            };
            self.write_end(assigned, request, &report, Some(failure), &mut tail);
        }
        self.metrics.answered(&timeline, true);
        self.lock().attempts.remove(&attempt.ticket);
        attempt.fail(failure, timeline, tail.map(LogTail::into_bytes));
    }

    fn set_frozen(&self, sandbox: &Sandbox) {
        let change = |frozen| {
            let result =
                if frozen { self.isolation.freeze(sandbox.place()) } else { self.isolation.thaw(sandbox.place()) };
            result.map_err(|error| (frozen, error))
        };
        if let Err((frozen, error)) = sandbox.settle_frozen(change) {
            tracing::debug!(sandbox = %sandbox.id, frozen, %error, "freezer");
            if !frozen {
                sandbox.closed.cancel();
            }
        }
    }

    /// The engine asks for ever earlier times until the next tick; they may arrive here in another order.
    fn wake_at(&self, at: Instant) {
        self.wake.send_if_modified(|next| {
            let earlier = next.is_none_or(|next| at < next);
            if earlier {
                *next = Some(at);
            }
            earlier
        });
    }

    /// Ends the sandbox and then says so to the engine; once, whoever asks.
    pub(crate) fn destroy(self: &Arc<Self>, sandbox: Arc<Sandbox>) {
        if !sandbox.doom() {
            return;
        }
        sandbox.closed.cancel();
        let core = Arc::clone(self);
        self.tasks.spawn_blocking(move || {
            if let Err(error) = core.isolation.destroy(sandbox.place()) {
                tracing::warn!(sandbox = %sandbox.id, %error, "cannot destroy sandbox");
            }
            core.forget(sandbox.id);
            core.step(Event::Dead { sandbox: sandbox.id });
        });
    }

    /// Attempts that are not answered yet.
    pub(crate) fn in_flight(&self) -> usize {
        self.lock().attempts.len()
    }

    pub(crate) fn forget(&self, sandbox: SandboxId) {
        self.lock().sandboxes.remove(&sandbox);
    }

    pub(crate) fn sandboxes(&self) -> Vec<Arc<Sandbox>> {
        self.lock().sandboxes.values().cloned().collect()
    }

    /// What the engine holds, and the names of its roots.
    pub(crate) fn engine_view(&self) -> (EngineView, Vec<Arc<str>>) {
        let state = self.lock();
        (state.engine.view(), state.roots.names())
    }
}

impl State {
    /// The engine's number for a root that was announced for such functions and is still there.
    pub(crate) fn root(&self, spec: &VersionSpec) -> Option<RootId> {
        self.roots.find(&spec.runtime, spec.memory_mib)
    }

    /// The engine's number for a runtime, whether it is installed or not.
    pub(crate) fn number(&mut self, runtime: &str) -> RootId {
        self.roots.number(runtime)
    }

    /// Binds an action to what it is about; `None` if that is gone meanwhile.
    fn effect(&mut self, action: Action) -> Option<Effect> {
        let sandbox = |id| self.sandboxes.get(&id).cloned();
        let attempt = |ticket| self.attempts.get(&ticket).cloned();
        Some(match action {
            Action::MakeBlank { sandbox, root, .. } => {
                let root = self.roots.get(root)?.clone();
                let record = Sandbox::new(sandbox);
                self.sandboxes.insert(sandbox, Arc::clone(&record));
                Effect::Create { sandbox: record, root }
            }
            Action::Assign { sandbox: id, key, ticket, purpose } => {
                let (sandbox, attempt) = (sandbox(id)?, ticket.and_then(attempt));
                let spec = match &attempt {
                    Some(attempt) => self.specs.remember(&attempt.invocation.spec),
                    None => self.specs.get(&key),
                };
                // Nobody knows the version any more, so nobody misses it.
                let Some(spec) = spec else { return Some(Effect::Destroy(sandbox)) };
                Effect::Assign { sandbox, assignment: Assignment { spec, attempt, purpose } }
            }
            Action::Dispatch { sandbox: id, ticket, start } => {
                Effect::Dispatch { sandbox: sandbox(id)?, attempt: attempt(ticket)?, start }
            }
            Action::Withdraw { sandbox: id, ticket } => Effect::Withdraw { sandbox: sandbox(id)?, ticket },
            Action::Freeze { sandbox: id } => frozen(sandbox(id)?, true),
            Action::Thaw { sandbox: id } => frozen(sandbox(id)?, false),
            Action::Destroy { sandbox: id, .. } => Effect::Destroy(sandbox(id)?),
            Action::Throttle { ticket, reason } => {
                Effect::Refuse { attempt: self.attempts.remove(&ticket)?, error: InvokeError::Throttled { reason } }
            }
            Action::Fail { ticket, reason: FailReason::InitFailed { sandbox: id } } => {
                Effect::StartFailed { attempt: attempt(ticket)?, sandbox: sandbox(id) }
            }
            Action::Fail { ticket, reason } => {
                let attempt = self.attempts.remove(&ticket)?;
                let error = refusal(reason, &attempt);
                Effect::Refuse { attempt, error }
            }
            Action::Wake { at } => Effect::Wake(at),
            Action::Acquire { pool, count, memory_mib } => Effect::Acquire { pool, count, memory_mib },
            Action::Release { instance } => Effect::Release(instance),
        })
    }
}

/// Under the lock of the engine, so that the last decision is the last that is noted.
fn frozen(sandbox: Arc<Sandbox>, frozen: bool) -> Effect {
    sandbox.want_frozen(frozen);
    Effect::SetFrozen(sandbox)
}

fn not_installed(runtime: &str) -> InvokeError {
    let message =
        format!("Runtime {runtime} is not installed on this machine. Add it with: hearth runtime add {runtime}");
    InvokeError::InvalidRuntime { message }
}

fn refusal(reason: FailReason, attempt: &Attempt) -> InvokeError {
    let message = match reason {
        FailReason::Draining => return InvokeError::Draining,
        FailReason::Capacity => "no room for another sandbox on this machine: raise node.memory_mib or retry later",
        FailReason::TooLarge => {
            "the function's memory size is more than this machine has for sandboxes (node.memory_mib)"
        }
        FailReason::Refused => "no capacity is left for this account, and its policy is not to wait for any",
        FailReason::RootGone => return not_installed(&attempt.invocation.spec.runtime),
        FailReason::SandboxLost | FailReason::InitFailed { .. } => {
            let message = attempt.problem().unwrap_or_else(|| "no sandbox could be started".to_owned());
            return InvokeError::Service { message };
        }
    };
    InvokeError::Service { message: message.to_owned() }
}

/// For those who ask why calls were slow: `hearth serve -v`.
fn tell_cold(attempt: &Attempt, reason: ColdReason, timeline: &Timeline) {
    tracing::debug!(
        function = %attempt.invocation.spec.key,
        request = %attempt.invocation.request_id,
        start = timeline.start.as_str(),
        reason = reason.as_str(),
        queue_us = timeline.queue_us,
        sandbox_us = timeline.sandbox_us,
        init_us = timeline.init_us,
        run_us = timeline.run_us,
        "cold start"
    );
}

/// What is known of an attempt that runs, or has run for `run`.
pub(crate) fn timeline(running: &Running, run: Option<Duration>) -> Timeline {
    let waited = running.since - running.attempt.accepted_at;
    let run_us = run.map(micros);
    match running.start {
        Start::Warm => Timeline { queue_us: micros(waited), run_us, ..Timeline::default() },
        Start::Cold(reason) => {
            let init = running.init.unwrap_or_default();
            Timeline {
                start: running.kind,
                cold_reason: Some(reason),
                queue_us: micros(waited.saturating_sub(running.placement + init)),
                sandbox_us: micros(running.placement),
                init_us: micros(init),
                run_us,
            }
        }
    }
}

fn withdraw(sandbox: &Sandbox, ticket: Ticket) {
    let id = sandbox.state().running.iter().skip(1).find(|running| running.attempt.ticket == ticket).map(|r| r.id);
    if let (Some(id), Some(assigned)) = (id, sandbox.assigned.get())
        && assigned.link.send(&ToAgent::Withdraw { id }).is_err()
    {
        sandbox.closed.cancel();
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
