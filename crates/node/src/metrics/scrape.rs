//! The node's figures in the OpenMetrics text format, as Prometheus reads them.

use std::fmt::Error;
use std::sync::Arc;

use hearth_engine::view::EngineView;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::{BOUNDS_US, Metrics, REFUSALS, read};

const MIB: u64 = 1024 * 1024;

/// Everything that one answer tells.
#[derive(Debug)]
pub(crate) struct Scrape {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) engine: EngineView,
    /// Names of the engine's roots.
    pub(crate) runtimes: Vec<Arc<str>>,
    /// Asynchronous events that are stored and not done yet; `None` if the store did not say.
    pub(crate) events: Option<u64>,
    pub(crate) events_running: u64,
    /// The daemon's own memory, bytes.
    pub(crate) resident_bytes: Option<u64>,
}

impl Scrape {
    pub(crate) fn into_text(self) -> String {
        let mut registry = Registry::with_prefix("hearth");
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // A label that cannot be written would be a fault of ours: an empty answer shows it, without harm to anything else.
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &registry) {
            tracing::error!(%error, "metrics cannot be written");
        }
        text
    }

    fn invocations(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let metrics = &self.metrics;
        let mut family = counter(out, "invocations", "Invocations that were answered, by outcome")?;
        for (outcome, count) in [("success", &metrics.succeeded), ("error", &metrics.failed)] {
            count_of(&mut family, &[("outcome", outcome)], read(count))?;
        }
        let mut family = counter(out, "refusals", "Invocations that were not run, by reason")?;
        for (reason, count) in REFUSALS.iter().zip(&metrics.refusals) {
            count_of(&mut family, &[("reason", *reason)], read(count))?;
        }
        let mut family =
            counter(out, "starts", "Invocations by kind of their start and the reason why it was not warm")?;
        for (kind, reason, count) in metrics.starts() {
            count_of(&mut family, &[("kind", kind), ("reason", reason)], count)?;
        }
        Ok(())
    }

    fn phases(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Where invocations spent their time, by kind of their start";
        let mut family = out.encode_descriptor("phase", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (kind, phase, histogram) in self.metrics.phases() {
            let bounds = BOUNDS_US.iter().map(|us| seconds(*us)).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(histogram.buckets()).collect();
            let count = buckets.iter().map(|(_, count)| count).sum();
            let labels = [("phase", phase), ("kind", kind)];
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                seconds(histogram.sum_us()),
                count,
                &buckets,
                None,
            )?;
        }
        Ok(())
    }

    fn sandboxes(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let counts = self.engine.sandboxes;
        let mut family = gauge(out, "sandboxes", "Sandboxes by state; frozen ones are idle as well", None)?;
        for (state, count) in [
            ("making", counts.making),
            ("blank", counts.blank),
            ("starting", counts.starting),
            ("idle", counts.idle),
            ("frozen", counts.frozen),
            ("busy", counts.busy),
            ("finishing", counts.finishing),
            ("ending", counts.ending),
        ] {
            level_of(&mut family, &[("state", state)], count as u64)?;
        }
        let counters = &self.engine.counters;
        let mut family = counter(out, "sandbox_ends", "Sandboxes that ended for these reasons")?;
        for (reason, count) in [
            ("expired", counters.expired),
            ("evicted", counters.evicted),
            ("yielded", counters.yielded),
            ("init-failed", counters.init_failed),
            ("lost", counters.lost),
        ] {
            count_of(&mut family, &[("reason", reason)], count)?;
        }
        let mut family = gauge(out, "blank_sandboxes", "Sandboxes made ahead of need, by runtime", None)?;
        for root in &self.engine.roots {
            let Some(runtime) = self.runtimes.get(root.root.0 as usize) else { continue };
            for (state, count) in [("ready", root.ready), ("making", root.making)] {
                level_of(&mut family, &[("runtime", &**runtime), ("state", state)], count as u64)?;
            }
        }
        Ok(())
    }

    fn pools(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let pools = &self.engine.sub_pools;
        let mut family = gauge(out, "pool_instances", "Instances of each sub-pool by state", None)?;
        for pool in pools {
            let name = &*pool.terms.name.0;
            let pending = pool.pending as usize;
            for (state, count) in
                [("waiting", pool.waiting), ("active", pool.active), ("closed", pool.closed), ("asked", pending)]
            {
                level_of(&mut family, &[("pool", name), ("state", state)], count as u64)?;
            }
        }
        let mut family = gauge(out, "pool_memory", "Memory promised on each sub-pool's instances", Some(&Unit::Bytes))?;
        for pool in pools {
            level_of(&mut family, &[("pool", &*pool.terms.name.0)], pool.memory_mib * MIB)?;
        }
        let mut family = counter(out, "pool_events", "What happened in each sub-pool")?;
        for pool in pools {
            let counters = &pool.counters;
            for (event, count) in [
                ("hit", counters.hits),
                ("miss", counters.misses),
                ("waited", counters.waits),
                ("borrowed", counters.borrowed),
                ("lent", counters.lent),
                ("asked", counters.asked),
                ("added", counters.added),
                ("returned", counters.returned),
                ("released", counters.released),
            ] {
                count_of(&mut family, &[("pool", &*pool.terms.name.0), ("event", event)], count)?;
            }
        }
        let help = "How long attempts waited for a place in each sub-pool, all together";
        let mut family = out.encode_descriptor("pool_wait", help, Some(&Unit::Seconds), MetricType::Counter)?;
        for pool in pools {
            let waited = seconds(pool.counters.waited_us);
            let labels = [("pool", &*pool.terms.name.0)];
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, f64, u64>(&waited, None)?;
        }
        Ok(())
    }

    fn levels(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let engine = &self.engine;
        let bytes = Some(&Unit::Bytes);
        let level = |out: &mut DescriptorEncoder<'_>, name, help, unit, value: u64| {
            gauge(out, name, help, unit)?.encode_gauge(&clamped(value))
        };
        level(out, "sandboxes_limit", "Sandboxes that may exist at once", None, engine.sandboxes_max as u64)?;
        level(out, "memory_promised", "Memory sizes of all sandboxes together", bytes, engine.memory_mib * MIB)?;
        level(out, "memory_limit", "Memory that may be promised", bytes, engine.memory_mib_max.saturating_mul(MIB))?;
        level(out, "admitted_invocations", "Invocations that are under way", None, engine.tickets as u64)?;
        level(out, "waiting_invocations", "Invocations that wait for room", None, engine.queued as u64)?;
        level(
            out,
            "deferred_invocations",
            "Invocations that are not urgent and held back",
            None,
            engine.deferred as u64,
        )?;
        level(out, "events_running", "Asynchronous events that run now", None, self.events_running)?;
        if let Some(events) = self.events {
            level(out, "events_queued", "Asynchronous events that are not done yet", None, events)?;
        }
        if let Some(resident) = self.resident_bytes {
            level(out, "daemon_resident_memory", "The daemon's own memory", bytes, resident)?;
        }
        let mut family =
            counter(out, "engine_anomalies", "Reports from sandboxes that could not be: a fault of Hearth's")?;
        family.encode_counter::<NoLabelSet, u64, u64>(&engine.counters.anomalies, None)
    }
}

