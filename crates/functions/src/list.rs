//! GetFunction, GetFunctionConfiguration, ListFunctions and ListVersionsByFunction.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    Concurrency, FunctionCodeLocation, FunctionConfiguration, GetFunctionConfigurationRequest, GetFunctionRequest,
    GetFunctionResponse, ListFunctionsRequest, ListFunctionsResponse, ListVersionsByFunctionRequest,
    ListVersionsByFunctionResponse,
};
use hearth_types::VersionLabel;

use crate::function::Function;
use crate::functions::{Functions, Scope, missing};
use crate::name::Target;
use crate::record::VersionRecord;
use crate::view;

/// Most functions or versions on one page (API reference, ListFunctions: "up to 50 items in each response").
const PAGE_MAX: u32 = 50;

impl Functions {
    pub fn get_function(
        &self,
        scope: Scope<'_>,
        request: &GetFunctionRequest,
    ) -> Result<GetFunctionResponse, ApiError> {
        let (function, target) = self.find_qualified(scope, &request.function_name, request.qualifier.as_deref())?;
        let (label, record) = self.version_of(scope, &function, &target)?;
        let code = record.settings.package.code;
        let tags = &function.records.function.tags;
        let reserved = function.records.function.reserved_concurrency;
        Ok(GetFunctionResponse {
            configuration: Some(self.show(&function, label, shown_arn(&function, &target), record)),
            code: Some(FunctionCodeLocation {
                repository_type: Some("S3".to_owned()),
                location: Some(self.code_location(scope, &code)),
                ..Default::default()
            }),
            tags: (!tags.is_empty()).then(|| tags.clone()),
            concurrency: reserved.map(|count| Concurrency { reserved_concurrent_executions: Some(count) }),
            ..Default::default()
        })
    }

    pub fn get_function_configuration(
        &self,
        scope: Scope<'_>,
        request: &GetFunctionConfigurationRequest,
    ) -> Result<FunctionConfiguration, ApiError> {
        let (function, target) = self.find_qualified(scope, &request.function_name, request.qualifier.as_deref())?;
        let (label, record) = self.version_of(scope, &function, &target)?;
        Ok(self.show(&function, label, shown_arn(&function, &target), record))
    }

    pub fn list_functions(
        &self,
        scope: Scope<'_>,
        request: &ListFunctionsRequest,
    ) -> Result<ListFunctionsResponse, ApiError> {
        if request.master_region.is_some() {
            return edge_functions(request);
        }
        let account = self.shared.seen_account(scope.home);
        let functions: Vec<Arc<Function>> = account.functions().values().cloned().collect();
        let all_versions = request.function_version.is_some();
        let mut all = Vec::new();
        for function in &functions {
            let name = function.records.name.as_str();
            if all_versions {
                // Before every character of a name, so that the markers ascend as the functions do.
                let versions = self.all_versions(function).into_iter();
                all.extend(versions.map(|(key, view)| (format!("{name}\0{key}"), view)));
            } else {
                let latest = &function.records.function.latest;
                let view = self.list_entry(function, VersionLabel::Latest, function.arn.to_string(), latest);
                all.push((name.to_owned(), view));
            }
        }
        let (functions, next_marker) = view::page(all, request.marker.as_deref(), request.max_items, PAGE_MAX);
        Ok(ListFunctionsResponse { functions: Some(functions), next_marker })
    }

    pub fn list_versions_by_function(
        &self,
        scope: Scope<'_>,
        request: &ListVersionsByFunctionRequest,
    ) -> Result<ListVersionsByFunctionResponse, ApiError> {
        let (function, _) = self.find_qualified(scope, &request.function_name, None)?;
        let all = self.all_versions(&function);
        let (versions, next_marker) = view::page(all, request.marker.as_deref(), request.max_items, PAGE_MAX);
        Ok(ListVersionsByFunctionResponse { versions: Some(versions), next_marker })
    }

    /// `$LATEST` first, then by number; with keys in that order.
    fn all_versions(&self, function: &Function) -> Vec<(String, FunctionConfiguration)> {
        let latest = &function.records.function.latest;
        let arn = function.qualified_arn("$LATEST");
        let mut all = vec![("$".to_owned(), self.list_entry(function, VersionLabel::Latest, arn, latest))];
        for (number, record) in &function.records.versions {
            let arn = function.qualified_arn(&number.to_string());
            all.push((format!("{number:020}"), self.list_entry(function, VersionLabel::Number(*number), arn, record)));
        }
        all
    }

    fn list_entry(
        &self,
        function: &Function,
        version: VersionLabel,
        arn: String,
        record: &VersionRecord,
    ) -> FunctionConfiguration {
        let (region, name) = (function.region(), function.records.name.as_str());
        view::listed(view::Shown { region, name, arn, version }, record)
    }

    fn find_qualified(
        &self,
        scope: Scope<'_>,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<(Arc<Function>, Target), ApiError> {
        let target = Target::parse(name, qualifier, scope.home)?;
        let function = self
            .shared
            .seen_account(scope.home)
            .function(&target.name)
            .ok_or_else(|| missing(&self.shared, scope.home, &target.name, target.qualifier.as_deref()))?;
        Ok((function, target))
    }

    fn version_of<'f>(
        &self,
        scope: Scope<'_>,
        function: &'f Function,
        target: &Target,
    ) -> Result<(VersionLabel, &'f VersionRecord), ApiError> {
        let qualifier = target.qualifier.as_deref();
        function.version(qualifier).ok_or_else(|| missing(&self.shared, scope.home, &target.name, qualifier))
    }
}

/// Those that Lambda@Edge replicated from another Region: none.
fn edge_functions(request: &ListFunctionsRequest) -> Result<ListFunctionsResponse, ApiError> {
    if request.function_version.is_none() {
        return Err(ApiError::invalid_parameter("FunctionVersion must be set to ALL when MasterRegion is specified."));
    }
    Ok(ListFunctionsResponse { functions: Some(Vec::new()), next_marker: None })
}

/// As asked for.
pub(crate) fn shown_arn(function: &Function, target: &Target) -> String {
    match &target.qualifier {
        Some(qualifier) => function.qualified_arn(qualifier),
        None => function.arn.to_string(),
    }
}
