//! Operations on events.

use std::ops::Range;

use bytes::Bytes;
use hearth_logs::{EventsQuery, FilterPattern, FilterQuery, StreamChoice};
use serde::Deserialize;
use serde_json::{Value, json};

use super::groups::add;
use super::names::{check_group, check_stream, chosen, limit};
use super::{Call, invalid, not_supported, refused};
use crate::error::ApiError;

type Answer = Result<Option<Value>, ApiError>;

/// Source of all: API reference, PutLogEvents, GetLogEvents, FilterLogEvents.
const PAGE_EVENTS_MAX: usize = 10_000;
const BATCH_EVENTS_MAX: usize = 10_000;
const BATCH_BYTES_MAX: usize = 1_048_576;
const EVENT_OVERHEAD_BYTES: usize = 26;
const BATCH_SPAN_MS: u64 = 24 * 3600 * 1000;
const FUTURE_MS_MAX: u64 = 2 * 3600 * 1000;
const PAST_MS_MAX: u64 = 14 * 24 * 3600 * 1000;

#[derive(Deserialize)]
struct InputEvent {
    timestamp: u64,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<InputEvent>,
    /// What the events are about; not kept, which the answer says in AWS's way.
    entity: Option<Value>,
}

pub(super) fn put(call: &Call) -> Answer {
    let input: Put = call.input()?;
    check_group(&input.log_group_name)?;
    check_stream(&input.log_stream_name)?;
    check_batch(&input.log_events)?;
    let now_ms = call.context.now.as_millis();
    let too_old = input.log_events.partition_point(|event| event.timestamp + PAST_MS_MAX < now_ms);
    let too_new = input.log_events.partition_point(|event| event.timestamp <= now_ms + FUTURE_MS_MAX);
    let total = input.log_events.len();
    let taken: Vec<(u64, Bytes)> = input
        .log_events
        .into_iter()
        .enumerate()
        .filter(|(index, _)| (too_old..too_new).contains(index))
        .map(|(_, event)| (event.timestamp, event.message.into()))
        .collect();
    let account = &call.context.account;
    call.store.put_events(account, &input.log_group_name, &input.log_stream_name, taken).map_err(refused)?;
    let mut rejected = json!({});
    add(&mut rejected, "tooOldLogEventEndIndex", (too_old > 0).then_some(too_old));
    add(&mut rejected, "tooNewLogEventStartIndex", (too_new < total).then_some(too_new));
    let mut answer = json!({ "nextSequenceToken": "0" });
    let any = rejected.as_object().is_some_and(|members| !members.is_empty());
    add(&mut answer, "rejectedLogEventsInfo", any.then_some(rejected));
    let entity = input.entity.map(|_| json!({ "errorType": "UnsupportedLogGroupType" }));
    add(&mut answer, "rejectedEntityInfo", entity);
    Ok(Some(answer))
}

fn check_batch(events: &[InputEvent]) -> Result<(), ApiError> {
    if events.is_empty() || events.len() > BATCH_EVENTS_MAX {
        return Err(invalid("Log events in a single PutLogEvents request must be 1 to 10000."));
    }
    if events.iter().any(|event| event.message.is_empty()) {
        return Err(invalid("Log event messages must have a length of at least 1."));
    }
    let bytes: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD_BYTES).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let span = events.last().map_or(0, |last| last.timestamp).saturating_sub(events[0].timestamp);
    if span > BATCH_SPAN_MS {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    if events.iter().any(|event| event.timestamp > i64::MAX.unsigned_abs()) {
        return Err(invalid("Log event timestamps must be milliseconds since 1970."));
    }
    Ok(())
}

fn time_range(start: Option<i64>, end: Option<u64>) -> Range<u64> {
    u64::try_from(start.unwrap_or(0)).unwrap_or(0)..end.unwrap_or(u64::MAX)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Get {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    #[serde(default)]
    start_from_head: bool,
}

pub(super) fn get(call: &Call) -> Answer {
    let input: Get = call.input()?;
    let group = chosen(&call.context, input.log_group_name, input.log_group_identifier)?;
    check_stream(&input.log_stream_name)?;
    let end = input.end_time.map(|end| u64::try_from(end).unwrap_or(0));
    let query = EventsQuery {
        time: time_range(input.start_time, end),
        limit: limit(input.limit, PAGE_EVENTS_MAX)?,
        start_from_head: input.start_from_head,
        token: input.next_token,
    };
    let page = call.store.get_events(&call.context.account, &group, &input.log_stream_name, &query).map_err(refused)?;
    let events: Vec<Value> = page
        .events
        .iter()
        .map(|event| {
            json!({
                "timestamp": event.time_ms,
                "message": String::from_utf8_lossy(&event.message),
                "ingestionTime": event.ingested_ms,
            })
        })
        .collect();
    Ok(Some(json!({
        "events": events,
        "nextForwardToken": page.forward_token,
        "nextBackwardToken": page.backward_token,
    })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    start_from_head: Option<bool>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn filter(call: &Call) -> Answer {
    let input: Filter = call.input()?;
    let group = chosen(&call.context, input.log_group_name, input.log_group_identifier)?;
    if input.start_from_head == Some(false) {
        return Err(not_supported("startFromHead false"));
    }
    let streams = stream_choice(input.log_stream_names, input.log_stream_name_prefix)?;
    // Here the end is meant to be included: "events with a timestamp later than this time are not returned".
    let end = input.end_time.map(|end| u64::try_from(end).unwrap_or(0).saturating_add(1));
    let query = FilterQuery {
        streams,
        time: time_range(input.start_time, end),
        limit: limit(input.limit, PAGE_EVENTS_MAX)?,
        pattern: pattern(input.filter_pattern.as_deref())?,
        token: input.next_token,
    };
    let page = call.store.filter_events(&call.context.account, &group, &query).map_err(refused)?;
    let events: Vec<Value> = page
        .events
        .iter()
        .map(|found| {
            json!({
                "logStreamName": found.stream,
                "timestamp": found.event.time_ms,
                "message": String::from_utf8_lossy(&found.event.message),
                "ingestionTime": found.event.ingested_ms,
                "eventId": found.id,
            })
        })
        .collect();
    let mut answer = json!({ "events": events, "searchedLogStreams": [] });
    add(&mut answer, "nextToken", page.next);
    Ok(Some(answer))
}

pub(super) fn stream_choice(names: Option<Vec<String>>, prefix: Option<String>) -> Result<StreamChoice, ApiError> {
    match (names, prefix) {
        (Some(_), Some(_)) => Err(invalid("The log stream names and the log stream name prefix cannot both be given.")),
        (Some(names), None) => {
            names.iter().try_for_each(|name| check_stream(name))?;
            Ok(StreamChoice::Named(names))
        }
        (None, Some(prefix)) => Ok(StreamChoice::Prefix(prefix)),
        (None, None) => Ok(StreamChoice::All),
    }
}

pub(super) fn pattern(text: Option<&str>) -> Result<FilterPattern, ApiError> {
    FilterPattern::parse(text.unwrap_or(""))
        .map_err(|error| invalid(format!("Invalid filter pattern: {}", error.reason)))
}
