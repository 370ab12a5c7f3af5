//! StartLiveTail: events as they are written, for up to three hours.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hearth_aws_api::shapes::logs::StartLiveTailRequest;
use hearth_logs::{LiveEvent, LiveTail, StreamChoice};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::events::pattern;
use super::names::{check_group, group_arn, of_identifier};
use super::{Context, invalid, refused};
use crate::context::{Body, Response, typed_response};
use crate::error::ApiError;
use crate::eventstream;

/// Source: CloudWatch Logs User Guide, "Live Tail": a session ends after three hours, updates come each second with at
/// most 500 events.
const SESSION: Duration = Duration::from_secs(3 * 3600);
const UPDATE_EVERY: Duration = Duration::from_secs(1);
const UPDATE_EVENTS_MAX: usize = 500;

/// An open session.
struct Session {
    tail: LiveTail,
    context: Context,
    /// Of several prefixes; one is the store's to check.
    prefixes: Vec<String>,
    ends: Instant,
    next_update: Instant,
    pending: Vec<LiveEvent>,
}

pub(super) fn start(context: &Context, input: StartLiveTailRequest) -> Result<Response, ApiError> {
    let mut groups = Vec::new();
    for identifier in &input.log_group_identifiers {
        let group = of_identifier(context, identifier)?;
        check_group(&group)?;
        if context.backend.store.group(&context.home, &group).is_none() {
            return Err(refused(hearth_logs::LogError::NotFound { what: "group" }));
        }
        groups.push(group);
    }
    if input.log_stream_names.is_some() && input.log_stream_name_prefixes.is_some() {
        return Err(invalid("The log stream names and the log stream name prefixes cannot both be given."));
    }
    let pattern = pattern(input.log_event_filter_pattern.as_deref())?;
    let choice = input.log_stream_names.clone().map_or(StreamChoice::All, StreamChoice::Named);
    let session = Session {
        tail: context.backend.store.live_tail(&context.home, groups, choice, pattern),
        context: context.clone(),
        prefixes: input.log_stream_name_prefixes.clone().unwrap_or_default(),
        ends: Instant::now() + SESSION,
        next_update: Instant::now(),
        pending: Vec::new(),
    };
    let opening = [message("initial-response", &json!({})), message("sessionStart", &session.opened(&input))];
    let updates = stream::unfold(Some(session), |session| async move {
        let mut session = session?;
        match session.update().await {
            Some(update) => Some((update, Some(session))),
            None => Some((timed_out(), None)),
        }
    });
    let body = Body::stream(futures_util::StreamExt::chain(stream::iter(opening), updates));
    Ok(typed_response(StatusCode::OK, "application/vnd.amazon.eventstream", body))
}

fn message(event: &str, payload: &Value) -> Bytes {
    eventstream::event(event, "application/json", payload.to_string().as_bytes())
}

fn timed_out() -> Bytes {
    let payload = json!({ "message": "The session has ended" }).to_string();
    eventstream::exception("SessionTimeoutException", payload.as_bytes())
}

impl Session {
    fn opened(&self, input: &StartLiveTailRequest) -> Value {
        json!({
            "requestId": self.context.request_id.to_string(),
            "sessionId": self.context.request_id.to_string(),
            "logGroupIdentifiers": input.log_group_identifiers,
            "logStreamNames": input.log_stream_names.as_deref().unwrap_or(&[]),
            "logStreamNamePrefixes": input.log_stream_name_prefixes.as_deref().unwrap_or(&[]),
            "logEventFilterPattern": input.log_event_filter_pattern.as_deref().unwrap_or(""),
        })
    }

    /// The next second's events, also if there are none: the client sees that the session lives. `None`: it is over.
    async fn update(&mut self) -> Option<Bytes> {
        self.next_update = (self.next_update + UPDATE_EVERY).max(Instant::now());
        loop {
            if self.pending.len() >= UPDATE_EVENTS_MAX {
                break;
            }
            tokio::select! {
                event = self.tail.next() => match event {
                    Some(event) if self.is_wanted(&event) => self.pending.push(event),
                    Some(_) => {}
                    None => return None,
                },
                () = tokio::time::sleep_until(self.next_update) => break,
                () = self.context.backend.stopping.cancelled() => return None,
            }
        }
        if Instant::now() >= self.ends {
            return None;
        }
        let context = &self.context;
        let results: Vec<Value> = self
            .pending
            .drain(..)
            .map(|event| {
                json!({
                    "logStreamName": event.stream,
                    "logGroupIdentifier": group_arn(context, &event.group),
                    "message": String::from_utf8_lossy(&event.message),
                    "timestamp": event.time_ms,
                    "ingestionTime": event.time_ms,
                })
            })
            .collect();
        let sampled = self.tail.take_left_out() > 0;
        Some(message("sessionUpdate", &json!({ "sessionMetadata": { "sampled": sampled }, "sessionResults": results })))
    }

    fn is_wanted(&self, event: &LiveEvent) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| event.stream.starts_with(prefix))
    }
}
