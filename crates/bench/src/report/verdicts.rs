//! Figures that have a target, and whether they meet it.

use serde::Serialize;

use super::rows::{ColdRow, cold_ratio, overhead_kib, template_ratio};
use super::{BASELINE, Report};

/// A figure that has a target.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) figure: String,
    pub(super) value: f64,
    pub(super) target: f64,
    pub(super) unit: &'static str,
    pub(super) met: bool,
}

impl Verdict {
    fn at_most(figure: String, value: f64, target: f64, unit: &'static str) -> Self {
        Self { figure, value, target, unit, met: value <= target }
    }

    fn at_least(figure: String, value: f64, target: f64, unit: &'static str) -> Self {
        Self { figure, value, target, unit, met: value >= target }
    }
}

impl Report {
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for rows in &self.warm {
            for row in rows {
                let (p50, rate) = (row.p50_us / rows[BASELINE].p50_us, row.per_second / rows[BASELINE].per_second);
                match (row.target.as_str(), row.connections) {
                    ("Rust", 1) => {
                        verdicts.push(Verdict::at_most("warm p50, Rust".to_owned(), p50, 2.5, "x plain hyper"))
                    }
                    ("Python", 1) => {
                        verdicts.push(Verdict::at_most("warm p50, Python".to_owned(), p50, 5.0, "x plain hyper"));
                    }
                    ("Rust", 16) => {
                        let figure = "calls/s at 16 connections, Rust".to_owned();
                        verdicts.push(Verdict::at_least(figure, rate, 0.25, "x plain hyper"));
                    }
                    _ => {}
                }
            }
        }
        for row in &self.cold {
            verdicts.extend(cold_verdicts(row));
        }
        for row in self.template.iter().filter(|row| row.what == crate::science::NAME) {
            let figure = format!("cold p50, {}, template", row.what);
            verdicts.push(Verdict::at_most(figure, template_ratio(row), 0.35, "x plain cold start"));
        }
        for row in &self.burst {
            let figure = format!("{} distinct cold functions at once, {}", row.count, row.language);
            verdicts.push(Verdict::at_most(figure, row.to(row.least), 1.5, "x the least possible"));
        }
        for row in &self.memory {
            let figure = format!("memory of an idle sandbox, {}, {}", row.language, row.start);
            verdicts.push(Verdict::at_most(figure, overhead_kib(row) / 1024.0, 2.0, "MiB beyond the runtime alone"));
        }
        if let Some(row) = &self.idle {
            let figure = format!("{} idle sandboxes, {}", row.count, row.language);
            let mib = (row.agent_kib + row.runtime_kib) / 1024.0;
            verdicts.push(Verdict::at_most(figure.clone(), mib, 4.0, "MiB each"));
            verdicts.push(Verdict::at_most(figure, mib, 2.0, "MiB each (goal)"));
        }
        for row in &self.interference {
            let ratio = row.burst_ms / row.quiet_ms;
            verdicts.push(Verdict::at_most(format!("{} during a burst", row.what), ratio, row.limit, "x quiet"));
        }
        verdicts
    }
}

/// What is asked of the ways that are meant to be quick.
fn cold_verdicts(row: &ColdRow) -> Vec<Verdict> {
    let figure = |what: &str| format!("cold {what}, {}, {}", row.language, row.start);
    match (row.language, row.start) {
        ("Rust", "blank") => {
            let beyond = row.cold.p50_ms - row.bare.p50_ms;
            vec![Verdict::at_most(figure("p50"), beyond, 3.0, "ms beyond the bare start")]
        }
        (_, "preboot" | "zygote") => vec![
            Verdict::at_most(figure("p50"), cold_ratio(row), 0.5, "x bare interpreter"),
            Verdict::at_most(figure("p99"), row.cold.p99_ms / row.bare.p50_ms, 1.0, "x bare interpreter"),
        ],
        (_, "blank") => {
            let client = row.bare_with_client.as_ref().unwrap_or(&row.bare).p50_ms;
            vec![Verdict::at_most(figure("p50"), row.cold.p50_ms / client, 1.5, "x bare start with client")]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{MemoryRow, Spread, TemplateRow, WarmRow};
    use super::*;

    #[test]
    fn templates_have_a_target_where_the_initialisation_is_slow() {
        let spread = |millis| Spread::of(vec![Duration::from_millis(millis)]);
        let row = |what, template| TemplateRow {
            what,
            runtime: "python3.11".to_owned(),
            count: 1,
            plain_start: "zygote".to_owned(),
            plain_alike: 1,
            template_alike: 1,
            plain: spread(100),
            template: spread(template),
            bare: spread(20),
        };
        for (millis, met) in [(35, true), (36, false)] {
            let mut report = Report::new();
            report.template(row("Python", 50));
            report.template(row(crate::science::NAME, millis));
            assert_eq!(report.verdicts().iter().map(|verdict| verdict.met).collect::<Vec<_>>(), [met]);
        }
    }

    #[test]
    fn every_target_is_judged() {
        let warm = |target: &str, p50_us, per_second| WarmRow {
            target: target.to_owned(),
            connections: 16,
            p50_us,
            p99_us: p50_us,
            p999_us: p50_us,
            per_second,
            server_cpu_us: 0.0,
            agent_cpu_us: 0.0,
            runtime_cpu_us: 0.0,
        };
        let mut report = Report::new();
        report.warm(vec![warm("plain hyper", 100.0, 1000.0), warm("Rust", 200.0, 300.0)]);
        report.memory(MemoryRow {
            language: "Rust",
            start: "blank",
            count: 1,
            agent_kib: 3000.0,
            runtime_kib: 500.0,
            alone_kib: 400.0,
        });
        let met: Vec<bool> = report.verdicts().iter().map(|verdict| verdict.met).collect();
        assert_eq!(met, [true, false]);
    }
}
