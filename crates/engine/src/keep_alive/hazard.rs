//! Hearth's own policy: a sandbox is kept as long as the cold start that it may save is worth more than the memory.
//!
//! How likely the next call is at each age comes from a table that was fitted on other functions, by what the version's own idle
//! times look like from there: how many there are, how many were about that long, how many longer, what the last one was.
//! One parameter, the price of memory, decides the rest: what to do at each age (keep, end, load again later) is the best plan for
//! these likelihoods, found by going backwards through the ages.

use std::time::Duration;

use hearth_types::{Instant, VersionKey};

use super::history::{CELLS, History, bounds, cell_of};
use super::{Ended, Found, Idle, Keep, Known, Policy, prior};

/// What starting one ahead costs, in cold starts: processor time, but nobody waits.
const LOAD_COST: f64 = 0.01;
/// Ended sandboxes of one version whose next use is awaited.
const GHOSTS_MAX: usize = 32;
/// How much a version's measured start may count against that of the average one.
const COST_RATIO_MAX: f64 = 8.0;

/// By how much the price of a sandbox may move before plans are made anew.
const PRICE_TOLERANCE: f64 = 0.02;

#[derive(Debug)]
pub(super) struct Hazard {
    /// Cold starts that a GiB minute of memory is worth.
    price: f64,
    versions: Vec<Version>,
    /// Mean of the measured starts, seconds; 0 before the first.
    mean_cost: f64,
}

#[derive(Clone, Debug, Default)]
struct Version {
    history: History,
    /// Since when the sandboxes have been idle that it would still have, had they not been ended; most recently used last.
    ghosts: Vec<Ghost>,
    /// Seconds; 0 before the first start.
    cost: f64,
    /// What was decided of a sandbox that has just become idle, at that price; good until the history changes.
    fresh: Option<(f64, Plan, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Ghost {
    since: Instant,
    load_at: Option<Instant>,
}

/// What to do from an age on.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Plan {
    /// Keep it until this age.
    Keep(Duration),
    /// End it, and load one at this age.
    End { load: Option<Duration> },
}

impl Hazard {
    pub(super) fn new(price: f64) -> Self {
        Self { price, versions: Vec::new(), mean_cost: 0.0 }
    }

    fn version(&mut self, version: Known) -> &mut Version {
        let index = version.index();
        if self.versions.len() <= index {
            self.versions.resize_with(index + 1, Version::default);
        }
        &mut self.versions[index]
    }

    /// What an idle minute of the sandbox costs, in its own cold starts.
    fn price_of(&mut self, idle: Idle) -> f64 {
        let (price, mean) = (self.price, self.mean_cost);
        let cost = self.version(idle.version).cost;
        let ratio = if cost > 0.0 && mean > 0.0 { cost / mean } else { 1.0 };
        price * f64::from(idle.memory_mib.max(1)) / 1024.0 / ratio.clamp(1.0 / COST_RATIO_MAX, COST_RATIO_MAX)
    }

    fn decide(&mut self, idle: Idle, now: Instant) -> Keep {
        let price = self.price_of(idle);
        let version = self.version(idle.version);
        let age = now - idle.since;
        let (plan, worth) = version.plan(age, price);
        match plan {
            Plan::Keep(until) => Keep::Until { at: idle.since + until, worth },
            Plan::End { load } => {
                version.bury(Ghost { since: idle.since, load_at: load.map(|age| idle.since + age) });
                Keep::End
            }
        }
    }
}

/// In steps of a tenth of an octave: only the order counts.
fn worth(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2000")]
    let steps = (value.log2() * 10.0 + 1000.0).clamp(0.0, 2000.0) as u64;
    steps
}

/// What is best at the start of a cell.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Best {
    /// With a sandbox: to hold it through the cell.
    keep: bool,
    /// Without one: to load one.
    load: bool,
    /// What having one, and having none, is worth from here on, in cold starts saved.
    with: f64,
    without: f64,
}

/// Goes backwards through cells of a hazard per minute and so many minutes: each cold start saved counts one, each minute of a
/// sandbox `price`, each load [`LOAD_COST`].
fn solve(cells: &[(f64, f64)], price: f64, best: &mut [Best]) {
    let mut after = Best::default();
    for ((hazard, minutes), best) in cells.iter().zip(best).rev() {
        let survives = (-hazard * minutes).exp();
        let held = (1.0 - survives) / hazard;
        let hold = (1.0 - survives) - price * held + survives * after.with;
        let wait = survives * after.without;
        let load = hold - LOAD_COST > wait;
        let without = if load { hold - LOAD_COST } else { wait };
        let keep = hold > without;
        *best = Best { keep, load, with: if keep { hold } else { without }, without };
        after = *best;
    }
}

/// The best plan at this age.
fn plan(history: &History, age: Duration, price: f64) -> Plan {
    let first = cell_of(age);
    let mut cells = [(0.0, 0.0); CELLS];
    for (cell, place) in history.places().enumerate() {
        cells[cell] = (prior::hazard(place), bounds(cell).1.as_secs_f64() / 60.0);
    }
    let mut best = [Best::default(); CELLS];
    solve(&cells[first..], price, &mut best[first..]);
    if best[first].keep {
        let end = (first..CELLS).find(|cell| !best[*cell].keep).unwrap_or(CELLS - 1);
        return Plan::Keep(bounds(end).0);
    }
    let load = (first..CELLS).find(|cell| best[*cell].load);
    Plan::End { load: load.map(|cell| bounds(cell).0.max(age)) }
}

impl Version {
    fn learn(&mut self, idle: Duration) {
        if self.history.learn(idle) {
            self.fresh = None;
        }
    }

