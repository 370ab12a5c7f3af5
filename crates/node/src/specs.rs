//! Which versions the node can start without an attempt that brings the specification along.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use hearth_types::{VersionKey, VersionSpec};

/// Versions that are remembered at most, beside those that are provisioned.
const REMEMBERED_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Specs {
    by_key: HashMap<VersionKey, Arc<VersionSpec>>,
    /// Of all in `by_key`, oldest first; may name some that are gone.
    order: VecDeque<VersionKey>,
    provisioned: HashMap<VersionKey, Arc<VersionSpec>>,
}

impl Specs {
    /// Returns what it was given.
    pub(crate) fn remember(&mut self, spec: &Arc<VersionSpec>) -> Option<Arc<VersionSpec>> {
        if !self.by_key.contains_key(&spec.key) {
            self.by_key.insert(spec.key.clone(), Arc::clone(spec));
            self.order.push_back(spec.key.clone());
        }
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_key.remove(&oldest);
        }
        Some(Arc::clone(spec))
    }

    pub(crate) fn set_provisioned(&mut self, spec: &Arc<VersionSpec>, provisioned: bool) {
        if provisioned {
            self.provisioned.insert(spec.key.clone(), Arc::clone(spec));
        } else {
            self.provisioned.remove(&spec.key);
        }
    }

    pub(crate) fn get(&self, key: &VersionKey) -> Option<Arc<VersionSpec>> {
        self.provisioned.get(key).or_else(|| self.by_key.get(key)).cloned()
    }

    pub(crate) fn forget(&mut self, key: &VersionKey) {
        self.provisioned.remove(key);
        self.by_key.remove(key);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use hearth_types::{Sha256, VersionLabel};

    use super::*;

    pub(crate) fn spec(generation: u64) -> Arc<VersionSpec> {
        let key = VersionKey {
            account: "000000000000".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            function: "f".parse().unwrap(),
            version: VersionLabel::Latest,
            code: Sha256([0; 32]),
            generation,
        };
        Arc::new(VersionSpec {
            key,
            runtime: "provided.al2023".to_owned(),
            runtime_version_arn: String::new(),
            handler: "h".to_owned(),
            role: String::new(),
            memory_mib: 128,
            timeout_ms: 3000,
            ephemeral_storage_mib: 512,
            environment: std::collections::BTreeMap::new(),
            layers: Vec::new(),
            live_dir: None,
            network: hearth_types::NetworkMode::None,
            log_group: String::new(),
            log_format: hearth_types::LogFormat::Text,
            application_log_level: None,
            system_log_level: None,
            tracing_active: false,
            snap_start: false,
        })
    }

    #[test]
    fn as_many_are_remembered_as_may_be_and_those_provisioned_as_long_as_they_are() {
        let mut specs = Specs::default();
        specs.remember(&spec(0));
        specs.set_provisioned(&spec(0), true);
        let last = u64::try_from(REMEMBERED_MAX).unwrap();
        for generation in 0..=last {
            specs.remember(&spec(generation));
        }
        assert_eq!(specs.by_key.len(), REMEMBERED_MAX);
        assert!(specs.get(&spec(0).key).is_some() && specs.get(&spec(last).key).is_some());
        specs.set_provisioned(&spec(0), false);
        assert!(specs.get(&spec(0).key).is_none());
        specs.forget(&spec(last).key);
        assert!(specs.get(&spec(last).key).is_none());
    }
}
