//! Asynchronous invocations: what becomes of one after an attempt, and whose are taken up next ([`EventQueues`]).
//!
//! Facts: AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation".

mod queues;
mod share;

use std::time::Duration;

pub use queues::{Ended, EventQueues, QueueName, Take};
pub use share::{Bounds, Terms};

/// `MaximumRetryAttempts` and `MaximumEventAgeInSeconds` of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryConfig {
    retries_max: u32,
    age_max: Duration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { retries_max: Self::RETRIES_MAX, age_max: Duration::from_secs(u64::from(Self::AGE_S_MAX)) }
    }
}

impl RetryConfig {
    /// Also the default.
    pub const RETRIES_MAX: u32 = 2;
    pub const AGE_S_MIN: u32 = 60;
    /// Also the default.
    pub const AGE_S_MAX: u32 = 21_600;

    /// Values out of range are taken as the nearest that is in it.
    pub fn new(retries_max: u32, age_s_max: u32) -> Self {
        let age_s = age_s_max.clamp(Self::AGE_S_MIN, Self::AGE_S_MAX);
        Self { retries_max: retries_max.min(Self::RETRIES_MAX), age_max: Duration::from_secs(u64::from(age_s)) }
    }
}

/// How one attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttemptEnd {
    Success,
    /// The function ran and failed, timed out or crashed.
    FunctionError,
    /// It did not run: throttled, or Hearth's own failure.
    NotRun,
    /// It did not run because the function's reserved concurrency is zero.
    ZeroReserved,
}

/// What is known of an event after an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Attempts in which the function ran, with the last one.
    pub runs: u32,
    /// Attempts in a row in which it did not run, with the last one.
    pub misses: u32,
    /// Since it was accepted.
    pub age: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Done,
    Retry {
        delay: Duration,
    },
    /// To the on-failure destination or the dead-letter queue, if there is one.
    Discard {
        condition: Condition,
    },
}

/// Why an event is given up; `requestContext.condition` of the record sent to a destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    RetriesExhausted,
    EventAgeExceeded,
    ZeroReservedConcurrency,
}

impl Condition {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ZeroReservedConcurrency => "ZeroReservedConcurrency",
        }
    }
}

const FUNCTION_ERROR_DELAYS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(300);

/// What to do with an event after an attempt. A retry that would come after the event's maximum age is not made: with
/// function errors the event goes at once, otherwise one last attempt is made at that age.
///
/// `draw`, in 0..=1, spreads events that were refused together: at 1 each waits the longest of its turn, and all would
/// come back at once to be refused again.
pub fn after_attempt(config: RetryConfig, end: AttemptEnd, progress: Progress, draw: f64) -> Verdict {
    let left = config.age_max.saturating_sub(progress.age);
    match end {
        AttemptEnd::Success => Verdict::Done,
        AttemptEnd::ZeroReserved => Verdict::Discard { condition: Condition::ZeroReservedConcurrency },
        AttemptEnd::FunctionError => {
            let retries = progress.runs.saturating_sub(1);
            if retries >= config.retries_max {
                return Verdict::Discard { condition: Condition::RetriesExhausted };
            }
            let index = usize::try_from(retries).unwrap_or(usize::MAX).min(FUNCTION_ERROR_DELAYS.len() - 1);
            let delay = FUNCTION_ERROR_DELAYS[index];
            if delay >= left {
                return Verdict::Discard { condition: Condition::EventAgeExceeded };
            }
            Verdict::Retry { delay }
        }
        AttemptEnd::NotRun if left.is_zero() => Verdict::Discard { condition: Condition::EventAgeExceeded },
        AttemptEnd::NotRun => Verdict::Retry { delay: backoff(progress.misses, draw).min(left) },
    }
}

/// Before an attempt: an event that became too old while it waited is not run any more.
pub fn is_too_old(config: RetryConfig, age: Duration) -> bool {
    age > config.age_max
}

const LOOK_AFTER_MIN: Duration = Duration::from_secs(1);
const LOOK_AFTER_MAX: Duration = Duration::from_secs(4);

/// For an event that may wait for another `rest` and would have to, since load is high: after which time it is looked at again.
/// `None`: it has waited long enough. None waits so for more than half of its maximum age, so that time is left to try again.
pub fn hold_back(config: RetryConfig, rest: Duration, age: Duration, draw: f64) -> Option<Duration> {
    let left = rest.min((config.age_max / 2).saturating_sub(age));
    let pause = LOOK_AFTER_MIN + (LOOK_AFTER_MAX - LOOK_AFTER_MIN).mul_f64(draw.clamp(0.0, 1.0));
    (!left.is_zero()).then(|| pause.min(left))
}

/// At least 1 s, at most 1 s, 2 s, 4 s and so on to 5 min.
fn backoff(misses: u32, draw: f64) -> Duration {
    let doublings = misses.saturating_sub(1).min(16);
    let longest = BACKOFF_MIN.saturating_mul(1 << doublings).min(BACKOFF_MAX);
    BACKOFF_MIN + (longest - BACKOFF_MIN).mul_f64(draw.clamp(0.0, 1.0))
}
