//! A server on a port of its own, and plain requests to it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hearth_capacity::{CapacityBase, CapacityPlan};
use hearth_engine::port::{
    BoxFuture, Invocation, InvokeError, Invoker, Outcome, Reply, ReplyChunk, StreamingReply, ThrottleReason, Timeline,
};
use hearth_frontend::{Backends, Frontend, FrontendConfig};
use hearth_functions::{Functions, FunctionsConfig};
use hearth_iam::Iam;
use hearth_iam::access::{Access, AccessKey, Owner};
use hearth_logs::{LogConfig, LogStore};
use hearth_packages::{PackageLimits, Packages};
use hearth_store::{Embedded, Store};
use hearth_types::{AccountId, VersionKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longest wait for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Answers with what it was sent; the function's name chooses otherwise.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    pub(crate) seen: Mutex<Vec<Invocation>>,
    pub(crate) started: Notify,
    pub(crate) release: Notify,
}

impl Echo {
    async fn answer(&self, invocation: Invocation) -> Result<Reply, InvokeError> {
        self.seen.lock().unwrap().push(invocation.clone());
        let reply = |outcome, payload| Reply {
            outcome,
            payload,
            content_type: "application/json".to_owned(),
            log_tail: invocation.log_tail.then(|| Bytes::from_static(b"END\n")),
        };
        match invocation.spec.key.function.as_str() {
            "failing" => Ok(reply(Outcome::FunctionError, Bytes::from_static(br#"{"errorType":"E"}"#))),
            "throttled" => Err(InvokeError::Throttled { reason: ThrottleReason::ConcurrentInvocationLimitExceeded }),
            "broken" => Err(InvokeError::InvalidRuntime { message: "no such runtime".to_owned() }),
            "waiting" => {
                self.started.notify_one();
                self.release.notified().await;
                Ok(reply(Outcome::Success, invocation.payload.clone()))
            }
            _ => Ok(reply(Outcome::Success, invocation.payload.clone())),
        }
    }
}

impl Invoker for Echo {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<(Reply, Timeline), InvokeError>> {
        Box::pin(async move { Ok((self.answer(invocation).await?, Timeline::default())) })
    }

    fn invoke_streaming(&self, invocation: Invocation) -> BoxFuture<'_, Result<StreamingReply, InvokeError>> {
        Box::pin(async move {
            let reply = self.answer(invocation).await?;
            let pieces: Vec<Bytes> = reply.payload.chunks(4).map(Bytes::copy_from_slice).collect();
            let end = ReplyChunk::End { error: None, log_tail: reply.log_tail };
            let chunks = stream::iter(pieces.into_iter().map(ReplyChunk::Data)).chain(stream::iter([end]));
            let (content_type, timeline) = (reply.content_type, Timeline::default());
            Ok(StreamingReply { content_type, timeline, chunks: Box::pin(chunks) })
        })
    }

    fn enqueue(&self, invocation: Invocation) -> BoxFuture<'_, Result<(), InvokeError>> {
        Box::pin(async move { self.answer(invocation).await.map(drop) })
    }

    fn retire(&self, _keys: Vec<VersionKey>) {}

    fn view(&self, _account: Option<AccountId>) -> BoxFuture<'_, String> {
        Box::pin(async { r#"{"sandboxes":[]}"#.to_owned() })
    }

    fn metrics(&self) -> BoxFuture<'_, String> {
        Box::pin(async { "# EOF\n".to_owned() })
    }
}

pub(crate) struct World {
    _dir: tempfile::TempDir,
    pub(crate) frontend: Frontend,
    pub(crate) echo: Arc<Echo>,
    pub(crate) port: u16,
    pub(crate) shutdown: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
}

pub(crate) fn config() -> FrontendConfig {
    FrontendConfig::new("000000000000".parse().unwrap(), "us-east-1".parse().unwrap())
}

/// One of an account and one of an operator.
fn keys() -> Vec<AccessKey> {
    let account = Owner::Account("111122223333".parse().unwrap());
    vec![
        AccessKey::configured("AKIDEXAMPLE".to_owned(), "a secret".to_owned(), account),
        AccessKey::configured("OPEREXAMPLE".to_owned(), "an operator's".to_owned(), Owner::Operator),
    ]
}

impl World {
    /// Anybody may call.
    pub(crate) async fn start(config: FrontendConfig) -> Self {
        Self::start_with(config, Vec::new()).await
    }

