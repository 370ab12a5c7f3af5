//! The figures as tables and as JSON, each beside its baseline and its target.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::json;

/// Figures of a machine with more load than this are not to be compared.
const LOAD_QUIET: f64 = 0.7;

/// Where the baseline of warm calls stands in their rows.
const BASELINE: usize = 0;

#[derive(Debug, Serialize)]
pub(crate) struct WarmRow {
    pub(crate) target: String,
    pub(crate) connections: usize,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) per_second: f64,
    /// Processor time per call: the server, the first processes of its sandboxes, what runs in them.
    pub(crate) server_cpu_us: f64,
    pub(crate) agent_cpu_us: f64,
    pub(crate) runtime_cpu_us: f64,
}

/// Of several durations, ms.
#[derive(Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Spread {
    pub(crate) fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let at = |permille: usize| durations.get((durations.len() * permille / 1000).min(durations.len() - 1));
        let millis = |duration: Option<&Duration>| duration.map_or(0.0, |duration| duration.as_secs_f64() * 1e3);
        Self { p50_ms: millis(at(500)), p99_ms: millis(at(990)), max_ms: millis(durations.last()) }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct ColdRow {
    pub(crate) language: &'static str,
    pub(crate) runtime: String,
    /// How these starts are called, and how many of all were such.
    pub(crate) start: &'static str,
    pub(crate) alike: usize,
    pub(crate) count: usize,
    pub(crate) cold: Spread,
    pub(crate) bare: Spread,
    pub(crate) bare_with_client: Option<Spread>,
}

/// Starts from a saved template, beside plain cold starts of the same function.
#[derive(Debug, Serialize)]
pub(crate) struct TemplateRow {
    /// Such as `Python, numpy and pandas`.
    pub(crate) what: &'static str,
    pub(crate) runtime: String,
    pub(crate) count: usize,
    /// How most of the plain ones are called, and how many of all were such.
    pub(crate) plain_start: String,
    pub(crate) plain_alike: usize,
    /// Those of the others that did come from the template.
    pub(crate) template_alike: usize,
    pub(crate) plain: Spread,
    pub(crate) template: Spread,
    pub(crate) bare: Spread,
}

#[derive(Debug, Serialize)]
pub(crate) struct BurstRow {
    pub(crate) language: &'static str,
    pub(crate) count: usize,
    pub(crate) answered: Spread,
    /// As many others, one after the other: starts at once must not wait for each other.
    #[serde(serialize_with = "as_millis")]
    pub(crate) in_turn_all: Duration,
    /// The processor time of those, divided by all cores: who is never idle while there is work takes as long.
    #[serde(serialize_with = "as_millis")]
    pub(crate) least: Duration,
    #[serde(serialize_with = "as_millis")]
    pub(crate) bare_all: Duration,
}

