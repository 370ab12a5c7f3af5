//! What the control plane is told by its owner.

use std::fmt;
use std::sync::Arc;

use hearth_engine::port::Buckets;
use hearth_types::Region;
use hearth_types::limits::ACCOUNT_CONCURRENCY;

/// Whether the roles of functions are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoleChecks {
    /// As AWS does: a role is of the function's account, exists, trusts Lambda, and the caller may pass it.
    Strict,
    /// Any well-formed ARN will do.
    Lenient,
}

/// What the host knows of a runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuntimeState {
    Prepared,
    /// It has to be added first.
    Addable,
    /// Hearth cannot prepare it.
    Unsupported,
}

/// Says which runtimes functions can have; asked each time, since they may be added at any time.
#[derive(Clone)]
pub struct RuntimeStates(pub Arc<dyn Fn(&str) -> RuntimeState + Send + Sync>);

impl fmt::Debug for RuntimeStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RuntimeStates")
    }
}

#[derive(Clone, Debug)]
pub struct FunctionsConfig {
    /// Where belongs what was stored before records named their Region.
    pub region: Region,
    /// Concurrent executions of each account in each Region.
    pub account_concurrency: u32,
    /// Whether the tag `hearth:live-dir` is obeyed: only where every client may read the host's files anyway.
    pub live_dirs: bool,
    /// Functions whose network nobody chose by the tag `hearth:network`.
    pub network: hearth_types::NetworkMode,
    pub roles: RoleChecks,
    pub runtimes: RuntimeStates,
    /// What `S3Bucket` can name, if anything.
    pub buckets: Option<Arc<dyn Buckets>>,
}

impl FunctionsConfig {
    /// With every runtime, and without a look at roles.
    pub fn new(region: Region) -> Self {
        Self {
            region,
            account_concurrency: ACCOUNT_CONCURRENCY,
            live_dirs: false,
            network: hearth_types::NetworkMode::None,
            roles: RoleChecks::Lenient,
            runtimes: RuntimeStates(Arc::new(|_any| RuntimeState::Prepared)),
            buckets: None,
        }
    }
}
