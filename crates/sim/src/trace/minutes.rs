//! Calls per function and minute.

use std::collections::HashSet;
use std::time::Duration;

use super::csv::Table;
use super::{CALLS_MAX, Calls, FUNCTIONS_MAX, Name, Read, ReadError};

const NAMES: [&str; 4] = ["HashOwner", "HashApp", "HashFunction", "Trigger"];

/// Every column that is not a name is a minute, in the file's order.
pub(super) fn read(table: &Table) -> Result<Read, ReadError> {
    let (app, function) = (table.expect("HashApp")?, table.expect("HashFunction")?);
    let trigger = table.column("Trigger");
    let is_minute = |(_, name): &(usize, &String)| !NAMES.contains(&name.as_str());
    let columns: Vec<usize> = table.header().iter().enumerate().filter(is_minute).map(|(column, _)| column).collect();
    let (mut names, mut timers, mut calls, mut total) = (Vec::new(), HashSet::new(), Vec::new(), 0u64);
    for row in table.rows() {
        let row = row?;
        let mut minutes = Vec::new();
        for (minute, column) in (0u32..).zip(&columns) {
            let count = row.count(*column)?;
            total += u64::from(count);
            if count > 0 {
                minutes.push((minute, count));
            }
        }
        if total > CALLS_MAX || names.len() == FUNCTIONS_MAX {
            return Err(row.problem(function, "is one too many: the trace is too large"));
        }
        if trigger.is_some_and(|trigger| row.text(trigger) == "timer") {
            timers.insert(names.len());
        }
        names.push(Name { app: row.text(app).to_owned(), function: row.text(function).to_owned() });
        calls.push(minutes);
    }
    let minutes = u64::try_from(columns.len()).unwrap_or(u64::MAX);
    Ok(Read { names, timers, horizon: Duration::from_secs(60 * minutes), calls: Calls::PerMinute(calls) })
}
