//! Templates of versions, which this node does not save.

use std::collections::HashSet;
use std::sync::Arc;

use hearth_engine::port::{BoxFuture, PrepareError, Prepared, Templates};
use hearth_types::{VersionKey, VersionSpec};

use crate::node::Node;

impl Templates for Node {
    fn prepare(&self, _spec: Arc<VersionSpec>) -> BoxFuture<'static, Result<Prepared, PrepareError>> {
        let reason = "it saves no templates of sandboxes".to_owned();
        Box::pin(std::future::ready(Ok(Prepared::Plain { reason })))
    }

    fn retain(&self, _current: HashSet<VersionKey>) {}
}
