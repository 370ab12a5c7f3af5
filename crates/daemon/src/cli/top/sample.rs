//! The daemon's state as `/_hearth/state` tells it, and what happened between two looks at it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sample {
    pub(super) isolation: Isolation,
    pub(super) engine: Engine,
    /// Names of the engine's roots, by their numbers.
    pub(super) roots: Vec<String>,
    pub(super) totals: Totals,
    pub(super) events: Events,
    pub(super) daemon: Daemon,
    /// Of declared instances, by their numbers, if anything here is about them.
    #[serde(skip)]
    pub(super) names: BTreeMap<u64, String>,
}

impl Sample {
    /// Where an account is spread to, in its order.
    pub(super) fn instances(&self, spread: &Spread) -> Vec<String> {
        // One that has no name is gone between the two answers.
        let name = |id: &u64| self.names.get(id).cloned().unwrap_or_else(|| format!("#{id}"));
        spread.instances.iter().map(name).collect()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Isolation {
    pub(super) tier: String,
    pub(super) privilege: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Engine {
    pub(super) draining: bool,
    pub(super) memory_mib: u64,
    pub(super) memory_mib_max: u64,
    pub(super) sandboxes_max: u64,
    pub(super) sandboxes: Counts,
    pub(super) queued: u64,
    pub(super) versions: Vec<Version>,
    #[serde(rename = "roots")]
    pub(super) blanks: Vec<Blanks>,
    pub(super) sub_pools: Vec<Pool>,
    pub(super) accounts: Vec<Account>,
}

impl Engine {
    /// Accounts that are held to some of a sub-pool's instances, with each such sub-pool.
    pub(super) fn spreads(&self) -> impl Iterator<Item = (&str, &Spread)> {
        self.accounts
            .iter()
            .flat_map(|found| found.spread.iter().flatten().map(|spread| (found.account.as_str(), spread)))
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Account {
    pub(super) account: String,
    /// `None`: it may use any.
    pub(super) spread: Option<Vec<Spread>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Spread {
    pub(super) pool: String,
    /// Those that its sandboxes go to, in its order.
    instances: Vec<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Pool {
    pub(super) terms: Terms,
    pub(super) waiting: u64,
    pub(super) active: u64,
    pub(super) pending: u64,
    pub(super) memory_mib: u64,
    pub(super) memory_mib_max: u64,
    pub(super) counters: PoolCounters,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Terms {
    pub(super) name: String,
    /// `frequent` or `rare`, if it is for such versions alone.
    pub(super) frequency: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct PoolCounters {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) waits: u64,
    pub(super) waited_us: u64,
    pub(super) borrowed: u64,
    pub(super) lent: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Counts {
    pub(super) making: u64,
    pub(super) blank: u64,
    pub(super) starting: u64,
    pub(super) idle: u64,
    pub(super) frozen: u64,
    pub(super) busy: u64,
    pub(super) finishing: u64,
    pub(super) ending: u64,
}

impl Counts {
    pub(super) fn all(&self) -> u64 {
        self.making + self.blank + self.starting + self.idle + self.busy + self.finishing + self.ending
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Version {
    pub(super) key: Key,
    pub(super) memory_mib: u64,
    pub(super) sandboxes: Counts,
    pub(super) waiting: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) function: String,
    pub(super) version: serde_json::Value,
}

impl Key {
    /// Such as `hello:3`; the latest has no number.
    pub(super) fn name(&self) -> String {
        match &self.version {
            serde_json::Value::Object(tagged) => {
                let number = tagged.values().next().map(ToString::to_string).unwrap_or_default();
                format!("{}:{number}", self.function)
            }
            serde_json::Value::Number(number) => format!("{}:{number}", self.function),
            _ => self.function.clone(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Blanks {
    pub(super) root: usize,
    pub(super) available: bool,
    pub(super) ready: u64,
    pub(super) making: u64,
    pub(super) claims: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Totals {
    pub(super) invocations: u64,
    pub(super) errors: u64,
    pub(super) refusals: BTreeMap<String, u64>,
    pub(super) starts: Vec<Starts>,
    pub(super) phases: Vec<Phase>,
    pub(super) bounds_us: Vec<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Starts {
    pub(super) kind: String,
    pub(super) count: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Phase {
    pub(super) kind: String,
    pub(super) phase: String,
    pub(super) buckets: Vec<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Events {
    pub(super) queued: Option<u64>,
    pub(super) running: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Daemon {
    pub(super) resident_bytes: Option<u64>,
    pub(super) uptime_ms: u64,
}

/// What happened between two looks, per second, and how long things took in that time.
#[derive(Clone, Debug, Default)]
pub(super) struct Span {
    pub(super) calls: f64,
    pub(super) errors: f64,
    pub(super) refusals: f64,
    /// By kind, in the daemon's order: per second, and in all since the daemon's start.
    pub(super) starts: Vec<(String, f64, u64)>,
    /// Of the function itself in warm sandboxes.
    pub(super) run: Quantiles,
    /// Initialisation of cold starts.
    pub(super) init: Quantiles,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quantiles {
    /// Milliseconds, no more exact than the daemon's buckets; `None` where nothing happened.
    pub(super) p50_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
}

impl Span {
    /// All since the daemon's start, for want of an earlier look.
    pub(super) fn of_start(now: &Sample) -> Self {
        let mut nothing = now.clone();
        nothing.totals =
            Totals { invocations: 0, errors: 0, starts: Vec::new(), phases: Vec::new(), ..now.totals.clone() };
        nothing.totals.refusals.clear();
        Self::between(&nothing, now, Duration::from_millis(now.daemon.uptime_ms.max(1)))
    }

    pub(super) fn between(before: &Sample, now: &Sample, elapsed: Duration) -> Self {
        let (old, new) = (&before.totals, &now.totals);
        // A daemon that was started anew counts from nothing.
        let since = |old: u64, new: u64| if new >= old { new - old } else { new };
        let rate = |old, new| count(since(old, new)) / elapsed.as_secs_f64().max(1e-3);
        let refusals = |totals: &Totals| totals.refusals.values().sum();
        let mut starts: Vec<(String, f64, u64)> = Vec::new();
        for kind in &new.starts {
            match starts.iter_mut().find(|(name, _, _)| *name == kind.kind) {
                Some((_, _, total)) => *total += kind.count,
                None => starts.push((kind.kind.clone(), 0.0, kind.count)),
            }
        }
        for (name, per_second, total) in &mut starts {
            *per_second = rate(old.starts.iter().filter(|old| old.kind == *name).map(|old| old.count).sum(), *total);
        }
        Self {
            calls: rate(old.invocations, new.invocations),
            errors: rate(old.errors, new.errors),
            refusals: rate(refusals(old), refusals(new)),
            starts,
            run: quantiles(old, new, |kind, phase| kind == "warm" && phase == "run"),
            init: quantiles(old, new, |kind, phase| kind != "warm" && phase == "init"),
        }
    }
}

fn quantiles(old: &Totals, new: &Totals, wanted: impl Fn(&str, &str) -> bool) -> Quantiles {
    let sum = |totals: &Totals| {
        let mut buckets = vec![0_u64; new.bounds_us.len() + 1];
        for phase in totals.phases.iter().filter(|phase| wanted(&phase.kind, &phase.phase)) {
            buckets.iter_mut().zip(&phase.buckets).for_each(|(sum, count)| *sum += count);
        }
        buckets
    };
    let buckets: Vec<u64> = sum(new).iter().zip(sum(old)).map(|(new, old)| new.saturating_sub(old)).collect();
    Quantiles { p50_ms: quantile(&buckets, &new.bounds_us, 0.5), p99_ms: quantile(&buckets, &new.bounds_us, 0.99) }
}

/// Interpolated within the bucket that it falls into; beyond the last bound it is that bound.
fn quantile(buckets: &[u64], bounds_us: &[u64], part: f64) -> Option<f64> {
    let all: u64 = buckets.iter().sum();
    let wanted = count(all) * part;
    let mut passed = 0.0;
    for (index, bucket) in buckets.iter().enumerate().filter(|(_, bucket)| **bucket > 0) {
        let reached = passed + count(*bucket);
        if reached >= wanted {
            let above = count(index.checked_sub(1).and_then(|below| bounds_us.get(below)).copied().unwrap_or(0));
            let below = bounds_us.get(index).map_or(above, |bound| count(*bound));
            return Some((above + (below - above) * (wanted - passed) / count(*bucket)) / 1e3);
        }
        passed = reached;
    }
    None
}

/// Counters stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn count(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated_and_bounded() {
        let bounds = [100, 200, 400];
        assert_eq!(quantile(&[0, 0, 0, 0], &bounds, 0.5), None);
        assert_eq!(quantile(&[0, 10, 0, 0], &bounds, 0.5), Some(0.15));
        assert_eq!(quantile(&[50, 0, 50, 0], &bounds, 0.99), Some(0.396));
        assert_eq!(quantile(&[0, 0, 0, 3], &bounds, 0.5), Some(0.4));
    }

    #[test]
    fn versions_are_named_as_in_lambda() {
        let key =
            |version| Key { account: String::new(), region: String::new(), function: "hello".to_owned(), version };
        assert_eq!(key(serde_json::json!("Latest")).name(), "hello");
        assert_eq!(key(serde_json::json!({"Number": 3})).name(), "hello:3");
    }
}
