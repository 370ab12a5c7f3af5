//! CloudWatch Logs: what functions wrote, as the CLI and SDKs ask for it.

mod events;
mod groups;
mod names;
mod streams;
mod tail;

use bytes::Bytes;
use hearth_logs::{LogError, LogStore};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::context::{RequestContext, Response, typed_response};
use crate::error::ApiError;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A call of one operation. Store and context are clones: most operations run on a blocking thread.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    store: LogStore,
    context: RequestContext,
    body: Bytes,
}

/// Serves one request; `stopping` ends live tails.
pub(crate) async fn handle(
    store: &LogStore,
    stopping: &CancellationToken,
    context: &RequestContext,
    request: http::Request<Bytes>,
) -> Result<Response, ApiError> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or("");
    let operation = target.strip_prefix("Logs_20140328.").unwrap_or("").to_owned();
    let call = Call { store: store.clone(), context: context.clone(), body: request.into_body() };
    if operation == "StartLiveTail" {
        return tail::start(&call, stopping.clone());
    }
    let run = operation_named(&operation).ok_or_else(|| unknown(&operation))?;
    let answer = hearth_tasks::blocking("work on logs", move || run(&call)).await.map_err(|error| {
        tracing::error!(%error, %operation, "a logs operation did not come to its end");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "An internal error occurred")
    })??;
    let body = answer.map_or_else(Bytes::new, |value| value.to_string().into());
    Ok(typed_response(StatusCode::OK, CONTENT_TYPE, body))
}

type Run = fn(&Call) -> Result<Option<Value>, ApiError>;

fn operation_named(name: &str) -> Option<Run> {
    Some(match name {
        "CreateLogGroup" => groups::create,
        "DeleteLogGroup" => groups::delete,
        "DescribeLogGroups" => groups::describe,
        "ListLogGroups" => groups::list,
        "PutRetentionPolicy" => groups::put_retention,
        "DeleteRetentionPolicy" => groups::delete_retention,
        "ListTagsForResource" => groups::list_tags,
        "TagResource" => groups::tag,
        "UntagResource" => groups::untag,
        "ListTagsLogGroup" => groups::list_group_tags,
        "TagLogGroup" => groups::tag_group,
        "UntagLogGroup" => groups::untag_group,
        "CreateLogStream" => streams::create,
        "DeleteLogStream" => streams::delete,
        "DescribeLogStreams" => streams::describe,
        "PutLogEvents" => events::put,
        "GetLogEvents" => events::get,
        "FilterLogEvents" => events::filter,
        _ => return None,
    })
}

fn unknown(operation: &str) -> ApiError {
    let operation: String = operation.chars().take(128).collect();
    ApiError::bad_request("UnknownOperationException", format!("The operation '{operation}' is not available here"))
}

impl Call {
    fn input<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => invalid(error.to_string()),
            _ => ApiError::bad_request("SerializationException", error.to_string()),
        })
    }
}

/// 400 `InvalidParameterException`.
fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterException", message)
}

fn not_supported(member: &str) -> ApiError {
    invalid(format!("{member} is not supported by Hearth"))
}

fn refused(error: LogError) -> ApiError {
    match error {
        LogError::AlreadyExists { what } => {
            ApiError::bad_request("ResourceAlreadyExistsException", format!("The specified log {what} already exists"))
        }
        LogError::NotFound { what } => {
            ApiError::bad_request("ResourceNotFoundException", format!("The specified log {what} does not exist."))
        }
        LogError::InvalidToken => invalid("The specified nextToken is invalid."),
        LogError::Busy => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailableException",
            "The service cannot complete the request.",
        ),
        error @ LogError::Io { .. } => {
            tracing::error!(%error, source = std::error::Error::source(&error), "logs cannot be read or written");
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "The logs cannot be read or written")
        }
    }
}

#[cfg(test)]
#[path = "logs/tests.rs"]
mod tests;
