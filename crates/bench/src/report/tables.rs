//! The rows as tables, for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::rows::{Spread, cold_ratio, overhead_kib, template_ratio};
use super::{BASELINE, Report};

impl Report {
    pub(super) fn warm_table(&self) -> (&'static str, Table) {
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

    pub(super) fn cold_table(&self) -> (&'static str, Table) {
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

    pub(super) fn template_table(&self) -> (&'static str, Table) {
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

    pub(super) fn burst_table(&self) -> (&'static str, Table) {
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

    pub(super) fn memory_table(&self) -> (&'static str, Table) {
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

    pub(super) fn idle_table(&self) -> (&'static str, Table) {
        let mut table =
            table(&["", "sandboxes", "agent KiB", "runtime KiB", "sum", "daemon KiB", "kernel KiB", "machine KiB"]);
        if let Some(row) = &self.idle {
            let kib = [row.agent_kib, row.runtime_kib, row.agent_kib + row.runtime_kib, row.daemon_kib, row.kernel_kib];
            let figures = kib.into_iter().chain([row.available_kib]).map(|kib| format!("{kib:.0}"));
            table.add_row([row.language.to_owned(), row.count.to_string()].into_iter().chain(figures));
        }
        ("What one of many idle, warm sandboxes adds (PSS; daemon, kernel and machine by their growth)", table)
    }

    pub(super) fn interference_table(&self) -> (&'static str, Table) {
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

    pub(super) fn verdicts_table(&self) -> (&'static str, Table) {
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
}

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
