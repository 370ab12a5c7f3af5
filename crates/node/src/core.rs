//! The performer: feeds the engine with what happens and does what it answers.
//!
//! ```text
//!  invoke ──► step(Event) ──► engine ──► [Action] ──► perform: sandboxes, agents, replies
//!                 ▲                                      │
//!                 └── session tasks, start tasks, timers ┘
//! ```
//!
//! One short lock guards the engine and the two maps beside it; nothing is awaited, read or written under it.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use hearth_engine::port::{CapacitySource, Catalogue, Invocation, InvokeError};
use hearth_engine::view::EngineView;
use hearth_engine::{Demand, Event, RootId, Ticket};
use hearth_logs::LogStore;
use hearth_packages::Packages;
use hearth_runtimes::Runtimes;
use hearth_sandbox::Isolation;
use hearth_store::Store;
use hearth_sys::failpoint;
use hearth_tasks::{Shares, TaskGroup};
use hearth_types::{Instant, SandboxId};
use tokio_util::sync::CancellationToken;

use crate::NodeConfig;
use crate::async_invoke::AsyncState;
use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::effect::{Effect, State, not_installed};
use crate::intake::Intake;
use crate::live_dir::LiveDirs;
use crate::metrics::Metrics;
use crate::running::withdraw;
use crate::sandbox::Sandbox;
use crate::template::{TemplateParts, TemplateShop};
use crate::tunnel::TunnelServer;

/// Threads that hold one account's starts at once; more of them wait in order.
const STARTS_PER_ACCOUNT: usize = 64;

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: NodeConfig,
    pub(crate) clock: Clock,
    pub(crate) isolation: Arc<dyn Isolation>,
    pub(crate) runtimes: Arc<Runtimes>,
    pub(crate) packages: Arc<Packages>,
    pub(crate) logs: Arc<LogStore>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) catalogue: Arc<dyn Catalogue>,
    pub(crate) tunnels: Arc<dyn TunnelServer>,
    pub(crate) tasks: TaskGroup,
    /// Nothing new is taken.
    pub(crate) stopping: CancellationToken,
    /// Nothing runs any more.
    pub(crate) ended: CancellationToken,
    pub(crate) wake: tokio::sync::watch::Sender<Option<Instant>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) async_state: AsyncState,
    pub(crate) templates: TemplateShop,
    pub(crate) live_dirs: LiveDirs,
    pub(crate) intake: Arc<Intake>,
    /// For what starts wait for: packages that are unpacked, the launcher, restores.
    pub(crate) starts: Shares,
    pub(crate) capacity_source: OnceLock<Arc<dyn CapacitySource>>,
    next_ticket: AtomicU64,
    state: Mutex<State>,
}

/// What the node works with.
#[derive(Debug)]
pub struct Parts {
    pub config: NodeConfig,
    pub isolation: Arc<dyn Isolation>,
    pub runtimes: Arc<Runtimes>,
    pub packages: Arc<Packages>,
    pub logs: Arc<LogStore>,
    pub store: Arc<dyn Store>,
    pub catalogue: Arc<dyn Catalogue>,
    pub tunnels: Arc<dyn TunnelServer>,
    pub templates: TemplateParts,
}

/// The engine's lock. A panic under it is the end of the daemon.
pub(crate) struct StateGuard<'a>(MutexGuard<'a, State>);

impl Deref for StateGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl DerefMut for StateGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.0
    }
}

