//! One accepted event: as the queue holds it, and what is written of its end.

use std::time::Duration;

use bytes::Bytes;
use hearth_engine::async_queue::{Condition, RetryConfig, hold_back};
use hearth_engine::capacity::{PoolName, Wishes};
use hearth_engine::port::{AsyncConfig, Invocation, Outcome, Reply};
use hearth_store::{Lease, Write};
use hearth_types::{FunctionRef, RequestId, VersionLabel, limits};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{QUEUE, draw};
use crate::core::Core;
use crate::report::iso8601;

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
        let mut bytes = postcard::to_stdvec(self).expect(ALWAYS);
        if let Some(wishes) = &self.wishes {
            bytes = postcard::to_extend(wishes, bytes).expect(ALWAYS);
        }
        bytes.into()
    }

    pub(super) fn decode(bytes: &[u8]) -> postcard::Result<Self> {
        let (mut event, rest) = postcard::take_from_bytes::<Self>(bytes)?;
        event.wishes = if rest.is_empty() { None } else { Some(postcard::from_bytes(rest)?) };
        Ok(event)
    }

    /// How long the event stays in the queue for now, if it may wait and load is high.
    pub(super) fn hold_back(&self, core: &Core, retry: RetryConfig, invocation: &Invocation) -> Option<Duration> {
        let until = self.wishes.as_ref()?.defer_until_ms?;
        let rest = Duration::from_millis(until.saturating_sub(core.clock.wall().as_millis()));
        hold_back(retry, rest, self.age(core), draw()).filter(|_| core.is_loaded_for(invocation))
    }

    pub(super) fn enqueue(&self) -> Write {
        Write::Enqueue {
            queue: QUEUE.to_owned(),
            id: format!("{:016x}-{}", self.accepted_ms, self.request_id),
            body: self.encode(),
            delay: Duration::ZERO,
        }
    }

    pub(super) fn age(&self, core: &Core) -> Duration {
        Duration::from_millis(core.clock.wall().as_millis().saturating_sub(self.accepted_ms))
    }

    pub(super) fn done(&self, core: &Core, lease: Lease, config: &AsyncConfig, ran: Option<&Ran>) -> Vec<Write> {
        let mut writes = vec![Write::Acknowledge(lease)];
        writes.extend(config.on_success.as_deref().and_then(|arn| self.to_destination(core, arn, "Success", ran)));
        writes
    }

    pub(super) fn discard(
        &self,
        core: &Core,
        lease: Lease,
        config: &AsyncConfig,
        condition: Condition,
        ran: Option<&Ran>,
    ) -> Vec<Write> {
        let condition = condition.as_str();
        tracing::warn!(request = %self.request_id, arn = self.invoked_arn, condition, runs = self.runs, "an event is given up");
        let mut writes = vec![Write::Acknowledge(lease)];
        writes.extend(config.on_failure.as_deref().and_then(|arn| self.to_destination(core, arn, condition, ran)));
        writes
    }

    /// The record that a destination gets, as an event of its own. Functions are the destinations that this node reaches; the
    /// control plane refuses others.
    pub(super) fn to_destination(&self, core: &Core, arn: &str, condition: &str, ran: Option<&Ran>) -> Option<Write> {
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
        Some(event.enqueue())
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
    }
}
