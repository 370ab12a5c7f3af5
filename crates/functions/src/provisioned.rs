//! Provisioned concurrency: the operations, and what they may ask for.

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    DeleteProvisionedConcurrencyConfigRequest, GetProvisionedConcurrencyConfigRequest,
    GetProvisionedConcurrencyConfigResponse, ListProvisionedConcurrencyConfigsRequest,
    ListProvisionedConcurrencyConfigsResponse, ProvisionedConcurrencyConfigListItem,
    ProvisionedConcurrencyStatusEnum as ConfigStatus, PutProvisionedConcurrencyConfigRequest,
    PutProvisionedConcurrencyConfigResponse,
};
use hearth_engine::port::{ProvisionFailure, Provisioned};
use hearth_types::limits::UNRESERVED_CONCURRENCY_MIN;

use crate::account::Account;
use crate::function::{Function, Records, function_arn};
use crate::functions::{Functions, Scope, Shared, missing, revision_id};
use crate::name::Target;
use crate::provision;
use crate::record::{AliasRecord, ProvisionedRecord, Status, provisioned_key, version_key};
use crate::{refuse, view};

/// Most configurations on one page (API reference: `MaxItems`).
const PAGE_MAX: u32 = 50;

const UNPUBLISHED: &str = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
const NOT_QUALIFIED: &str = "The function resource provided must be an alias or a published version.";

/// The members of a list's item that an answer about one configuration has as well.
macro_rules! without_arn {
    ($answer:ident, $shown:expr) => {{
        let shown: ProvisionedConcurrencyConfigListItem = $shown;
        $answer {
            requested_provisioned_concurrent_executions: shown.requested_provisioned_concurrent_executions,
            available_provisioned_concurrent_executions: shown.available_provisioned_concurrent_executions,
            allocated_provisioned_concurrent_executions: shown.allocated_provisioned_concurrent_executions,
            status: shown.status,
            status_reason: shown.status_reason,
            last_modified: shown.last_modified,
        }
    }};
}

impl Functions {
    pub async fn put_provisioned_concurrency_config(
        &self,
        scope: Scope<'_>,
        request: PutProvisionedConcurrencyConfigRequest,
    ) -> Result<PutProvisionedConcurrencyConfigResponse, ApiError> {
        let target = self.provisioned_target(scope, &request.function_name, &request.qualifier, UNPUBLISHED)?;
        let requested = request.provisioned_concurrent_executions;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = account.function(&target.name).ok_or_else(|| self.missing_qualified(scope, &target))?;
        let qualifier = target.qualifier();
        let (_, version) = function.version(Some(qualifier)).ok_or_else(|| self.missing_qualified(scope, &target))?;
        if matches!(version.status, Status::Creating | Status::Preparing) {
            return Err(refuse::pending());
        }
        check_qualifier(&function.records, qualifier)?;
        check_limits(&self.shared, &account, &function, qualifier, requested)?;
        let mut records = function.records.clone();
        let uid = records.function.uid;
        let record = ProvisionedRecord { requested, modified: scope.now };
        change.put(provisioned_key(uid, qualifier), &record)?;
        records.provisioned.insert(qualifier.to_owned(), record);
        // Recorded: the version behind the qualifier has another revision afterwards.
        for (number, _) in provision::shares(&records, qualifier) {
            if let Some(version) = records.versions.get_mut(&number) {
                std::sync::Arc::make_mut(version).revision_id = revision_id();
                change.put(version_key(uid, number), &**version)?;
            }
        }
        let function = change.commit_function(records).await?;
        self.shared.provision_again(&function, qualifier);
        Ok(without_arn!(PutProvisionedConcurrencyConfigResponse, self.shown(&function, qualifier, &record)))
    }

