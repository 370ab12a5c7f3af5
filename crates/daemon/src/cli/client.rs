//! A small client of the daemon's own API.

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::sign::Signer;

/// Talks to one daemon. Requests are signed with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` where these are set; those that
/// manage it with `HEARTH_OPERATOR_KEY_ID` and `HEARTH_OPERATOR_SECRET` where these are.
#[derive(Debug)]
pub(crate) struct Client {
    endpoint: String,
    runtime: tokio::runtime::Runtime,
    http: HyperClient<HttpConnector, Full<Bytes>>,
}

/// An answer with its head.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn new(endpoint: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let http = HyperClient::builder(TokioExecutor::new()).build_http();
        Ok(Self { endpoint: endpoint.trim_end_matches('/').to_owned(), runtime, http })
    }

    /// Sends a request to `service`; `headers` beside those of the signature.
    pub(crate) fn call(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let uri = format!("{}{path}", self.endpoint);
        let mut request = Request::builder().method(method).uri(&uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).context("malformed request")?;
        self.sign(service, &mut request)?;
        let request = request.map(Full::new);
        self.runtime.block_on(async {
            let response = self.http.request(request).await.map_err(|error| self.unreachable(&error))?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.context("the answer broke off")?.to_bytes();
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
        })
    }

    /// A call whose answer is JSON; AWS's errors become errors here.
    pub(crate) fn json(&self, service: &str, method: Method, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        self.call(service, method, path, &[("content-type", "application/json")], body)?.into_json()
    }

    /// Changes what is given of a document of Hearth's own, or makes it.
    pub(crate) fn change(&self, path: &str, changes: &Value) -> Result<Value> {
        match self.json("hearth", Method::PATCH, path, changes) {
            Err(error) if is_not_found(&error) => self.json("hearth", Method::PUT, path, changes),
            other => other,
        }
    }

    /// A call of CloudWatch Logs.
    pub(crate) fn logs(&self, operation: &str, body: &Value) -> Result<Value> {
        let target = format!("Logs_20140328.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        self.call("logs", Method::POST, "/", &headers, Bytes::from(body.to_string()))?.into_json()
    }

    fn sign(&self, service: &str, request: &mut Request<Bytes>) -> Result<()> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let pair = |id: &str, secret: &str| variable(id).zip(variable(secret));
        let operator = pair("HEARTH_OPERATOR_KEY_ID", "HEARTH_OPERATOR_SECRET").filter(|_| service == "hearth");
        let given = operator.or_else(|| pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"));
        let (id, secret) = given.unwrap_or_else(|| ("hearth".to_owned(), "hearth".to_owned()));
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let signer = Signer { id: &id, secret: &secret, region: &region, service };
        signer.sign(request, std::time::SystemTime::now()).context("cannot sign the request")
    }

    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> anyhow::Error {
        if error.is_connect() {
            anyhow!(
                "no daemon answers at {}: start one with `hearth serve`, or name another with --endpoint",
                self.endpoint
            )
        } else {
            anyhow!("the daemon at {} broke off: {error}", self.endpoint)
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn into_json(self) -> Result<Value> {
        let value: Value = if self.body.is_empty() { Value::Null } else { self.parsed()? };
        if self.status < 300 {
            return Ok(value);
        }
        let error = ApiError {
            status: self.status,
            code: self.header("x-amzn-errortype").or(value["code"].as_str()).unwrap_or("error").to_owned(),
            message: ["message", "Message"].iter().find_map(|key| value[*key].as_str()).unwrap_or("").to_owned(),
        };
        Err(error.into())
    }

    fn parsed(&self) -> Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("the answer (status {}) is not JSON: is this a Hearth daemon?", self.status))
    }
}

/// An error of the API.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Whether this is the API's answer that something does not exist.
pub(crate) fn is_not_found(error: &anyhow::Error) -> bool {
    error.downcast_ref::<ApiError>().is_some_and(|error| error.status == 404)
}
