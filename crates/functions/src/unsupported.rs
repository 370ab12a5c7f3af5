//! Members of requests that mean something Hearth does not have. Their empty forms are accepted, because tools send them.

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{CreateFunctionRequest, UpdateFunctionConfigurationRequest, VpcConfig};

use crate::refuse::not_supported;

pub(crate) fn check_create(request: &CreateFunctionRequest) -> Result<(), ApiError> {
    check(&[
        ("CodeSigningConfigArn", given(request.code_signing_config_arn.as_deref())),
        ("KMSKeyArn", given(request.kms_key_arn.as_deref())),
        ("Code.SourceKMSKeyArn", given(request.code.source_kms_key_arn.as_deref())),
        ("PublishTo", request.publish_to.is_some()),
        ("VpcConfig", network(request.vpc_config.as_ref())),
        ("FileSystemConfigs", request.file_system_configs.as_ref().is_some_and(|list| !list.is_empty())),
        ("ImageConfig", present(request.image_config.as_ref())),
        ("TenancyConfig", request.tenancy_config.is_some()),
        ("CapacityProviderConfig", request.capacity_provider_config.is_some()),
        ("DurableConfig", present(request.durable_config.as_ref())),
        ("RuntimeConfig", request.runtime_config.is_some()),
        ("AcceleratorConfig", request.accelerator_config.is_some()),
    ])
}

pub(crate) fn check_update(request: &UpdateFunctionConfigurationRequest) -> Result<(), ApiError> {
    check(&[
        ("KMSKeyArn", given(request.kms_key_arn.as_deref())),
        ("VpcConfig", network(request.vpc_config.as_ref())),
        ("FileSystemConfigs", request.file_system_configs.as_ref().is_some_and(|list| !list.is_empty())),
        ("ImageConfig", present(request.image_config.as_ref())),
        ("CapacityProviderConfig", request.capacity_provider_config.is_some()),
        ("DurableConfig", present(request.durable_config.as_ref())),
        ("RuntimeConfig", request.runtime_config.is_some()),
        ("AcceleratorConfig", request.accelerator_config.is_some()),
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

fn present<T: Default + PartialEq>(value: Option<&T>) -> bool {
    value.is_some_and(|value| *value != T::default())
}

fn network(config: Option<&VpcConfig>) -> bool {
    config.is_some_and(|config| {
        [&config.subnet_ids, &config.security_group_ids]
            .iter()
            .any(|ids| ids.as_ref().is_some_and(|ids| !ids.is_empty()))
    })
}