    pub fn get_provisioned_concurrency_config(
        &self,
        scope: Scope<'_>,
        request: &GetProvisionedConcurrencyConfigRequest,
    ) -> Result<GetProvisionedConcurrencyConfigResponse, ApiError> {
        let target = self.provisioned_target(scope, &request.function_name, &request.qualifier, NOT_QUALIFIED)?;
        let function = self.shared.seen_account(scope.home).function(&target.name);
        let function = function.filter(|function| function.version(target.qualifier.as_deref()).is_some());
        let function = function.ok_or_else(|| self.missing_qualified(scope, &target))?;
        let record = function.records.provisioned.get(target.qualifier()).ok_or_else(not_configured)?;
        Ok(without_arn!(GetProvisionedConcurrencyConfigResponse, self.shown(&function, target.qualifier(), record)))
    }

    /// What is not configured is as good as deleted (recorded: 204).
    pub async fn delete_provisioned_concurrency_config(
        &self,
        scope: Scope<'_>,
        request: DeleteProvisionedConcurrencyConfigRequest,
    ) -> Result<(), ApiError> {
        let target = self.provisioned_target(scope, &request.function_name, &request.qualifier, NOT_QUALIFIED)?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = account.function(&target.name);
        let function = function.filter(|function| function.version(target.qualifier.as_deref()).is_some());
        let function = function.ok_or_else(|| self.missing_qualified(scope, &target))?;
        let mut records = function.records.clone();
        if records.provisioned.remove(target.qualifier()).is_none() {
            return Ok(());
        }
        change.delete(provisioned_key(records.function.uid, target.qualifier()));
        change.commit_function(records).await.map(drop)
    }

    pub fn list_provisioned_concurrency_configs(
        &self,
        scope: Scope<'_>,
        request: &ListProvisionedConcurrencyConfigsRequest,
    ) -> Result<ListProvisionedConcurrencyConfigsResponse, ApiError> {
        let target = Target::parse(&request.function_name, None, scope.home)?;
        let function = self.shared.seen_account(scope.home).function(&target.name);
        let function = function.ok_or_else(|| missing(&self.shared, scope.home, &target.name, None))?;
        let shown = |(qualifier, record): (&String, &ProvisionedRecord)| {
            (qualifier.clone(), self.shown(&function, qualifier, record))
        };
        let all = function.records.provisioned.iter().map(shown).collect();
        let (configs, next_marker) = view::page(all, request.marker.as_deref(), request.max_items, PAGE_MAX);
        Ok(ListProvisionedConcurrencyConfigsResponse { provisioned_concurrency_configs: Some(configs), next_marker })
    }

    /// Recorded: each operation has its own words for a function without a qualifier.
    fn provisioned_target(
        &self,
        scope: Scope<'_>,
        text: &str,
        qualifier: &str,
        unpublished: &str,
    ) -> Result<Target, ApiError> {
        let target = Target::parse(text, Some(qualifier), scope.home)?;
        match target.qualifier.as_deref() {
            None | Some("$LATEST") => Err(ApiError::invalid_parameter(unpublished)),
            Some(_) => Ok(target),
        }
    }

    /// Recorded: without the function it is the alias, or the version, that is missed.
    fn missing_qualified(&self, scope: Scope<'_>, target: &Target) -> ApiError {
        let arn = format!("{}:{}", function_arn(scope.home, &target.name), target.qualifier());
        if target.qualifier().parse::<u64>().is_ok() {
            refuse::function_not_found(&arn)
        } else {
            refuse::alias_not_found(&arn)
        }
    }

    fn shown(
        &self,
        function: &Function,
        qualifier: &str,
        record: &ProvisionedRecord,
    ) -> ProvisionedConcurrencyConfigListItem {
        let found = self.shared.provisioned(function, qualifier);
        let status = match found.failure {
            _ if found.allocated >= record.requested => ConfigStatus::Ready,
            Some(_) => ConfigStatus::Failed,
            None => ConfigStatus::InProgress,
        };
        let reason = found.failure.filter(|_| status == ConfigStatus::Failed).map(|failure| match failure {
            ProvisionFailure::Init => "FUNCTION_ERROR_INIT_FAILURE",
            ProvisionFailure::Capacity => "INSUFFICIENT_CAPACITY: this machine has no room for more sandboxes",
        });
        ProvisionedConcurrencyConfigListItem {
            requested_provisioned_concurrent_executions: Some(record.requested),
            available_provisioned_concurrent_executions: Some(found.available),
            allocated_provisioned_concurrent_executions: Some(found.allocated),
            status: Some(status),
            last_modified: Some(view::date_of_second(record.modified)),
            function_arn: Some(function.qualified_arn(qualifier)),
            status_reason: reason.map(str::to_owned),
        }
    }
}

