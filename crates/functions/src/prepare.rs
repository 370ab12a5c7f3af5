//! Prepares published versions for SnapStart: from Pending to Active, or to Failed.
//!
//! ```text
//! publish ─► Preparing ─► node: initialise, save ─┬─► Active, from a template   OptimizationStatus On
//!                                                 ├─► Active, as any other      OptimizationStatus Off
//!                                                 └─► Failed                    the version's own fault
//! ```
//! A version that is Active when it is prepared again (its sandboxes changed, or a host may do now what it could not) stays Active.
//! What a dead daemon left unprepared is prepared by the next.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::StateReasonCode;
use hearth_engine::port::{PrepareError, Prepared, Templates};
use hearth_tasks::TaskGroup;
use hearth_types::{FunctionName, Home, VersionKey, VersionSpec};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::function::Function;
use crate::functions::Shared;
use crate::record::{Preparation, Status, VersionRecord, version_key};

/// Versions that are prepared at once: each initialises a function.
const AT_ONCE: usize = 4;
/// Of those one account's.
const OF_ACCOUNT_AT_ONCE: usize = 2;
/// Until what was interrupted is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// One version to prepare.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Job {
    home: Home,
    function: FunctionName,
    number: u64,
}

/// Work for the preparer.
#[derive(Debug, Default)]
pub(crate) struct Unprepared {
    jobs: Mutex<BTreeSet<Job>>,
    nudge: Notify,
}

impl Unprepared {
    /// The versions of `function` that are to be prepared.
    pub(crate) fn add(&self, home: &Home, function: &Function) {
        self.add_versions(home, function, function.unprepared());
    }

    fn add_versions(&self, home: &Home, function: &Function, numbers: impl Iterator<Item = u64>) {
        let name = &function.records.name;
        let job = |number| Job { home: home.clone(), function: name.clone(), number };
        let mut numbers = numbers.peekable();
        if numbers.peek().is_some() {
            self.jobs.lock().unwrap_or_else(PoisonError::into_inner).extend(numbers.map(job));
            self.nudge.notify_one();
        }
    }

    /// Takes one that is not under way, of the account with the fewest that are.
    fn next(&self, under_way: &BTreeSet<Job>) -> Option<Job> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let of_account = |job: &&Job| under_way.iter().filter(|other| other.home.account == job.home.account).count();
        let may_begin = |job: &&Job| !under_way.contains(job) && of_account(job) < OF_ACCOUNT_AT_ONCE;
        let job = jobs.iter().filter(may_begin).min_by_key(of_account).cloned()?;
        jobs.take(&job)
    }
}

/// The background task; aborted when dropped, with what it has under way.
#[derive(Debug)]
pub(crate) struct Preparer(CancellationToken);

impl Drop for Preparer {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Preparer {
    pub(crate) fn start(shared: &Arc<Shared>, templates: &Arc<dyn Templates>) -> Self {
        shared.find_unprepared();
        let (shared, templates) = (Arc::clone(shared), Arc::clone(templates));
        let stop = CancellationToken::new();
        let work = stop.clone().run_until_cancelled_owned(async move {
            let mut under_way = BTreeSet::new();
            let mut running = JoinSet::new();
            loop {
                while running.len() < AT_ONCE
                    && let Some(job) = shared.unprepared.next(&under_way)
                {
                    under_way.insert(job.clone());
                    let (shared, templates) = (Arc::clone(&shared), Arc::clone(&templates));
                    running.spawn(async move {
                        // One that panics is tried again when it is next asked for.
                        let _logged = AssertUnwindSafe(shared.prepare(&*templates, &job)).catch_unwind().await.is_err();
                        job
                    });
                }
                tokio::select! {
                    Some(done) = running.join_next() => match done {
                        Ok(job) => drop(under_way.remove(&job)),
                        Err(error) => tracing::error!(%error, "preparing a version ended without a result"),
                    },
                    () = shared.unprepared.nudge.notified() => {}
                }
            }
        });
        TaskGroup::default().system("preparing", async move {
            let _stopped = work.await;
        });
        Self(stop)
    }
}

impl Shared {
    /// What is unprepared, and what this host could not prepare when it was asked last.
    fn find_unprepared(&self) {
        for account in self.all_accounts() {
            for function in account.functions().values() {
                let plain = |version: &VersionRecord| matches!(version.preparation, Some(Preparation::Plain { .. }));
                let versions = function.records.versions.iter();
                let versions = versions.filter(|(_, version)| version.is_unprepared() || plain(version));
                self.unprepared.add_versions(&account.home, function, versions.map(|(number, _)| *number));
            }
        }
    }

