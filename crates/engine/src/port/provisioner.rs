//! Provisioned concurrency as the control plane asks the node for it.

use std::sync::Arc;

use hearth_types::{VersionKey, VersionSpec};

/// How many sandboxes of a version are to be kept ready, called or not.
#[derive(Clone, Debug)]
pub struct Provision {
    pub spec: Arc<VersionSpec>,
    /// 0 ends it.
    pub count: u32,
    /// Reserved concurrency of the function, which they count against; else they count against what the account's functions
    /// without a reservation share.
    pub reserved_concurrency: Option<u32>,
}

/// What there is of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Provisioned {
    /// Initialised sandboxes, in use or not.
    pub allocated: u32,
    /// Those that are not in use.
    pub available: u32,
    /// Why no more are made, if they are not.
    pub failure: Option<ProvisionFailure>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProvisionFailure {
    /// The function's own initialisation failed, crashed or took too long.
    Init,
    /// This host has no room for more, or cannot make sandboxes of this runtime.
    Capacity,
}

/// Keeps sandboxes ready; implemented by the node.
pub trait Provisioner: Send + Sync + std::fmt::Debug {
    /// The version may be called from now on: its first call is to find a blank sandbox that suits it.
    fn expect(&self, spec: &VersionSpec);

    /// From now on this holds for the version, whatever held before.
    fn provision(&self, provision: Provision);

    /// `Provisioned::default()` for a version that nothing is provisioned of.
    fn provisioned(&self, key: &VersionKey) -> Provisioned;
}
