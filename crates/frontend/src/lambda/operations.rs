//! One line per operation.

use hearth_aws_api::ApiError;
use hearth_functions::{Functions, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::absent;

/// Performs the operation; the answer's JSON, or `None` where it has no body.
pub(super) async fn perform(
    functions: &Functions,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "CreateFunction" => json(&Box::pin(functions.create_function(scope, read(input)?)).await?),
        "GetFunction" => json(&functions.get_function(scope, &read(input)?)?),
        "GetFunctionConfiguration" => json(&functions.get_function_configuration(scope, &read(input)?)?),
        "UpdateFunctionCode" => json(&Box::pin(functions.update_function_code(scope, read(input)?)).await?),
        "UpdateFunctionConfiguration" => {
            json(&Box::pin(functions.update_function_configuration(scope, read(input)?)).await?)
        }
        "DeleteFunction" => empty(functions.delete_function(scope, read(input)?).await),
        "ListFunctions" => json(&functions.list_functions(scope, &read(input)?)?),
        "PublishVersion" => json(&Box::pin(functions.publish_version(scope, read(input)?)).await?),
        "ListVersionsByFunction" => json(&functions.list_versions_by_function(scope, &read(input)?)?),
        "CreateAlias" | "UpdateAlias" | "GetAlias" | "ListAliases" | "DeleteAlias" => {
            Box::pin(alias(functions, scope, operation, input)).await
        }
        "PublishLayerVersion"
        | "GetLayerVersion"
        | "GetLayerVersionByArn"
        | "ListLayers"
        | "ListLayerVersions"
        | "DeleteLayerVersion"
        | "AddLayerVersionPermission"
        | "GetLayerVersionPolicy"
        | "RemoveLayerVersionPermission" => Box::pin(layer(functions, scope, operation, input)).await,
        "ListTags" => json(&functions.list_tags(scope, &read(input)?)?),
        "TagResource" => empty(functions.tag_resource(scope, read(input)?).await),
        "UntagResource" => empty(functions.untag_resource(scope, read(input)?).await),
        "GetAccountSettings" => json(&functions.get_account_settings(scope)),
        other => Box::pin(setting(functions, scope, other, input)).await,
    }
}

async fn alias(
    functions: &Functions,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "CreateAlias" => json(&functions.create_alias(scope, read(input)?).await?),
        "UpdateAlias" => json(&functions.update_alias(scope, read(input)?).await?),
        "GetAlias" => json(&functions.get_alias(scope, &read(input)?)?),
        "ListAliases" => json(&functions.list_aliases(scope, &read(input)?)?),
        _ => empty(functions.delete_alias(scope, read(input)?).await),
    }
}

async fn layer(
    functions: &Functions,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "PublishLayerVersion" => json(&functions.publish_layer_version(scope, read(input)?).await?),
        "GetLayerVersion" => json(&functions.get_layer_version(scope, &read(input)?)?),
        "GetLayerVersionByArn" => json(&functions.get_layer_version_by_arn(scope, &read(input)?)?),
        "ListLayers" => json(&functions.list_layers(scope, &read(input)?)),
        "ListLayerVersions" => json(&functions.list_layer_versions(scope, &read(input)?)?),
        "DeleteLayerVersion" => empty(functions.delete_layer_version(scope, read(input)?).await),
        "AddLayerVersionPermission" => json(&functions.add_layer_version_permission(scope, read(input)?).await?),
        "GetLayerVersionPolicy" => json(&functions.get_layer_version_policy(scope, &read(input)?)?),
        _ => empty(functions.remove_layer_version_permission(scope, read(input)?).await),
    }
}

/// What belongs to a function beside its configuration.
async fn setting(
    functions: &Functions,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "AddPermission" => json(&functions.add_permission(scope, read(input)?).await?),
        "GetPolicy" => json(&functions.get_policy(scope, &read(input)?)?),
        "RemovePermission" => empty(functions.remove_permission(scope, read(input)?).await),
        "PutFunctionConcurrency" => json(&functions.put_function_concurrency(scope, read(input)?).await?),
        "GetFunctionConcurrency" => json(&functions.get_function_concurrency(scope, &read(input)?)?),
        "DeleteFunctionConcurrency" => empty(functions.delete_function_concurrency(scope, read(input)?).await),
        "PutFunctionEventInvokeConfig" => json(&functions.put_function_event_invoke_config(scope, read(input)?).await?),
        "UpdateFunctionEventInvokeConfig" => {
            json(&functions.update_function_event_invoke_config(scope, read(input)?).await?)
        }
        "GetFunctionEventInvokeConfig" => json(&functions.get_function_event_invoke_config(scope, &read(input)?)?),
        "DeleteFunctionEventInvokeConfig" => {
            empty(functions.delete_function_event_invoke_config(scope, read(input)?).await)
        }
        "ListFunctionEventInvokeConfigs" => json(&functions.list_function_event_invoke_configs(scope, &read(input)?)?),
        "GetFunctionCodeSigningConfig" => json(&functions.get_function_code_signing_config(scope, &read(input)?)?),
        "GetRuntimeManagementConfig" => json(&functions.get_runtime_management_config(scope, &read(input)?)?),
        "PutRuntimeManagementConfig" => json(&functions.put_runtime_management_config(scope, read(input)?).await?),
        "GetFunctionRecursionConfig" => json(&functions.get_function_recursion_config(scope, &read(input)?)?),
        "PutFunctionRecursionConfig" => json(&functions.put_function_recursion_config(scope, read(input)?).await?),
        other => Box::pin(provisioned(functions, scope, other, input)).await,
    }
}

async fn provisioned(
    functions: &Functions,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "PutProvisionedConcurrencyConfig" => {
            json(&functions.put_provisioned_concurrency_config(scope, read(input)?).await?)
        }
        "GetProvisionedConcurrencyConfig" => json(&functions.get_provisioned_concurrency_config(scope, &read(input)?)?),
        "DeleteProvisionedConcurrencyConfig" => {
            empty(functions.delete_provisioned_concurrency_config(scope, read(input)?).await)
        }
        "ListProvisionedConcurrencyConfigs" => {
            json(&functions.list_provisioned_concurrency_configs(scope, &read(input)?)?)
        }
        other => json(&absent::answer(other)?),
    }
}

/// The checked input as what the operation takes.
fn read<T: DeserializeOwned>(input: Value) -> Result<T, ApiError> {
    serde_json::from_value(input).map_err(|error| ApiError::serialization(error.to_string()))
}

fn json<T: Serialize>(answer: &T) -> Result<Option<Vec<u8>>, ApiError> {
    serde_json::to_vec(answer).map(Some).map_err(|error| {
        tracing::error!(%error, "cannot encode an answer");
        ApiError::service("An error occurred and the request cannot be processed.")
    })
}

fn empty(result: Result<(), ApiError>) -> Result<Option<Vec<u8>>, ApiError> {
    result.map(|()| None)
}
