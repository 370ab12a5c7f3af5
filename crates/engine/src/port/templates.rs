//! What the control plane asks of the node when a version is published with SnapStart.

use std::collections::HashSet;
use std::sync::Arc;

use hearth_types::{VersionKey, VersionSpec};

use super::BoxFuture;

/// How a prepared version starts from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prepared {
    /// From its template: the state after its initialisation was saved.
    FromTemplate,
    /// As any other version: this host saves no templates, for the reason given.
    Plain { reason: String },
}

/// Why a version cannot be prepared.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrepareError {
    /// The version's own doing: its initialisation or a hook of it failed, crashed or took too long.
    #[error("{error_type}: {message}")]
    Function {
        /// Such as `Runtime.BeforeSnapshotError`.
        error_type: String,
        /// For people.
        message: String,
    },
    /// The node is shutting down, or lost what it was working on: the version's own fault is not shown, so ask again.
    #[error("{0}")]
    Interrupted(String),
}

/// Saves the state of versions after their initialisation; implemented by the node.
///
/// Templates of retired versions (see [`super::Invoker::retire`]) are removed.
pub trait Templates: Send + Sync + std::fmt::Debug {
    /// Initialises the version once and saves it. If there is a template of this version already, or another call is making one, the
    /// result is that one's. A dropped future leaves nothing half made.
    fn prepare(&self, spec: Arc<VersionSpec>) -> BoxFuture<'static, Result<Prepared, PrepareError>>;

    /// The only versions there are: templates of all others are left over and removed. Called once, before anything is prepared.
    fn retain(&self, current: HashSet<VersionKey>);
}
