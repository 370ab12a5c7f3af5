//! How asynchronous invocations are retried and where their results go.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shape::Time;
use hearth_aws_api::shapes::lambda::{
    DeleteFunctionEventInvokeConfigRequest, DestinationConfig, FunctionEventInvokeConfig,
    GetFunctionEventInvokeConfigRequest, ListFunctionEventInvokeConfigsRequest, ListFunctionEventInvokeConfigsResponse,
    OnFailure, OnSuccess, PutFunctionEventInvokeConfigRequest, UpdateFunctionEventInvokeConfigRequest,
};

use crate::function::{Function, function_arn};
use crate::functions::{Change, Functions, Scope};
use crate::name::Target;
use crate::record::{AsyncRecord, async_key};
use crate::view;

/// Most configurations on one page (API reference: `MaxItems`).
const PAGE_MAX: u32 = 50;

/// What putting and updating may set: attempts after the first, the age in seconds, and destinations.
type Given = (Option<u32>, Option<u32>, Option<DestinationConfig>);

impl Functions {
    /// Replaces the configuration: what is not given has Lambda's defaults again.
    pub async fn put_function_event_invoke_config(
        &self,
        scope: Scope<'_>,
        request: PutFunctionEventInvokeConfigRequest,
    ) -> Result<FunctionEventInvokeConfig, ApiError> {
        let given = (request.maximum_retry_attempts, request.maximum_event_age_in_seconds, request.destination_config);
        asks_for_something(&given)?;
        let target = self.config_target(scope, &request.function_name, request.qualifier.as_deref())?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = existing(&change, &target)?;
        let empty =
            AsyncRecord { retries_max: None, age_s_max: None, on_success: None, on_failure: None, modified: scope.now };
        let record = self.changed(scope, &function, empty, given)?;
        store(&mut change, &function, &target, record).await
    }

    /// Changes what is given.
    pub async fn update_function_event_invoke_config(
        &self,
        scope: Scope<'_>,
        request: UpdateFunctionEventInvokeConfigRequest,
    ) -> Result<FunctionEventInvokeConfig, ApiError> {
        let given = (request.maximum_retry_attempts, request.maximum_event_age_in_seconds, request.destination_config);
        asks_for_something(&given)?;
        let target = self.config_target(scope, &request.function_name, request.qualifier.as_deref())?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = existing(&change, &target)?;
        let present = function.records.async_configs.get(qualifier(&target)).cloned();
        let present = present.ok_or_else(|| self.no_config(scope, &target))?;
        let record = self.changed(scope, &function, present, given)?;
        store(&mut change, &function, &target, record).await
    }

    pub fn get_function_event_invoke_config(
        &self,
        scope: Scope<'_>,
        request: &GetFunctionEventInvokeConfigRequest,
    ) -> Result<FunctionEventInvokeConfig, ApiError> {
        let target = self.config_target(scope, &request.function_name, request.qualifier.as_deref())?;
        let function = self.shared.seen_account(scope.home).function(&target.name);
        let function = function.ok_or_else(|| self.no_config(scope, &target))?;
        let record = function.records.async_configs.get(qualifier(&target));
        Ok(shown(&function, qualifier(&target), record.ok_or_else(|| self.no_config(scope, &target))?))
    }

