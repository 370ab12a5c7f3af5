//! Refusals that several operations share, in AWS's words (recorded from the service unless said otherwise).

use hearth_aws_api::ApiError;

pub(crate) fn function_not_found(arn: &str) -> ApiError {
    ApiError::not_found(format!("Function not found: {arn}"))
}

/// AWS has no such state. The function is there and stays as it is.
pub(crate) fn put_aside(name: &str) -> ApiError {
    ApiError::service(format!(
        "What is stored of the function {name} cannot be read by this version of Hearth. It is kept as it is; the daemon's log says why."
    ))
}

pub(crate) fn alias_not_found(arn: &str) -> ApiError {
    ApiError::not_found(format!("Cannot find alias arn: {arn}"))
}

pub(crate) fn pending() -> ApiError {
    ApiError::conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    )
}

/// In the words of the Developer Guide, "Troubleshooting SnapStart errors".
pub(crate) fn preparing() -> ApiError {
    ApiError::new(
        409,
        "SnapStartNotReadyException",
        "Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.",
    )
}

pub(crate) fn failed() -> ApiError {
    ApiError::conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Failed",
    )
}

pub(crate) fn update_in_progress(arn: &str) -> ApiError {
    ApiError::conflict(format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    ))
}

/// `getter` is the operation that tells the newest revision id.
pub(crate) fn stale_revision(getter: &str) -> ApiError {
    ApiError::precondition_failed(format!(
        "The Revision Id provided does not match the latest Revision Id. Call the {getter} API to retrieve the latest Revision Id"
    ))
}

pub(crate) fn check_revision(given: Option<&str>, current: Option<&str>, getter: &str) -> Result<(), ApiError> {
    match given {
        Some(given) if Some(given) != current => Err(stale_revision(getter)),
        _ => Ok(()),
    }
}

/// What another account's resource does not allow.
pub(crate) fn not_authorized(principal: &str, action: &str, arn: &str) -> ApiError {
    ApiError::new(
        403,
        "AccessDeniedException",
        format!(
            "User: {principal} is not authorized to perform: {action} on resource: {arn} because no resource-based policy allows \
             the {action} action"
        ),
    )
}

pub(crate) fn no_such_resource() -> ApiError {
    ApiError::not_found("The resource you requested does not exist.")
}

/// In the words that AWS has for a runtime it does not support there.
pub(crate) fn not_with_snap_start(what: &str) -> ApiError {
    ApiError::invalid_parameter(format!("{what} is not supported for SnapStart enabled functions."))
}

/// Hearth's own words: AWS has no word for what it always has.
pub(crate) fn not_supported(what: &str) -> ApiError {
    ApiError::invalid_parameter(format!("{what} is not supported by Hearth"))
}
