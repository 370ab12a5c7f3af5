//! Which versions the policy knows: what is learned outlives a version's sandboxes, and its code.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use hearth_types::{AccountId, FunctionName, VersionKey, VersionLabel};

use super::{Known, Policy};
use crate::slab::Slab;

/// Versions without a pool that are remembered; the one unused for longest is forgotten for another.
const UNUSED_MAX: usize = 16_384;

type FunctionKey = (AccountId, FunctionName);

#[derive(Debug)]
struct Version {
    function: FunctionKey,
    label: VersionLabel,
    generation: u64,
    /// Pools that use it; while there are none, `place` is its place among the unused.
    pools: u32,
    place: u64,
}

/// The versions of one function, most recently met last.
type Labels = Vec<(VersionLabel, Known)>;

/// The policy, and the numbers by which it knows versions.
#[derive(Debug)]
pub(crate) struct Versions {
    pub(crate) policy: Box<dyn Policy>,
    versions: Slab<Version>,
    by_function: HashMap<FunctionKey, Labels>,
    /// Least recently used first.
    unused: BTreeSet<(u64, u32)>,
    sequence: u64,
}

impl Versions {
    pub(crate) fn new(policy: Box<dyn Policy>) -> Self {
        let versions = Slab::default();
        Self { policy, versions, by_function: HashMap::new(), unused: BTreeSet::new(), sequence: 0 }
    }

    /// The version of `key`, held for one more pool.
    pub(crate) fn hold(&mut self, key: &Arc<VersionKey>) -> Known {
        let function = (key.account.clone(), key.function.clone());
        let labels = self.by_function.entry(function.clone()).or_default();
        let Some(known) = labels.iter().find(|(label, _)| *label == key.version).map(|(_, known)| *known) else {
            return self.meet(key, function);
        };
        let version = &mut self.versions[known.0];
        if version.pools == 0 {
            self.unused.remove(&(version.place, known.0));
        }
        version.pools += 1;
        if version.generation < key.generation {
            version.generation = key.generation;
            self.policy.changed(known);
        }
        known
    }

    fn meet(&mut self, key: &VersionKey, function: FunctionKey) -> Known {
        let (label, generation) = (key.version, key.generation);
        let version = Version { function: function.clone(), label, generation, pools: 1, place: 0 };
        let known = Known(self.versions.insert(version));
        let labels = self.by_function.entry(function).or_default();
        let parent = labels.last().map(|(_, parent)| *parent);
        labels.push((label, known));
        self.policy.meet(known, parent);
        known
    }

    /// Undoes one `hold`.
    pub(crate) fn release(&mut self, known: Known) {
        self.sequence += 1;
        let version = &mut self.versions[known.0];
        version.pools -= 1;
        if version.pools > 0 {
            return;
        }
        version.place = self.sequence;
        self.unused.insert((self.sequence, known.0));
        self.policy.emptied(known);
        if self.unused.len() > UNUSED_MAX
            && let Some((_, oldest)) = self.unused.pop_first()
        {
            self.forget(Known(oldest));
        }
    }

    fn forget(&mut self, known: Known) {
        let Some(version) = self.versions.remove(known.0) else {
            return;
        };
        if let Some(labels) = self.by_function.get_mut(&version.function) {
            labels.retain(|(label, _)| *label != version.label);
            if labels.is_empty() {
                self.by_function.remove(&version.function);
            }
        }
        self.policy.forget(known);
    }
}
