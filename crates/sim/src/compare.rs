//! Several traces under several policies, on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::node::{NodeModel, replay};
use crate::policies::PolicyName;
use crate::report::Row;
use crate::trace::Trace;

/// One row per trace and policy, in that order, whatever was done first.
pub fn compare(traces: &[Trace], policies: &[PolicyName], model: &NodeModel) -> Vec<Row> {
    let jobs: Vec<(&Trace, PolicyName)> =
        traces.iter().flat_map(|trace| policies.iter().map(move |policy| (trace, *policy))).collect();
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::new(Vec::new());
    let work = || {
        while let Some((number, (trace, policy))) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(number).map(|job| (number, *job))
        } {
            let outcome = replay(trace, model, policy.policy(trace, model));
            let row = Row::new(&trace.name, &policy.to_string(), &outcome);
            rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, row));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    rows.sort_by_key(|(number, _)| *number);
    rows.into_iter().map(|(_, row)| row).collect()
}
