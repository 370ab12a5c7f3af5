//! The plot.

use hearth_sim::{Row, plot};

fn row(trace: &str, policy: &str, cold_starts: u64, idle_gib_s: f64) -> Row {
    Row {
        trace: trace.to_owned(),
        policy: policy.to_owned(),
        invocations: 100,
        cold_starts,
        idle_gib_s,
        evictions: 0,
        start_delay_p50_ms: 0.0,
        start_delay_p99_ms: 0.0,
        loads_ahead: 0,
        starts: cold_starts,
        failed: 0,
    }
}

#[test]
fn a_panel_per_trace_and_a_curve_per_policy() {
    let rows = [
        row("one", "fixed:60", 90, 10.0),
        row("one", "fixed:600", 40, 100.0),
        row("one", "hybrid", 30, 90.0),
        row("<two>", "hearth:0.5", 0, 0.0),
    ];
    let svg = plot(&rows);
    assert_eq!(svg.matches("<polyline").count(), 3);
    assert_eq!(svg.matches("<circle").count(), 4 + 3, "points and legends");
    assert!(svg.contains("&lt;two&gt;") && !svg.contains("<two>") && !svg.contains("NaN"));
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(plot(&[]).contains("</svg>"));
}