    /// With keys.
    pub(crate) async fn start_guarded(config: FrontendConfig) -> Self {
        Self::start_with(config, keys()).await
    }

    async fn start_with(config: FrontendConfig, keys: Vec<AccessKey>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&dir.path().join("store")).unwrap());
        let packages = Arc::new(Packages::open(&dir.path().join("code"), PackageLimits::default()).unwrap());
        let access = Arc::new(Access::open(Arc::clone(&store), &[1; 32], keys).await.unwrap());
        let iam = Arc::new(Iam::open(Arc::clone(&store)).await.unwrap());
        let settings = FunctionsConfig::new("us-east-1".parse().unwrap());
        let now = hearth_types::Timestamp::from_millis(0);
        let capacity = CapacityPlan::open(Arc::clone(&store), CapacityBase::default(), None, now).await.unwrap();
        let functions = Functions::open(store, packages, iam.clone(), settings, Arc::new(|_| ())).await.unwrap();
        let logs =
            LogStore::open(&dir.path().join("logs"), LogConfig::default(), &"eu-west-1".parse().unwrap()).unwrap();
        let echo = Arc::new(Echo::default());
        let backends = Backends { functions: Arc::new(functions), access, iam, invoker: echo.clone(), logs, capacity };
        let frontend = Frontend::new(config, backends);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn({
            let (frontend, shutdown) = (frontend.clone(), shutdown.clone());
            async move { frontend.serve(listener, shutdown).await }
        });
        Self { _dir: dir, frontend, echo, port, shutdown, serving }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        send_on(&mut stream, method, path, headers, body).await
    }

    /// Creates a function and waits until it may be invoked.
    pub(crate) async fn create(&self, name: &str) {
        self.create_with(name, &[]).await;
    }

    /// The same with these headers.
    pub(crate) async fn create_with(&self, name: &str, headers: &[(&str, &str)]) {
        let function = json!({
            "FunctionName": name,
            "Role": "arn:aws:iam::000000000000:role/r",
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Code": { "ZipFile": STANDARD.encode(package()) },
        });
        let answer = self.send("POST", "/2015-03-31/functions", headers, function.to_string().as_bytes()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let path = format!("/2015-03-31/functions/{name}/configuration");
        tokio::time::timeout(DEADLINE, async {
            while self.send("GET", &path, headers, b"").await.json()["State"] != "Active" {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }
}

fn package() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file("bootstrap", options).unwrap();
    std::io::Write::write_all(&mut writer, b"#!/bin/sh\n").unwrap();
    writer.finish().unwrap().into_inner()
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(given, _)| given == name).count()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One request and its whole answer, on a connection that stays open.
pub(crate) async fn send_on(
    stream: &mut TcpStream,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str("host: 127.0.0.1\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    receive(stream).await.expect("an answer")
}

/// The next answer; `None` if the connection closes before one.
pub(crate) async fn receive(stream: &mut TcpStream) -> Option<Answer> {
    tokio::time::timeout(DEADLINE, read_answer(stream)).await.expect("an answer in time")
}

async fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut answer = Answer { status, headers, body: bytes.split_off(head_end) };
    if answer.header("transfer-encoding") == Some("chunked") {
        while !answer.body.ends_with(b"0\r\n\r\n") {
            stream.read_buf(&mut answer.body).await.ok()?;
        }
        return Some(answer);
    }
    let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    while answer.body.len() < length {
        if stream.read_buf(&mut answer.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(answer)
}
