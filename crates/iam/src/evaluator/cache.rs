//! Compiled policies by their text, which is the same for as long as they are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::policy::Policy;

/// Policies kept. Beyond that all are dropped: those in use are compiled again within microseconds.
const KEPT_MAX: usize = 2048;

#[derive(Debug, Default)]
pub struct PolicyCache {
    compiled: Mutex<HashMap<String, Arc<Policy>>>,
}

impl PolicyCache {
    pub fn compiled(&self, document: &str) -> Arc<Policy> {
        let mut kept = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = kept.get(document) {
            return Arc::clone(policy);
        }
        let policy = Arc::new(Policy::compile(document));
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(document.to_owned(), Arc::clone(&policy));
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_compiled_once_and_few_are_kept() {
        let cache = PolicyCache::default();
        assert!(Arc::ptr_eq(&cache.compiled("{}"), &cache.compiled("{}")));
        for index in 0..2 * KEPT_MAX {
            cache.compiled(&index.to_string());
        }
        assert!(cache.compiled.lock().unwrap().len() <= KEPT_MAX);
    }
}
