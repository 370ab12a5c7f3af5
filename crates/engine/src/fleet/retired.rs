//! Versions that were replaced or deleted: whoever was resolved just before still comes, and nothing is kept for them.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use hearth_types::VersionKey;

/// How many are remembered after their last sandbox. Forgetting one costs an idle sandbox for as long as it is kept, no more.
const REMEMBERED_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Retired {
    keys: HashSet<Arc<VersionKey>>,
    /// Oldest first.
    order: VecDeque<Arc<VersionKey>>,
}

impl Retired {
    pub(super) fn contains(&self, key: &VersionKey) -> bool {
        self.keys.contains(key)
    }

    pub(super) fn remember(&mut self, key: Arc<VersionKey>) {
        if self.keys.insert(Arc::clone(&key)) {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }
}
