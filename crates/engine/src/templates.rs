//! Which versions are worth a template of their own accord: those whose initialisation is slow and whose cold starts are many.

use std::collections::VecDeque;
use std::time::Duration;

use hearth_types::Instant;

/// Initialisation that takes longer is slower than restoring, with all that saving costs, several times over.
const INIT_MIN: Duration = Duration::from_millis(250);
/// So many cold starts within [`WINDOW`] will be followed by more.
const COLD_STARTS: usize = 3;
const WINDOW: Duration = Duration::from_secs(600);
/// After a template could not be made or restored it is not tried again for this time; each further failure doubles it.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_MAX: Duration = Duration::from_secs(3600);
/// Starts of each kind that are compared.
const COMPARED: usize = 3;

/// What is remembered of one version.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TemplateHistory {
    /// Of the last cold starts, oldest first.
    cold_starts: VecDeque<Instant>,
    plain: Times,
    restored: Times,
    /// Since one was last restored.
    failures: u32,
    not_before: Option<Instant>,
}

/// How long the last starts took, oldest first.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Times(VecDeque<Duration>);

impl Times {
    fn note(&mut self, took: Duration) {
        self.0.push_back(took);
        if self.0.len() > COMPARED {
            self.0.pop_front();
        }
    }

    fn median(&self) -> Option<Duration> {
        let mut sorted: Vec<Duration> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

impl TemplateHistory {
    /// A sandbox of the version started without a template: its initialisation alone, and all of the start if it did not give
    /// way to others. True if a template is worth making now.
    pub fn note_cold_start(&mut self, now: Instant, init: Duration, took: Option<Duration>) -> bool {
        took.into_iter().for_each(|took| self.plain.note(took));
        self.cold_starts.push_back(now);
        if self.cold_starts.len() > COLD_STARTS {
            self.cold_starts.pop_front();
        }
        let frequent = self.cold_starts.len() == COLD_STARTS
            && self.cold_starts.front().is_some_and(|first| *first + WINDOW >= now);
        frequent && init >= INIT_MIN && self.may_try(now)
    }

    /// One started from its template, in this time if it did not give way to others. True if the template is no gain.
    pub fn note_restored(&mut self, took: Option<Duration>) -> bool {
        self.failures = 0;
        took.into_iter().for_each(|took| self.restored.note(took));
        let enough = self.restored.0.len() == COMPARED;
        enough && self.restored.median().zip(self.plain.median()).is_some_and(|(restored, plain)| restored >= plain)
    }

    /// Making one, or starting from it, failed.
    pub fn note_failure(&mut self, now: Instant) {
        let pause = PAUSE.saturating_mul(1 << self.failures.min(16)).min(PAUSE_MAX);
        self.failures += 1;
        self.give_up(now, pause);
    }

    /// It is no gain. What a host does in an hour may differ.
    pub fn note_no_gain(&mut self, now: Instant) {
        self.give_up(now, PAUSE_MAX);
    }

    fn give_up(&mut self, now: Instant, pause: Duration) {
        self.not_before = Some(now + pause);
        self.restored = Times::default();
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

    fn cold_start(history: &mut TemplateHistory, second: u64, init: Duration) -> bool {
        history.note_cold_start(at(second), init, Some(init + Duration::from_millis(20)))
    }

    #[test]
    fn slow_and_frequent_cold_starts_are_worth_a_template() {
        let mut history = TemplateHistory::default();
        assert_eq!([0, 10, 20].map(|second| cold_start(&mut history, second, SLOW)), [false, false, true]);
        assert!(cold_start(&mut history, 30, SLOW));
        assert!(!cold_start(&mut history, 40, Duration::from_millis(30)));
    }

    #[test]
    fn rare_ones_are_not() {
        let mut history = TemplateHistory::default();
        assert!((0..20).all(|number| !cold_start(&mut history, number * 400, SLOW)));
        assert!(history.is_stale(at(20_000)));
    }

    #[test]
    fn a_failure_is_not_repeated_at_once() {
        let mut history = TemplateHistory::default();
        history.note_failure(at(0));
        assert!((1..10).all(|second| !cold_start(&mut history, second, SLOW)));
        assert!(!history.is_stale(at(59)));
        assert_eq!([700, 701, 702].map(|second| cold_start(&mut history, second, SLOW)), [false, false, true]);
    }

    #[test]
    fn failures_in_a_row_are_repeated_ever_later() {
        let mut history = TemplateHistory::default();
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..100 {
            history.note_failure(now);
            let pause = (1..).find(|second| history.may_try(now + Duration::from_secs(*second))).unwrap();
            pauses.push(pause);
            now = now + Duration::from_secs(pause);
        }
        assert_eq!(pauses[..8], [60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(pauses[99], 3600);
        history.note_restored(None);
        history.note_failure(now);
        assert!(history.may_try(now + Duration::from_secs(60)), "one came to life in between");
    }

    #[test]
    fn a_template_that_is_slower_than_starting_is_no_gain() {
        let restored = |plain: [u64; 3], restored: &[u64]| {
            let mut history = TemplateHistory::default();
            for took in plain {
                history.note_cold_start(at(0), SLOW, Some(Duration::from_millis(took)));
            }
            restored.iter().map(|took| history.note_restored(Some(Duration::from_millis(*took)))).collect::<Vec<bool>>()
        };
        assert_eq!(restored([300, 310, 900], &[400, 100, 110, 320, 330]), [false, false, false, false, true]);
        assert_eq!(restored([300, 310, 900], &[310, 310, 310]), [false, false, true]);
        assert_eq!(restored([300, 310, 900], &[5000, 5000]), [false; 2], "not by chance");
        let mut unknown = TemplateHistory::default();
        assert!((0..9).all(|_| !unknown.note_restored(Some(SLOW))), "there is nothing to compare with");
        assert!(!unknown.note_cold_start(at(0), SLOW, None) && !unknown.note_restored(None));
        unknown.note_no_gain(at(0));
        assert!(!unknown.may_try(at(3599)) && unknown.may_try(at(3600)));
    }
}