    /// Returns when the version is prepared or gone.
    async fn prepare(&self, templates: &dyn Templates, job: &Job) {
        let prepared = |version: &VersionRecord| version.preparation == Some(Preparation::Template);
        let mut spec = self.published(job).filter(|(_, version)| !prepared(version)).map(|(spec, _)| spec);
        while let Some(wanted) = spec {
            let result = templates.prepare(Arc::clone(&wanted)).await;
            let stored = match result {
                Err(PrepareError::Interrupted(reason)) => Err(ApiError::service(reason)),
                result => self.store_preparation(job, &wanted.key, &result).await,
            };
            if let Err(error) = stored {
                tracing::warn!(function = %wanted.key, %error, "preparing a version is tried again");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            spec = self.published(job).filter(|(_, version)| version.is_unprepared()).map(|(spec, _)| spec);
        }
    }

    /// The version, if it is there and has not failed.
    fn published(&self, job: &Job) -> Option<(Arc<VersionSpec>, Arc<VersionRecord>)> {
        let function = self.known_account(&job.home)?.find(&job.function)?;
        let version = function.records.versions.get(&job.number)?;
        let spec = &function.versions.get(&job.number)?.spec;
        (version.status != Status::Failed).then(|| (Arc::clone(spec), Arc::clone(version)))
    }

    /// Notes the result, if the version is still the one that was prepared.
    async fn store_preparation(
        &self,
        job: &Job,
        prepared: &VersionKey,
        result: &Result<Prepared, PrepareError>,
    ) -> Result<(), ApiError> {
        let account = self.account(&job.home);
        let mut change = self.change(&account).await?;
        let Some(function) = account.find(&job.function) else { return Ok(()) };
        let same = function.versions.get(&job.number).is_some_and(|ready| ready.spec.key == *prepared);
        if !same {
            return Ok(());
        }
        let mut records = function.records.clone();
        let uid = records.function.uid;
        let Some(version) = records.versions.get_mut(&job.number) else { return Ok(()) };
        let before = Arc::clone(version);
        note(Arc::make_mut(version), result);
        if *version == before {
            return Ok(());
        }
        tracing::info!(function = %prepared, preparation = ?version.preparation, "prepared for SnapStart");
        change.put(version_key(uid, job.number), &**version)?;
        change.commit_function(records).await.map(drop)
    }
}

fn note(version: &mut VersionRecord, result: &Result<Prepared, PrepareError>) {
    let waits = version.status == Status::Preparing;
    let preparation = match result {
        Ok(Prepared::FromTemplate) => Preparation::Template,
        Ok(Prepared::Plain { reason }) => {
            Preparation::Plain { reason: format!("SnapStart has no effect on this host: {reason}") }
        }
        Err(error) if waits => failed(error),
        // It served before, and still does.
        Err(error) => Preparation::Plain { reason: format!("SnapStart could not be renewed: {error}") },
    };
    if waits {
        let failed = matches!(preparation, Preparation::Failed { .. });
        version.status = if failed { Status::Failed } else { Status::Active };
    }
    version.preparation = Some(preparation);
}

fn failed(error: &PrepareError) -> Preparation {
    let code = match error {
        PrepareError::Function { error_type, .. } => match error_type.as_str() {
            "Sandbox.Timedout" => StateReasonCode::FunctionErrorInitTimeout,
            "Runtime.ExitError" => StateReasonCode::FunctionErrorRuntimeInitError,
            "Runtime.InvalidEntrypoint" => StateReasonCode::FunctionErrorInvalidEntryPoint,
            "Runtime.OutOfMemory" => StateReasonCode::FunctionErrorInitResourceExhausted,
            _ => StateReasonCode::FunctionError,
        },
        PrepareError::Interrupted(_) => StateReasonCode::InternalError,
    };
    let reason = format!("An error occurred during function initialization. {error}");
    Preparation::Failed { code, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_publishes_without_pause_leaves_another_its_turn() {
        let job = |account: u64, number| Job {
            home: format!("{account:012}/eu-west-{number}").parse().unwrap(),
            function: "f".parse().unwrap(),
            number,
        };
        let unprepared = Unprepared::default();
        unprepared.jobs.lock().unwrap().extend((1..=9).map(|number| job(1, number)).chain([job(2, 1)]));
        let mut under_way = BTreeSet::new();
        let first = unprepared.next(&under_way).unwrap();
        assert_eq!(first, job(1, 1));
        under_way.insert(first);
        assert_eq!(unprepared.next(&under_way), Some(job(2, 1)));
        under_way.extend(unprepared.next(&under_way));
        assert_eq!(unprepared.next(&under_way), None, "the rest is for others");
    }
}