impl BurstRow {
    /// How many times as long as `other` all of them took.
    fn to(&self, other: Duration) -> f64 {
        self.answered.max_ms / (other.as_secs_f64() * 1e3)
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct MemoryRow {
    pub(crate) language: &'static str,
    /// How its sandboxes started.
    pub(crate) start: &'static str,
    pub(crate) count: usize,
    pub(crate) agent_kib: f64,
    pub(crate) runtime_kib: f64,
    pub(crate) alone_kib: f64,
}

/// Many idle sandboxes of one runtime; what each adds, KiB.
#[derive(Debug, Serialize)]
pub(crate) struct IdleRow {
    pub(crate) language: &'static str,
    pub(crate) count: usize,
    /// Proportional set sizes of the processes inside, the shared pages of a zygote included.
    pub(crate) agent_kib: f64,
    pub(crate) runtime_kib: f64,
    pub(crate) daemon_kib: f64,
    /// Kernel memory: slabs, page tables and stacks of the whole machine.
    pub(crate) kernel_kib: f64,
    /// By what the machine has less memory available.
    pub(crate) available_kib: f64,
}

/// What a burst of cold starts of one function does to others.
#[derive(Debug, Serialize)]
pub(crate) struct InterferenceRow {
    pub(crate) what: &'static str,
    pub(crate) quiet_ms: f64,
    pub(crate) burst_ms: f64,
    pub(crate) limit: f64,
}

/// A figure that has a target.
#[derive(Debug, Serialize)]
struct Verdict {
    figure: String,
    value: f64,
    target: f64,
    unit: &'static str,
    met: bool,
}

impl Verdict {
    fn at_most(figure: String, value: f64, target: f64, unit: &'static str) -> Self {
        Self { figure, value, target, unit, met: value <= target }
    }

    fn at_least(figure: String, value: f64, target: f64, unit: &'static str) -> Self {
        Self { figure, value, target, unit, met: value >= target }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    warm: Vec<Vec<WarmRow>>,
    idle: Option<IdleRow>,
    interference: Vec<InterferenceRow>,
    cold: Vec<ColdRow>,
    template: Vec<TemplateRow>,
    /// What this machine could not be asked, and why.
    skipped: Vec<String>,
    burst: Vec<BurstRow>,
    memory: Vec<MemoryRow>,
    /// The machine's load before anything was measured.
    load_before: f64,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Of a busy machine even ratios say little: the plain server then shares a core with its client.
    pub(crate) fn busy(&mut self, load_before: f64) {
        self.load_before = load_before;
        if load_before > LOAD_QUIET {
            self.progress(&format!(
                "this machine is busy (load {load_before}): wait until it is quiet for figures that count"
            ));
        }
    }

    /// Says on stderr what is being measured.
    pub(crate) fn progress(&self, what: &str) {
        let _told = writeln!(std::io::stderr(), "{what}").is_ok();
    }

    /// Rows of one number of connections, the baseline first.
    pub(crate) fn warm(&mut self, rows: Vec<WarmRow>) {
        self.warm.push(rows);
    }

    pub(crate) fn cold(&mut self, row: ColdRow) {
        self.cold.push(row);
    }

    pub(crate) fn template(&mut self, row: TemplateRow) {
        self.template.push(row);
    }

    pub(crate) fn skip(&mut self, what: String) {
        self.progress(&format!("skipped: {what}"));
        self.skipped.push(what);
    }

    pub(crate) fn idle(&mut self, row: IdleRow) {
        self.idle = Some(row);
    }

    pub(crate) fn interference(&mut self, row: InterferenceRow) {
        self.interference.push(row);
    }

    pub(crate) fn burst(&mut self, row: BurstRow) {
        self.burst.push(row);
    }

    pub(crate) fn memory(&mut self, row: MemoryRow) {
        self.memory.push(row);
    }

    pub(crate) fn print(&self) -> Result<()> {
        let tables = [
            self.warm_table(),
            self.cold_table(),
            self.template_table(),
            self.burst_table(),
            self.memory_table(),
            self.idle_table(),
            self.interference_table(),
            self.verdicts_table(),
        ];
        let mut out = std::io::stdout();
        for (title, table) in tables {
            if !table.is_empty() {
                writeln!(out, "\n{title}\n{table}")?;
            }
        }
        for what in &self.skipped {
            writeln!(out, "skipped: {what}")?;
        }
        Ok(())
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let ratio = |row: &WarmRow, baseline: &WarmRow| {
            json!({
                "p50": row.p50_us / baseline.p50_us,
                "p99": row.p99_us / baseline.p99_us,
                "p999": row.p999_us / baseline.p999_us,
                "per_second": row.per_second / baseline.per_second,
            })
        };
        let warm = self
            .warm
            .iter()
            .flat_map(|rows| rows.iter().map(move |row| json!({"row": row, "ratio": ratio(row, &rows[BASELINE])})));
        let report = json!({
            "cores": std::thread::available_parallelism()?.get(),
            "load_before": self.load_before,
            "warm": warm.collect::<Vec<_>>(),
            "cold": self.cold.iter().map(|row| json!({"row": row, "ratio": cold_ratio(row)})).collect::<Vec<_>>(),
            "template": self.template.iter().map(|row| json!({"row": row, "ratio": template_ratio(row)})).collect::<Vec<_>>(),
            "skipped": self.skipped,
            "burst": self.burst.iter().map(|row| json!({"row": row, "toLeast": row.to(row.least), "toBare": row.to(row.bare_all)})).collect::<Vec<_>>(),
            "memory": self.memory.iter().map(|row| json!({"row": row, "overhead_kib": overhead_kib(row),
                "ratio": (row.agent_kib + row.runtime_kib) / row.alone_kib})).collect::<Vec<_>>(),
            "idle": self.idle,
            "interference": self.interference,
            "targets": self.verdicts(),
        });
        if let Some(dir) = path.parent() {
            fs_err::create_dir_all(dir)?;
        }
        fs_err::write(path, format!("{report:#}\n"))?;
        Ok(())
    }

    fn warm_table(&self) -> (&'static str, Table) {
        let mut table = table(&[
            "connections",
            "",
            "p50 us",
            "p99 us",
            "p99.9 us",
            "calls/s",
            "CPU us: server",
            "agent",
            "runtime",
            "p50 ratio",
            "calls/s ratio",
        ]);
        for rows in &self.warm {
            for row in rows {
                table.add_row([
                    row.connections.to_string(),
                    row.target.clone(),
                    format!("{:.0}", row.p50_us),
                    format!("{:.0}", row.p99_us),
                    format!("{:.0}", row.p999_us),
                    format!("{:.0}", row.per_second),
                    format!("{:.0}", row.server_cpu_us),
                    format!("{:.0}", row.agent_cpu_us),
                    format!("{:.0}", row.runtime_cpu_us),
                    format!("{:.2}", row.p50_us / rows[BASELINE].p50_us),
                    format!("{:.3}", row.per_second / rows[BASELINE].per_second),
                ]);
            }
        }
        ("Warm calls", table)
    }

    fn cold_table(&self) -> (&'static str, Table) {
        let mut table =
            table(&["", "start", "of", "cold p50 ms", "p99", "max", "bare p50 ms", "with client p50", "to bare"]);
        for row in &self.cold {
            table.add_row([
                format!("{} ({})", row.language, row.runtime),
                row.start.to_owned(),
                format!("{}/{}", row.alike, row.count),
                format!("{:.1}", row.cold.p50_ms),
                format!("{:.1}", row.cold.p99_ms),
                format!("{:.1}", row.cold.max_ms),
                format!("{:.1}", row.bare.p50_ms),
                row.bare_with_client.as_ref().map_or_else(|| "-".to_owned(), |client| format!("{:.1}", client.p50_ms)),
                format!("{:.2}", cold_ratio(row)),
            ]);
        }
        ("Cold starts, one after the other, beside bare starts of the same program", table)
    }

    fn template_table(&self) -> (&'static str, Table) {
        let mut table = table(&[
            "",
            "plain start",
            "of",
            "p50 ms",
            "p99",
            "max",
            "template, of",
            "p50 ms",
            "p99",
            "max",
            "to plain",
            "bare p50 ms",
            "to bare",
        ]);
        let figures =
            |spread: &Spread| [spread.p50_ms, spread.p99_ms, spread.max_ms].map(|millis| format!("{millis:.1}"));
        for row in &self.template {
            let named = [format!("{} ({})", row.what, row.runtime), row.plain_start.clone()];
            let compared = [
                format!("{:.2}", template_ratio(row)),
                format!("{:.1}", row.bare.p50_ms),
                format!("{:.2}", row.template.p50_ms / row.bare.p50_ms),
            ];
            let plain = [format!("{}/{}", row.plain_alike, row.count)].into_iter().chain(figures(&row.plain));
            let template = [format!("{}/{}", row.template_alike, row.count)].into_iter().chain(figures(&row.template));
            table.add_row(named.into_iter().chain(plain).chain(template).chain(compared));
        }
        ("Starts from saved templates, in turn with plain cold starts of the same function", table)
    }

    fn burst_table(&self) -> (&'static str, Table) {
        let mut table = table(&[
            "",
            "functions",
            "first half ms",
            "all ms",
            "all in turn ms",
            "least ms",
            "to least",
            "bare, all ms",
            "to bare",
        ]);
        for row in &self.burst {
            table.add_row([
                row.language.to_owned(),
                row.count.to_string(),
                format!("{:.0}", row.answered.p50_ms),
                format!("{:.0}", row.answered.max_ms),
                format!("{:.0}", row.in_turn_all.as_secs_f64() * 1e3),
                format!("{:.0}", row.least.as_secs_f64() * 1e3),
                format!("{:.2}", row.to(row.least)),
                format!("{:.0}", row.bare_all.as_secs_f64() * 1e3),
                format!("{:.2}", row.to(row.bare_all)),
            ]);
        }
        ("Distinct cold functions called at once, beside as many in turn and as many bare starts at once", table)
    }

    fn memory_table(&self) -> (&'static str, Table) {
        let mut table = table(&[
            "",
            "sandboxes",
            "agent KiB",
            "runtime KiB",
            "runtime without sandbox KiB",
            "overhead KiB",
            "ratio",
        ]);
        for row in &self.memory {
            table.add_row([
                format!("{}, {}", row.language, row.start),
                row.count.to_string(),
                format!("{:.0}", row.agent_kib),
                format!("{:.0}", row.runtime_kib),
                format!("{:.0}", row.alone_kib),
                format!("{:.0}", overhead_kib(row)),
                format!("{:.2}", (row.agent_kib + row.runtime_kib) / row.alone_kib),
            ]);
        }
        ("Memory (PSS) per idle sandbox", table)
    }

    fn idle_table(&self) -> (&'static str, Table) {
        let mut table =
            table(&["", "sandboxes", "agent KiB", "runtime KiB", "sum", "daemon KiB", "kernel KiB", "machine KiB"]);
        if let Some(row) = &self.idle {
            let kib = [row.agent_kib, row.runtime_kib, row.agent_kib + row.runtime_kib, row.daemon_kib, row.kernel_kib];
            let figures = kib.into_iter().chain([row.available_kib]).map(|kib| format!("{kib:.0}"));
            table.add_row([row.language.to_owned(), row.count.to_string()].into_iter().chain(figures));
        }
        ("What one of many idle, warm sandboxes adds (PSS; daemon, kernel and machine by their growth)", table)
    }

    fn interference_table(&self) -> (&'static str, Table) {
        let mut table = table(&["", "quiet ms", "during the burst ms", "ratio"]);
        for row in &self.interference {
            table.add_row([
                row.what.to_owned(),
                format!("{:.2}", row.quiet_ms),
                format!("{:.2}", row.burst_ms),
                format!("{:.2}", row.burst_ms / row.quiet_ms),
            ]);
        }
        ("Other functions while one has a burst of cold starts", table)
    }

    fn verdicts_table(&self) -> (&'static str, Table) {
        let mut table = table(&["figure", "value", "target", "", ""]);
        for verdict in self.verdicts() {
            table.add_row([
                verdict.figure,
                format!("{:.2}", verdict.value),
                format!("{:.2}", verdict.target),
                verdict.unit.to_owned(),
                if verdict.met { "met" } else { "missed" }.to_owned(),
            ]);
        }
        ("Targets", table)
    }

    fn verdicts(&self) -> Vec<Verdict> {
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

fn cold_ratio(row: &ColdRow) -> f64 {
    row.cold.p50_ms / row.bare.p50_ms
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

fn template_ratio(row: &TemplateRow) -> f64 {
    row.template.p50_ms / row.plain.p50_ms
}

fn overhead_kib(row: &MemoryRow) -> f64 {
    row.agent_kib + row.runtime_kib - row.alone_kib
}

fn as_millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1e3)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_taken_from_the_sorted_durations() {
        let durations = (1..=100).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(durations);
        assert_eq!((spread.p50_ms, spread.p99_ms, spread.max_ms), (51.0, 100.0, 100.0));
        assert_eq!(Spread::of(vec![Duration::from_millis(7)]).p50_ms, 7.0);
    }

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
