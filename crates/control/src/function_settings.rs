//! Settings beside a function's configuration: code signing, runtime updates, recursion.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::lambda::{
    FunctionNameRequest, FunctionRecursionConfig, FunctionRequest, PutFunctionRecursionConfigRequest,
    PutRuntimeManagementConfigRequest, RuntimeManagementConfig,
};

use crate::control::{Control, Scope, missing};
use crate::function::Function;
use crate::name::Target;
use crate::record::RuntimeUpdate;
use crate::runtime;
use crate::update::ONLY_FUNCTIONS;

impl Control {
    /// No function has one: the answer names the function and no configuration.
    pub fn get_function_code_signing_config(
        &self,
        scope: Scope<'_>,
        request: &FunctionNameRequest,
    ) -> Result<serde_json::Value, ApiError> {
        let (function, _) = self.settings_target(scope, &request.function_name, None)?;
        Ok(serde_json::json!({ "FunctionName": function.records.name }))
    }

    pub fn get_runtime_management_config(
        &self,
        scope: Scope<'_>,
        request: &FunctionRequest,
    ) -> Result<RuntimeManagementConfig, ApiError> {
        let (function, target) = self.settings_target(scope, &request.function_name, request.qualifier.as_deref())?;
        let set = function.records.function.runtime_updates.get(qualifier(&target));
        Ok(shown(&function, &target, set))
    }

    pub async fn put_runtime_management_config(
        &self,
        scope: Scope<'_>,
        request: PutRuntimeManagementConfigRequest,
    ) -> Result<RuntimeManagementConfig, ApiError> {
        if request.update_runtime_on == "Manual" && request.runtime_version_arn.is_none() {
            return Err(ApiError::invalid_parameter(
                "RuntimeVersionArn must be provided when UpdateRuntimeOn is set to Manual.",
            ));
        }
        let account = self.shared.account(scope.account);
        let mut change = self.shared.change(&account).await?;
        let (function, target) = self.settings_target(scope, &request.function_name, request.qualifier.as_deref())?;
        let version = function.version(target.qualifier.as_deref());
        let runtime =
            version.map(|(_, version)| runtime::version_arn(&self.shared.config.region, &version.settings.runtime));
        if let Some(arn) = request.runtime_version_arn.as_ref().filter(|arn| Some(*arn) != runtime.as_ref()) {
            return Err(ApiError::invalid_parameter(format!(
                "Runtime version {arn} is not available for the function: this host has one version of each runtime, here {}",
                runtime.unwrap_or_default()
            )));
        }
        let update = RuntimeUpdate { update_on: request.update_runtime_on, version_arn: request.runtime_version_arn };
        let mut records = function.records.clone();
        records.function.runtime_updates.insert(qualifier(&target).to_owned(), update.clone());
        let function = change.commit_function(records).await?;
        Ok(shown(&function, &target, Some(&update)))
    }

    pub fn get_function_recursion_config(
        &self,
        scope: Scope<'_>,
        request: &FunctionNameRequest,
    ) -> Result<FunctionRecursionConfig, ApiError> {
        let (function, target) = self.settings_target(scope, &request.function_name, None)?;
        target.unqualified(ONLY_FUNCTIONS)?;
        let allowed = function.records.function.recursion_allowed;
        Ok(FunctionRecursionConfig { recursive_loop: if allowed { "Allow" } else { "Terminate" }.to_owned() })
    }

    pub async fn put_function_recursion_config(
        &self,
        scope: Scope<'_>,
        request: PutFunctionRecursionConfigRequest,
    ) -> Result<FunctionRecursionConfig, ApiError> {
        let account = self.shared.account(scope.account);
        let mut change = self.shared.change(&account).await?;
        let (function, target) = self.settings_target(scope, &request.function_name, None)?;
        target.unqualified(ONLY_FUNCTIONS)?;
        let mut records = function.records.clone();
        records.function.recursion_allowed = request.recursive_loop == "Allow";
        change.commit_function(records).await?;
        Ok(FunctionRecursionConfig { recursive_loop: request.recursive_loop })
    }

    fn settings_target(
        &self,
        scope: Scope<'_>,
        text: &str,
        given: Option<&str>,
    ) -> Result<(Arc<Function>, Target), ApiError> {
        let target = Target::parse(text, given, &self.shared.config.region, scope.account)?;
        let absent = || missing(&self.shared, scope.account, &target.name, target.qualifier.as_deref());
        let function = self.shared.seen_account(scope.account).function(&target.name).ok_or_else(absent)?;
        function.version(target.qualifier.as_deref()).map(drop).ok_or_else(absent)?;
        Ok((function, target))
    }
}

fn qualifier(target: &Target) -> &str {
    target.qualifier.as_deref().unwrap_or("$LATEST")
}

fn shown(function: &Function, target: &Target, set: Option<&RuntimeUpdate>) -> RuntimeManagementConfig {
    RuntimeManagementConfig {
        update_runtime_on: set.map_or("Auto", |set| set.update_on.as_str()).to_owned(),
        function_arn: match &target.qualifier {
            Some(qualifier) => function.qualified_arn(qualifier),
            None => function.arn.to_string(),
        },
        runtime_version_arn: set.and_then(|set| set.version_arn.clone()),
    }
}