impl Drop for StateGuard<'_> {
    fn drop(&mut self) {
        hearth_tasks::ring_on_panic("engine");
    }
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            clock: Clock::start(),
            isolation: Arc::clone(&parts.isolation),
            runtimes: parts.runtimes,
            packages: parts.packages,
            logs: parts.logs,
            store: parts.store,
            catalogue: parts.catalogue,
            tunnels: parts.tunnels,
            tasks: TaskGroup::default(),
            stopping: CancellationToken::new(),
            ended: CancellationToken::new(),
            wake: tokio::sync::watch::Sender::new(None),
            metrics: Arc::default(),
            async_state: AsyncState::new(parts.config.async_concurrency),
            templates: TemplateShop::new(parts.templates, parts.isolation.as_ref()),
            live_dirs: LiveDirs::default(),
            intake: Arc::default(),
            starts: Shares::new(STARTS_PER_ACCOUNT),
            capacity_source: OnceLock::new(),
            next_ticket: AtomicU64::new(1),
            state: Mutex::new(State::new(parts.config.engine.clone())),
            config: parts.config,
        })
    }

    /// What a panic has left half decided is used by nobody: the alarm has rung, and whoever comes here ends as well.
    pub(crate) fn lock(&self) -> StateGuard<'_> {
        StateGuard(self.state.lock().expect("the engine has panicked, and the daemon is ending"))
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
        failpoint("admit");
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
        let demand = self.demand(&attempt.invocation, root, now);
        self.step_locked(state, now, Event::Invoke { ticket: attempt.ticket, demand });
    }

    fn demand(&self, invocation: &Invocation, root: RootId, now: Instant) -> Demand {
        let spec = &invocation.spec;
        Demand {
            key: Arc::new(spec.key.clone()),
            root,
            memory_mib: spec.memory_mib,
            reserved: invocation.reserved_concurrency,
            account_unreserved: invocation.account_unreserved,
            timeout: Duration::from_millis(spec.timeout_ms),
            wishes: invocation.wishes.clone(),
            queue_deadline: now + self.config.queue_timeout,
        }
    }

    /// Whether an invocation that may wait has to now.
    pub(crate) fn is_loaded_for(&self, invocation: &Invocation) -> bool {
        let mut state = self.lock();
        let Some(root) = state.root(&invocation.spec) else { return false };
        let now = self.clock.now();
        let demand = self.demand(invocation, root, now);
        state.engine.is_loaded_for(now, &demand)
    }

    /// Nobody waits for the attempt any more: it ends here unless a sandbox is on its way to it. Then it runs all the same, as with
    /// Lambda.
    pub(crate) fn abandon(self: &Arc<Self>, attempt: &Attempt) {
        let mut state = self.lock();
        if !state.engine.is_short(attempt.ticket) {
            return;
        }
        state.attempts.remove(&attempt.ticket);
        self.step_locked(state, self.clock.now(), Event::Abandon { ticket: attempt.ticket });
        attempt.refuse(InvokeError::Draining);
    }

    /// Tells the engine what happened and performs what it decides.
    pub(crate) fn step(self: &Arc<Self>, event: Event) {
        let state = self.lock();
        // Read under the lock: to the engine time never runs backwards.
        self.step_locked(state, self.clock.now(), event);
    }

    pub(crate) fn step_locked(self: &Arc<Self>, mut state: StateGuard<'_>, now: Instant, event: Event) {
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
            Effect::Create { sandbox, root, urgent } => self.create(sandbox, root, urgent),
            Effect::Assign { sandbox, assignment } => self.assign(sandbox, assignment),
            Effect::Dispatch { sandbox, attempt, start } => self.dispatch(&sandbox, attempt, start),
            Effect::Withdraw { sandbox, ticket } => withdraw(&sandbox, ticket),
            Effect::SetFrozen(sandbox) => {
                // A freeze waits until all processes stand still, and a thaw for the freeze before it: that is the function's doing.
                let (core, set) = (Arc::clone(self), Arc::clone(&sandbox));
                self.tasks.contained_blocking(
                    "freezer",
                    move || core.set_frozen(&set),
                    move || sandbox.closed.cancel(),
                );
            }
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

    /// The attempt is answered, or refused.
    pub(crate) fn let_go(&self, attempt: &Attempt) {
        self.lock().attempts.remove(&attempt.ticket);
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
