//! What the control plane is told by its owner.

use hearth_types::Region;
use hearth_types::limits::ACCOUNT_CONCURRENCY;

#[derive(Clone, Debug)]
pub struct ControlConfig {
    pub region: Region,
    /// Concurrent executions of each account.
    pub account_concurrency: u32,
    /// Whether the tag `hearth:live-dir` is obeyed: only where every client may read the host's files anyway.
    pub live_dirs: bool,
    /// Functions whose network nobody chose by the tag `hearth:network`.
    pub network: hearth_types::NetworkMode,
}

impl ControlConfig {
    pub fn new(region: Region) -> Self {
        Self {
            region,
            account_concurrency: ACCOUNT_CONCURRENCY,
            live_dirs: false,
            network: hearth_types::NetworkMode::None,
        }
    }
}
