//! Reserved concurrency.

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    Concurrency, DeleteFunctionConcurrencyRequest, GetFunctionConcurrencyRequest, GetFunctionConcurrencyResponse,
    PutFunctionConcurrencyRequest,
};
use hearth_types::limits::UNRESERVED_CONCURRENCY_MIN;

use crate::account::claim;
use crate::functions::{Functions, Scope, missing, revision_id};
use crate::name::Target;
use crate::provision;
use crate::update::ONLY_FUNCTIONS;

impl Functions {
    pub async fn put_function_concurrency(
        &self,
        scope: Scope<'_>,
        request: PutFunctionConcurrencyRequest,
    ) -> Result<Concurrency, ApiError> {
        let reserved = request.reserved_concurrent_executions;
        self.set_concurrency(scope, &request.function_name, Some(reserved)).await?;
        Ok(Concurrency { reserved_concurrent_executions: Some(reserved) })
    }

    pub async fn delete_function_concurrency(
        &self,
        scope: Scope<'_>,
        request: DeleteFunctionConcurrencyRequest,
    ) -> Result<(), ApiError> {
        self.set_concurrency(scope, &request.function_name, None).await
    }

    /// Without a reservation the answer is empty.
    pub fn get_function_concurrency(
        &self,
        scope: Scope<'_>,
        request: &GetFunctionConcurrencyRequest,
    ) -> Result<GetFunctionConcurrencyResponse, ApiError> {
        let name = self.reservable(scope, &request.function_name)?;
        let function = self.shared.seen_account(scope.home).function(&name);
        let function = function.ok_or_else(|| missing(&self.shared, scope.home, &name, None))?;
        let reserved = function.records.function.reserved_concurrency;
        Ok(GetFunctionConcurrencyResponse { reserved_concurrent_executions: reserved })
    }

    fn reservable(&self, scope: Scope<'_>, text: &str) -> Result<String, ApiError> {
        Target::parse(text, None, scope.home)?.unqualified(ONLY_FUNCTIONS)
    }

    async fn set_concurrency(&self, scope: Scope<'_>, text: &str, reserved: Option<u32>) -> Result<(), ApiError> {
        let name = self.reservable(scope, text)?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        // Recorded: with `$LATEST`.
        let absent = || missing(&self.shared, scope.home, &name, Some("$LATEST"));
        let function = change.function(&name, absent)?;
        let provisioned = provision::total(&function.records);
        if let Some(count) = reserved.filter(|count| *count < provisioned) {
            // Recorded: with these spaces.
            return Err(ApiError::invalid_parameter(format!(
                " ReservedConcurrentExecutions  {count} should not be lower than function's total provisioned concurrency \
                 [{provisioned}]."
            ))
            .without_type());
        }
        let others = account.claimed().saturating_sub(claim(&function.records));
        let wanted = others.saturating_add(reserved.unwrap_or(0));
        let limit = self.shared.config.account_concurrency.saturating_sub(UNRESERVED_CONCURRENCY_MIN);
        if reserved.is_some_and(|count| count > 0) && wanted > limit {
            return Err(ApiError::invalid_parameter(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
                 minimum value of [{UNRESERVED_CONCURRENCY_MIN}]."
            ))
            .without_type());
        }
        let mut records = function.records.clone();
        records.function.reserved_concurrency = reserved;
        records.function.latest.revision_id = revision_id();
        change.commit_function(records).await.map(drop)
    }
}
