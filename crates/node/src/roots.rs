//! What blank sandboxes are made of: one root per runtime, or one per memory size where an interpreter that waits has a heap of
//! its function's size.

use std::sync::Arc;

use hearth_engine::RootId;

/// Memory sizes per runtime for which interpreters wait; functions of further sizes share sandboxes without.
const SIZES_MAX: usize = 4;
/// What an interpreter waits with that fits every function: Lambda's default, MiB.
pub(crate) const ANY_MIB: u32 = 128;

/// Which functions the sandboxes of a root fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fit {
    /// All of the runtime.
    All,
    /// Those of this memory size, MiB.
    Size(u32),
    /// Those of the sizes that have no root of their own. Nothing waits in them.
    Rest,
}

impl Fit {
    /// The memory size for which an interpreter is to wait, MiB.
    pub(crate) fn parked_mib(self) -> Option<u32> {
        match self {
            Self::All => Some(ANY_MIB),
            Self::Size(memory_mib) => Some(memory_mib),
            Self::Rest => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) runtime: Arc<str>,
    pub(crate) fit: Fit,
    /// For the views.
    name: Arc<str>,
    available: bool,
}

/// A root's place is its number.
#[derive(Debug, Default)]
pub(crate) struct Roots(Vec<Root>);

impl Roots {
    pub(crate) fn get(&self, id: RootId) -> Option<&Root> {
        self.0.get(id.0 as usize)
    }

    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        self.0.iter().map(|root| Arc::clone(&root.name)).collect()
    }

    /// The root for a function of this runtime and memory size, if it was announced and is still there.
    pub(crate) fn find(&self, runtime: &str, memory_mib: u32) -> Option<RootId> {
        let fitting = |fits: &dyn Fn(Fit) -> bool| {
            self.0.iter().position(|root| root.available && &*root.runtime == runtime && fits(root.fit))
        };
        let index =
            fitting(&|fit| fit == Fit::Size(memory_mib)).or_else(|| fitting(&|fit| !matches!(fit, Fit::Size(_))));
        index.map(number)
    }

    /// Makes one available for functions of this memory size. `sized`: what waits in it has their heap's size.
    pub(crate) fn announce(&mut self, runtime: &str, memory_mib: u32, sized: bool) -> RootId {
        let sizes = self.0.iter().filter(|root| root.available && &*root.runtime == runtime);
        // One that was asked for before the runtime was there serves all sizes, as somebody may wait for it.
        let awaited = self.0.iter().any(|root| &*root.runtime == runtime && root.fit == Fit::All);
        let fit = match sized && !awaited {
            false => Fit::All,
            true if sizes.count() < SIZES_MAX => Fit::Size(memory_mib),
            true => Fit::Rest,
        };
        let known = self.0.iter().position(|root| &*root.runtime == runtime && root.fit == fit);
        let index = known.unwrap_or_else(|| self.push(runtime, fit));
        self.0[index].available = true;
        number(index)
    }

    /// One of the runtime's, whether it is installed or not.
    pub(crate) fn number(&mut self, runtime: &str) -> RootId {
        let known = self.0.iter().position(|root| &*root.runtime == runtime);
        number(known.unwrap_or_else(|| self.push(runtime, Fit::All)))
    }

    fn push(&mut self, runtime: &str, fit: Fit) -> usize {
        let name = match fit {
            Fit::All | Fit::Size(ANY_MIB) => runtime.into(),
            Fit::Size(memory_mib) => format!("{runtime}, {memory_mib} MiB").into(),
            Fit::Rest => format!("{runtime}, other sizes").into(),
        };
        self.0.push(Root { runtime: runtime.into(), fit, name, available: false });
        self.0.len() - 1
    }

    /// None of the runtime's is available from now on. Returns those that were.
    pub(crate) fn withdraw(&mut self, runtime: &str) -> Vec<RootId> {
        let mut withdrawn = Vec::new();
        for (index, root) in self.0.iter_mut().enumerate().filter(|(_, root)| &*root.runtime == runtime) {
            if std::mem::take(&mut root.available) {
                withdrawn.push(number(index));
            }
        }
        withdrawn
    }
}

fn number(index: usize) -> RootId {
    RootId(u32::try_from(index).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_without_sizes_has_one_root() {
        let mut roots = Roots::default();
        assert_eq!(roots.find("python3.11", 128), None);
        let root = roots.announce("python3.11", 128, false);
        assert_eq!((roots.find("python3.11", 4096), roots.announce("python3.11", 512, false)), (Some(root), root));
        assert_eq!(roots.get(root).unwrap().fit.parked_mib(), Some(ANY_MIB));
        assert_eq!(roots.find("python3.12", 128), None);
    }

    #[test]
    fn sizes_have_roots_of_their_own_up_to_a_number() {
        let mut roots = Roots::default();
        for memory_mib in 1..=10 {
            assert_eq!(roots.find("nodejs20.x", memory_mib).is_none(), memory_mib <= 5, "{memory_mib}");
            if memory_mib <= 5 {
                roots.announce("nodejs20.x", memory_mib, true);
            }
        }
        let fit = |memory_mib| roots.get(roots.find("nodejs20.x", memory_mib).unwrap()).unwrap().fit;
        assert_eq!((fit(1), fit(4), fit(5), fit(99)), (Fit::Size(1), Fit::Size(4), Fit::Rest, Fit::Rest));
        assert_eq!(Fit::Rest.parked_mib(), None);
    }

    #[test]
    fn a_root_that_was_awaited_is_the_one_that_is_announced() {
        let mut roots = Roots::default();
        let awaited = roots.number("nodejs20.x");
        assert_eq!((roots.find("nodejs20.x", 128), roots.number("nodejs20.x")), (None, awaited));
        assert_eq!(roots.announce("nodejs20.x", 512, true), awaited);
        assert_eq!(roots.find("nodejs20.x", 128), Some(awaited));
    }

    #[test]
    fn a_removed_runtime_loses_all_its_roots_and_gets_them_back() {
        let mut roots = Roots::default();
        let (small, large) = (roots.announce("nodejs20.x", 128, true), roots.announce("nodejs20.x", 512, true));
        assert_eq!(roots.withdraw("nodejs20.x"), [small, large]);
        assert_eq!((roots.withdraw("nodejs20.x"), roots.find("nodejs20.x", 128)), (vec![], None));
        assert_eq!(roots.announce("nodejs20.x", 512, true), large);
        assert_eq!((roots.find("nodejs20.x", 512), roots.find("nodejs20.x", 128)), (Some(large), None));
    }
}
