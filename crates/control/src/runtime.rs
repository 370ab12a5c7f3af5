//! Runtimes by name: which a function may be created with.

use hearth_aws_api::{ApiError, RUNTIME_ORDER};

use crate::config::{RuntimeState, RuntimeStates};
use crate::refuse;

/// What Lambda lets functions be created with beyond [`RUNTIME_ORDER`] (service model 2026-11).
const NEWER: &[&str] = &["nodejs26.x", "python3.15", "java8.al2023", "java11.al2023", "java17.al2023", "ruby4.0"];

/// What Lambda once had (Developer Guide, "Deprecated runtimes").
const DEPRECATED: &[&str] = &[
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "python2.7",
    "python3.6",
    "python3.7",
    "java8",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "ruby2.5",
    "ruby2.7",
    "provided",
];

/// Whether functions can have the runtime: on Lambda, and then on this host.
pub(crate) fn check(runtime: &str, states: &RuntimeStates) -> Result<(), ApiError> {
    let supported = [RUNTIME_ORDER, NEWER].concat();
    if supported.contains(&runtime) {
        return match (states.0)(runtime) {
            RuntimeState::Prepared => Ok(()),
            RuntimeState::Addable => Err(ApiError::invalid_parameter(format!(
                "The runtime {runtime} is not installed on this host. Install it with `hearth runtime add {runtime}`, then try again."
            ))),
            RuntimeState::Unsupported => Err(refuse::not_supported(&format!("The runtime {runtime}"))),
        };
    }
    Err(ApiError::invalid_parameter(if DEPRECATED.contains(&runtime) {
        format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We \
             recommend you use a supported runtime while creating or updating functions."
        )
    } else {
        format!(
            "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a valid ARN",
            supported.join(", ")
        )
    }))
}

/// Such as `arn:aws:lambda:eu-west-1::runtime:<64 hexadecimal digits>`.
pub(crate) fn version_arn(region: &hearth_types::Region, runtime: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, runtime.as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("arn:aws:lambda:{region}::runtime:{digest}")
}
