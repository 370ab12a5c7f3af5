//! A function's configuration: defaults, rules and what a change makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{Architecture, SnapStartApplyOn, TracingMode, UpdateFunctionConfigurationRequest};
use hearth_types::Home;
use hearth_types::limits::{ENVIRONMENT_BYTES_MAX, LAYERS_MAX, TIMEOUT_S_MAX};

use crate::functions::Shared;
use crate::record::{LayerUse, Settings};
use crate::{logging, refuse, runtime};

/// Lambda's defaults (API reference, CreateFunction).
pub(crate) const TIMEOUT_S: u32 = 3;
pub(crate) const MEMORY_MIB: u32 = 128;
pub(crate) const EPHEMERAL_STORAGE_MIB: u32 = 512;

/// The most that ordinary functions may have; the service model has the limits of managed instances (Developer Guide,
/// "Lambda quotas").
const MEMORY_MIB_MAX: u32 = 10_240;
const EPHEMERAL_STORAGE_MIB_MAX: u32 = 10_240;

/// What the runtime environment sets itself (Developer Guide, "Defined runtime environment variables").
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

pub(crate) fn check_environment(variables: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let reserved: Vec<&str> = variables.keys().map(String::as_str).filter(|key| RESERVED.contains(key)).collect();
    if !reserved.is_empty() {
        return Err(ApiError::invalid_parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = serde_json::to_string(variables).unwrap_or_default();
    if measured.len() > ENVIRONMENT_BYTES_MAX {
        return Err(ApiError::invalid_parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(())
}

/// Limits of ordinary functions on what the service model lets pass.
pub(crate) fn check_limits(settings: &Settings) -> Result<(), ApiError> {
    let limits = [
        ("timeout", settings.timeout_s, TIMEOUT_S_MAX),
        ("memorySize", settings.memory_mib, MEMORY_MIB_MAX),
        ("ephemeralStorage.size", settings.ephemeral_storage_mib, EPHEMERAL_STORAGE_MIB_MAX),
    ];
    if settings.snap_start && settings.ephemeral_storage_mib > EPHEMERAL_STORAGE_MIB {
        return Err(refuse::not_with_snap_start("Ephemeral storage larger than 512 MB"));
    }
    match limits.iter().find(|(_, value, max)| value > max) {
        Some((member, value, max)) => Err(ApiError::invalid_parameter(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have value less \
             than or equal to {max}"
        ))),
        None => Ok(()),
    }
}

/// The layers of these ARNs, in their order.
pub(crate) fn use_layers(shared: &Shared, home: &Home, arns: &[String]) -> Result<Vec<LayerUse>, ApiError> {
    if arns.len() > LAYERS_MAX {
        return Err(ApiError::invalid_parameter(format!("Cannot reference more than {LAYERS_MAX} layers.")));
    }
    let mut uses: Vec<LayerUse> = Vec::new();
    for arn in arns {
        let base = arn.rsplit_once(':').map_or(arn.as_str(), |(base, _)| base);
        if let Some(other) = uses.iter().find(|other| other.arn.rsplit_once(':').is_some_and(|(name, _)| name == base))
        {
            return Err(ApiError::invalid_parameter(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. {} and {arn} are \
                 versions of the same layer.",
                other.arn
            )));
        }
        let record = shared.layer_for(home, arn)?;
        uses.push(LayerUse { arn: arn.clone(), package: record.package });
    }
    Ok(uses)
}

/// Lambda delivers dead letters to SQS queues and SNS topics, of which there are none here: a queue that nobody fills would be the loss
/// of what it is to keep. An empty ARN takes the queue away.
pub(crate) fn dead_letter(target: Option<&str>) -> Result<Option<String>, ApiError> {
    match target {
        None | Some("") => Ok(None),
        Some(arn) if arn.contains(":sqs:") || arn.contains(":sns:") => Err(ApiError::invalid_parameter(format!(
            "The provided dead letter target {arn} is invalid: Hearth delivers events that failed to functions alone. Set the ARN of \
             one as the OnFailure destination with PutFunctionEventInvokeConfig."
        ))),
        Some(arn) => Err(ApiError::invalid_parameter(format!(
            "The provided dead letter target {arn} is invalid: it must be the ARN of an SQS queue or an SNS topic"
        ))),
    }
}

/// Sandboxes run the host's instructions.
pub(crate) fn check_architecture(architecture: Architecture) -> Result<(), ApiError> {
    let host = host_architecture();
    if architecture == host {
        return Ok(());
    }
    Err(ApiError::invalid_parameter(format!(
        "Architecture {architecture} is not supported by this host: it runs functions for {host}"
    )))
}

pub(crate) fn host_architecture() -> Architecture {
    if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X86_64 }
}

/// The settings as UpdateFunctionConfiguration changes them.
pub(crate) fn change(
    present: &Settings,
    request: UpdateFunctionConfigurationRequest,
    shared: &Shared,
    home: &Home,
) -> Result<Settings, ApiError> {
    let mut next = present.clone();
    if let Some(name) = request.runtime {
        next.runtime = runtime::check(&name, &shared.config.runtimes)?;
    }
    if let Some(environment) = request.environment {
        let variables = environment.variables.unwrap_or_default();
        check_environment(&variables)?;
        next.environment = Some(variables);
    }
    if let Some(arns) = request.layers {
        next.layers = use_layers(shared, home, &arns)?;
        crate::code::check_sizes(&next.package, &next.layers)?;
    }
    if let Some(given) = &request.logging_config {
        logging::change(&mut next.logging, given)?;
    }
    if let Some(config) = request.dead_letter_config {
        next.dead_letter = dead_letter(config.target_arn.as_deref())?;
    }
    if let Some(mode) = request.tracing_config.and_then(|config| config.mode) {
        next.tracing_active = mode == TracingMode::Active;
    }
    if let Some(apply_on) = request.snap_start.and_then(|snap_start| snap_start.apply_on) {
        next.snap_start = apply_on == SnapStartApplyOn::PublishedVersions;
    }
    next.role = request.role.unwrap_or(next.role);
    next.handler = request.handler.unwrap_or(next.handler);
    next.description = request.description.unwrap_or(next.description);
    next.timeout_s = request.timeout.unwrap_or(next.timeout_s);
    next.memory_mib = request.memory_size.unwrap_or(next.memory_mib);
    next.ephemeral_storage_mib = request.ephemeral_storage.map_or(next.ephemeral_storage_mib, |storage| storage.size);
    check_limits(&next)?;
    Ok(next)
}

/// Shared by versions: what a published version keeps of `$LATEST`, with its own description if one was given.
pub(crate) fn published(
    latest: &crate::record::VersionRecord,
    description: Option<String>,
    generation: u64,
) -> Arc<crate::record::VersionRecord> {
    let mut record = latest.clone();
    record.source_description = Some(record.settings.description.clone());
    if let Some(description) = description {
        record.settings.description = description;
    }
    record.generation = generation;
    record.revision_id = crate::functions::revision_id();
    Arc::new(record)
}
