//! A node on such sandboxes, and calls of one function.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hearth_engine::EngineConfig;
use hearth_engine::port::{
    Catalogue, Current, Invocation, InvokeError, Invoker as _, Outcome, Reply, SessionCredentials,
};
use hearth_logs::{FilterPattern, FilterQuery, LogConfig, LogStore, StreamChoice};
use hearth_node::{Node, NodeConfig, ParkingMode, Parts, TemplateParts, TunnelServer};
use hearth_packages::{PackageLimits, Packages};
use hearth_runtimes::Runtimes;
use hearth_store::Embedded;
use hearth_templates::{Images, ImagesConfig};
use hearth_types::{LogFormat, NetworkMode, Region, RequestId, Sha256, VersionKey, VersionLabel, VersionSpec};
use tokio::io::DuplexStream;

use crate::sandboxes::Sandboxes;

pub(crate) const MEMORY_MIB: u32 = 256;
const EVENT: &str = "\"an event\"";
const RUNTIME: &str = "provided.al2023";
/// How long anything may take here before it is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Host {
    pub(crate) node: Node,
    pub(crate) sandboxes: Arc<Sandboxes>,
    logs: Arc<LogStore>,
    code: Sha256,
    _dir: tempfile::TempDir,
}

#[derive(Debug)]
struct NoControl;

impl Catalogue for NoControl {
    fn is_put_aside(&self, _invoked_arn: &str) -> bool {
        false
    }

    fn current(&self, _: &str, _: f64) -> Option<Current> {
        None
    }

    fn session(&self, _: &VersionSpec) -> SessionCredentials {
        let text = || "test".to_owned();
        SessionCredentials { access_key_id: text(), secret_access_key: text(), session_token: text() }
    }
}

impl TunnelServer for NoControl {
    fn serve(&self, _: DuplexStream, _: Arc<VersionSpec>) {}
}

fn region() -> Region {
    "eu-west-1".parse().unwrap()
}

fn package() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"#!/bin/sh\n").unwrap();
    zip.finish().unwrap().into_inner()
}

fn install_runtime(dir: &Path) -> Runtimes {
    let runtimes = Runtimes::open(dir).unwrap();
    let text = format!(
        "name = {RUNTIME:?}\nroot = \"root\"\ndigest = \"test\"\nlayout = 1\ncommands = [[\"/var/task/bootstrap\"]]\n[environment]\n"
    );
    fs_err::create_dir(dir.join("roots/root")).unwrap();
    fs_err::write(dir.join(format!("{RUNTIME}.toml")), text).unwrap();
    assert!(runtimes.get(RUNTIME).is_some());
    runtimes
}

impl Host {
    pub(crate) fn new(engine: EngineConfig, sandboxes: Arc<Sandboxes>) -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = |name: &str| dir.path().join(name);
        let packages = Arc::new(Packages::open(&at("code"), PackageLimits::default()).unwrap());
        let code = packages.ingest_zip(&package()).unwrap().code;
        let images = Images::open(ImagesConfig {
            dir: at("templates"),
            hot_dir: at("hot"),
            disk_bytes_max: 1 << 30,
            hot_bytes_max: 1 << 30,
        });
        let logs = Arc::new(LogStore::open(&at("logs"), LogConfig::default(), &region()).unwrap());
        let node = Node::start(Parts {
            config: NodeConfig {
                engine,
                queue_timeout: PATIENCE,
                cpu_quota: false,
                parking: ParkingMode::None,
                async_concurrency: 1,
                region: region(),
            },
            isolation: Arc::clone(&sandboxes) as _,
            runtimes: Arc::new(install_runtime(&at("runtimes"))),
            packages,
            logs: Arc::clone(&logs),
            store: Arc::new(Embedded::open(&at("store")).unwrap()),
            catalogue: Arc::new(NoControl),
            tunnels: Arc::new(NoControl),
            templates: TemplateParts {
                images: images.map(Arc::new).map_err(|error| error.to_string()),
                agent: String::new(),
                automatic: false,
            },
        });
        Self { node, sandboxes, logs, code, _dir: dir }
    }

    /// One of as many functions as are wanted.
    pub(crate) fn spec(&self, number: u64) -> Arc<VersionSpec> {
        Arc::new(VersionSpec {
            key: VersionKey {
                account: "123456789012".parse().unwrap(),
                region: region(),
                function: format!("f{number}").parse().unwrap(),
                version: VersionLabel::Number(1),
                code: self.code,
                generation: number,
            },
            runtime: RUNTIME.to_owned(),
            runtime_version_arn: String::new(),
            handler: String::new(),
            role: "arn:aws:iam::123456789012:role/r".to_owned(),
            memory_mib: MEMORY_MIB,
            timeout_ms: 60_000,
            ephemeral_storage_mib: 512,
            environment: Default::default(),
            layers: Vec::new(),
            live_dir: None,
            network: NetworkMode::None,
            log_group: format!("/aws/lambda/f{number}"),
            log_format: LogFormat::Text,
            application_log_level: None,
            system_log_level: None,
            snap_start: false,
            tracing_active: false,
        })
    }

    pub(crate) async fn call(&self, spec: Arc<VersionSpec>) -> Result<(), InvokeError> {
        let reply = self.call_with(spec, EVENT).await?;
        assert_eq!(reply.outcome, Outcome::Success, "{:?}", reply.payload);
        assert_eq!(reply.payload, EVENT);
        Ok(())
    }

    pub(crate) async fn call_with(&self, spec: Arc<VersionSpec>, event: &'static str) -> Result<Reply, InvokeError> {
        let invocation = Invocation {
            request_id: RequestId::from_random([7; 16]),
            spec,
            invoked_arn: "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned(),
            payload: event.into(),
            client_context: None,
            trace_id: None,
            log_tail: false,
            streaming: false,
            reserved_concurrency: None,
            account_unreserved: 1000,
            wishes: None,
        };
        let reply = tokio::time::timeout(PATIENCE, self.node.invoke(invocation)).await.expect("an answer in time");
        Ok(reply?.0)
    }

    /// All that the function has logged, in order.
    pub(crate) fn log_of(&self, spec: &VersionSpec) -> Vec<String> {
        self.logs.flush().unwrap();
        let pattern = FilterPattern::parse("").unwrap();
        let mut query =
            FilterQuery { streams: StreamChoice::All, time: 0..u64::MAX, limit: 10_000, pattern, token: None };
        let mut messages = Vec::new();
        loop {
            let page = self.logs.filter_events(&spec.key.home(), &spec.log_group, &query).unwrap();
            messages.extend(page.events.iter().map(|found| String::from_utf8_lossy(&found.event.message).into_owned()));
            query.token = page.next;
            if query.token.is_none() {
                return messages;
            }
        }
    }

    pub(crate) async fn engine(&self) -> serde_json::Value {
        let view: serde_json::Value = serde_json::from_str(&self.node.view(None).await).unwrap();
        view["engine"].clone()
    }
}

pub(crate) async fn eventually(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is_true().await {
        assert!(tokio::time::Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
