//! The performer on one machine: runs invocations in sandboxes as the engine decides.
//!
//! [`Node`] implements [`Invoker`]. `core` feeds the engine and performs its actions, which `effect` binds to
//! what they are about; a `session` task talks with each
//! agent; `async_invoke` works off the durable queue.
//!
//! Non-goals: deciding anything that the engine can decide; HTTP; what functions exist.

mod ahead;
mod async_invoke;
mod attempt;
mod capacity;
mod clock;
mod core;
mod destroy;
mod effect;
mod ending;
mod env;
mod intake;
mod link;
mod live_dir;
mod memories;
mod metrics;
mod node;
mod notice;
mod pressure;
mod report;
mod roots;
mod running;
mod sandbox;
mod session;
mod snap_start;
mod specs;
mod start;
mod stream;
mod template;
mod tunnel;
mod views;

use std::time::Duration;

pub use core::Parts;
pub use node::Node;
pub use template::TemplateParts;
pub use tunnel::TunnelServer;

use hearth_engine::EngineConfig;
use hearth_types::Region;
use serde::{Deserialize, Serialize};

/// What waits in blank sandboxes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParkingMode {
    /// Interpreters forked from a common ancestor, where the runtime can: they share its memory and its address layout. Else
    /// as [`ParkingMode::Exec`].
    #[default]
    Zygote,
    /// Interpreters that were executed.
    Exec,
    /// Nothing.
    None,
}

/// How this node runs functions.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    pub engine: EngineConfig,
    /// How long an invocation may wait for room on this machine.
    pub queue_timeout: Duration,
    /// Limit CPU strictly in proportion to memory, as Lambda does; else it is only a weight under contention.
    pub cpu_quota: bool,
    pub parking: ParkingMode,
    /// Asynchronous invocations that run at once.
    pub async_concurrency: usize,
    /// Of whatever was stored before records named their Region.
    pub region: Region,
}
