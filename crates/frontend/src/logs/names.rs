//! Names and ARNs of groups and streams, and the limits of their members.

use hearth_aws_api::validate::{Refused, Violation};
use serde_json::Value;

use super::invalid;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::permit::Need;

/// Longest name of a group or stream (API reference: `logGroupName`, `logStreamName`).
const NAME_CHARS_MAX: usize = 512;

/// `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`.
pub(super) fn group_arn(context: &RequestContext, group: &str) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{group}", context.region, context.account)
}

/// What a caller must be allowed, as the service names resources when it refuses (recorded): a group, and behind it a stream or
/// nothing. A policy about `log-group:NAME` alone, without `:*`, is about no request.
pub(super) fn needs(context: &super::Context, operation: &str, input: &Value) -> Vec<Need> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    let listed =
        |member: &str| input.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let named = [text("logGroupName"), text("logGroupIdentifier"), text("resourceArn"), text("resourceIdentifier")];
    let mut groups: Vec<&str> = named.into_iter().flatten().chain(listed("logGroupIdentifiers")).collect();
    if groups.is_empty() {
        groups.push("");
    }
    let stream = text("logStreamName").unwrap_or_default();
    let about = |group: &str| {
        let arn = if group.starts_with("arn:") { group.to_owned() } else { group_arn(context, group) };
        Need::new(format!("logs:{operation}"), format!("{}:log-stream:{stream}", arn.trim_end_matches(":*")))
    };
    groups.into_iter().map(about).collect()
}

fn constraint(value: &str, member: &str, pattern: &str) -> ApiError {
    let value: String = value.chars().take(200).collect();
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: {pattern}"
    ))
}

pub(super) fn check_group(name: &str) -> Result<(), ApiError> {
    let word = |char: char| char.is_ascii_alphanumeric() || ".-_/#".contains(char);
    check_name(name, "logGroupName", "[\\.\\-_/#A-Za-z0-9]+", word)
}

pub(super) fn check_stream(name: &str) -> Result<(), ApiError> {
    check_name(name, "logStreamName", "[^:*]*", |char| !":*".contains(char))
}

fn check_name(name: &str, member: &str, pattern: &str, legal: impl Fn(char) -> bool) -> Result<(), ApiError> {
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(invalid(name_too_long()));
    }
    if name.is_empty() {
        return Err(invalid(format!(
            "1 validation error detected: Value '' at '{member}' failed to satisfy constraint: Member must have length \
             greater than or equal to 1"
        )));
    }
    if name.chars().all(legal) { Ok(()) } else { Err(constraint(name, member, pattern)) }
}

/// The group that a request means by its name or by an identifier, which is a name or an ARN.
pub(super) fn chosen(
    context: &RequestContext,
    name: Option<String>,
    identifier: Option<String>,
) -> Result<String, ApiError> {
    let group = match (name, identifier) {
        (Some(name), None) => name,
        (None, Some(identifier)) => of_identifier(context, &identifier)?,
        (Some(_), Some(_)) => {
            // Recorded.
            return Err(ApiError::bad_request(
                "ValidationException",
                "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
            ));
        }
        (None, None) => return Err(invalid("One of logGroupName and logGroupIdentifier must be given.")),
    };
    check_group(&group)?;
    Ok(group)
}

/// A name, or an ARN of the caller's account and this Region, with or without `:*`.
pub(super) fn of_identifier(context: &RequestContext, identifier: &str) -> Result<String, ApiError> {
    let Some(rest) = identifier.strip_prefix("arn:") else { return Ok(identifier.to_owned()) };
    let fields: Vec<&str> = rest.splitn(6, ':').collect();
    match fields.as_slice() {
        [_, "logs", region, account, "log-group", name]
            if *account == context.account.as_str() && *region == context.region.as_str() =>
        {
            Ok(name.strip_suffix(":*").unwrap_or(name).to_owned())
        }
        _ => Err(invalid(format!("Invalid ARN: {}", identifier.chars().take(200).collect::<String>()))),
    }
}

/// What the model has against an input, as the service says it.
pub(super) fn in_words_of_logs(refused: Refused) -> hearth_aws_api::ApiError {
    const CODE: &str = "InvalidParameterException";
    let too_long = |violation: &Violation| {
        ["logGroupName", "logStreamName"].contains(&violation.path.as_str())
            && violation.constraint.ends_with(&format!("length less than or equal to {NAME_CHARS_MAX}"))
    };
    match &refused {
        Refused::Constraints(violations) if violations.iter().any(too_long) => {
            hearth_aws_api::ApiError::new(400, CODE, name_too_long())
        }
        _ => refused.with_code(CODE),
    }
}

/// Recorded, of both.
fn name_too_long() -> String {
    format!("Invalid LogGroup or LogStream, both must have length less than or equal to {NAME_CHARS_MAX}.")
}
