//! One accepted event: as the queue holds it, and what is written of its end.

use std::time::Duration;

use bytes::Bytes;
use hearth_engine::async_queue::{Condition, QueueName, RetryConfig, hold_back};
use hearth_engine::capacity::{PoolName, Wishes};
use hearth_engine::port::{AsyncConfig, Invocation, Outcome, Reply};
use hearth_store::Write;
use hearth_types::{FunctionRef, RequestId, VersionLabel, limits};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::attempt::Taken;
use super::{draw, queue_for};
use crate::core::Core;
use crate::report::iso8601;

/// The form in which events are written, in front of each.
const FORM: u8 = 2;
/// How those begin that were written before there was a form: with the length of the request id. The rest is the same.
const UNMARKED: u8 = 16;

/// Why an event in the queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("its form is {form}, which this version of Hearth does not know")]
    Form { form: u8 },
    #[error("it is damaged")]
    Damaged(#[source] postcard::Error),
}

/// What the queue holds of an accepted event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Queued {
    pub(super) request_id: RequestId,
    pub(super) invoked_arn: String,
    pub(super) payload: Vec<u8>,
    pub(super) trace_id: Option<String>,
    pub(super) accepted_ms: u64,
    /// Attempts in which the function ran.
    pub(super) runs: u32,
    /// Attempts in a row in which it did not.
    pub(super) misses: u32,
    /// Behind all else in the queue, and only where there are any.
    #[serde(skip)]
    pub(super) wishes: Option<KeptWishes>,
}

/// What the function answered.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) reply: Reply,
    pub(super) version: VersionLabel,
}

/// What the caller wished, for as long as the event lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptWishes {
    pool: Option<PoolName>,
    price_max: Option<u64>,
    affinity: Option<u64>,
    /// Milliseconds since 1970 until which it may be held back.
    defer_until_ms: Option<u64>,
}

impl KeptWishes {
    pub(super) fn new(wishes: &Wishes, accepted_ms: u64) -> Self {
        let until = |defer: Duration| accepted_ms.saturating_add(u64::try_from(defer.as_millis()).unwrap_or(u64::MAX));
        Self {
            pool: wishes.pool.clone(),
            price_max: wishes.price_max,
            affinity: wishes.affinity,
            defer_until_ms: wishes.defer.map(until),
        }
    }

    /// Without the deferral: that is waited for in the queue, where it takes nobody's place.
    pub(super) fn of_attempt(&self) -> Box<Wishes> {
        let (pool, price_max, affinity) = (self.pool.clone(), self.price_max, self.affinity);
        Box::new(Wishes { pool, price_max, affinity, defer: None })
    }
}

impl Queued {
    pub(super) fn encode(&self) -> Bytes {
        const ALWAYS: &str = "plain data into a growing buffer always serialises";
        let mut bytes = postcard::to_extend(self, vec![FORM]).expect(ALWAYS);
        if let Some(wishes) = &self.wishes {
            bytes = postcard::to_extend(wishes, bytes).expect(ALWAYS);
        }
        bytes.into()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let event = match bytes.first() {
            Some(&FORM) => &bytes[1..],
            Some(&UNMARKED) | None => bytes,
            Some(&form) => return Err(Unreadable::Form { form }),
        };
        let (mut event, rest) = postcard::take_from_bytes::<Self>(event).map_err(Unreadable::Damaged)?;
        if !rest.is_empty() {
            event.wishes = Some(postcard::from_bytes(rest).map_err(Unreadable::Damaged)?);
        }
        Ok(event)
    }

    pub(super) fn enqueue(&self, queue: &QueueName) -> Write {
        Write::Enqueue {
            queue: queue.as_str().to_owned(),
            id: format!("{:016x}-{}", self.accepted_ms, self.request_id),
            body: self.encode(),
            delay: Duration::ZERO,
        }
    }

    /// What its destination is told when it has run.
    pub(super) fn done(&self, core: &Core, config: &AsyncConfig, ran: Option<&Ran>) -> Option<(QueueName, Write)> {
        config.on_success.as_deref().and_then(|arn| self.to_destination(core, arn, "Success", ran))
    }

    /// What its destination is told when it is given up.
    pub(super) fn discard(
        &self,
        core: &Core,
        config: &AsyncConfig,
        condition: Condition,
        ran: Option<&Ran>,
    ) -> Option<(QueueName, Write)> {
        let condition = condition.as_str();
        tracing::warn!(request = %self.request_id, arn = self.invoked_arn, condition, runs = self.runs, "an event is given up");
        config.on_failure.as_deref().and_then(|arn| self.to_destination(core, arn, condition, ran))
    }

