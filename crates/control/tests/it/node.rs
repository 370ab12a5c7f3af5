//! A node that notes what it is told and has what the test gives it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hearth_engine::port::{Provision, Provisioned, Provisioner};
use hearth_types::VersionKey;

#[derive(Debug, Default)]
pub(crate) struct FakeNode {
    /// What is to be kept, and within which reservation.
    wanted: Mutex<BTreeMap<VersionKey, (u32, Option<u32>)>>,
    there: Mutex<BTreeMap<VersionKey, Provisioned>>,
}

impl FakeNode {
    /// As another node, after a restart.
    pub(crate) fn forget(&self) {
        self.wanted.lock().unwrap().clear();
        self.there.lock().unwrap().clear();
    }

    /// `version count reservation` of everything that is to be kept, by function and version.
    pub(crate) fn wanted(&self) -> Vec<String> {
        let shown = |(key, (count, reserved)): (&VersionKey, &(u32, Option<u32>))| {
            let reserved = reserved.map(|reserved| format!(" of {reserved}")).unwrap_or_default();
            format!("{}:{} {count}{reserved}", key.function, key.version)
        };
        self.wanted.lock().unwrap().iter().map(shown).collect()
    }

    /// Every version that is wanted has this.
    pub(crate) fn have(&self, provisioned: &Provisioned) {
        let keys: Vec<VersionKey> = self.wanted.lock().unwrap().keys().cloned().collect();
        *self.there.lock().unwrap() = keys.into_iter().map(|key| (key, provisioned.clone())).collect();
    }
}

impl Provisioner for FakeNode {
    fn provision(&self, provision: Provision) {
        let mut wanted = self.wanted.lock().unwrap();
        match provision.count {
            0 => wanted.remove(&provision.spec.key),
            count => wanted.insert(provision.spec.key.clone(), (count, provision.reserved_concurrency)),
        };
    }

    fn provisioned(&self, key: &VersionKey) -> Provisioned {
        self.there.lock().unwrap().get(key).cloned().unwrap_or_default()
    }
}
