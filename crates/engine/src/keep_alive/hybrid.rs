//! The hybrid histogram policy of *Serverless in the Wild* (Shahrad et al., ATC 2020), with the paper's settings.
//!
//! Each version has a histogram of its idle times, in minutes, up to four hours. If it is telling, the sandbox is ended at once,
//! loaded again shortly before the head of the distribution and kept until shortly after its tail. If it is not (too few idle
//! times, or spread evenly), the sandbox is kept for the whole four hours. If most idle times are longer than that, the next is
//! forecast from the last ones; the paper fits ARIMA there, here it is their mean, ARIMA(0,0,0), since a version has a handful of them
//! in a day.

use std::time::Duration;

use hearth_types::{Instant, VersionKey};

use super::{Found, Idle, Keep, Known, Policy, Rest};

const MINUTE: Duration = Duration::from_secs(60);
/// Bins of a minute: four hours.
const BINS: usize = 240;
/// Idle times needed before a histogram is believed.
const SAMPLES_MIN: u32 = 10;
/// Coefficient of variation of the bins' counts below which the histogram says nothing.
const CV_MIN: f64 = 2.0;
/// Idle times beyond the histogram that are remembered for the forecast.
const BEYOND_MAX: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Hybrid {
    versions: Vec<History>,
}

#[derive(Clone, Debug)]
struct History {
    bins: Box<[u32; BINS]>,
    inside: u32,
    outside: u32,
    /// The last idle times beyond the histogram, minutes, oldest first.
    beyond: Vec<f64>,
    /// When one of its sandboxes last became idle; `None` from the next attempt on.
    last_idle: Option<Rest>,
    /// One was loaded ahead for the time since then.
    loaded: bool,
    plan: Plan,
    /// Idle times that the plan was made from.
    planned: u32,
}

/// When to have a sandbox, as times since the last use.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Plan {
    /// Zero: it is not ended in between.
    load_after: Duration,
    keep_until: Duration,
}

const WHOLE_RANGE: Plan = Plan { load_after: Duration::ZERO, keep_until: Duration::from_secs(60 * BINS as u64) };

impl Default for History {
    fn default() -> Self {
        let bins = Box::new([0; BINS]);
        Self {
            bins,
            inside: 0,
            outside: 0,
            beyond: Vec::new(),
            last_idle: None,
            loaded: false,
            plan: WHOLE_RANGE,
            planned: 0,
        }
    }
}

impl History {
    /// Plans anew, unless it is one more of many short idle times.
    fn learn(&mut self, idle: Duration) {
        self.observe(idle);
        let seen = self.inside.saturating_add(self.outside);
        if idle >= MINUTE || seen >= self.planned.saturating_add(self.planned / 64 + 1) {
            self.planned = seen;
            self.plan = self.plan();
        }
    }

    fn observe(&mut self, idle: Duration) {
        let minutes = usize::try_from(idle.as_secs() / 60).unwrap_or(usize::MAX);
        match self.bins.get_mut(minutes) {
            Some(bin) => {
                *bin = bin.saturating_add(1);
                self.inside = self.inside.saturating_add(1);
            }
            None => {
                self.outside = self.outside.saturating_add(1);
                if self.beyond.len() == BEYOND_MAX {
                    self.beyond.remove(0);
                }
                self.beyond.push(idle.as_secs_f64() / 60.0);
            }
        }
    }

    fn plan(&self) -> Plan {
        if self.outside > self.inside {
            return self.forecast();
        }
        if self.inside < SAMPLES_MIN || self.variation() < CV_MIN {
            return WHOLE_RANGE;
        }
        let (head, tail) = (self.percentile(0.05), self.percentile(0.99) + 1);
        let minutes = |bins: usize, factor: f64| MINUTE.mul_f64(f64::from(u32::try_from(bins).unwrap_or(0)) * factor);
        Plan { load_after: minutes(head, 0.9), keep_until: minutes(tail, 1.1) }
    }

    fn forecast(&self) -> Plan {
        if self.beyond.len() < 2 {
            return WHOLE_RANGE;
        }
        let count = f64::from(u32::try_from(self.beyond.len()).unwrap_or(u32::MAX));
        let mean = self.beyond.iter().sum::<f64>() / count;
        Plan { load_after: MINUTE.mul_f64(mean * 0.85), keep_until: MINUTE.mul_f64(mean * 1.15) }
    }

    /// Standard deviation of the bins' counts over their mean.
    fn variation(&self) -> f64 {
        let bins = f64::from(u32::try_from(BINS).unwrap_or(u32::MAX));
        let mean = f64::from(self.inside) / bins;
        let squares = self.bins.iter().map(|bin| (f64::from(*bin) - mean).powi(2)).sum::<f64>();
        (squares / bins).sqrt() / mean
    }

    /// The first bin at which at least this share of the idle times has ended.
    fn percentile(&self, share: f64) -> usize {
        let wanted = share * f64::from(self.inside);
        let mut seen = 0.0;
        let reached = self.bins.iter().position(|bin| {
            seen += f64::from(*bin);
            seen >= wanted
        });
        reached.unwrap_or(BINS - 1)
    }
}

impl Hybrid {
    fn history(&mut self, version: Known) -> &mut History {
        let index = version.index();
        if self.versions.len() <= index {
            self.versions.resize_with(index + 1, History::default);
        }
        &mut self.versions[index]
    }

    fn keep(&mut self, idle: Idle, now: Instant) -> Keep {
        let plan = self.history(idle.version).plan;
        let until = idle.rest.since + plan.keep_until;
        let waits_for_load = now < idle.rest.since + plan.load_after;
        if waits_for_load || until <= now {
            return Keep::End;
        }
        Keep::Until { at: until, worth: 0 }
    }
}

impl Policy for Hybrid {
    fn meet(&mut self, version: Known, _: &VersionKey, _: Option<Known>) {
        *self.history(version) = History::default();
    }

    fn arrived(&mut self, version: Known, now: Instant, _: Found) {
        if let Some(rest) = self.history(version).last_idle.take() {
            self.history(version).learn(now - rest.since);
        }
    }

    fn idle(&mut self, idle: Idle, now: Instant) -> Keep {
        if idle.rest.since == now {
            let history = self.history(idle.version);
            history.last_idle = Some(idle.rest);
            history.loaded = false;
        }
        self.keep(idle, now)
    }

    fn review(&mut self, idle: Idle, now: Instant) -> Keep {
        self.keep(idle, now)
    }

    fn load_at(&mut self, version: Known, now: Instant) -> Option<Instant> {
        let history = self.history(version);
        let at = history.last_idle?.since + history.plan.load_after;
        (at > now && !history.plan.load_after.is_zero()).then_some(at)
    }

    fn load(&mut self, version: Known, now: Instant) -> Option<Rest> {
        let history = self.history(version);
        let rest = history.last_idle?;
        let since = rest.since;
        let due = since + history.plan.load_after <= now && now < since + history.plan.keep_until;
        if !due || history.loaded {
            return None;
        }
        history.loaded = true;
        Some(rest)
    }
}
