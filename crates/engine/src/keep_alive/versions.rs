//! Which versions the policy knows: what is learned outlives a version's sandboxes, and its code.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use hearth_types::{FunctionName, Home, Instant, VersionKey, VersionLabel};

use super::slab::Slab;
use super::{Known, Memory, Policy};
use crate::capacity::Frequency;
use crate::event::{ColdReason, Version as Loadable};
use crate::fleet::{Calls, Runs};

/// Versions of which something was learned before, and that were not met since.
const RECALLED_MAX: usize = 16_384;

/// Versions without a pool that are remembered; the one unused for longest is forgotten for another.
const UNUSED_MAX: usize = 16_384;

type FunctionKey = (Home, FunctionName);

#[derive(Debug)]
struct Version {
    function: FunctionKey,
    label: VersionLabel,
    generation: u64,
    /// Pools that use it; while there are none, `place` is its place among the unused.
    pools: u32,
    place: u64,
    /// What to load ahead; `None` once it is retired.
    current: Option<Loadable>,
    /// The timer of its next load.
    armed: Option<Instant>,
    runs: Runs,
    calls: Calls,
    /// Why the next would find no sandbox, if there is none.
    missed_as: ColdReason,
    /// It was called since its memory was taken.
    called: bool,
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
    /// Those that were called since then; some more than once, or forgotten.
    called: Vec<Known>,
    recalled: HashMap<(FunctionKey, VersionLabel), Memory>,
}

impl Versions {
    pub(crate) fn new(policy: Box<dyn Policy>) -> Self {
        Self {
            policy,
            versions: Slab::default(),
            by_function: HashMap::new(),
            unused: BTreeSet::new(),
            sequence: 0,
            called: Vec::new(),
            recalled: HashMap::new(),
        }
    }

    /// What was learned another time. It is not heeded where something was learned since.
    pub(crate) fn recall(&mut self, memories: Vec<Memory>) {
        for memory in memories {
            let key = ((memory.home(), memory.function.clone()), memory.version);
            let labels = self.by_function.get(&key.0).into_iter().flatten();
            match labels.copied().find(|(label, _)| *label == key.1) {
                Some((_, known)) if self.policy.memory(known).is_none() => self.apply(known, &memory),
                Some(_) => {}
                None if self.recalled.len() < RECALLED_MAX => drop(self.recalled.insert(key, memory)),
                None => {}
            }
        }
    }

    fn apply(&mut self, known: Known, memory: &Memory) {
        self.policy.recall(known, &memory.learned);
        if memory.generation != self.versions[known.0].generation {
            self.policy.changed(known);
        }
    }

    /// Versions of which something was learned another time, and that were not met since.
    pub(crate) fn recalled(&self) -> usize {
        self.recalled.len()
    }

    /// What was learned of so many versions at most that were called since it was last asked for; each once.
    pub(crate) fn memories(&mut self, most: usize) -> Vec<Memory> {
        let mut memories = Vec::new();
        while memories.len() < most
            && let Some(known) = self.called.pop()
        {
            let Some(version) = self.versions.get_mut(known.0).filter(|version| version.called) else { continue };
            version.called = false;
            let Some(learned) = self.policy.memory(known) else { continue };
            let (Home { account, region }, function) = version.function.clone();
            memories.push(Memory {
                account,
                region,
                function,
                version: version.label,
                generation: version.generation,
                learned,
            });
        }
        memories
    }

    /// The version of `key`, held for one more pool.
    pub(crate) fn hold(&mut self, current: Loadable) -> Known {
        let key = Arc::clone(&current.key);
        let function = (key.home(), key.function.clone());
        let labels = self.by_function.entry(function.clone()).or_default();
        let Some(known) = labels.iter().find(|(label, _)| *label == key.version).map(|(_, known)| *known) else {
            return self.meet(current, function);
        };
        let version = &mut self.versions[known.0];
        if version.pools == 0 {
            self.unused.remove(&(version.place, known.0));
        }
        version.pools += 1;
        if version.generation == key.generation {
            version.current = Some(current);
        } else if version.generation < key.generation {
            version.generation = key.generation;
            version.current = Some(current);
            if version.missed_as != ColdReason::First || version.pools > 1 {
                version.missed_as = ColdReason::Updated;
            }
            self.policy.changed(known);
        }
        known
    }

    fn meet(&mut self, current: Loadable, function: FunctionKey) -> Known {
        let key = Arc::clone(&current.key);
        let (label, generation) = (key.version, key.generation);
        let version = Version {
            function: function.clone(),
            label,
            generation,
            pools: 1,
            place: 0,
            current: Some(current),
            armed: None,
            runs: Runs::default(),
            calls: Calls::default(),
            missed_as: ColdReason::First,
            called: false,
        };
        let known = Known(self.versions.insert(version));
        let recalled = self.recalled.remove(&(function.clone(), label));
        let labels = self.by_function.entry(function).or_default();
        let parent = labels.last().map(|(_, parent)| *parent);
        labels.push((label, known));
        self.policy.meet(known, &key, parent);
        if let Some(memory) = recalled {
            self.apply(known, &memory);
        }
        known
    }

    /// How long its runs take.
    pub(crate) fn runs(&self, known: Known) -> Option<&Runs> {
        self.versions.get(known.0).map(|version| &version.runs)
    }

    pub(crate) fn note_run(&mut self, known: Known, took: Duration) {
        if let Some(version) = self.versions.get_mut(known.0) {
            version.runs.note(took);
        }
    }

    /// How often it is called.
    pub(crate) fn frequency(&self, known: Known, now: Instant) -> Frequency {
        self.versions.get(known.0).map_or(Frequency::Rare, |version| version.calls.frequency(now))
    }

    pub(crate) fn note_call(&mut self, known: Known, now: Instant) {
        if let Some(version) = self.versions.get_mut(known.0) {
            version.calls.note(now);
            if !std::mem::replace(&mut version.called, true) {
                self.called.push(known);
            }
        }
    }

    pub(crate) fn missed_as(&self, known: Known) -> ColdReason {
        self.versions.get(known.0).map_or(ColdReason::First, |version| version.missed_as)
    }

    /// A sandbox of the version, of this generation, is gone.
    pub(crate) fn note_gone(&mut self, known: Known, generation: u64, missed_as: ColdReason) {
        if let Some(version) = self.versions.get_mut(known.0).filter(|version| version.generation == generation) {
            version.missed_as = missed_as;
        }
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

    /// It is not loaded any more.
    pub(crate) fn retire(&mut self, key: &VersionKey) {
        let function = (key.home(), key.function.clone());
        let labels = self.by_function.get(&function).into_iter().flatten();
        for (_, known) in labels {
            let version = &mut self.versions[known.0];
            version.current = version.current.take().filter(|current| *current.key != *key);
        }
    }

    /// What to load for the version.
    pub(crate) fn current(&self, known: Known) -> Option<&Loadable> {
        self.versions.get(known.0)?.current.as_ref()
    }

    /// The timer of the version's next load.
    pub(crate) fn armed(&mut self, known: Known) -> Option<&mut Option<Instant>> {
        self.versions.get_mut(known.0).map(|version| &mut version.armed)
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
