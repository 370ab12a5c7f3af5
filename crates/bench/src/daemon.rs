//! The daemon under test: a process of its own, on a fresh data directory, driven through its public API.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Connection, EVENT, invocation_path, request, request_with};
use crate::signed;
use crate::subject::Function;

const READY_WITHIN: Duration = Duration::from_secs(10);
const ACTIVE_WITHIN: Duration = Duration::from_secs(60);

pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Requests are signed.
    is_guarded: bool,
    _data: TempDir,
}

impl Daemon {
    /// `node` are lines of the configuration's section of that name; other sections may follow.
    pub(crate) async fn start(program: &Path, runtimes: &Path, node: &str) -> Result<Self> {
        let data = tempfile::Builder::new().prefix("hearth-bench-").tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config: PathBuf = data.path().join("hearth.toml");
        let runtimes = fs_err::canonicalize(runtimes).context("prepare runtimes first: `scripts/prepare`")?;
        let runtimes = runtimes.display().to_string();
        fs_err::write(&config, format!("runtimes_dir = {runtimes:?}\n[node]\n{node}\n"))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(&config).arg("--data").arg(data.path().join("data"));
        command.arg("--listen").arg(address.to_string()).env("HEARTH_LOG", "warn").stdin(Stdio::null());
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut daemon = Self { child, address, is_guarded: false, _data: data };
        daemon.wait_until_ready().await?;
        Ok(daemon)
    }

    /// One that takes signed requests alone.
    pub(crate) async fn start_guarded(program: &Path, runtimes: &Path) -> Result<Self> {
        let mut daemon = Self::start(program, runtimes, &signed::configuration()).await?;
        daemon.is_guarded = true;
        // Where there are keys, a function's role has to be there.
        let body = "Action=CreateRole&Version=2010-05-08&RoleName=bench&AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22\
                    %2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws\
                    .com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
        let headers = signed::headers("iam", "POST", "/", body);
        let request = request_with(&headers, ("POST", "/"), "application/x-www-form-urlencoded", body);
        Connection::open(daemon.address).await?.exchange(&request).await?.succeeded().context("cannot make a role")?;
        Ok(daemon)
    }

    /// A request as this daemon takes it, for the next few minutes.
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        if !self.is_guarded {
            return request(method, path, body);
        }
        let headers = signed::headers("lambda", method, path, body);
        request_with(&headers, (method, path), "application/json", body)
    }

    pub(crate) fn invocation(&self, function: &str) -> Vec<u8> {
        self.request("POST", &invocation_path(function), EVENT)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stop(mut self) -> Result<()> {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM)?;
        let status = self.child.wait()?;
        // One that has only just begun to serve ends by the signal itself.
        if !status.success() && status.signal() != Some(rustix::process::Signal::TERM.as_raw()) {
            bail!("the daemon ended with {status}");
        }
        Ok(())
    }

    /// A new function, ready to be called.
    pub(crate) async fn deploy(&self, name: &str, function: &Function) -> Result<()> {
        let zip = base64::engine::general_purpose::STANDARD.encode(&function.package);
        let described = json!({
            "FunctionName": name,
            "Runtime": function.runtime,
            "Role": format!("arn:aws:iam::{}:role/bench", signed::ACCOUNT),
            "Handler": function.handler,
            "MemorySize": function.memory_mib,
            "Timeout": 20,
            "Code": {"ZipFile": zip},
        });
        self.call("POST", "/2015-03-31/functions", &described).await?;
        self.until_active(name).await.map(drop)
    }

    /// Publishes version 1 of a function with SnapStart. Returns why it starts without a template, if it does.
    pub(crate) async fn publish_saved(&self, name: &str) -> Result<Option<String>> {
        let on = json!({"SnapStart": {"ApplyOn": "PublishedVersions"}});
        self.call("PUT", &format!("/2015-03-31/functions/{name}/configuration"), &on).await?;
        self.until_active(name).await?;
        self.call("POST", &format!("/2015-03-31/functions/{name}/versions"), &json!({})).await?;
        let version = self.until_active(&format!("{name}:1")).await?;
        let on = version["SnapStart"]["OptimizationStatus"] == "On";
        Ok((!on).then(|| version["StateReason"].as_str().unwrap_or("no reason told").to_owned()))
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, &Value::Null).await
    }

    /// The configuration of the function or version, once it can be called.
    async fn until_active(&self, name: &str) -> Result<Value> {
        let deadline = Instant::now() + ACTIVE_WITHIN;
        loop {
            let state = self.get(&format!("/2015-03-31/functions/{name}/configuration")).await?;
            match state["State"].as_str() {
                Some("Active") => return Ok(state),
                Some("Pending") if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(5)).await,
                _ => bail!("{name} does not become active: {state}"),
            }
        }
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.exchange(&self.request(method, path, &body)).await?;
        answer.succeeded().with_context(|| format!("{method} {path}"))?;
        serde_json::from_slice(answer.body).context("the answer is not JSON")
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the daemon ended with {status} instead of serving");
            }
            if let Ok(mut connection) = Connection::open(self.address).await
                && let Ok(answer) = connection.exchange(&request("GET", "/_hearth/health", "")).await
                && answer.status == 200
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the daemon did not get ready within {READY_WITHIN:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // After `stop` it has ended already; after a failure it is not worth waiting for.
        if matches!(self.child.try_wait(), Ok(None)) && self.child.kill().is_ok() {
            let _status = self.child.wait().is_ok();
        }
    }
}
