//! How much of what functions log is taken: at once of each sandbox, and for long of all together, shared out among those who want more.
//!
//! Nothing is dropped for it. What the node does not read its agent does not read either, so that the pipe fills and whoever writes
//! to it waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hearth_types::{AccountId, SandboxId};
use tokio::time::Instant;

/// Taken each second of all who have used up their burst. It costs about a twentieth of a core to read and to write.
const RATE: u64 = 32 << 20;
/// Taken of each sandbox at once, whoever else logs.
const BURST: u64 = 1 << 20;
/// What a record counts beside its bytes: of short lines it is their number that costs.
const RECORD: u64 = 128;
/// Who had to wait counts as one of those who want more for so long.
pub(crate) const COUNTS_FOR: Duration = Duration::from_secs(1);

/// Who wants more than its burst now, and until when that is believed.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    loud: Mutex<HashMap<AccountId, HashMap<SandboxId, Instant>>>,
}

impl Intake {
    /// What a sandbox may log each second: accounts share alike, and the sandboxes of each.
    fn share(&self, account: &AccountId, sandbox: SandboxId, debt: u64, now: Instant) -> u64 {
        let mut loud = self.loud.lock().unwrap_or_else(PoisonError::into_inner);
        loud.retain(|_, sandboxes| {
            sandboxes.retain(|_, until| *until > now);
            !sandboxes.is_empty()
        });
        loud.entry(account.clone()).or_default().insert(sandbox, now + COUNTS_FOR);
        let (accounts, sandboxes) = (loud.len() as u64, loud.get(account).map_or(1, HashMap::len) as u64);
        let share = (RATE / accounts / sandboxes).max(1);
        if let Some(until) = loud.get_mut(account).and_then(|sandboxes| sandboxes.get_mut(&sandbox)) {
            *until += time_for(debt, share);
        }
        share
    }
}

fn time_for(amount: u64, per_second: u64) -> Duration {
    Duration::from_micros(amount.saturating_mul(1_000_000) / per_second)
}

/// What one sandbox has logged, against what it may.
#[derive(Debug)]
pub(crate) struct Meter {
    intake: Arc<Intake>,
    account: AccountId,
    sandbox: SandboxId,
    /// As of `at`; it grows by `share` each second up to [`BURST`].
    left: u64,
    at: Instant,
    share: u64,
}

impl Meter {
    pub(crate) fn new(intake: &Arc<Intake>, account: &AccountId, sandbox: SandboxId, now: Instant) -> Self {
        Self { intake: Arc::clone(intake), account: account.clone(), sandbox, left: BURST, at: now, share: RATE }
    }

    /// So many records of so many bytes were taken. `Some`: none are to be taken before then.
    pub(crate) fn took(&mut self, records: u64, bytes: u64, now: Instant) -> Option<Instant> {
        let cost = bytes + records * RECORD;
        let passed = u64::try_from(now.saturating_duration_since(self.at).as_micros()).unwrap_or(u64::MAX);
        let had = self.left.saturating_add(passed.saturating_mul(self.share) / 1_000_000).min(BURST);
        (self.left, self.at) = (had.saturating_sub(cost), now);
        let debt = cost.saturating_sub(had);
        if debt == 0 {
            return None;
        }
        self.share = self.intake.share(&self.account, self.sandbox, debt, now);
        // Nothing is left, and nothing comes before the debt is paid.
        self.at = now + time_for(debt, self.share);
        Some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep_until;

    use super::*;

    const LINE: u64 = 22;
    const LINES: u64 = 100;

    /// Logs as much as it may until the time is over: how much it was, counted as the meter does.
    async fn log_on(mut meter: Meter, until: Instant) -> u64 {
        let mut total = 0;
        while Instant::now() < until {
            total += LINES * (LINE + RECORD);
            match meter.took(LINES, LINES * LINE, Instant::now()) {
                Some(resume) => sleep_until(resume).await,
                None => tokio::task::yield_now().await,
            }
        }
        total
    }

    fn meter(intake: &Arc<Intake>, account: &str, sandbox: u64) -> Meter {
        Meter::new(intake, &account.parse().unwrap(), SandboxId(sandbox), Instant::now())
    }

    const A: &str = "111111111111";
    const B: &str = "222222222222";

    fn is_about(amount: u64, expected: u64) -> bool {
        amount.abs_diff(expected) < expected / 8 + 2 * BURST
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_logs_without_pause_is_held_to_the_rate() {
        let intake = Arc::default();
        let total = log_on(meter(&intake, A, 1), Instant::now() + Duration::from_secs(10)).await;
        assert!(is_about(total, 10 * RATE), "{total}");
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_share_alike_however_many_sandboxes_each_has() {
        let intake = Arc::default();
        let until = Instant::now() + Duration::from_secs(10);
        let (one, two, three, other) = tokio::join!(
            log_on(meter(&intake, A, 1), until),
            log_on(meter(&intake, A, 2), until),
            log_on(meter(&intake, A, 3), until),
            log_on(meter(&intake, B, 4), until),
        );
        assert!(is_about(other, 5 * RATE), "{other}");
        for each in [one, two, three] {
            assert!(is_about(each, 5 * RATE / 3), "{each}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_logs_little_never_waits_whoever_else_logs() {
        let intake = Arc::default();
        let until = Instant::now() + Duration::from_secs(10);
        let little = async {
            let mut meter = meter(&intake, A, 100);
            while Instant::now() < until {
                assert_eq!(meter.took(1000, 1000 * LINE, Instant::now()), None);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let loud = (0..20).map(|number| log_on(meter(&intake, A, number), until));
        tokio::join!(little, futures_util::future::join_all(loud));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_have_fallen_silent_take_nothing_from_the_others() {
        let intake = Arc::default();
        let before = Instant::now() + Duration::from_secs(2);
        tokio::join!(log_on(meter(&intake, A, 1), before), log_on(meter(&intake, B, 2), before));
        tokio::time::sleep(2 * COUNTS_FOR).await;
        let total = log_on(meter(&intake, A, 3), Instant::now() + Duration::from_secs(10)).await;
        assert!(is_about(total, 10 * RATE), "{total}");
    }
}
