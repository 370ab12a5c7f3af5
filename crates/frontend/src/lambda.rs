//! The Lambda API but for Invoke, which has a path of its own: what its operations do is in [`hearth_functions`].

mod absent;
mod needs;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hearth_aws_api::shapes::lambda::DeleteFunctionResponse;
use hearth_aws_api::validate::Refused;
use hearth_aws_api::{ApiError, Service};
use hearth_functions::{Functions, Scope};
use serde_json::Value;

use crate::error;
use crate::service::{self, Table, table};

type Context = service::Context<Arc<Functions>>;

/// What the service answers, whatever its model says (recorded).
const DELETED: DeleteFunctionResponse = DeleteFunctionResponse { status_code: Some(204) };

pub(crate) const TABLE: Table<Arc<Functions>> = Table {
    service: Service::Lambda,
    operations: table! { lambda, Arc<Functions>, |context, input|;
        AddLayerVersionPermission => context.backend.add_layer_version_permission(scope(context), input).await?,
        AddPermission => context.backend.add_permission(scope(context), input).await?,
        CreateAlias => context.backend.create_alias(scope(context), input).await?,
        CreateFunction => context.backend.create_function(scope(context), input).await?,
        DeleteAlias => context.backend.delete_alias(scope(context), input).await?,
        DeleteFunction => context.backend.delete_function(scope(context), input).await.map(|()| DELETED)?,
        DeleteFunctionConcurrency => context.backend.delete_function_concurrency(scope(context), input).await?,
        DeleteFunctionEventInvokeConfig => {
            context.backend.delete_function_event_invoke_config(scope(context), input).await?
        },
        DeleteLayerVersion => context.backend.delete_layer_version(scope(context), input).await?,
        DeleteProvisionedConcurrencyConfig => {
            context.backend.delete_provisioned_concurrency_config(scope(context), input).await?
        },
        GetAccountSettings => context.backend.get_account_settings(scope(context)),
        GetAlias => context.backend.get_alias(scope(context), &input)?,
        GetEventSourceMapping => absent::resource()?,
        GetFunction => context.backend.get_function(scope(context), &input)?,
        GetFunctionCodeSigningConfig => context.backend.get_function_code_signing_config(scope(context), &input)?,
        GetFunctionConcurrency => context.backend.get_function_concurrency(scope(context), &input)?,
        GetFunctionConfiguration => context.backend.get_function_configuration(scope(context), &input)?,
        GetFunctionEventInvokeConfig => context.backend.get_function_event_invoke_config(scope(context), &input)?,
        GetFunctionRecursionConfig => context.backend.get_function_recursion_config(scope(context), &input)?,
        GetFunctionUrlConfig => absent::resource()?,
        GetLayerVersion => context.backend.get_layer_version(scope(context), &input)?,
        GetLayerVersionByArn => context.backend.get_layer_version_by_arn(scope(context), &input)?,
        GetLayerVersionPolicy => context.backend.get_layer_version_policy(scope(context), &input)?,
        GetPolicy => context.backend.get_policy(scope(context), &input)?,
        GetProvisionedConcurrencyConfig => context.backend.get_provisioned_concurrency_config(scope(context), &input)?,
        GetResourcePolicy => absent::resource()?,
        GetRuntimeManagementConfig => context.backend.get_runtime_management_config(scope(context), &input)?,
        ListAliases => context.backend.list_aliases(scope(context), &input)?,
        ListCapacityProviders => absent::capacity_providers(),
        ListCodeSigningConfigs => absent::code_signing_configs(),
        ListDurableExecutionsByFunction => absent::durable_executions(),
        ListEventSourceMappings => absent::event_source_mappings(),
        ListFunctionEventInvokeConfigs => context.backend.list_function_event_invoke_configs(scope(context), &input)?,
        ListFunctionUrlConfigs => absent::function_url_configs(),
        ListFunctions => context.backend.list_functions(scope(context), &input)?,
        ListLayerVersions => context.backend.list_layer_versions(scope(context), &input)?,
        ListLayers => context.backend.list_layers(scope(context), &input),
        ListProvisionedConcurrencyConfigs => {
            context.backend.list_provisioned_concurrency_configs(scope(context), &input)?
        },
        ListTags => context.backend.list_tags(scope(context), &input)?,
        ListVersionsByFunction => context.backend.list_versions_by_function(scope(context), &input)?,
        PublishLayerVersion => context.backend.publish_layer_version(scope(context), input).await?,
        PublishVersion => context.backend.publish_version(scope(context), input).await?,
        PutFunctionConcurrency => context.backend.put_function_concurrency(scope(context), input).await?,
        PutFunctionEventInvokeConfig => context.backend.put_function_event_invoke_config(scope(context), input).await?,
        PutFunctionRecursionConfig => context.backend.put_function_recursion_config(scope(context), input).await?,
        PutProvisionedConcurrencyConfig => {
            context.backend.put_provisioned_concurrency_config(scope(context), input).await?
        },
        PutRuntimeManagementConfig => context.backend.put_runtime_management_config(scope(context), input).await?,
        RemoveLayerVersionPermission => context.backend.remove_layer_version_permission(scope(context), input).await?,
        RemovePermission => context.backend.remove_permission(scope(context), input).await?,
        TagResource => context.backend.tag_resource(scope(context), input).await?,
        UntagResource => context.backend.untag_resource(scope(context), input).await?,
        UpdateAlias => context.backend.update_alias(scope(context), input).await?,
        UpdateFunctionCode => context.backend.update_function_code(scope(context), input).await?,
        UpdateFunctionConfiguration => context.backend.update_function_configuration(scope(context), input).await?,
        UpdateFunctionEventInvokeConfig => {
            context.backend.update_function_event_invoke_config(scope(context), input).await?
        },
    },
    before: go_to_owner,
    needs: needs::of,
    denied: |message| error::ApiError::new(http::StatusCode::FORBIDDEN, "AccessDeniedException", message),
    words: in_words_of_lambda,
    unknown: |operation| match operation {
        "" => {
            ApiError::new(404, "UnknownOperationException", "The requested operation is not one of the service.").into()
        }
        // By name, so that no client takes it for done.
        known => ApiError::invalid_parameter(format!("The operation {known} is not supported by Hearth")).into(),
    },
};

fn scope(context: &Context) -> Scope<'_> {
    let request = &context.request;
    Scope { home: &request.home, principal: &request.principal_arn, now: request.now, endpoint: &request.endpoint }
}

/// Another account's function whose policy lets the caller do this: the operation is done there.
fn go_to_owner(context: &mut Context, operation: &str, input: &Value) -> Result<(), error::ApiError> {
    if let Some(owner) = context.backend.granting_account(scope(context), operation, input)? {
        context.request.home = owner;
    }
    Ok(())
}

fn in_words_of_lambda(refused: Refused) -> ApiError {
    match refused {
        Refused::Syntax(reason) => ApiError::new(
            400,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {reason}"),
        ),
        refused => refused.with_code("ValidationException"),
    }
}
