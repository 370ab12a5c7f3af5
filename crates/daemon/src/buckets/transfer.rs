//! Reading one object: repeated where the store fails, resumed where it broke off, and over in time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hearth_engine::port::{ObjectError, ObjectName};
use http::header::{CONTENT_LENGTH, ETAG, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::reply::{Fault, fault_of};
use super::store::S3Store;
use super::unavailable;

/// Requests for one object.
const ATTEMPTS: u32 = 5;
/// Before the second; doubled with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest time in which nothing comes before the request is repeated.
const STALL: Duration = Duration::from_secs(15);

pub(super) struct Transfer {
    store: Arc<S3Store>,
    object: ObjectName,
    deadline: Instant,
    attempts: u32,
    body: Option<Incoming>,
    /// Names the state of the object whose bytes came so far.
    etag: Option<HeaderValue>,
    length: Option<u64>,
    received: u64,
}

impl Transfer {
    pub(super) fn new(store: Arc<S3Store>, object: ObjectName) -> Self {
        let deadline = Instant::now() + store.timeout;
        Self { store, object, deadline, attempts: 0, body: None, etag: None, length: None, received: 0 }
    }

    /// The next piece.
    pub(super) async fn next(mut self) -> Result<Option<(Bytes, Self)>, ObjectError> {
        loop {
            let stall = STALL.min(self.store.timeout / 3);
            let end = self.deadline.min(Instant::now() + stall);
            let step = tokio::time::timeout_at(end, self.step()).await;
            let error = match step {
                Ok(Ok(piece)) => return Ok(piece.map(|piece| (piece, self))),
                Ok(Err(Fault::Lasting(error))) => return Err(error),
                Ok(Err(Fault::Passing(error))) => error,
                Err(_elapsed) => unavailable("RequestTimeout", "The store did not send the object in time."),
            };
            self.body = None;
            let pause = FIRST_PAUSE * 2u32.pow(self.attempts.saturating_sub(1));
            if self.attempts >= ATTEMPTS || Instant::now() + pause >= self.deadline {
                return Err(error);
            }
            tracing::info!(bucket = self.object.bucket, %error, "a bucket is asked again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn step(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let body = match &mut self.body {
                Some(body) => body,
                empty => {
                    self.attempts += 1;
                    let resumed = match (self.received, self.etag.clone()) {
                        (0, _) => None,
                        (received, Some(etag)) => Some((received, etag)),
                        (_, None) => return Err(Fault::Lasting(unavailable("IncompleteBody", "The store broke off."))),
                    };
                    let request = self.store.request(&self.object, resumed).map_err(Fault::Lasting)?;
                    let response = self.store.client.request(request).await.map_err(Fault::unreachable)?;
                    let response = begin(response, self.received).await?;
                    if self.received == 0 {
                        self.etag = response.headers().get(ETAG).cloned();
                        self.length = length_of(&response);
                    }
                    empty.insert(response.into_body())
                }
            };
            match body.frame().await {
                Some(Ok(frame)) => {
                    let Ok(piece) = frame.into_data() else { continue };
                    self.received += piece.len() as u64;
                    return Ok(Some(piece));
                }
                Some(Err(error)) => return Err(Fault::broken(&error)),
                None if self.length.is_some_and(|length| length != self.received) => {
                    return Err(Fault::Passing(unavailable(
                        "IncompleteBody",
                        "The store sent another length than it said.",
                    )));
                }
                None => return Ok(None),
            }
        }
    }
}

fn length_of(response: &Response<Incoming>) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The response whose body is what was asked for.
async fn begin(response: Response<Incoming>, received: u64) -> Result<Response<Incoming>, Fault> {
    match response.status() {
        StatusCode::OK if received == 0 => Ok(response),
        StatusCode::PARTIAL_CONTENT if received > 0 && starts_at(&response, received) => Ok(response),
        // It cannot resume.
        StatusCode::OK | StatusCode::PARTIAL_CONTENT => {
            Err(Fault::Lasting(unavailable("IncompleteBody", "The store broke off and does not resume.")))
        }
        StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE if received > 0 => {
            let message = "The object was changed while it was read. Please try again.";
            Err(Fault::Lasting(unavailable("OperationAborted", message)))
        }
        _ => Err(fault_of(response).await),
    }
}

fn starts_at(response: &Response<Incoming>, place: u64) -> bool {
    let range = response.headers().get(http::header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {place}-")))
}
