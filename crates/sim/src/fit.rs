//! Fits the table of hazards that the engine's own policy starts from: how often, per minute of idleness, a call came, by what the
//! version's idle times looked like from that age.

use std::sync::{Arc, Mutex, PoisonError};

use hearth_engine::keep_alive::{
    Bands, CLASSES, Found, Heir, History, Idle, Keep, Known, PLACES, Place, Policy, Rest, bounds, cell_of, encode,
};
use hearth_types::Instant;

use crate::node::{NodeModel, replay};
use crate::trace::Trace;

/// Idle times of one version beyond which further ones count less, so that the busiest do not speak for all.
const VOICE: f64 = 128.0;
/// Pseudo-events by which a class leans on the coarser one.
const LEAN: f64 = 10.0;

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    calls: f64,
    minutes: f64,
}

#[derive(Debug, Default)]
struct Version {
    bands: Bands<Band>,
    /// Its idle sandboxes.
    idle: Vec<Rest>,
    periods: f64,
}

#[derive(Debug, Default)]
struct Band(History);

impl Heir for Band {
    fn heir(&self) -> Self {
        let mut history = self.0;
        history.discount();
        Self(history)
    }
}

#[derive(Debug)]
struct Record {
    seen: Vec<Seen>,
    versions: Vec<Version>,
}

impl Record {
    fn version(&mut self, version: Known) -> &mut Version {
        let index = version.0 as usize;
        if self.versions.len() <= index {
            self.versions.resize_with(index + 1, Version::default);
        }
        &mut self.versions[index]
    }

    /// A sandbox was idle until now; `called`: it is needed.
    fn period(&mut self, version: Known, rest: Rest, now: Instant, called: bool) {
        let (rank, idle) = (rest.rank, now - rest.since);
        let entry = self.version(version);
        entry.periods += 1.0;
        let (weight, history) = ((VOICE / entry.periods).min(1.0), entry.bands.of(rank).0);
        let last = cell_of(idle);
        for (cell, place) in history.places(rank).enumerate().take(last + 1) {
            let (start, length) = bounds(cell);
            let minutes = idle.saturating_sub(start).min(length).as_secs_f64() / 60.0;
            self.seen[place.0].minutes += weight * minutes;
            self.seen[place.0].calls += if called && cell == last { weight } else { 0.0 };
        }
        if called {
            self.version(version).bands.of(rank).0.learn(rest.since, now);
        }
    }

    fn finish(&mut self, end: Instant) {
        for version in 0..self.versions.len() {
            for rest in std::mem::take(&mut self.versions[version].idle) {
                self.period(Known(u32::try_from(version).unwrap_or(u32::MAX)), rest, end, false);
            }
        }
    }
}

/// Keeps everything, and notes how long it was idle before it was needed.
#[derive(Debug)]
struct Recorder(Arc<Mutex<Record>>);

impl Recorder {
    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Policy for Recorder {
    fn arrived(&mut self, version: Known, now: Instant, found: Found) {
        let mut record = self.record();
        match found {
            Found::Idle(rest) => {
                let idle = &mut record.version(version).idle;
                if let Some(place) = idle.iter().rposition(|other| *other == rest) {
                    idle.remove(place);
                }
                record.period(version, rest, now, true);
            }
            Found::Finishing => record.period(version, Rest { since: now, rank: 1 }, now, true),
            Found::Nothing => {}
        }
    }

    fn idle(&mut self, idle: Idle, _: Instant) -> Keep {
        self.record().version(idle.version).idle.push(idle.rest);
        Keep::Until { at: Instant::from_nanos(u64::MAX), worth: 0 }
    }
}

/// The table, fitted on these traces, as the engine has it.
pub fn fit(traces: &[Trace], model: &NodeModel) -> String {
    let mut seen = vec![Seen::default(); PLACES];
    for trace in traces {
        let record = Arc::new(Mutex::new(Record { seen, versions: Vec::new() }));
        replay(trace, model, Box::new(Recorder(Arc::clone(&record))));
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        record.finish(Instant::ZERO + trace.horizon);
        seen = std::mem::take(&mut record.seen);
    }
    table(&seen)
}

/// From coarse to fine, which features tell places apart: of the ages, first only every fourth class.
const LEVELS: [([bool; AGE], usize); 7] = [
    ([false, false, false, false, false, false], 1),
    ([true, true, true, false, false, false], CLASSES[AGE]),
    ([true, true, true, false, false, false], 4),
    ([true, true, true, false, false, true], 4),
    ([true, true, true, true, false, true], 4),
    ([true, true, true, true, true, true], 4),
    ([true, true, true, true, true, true], 1),
];
/// The place of the age among the features.
const AGE: usize = 6;

fn table(seen: &[Seen]) -> String {
    let all = seen
        .iter()
        .fold(Seen::default(), |all, one| Seen { calls: all.calls + one.calls, minutes: all.minutes + one.minutes });
    let mut hazards = vec![(all.calls + 1e-9) / (all.minutes + 1e-6); PLACES];
    for (features, ages) in LEVELS {
        let group = |place: usize| {
            let classes = Place(place).classes();
            let kept = (0..AGE).map(|feature| if features[feature] { classes[feature] } else { 0 });
            let coarse = kept.zip(CLASSES).fold(0, |group, (class, count)| group * count + class);
            coarse * CLASSES[AGE] + classes[AGE] / ages
        };
        let mut sums = vec![(Seen::default(), 0.0); PLACES];
        for (place, one) in seen.iter().enumerate() {
            let (sum, expected) = &mut sums[group(place)];
            sum.calls += one.calls;
            sum.minutes += one.minutes;
            *expected += one.minutes * hazards[place];
        }
        // Each place's hazard is scaled by what its group saw against what was expected of it.
        hazards = hazards
            .iter()
            .enumerate()
            .map(|(place, hazard)| {
                let (sum, expected) = sums[group(place)];
                hazard * (sum.calls + LEAN) / (expected + LEAN)
            })
            .collect();
    }
    hazards.into_iter().map(encode).collect()
}
