//! What an invoke request asks for, as read from its path, query and headers.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearth_aws_api::Service;
use hearth_aws_api::validate;
use hearth_types::FunctionRef;
use hearth_types::limits::{ASYNC_PAYLOAD_BYTES_MAX, CLIENT_CONTEXT_BYTES_MAX};
use http::header::HeaderName;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::jackson;
use crate::error::ApiError;

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");
const TENANT_ID: HeaderName = HeaderName::from_static("x-amz-tenant-id");
const DURABLE_NAME: HeaderName = HeaderName::from_static("x-amz-durable-execution-name");

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Invoke,
    InvokeWithResponseStream,
    InvokeAsync,
}

impl Operation {
    /// As Lambda names it in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invoke => "InvokeFunction",
            Self::InvokeWithResponseStream => "InvokeWithResponseStream",
            Self::InvokeAsync => "InvokeAsync",
        }
    }
}

/// An invoke request, as its path shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call<'a> {
    pub operation: Operation,
    /// Percent-encoded, as sent.
    pub function: &'a str,
}

impl<'a> Call<'a> {
    /// `None`: the request is something else.
    pub fn of(parts: &'a Parts) -> Option<Self> {
        if parts.method != Method::POST {
            return None;
        }
        let path = parts.uri.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        let (operation, function) = if let Some(rest) = path.strip_prefix("/2015-03-31/functions/") {
            (Operation::Invoke, rest.strip_suffix("/invocations")?)
        } else if let Some(rest) = path.strip_prefix("/2021-11-15/functions/") {
            (Operation::InvokeWithResponseStream, rest.strip_suffix("/response-streaming-invocations")?)
        } else {
            let rest = path.strip_prefix("/2014-11-13/functions/")?;
            (Operation::InvokeAsync, rest.strip_suffix("/invoke-async")?)
        };
        (!function.contains('/')).then_some(Self { operation, function })
    }
}

/// `X-Amz-Invocation-Type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

/// The choices of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    pub kind: InvocationType,
    pub log_tail: bool,
    /// JSON, decoded.
    pub client_context: Option<String>,
}

impl Options {
    pub fn read(operation: Operation, headers: &HeaderMap) -> Result<Self, ApiError> {
        for (header, what) in [(TENANT_ID, "a tenant id"), (DURABLE_NAME, "a durable execution name")] {
            if headers.contains_key(header) {
                let message = format!("The function is not configured to be invoked with {what}.");
                return Err(ApiError::bad_request("InvalidParameterValueException", message));
            }
        }
        let kind = match operation {
            Operation::InvokeAsync => InvocationType::Event,
            Operation::Invoke | Operation::InvokeWithResponseStream => invocation_type(operation, headers)?,
        };
        let log_tail = match headers.get(LOG_TYPE).map(|value| value.as_bytes()) {
            None | Some(b"None") => false,
            Some(b"Tail") => kind == InvocationType::RequestResponse,
            Some(other) => return Err(not_in_enum(other, "logType", "[None, Tail]")),
        };
        let client_context = match headers.get(CLIENT_CONTEXT) {
            Some(value) if kind != InvocationType::Event => Some(client_context(value.as_bytes())?),
            _ => None,
        };
        Ok(Self { kind, log_tail, client_context })
    }
}

fn invocation_type(operation: Operation, headers: &HeaderMap) -> Result<InvocationType, ApiError> {
    match headers.get(INVOCATION_TYPE).map(|value| value.as_bytes()) {
        None | Some(b"RequestResponse") => Ok(InvocationType::RequestResponse),
        Some(b"DryRun") => Ok(InvocationType::DryRun),
        Some(b"Event") if operation == Operation::Invoke => Ok(InvocationType::Event),
        Some(other) if operation == Operation::Invoke => {
            Err(not_in_enum(other, "invocationType", "[Event, RequestResponse, DryRun]"))
        }
        Some(other) => Err(not_in_enum(other, "invocationType", "[RequestResponse, DryRun]")),
    }
}

fn client_context(encoded: &[u8]) -> Result<String, ApiError> {
    let refused = |message: String| ApiError::bad_request("InvalidRequestContentException", message);
    if encoded.len() > CLIENT_CONTEXT_BYTES_MAX {
        return Err(refused(format!(
            "Client context must be at most {CLIENT_CONTEXT_BYTES_MAX} bytes of base64, was {}",
            encoded.len()
        )));
    }
    STANDARD
        .decode(encoded)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| serde_json::from_str::<ObjectOnly>(text).is_ok())
        .ok_or_else(|| refused("Client context must be a valid Base64-encoded JSON object.".to_owned()))
}

type ObjectOnly = std::collections::BTreeMap<String, serde::de::IgnoredAny>;

/// The function that the path names; `None` if there can be none of this name.
pub fn function(encoded: &str) -> Option<FunctionRef> {
    decoded(encoded)?.parse().ok()
}

/// `?Qualifier=`, as it is.
pub fn qualifier(query: Option<&str>) -> Option<Cow<'_, str>> {
    form_urlencoded::parse(query?.as_bytes()).find(|(name, _)| name == "Qualifier").map(|(_, text)| text)
}

/// What AWS's model says against the name that the path holds, or the qualifier; `Ok` with the name if it has nothing.
pub fn check_names(encoded: &str, qualifier: Option<&str>) -> Result<String, ApiError> {
    let name = decoded(encoded).map_or_else(|| encoded.to_owned(), Cow::into_owned);
    let mut input = serde_json::json!({"FunctionName": name, "Qualifier": qualifier});
    validate::check(Service::Lambda.model(), "InvocationRequest", &mut input)
        .map_err(hearth_aws_api::ApiError::from)?;
    Ok(name)
}

fn decoded(encoded: &str) -> Option<Cow<'_, str>> {
    if encoded.contains('%') { percent_decode_str(encoded).decode_utf8().ok() } else { Some(encoded.into()) }
}

fn not_in_enum(value: &[u8], member: &str, values: &str) -> ApiError {
    let value: String = String::from_utf8_lossy(value).chars().take(200).collect();
    ApiError::bad_request(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
             enum value set: {values}"
        ),
    )
}

/// The payload must be JSON, or nothing, and for an event small enough to be queued.
pub fn check_payload(payload: &[u8], kind: InvocationType) -> Result<(), ApiError> {
    if kind == InvocationType::Event && payload.len() > ASYNC_PAYLOAD_BYTES_MAX {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            // As recorded from the service; the model says `RequestTooLargeException`.
            "RequestEntityTooLargeException",
            format!(
                "{} byte payload is too large for the Event invocation type (limit {ASYNC_PAYLOAD_BYTES_MAX} bytes)",
                payload.len()
            ),
        ));
    }
    if payload.is_empty() {
        return Ok(());
    }
    let refused = |error: &dyn std::fmt::Display| {
        let why = jackson::complaint(payload).unwrap_or_else(|| error.to_string());
        ApiError::bad_request(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: Could not parse payload into json: {why}"),
        )
    };
    let text = std::str::from_utf8(payload).map_err(|error| refused(&error))?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| refused(&error))?;
    Ok(())
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
