//! The view on a terminal: figures above, then what is kept ready, then the functions.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span as Text};
use ratatui::widgets::{Paragraph, Row, Table, Widget};

use super::sample::{Key, Quantiles, Sample, Span, Version};

/// Lines above the functions, without what is kept ready.
const HEAD_LINES: u16 = 7;
const BAR_WIDTH: usize = 24;

#[derive(Debug)]
pub(super) struct Screen<'a> {
    pub(super) endpoint: &'a str,
    pub(super) now: &'a Sample,
    pub(super) span: &'a Span,
    /// Functions above the first that is shown.
    pub(super) scroll: usize,
    /// Why the figures are old.
    pub(super) problem: Option<String>,
    /// Somebody is there to press keys.
    pub(super) keys: bool,
}

impl Screen<'_> {
    /// Lines that it takes to show everything.
    pub(super) fn height_max(&self) -> u16 {
        let rows = self.now.engine.versions.len().max(1) + self.middle_lines() + 4;
        HEAD_LINES + u16::try_from(rows).unwrap_or(1000).min(1000)
    }

    /// The scroll position that leaves no empty place on a screen of this height.
    pub(super) fn scroll_within(&self, height: u16) -> usize {
        let shown = usize::from(height).saturating_sub(usize::from(HEAD_LINES) + self.middle_lines() + 4);
        self.scroll.min(self.now.engine.versions.len().saturating_sub(shown))
    }

    fn ready_lines(&self) -> usize {
        1 + self.now.engine.blanks.iter().filter(|blanks| blanks.available).count().max(1)
    }

    fn pool_lines(&self) -> usize {
        1 + self.now.engine.sub_pools.len()
    }

    /// None of it, not even a heading, where no account is held to some instances.
    fn spread_lines(&self) -> usize {
        match self.now.engine.spreads().count() {
            0 => 0,
            spreads => spreads + 2,
        }
    }

    /// Between the figures and the functions.
    fn middle_lines(&self) -> usize {
        self.ready_lines() + self.pool_lines() + self.spread_lines()
    }

    fn title(&self) -> Line<'_> {
        let isolation = &self.now.isolation;
        let mut parts = vec![
            Text::from(" hearth ").bold().reversed(),
            Text::from(format!(" {}", self.endpoint)).bold(),
            Text::from(format!(
                "   up {}   {} ({})",
                uptime(self.now.daemon.uptime_ms),
                isolation.tier,
                isolation.privilege
            )),
        ];
        if self.now.engine.draining {
            parts.push(Text::from("   draining").fg(Color::Yellow));
        }
        Line::from(parts)
    }

    fn figures(&self) -> Vec<Line<'_>> {
        let engine = &self.now.engine;
        let counts = &engine.sandboxes;
        let used = counts.all();
        let daemon = self.now.daemon.resident_bytes.map_or_else(|| "?".to_owned(), |bytes| mib(bytes / (1024 * 1024)));
        let queued = self.now.events.queued.map_or_else(|| "?".to_owned(), |events| events.to_string());
        let refused = warning(self.span.refusals, format!("refused {}/s", rate(self.span.refusals)));
        let waiting = if engine.queued > 0 { Color::Yellow } else { Color::Reset };
        vec![
            Line::from(vec![
                label("memory"),
                bar(engine.memory_mib, engine.memory_mib_max),
                Text::from(format!(
                    " {} of {} promised, daemon {daemon}",
                    mib(engine.memory_mib),
                    mib(engine.memory_mib_max)
                )),
            ]),
            Line::from(vec![
                label("places"),
                bar(used, engine.sandboxes_max),
                Text::from(format!(
                    " {used} of {}: {} busy, {} idle, {} blank, {} new",
                    engine.sandboxes_max,
                    counts.busy + counts.finishing,
                    counts.idle,
                    counts.blank,
                    counts.starting + counts.making,
                )),
            ]),
            Line::from(vec![
                label("calls"),
                Text::from(format!("{}/s   ", rate(self.span.calls))).bold(),
                warning(self.span.errors, format!("errors {}/s", rate(self.span.errors))),
                Text::from("   "),
                refused,
                Text::from(format!("   waiting {}", engine.queued)).fg(waiting),
                Text::from(format!("   events {queued} ({} running)", self.now.events.running)),
            ]),
            self.starts(),
            Line::from(vec![
                label("time"),
                Text::from(format!("run {}   init {}", quantiles(self.span.run), quantiles(self.span.init))),
            ]),
        ]
    }

    fn starts(&self) -> Line<'_> {
        let mut parts = vec![label("starts")];
        if self.span.starts.is_empty() {
            parts.push(Text::from("none yet").dim());
        }
        for (kind, per_second, total) in &self.span.starts {
            parts.push(Text::from(format!("{kind} ")).fg(kind_colour(kind)));
            parts.push(Text::from(format!("{}/s ", rate(*per_second))));
            parts.push(Text::from(format!("({total})   ")).dim());
        }
        Line::from(parts)
    }

    fn pools(&self) -> Table<'_> {
        let rows = self.now.engine.sub_pools.iter().map(|pool| {
            let counters = &pool.counters;
            Row::new([
                match &pool.terms.frequency {
                    Some(frequency) => format!("{} ({frequency})", pool.terms.name),
                    None => pool.terms.name.clone(),
                },
                format!("{:>18}", format!("{} / {}", mib(pool.memory_mib), mib(pool.memory_mib_max))),
                right(pool.waiting, 6),
                right(pool.active, 6),
                right(pool.pending, 6),
                right(counters.hits, 7),
                right(counters.misses, 6),
                right(counters.borrowed + counters.lent, 6),
            ])
        });
        let number = Constraint::Length(6);
        let hits = Constraint::Length(7);
        let widths = [Constraint::Fill(1), Constraint::Length(18), number, number, number, hits, number, number];
        let names = ["POOL", "            MEMORY", "  FREE", "IN USE", " ASKED", "   HITS", "MISSES", "BORROW"];
        Table::new(rows, widths).header(header(names))
    }

    /// Over which instances an account is spread now.
    fn spreads(&self) -> Table<'_> {
        let rows = self.now.engine.spreads().map(|(account, spread)| {
            Row::new([account.to_owned(), spread.pool.clone(), self.now.instances(spread).join(", ")])
        });
        let widths = [Constraint::Length(12), Constraint::Length(20), Constraint::Fill(1)];
        Table::new(rows, widths).header(header(["SPREAD OF", "IN POOL", "OVER INSTANCES"]))
    }

    fn ready(&self) -> Table<'_> {
        let rows = self.now.engine.blanks.iter().filter(|blanks| blanks.available).map(|blanks| {
            let name = self.now.roots.get(blanks.root).map_or("?", String::as_str);
            Row::new([name.to_owned(), right(blanks.ready, 8), right(blanks.making, 8), right(blanks.claims, 8)])
        });
        let widths = [Constraint::Fill(1), Constraint::Length(8), Constraint::Length(8), Constraint::Length(8)];
        Table::new(rows, widths).header(header(["READY FOR RUNTIME", "   READY", "  MAKING", "  WANTED"]))
    }

    fn functions(&self, height: u16) -> Table<'_> {
        let mut versions: Vec<&Version> = self.now.engine.versions.iter().collect();
        // Those that do or want something first.
        versions.sort_by_key(|version| {
            let counts = &version.sandboxes;
            std::cmp::Reverse((version.waiting, counts.busy + counts.starting, counts.idle))
        });
        let scroll = self.scroll_within(height);
        let one_region = versions.iter().all(|version| version.key.region == versions[0].key.region);
        let name = |key: &Key| if one_region { key.name() } else { format!("{} ({})", key.name(), key.region) };
        let rows = versions.into_iter().skip(scroll).map(|version| {
            let counts = &version.sandboxes;
            let row = Row::new([
                name(&version.key),
                version.key.account.clone(),
                right(version.memory_mib, 6),
                right(counts.busy + counts.finishing, 6),
                right(counts.starting, 6),
                right(counts.idle, 6),
                right(counts.frozen, 6),
                right(version.waiting, 6),
            ]);
            if version.waiting > 0 { row.fg(Color::Yellow) } else { row }
        });
        let number = Constraint::Length(6);
        let widths = [Constraint::Fill(1), Constraint::Length(12), number, number, number, number, number, number];
        let names = ["FUNCTION", "ACCOUNT", "   MIB", "  BUSY", " START", "  IDLE", "FROZEN", "  WAIT"];
        Table::new(rows, widths).header(header(names))
    }
}

