//! The least that a runtime's client needs to become idle: one event, then none.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

pub(crate) struct RuntimeApi {
    pub(crate) address: String,
    asked: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counter = Arc::clone(&counter);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&counter)));
                    let connection = hyper::server::conn::http1::Builder::new();
                    // The runtime is killed in the middle of its second request.
                    let _closed = connection.serve_connection(TokioIo::new(stream), service).await.is_err();
                });
            }
        });
        Ok(Self { address, asked, task: task.abort_handle() })
    }

    /// Whether it has run once and waits for the next event.
    pub(crate) fn is_idle(&self) -> bool {
        self.asked.load(Ordering::Relaxed) >= 2
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(request: Request<Incoming>, asked: Arc<AtomicUsize>) -> Result<Response<Full<Bytes>>, Infallible> {
    let next = request.uri().path().ends_with("/invocation/next");
    let _read = request.into_body().collect().await.is_ok();
    if !next {
        let mut accepted = Response::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}")));
        *accepted.status_mut() = hyper::StatusCode::ACCEPTED;
        return Ok(accepted);
    }
    if asked.fetch_add(1, Ordering::Relaxed) > 0 {
        std::future::pending::<()>().await;
    }
    let mut event = Response::new(Full::new(Bytes::from_static(b"{\"name\":\"bench\"}")));
    for (name, value) in [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "32503680000000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench"),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"),
    ] {
        event.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::{Connection, header, request};

    #[tokio::test]
    async fn gives_one_event_and_then_none() {
        let api = RuntimeApi::start().await.unwrap();
        let mut connection = Connection::open(api.address.parse().unwrap()).await.unwrap();
        let next = request("GET", "/2018-06-01/runtime/invocation/next", "");
        let event = connection.exchange(&next).await.unwrap();
        let id = header(event.head, "lambda-runtime-aws-request-id").unwrap().to_owned();
        let path = format!("/2018-06-01/runtime/invocation/{id}/response");
        assert_eq!(connection.exchange(&request("POST", &path, "{}")).await.unwrap().status, 202);
        assert!(!api.is_idle());
        assert!(tokio::time::timeout(Duration::from_millis(50), connection.exchange(&next)).await.is_err());
        assert!(api.is_idle());
    }
}
