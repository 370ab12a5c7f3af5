//! Runtimes by name: which a function may be created with.

use hearth_aws_api::shapes::lambda::Runtime;
use hearth_aws_api::{ApiError, RUNTIME_ORDER};

use crate::config::{RuntimeState, RuntimeStates};
use crate::refuse;

/// What Lambda lets functions be created with beyond [`RUNTIME_ORDER`] (service model 2026-11).
const NEWER: &[Runtime] = &[
    Runtime::Nodejs26X,
    Runtime::Python3_15,
    Runtime::Java8Al2023,
    Runtime::Java11Al2023,
    Runtime::Java17Al2023,
    Runtime::Ruby4_0,
];

/// What Lambda once had (Developer Guide, "Deprecated runtimes").
const DEPRECATED: &[Runtime] = &[
    Runtime::Nodejs,
    Runtime::Nodejs4_3,
    Runtime::Nodejs4_3Edge,
    Runtime::Nodejs6_10,
    Runtime::Nodejs8_10,
    Runtime::Nodejs10X,
    Runtime::Nodejs12X,
    Runtime::Nodejs14X,
    Runtime::Python2_7,
    Runtime::Python3_6,
    Runtime::Python3_7,
    Runtime::Java8,
    Runtime::Dotnetcore1_0,
    Runtime::Dotnetcore2_0,
    Runtime::Dotnetcore2_1,
    Runtime::Dotnetcore3_1,
    Runtime::Go1X,
    Runtime::Ruby2_5,
    Runtime::Ruby2_7,
    Runtime::Provided,
];

/// The runtime of this name, if functions can have it: on Lambda, and then on this host.
pub(crate) fn check(name: &str, states: &RuntimeStates) -> Result<Runtime, ApiError> {
    let runtime = Runtime::parse(name);
    let is_supported = |runtime: &Runtime| RUNTIME_ORDER.contains(&runtime.as_str()) || NEWER.contains(runtime);
    if let Some(runtime) = runtime.filter(is_supported) {
        return match (states.0)(name) {
            RuntimeState::Prepared => Ok(runtime),
            RuntimeState::Addable => Err(ApiError::invalid_parameter(format!(
                "The runtime {name} is not installed on this host. Install it with `hearth runtime add {name}`, then try again."
            ))),
            RuntimeState::Unsupported => Err(refuse::not_supported(&format!("The runtime {name}"))),
        };
    }
    Err(ApiError::invalid_parameter(if runtime.is_some_and(|runtime| DEPRECATED.contains(&runtime)) {
        format!(
            "The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda functions. We \
             recommend you use a supported runtime while creating or updating functions."
        )
    } else {
        let supported: Vec<&str> =
            RUNTIME_ORDER.iter().copied().chain(NEWER.iter().map(|newer| newer.as_str())).collect();
        format!(
            "Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a valid ARN",
            supported.join(", ")
        )
    }))
}

/// Such as `arn:aws:lambda:eu-west-1::runtime:<64 hexadecimal digits>`.
pub(crate) fn version_arn(region: &hearth_types::Region, runtime: Runtime) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, runtime.as_str().as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("arn:aws:lambda:{region}::runtime:{digest}")
}
