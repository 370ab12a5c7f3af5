//! Asynchronous invocations: retries, back-off and age.

use std::time::Duration;

use hearth_engine::async_queue::{
    AttemptEnd, Condition, Progress, RetryConfig, Verdict, after_attempt, hold_back, is_too_old,
};
use proptest::prelude::*;

fn progress(runs: u32, misses: u32, age_s: u64) -> Progress {
    Progress { runs, misses, age: Duration::from_secs(age_s) }
}

fn retry(delay_s: u64) -> Verdict {
    Verdict::Retry { delay: Duration::from_secs(delay_s) }
}

fn discard(condition: Condition) -> Verdict {
    Verdict::Discard { condition }
}

#[test]
fn function_errors_are_retried_after_one_and_two_minutes() {
    let after =
        |runs, age_s| after_attempt(RetryConfig::default(), AttemptEnd::FunctionError, progress(runs, 0, age_s), 1.0);
    assert_eq!(after(1, 0), retry(60));
    assert_eq!(after(2, 61), retry(120));
    assert_eq!(after(3, 183), discard(Condition::RetriesExhausted));
}

#[test]
fn retries_are_as_configured() {
    for retries_max in 0..=2 {
        let config = RetryConfig::new(retries_max, 21_600);
        let after = |runs| after_attempt(config, AttemptEnd::FunctionError, progress(runs, 0, 0), 1.0);
        assert!(matches!(after(retries_max), Verdict::Retry { .. }) || retries_max == 0);
        assert_eq!(after(retries_max + 1), discard(Condition::RetriesExhausted));
    }
}

#[test]
fn what_may_wait_is_looked_at_every_few_seconds_until_its_time_or_half_its_age_is_up() {
    let seconds = Duration::from_secs;
    let held = |rest_s, age_s, draw| hold_back(RetryConfig::new(2, 60), seconds(rest_s), seconds(age_s), draw);
    assert_eq!((held(300, 0, 0.0), held(300, 0, 1.0)), (Some(seconds(1)), Some(seconds(4))));
    assert_eq!((held(2, 0, 1.0), held(0, 0, 1.0)), (Some(seconds(2)), None));
    assert_eq!((held(300, 29, 1.0), held(300, 30, 0.0)), (Some(seconds(1)), None));
}

#[test]
fn a_retry_that_would_come_too_late_is_not_made() {
    let config = RetryConfig::new(2, 60);
    let after = after_attempt(config, AttemptEnd::FunctionError, progress(1, 0, 1), 1.0);
    assert_eq!(after, discard(Condition::EventAgeExceeded));
}

#[test]
fn throttles_back_off_from_a_second_to_five_minutes_until_the_age_is_reached() {
    let config = RetryConfig::default();
    let after = |misses, age_s| after_attempt(config, AttemptEnd::NotRun, progress(0, misses, age_s), 1.0);
    let delays = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
    for (misses, delay) in (1..).zip(delays) {
        assert_eq!(after(misses, 0), retry(delay));
    }
    assert_eq!(after(u32::MAX, 21_590), retry(10));
    assert_eq!(after(5, 21_600), discard(Condition::EventAgeExceeded));
    assert!(!is_too_old(config, Duration::from_secs(21_600)) && is_too_old(config, Duration::from_secs(21_601)));
}

#[test]
fn what_was_throttled_together_comes_back_spread() {
    let after = |draw| after_attempt(RetryConfig::default(), AttemptEnd::NotRun, progress(0, 7, 0), draw);
    assert_eq!(after(0.0), retry(1));
    assert_eq!(after(1.0), retry(64));
    let Verdict::Retry { delay } = after(0.5) else { panic!("a throttled event is retried") };
    assert_eq!(delay, Duration::from_millis(32_500));
}

#[test]
fn zero_reserved_concurrency_gives_up_at_once() {
    let after = after_attempt(RetryConfig::default(), AttemptEnd::ZeroReserved, progress(0, 1, 0), 1.0);
    assert_eq!(after, discard(Condition::ZeroReservedConcurrency));
}

/// Runs an event through attempts that end as given, the last one for ever; returns its condition, runs and age.
fn play(config: RetryConfig, ends: &[AttemptEnd], draw: f64) -> (Option<Condition>, u32, Duration) {
    let mut progress = Progress { runs: 0, misses: 0, age: Duration::ZERO };
    for attempt in 0..100_000 {
        let end = ends[attempt.min(ends.len() - 1)];
        match end {
            AttemptEnd::Success | AttemptEnd::FunctionError => {
                progress.runs += 1;
                progress.misses = 0;
            }
            AttemptEnd::NotRun | AttemptEnd::ZeroReserved => progress.misses += 1,
        }
        match after_attempt(config, end, progress, draw) {
            Verdict::Done => return (None, progress.runs, progress.age),
            Verdict::Discard { condition } => return (Some(condition), progress.runs, progress.age),
            Verdict::Retry { delay } => progress.age += delay,
        }
    }
    panic!("an event without end");
}

fn ends() -> impl Strategy<Value = Vec<AttemptEnd>> {
    let end = prop_oneof![
        1 => Just(AttemptEnd::Success),
        4 => Just(AttemptEnd::FunctionError),
        8 => Just(AttemptEnd::NotRun),
        1 => Just(AttemptEnd::ZeroReserved),
    ];
    prop::collection::vec(end, 1..40)
}

proptest! {
    #[test]
    fn every_event_ends_within_its_age_and_retries(retries_max in 0u32..=2, age_s in 60u32..=21_600, ends in ends(), draw in 0.0f64..=1.0) {
        let (condition, runs, age) = play(RetryConfig::new(retries_max, age_s), &ends, draw);
        prop_assert!(age <= Duration::from_secs(u64::from(age_s)));
        prop_assert!(runs <= retries_max + 1);
        if condition == Some(Condition::RetriesExhausted) {
            prop_assert_eq!(runs, retries_max + 1);
        }
    }
}
