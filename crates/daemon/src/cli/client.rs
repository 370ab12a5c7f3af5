//! A small client of the daemon's own API.

use std::cell::OnceCell;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;

use super::DaemonArgs;
use crate::config::DEFAULT_PORT;
use crate::sign::Signer;

/// How long a connection is kept for the next request. Shorter than any server does, which may close it meanwhile.
const CONNECTION_IDLE: Duration = Duration::from_secs(2);

/// Where services that are the same everywhere are signed for.
const DEFAULT_REGION: &str = "us-east-1";

/// For anything but a call of a function.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Talks to one daemon. Requests are signed with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` where these are set; those that
/// manage it with `HEARTH_OPERATOR_KEY_ID` and `HEARTH_OPERATOR_SECRET` where these are.
#[derive(Debug)]
pub(crate) struct Client {
    endpoint: String,
    /// What it was told, or heard from the daemon when it first mattered.
    region: OnceCell<String>,
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
        let endpoint = base_url(endpoint)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut builder = HyperClient::builder(TokioExecutor::new());
        let http = builder.pool_timer(TokioTimer::new()).pool_idle_timeout(CONNECTION_IDLE).build_http();
        Ok(Self { endpoint, region: OnceCell::new(), runtime, http })
    }

    /// For functions and logs of the Region that was named; as with the AWS CLI an option comes before variables.
    pub(crate) fn of(args: &DaemonArgs) -> Result<Self> {
        let named = args.region.clone().filter(|region| !region.is_empty()).or_else(|| variable("AWS_DEFAULT_REGION"));
        Ok(Self { region: named.map(OnceCell::from).unwrap_or_default(), ..Self::new(&args.endpoint)? })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether the daemon is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.endpoint.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        let host = host.unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
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
        let request = self.request(service, method, path, headers, body)?;
        self.runtime.block_on(async {
            let answer = tokio::time::timeout(ANSWER_WITHIN, self.send(request)).await;
            answer.unwrap_or_else(|_late| bail!("{} has not answered for {ANSWER_WITHIN:?}", self.endpoint))
        })
    }

    /// The same, or `None` if Ctrl-C comes first.
    pub(crate) fn call_unless_interrupted(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Option<Answer>> {
        let request = self.request(service, method, path, headers, body)?;
        self.runtime.block_on(async {
            tokio::select! {
                answer = self.send(request) => answer.map(Some),
                interrupted = tokio::signal::ctrl_c() => Ok(interrupted.map(|()| None)?),
            }
        })
    }

    /// A request that is ready to be sent.
    fn request(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Request<Bytes>> {
        let uri = format!("{}{path}", self.endpoint);
        let mut request = Request::builder().method(method).uri(&uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).context("malformed request")?;
        self.sign(service, &mut request)?;
        Ok(request)
    }

    /// Sends it once more if the connection turns out to be closed and nothing can happen twice by it.
    async fn send(&self, request: Request<Bytes>) -> Result<Answer> {
        let again = (request.method() == Method::GET).then(|| request.clone());
        let mut sent = self.http.request(request.map(Full::new)).await;
        if let (Err(error), Some(again)) = (&sent, again)
            && !error.is_connect()
        {
            sent = self.http.request(again.map(Full::new)).await;
        }
        let response = sent.map_err(|error| self.unreachable(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.context("the answer broke off")?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
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

    /// What to sign for. What manages the daemon has no Region.
    fn region(&self, service: &str) -> &str {
        if service == "hearth" {
            return DEFAULT_REGION;
        }
        self.region.get_or_init(|| self.daemons_region().unwrap_or_else(|| DEFAULT_REGION.to_owned()))
    }

    /// `None` if it does not say: then the request itself finds out why.
    fn daemons_region(&self) -> Option<String> {
        let request = Request::get(format!("{}/_hearth/health", self.endpoint)).body(Bytes::new()).ok()?;
        let asked = async { tokio::time::timeout(ANSWER_WITHIN, self.send(request)).await };
        let answer = self.runtime.block_on(asked).ok()?.ok()?;
        let health: Value = serde_json::from_slice(&answer.body).ok()?;
        health["region"].as_str().map(str::to_owned)
    }

    fn sign(&self, service: &str, request: &mut Request<Bytes>) -> Result<()> {
        let pair = |id: &str, secret: &str| variable(id).zip(variable(secret));
        let operator = pair("HEARTH_OPERATOR_KEY_ID", "HEARTH_OPERATOR_SECRET").filter(|_| service == "hearth");
        let given = operator.or_else(|| pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"));
        let (id, secret) = given.unwrap_or_else(|| ("hearth".to_owned(), "hearth".to_owned()));
        let region = self.region(service);
        let signer = Signer { id: &id, secret: &secret, region, token: None, service };
        signer.sign(request, std::time::SystemTime::now()).context("cannot sign the request")
    }

    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> anyhow::Error {
        if error.is_connect() {
            Unreachable { endpoint: self.endpoint.clone() }.into()
        } else {
            anyhow!(
                "{} closed the connection without an answer: is it a Hearth daemon, and does it run?",
                self.endpoint
            )
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What people write for it: a URL, an address, or a port of this machine.
fn base_url(endpoint: &str) -> Result<String> {
    let endpoint = endpoint.trim().trim_end_matches('/');
    let rest = endpoint.strip_prefix("http://").unwrap_or(endpoint);
    if rest.starts_with("https://") {
        bail!("{endpoint}: Hearth is spoken to by http://, not https://");
    }
    let port = rest.strip_prefix(':').unwrap_or(rest);
    let authority = match port.parse::<u16>() {
        Ok(port) => format!("127.0.0.1:{port}"),
        Err(_not_a_port) => rest.to_owned(),
    };
    let authority: http::uri::Authority = authority
        .parse()
        .with_context(|| format!("{endpoint:?} is no address such as http://127.0.0.1:{DEFAULT_PORT}"))?;
    let port = if authority.port().is_some() { String::new() } else { format!(":{DEFAULT_PORT}") };
    Ok(format!("http://{authority}{port}"))
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
        let has_key = ["AWS_ACCESS_KEY_ID", "HEARTH_OPERATOR_KEY_ID"].iter().any(|id| std::env::var_os(id).is_some());
        if self.status == 403 && !has_key {
            bail!("this daemon wants a key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to one of its access keys");
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

/// Nobody listens there.
#[derive(Debug, thiserror::Error)]
#[error("no daemon answers at {endpoint}: start one with `hearth serve`, or name another with --endpoint")]
pub(crate) struct Unreachable {
    endpoint: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_named_by_url_address_or_port() {
        for (written, meant) in [
            ("http://127.0.0.1:4599/", "http://127.0.0.1:4599"),
            ("127.0.0.1:4599", "http://127.0.0.1:4599"),
            ("4599", "http://127.0.0.1:4599"),
            (":4599", "http://127.0.0.1:4599"),
            ("localhost", "http://localhost:4566"),
            ("http://hearth.localhost:4566", "http://hearth.localhost:4566"),
            ("[::1]:4599", "http://[::1]:4599"),
            ("10.0.0.7", "http://10.0.0.7:4566"),
        ] {
            assert_eq!(base_url(written).unwrap(), meant);
        }
        for wrong in ["", "https://127.0.0.1:4566", "http://a b", "ftp://x", "127.0.0.1:4566/x"] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }
}