    /// The record that a destination gets, as an event of its own. Functions are the destinations that this node reaches; the
    /// control plane refuses others.
    fn to_destination(&self, core: &Core, arn: &str, condition: &str, ran: Option<&Ran>) -> Option<(QueueName, Write)> {
        if arn.parse::<FunctionRef>().is_err() {
            tracing::warn!(request = %self.request_id, destination = arn, "a destination that is no function is not told");
            return None;
        }
        let now = core.clock.wall();
        let text = |bytes: &[u8]| {
            serde_json::from_slice(bytes).unwrap_or_else(|_binary| json!(String::from_utf8_lossy(bytes)))
        };
        let mut function_arn = self.invoked_arn.clone();
        if function_arn.split(':').count() == 7 {
            function_arn.push_str(":$LATEST");
        }
        let mut record = json!({
            "version": "1.0", "timestamp": iso8601(now),
            "requestContext": {
                "requestId": self.request_id.to_string(), "functionArn": function_arn, "condition": condition,
                "approximateInvokeCount": self.runs,
            },
            "requestPayload": text(&self.payload),
        });
        if let Some(Ran { reply, version }) = ran {
            record["responseContext"] = json!({"statusCode": 200, "executedVersion": version.to_string()});
            if reply.outcome == Outcome::FunctionError {
                record["responseContext"]["functionError"] = json!("Unhandled");
            }
            record["responsePayload"] = text(&reply.payload);
        }
        let mut payload = record.to_string().into_bytes();
        if payload.len() > limits::ASYNC_PAYLOAD_BYTES_MAX {
            record["responsePayload"] = json!(null);
            payload = record.to_string().into_bytes();
        }
        let event = Self {
            request_id: RequestId::from_random(uuid::Uuid::new_v4().into_bytes()),
            invoked_arn: arn.to_owned(),
            payload,
            trace_id: self.trace_id.clone(),
            accepted_ms: now.as_millis(),
            runs: 0,
            misses: 0,
            wishes: None,
        };
        let queue = queue_for(arn);
        let write = event.enqueue(&queue);
        Some((queue, write))
    }
}

impl Taken<'_> {
    /// How long the event stays in the queue for now, if it may wait and load is high.
    pub(super) fn hold_back(&self, core: &Core, retry: RetryConfig, invocation: &Invocation) -> Option<Duration> {
        let until = self.event.wishes.as_ref()?.defer_until_ms?;
        let wished = Duration::from_millis(until.saturating_sub(self.event.accepted_ms));
        let age = self.age(core);
        hold_back(retry, wished.saturating_sub(age), age, draw()).filter(|_| core.is_loaded_for(invocation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(wishes: Option<KeptWishes>) -> Queued {
        Queued {
            request_id: RequestId::from_random([7; 16]),
            invoked_arn: "arn:aws:lambda:us-east-1:123456789012:function:f".to_owned(),
            payload: b"{}".to_vec(),
            trace_id: None,
            accepted_ms: 1_000,
            runs: 1,
            misses: 2,
            wishes,
        }
    }

    #[test]
    fn an_event_comes_out_of_the_queue_as_it_went_in() {
        let wishes = Wishes {
            pool: Some(PoolName("spot".to_owned())),
            price_max: Some(5),
            affinity: None,
            defer: Some(Duration::from_secs(9)),
        };
        let wishes = KeptWishes::new(&wishes, 1_000);
        assert_eq!(wishes.defer_until_ms, Some(10_000));
        for event in [event(None), event(Some(wishes))] {
            let decoded = Queued::decode(&event.encode()).unwrap();
            assert_eq!(format!("{decoded:?}"), format!("{event:?}"));
        }
        let torn = event(None).encode();
        assert!(Queued::decode(&torn[..torn.len() - 1]).is_err());
        let mut more = torn.to_vec();
        more.push(9);
        assert!(Queued::decode(&more).is_err());
        assert!(Queued::decode(&[]).is_err());
    }

    #[test]
    fn an_event_of_an_earlier_release_is_read_and_one_of_a_later_is_not() {
        let written = event(None).encode();
        let decoded = Queued::decode(&written[1..]).unwrap();
        assert_eq!(format!("{decoded:?}"), format!("{:?}", event(None)));
        let mut later = written.to_vec();
        later[0] = FORM + 1;
        assert!(matches!(Queued::decode(&later), Err(Unreadable::Form { form: 3 })));
    }
}
