//! The figures, each beside its baseline and its target: gathered, and given out as tables and as JSON.

mod rows;
mod tables;
mod verdicts;

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::json;

pub(crate) use rows::{BurstRow, ColdRow, IdleRow, InterferenceRow, MemoryRow, Spread, TemplateRow, WarmRow};
use rows::{cold_ratio, overhead_kib, template_ratio};
pub(crate) use tables::table;

/// Figures of a machine with more load than this are not to be compared.
const LOAD_QUIET: f64 = 0.7;

/// Where the baseline of warm calls stands in their rows.
const BASELINE: usize = 0;

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
            progress(&format!(
                "this machine is busy (load {load_before}): wait until it is quiet for figures that count"
            ));
        }
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
        progress(&format!("skipped: {what}"));
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
        write_json(path, &report)
    }
}

/// Says on stderr what is being measured.
pub(crate) fn progress(what: &str) {
    let _told = writeln!(std::io::stderr(), "{what}").is_ok();
}

/// Prints what was measured.
pub(crate) fn say(what: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{what}")?)
}

pub(crate) fn write_json(path: &Path, report: &serde_json::Value) -> Result<()> {
    if let Some(dir) = path.parent() {
        fs_err::create_dir_all(dir)?;
    }
    fs_err::write(path, format!("{report:#}\n"))?;
    Ok(())
}
