//! Comma-separated values as the traces have them: a header, no quoting; plain or gzip.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::ReadError;

/// Larger files are refused, unpacked or not.
const BYTES_MAX: u64 = 1 << 30;
const COLUMNS_MAX: usize = 100_000;

#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    header: Vec<String>,
    text: String,
}

impl Table {
    pub(super) fn read(path: &Path) -> Result<Self, ReadError> {
        let mut bytes = Vec::new();
        let mut file = fs_err::File::open(path)?;
        file.by_ref().take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.starts_with(&[0x1F, 0x8B]) {
            let mut unpacked = Vec::new();
            flate2::read::MultiGzDecoder::new(&bytes[..]).take(BYTES_MAX + 1).read_to_end(&mut unpacked)?;
            bytes = unpacked;
        }
        let problem =
            |line, problem: &str| ReadError::Syntax { path: path.to_owned(), line, problem: problem.to_owned() };
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BYTES_MAX {
            return Err(problem(1, "larger than a gibibyte"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            problem(line, "not UTF-8")
        })?;
        let first = text.lines().next().unwrap_or_default();
        let header: Vec<String> = first.split(',').take(COLUMNS_MAX + 1).map(|name| name.trim().to_owned()).collect();
        if first.is_empty() || header.len() > COLUMNS_MAX {
            return Err(problem(1, "not a header"));
        }
        Ok(Self { path: path.to_owned(), header, text })
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    pub(super) fn expect(&self, name: &str) -> Result<usize, ReadError> {
        self.column(name).ok_or_else(|| self.problem(1, format!("no column {name}")))
    }

    /// The lines after the header, with as many fields as that has.
    pub(super) fn rows(&self) -> impl Iterator<Item = Result<Row<'_>, ReadError>> {
        let lines = self.text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty());
        lines.map(|(index, line)| {
            let fields: Vec<&str> = line.split(',').take(self.header.len() + 1).map(str::trim).collect();
            if fields.len() != self.header.len() {
                let problem = format!("{} fields instead of {}", fields.len(), self.header.len());
                return Err(self.problem(index + 1, problem));
            }
            Ok(Row { table: self, line: index + 1, fields })
        })
    }

    pub(super) fn problem(&self, line: usize, problem: String) -> ReadError {
        ReadError::Syntax { path: self.path.clone(), line, problem }
    }
}

#[derive(Debug)]
pub(super) struct Row<'a> {
    table: &'a Table,
    line: usize,
    fields: Vec<&'a str>,
}

impl<'a> Row<'a> {
    pub(super) fn text(&self, column: usize) -> &'a str {
        self.fields[column]
    }

    /// A number of calls.
    pub(super) fn count(&self, column: usize) -> Result<u32, ReadError> {
        self.fields[column].parse().ok().ok_or_else(|| self.problem(column, "is no count"))
    }

    /// A finite number, at least 0 and at most `max`.
    pub(super) fn amount(&self, column: usize, max: f64) -> Result<f64, ReadError> {
        let value: Option<f64> = self.fields[column].parse().ok();
        let inside = value.filter(|value| (0.0..=max).contains(value));
        inside.ok_or_else(|| self.problem(column, &format!("is no number from 0 to {max}")))
    }

    pub(super) fn problem(&self, column: usize, problem: &str) -> ReadError {
        let shown: String = self.fields[column].chars().take(40).collect();
        self.table.problem(self.line, format!("{}: {shown:?} {problem}", self.table.header[column]))
    }
}