impl Collector for Scrape {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> Result<(), Error> {
        self.invocations(&mut out)?;
        self.phases(&mut out)?;
        self.sandboxes(&mut out)?;
        self.pools(&mut out)?;
        self.levels(&mut out)
    }
}

fn counter<'a>(out: &'a mut DescriptorEncoder<'_>, name: &'a str, help: &'a str) -> Result<MetricEncoder<'a>, Error> {
    out.encode_descriptor(name, help, None, MetricType::Counter)
}

fn gauge<'a>(
    out: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &'a str,
    unit: Option<&'a Unit>,
) -> Result<MetricEncoder<'a>, Error> {
    out.encode_descriptor(name, help, unit, MetricType::Gauge)
}

fn count_of(family: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, count: u64) -> Result<(), Error> {
    family.encode_family(labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)
}

fn level_of(family: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, level: u64) -> Result<(), Error> {
    family.encode_family(labels)?.encode_gauge(&clamped(level))
}

fn clamped(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds(us: u64) -> f64 {
    std::time::Duration::from_micros(us).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use hearth_engine::port::Timeline;
    use hearth_engine::{Engine, EngineConfig};

    use super::*;

    #[test]
    fn the_text_has_counters_gauges_and_cumulative_buckets() {
        let metrics = Arc::new(Metrics::default());
        for run_us in [40, 400, 4_000_000_000] {
            metrics.answered(&Timeline { run_us: Some(run_us), ..Timeline::default() }, false);
        }
        let scrape = Scrape {
            metrics,
            engine: Engine::new(EngineConfig::default()).view(),
            runtimes: Vec::new(),
            events: Some(7),
            events_running: 0,
            resident_bytes: Some(1024),
        };
        let text = scrape.into_text();
        for line in [
            "# TYPE hearth_starts counter",
            "hearth_starts_total{kind=\"warm\",reason=\"none\"} 3",
            "hearth_invocations_total{outcome=\"success\"} 3",
            "hearth_refusals_total{reason=\"draining\"} 0",
            "hearth_phase_seconds_bucket{le=\"0.00005\",phase=\"run\",kind=\"warm\"} 1",
            "hearth_phase_seconds_bucket{le=\"900.0\",phase=\"run\",kind=\"warm\"} 2",
            "hearth_phase_seconds_bucket{le=\"+Inf\",phase=\"run\",kind=\"warm\"} 3",
            "hearth_phase_seconds_count{phase=\"run\",kind=\"warm\"} 3",
            "hearth_sandboxes{state=\"idle\"} 0",
            "hearth_pool_events_total{pool=\"general\",event=\"hit\"} 0",
            "hearth_deferred_invocations 0",
            "hearth_events_queued 7",
            "hearth_daemon_resident_memory_bytes 1024",
            "hearth_engine_anomalies_total 0",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
