//! What commands print: tables and colours for people, JSON for programs.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IsTerminal, Write as _};

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement};
use serde_json::Value;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Standard output and error; colours only where a terminal shows them.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    /// What went wrong first when results were written.
    failure: RefCell<Option<io::Error>>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, failure: RefCell::default() }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// `value` as JSON, or what `text` makes of it. Returns as [`Self::line`] does.
    pub(crate) fn result(&self, value: &Value, text: impl FnOnce() -> String) -> bool {
        let line = if self.json { value.to_string() } else { text() };
        self.line(&line)
    }

    /// Whether anybody still reads: a closed pipe (`hearth logs -f app | head`) is the reader's wish, not an error.
    pub(crate) fn line(&self, line: &str) -> bool {
        self.written(writeln!(anstream::stdout(), "{line}"))
    }

    /// As it is, whatever it is. Returns as [`Self::line`] does.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> bool {
        let mut out = io::stdout();
        self.written(out.write_all(bytes).and_then(|()| out.write_all(b"\n")))
    }

    fn written(&self, result: io::Result<()>) -> bool {
        let Err(error) = result else { return true };
        if error.kind() != ErrorKind::BrokenPipe {
            self.failure.borrow_mut().get_or_insert(error);
        }
        false
    }

    /// Why not all results were written, if anybody wanted them.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Progress and hints: never in the way of results.
    pub(crate) fn note(&self, line: &str) {
        self.aside(&wrapped(line, columns(&io::stderr()), 0));
    }

    /// As a note, with its lines as they are.
    pub(crate) fn aside(&self, text: &str) {
        if !self.json {
            let _closed = writeln!(anstream::stderr(), "{text}").is_err();
        }
    }

    pub(crate) fn error(&self, error: &anyhow::Error) {
        let line = if self.json {
            serde_json::json!({"error": format!("{error:#}")}).to_string()
        } else {
            wrapped(&format!("{BAD}error:{BAD:#} {error:#}"), columns(&io::stderr()), 0)
        };
        let _closed = writeln!(anstream::stderr(), "{line}").is_err();
    }
}

/// How wide the terminal is; what is no terminal has no end.
pub(crate) fn columns(stream: &impl IsTerminal) -> usize {
    let size = stream.is_terminal().then(|| ratatui::crossterm::terminal::size().ok()).flatten();
    size.map_or(usize::MAX, |(columns, _)| if columns == 0 { usize::MAX } else { usize::from(columns) })
}

/// Lines that are broken between words where the terminal ends. What stands in backticks is one word, to be copied whole.
pub(crate) fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let lines = text.split('\n').map(|line| {
        let (mut shown, mut width) = (String::new(), 0);
        for (number, word) in words(line).into_iter().enumerate() {
            let len = anstream::adapter::strip_str(&word).to_string().chars().count();
            if width > indent && width + 1 + len > columns {
                shown.push('\n');
                shown.push_str(&" ".repeat(indent));
                width = indent;
            } else if number > 0 {
                shown.push(' ');
                width += 1;
            }
            shown.push_str(&word);
            width += len;
        }
        shown
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in line.split(' ') {
        match words.last_mut().filter(|word| word.matches('`').count() % 2 == 1) {
            Some(open) => *open = format!("{open} {part}"),
            None => words.push(part.to_owned()),
        }
    }
    words
}

/// Where a terminal has fewer columns, what does not fit is no table.
const NARROW: usize = 60;
/// Nor is it where its columns would have less than this.
const COLUMN: usize = 7;
/// Names up to this length stand whole, whatever the width of the terminal.
const NAME_WIDTH: usize = 20;

/// A table for people: as wide as the terminal at most, without columns in which nothing stands.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns from this one on are numbers.
    numbers_from: usize,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        let header = header.iter().map(|name| (*name).to_owned()).collect();
        Self { header, rows: Vec::new(), numbers_from: usize::MAX }
    }

    pub(crate) fn numbers_from(mut self, column: usize) -> Self {
        self.numbers_from = column;
        self
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_empty =
            |row: &Vec<String>, column: usize| row.get(column).is_none_or(|cell| matches!(&**cell, "" | "-"));
        let shown: Vec<usize> =
            (0..self.header.len()).filter(|column| !self.rows.iter().all(|row| is_empty(row, *column))).collect();
        let pick = |cells: &[String]| shown.iter().filter_map(|column| cells.get(*column).cloned()).collect::<Vec<_>>();
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(pick(&self.header));
        // What goes into a pipe is not wrapped.
        table.set_content_arrangement(ContentArrangement::Dynamic);
        for row in &self.rows {
            table.add_row(pick(row));
        }
        // Names are not broken where that leaves room for the rest.
        let names = self.rows.iter().filter_map(|row| row.first()).map(String::len).max().unwrap_or(0);
        if names <= NAME_WIDTH
            && let Some(column) = table.column_mut(0)
        {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        let natural: usize = table.column_max_content_widths().into_iter().map(|width| usize::from(width) + 3).sum();
        let width = table.width().map_or(usize::MAX, usize::from);
        if natural > width && (width < NARROW || shown.len() * COLUMN > width) {
            return self.as_records(&shown, f);
        }
        for (column, number) in table.column_iter_mut().zip(shown) {
            if number >= self.numbers_from {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.fmt(f)
    }
}

impl Table {
    /// A line for each cell.
    fn as_records(&self, shown: &[usize], f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, row) in self.rows.iter().enumerate() {
            for column in shown {
                let end = if number + 1 == self.rows.len() && shown.last() == Some(column) { "" } else { "\n" };
                let indent = if shown.first() == Some(column) { "" } else { "  " };
                write!(f, "{indent}{}: {}{end}", self.header[*column], row[*column])?;
            }
        }
        Ok(())
    }
}

/// A value in a table.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_not_within_commands() {
        let text = "nothing runs in archive before it has an instance: `hearth capacity add INSTANCE`, say";
        assert_eq!(
            wrapped(text, 40, 2),
            "nothing runs in archive before it has an\n  instance:\n  `hearth capacity add INSTANCE`, say"
        );
        assert_eq!(wrapped(text, usize::MAX, 0), text);
        assert_eq!(wrapped("  indented\n\nlines stay", 12, 0), "  indented\n\nlines stay");
        assert_eq!(wrapped(&format!("{BAD}error:{BAD:#} red"), 10, 0), format!("{BAD}error:{BAD:#} red"));
        assert_eq!(wrapped("a `never closed", 4, 0), "a\n`never closed");
    }
}
