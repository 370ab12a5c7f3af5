//! The view as JSON, for programs.

use serde_json::{Value, json};

use super::sample::{Counts, Sample, Span};

pub(super) fn as_json(endpoint: &str, now: &Sample, span: &Span) -> Value {
    let engine = &now.engine;
    let starts = span
        .starts
        .iter()
        .map(|(kind, per_second, total)| json!({"kind": kind, "per_second": rounded(*per_second), "total": total}));
    let functions = engine.versions.iter().map(|version| {
        json!({
            "name": version.key.name(), "account": version.key.account, "region": version.key.region, "memory_mib": version.memory_mib,
            "waiting": version.waiting, "sandboxes": counts(&version.sandboxes),
        })
    });
    let runtimes = engine.blanks.iter().filter(|blanks| blanks.available).map(|blanks| {
        json!({
            "name": now.roots.get(blanks.root), "ready": blanks.ready, "making": blanks.making, "claims": blanks.claims,
        })
    });
    let pools = engine.sub_pools.iter().map(|pool| {
        let counters = &pool.counters;
        json!({
            "name": pool.terms.name, "frequency": pool.terms.frequency,
            "waiting": pool.waiting, "active": pool.active, "asked": pool.pending,
            "memory_mib": pool.memory_mib, "memory_mib_max": pool.memory_mib_max,
            "hits": counters.hits, "misses": counters.misses,
            "waits": counters.waits, "waited_ms": counters.waited_us / 1000,
            "borrowed": counters.borrowed, "lent": counters.lent,
        })
    });
    let spreads = engine
        .spreads()
        .map(|(account, spread)| json!({"account": account, "pool": spread.pool, "instances": now.instances(spread)}));
    json!({
        "endpoint": endpoint, "uptime_s": now.daemon.uptime_ms / 1000, "draining": engine.draining,
        "memory": {
            "promised_mib": engine.memory_mib, "limit_mib": engine.memory_mib_max,
            "daemon_bytes": now.daemon.resident_bytes,
        },
        "sandboxes": counts(&engine.sandboxes), "sandboxes_max": engine.sandboxes_max,
        "calls": {
            "per_second": rounded(span.calls), "errors_per_second": rounded(span.errors),
            "refused_per_second": rounded(span.refusals), "waiting": engine.queued, "total": now.totals.invocations,
        },
        "starts": starts.collect::<Vec<_>>(),
        "run_ms": {"p50": span.run.p50_ms, "p99": span.run.p99_ms},
        "init_ms": {"p50": span.init.p50_ms, "p99": span.init.p99_ms},
        "events": {"queued": now.events.queued, "running": now.events.running},
        "pools": pools.collect::<Vec<_>>(),
        "spreads": spreads.collect::<Vec<_>>(),
        "runtimes": runtimes.collect::<Vec<_>>(),
        "functions": functions.collect::<Vec<_>>(),
    })
}

fn counts(counts: &Counts) -> Value {
    json!({
        "making": counts.making, "blank": counts.blank, "starting": counts.starting, "idle": counts.idle,
        "frozen": counts.frozen, "busy": counts.busy, "finishing": counts.finishing, "ending": counts.ending,
    })
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
