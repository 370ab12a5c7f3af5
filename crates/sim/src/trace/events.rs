//! Single calls with the times of their ends and their durations, both in seconds.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::csv::Table;
use super::{Call, Calls, FUNCTIONS_MAX, Name, Read, ReadError};

/// A year, in seconds.
const TIME_MAX: f64 = 31_536_000.0;

pub(super) fn read(table: &Table) -> Result<Read, ReadError> {
    let (app, function) = (table.expect("app")?, table.expect("func")?);
    let (end, duration) = (table.expect("end_timestamp")?, table.expect("duration")?);
    let (mut names, mut indices, mut calls) = (Vec::new(), HashMap::new(), Vec::new());
    let mut horizon = Duration::ZERO;
    for row in table.rows() {
        let row = row?;
        let name = Name { app: row.text(app).to_owned(), function: row.text(function).to_owned() };
        let index = *indices.entry(name.clone()).or_insert(names.len());
        if index == names.len() {
            names.push(name);
        }
        if names.len() > FUNCTIONS_MAX {
            return Err(row.problem(function, "is one too many: the trace is too large"));
        }
        let end = Duration::from_secs_f64(row.amount(end, TIME_MAX)?);
        let took = Duration::from_secs_f64(row.amount(duration, TIME_MAX)?);
        horizon = horizon.max(end);
        calls.push(Call {
            at: end.saturating_sub(took),
            function: u32::try_from(index).unwrap_or(u32::MAX),
            takes: took,
        });
    }
    calls.sort_by_key(|call| (call.at, call.function));
    Ok(Read { names, timers: HashSet::new(), horizon, calls: Calls::Single(calls) })
}
