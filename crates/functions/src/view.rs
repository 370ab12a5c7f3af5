//! Records as the API shows them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hearth_aws_api::shapes::lambda::{
    DeadLetterConfig, EnvironmentResponse, EphemeralStorage, FunctionConfiguration, LastUpdateStatus,
    LastUpdateStatusReasonCode, Layer, PackageType, RuntimeVersionConfig, SnapStartApplyOn,
    SnapStartOptimizationStatus, SnapStartResponse, State, StateReasonCode, TracingConfigResponse, TracingMode,
};
use hearth_types::{Region, Sha256, Timestamp, VersionLabel};

use crate::record::{Preparation, Status, VersionRecord};
use crate::{logging, runtime};

const BEING_CREATED: &str = "The function is being created.";

/// Where the version stands in the API.
pub(crate) struct Shown<'a> {
    pub(crate) region: &'a Region,
    pub(crate) name: &'a str,
    /// As asked for.
    pub(crate) arn: String,
    pub(crate) version: VersionLabel,
}

/// The whole configuration of a version, its state included.
pub(crate) fn configuration(shown: Shown<'_>, record: &VersionRecord) -> FunctionConfiguration {
    let region = shown.region;
    let mut view = listed(shown, record);
    view.runtime_version_config = Some(RuntimeVersionConfig {
        runtime_version_arn: Some(runtime::version_arn(region, record.settings.runtime)),
        ..Default::default()
    });
    let (code, reason) = match &record.preparation {
        Some(Preparation::Plain { reason }) => (None, Some(reason.clone())),
        Some(Preparation::Failed { code, reason }) => (Some(*code), Some(reason.clone())),
        Some(Preparation::Template) | None => (None, None),
    };
    match record.status {
        Status::Creating | Status::Preparing => {
            view.state = Some(State::Pending);
            view.state_reason = Some(BEING_CREATED.to_owned());
            view.state_reason_code = Some(StateReasonCode::Creating);
        }
        Status::Active => {
            view.state = Some(State::Active);
            (view.state_reason_code, view.state_reason) = (code, reason);
            view.last_update_status = Some(LastUpdateStatus::Successful);
        }
        Status::Failed => {
            view.state = Some(State::Failed);
            view.last_update_status = Some(LastUpdateStatus::Failed);
            view.last_update_status_reason_code =
                code.and_then(|code| LastUpdateStatusReasonCode::parse(code.as_str()));
            view.last_update_status_reason.clone_from(&reason);
            (view.state_reason_code, view.state_reason) = (code, reason);
        }
        Status::Updating => {
            view.state = Some(State::Active);
            view.last_update_status = Some(LastUpdateStatus::InProgress);
            view.last_update_status_reason = Some(BEING_CREATED.to_owned());
            view.last_update_status_reason_code = Some(LastUpdateStatusReasonCode::Creating);
        }
    }
    view
}

/// The configuration as lists show it: without state and runtime version.
pub(crate) fn listed(shown: Shown<'_>, record: &VersionRecord) -> FunctionConfiguration {
    let settings = &record.settings;
    let layers = settings.layers.iter().map(|layer| Layer {
        arn: Some(layer.arn.clone()),
        code_size: Some(layer.package.zip_bytes),
        ..Default::default()
    });
    let layers: Vec<_> = layers.collect();
    let prepared = record.preparation == Some(Preparation::Template);
    FunctionConfiguration {
        function_name: Some(shown.name.to_owned()),
        function_arn: Some(shown.arn),
        version: Some(shown.version.to_string()),
        runtime: Some(settings.runtime),
        role: Some(settings.role.clone()),
        handler: Some(settings.handler.clone()),
        code_size: Some(settings.package.zip_bytes),
        code_sha256: Some(base64_of(&settings.package.code)),
        description: Some(settings.description.clone()),
        timeout: Some(settings.timeout_s),
        memory_size: Some(settings.memory_mib),
        last_modified: Some(date(record.modified)),
        revision_id: Some(record.revision_id.clone()),
        dead_letter_config: settings.dead_letter.clone().map(|arn| DeadLetterConfig { target_arn: Some(arn) }),
        environment: settings
            .environment
            .clone()
            .map(|variables| EnvironmentResponse { variables: Some(variables), error: None }),
        tracing_config: Some(TracingConfigResponse {
            mode: Some(if settings.tracing_active { TracingMode::Active } else { TracingMode::PassThrough }),
        }),
        layers: (!layers.is_empty()).then_some(layers),
        package_type: Some(PackageType::Zip),
        architectures: Some(vec![settings.architecture]),
        ephemeral_storage: Some(EphemeralStorage { size: settings.ephemeral_storage_mib }),
        snap_start: Some(SnapStartResponse {
            apply_on: Some(if settings.snap_start {
                SnapStartApplyOn::PublishedVersions
            } else {
                SnapStartApplyOn::None
            }),
            optimization_status: Some(if prepared {
                SnapStartOptimizationStatus::On
            } else {
                SnapStartOptimizationStatus::Off
            }),
        }),
        logging_config: Some(logging::shown(&settings.logging)),
        ..FunctionConfiguration::default()
    }
}

pub(crate) fn base64_of(digest: &Sha256) -> String {
    STANDARD.encode(digest.0)
}

/// Lambda's own form: `2026-01-02T03:04:05.678+0000`.
pub(crate) fn date(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
        Err(_) => "1970-01-01T00:00:00.000+0000".to_owned(),
    }
}

/// Without the fraction, as configurations of provisioned concurrency have it (API reference).
pub(crate) fn date_of_second(at: Timestamp) -> String {
    date(Timestamp::from_millis(at.as_millis() / 1000 * 1000)).replace(".000", "")
}

/// One page of `all`, which are in the order of their markers, and the marker of the next page. Markers are opaque: base64.
pub(crate) fn page<T>(
    all: Vec<(String, T)>,
    marker: Option<&str>,
    max_items: Option<u32>,
    page_max: u32,
) -> (Vec<T>, Option<String>) {
    let after =
        marker.and_then(|marker| STANDARD.decode(marker).ok()).and_then(|marker| String::from_utf8(marker).ok());
    let limit = max_items.unwrap_or(page_max).min(page_max) as usize;
    let mut rest = all.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after)).peekable();
    let mut items = Vec::new();
    let mut last = None;
    while items.len() < limit {
        let Some((key, item)) = rest.next() else { break };
        items.push(item);
        last = Some(key);
    }
    let next = last.filter(|_| rest.peek().is_some()).map(|key| STANDARD.encode(key));
    (items, next)
}
