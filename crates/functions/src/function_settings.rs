//! Settings beside a function's configuration: code signing, runtime updates, recursion.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    GetFunctionCodeSigningConfigRequest, GetFunctionCodeSigningConfigResponse, GetFunctionRecursionConfigRequest,
    GetFunctionRecursionConfigResponse, GetRuntimeManagementConfigRequest, GetRuntimeManagementConfigResponse,
    PutFunctionRecursionConfigRequest, PutFunctionRecursionConfigResponse, PutRuntimeManagementConfigRequest,
    PutRuntimeManagementConfigResponse, RecursiveLoop, UpdateRuntimeOn,
};

use crate::function::Function;
use crate::functions::{Functions, Scope, missing};
use crate::list::shown_arn;
use crate::name::Target;
use crate::record::RuntimeUpdate;
use crate::runtime;
use crate::update::ONLY_FUNCTIONS;

impl Functions {
    /// No function has one: the answer names the function and no configuration.
    pub fn get_function_code_signing_config(
        &self,
        scope: Scope<'_>,
        request: &GetFunctionCodeSigningConfigRequest,
    ) -> Result<GetFunctionCodeSigningConfigResponse, ApiError> {
        let (function, _) = self.settings_target(scope, &request.function_name, None)?;
        Ok(GetFunctionCodeSigningConfigResponse {
            function_name: function.records.name.to_string(),
            code_signing_config_arn: None,
        })
    }

    pub fn get_runtime_management_config(
        &self,
        scope: Scope<'_>,
        request: &GetRuntimeManagementConfigRequest,
    ) -> Result<GetRuntimeManagementConfigResponse, ApiError> {
        let (function, target) = self.settings_target(scope, &request.function_name, request.qualifier.as_deref())?;
        let set = function.records.function.runtime_updates.get(qualifier(&target));
        Ok(GetRuntimeManagementConfigResponse {
            update_runtime_on: Some(set.map_or(UpdateRuntimeOn::Auto, |set| set.update_on)),
            function_arn: Some(shown_arn(&function, &target)),
            runtime_version_arn: set.and_then(|set| set.version_arn.clone()),
        })
    }

    pub async fn put_runtime_management_config(
        &self,
        scope: Scope<'_>,
        request: PutRuntimeManagementConfigRequest,
    ) -> Result<PutRuntimeManagementConfigResponse, ApiError> {
        if request.update_runtime_on == UpdateRuntimeOn::Manual && request.runtime_version_arn.is_none() {
            return Err(ApiError::invalid_parameter(
                "RuntimeVersionArn must be provided when UpdateRuntimeOn is set to Manual.",
            ));
        }
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let (function, target) = self.settings_target(scope, &request.function_name, request.qualifier.as_deref())?;
        let version = function.version(target.qualifier.as_deref());
        let runtime = version.map(|(_, version)| runtime::version_arn(function.region(), version.settings.runtime));
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
        Ok(PutRuntimeManagementConfigResponse {
            update_runtime_on: update.update_on,
            function_arn: shown_arn(&function, &target),
            runtime_version_arn: update.version_arn,
        })
    }

    pub fn get_function_recursion_config(
        &self,
        scope: Scope<'_>,
        request: &GetFunctionRecursionConfigRequest,
    ) -> Result<GetFunctionRecursionConfigResponse, ApiError> {
        let (function, target) = self.settings_target(scope, &request.function_name, None)?;
        target.unqualified(ONLY_FUNCTIONS)?;
        let allowed = function.records.function.recursion_allowed;
        let recursive_loop = if allowed { RecursiveLoop::Allow } else { RecursiveLoop::Terminate };
        Ok(GetFunctionRecursionConfigResponse { recursive_loop: Some(recursive_loop) })
    }

    pub async fn put_function_recursion_config(
        &self,
        scope: Scope<'_>,
        request: PutFunctionRecursionConfigRequest,
    ) -> Result<PutFunctionRecursionConfigResponse, ApiError> {
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let (function, target) = self.settings_target(scope, &request.function_name, None)?;
        target.unqualified(ONLY_FUNCTIONS)?;
        let mut records = function.records.clone();
        records.function.recursion_allowed = request.recursive_loop == RecursiveLoop::Allow;
        change.commit_function(records).await?;
        Ok(PutFunctionRecursionConfigResponse { recursive_loop: Some(request.recursive_loop) })
    }

    fn settings_target(
        &self,
        scope: Scope<'_>,
        text: &str,
        given: Option<&str>,
    ) -> Result<(Arc<Function>, Target), ApiError> {
        let target = Target::parse(text, given, scope.home)?;
        let absent = || missing(&self.shared, scope.home, &target.name, target.qualifier.as_deref());
        let function = self.shared.seen_account(scope.home).function(&target.name).ok_or_else(absent)?;
        function.version(target.qualifier.as_deref()).map(drop).ok_or_else(absent)?;
        Ok((function, target))
    }
}

fn qualifier(target: &Target) -> &str {
    target.qualifier.as_deref().unwrap_or("$LATEST")
}
