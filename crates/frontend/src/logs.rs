//! CloudWatch Logs: what functions wrote, as the CLI and SDKs ask for it.

mod events;
mod groups;
mod names;
mod streams;
mod tags;
mod tail;

use hearth_aws_api::Service;
use hearth_logs::{LogError, LogStore};
use hearth_tasks::Shares;
use http::StatusCode;
use tokio_util::sync::CancellationToken;

use crate::error::ApiError;
use crate::service::{self, Table, table};

/// A search reads as much as there is.
static THREADS: Shares = Shares::new(16);

/// What the handlers reach. It is cloned: most operations run on a blocking thread.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    pub(crate) store: LogStore,
    /// Ends live tails.
    pub(crate) stopping: CancellationToken,
}

type Context = service::Context<Logs>;

pub(crate) const TABLE: Table<Logs> = Table {
    service: Service::Logs,
    operations: table! { logs, Logs, via blocking;
        CreateLogGroup => groups::create,
        CreateLogStream => streams::create,
        DeleteLogGroup => groups::delete,
        DeleteLogStream => streams::delete,
        DeleteRetentionPolicy => groups::delete_retention,
        DescribeLogGroups => groups::describe,
        DescribeLogStreams => streams::describe,
        DescribeMetricFilters => groups::metric_filters,
        FilterLogEvents => events::filter,
        GetLogEvents => events::get,
        ListLogGroups => groups::list,
        ListTagsForResource => tags::list,
        ListTagsLogGroup => tags::list_of_group,
        PutLogEvents => events::put,
        PutRetentionPolicy => groups::put_retention,
        TagLogGroup => tags::tag_group,
        TagResource => tags::tag,
        UntagLogGroup => tags::untag_group,
        UntagResource => tags::untag,
        ;
        StartLiveTail => tail::start,
    },
    before: |_, _, _| Ok(()),
    needs: names::needs,
    denied: |message| ApiError::bad_request("AccessDeniedException", message),
    words: names::in_words_of_logs,
    unknown: |operation| {
        ApiError::bad_request("UnknownOperationException", format!("The operation '{operation}' is not available here"))
    },
};

/// Runs a handler where it may read files.
async fn blocking<I: Send + 'static, O: Send + 'static>(
    context: &Context,
    input: I,
    run: fn(&Context, I) -> Result<O, ApiError>,
) -> Result<O, ApiError> {
    let (account, context) = (context.account.clone(), context.clone());
    THREADS.blocking(account.as_str(), "work on logs", move || run(&context, input)).await.map_err(|error| {
        tracing::error!(%error, "a logs operation did not come to its end");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "An internal error occurred")
    })?
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