impl Widget for &Screen<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let ready = u16::try_from(self.ready_lines()).unwrap_or(u16::MAX);
        let pools = u16::try_from(self.pool_lines()).unwrap_or(u16::MAX);
        let spreads = u16::try_from(self.spread_lines()).unwrap_or(u16::MAX);
        let [head, pools_area, _, spreads_area, ready_area, _, functions_area, foot] = Layout::vertical([
            Constraint::Length(HEAD_LINES),
            Constraint::Length(pools),
            Constraint::Length(1),
            Constraint::Length(spreads),
            Constraint::Length(ready),
            Constraint::Length(1),
            Constraint::Min(2),
            Constraint::Length(1),
        ])
        .areas(area);
        let mut lines = vec![self.title()];
        match &self.problem {
            Some(problem) => lines.push(Line::from(problem.as_str()).fg(Color::Red)),
            None => lines.push(Line::default()),
        }
        lines.extend(self.figures());
        Paragraph::new(lines).render(head, buffer);
        Widget::render(self.pools(), pools_area, buffer);
        if spreads > 0 {
            Widget::render(self.spreads(), spreads_area, buffer);
        }
        Widget::render(self.ready(), ready_area, buffer);
        Widget::render(self.functions(area.height), functions_area, buffer);
        if self.now.engine.versions.is_empty() {
            let line = Line::from("no function has run yet").dim();
            let below = Rect {
                y: functions_area.y + 1,
                height: 1.min(functions_area.height.saturating_sub(1)),
                ..functions_area
            };
            Paragraph::new(line).render(below, buffer);
        }
        if self.keys {
            Paragraph::new(Line::from("q quit   up/down scroll").dim()).render(foot, buffer);
        }
    }
}

