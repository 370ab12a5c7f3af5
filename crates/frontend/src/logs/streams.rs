//! Operations on streams.

use hearth_aws_api::shapes::logs::{
    CreateLogStreamRequest, DeleteLogStreamRequest, DescribeLogStreamsRequest, DescribeLogStreamsResponse, LogStream,
    OrderBy,
};
use hearth_logs::{Stream, StreamChoice, StreamOrder};

use super::names::{chosen, group_arn};
use super::{Context, invalid, refused};
use crate::error::ApiError;

/// Streams of a page, unless the client says otherwise.
const LIMIT: u32 = 50;

pub(super) fn create(context: &Context, input: CreateLogStreamRequest) -> Result<(), ApiError> {
    let (group, stream) = (&input.log_group_name, &input.log_stream_name);
    context.backend.store.create_stream(&context.home, group, stream).map_err(refused)
}

pub(super) fn delete(context: &Context, input: DeleteLogStreamRequest) -> Result<(), ApiError> {
    let (group, stream) = (&input.log_group_name, &input.log_stream_name);
    context.backend.store.delete_stream(&context.home, group, stream).map_err(refused)
}

pub(super) fn describe(
    context: &Context,
    input: DescribeLogStreamsRequest,
) -> Result<DescribeLogStreamsResponse, ApiError> {
    let group = chosen(context, input.log_group_name, input.log_group_identifier)?;
    let order = match input.order_by {
        None | Some(OrderBy::LogStreamName) => StreamOrder::Name,
        Some(OrderBy::LastEventTime) if input.log_stream_name_prefix.is_some() => {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        Some(OrderBy::LastEventTime) => StreamOrder::LastEvent,
    };
    let choice = input.log_stream_name_prefix.map_or(StreamChoice::All, StreamChoice::Prefix);
    let order = (order, input.descending.unwrap_or_default());
    let (token, limit) = (input.next_token.as_deref(), input.limit.unwrap_or(LIMIT) as usize);
    let page = context.backend.store.streams(&context.home, &group, &choice, order, token, limit);
    let page = page.map_err(refused)?;
    let arn = group_arn(context, &group);
    let streams = page.streams.into_iter().map(|stream| described(&arn, stream));
    Ok(DescribeLogStreamsResponse { log_streams: Some(streams.collect()), next_token: page.next })
}

fn described(group_arn: &str, stream: Stream) -> LogStream {
    LogStream {
        arn: Some(format!("{group_arn}:log-stream:{}", stream.name)),
        log_stream_name: Some(stream.name),
        creation_time: Some(stream.created_ms),
        first_event_timestamp: stream.first_event_ms,
        last_event_timestamp: stream.last_event_ms,
        last_ingestion_time: stream.last_ingestion_ms,
        upload_sequence_token: None,
        stored_bytes: Some(stream.stored_bytes),
    }
}