    /// What to do with a sandbox at this age, and what it is worth now.
    fn plan(&mut self, age: Duration, price: f64) -> (Plan, u64) {
        if age.is_zero()
            && let Some((then, plan, worth)) = self.fresh
            && (then / price - 1.0).abs() < PRICE_TOLERANCE
        {
            return (plan, worth);
        }
        let hazard = prior::hazard(self.history.place(cell_of(age)));
        let (plan, worth) = (plan(&self.history, age, price), worth(hazard / price));
        if age.is_zero() {
            self.fresh = Some((price, plan, worth));
        }
        (plan, worth)
    }

    fn bury(&mut self, ghost: Ghost) {
        if self.ghosts.len() == GHOSTS_MAX {
            self.ghosts.remove(0);
        }
        let place = self.ghosts.partition_point(|other| other.since <= ghost.since);
        self.ghosts.insert(place, ghost);
    }
}

impl Policy for Hazard {
    fn meet(&mut self, version: Known, _: &VersionKey, parent: Option<Known>) {
        let mut history = parent.map(|parent| self.version(parent).history).unwrap_or_default();
        history.discount();
        *self.version(version) = Version { history, ..Version::default() };
    }

    fn changed(&mut self, version: Known) {
        let version = self.version(version);
        version.history.discount();
        version.ghosts.clear();
        version.cost = 0.0;
    }

    fn arrived(&mut self, version: Known, now: Instant, found: Found) {
        let version = self.version(version);
        match found {
            Found::Idle(since) => version.learn(now - since),
            Found::Finishing => version.learn(Duration::ZERO),
            Found::Nothing => {
                if let Some(ghost) = version.ghosts.pop() {
                    version.learn(now - ghost.since);
                }
            }
        }
    }

    fn started(&mut self, version: Known, cost: Duration) {
        let seconds = cost.as_secs_f64().max(1e-6);
        let blend = |old: f64, weight: f64| if old > 0.0 { old + weight * (seconds - old) } else { seconds };
        self.mean_cost = blend(self.mean_cost, 0.02);
        let version = self.version(version);
        version.cost = blend(version.cost, 0.3);
    }

    fn idle(&mut self, idle: Idle, now: Instant) -> Keep {
        self.decide(idle, now)
    }

    fn review(&mut self, idle: Idle, now: Instant) -> Keep {
        self.decide(idle, now)
    }

    fn ended(&mut self, idle: Idle, _: Instant, why: Ended) {
        if let Ended::Evicted { .. } = why {
            self.version(idle.version).bury(Ghost { since: idle.since, load_at: None });
        }
    }

    fn load_at(&mut self, version: Known, _: Instant) -> Option<Instant> {
        self.version(version).ghosts.iter().filter_map(|ghost| ghost.load_at).min()
    }

    fn load(&mut self, version: Known, now: Instant) -> Option<Instant> {
        let ghosts = &mut self.version(version).ghosts;
        let place = ghosts.iter().rposition(|ghost| ghost.load_at.is_some_and(|at| at <= now))?;
        Some(ghosts.remove(place).since)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What one way to act is worth, by going forward: bit n of `keep` and of `load` says what it does in cell n.
    fn worth_of(cells: &[(f64, f64)], price: f64, keep: u32, load: u32, mut has: bool) -> f64 {
        let (mut total, mut alive) = (0.0, 1.0);
        for (number, (hazard, minutes)) in cells.iter().enumerate() {
            if has && keep & (1 << number) == 0 {
                has = false;
            } else if !has && load & (1 << number) != 0 {
                has = true;
                total -= alive * LOAD_COST;
            }
            let survives = (-hazard * minutes).exp();
            if has {
                total += alive * ((1.0 - survives) - price * (1.0 - survives) / hazard);
            }
            alive *= survives;
        }
        total
    }

    fn cells() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((-12.0f64..2.0, 0.1f64..100.0), 1..6)
            .prop_map(|cells| cells.into_iter().map(|(hazard, minutes)| (hazard.exp(), minutes)).collect())
    }

    proptest! {
        #[test]
        fn no_other_way_to_act_is_worth_more(cells in cells(), price in -8.0f64..1.0) {
            let price = price.exp();
            let mut best = vec![Best::default(); cells.len()];
            solve(&cells, price, &mut best);
            let bits = |bit: fn(&Best) -> bool| (0..).zip(&best).map(|(n, best)| u32::from(bit(best)) << n).sum::<u32>();
            for (has, worth) in [(true, best[0].with), (false, best[0].without)] {
                let own = worth_of(&cells, price, bits(|best| best.keep), bits(|best| best.load), has);
                prop_assert!((own - worth).abs() < 1e-9, "{own} {worth}");
                for way in 0..1u32 << (2 * cells.len()) {
                    let other = worth_of(&cells, price, way & ((1 << cells.len()) - 1), way >> cells.len(), has);
                    prop_assert!(other < worth + 1e-9, "{way:b} is worth {other}, not {worth}");
                }
            }
        }

        #[test]
        fn the_dearer_memory_is_the_shorter_it_is_kept(gaps in prop::collection::vec(0u64..90_000, 0..60), age in 0u64..90_000) {
            let mut history = History::default();
            for gap in gaps {
                history.learn(Duration::from_secs(gap));
            }
            let age = Duration::from_secs(age);
            let keeps = |price: f64| match plan(&history, age, price) {
                Plan::Keep(until) => until,
                Plan::End { .. } => Duration::ZERO,
            };
            let prices = [1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 100.0];
            let times: Vec<Duration> = prices.iter().map(|price| keeps(*price)).collect();
            prop_assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
            prop_assert_eq!(times[6], Duration::ZERO);
        }
    }
}