fn header<const N: usize>(names: [&'static str; N]) -> Row<'static> {
    Row::new(names).style(Style::new().bold().fg(Color::Cyan))
}

fn label(text: &str) -> Text<'static> {
    Text::from(format!("{text:<8}")).fg(Color::Cyan)
}

fn right(value: u64, width: usize) -> String {
    format!("{value:>width$}")
}

fn warning(value: f64, text: String) -> Text<'static> {
    let text = Text::from(text);
    if value > 0.0 { text.fg(Color::Red) } else { text }
}

fn kind_colour(kind: &str) -> Color {
    match kind {
        "warm" => Color::Green,
        "boot" | "blank" => Color::Yellow,
        _ => Color::Blue,
    }
}

fn bar(used: u64, of: u64) -> Text<'static> {
    let part = used.saturating_mul(1000).checked_div(of).unwrap_or(0).min(1000);
    let filled = usize::try_from(part).unwrap_or(0) * BAR_WIDTH / 1000;
    let colour = match part {
        0..700 => Color::Green,
        700..900 => Color::Yellow,
        _ => Color::Red,
    };
    Text::from(format!("{}{}", "█".repeat(filled), "░".repeat(BAR_WIDTH - filled))).fg(colour)
}

fn quantiles(quantiles: Quantiles) -> String {
    match (quantiles.p50_ms, quantiles.p99_ms) {
        (Some(p50), Some(p99)) => format!("p50 {} p99 {} ms", rate(p50), rate(p99)),
        _ => "-".to_owned(),
    }
}

/// With as many digits as say something.
fn rate(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn mib(mib: u64) -> String {
    if mib < 1024 { format!("{mib} MiB") } else { format!("{}.{} GiB", mib / 1024, mib % 1024 * 10 / 1024) }
}

fn uptime(ms: u64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => format!("{}s", ms / 1000),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h{minutes:02}m"),
        (days, hours, _) => format!("{days}d{hours:02}h"),
    }
}