impl Target {
    /// Of a target that is known to have one.
    fn qualifier(&self) -> &str {
        self.qualifier.as_deref().unwrap_or("$LATEST")
    }
}

impl Shared {
    /// What there is for one configuration. Where several share a version, those before it in the order of their names come first.
    fn provisioned(&self, function: &Function, qualifier: &str) -> Provisioned {
        let mut all = Provisioned::default();
        for (number, own) in provision::shares(&function.records, qualifier) {
            let Some(version) = function.versions.get(&number) else { continue };
            let found = self.node().map(|node| node.provisioner.provisioned(&version.spec.key)).unwrap_or_default();
            let before = provision::shared_before(&function.records, qualifier, number);
            all.allocated += found.allocated.saturating_sub(before).min(own);
            all.available += found.available.saturating_sub(before).min(own);
            all.failure = all.failure.or(found.failure);
        }
        all
    }
}

fn not_configured() -> ApiError {
    ApiError::new(
        404,
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    )
}

/// Whether the alias or version may have provisioned concurrency.
fn check_qualifier(records: &Records, qualifier: &str) -> Result<(), ApiError> {
    if let Some(alias) = records.aliases.get(qualifier) {
        if alias.other.is_some() {
            return Err(ApiError::invalid_parameter("Alias with weights can not be used with Provisioned Concurrency"));
        }
        return check_alias(records, alias);
    }
    let Ok(number) = qualifier.parse::<u64>() else { return Ok(()) };
    let pointing = |(name, alias): (&String, &AliasRecord)| {
        records.provisioned.contains_key(name) && provision::versions_of(alias).any(|version| version == number)
    };
    if records.aliases.iter().any(pointing) {
        return Err(ApiError::conflict("Version is pointed by a Provisioned Concurrency alias"));
    }
    check_version(records, number)
}

/// Whether an alias that has provisioned concurrency may be like this.
pub(crate) fn check_alias(records: &Records, alias: &AliasRecord) -> Result<(), ApiError> {
    if alias.version.is_none() {
        return Err(ApiError::invalid_parameter(UNPUBLISHED));
    }
    for number in provision::versions_of(alias) {
        if records.provisioned.contains_key(&number.to_string()) {
            return Err(ApiError::conflict(
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
            ));
        }
        check_version(records, number)?;
    }
    Ok(())
}

fn check_version(records: &Records, number: u64) -> Result<(), ApiError> {
    match records.versions.get(&number) {
        Some(version) if version.settings.snap_start => Err(refuse::not_with_snap_start("Provisioned Concurrency")),
        _ => Ok(()),
    }
}

/// Provisioned concurrency is part of the function's reservation, or else of what the account's functions share.
fn check_limits(
    shared: &Shared,
    account: &Account,
    function: &Function,
    qualifier: &str,
    requested: u32,
) -> Result<(), ApiError> {
    let of_others = provision::total(&function.records) - provision::requested(&function.records, qualifier);
    let wanted = of_others.saturating_add(requested);
    if let Some(reserved) = function.records.function.reserved_concurrency {
        if wanted > reserved {
            return Err(ApiError::invalid_parameter(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
            ));
        }
        return Ok(());
    }
    let claimed = account.claimed().saturating_sub(provision::total(&function.records));
    let unreserved = shared.config.account_concurrency.saturating_sub(claimed);
    if wanted > unreserved {
        return Err(ApiError::invalid_parameter(format!(
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{unreserved}]."
        ))
        .without_type());
    }
    if unreserved - wanted < UNRESERVED_CONCURRENCY_MIN {
        return Err(ApiError::invalid_parameter(format!(
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum \
             value of [{UNRESERVED_CONCURRENCY_MIN}]."
        ))
        .without_type());
    }
    Ok(())
}
