//! Operations on events.

use std::ops::Range;

use bytes::Bytes;
use hearth_aws_api::shapes::logs::{
    EntityRejectionErrorType, FilterLogEventsRequest, FilterLogEventsResponse, FilteredLogEvent, GetLogEventsRequest,
    GetLogEventsResponse, InputLogEvent, OutputLogEvent, PutLogEventsRequest, PutLogEventsResponse, RejectedEntityInfo,
    RejectedLogEventsInfo,
};
use hearth_logs::{EventsQuery, FilterPattern, FilterQuery, StreamChoice};

use super::names::{check_stream, chosen};
use super::{Context, invalid, not_supported, refused};
use crate::error::ApiError;

/// Source of all: API reference, PutLogEvents, GetLogEvents, FilterLogEvents.
const PAGE_EVENTS: u32 = 10_000;
const BATCH_BYTES_MAX: usize = 1_048_576;
const EVENT_OVERHEAD_BYTES: usize = 26;
const BATCH_SPAN_MS: u64 = 24 * 3600 * 1000;
const FUTURE_MS_MAX: u64 = 2 * 3600 * 1000;
const PAST_MS_MAX: u64 = 14 * 24 * 3600 * 1000;

pub(super) fn put(context: &Context, input: PutLogEventsRequest) -> Result<PutLogEventsResponse, ApiError> {
    check_batch(&input.log_events)?;
    let now_ms = context.now.as_millis();
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
    let (group, stream) = (&input.log_group_name, &input.log_stream_name);
    context.backend.store.put_events(&context.home, group, stream, taken).map_err(refused)?;
    let index = |index: usize| u32::try_from(index).ok();
    let rejected = RejectedLogEventsInfo {
        too_old_log_event_end_index: index(too_old).filter(|end| *end > 0),
        too_new_log_event_start_index: index(too_new).filter(|_| too_new < total),
        expired_log_event_end_index: None,
    };
    // What the events are about is not kept, which the answer says in AWS's way.
    let entity = RejectedEntityInfo { error_type: EntityRejectionErrorType::UnsupportedLogGroupType };
    Ok(PutLogEventsResponse {
        next_sequence_token: Some("0".to_owned()),
        rejected_log_events_info: Some(rejected).filter(|rejected| *rejected != RejectedLogEventsInfo::default()),
        rejected_entity_info: input.entity.map(|_| entity),
    })
}

fn check_batch(events: &[InputLogEvent]) -> Result<(), ApiError> {
    let bytes: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD_BYTES).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let time = |event: Option<&InputLogEvent>| event.map_or(0, |event| event.timestamp);
    if time(events.last()).saturating_sub(time(events.first())) > BATCH_SPAN_MS {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}

fn time_range(start: Option<u64>, end: Option<u64>) -> Range<u64> {
    start.unwrap_or(0)..end.unwrap_or(u64::MAX)
}

pub(super) fn get(context: &Context, input: GetLogEventsRequest) -> Result<GetLogEventsResponse, ApiError> {
    let group = chosen(context, input.log_group_name, input.log_group_identifier)?;
    let query = EventsQuery {
        time: time_range(input.start_time, input.end_time),
        limit: input.limit.unwrap_or(PAGE_EVENTS) as usize,
        start_from_head: input.start_from_head.unwrap_or_default(),
        token: input.next_token,
    };
    let page = context.backend.store.get_events(&context.home, &group, &input.log_stream_name, &query);
    let page = page.map_err(refused)?;
    let events = page.events.iter().map(|event| OutputLogEvent {
        timestamp: Some(event.time_ms),
        message: Some(String::from_utf8_lossy(&event.message).into_owned()),
        ingestion_time: Some(event.ingested_ms),
    });
    Ok(GetLogEventsResponse {
        events: Some(events.collect()),
        next_forward_token: Some(page.forward_token),
        next_backward_token: Some(page.backward_token),
    })
}

pub(super) fn filter(context: &Context, input: FilterLogEventsRequest) -> Result<FilterLogEventsResponse, ApiError> {
    let group = chosen(context, input.log_group_name, input.log_group_identifier)?;
    if input.start_from_head == Some(false) {
        return Err(not_supported("startFromHead false"));
    }
    let query = FilterQuery {
        streams: stream_choice(input.log_stream_names, input.log_stream_name_prefix)?,
        // Here the end is meant to be included: "events with a timestamp later than this time are not returned".
        time: time_range(input.start_time, input.end_time.map(|end| end.saturating_add(1))),
        limit: input.limit.unwrap_or(PAGE_EVENTS) as usize,
        pattern: pattern(input.filter_pattern.as_deref())?,
        token: input.next_token,
    };
    let page = context.backend.store.filter_events(&context.home, &group, &query).map_err(refused)?;
    let events = page.events.into_iter().map(|found| FilteredLogEvent {
        log_stream_name: Some(found.stream),
        timestamp: Some(found.event.time_ms),
        message: Some(String::from_utf8_lossy(&found.event.message).into_owned()),
        ingestion_time: Some(found.event.ingested_ms),
        event_id: Some(found.id),
    });
    Ok(FilterLogEventsResponse {
        events: Some(events.collect()),
        searched_log_streams: Some(Vec::new()),
        next_token: page.next,
    })
}

fn stream_choice(names: Option<Vec<String>>, prefix: Option<String>) -> Result<StreamChoice, ApiError> {
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
