//! One line per operation.

use hearth_aws_api::ApiError;
use hearth_control::{Control, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::absent;

/// Performs the operation; the answer's JSON, or `None` where it has no body.
pub(super) async fn perform(
    control: &Control,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "CreateFunction" => json(&Box::pin(control.create_function(scope, read(input)?)).await?),
        "GetFunction" => json(&control.get_function(scope, &read(input)?)?),
        "GetFunctionConfiguration" => json(&control.get_function_configuration(scope, &read(input)?)?),
        "UpdateFunctionCode" => json(&Box::pin(control.update_function_code(scope, read(input)?)).await?),
        "UpdateFunctionConfiguration" => {
            json(&Box::pin(control.update_function_configuration(scope, read(input)?)).await?)
        }
        "DeleteFunction" => empty(control.delete_function(scope, read(input)?).await),
        "ListFunctions" => json(&control.list_functions(scope, &read(input)?)?),
        "PublishVersion" => json(&Box::pin(control.publish_version(scope, read(input)?)).await?),
        "ListVersionsByFunction" => json(&control.list_versions_by_function(scope, &read(input)?)?),
        "CreateAlias" | "UpdateAlias" | "GetAlias" | "ListAliases" | "DeleteAlias" => {
            Box::pin(alias(control, scope, operation, input)).await
        }
        "PublishLayerVersion"
        | "GetLayerVersion"
        | "GetLayerVersionByArn"
        | "ListLayers"
        | "ListLayerVersions"
        | "DeleteLayerVersion"
        | "AddLayerVersionPermission"
        | "GetLayerVersionPolicy"
        | "RemoveLayerVersionPermission" => Box::pin(layer(control, scope, operation, input)).await,
        "ListTags" => json(&control.list_tags(scope, &read(input)?)?),
        "TagResource" => empty(control.tag_resource(scope, read(input)?).await),
        "UntagResource" => empty(control.untag_resource(scope, read(input)?).await),
        "GetAccountSettings" => json(&control.get_account_settings(scope)),
        other => Box::pin(setting(control, scope, other, input)).await,
    }
}

async fn alias(
    control: &Control,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "CreateAlias" => json(&control.create_alias(scope, read(input)?).await?),
        "UpdateAlias" => json(&control.update_alias(scope, read(input)?).await?),
        "GetAlias" => json(&control.get_alias(scope, &read(input)?)?),
        "ListAliases" => json(&control.list_aliases(scope, &read(input)?)?),
        _ => empty(control.delete_alias(scope, read(input)?).await),
    }
}

async fn layer(
    control: &Control,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "PublishLayerVersion" => json(&control.publish_layer_version(scope, read(input)?).await?),
        "GetLayerVersion" => json(&control.get_layer_version(scope, &read(input)?)?),
        "GetLayerVersionByArn" => json(&control.get_layer_version_by_arn(scope, &read(input)?)?),
        "ListLayers" => json(&control.list_layers(scope, &read(input)?)),
        "ListLayerVersions" => json(&control.list_layer_versions(scope, &read(input)?)?),
        "DeleteLayerVersion" => empty(control.delete_layer_version(scope, read(input)?).await),
        "AddLayerVersionPermission" => json(&control.add_layer_version_permission(scope, read(input)?).await?),
        "GetLayerVersionPolicy" => json(&control.get_layer_version_policy(scope, &read(input)?)?),
        _ => empty(control.remove_layer_version_permission(scope, read(input)?).await),
    }
}

/// What belongs to a function beside its configuration.
async fn setting(
    control: &Control,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "AddPermission" => json(&control.add_permission(scope, read(input)?).await?),
        "GetPolicy" => json(&control.get_policy(scope, &read(input)?)?),
        "RemovePermission" => empty(control.remove_permission(scope, read(input)?).await),
        "PutFunctionConcurrency" => json(&control.put_function_concurrency(scope, read(input)?).await?),
        "GetFunctionConcurrency" => json(&control.get_function_concurrency(scope, &read(input)?)?),
        "DeleteFunctionConcurrency" => empty(control.delete_function_concurrency(scope, read(input)?).await),
        "PutFunctionEventInvokeConfig" => json(&control.put_function_event_invoke_config(scope, read(input)?).await?),
        "UpdateFunctionEventInvokeConfig" => {
            json(&control.update_function_event_invoke_config(scope, read(input)?).await?)
        }
        "GetFunctionEventInvokeConfig" => json(&control.get_function_event_invoke_config(scope, &read(input)?)?),
        "DeleteFunctionEventInvokeConfig" => {
            empty(control.delete_function_event_invoke_config(scope, read(input)?).await)
        }
        "ListFunctionEventInvokeConfigs" => json(&control.list_function_event_invoke_configs(scope, &read(input)?)?),
        "GetFunctionCodeSigningConfig" => json(&control.get_function_code_signing_config(scope, &read(input)?)?),
        "GetRuntimeManagementConfig" => json(&control.get_runtime_management_config(scope, &read(input)?)?),
        "PutRuntimeManagementConfig" => json(&control.put_runtime_management_config(scope, read(input)?).await?),
        "GetFunctionRecursionConfig" => json(&control.get_function_recursion_config(scope, &read(input)?)?),
        "PutFunctionRecursionConfig" => json(&control.put_function_recursion_config(scope, read(input)?).await?),
        other => Box::pin(provisioned(control, scope, other, input)).await,
    }
}

async fn provisioned(
    control: &Control,
    scope: Scope<'_>,
    operation: &str,
    input: Value,
) -> Result<Option<Vec<u8>>, ApiError> {
    match operation {
        "PutProvisionedConcurrencyConfig" => {
            json(&control.put_provisioned_concurrency_config(scope, read(input)?).await?)
        }
        "GetProvisionedConcurrencyConfig" => json(&control.get_provisioned_concurrency_config(scope, &read(input)?)?),
        "DeleteProvisionedConcurrencyConfig" => {
            empty(control.delete_provisioned_concurrency_config(scope, read(input)?).await)
        }
        "ListProvisionedConcurrencyConfigs" => {
            json(&control.list_provisioned_concurrency_configs(scope, &read(input)?)?)
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
