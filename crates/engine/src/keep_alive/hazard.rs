//! Hearth's own policy: a sandbox is kept as long as the cold start that it may save is worth more than the memory.
//!
//! How likely the next call is at each age comes from a table that was fitted on other functions, by what the version's own idle
//! times look like from there: how many there are, how many were about that long, how many longer, what the last one was; all that for
//! each number of its sandboxes that are in use at a time, as the fifth is needed far less often than the first.
//! One parameter, the price of memory, decides the rest: what to do at each age (keep, end, load again later) is the best plan for
//! these likelihoods, found by going backwards through the ages.

use std::time::Duration;

use hearth_types::{Instant, VersionKey};

use super::bands::{Bands, Heir};
use super::ghosts::Ghosts;
use super::history::{CELLS, History, bounds, cell_of};
use super::{Ended, Found, Idle, Keep, Known, Policy, Rest, memory, prior};

/// What starting one ahead costs, in cold starts: processor time, but nobody waits.
const LOAD_COST: f64 = 0.02;
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
    bands: Bands<Band>,
    ghosts: Ghosts,
    /// Seconds; 0 before the first start.
    cost: f64,
}

/// What is known of sandboxes of about one rank.
#[derive(Clone, Debug, Default)]
struct Band {
    history: History,
    /// What was decided of a sandbox that has just become idle, at that price; good until the history changes.
    fresh: Option<Fresh>,
}

#[derive(Clone, Copy, Debug)]
struct Fresh {
    price: f64,
    plan: Plan,
    worth: u64,
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
        let Rest { since, rank } = idle.rest;
        let (plan, worth) = version.bands.of(rank).plan(rank, now - since, price);
        match plan {
            Plan::Keep(until) => Keep::Until { at: since + until, worth },
            Plan::End { load } => {
                version.ghosts.bury(idle.rest, load.map(|age| since + age));
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
fn plan(history: &History, rank: u32, age: Duration, price: f64) -> Plan {
    let first = cell_of(age);
    let mut cells = [(0.0, 0.0); CELLS];
    for (cell, place) in history.places(rank).enumerate() {
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

impl Heir for Band {
    fn heir(&self) -> Self {
        let mut band = self.clone();
        band.discount();
        band
    }
}

impl Band {
    fn learn(&mut self, since: Instant, now: Instant) {
        if self.history.learn(since, now) {
            self.fresh = None;
        }
    }

    /// What to do with a sandbox at this age, and what it is worth now.
    fn plan(&mut self, rank: u32, age: Duration, price: f64) -> (Plan, u64) {
        if age.is_zero()
            && let Some(fresh) = self.fresh
            && (fresh.price / price - 1.0).abs() < PRICE_TOLERANCE
        {
            return (fresh.plan, fresh.worth);
        }
        let hazard = prior::hazard(self.history.place(rank, cell_of(age)));
        let (plan, worth) = (plan(&self.history, rank, age, price), worth(hazard / price));
        if age.is_zero() {
            self.fresh = Some(Fresh { price, plan, worth });
        }
        (plan, worth)
    }

    /// Believes only half of it.
    fn discount(&mut self) {
        self.history.discount();
        self.fresh = None;
    }
}

impl Version {
    fn learn(&mut self, rest: Rest, now: Instant) {
        self.bands.of(rest.rank).learn(rest.since, now);
    }

    /// A call takes the most recently used sandbox, that is, the one that would be it, had none been ended: then the one that it
    /// found stands in, and is missing where it was.
    fn take(&mut self, found: Rest, now: Instant) {
        match self.ghosts.take_younger(Some(found.since)) {
            Some(ghost) => {
                self.learn(ghost, now);
                self.ghosts.bury(found, None);
            }
            None => self.learn(found, now),
        }
    }
}

impl Policy for Hazard {
    fn meet(&mut self, version: Known, _: &VersionKey, parent: Option<Known>) {
        let mut bands = parent.map(|parent| self.version(parent).bands.clone()).unwrap_or_default();
        bands.values().for_each(Band::discount);
        *self.version(version) = Version { bands, ..Version::default() };
    }

    fn memory(&self, version: Known) -> Option<Vec<u8>> {
        let version = self.versions.get(version.index())?;
        memory::encode(version.cost, &version.bands, |band: &Band| &band.history)
    }

    fn recall(&mut self, version: Known, learned: &[u8]) {
        if let Some((cost, bands)) = memory::decode(learned, |history| Band { history, fresh: None }) {
            let version = self.version(version);
            (version.cost, version.bands) = (cost, bands);
        }
    }

    fn changed(&mut self, version: Known) {
        let version = self.version(version);
        version.bands.values().for_each(Band::discount);
        version.ghosts = Ghosts::default();
        version.cost = 0.0;
    }

    fn arrived(&mut self, version: Known, now: Instant, found: Found) {
        let version = self.version(version);
        match found {
            Found::Idle(rest) => version.take(rest, now),
            Found::Finishing => version.bands.of(1).learn(now, now),
            Found::Nothing => {
                if let Some(ghost) = version.ghosts.take_younger(None) {
                    version.learn(ghost, now);
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
            self.version(idle.version).ghosts.bury(idle.rest, None);
        }
    }

    fn load_at(&mut self, version: Known, _: Instant) -> Option<Instant> {
        self.version(version).ghosts.load_at()
    }

    fn load(&mut self, version: Known, now: Instant) -> Option<Rest> {
        self.version(version).ghosts.load(now)
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
        fn the_dearer_memory_is_the_shorter_it_is_kept(
            gaps in prop::collection::vec(0u64..90_000, 0..60), rank in 1u32..20, age in 0u64..90_000
        ) {
            let mut history = History::default();
            let mut now = Instant::ZERO;
            for gap in gaps {
                let since = now;
                now = since + Duration::from_secs(gap);
                history.learn(since, now);
            }
            let age = Duration::from_secs(age);
            let keeps = |price: f64| match plan(&history, rank, age, price) {
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
