//! A node that notes what it is told and has what the test gives it.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hearth_engine::port::{BoxFuture, PrepareError, Prepared, Provision, Provisioned, Provisioner, Templates};
use hearth_types::{VersionKey, VersionSpec};
use tokio::sync::Semaphore;

#[derive(Debug, Default)]
pub(crate) struct FakeNode {
    /// What is to be kept, and within which reservation.
    wanted: Mutex<BTreeMap<VersionKey, (u32, Option<u32>)>>,
    there: Mutex<BTreeMap<VersionKey, Provisioned>>,
    told: AtomicUsize,
    expected: Mutex<Vec<VersionKey>>,
    preparing: Arc<Preparing>,
}

/// Preparations wait until the test says how the next one ends.
#[derive(Debug)]
struct Preparing {
    answers: Mutex<VecDeque<Result<Prepared, PrepareError>>>,
    answered: Semaphore,
    asked: Mutex<Vec<VersionKey>>,
    retained: Mutex<Vec<HashSet<VersionKey>>>,
}

impl Default for Preparing {
    fn default() -> Self {
        let (answers, asked, retained) = Default::default();
        Self { answers, answered: Semaphore::new(0), asked, retained }
    }
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

    /// The versions that may be called, in the order in which it heard of them.
    pub(crate) fn expected(&self) -> Vec<VersionKey> {
        self.expected.lock().unwrap().clone()
    }

    /// How often it was told what to keep.
    pub(crate) fn times_told(&self) -> usize {
        self.told.load(Ordering::Relaxed)
    }

    /// How the next preparation ends that has no answer yet.
    pub(crate) fn answer(&self, result: Result<Prepared, PrepareError>) {
        self.preparing.answers.lock().unwrap().push_back(result);
        self.preparing.answered.add_permits(1);
    }

    /// The versions that were to be prepared, in order.
    pub(crate) fn asked(&self) -> Vec<VersionKey> {
        self.preparing.asked.lock().unwrap().clone()
    }

    /// What was kept at each start.
    pub(crate) fn retained(&self) -> Vec<HashSet<VersionKey>> {
        self.preparing.retained.lock().unwrap().clone()
    }

    /// Every version that is wanted has this.
    pub(crate) fn have(&self, provisioned: &Provisioned) {
        let keys: Vec<VersionKey> = self.wanted.lock().unwrap().keys().cloned().collect();
        *self.there.lock().unwrap() = keys.into_iter().map(|key| (key, provisioned.clone())).collect();
    }
}

impl Provisioner for FakeNode {
    fn expect(&self, spec: &VersionSpec) {
        self.expected.lock().unwrap().push(spec.key.clone());
    }

    fn provision(&self, provision: Provision) {
        self.told.fetch_add(1, Ordering::Relaxed);
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

impl Templates for FakeNode {
    fn prepare(&self, spec: Arc<VersionSpec>) -> BoxFuture<'static, Result<Prepared, PrepareError>> {
        let preparing = Arc::clone(&self.preparing);
        Box::pin(async move {
            preparing.asked.lock().unwrap().push(spec.key.clone());
            preparing.answered.acquire().await.unwrap().forget();
            preparing.answers.lock().unwrap().pop_front().unwrap()
        })
    }

    fn retain(&self, current: HashSet<VersionKey>) {
        self.preparing.retained.lock().unwrap().push(current);
    }
}
