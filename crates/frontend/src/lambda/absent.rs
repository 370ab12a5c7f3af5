//! What no function has here: there is none to list and none to get.

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    ListCapacityProvidersResponse, ListCodeSigningConfigsResponse, ListDurableExecutionsByFunctionResponse,
    ListEventSourceMappingsResponse, ListFunctionUrlConfigsResponse,
};

pub(super) fn resource<T>() -> Result<T, ApiError> {
    Err(ApiError::not_found("The resource you requested does not exist."))
}

pub(super) fn capacity_providers() -> ListCapacityProvidersResponse {
    ListCapacityProvidersResponse { capacity_providers: Vec::new(), next_marker: None }
}

pub(super) fn code_signing_configs() -> ListCodeSigningConfigsResponse {
    ListCodeSigningConfigsResponse { code_signing_configs: Some(Vec::new()), next_marker: None }
}

pub(super) fn durable_executions() -> ListDurableExecutionsByFunctionResponse {
    ListDurableExecutionsByFunctionResponse { durable_executions: Some(Vec::new()), next_marker: None }
}

pub(super) fn event_source_mappings() -> ListEventSourceMappingsResponse {
    ListEventSourceMappingsResponse { event_source_mappings: Some(Vec::new()), next_marker: None }
}

pub(super) fn function_url_configs() -> ListFunctionUrlConfigsResponse {
    ListFunctionUrlConfigsResponse { function_url_configs: Vec::new(), next_marker: None }
}
