//! Actions of the engine, bound to what they are about.

use std::collections::HashMap;
use std::sync::Arc;

use hearth_engine::capacity::{InstanceId, PoolName};
use hearth_engine::port::InvokeError;
use hearth_engine::{Action, Engine, EngineConfig, FailReason, RootId, Start, Ticket};
use hearth_types::{Instant, SandboxId, VersionSpec};

use crate::attempt::Attempt;
use crate::roots::{Root, Roots};
use crate::sandbox::Sandbox;
use crate::specs::Specs;
use crate::start::Assignment;

/// The engine, and what its numbers stand for.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) engine: Engine,
    pub(crate) attempts: HashMap<Ticket, Arc<Attempt>>,
    pub(crate) sandboxes: HashMap<SandboxId, Arc<Sandbox>>,
    pub(crate) roots: Roots,
    pub(crate) specs: Specs,
}

/// An action with everything that performing it needs.
pub(crate) enum Effect {
    Create { sandbox: Arc<Sandbox>, root: Root, urgent: bool },
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

impl State {
    pub(crate) fn new(config: EngineConfig) -> Self {
        Self {
            engine: Engine::new(config),
            attempts: HashMap::new(),
            sandboxes: HashMap::new(),
            roots: Roots::default(),
            specs: Specs::default(),
        }
    }

    /// The engine's number for a root that was announced for such functions and is still there.
    pub(crate) fn root(&self, spec: &VersionSpec) -> Option<RootId> {
        self.roots.find(&spec.runtime, spec.memory_mib)
    }

    /// The engine's number for a runtime, whether it is installed or not.
    pub(crate) fn number(&mut self, runtime: &str) -> RootId {
        self.roots.number(runtime)
    }

    /// Binds an action to what it is about; `None` if that is gone meanwhile.
    pub(crate) fn effect(&mut self, action: Action) -> Option<Effect> {
        let sandbox = |id| self.sandboxes.get(&id).cloned();
        let attempt = |ticket| self.attempts.get(&ticket).cloned();
        Some(match action {
            Action::MakeBlank { sandbox, root, urgent, .. } => {
                let root = self.roots.get(root)?.clone();
                let record = Sandbox::new(sandbox);
                self.sandboxes.insert(sandbox, Arc::clone(&record));
                Effect::Create { sandbox: record, root, urgent }
            }
            Action::Assign { sandbox: id, key, ticket, purpose, urgent } => {
                let (sandbox, attempt) = (sandbox(id)?, ticket.and_then(attempt));
                let spec = match &attempt {
                    Some(attempt) => self.specs.remember(&attempt.invocation.spec),
                    None => self.specs.get(&key),
                };
                // Nobody knows the version any more, so nobody misses it.
                let Some(spec) = spec else { return Some(Effect::Destroy(sandbox)) };
                Effect::Assign { sandbox, assignment: Assignment { spec, attempt, purpose, urgent } }
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
            Action::Admit { .. } => return None,
        })
    }
}

/// Under the lock of the engine, so that the last decision is the last that is noted.
fn frozen(sandbox: Arc<Sandbox>, frozen: bool) -> Effect {
    sandbox.want_frozen(frozen);
    Effect::SetFrozen(sandbox)
}

pub(crate) fn not_installed(runtime: &str) -> InvokeError {
    let message =
        format!("Runtime {runtime} is not installed on this machine. Add it with: hearth runtime add {runtime}");
    InvokeError::InvalidRuntime { message }
}

fn no_room(pool: &PoolName) -> String {
    if *pool == PoolName::general() {
        return "no room for another sandbox on this machine: raise node.memory_mib or retry later".to_owned();
    }
    let name = &pool.0;
    format!(
        "no room for another sandbox in the pool {name:?}: add an instance to it (hearth capacity add NAME --pool {name} \
         --memory MIB), or let the account borrow (hearth capacity policy ACCOUNT --shortage borrow:general)"
    )
}

fn refusal(reason: FailReason, attempt: &Attempt) -> InvokeError {
    let message = match reason {
        FailReason::Draining => return InvokeError::Draining,
        FailReason::Capacity { pool } => return InvokeError::Service { message: no_room(&pool) },
        FailReason::TooLarge => {
            "the function's memory size is more than this machine has for sandboxes (node.memory_mib)"
        }
        FailReason::Refused { pool } => {
            let message = format!(
                "no capacity is left for this account: the pool {:?} has no room, and the account's policy is to reject",
                pool.0
            );
            return InvokeError::Service { message };
        }
        FailReason::RootGone => return not_installed(&attempt.invocation.spec.runtime),
        FailReason::SandboxLost | FailReason::InitFailed { .. } => {
            let message = attempt.problem().unwrap_or_else(|| "no sandbox could be started".to_owned());
            return InvokeError::Service { message };
        }
    };
    InvokeError::Service { message: message.to_owned() }
}
