//! What commands print: tables and colours for people, JSON for programs.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::Table;
use serde_json::Value;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Standard output and error; colours only where a terminal shows them.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
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
        writeln!(anstream::stdout(), "{line}").is_ok()
    }

    /// Progress and hints: never in the way of results.
    pub(crate) fn note(&self, line: &str) {
        if !self.json {
            let _closed = writeln!(anstream::stderr(), "{line}").is_err();
        }
    }

    pub(crate) fn error(&self, error: &anyhow::Error) {
        let line = if self.json {
            serde_json::json!({"error": format!("{error:#}")}).to_string()
        } else {
            format!("{BAD}error:{BAD:#} {error:#}")
        };
        let _closed = writeln!(anstream::stderr(), "{line}").is_err();
    }
}

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(header);
    table
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
