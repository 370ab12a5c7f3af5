//! Joins what comes out of sandboxes with the API.

use std::sync::{Arc, OnceLock};

use hearth_frontend::{Frontend, FunctionIdentity};
use hearth_iam::session::{function_session_name, role_session_arn};
use hearth_node::TunnelServer;
use hearth_tasks::TaskGroup;
use hearth_types::VersionSpec;
use tokio::io::DuplexStream;
use tokio_util::sync::CancellationToken;

/// Serves a function's own AWS calls with the frontend, which exists only after the node.
#[derive(Debug, Default)]
pub(crate) struct ApiTunnels {
    frontend: OnceLock<(Frontend, CancellationToken)>,
    /// They end with their sandboxes.
    tasks: TaskGroup,
}

impl ApiTunnels {
    pub(crate) fn connect(&self, frontend: Frontend, stop: CancellationToken) {
        let _connected_before = self.frontend.set((frontend, stop)).is_err();
    }
}

impl TunnelServer for ApiTunnels {
    fn serve(&self, io: DuplexStream, spec: Arc<VersionSpec>) {
        // Before the frontend is there no function runs; a connection without it closes by being dropped.
        if let Some((frontend, stop)) = self.frontend.get().cloned() {
            let session = function_session_name(&spec.key.function);
            let identity = FunctionIdentity {
                account: spec.key.account.clone(),
                region: spec.key.region.clone(),
                session_arn: role_session_arn(&spec.key.account, &spec.role, &session),
            };
            let work = async move { frontend.serve_tunnel(io, identity, stop).await };
            self.tasks.contained("tunnel of a function", work, || {});
        }
    }
}
