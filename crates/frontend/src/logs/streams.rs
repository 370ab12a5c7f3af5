//! Operations on streams.

use hearth_logs::{Stream, StreamChoice, StreamOrder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::groups::add;
use super::names::{check_group, check_stream, chosen, group_arn, limit};
use super::{Call, invalid, refused};
use crate::error::ApiError;

type Answer = Result<Option<Value>, ApiError>;

const DESCRIBE_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: String,
    log_stream_name: String,
}

fn named(call: &Call) -> Result<Named, ApiError> {
    let input: Named = call.input()?;
    check_group(&input.log_group_name)?;
    check_stream(&input.log_stream_name)?;
    Ok(input)
}

pub(super) fn create(call: &Call) -> Answer {
    let Named { log_group_name, log_stream_name } = named(call)?;
    call.store.create_stream(&call.context.account, &log_group_name, &log_stream_name).map_err(refused)?;
    Ok(None)
}

pub(super) fn delete(call: &Call) -> Answer {
    let Named { log_group_name, log_stream_name } = named(call)?;
    call.store.delete_stream(&call.context.account, &log_group_name, &log_stream_name).map_err(refused)?;
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn describe(call: &Call) -> Answer {
    let input: Describe = call.input()?;
    let group = chosen(&call.context, input.log_group_name, input.log_group_identifier)?;
    let order = match input.order_by.as_deref() {
        None | Some("LogStreamName") => StreamOrder::Name,
        Some("LastEventTime") if input.log_stream_name_prefix.is_some() => {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        Some("LastEventTime") => StreamOrder::LastEvent,
        Some(other) => {
            let other: String = other.chars().take(100).collect();
            return Err(invalid(format!(
                "1 validation error detected: Value '{other}' at 'orderBy' failed to satisfy constraint: Member must satisfy \
                 enum value set: [LogStreamName, LastEventTime]"
            )));
        }
    };
    let choice = input.log_stream_name_prefix.map_or(StreamChoice::All, StreamChoice::Prefix);
    let limit = limit(input.limit, DESCRIBE_MAX)?;
    let (account, token) = (&call.context.account, input.next_token.as_deref());
    let page =
        call.store.streams(account, &group, &choice, (order, input.descending), token, limit).map_err(refused)?;
    let arn = group_arn(&call.context, &group);
    let streams: Vec<Value> = page.streams.iter().map(|stream| described(&arn, stream)).collect();
    let mut answer = json!({ "logStreams": streams });
    add(&mut answer, "nextToken", page.next);
    Ok(Some(answer))
}

fn described(group_arn: &str, stream: &Stream) -> Value {
    let mut value = json!({
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": format!("{group_arn}:log-stream:{}", stream.name),
        "storedBytes": stream.stored_bytes,
    });
    add(&mut value, "firstEventTimestamp", stream.first_event_ms);
    add(&mut value, "lastEventTimestamp", stream.last_event_ms);
    add(&mut value, "lastIngestionTime", stream.last_ingestion_ms);
    value
}
