//! Sandboxes that a version would still have, had they not been ended. When the next call would have used them is learned like
//! that of those that are there; and one may be loaded in time to be one again.

use std::collections::{BTreeMap, BTreeSet};

use hearth_types::Instant;

use super::Rest;

/// Of one version; beyond it the one that was used least recently is given up.
const GHOSTS_MAX: usize = 8192;

#[derive(Clone, Debug, Default)]
pub(super) struct Ghosts {
    /// When to load one for each; most recently used last.
    all: BTreeMap<Rest, Option<Instant>>,
    /// Those times, in order.
    loads: BTreeSet<(Instant, Rest)>,
}

impl Ghosts {
    pub(super) fn bury(&mut self, rest: Rest, load_at: Option<Instant>) {
        self.remove(rest);
        if self.all.len() == GHOSTS_MAX
            && let Some(oldest) = self.all.first_key_value().map(|(oldest, _)| *oldest)
        {
            self.remove(oldest);
        }
        self.all.insert(rest, load_at);
        self.loads.extend(load_at.map(|at| (at, rest)));
    }

    /// The one that was used last, if that was after `than`.
    pub(super) fn take_younger(&mut self, than: Option<Instant>) -> Option<Rest> {
        let youngest = self.all.last_key_value().map(|(youngest, _)| *youngest);
        let younger = youngest.filter(|youngest| than.is_none_or(|than| youngest.since > than))?;
        self.remove(younger);
        Some(younger)
    }

    pub(super) fn load_at(&self) -> Option<Instant> {
        self.loads.first().map(|(at, _)| *at)
    }

    /// One that is to be loaded by now: it is none any more.
    pub(super) fn load(&mut self, now: Instant) -> Option<Rest> {
        let rest = self.loads.first().filter(|(at, _)| *at <= now)?.1;
        self.remove(rest);
        Some(rest)
    }

    fn remove(&mut self, rest: Rest) {
        if let Some(Some(at)) = self.all.remove(&rest) {
            self.loads.remove(&(at, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn rest(since: u64) -> Rest {
        Rest { since: at(since), rank: 1 }
    }

    #[test]
    fn those_that_are_due_are_loaded_once_and_the_youngest_is_used_first() {
        let mut ghosts = Ghosts::default();
        for (since, load_at) in [(3, Some(30)), (1, Some(50)), (2, None), (4, Some(40))] {
            ghosts.bury(rest(since), load_at.map(at));
        }
        assert_eq!((ghosts.load_at(), ghosts.load(at(29))), (Some(at(30)), None));
        assert_eq!((ghosts.load(at(30)), ghosts.load(at(30))), (Some(rest(3)), None));
        assert_eq!(ghosts.take_younger(Some(at(4))), None);
        assert_eq!(ghosts.take_younger(Some(at(3))), Some(rest(4)), "and its load with it");
        assert_eq!(ghosts.load_at(), Some(at(50)));
        assert_eq!([(); 3].map(|()| ghosts.take_younger(None)), [Some(rest(2)), Some(rest(1)), None]);
        assert_eq!(ghosts.load_at(), None);
    }

    #[test]
    fn there_are_never_too_many() {
        let mut ghosts = Ghosts::default();
        for since in 0..=8192 {
            ghosts.bury(rest(since), Some(at(since)));
        }
        assert_eq!((ghosts.all.len(), ghosts.loads.len()), (8192, 8192));
        assert_eq!(ghosts.load(at(8192)), Some(rest(1)), "the oldest is given up");
        ghosts.bury(rest(5), None);
        assert_eq!((ghosts.all.len(), ghosts.loads.len()), (8191, 8190), "the same one again");
    }
}
