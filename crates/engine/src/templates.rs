//! Which versions are worth a template of their own accord: those whose initialisation is slow and whose cold starts are many.

use std::collections::VecDeque;
use std::time::Duration;

use hearth_types::Instant;

/// Initialisation that takes longer is slower than restoring, with all that saving costs, several times over.
const INIT_MIN: Duration = Duration::from_millis(250);
/// So many cold starts within [`WINDOW`] will be followed by more.
const COLD_STARTS: usize = 3;
const WINDOW: Duration = Duration::from_secs(600);
/// After a template could not be made it is not tried again for this time.
const PAUSE: Duration = Duration::from_secs(3600);

/// What is remembered of one version.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TemplateHistory {
    /// Of the last cold starts, oldest first.
    cold_starts: VecDeque<Instant>,
    not_before: Option<Instant>,
}

impl TemplateHistory {
    /// A sandbox of the version initialised in this time. True if a template is worth making now.
    pub fn note_cold_start(&mut self, now: Instant, init: Duration) -> bool {
        self.cold_starts.push_back(now);
        if self.cold_starts.len() > COLD_STARTS {
            self.cold_starts.pop_front();
        }
        let frequent = self.cold_starts.len() == COLD_STARTS
            && self.cold_starts.front().is_some_and(|first| *first + WINDOW >= now);
        frequent && init >= INIT_MIN && self.may_try(now)
    }

    /// Making one failed.
    pub fn note_failure(&mut self, now: Instant) {
        self.not_before = Some(now + PAUSE);
    }

    pub fn may_try(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|at| at <= now)
    }

    /// True when nothing is remembered that could matter.
    pub fn is_stale(&self, now: Instant) -> bool {
        self.may_try(now) && self.cold_starts.back().is_none_or(|last| *last + WINDOW < now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn slow_and_frequent_cold_starts_are_worth_a_template() {
        let mut history = TemplateHistory::default();
        assert_eq!([0, 10, 20].map(|second| history.note_cold_start(at(second), SLOW)), [false, false, true]);
        assert!(history.note_cold_start(at(30), SLOW));
        assert!(!history.note_cold_start(at(40), Duration::from_millis(30)));
    }

    #[test]
    fn rare_ones_are_not() {
        let mut history = TemplateHistory::default();
        assert!((0..20).all(|number| !history.note_cold_start(at(number * 400), SLOW)));
        assert!(history.is_stale(at(20_000)));
    }

    #[test]
    fn a_failure_is_not_repeated_at_once() {
        let mut history = TemplateHistory::default();
        history.note_failure(at(0));
        assert!((1..10).all(|second| !history.note_cold_start(at(second), SLOW)));
        assert!(!history.is_stale(at(3599)));
        assert_eq!([3601, 3602, 3603].map(|second| history.note_cold_start(at(second), SLOW)), [false, false, true]);
    }
}
