//! Capacity as operators declare it: instances, pools, policies of accounts, trust groups.
//!
//! The configuration file is the base. What comes over the API is kept in the store, holds over the file for its name, and
//! holds for the next request. `broker` gets more from the operator's hook. Every change is in the log, in the commit that makes it;
//! the log keeps the latest ten thousand records.

mod broker;
mod change;
mod document;
mod held;
mod kind;
mod record;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hearth_engine::port::{CapacityHook, Fleet};
use hearth_store::{CommitError, ReadError, Store, Write};
use hearth_tasks::TaskGroup;
use hearth_types::Timestamp;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use change::Actor;
pub use document::{AccountDocument, GroupDocument, InstanceDocument, PoolDocument};
pub use kind::Kind;

use held::Held;
use record::{LOG, LogEnd, PARTITION};

/// Calls of the hook under way at once.
const HOOK_CALLS_MAX: usize = 8;
/// Most records that one answer has of the log.
const LOG_PAGE_MAX: usize = 1000;

/// Why capacity is not changed or shown. The messages are for operators and say what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CapacityError {
    #[error("{message}")]
    Invalid { message: String },
    #[error("there is no {kind} {name:?}")]
    NotFound { kind: &'static str, name: String },
    /// Something else stands in the way.
    #[error("{message}")]
    Conflict { message: String },
    #[error("the change could not be stored: try again")]
    Store,
}

/// What the configuration file declares.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CapacityBase {
    /// The node's own memory, as it is shown; it cannot be changed.
    pub node: Option<InstanceDocument>,
    pub instances: Vec<InstanceDocument>,
    pub pools: Vec<PoolDocument>,
    pub accounts: Vec<AccountDocument>,
    pub groups: Vec<GroupDocument>,
}

/// The operator's hook and what it may do.
#[derive(Clone, Debug)]
pub struct HookTerms {
    pub hook: Arc<dyn CapacityHook>,
    /// Instances that it may hold at once.
    pub instances_max: usize,
    /// What all of them together may cost per hour; `None`: anything.
    pub cost_rate_max: Option<f64>,
    /// Pause before a call that failed is repeated; doubled with each further one, up to a hundredfold.
    pub retry: Duration,
}

/// The declared capacity. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CapacityPlan {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn Store>,
    fleet: OnceLock<Arc<dyn Fleet>>,
    hook: Option<HookTerms>,
    hook_calls: Semaphore,
    held: Mutex<Held>,
    log_end: Mutex<LogEnd>,
    /// Held from the check of a change until the fleet knows of it: changes are made one after the other.
    writing: tokio::sync::Mutex<()>,
    tasks: TaskGroup,
    stopping: CancellationToken,
}

impl CapacityPlan {
    /// What is wrong with what a file declares.
    pub fn check(base: CapacityBase) -> Result<(), CapacityError> {
        Held::of_file(base, now()).map(drop)
    }

    /// Reads what earlier lives of the daemon kept, over `base`.
    pub async fn open(
        store: Arc<dyn Store>,
        base: CapacityBase,
        hook: Option<HookTerms>,
        now: Timestamp,
    ) -> Result<Self, CapacityError> {
        let mut held = Held::of_file(base, now)?;
        record::load(&*store, &mut held).await?;
        if let Err(error) = held.check_references() {
            // The file was changed under what is kept. What dangles is of no use to anybody, and no reason not to start.
            tracing::warn!(%error, "the capacity of the configuration file contradicts what was declared over the API");
        }
        let log_end = Mutex::default();
        record::cut_log(&*store, &log_end).await;
        Ok(Self {
            shared: Arc::new(Shared {
                store,
                fleet: OnceLock::new(),
                hook,
                hook_calls: Semaphore::new(HOOK_CALLS_MAX),
                held: Mutex::new(held),
                log_end,
                writing: tokio::sync::Mutex::new(()),
                tasks: TaskGroup::default(),
                stopping: CancellationToken::new(),
            }),
        })
    }

    /// Declares everything to the fleet and goes on with what an earlier life left under way. Once, on a tokio runtime.
    pub fn connect(&self, fleet: Arc<dyn Fleet>) {
        let shared = &self.shared;
        // The fleet may ask for more at once, so nothing is held meanwhile.
        let everything = shared.held().everything(|wall| fleet.instant_at(wall));
        for change in everything {
            fleet.declare(change);
        }
        if shared.fleet.set(fleet).is_ok() {
            broker::resume(shared);
        }
    }

    /// Ends calls of the hook; they are taken up again by the next life.
    pub async fn close(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    /// Records of the log, oldest first, from `from` on.
    pub async fn log(&self, from: u64, limit: usize) -> Result<Vec<(u64, Value)>, CapacityError> {
        let limit = limit.min(LOG_PAGE_MAX);
        let records = self.shared.store.read_log(PARTITION, LOG, from, limit).await.map_err(unread)?;
        let value = |record: &[u8]| serde_json::from_slice(record).unwrap_or(Value::Null);
        Ok(records.into_iter().map(|entry| (entry.sequence, value(&entry.record))).collect())
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn declare(&self, change: hearth_engine::capacity::Capacity) {
        if let Some(fleet) = self.fleet.get() {
            fleet.declare(change);
        }
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CapacityError> {
        let full = self.log_end.lock().unwrap_or_else(PoisonError::into_inner).note(&writes);
        let stored = self.store.commit(PARTITION, Vec::new(), writes).await.map(drop).map_err(|error: CommitError| {
            tracing::error!(%error, "a change of capacity could not be stored");
            CapacityError::Store
        });
        if full {
            record::cut_log(&*self.store, &self.log_end).await;
        }
        stored
    }
}

fn unread(error: ReadError) -> CapacityError {
    tracing::error!(%error, "the declared capacity cannot be read");
    CapacityError::Store
}

/// Wall time, for the log and for leases.
fn now() -> Timestamp {
    Timestamp::from_millis(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0))
}