    pub async fn delete_function_event_invoke_config(
        &self,
        scope: Scope<'_>,
        request: DeleteFunctionEventInvokeConfigRequest,
    ) -> Result<(), ApiError> {
        let target = self.config_target(scope, &request.function_name, request.qualifier.as_deref())?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&target.name, || self.no_config(scope, &target))?;
        let mut records = function.records.clone();
        if records.async_configs.remove(qualifier(&target)).is_none() {
            return Err(self.no_config(scope, &target));
        }
        change.delete(async_key(records.function.uid, qualifier(&target)));
        change.commit_function(records).await.map(drop)
    }

    pub fn list_function_event_invoke_configs(
        &self,
        scope: Scope<'_>,
        request: &ListFunctionEventInvokeConfigsRequest,
    ) -> Result<ListFunctionEventInvokeConfigsResponse, ApiError> {
        let target = self.config_target(scope, &request.function_name, None)?;
        let function = self.shared.seen_account(scope.home).function(&target.name);
        let function = function.ok_or_else(no_function)?;
        let configs = function.records.async_configs.iter();
        let all = configs.map(|(name, record)| (name.clone(), shown(&function, name, record))).collect();
        let (configs, next_marker) = view::page(all, request.marker.as_deref(), request.max_items, PAGE_MAX);
        Ok(ListFunctionEventInvokeConfigsResponse { function_event_invoke_configs: Some(configs), next_marker })
    }

    fn config_target(&self, scope: Scope<'_>, text: &str, qualifier: Option<&str>) -> Result<Target, ApiError> {
        Target::parse(text, qualifier, scope.home)
    }

    fn no_config(&self, scope: Scope<'_>, target: &Target) -> ApiError {
        let arn = function_arn(scope.home, &target.name);
        ApiError::not_found(format!("The function {arn}:{} doesn't have an EventInvokeConfig", qualifier(target)))
    }

    fn changed(
        &self,
        scope: Scope<'_>,
        function: &Function,
        mut record: AsyncRecord,
        (retries, age_s, destinations): Given,
    ) -> Result<AsyncRecord, ApiError> {
        record.retries_max = retries.or(record.retries_max);
        record.age_s_max = age_s.or(record.age_s_max);
        if let Some(given) = destinations {
            let arn = |arn: Option<String>| arn.filter(|arn| !arn.is_empty());
            let on_success = arn(given.on_success.and_then(|side| side.destination));
            let on_failure = arn(given.on_failure.and_then(|side| side.destination));
            for arn in on_success.iter().chain(&on_failure) {
                self.check_destination(scope, function, arn, (on_success.as_deref(), on_failure.as_deref()))?;
            }
            (record.on_success, record.on_failure) = (on_success, on_failure);
        }
        record.modified = scope.now;
        Ok(record)
    }

    fn check_destination(
        &self,
        scope: Scope<'_>,
        function: &Function,
        arn: &str,
        (on_success, on_failure): (Option<&str>, Option<&str>),
    ) -> Result<(), ApiError> {
        let service = arn.split(':').nth(2).unwrap_or_default();
        match service {
            "lambda" => {
                let target = Target::parse(arn, None, scope.home).ok();
                if target.as_ref().is_some_and(|target| target.name == function.records.name.as_str()) {
                    return Err(ApiError::invalid_parameter(
                        "You can't specify the function as a destination for itself.",
                    ));
                }
                let exists = |target: Target| {
                    let function = self.shared.seen_account(scope.home).function(&target.name)?;
                    function.version(target.qualifier.as_deref()).map(drop)
                };
                target
                    .and_then(exists)
                    .ok_or_else(|| ApiError::invalid_parameter(format!("The destination ARN {arn} is invalid.")))
            }
            "sqs" | "sns" | "events" | "s3" => Err(ApiError::invalid_parameter(format!(
                "The destination ARN {arn} is invalid. Hearth delivers to functions alone: name one of this account."
            ))),
            _ => {
                let side = |name: &str, arn: Option<&str>| match arn {
                    Some(arn) => format!("{name}(destination={arn})"),
                    None => "null".to_owned(),
                };
                Err(ApiError::invalid_parameter(format!(
                    "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
                    side("OnSuccess", on_success),
                    side("OnFailure", on_failure)
                )))
            }
        }
    }
}

fn qualifier(target: &Target) -> &str {
    target.qualifier.as_deref().unwrap_or("$LATEST")
}

fn no_function() -> ApiError {
    ApiError::not_found("The function doesn't exist.")
}

fn existing(change: &Change<'_>, target: &Target) -> Result<Arc<Function>, ApiError> {
    let function = change.function(&target.name, no_function)?;
    function.version(target.qualifier.as_deref()).map(drop).ok_or_else(no_function)?;
    Ok(function)
}

async fn store(
    change: &mut Change<'_>,
    function: &Function,
    target: &Target,
    record: AsyncRecord,
) -> Result<FunctionEventInvokeConfig, ApiError> {
    let mut records = function.records.clone();
    change.put(async_key(records.function.uid, qualifier(target)), &record)?;
    records.async_configs.insert(qualifier(target).to_owned(), record.clone());
    change.commit_function(records).await?;
    Ok(shown(function, qualifier(target), &record))
}

fn shown(function: &Function, qualifier: &str, record: &AsyncRecord) -> FunctionEventInvokeConfig {
    FunctionEventInvokeConfig {
        last_modified: Some(Time(record.modified)),
        function_arn: Some(function.qualified_arn(qualifier)),
        destination_config: Some(DestinationConfig {
            on_success: Some(OnSuccess { destination: record.on_success.clone() }),
            on_failure: Some(OnFailure { destination: record.on_failure.clone() }),
        }),
        maximum_retry_attempts: record.retries_max,
        maximum_event_age_in_seconds: record.age_s_max,
    }
}

/// Said before the function is looked for.
fn asks_for_something((retries, age_s, destinations): &Given) -> Result<(), ApiError> {
    if retries.is_none() && age_s.is_none() && destinations.is_none() {
        return Err(ApiError::invalid_parameter(
            "You must specify at least one of error handling or destination setting.",
        ));
    }
    Ok(())
}
