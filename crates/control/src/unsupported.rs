//! Members of requests that mean something Hearth does not have. Their empty forms are accepted, because tools send them.

use hearth_aws_api::ApiError;
use hearth_aws_api::lambda::{CreateFunctionRequest, UpdateFunctionConfigurationRequest, VpcConfig};
use serde_json::Value;

use crate::refuse::not_supported;

pub(crate) fn check_create(request: &CreateFunctionRequest) -> Result<(), ApiError> {
    check(&[
        ("CodeSigningConfigArn", given(request.code_signing_config_arn.as_deref())),
        ("KMSKeyArn", given(request.kms_key_arn.as_deref())),
        ("Code.SourceKMSKeyArn", given(request.code.source_kms_key_arn.as_deref())),
        ("PublishTo", given(request.publish_to.as_deref())),
        ("VpcConfig", network(request.vpc_config.as_ref())),
        ("FileSystemConfigs", request.file_system_configs.as_ref().is_some_and(|list| !list.is_empty())),
        ("ImageConfig", present(request.image_config.as_ref())),
        ("TenancyConfig", present(request.tenancy_config.as_ref())),
        ("CapacityProviderConfig", present(request.capacity_provider_config.as_ref())),
        ("DurableConfig", present(request.durable_config.as_ref())),
        ("RuntimeConfig", present(request.runtime_config.as_ref())),
        ("AcceleratorConfig", present(request.accelerator_config.as_ref())),
    ])
}

pub(crate) fn check_update(request: &UpdateFunctionConfigurationRequest) -> Result<(), ApiError> {
    check(&[
        ("KMSKeyArn", given(request.kms_key_arn.as_deref())),
        ("VpcConfig", network(request.vpc_config.as_ref())),
        ("FileSystemConfigs", request.file_system_configs.as_ref().is_some_and(|list| !list.is_empty())),
        ("ImageConfig", present(request.image_config.as_ref())),
        ("CapacityProviderConfig", present(request.capacity_provider_config.as_ref())),
        ("DurableConfig", present(request.durable_config.as_ref())),
        ("RuntimeConfig", present(request.runtime_config.as_ref())),
        ("AcceleratorConfig", present(request.accelerator_config.as_ref())),
    ])
}

fn check(members: &[(&str, bool)]) -> Result<(), ApiError> {
    match members.iter().find(|(_, asked)| *asked) {
        Some((member, _)) => Err(not_supported(member)),
        None => Ok(()),
    }
}

fn given(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

fn present(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.as_object().is_none_or(|members| !members.is_empty()))
}

fn network(config: Option<&VpcConfig>) -> bool {
    config.is_some_and(|config| {
        [&config.subnet_ids, &config.security_group_ids]
            .iter()
            .any(|ids| ids.as_ref().is_some_and(|ids| !ids.is_empty()))
    })
}
