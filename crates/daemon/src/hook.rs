//! The operator's capacity hook: a command that gets the request on its standard input, or a URL that it is posted to.

mod guard;

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use hearth_engine::port::{BoxFuture, CapacityHook, HookError};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

pub(crate) use guard::{GUARD_ARGUMENT, guard, guarded};

/// Longest answer, bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What is kept of a failed command's standard error.
const COMPLAINT_BYTES_MAX: usize = 2048;

/// A command: program and arguments.
#[derive(Debug)]
pub(crate) struct CommandHook {
    pub(crate) command: Vec<String>,
    pub(crate) timeout: Duration,
}

/// An `http://` URL.
#[derive(Debug)]
pub(crate) struct UrlHook {
    url: http::Uri,
    timeout: Duration,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl UrlHook {
    pub(crate) fn new(url: http::Uri, timeout: Duration) -> Self {
        Self { url, timeout, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn post(&self, request: String) -> Result<Vec<u8>, HookError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(request)))
            .map_err(|error| HookError::Failed(error.to_string()))?;
        let response = self.client.request(request).await;
        let (head, body) = response.map_err(|error| failed("the hook's URL cannot be reached", &error))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| HookError::Failed(format!("the hook's answer broke off: {error}")))?.to_bytes();
        if !head.status.is_success() {
            let text = String::from_utf8_lossy(&body[..body.len().min(COMPLAINT_BYTES_MAX)]).into_owned();
            return Err(HookError::Failed(format!("the hook answered {}: {text}", head.status)));
        }
        Ok(body.to_vec())
    }
}

impl CapacityHook for UrlHook {
    fn call(&self, request: String) -> BoxFuture<'_, Result<Vec<u8>, HookError>> {
        Box::pin(within(self.timeout, self.post(request)))
    }
}

impl CommandHook {
    async fn run(&self, request: String) -> Result<Vec<u8>, HookError> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(HookError::Failed("the hook's command is empty".to_owned()));
        };
        // A group of its own: whatever it starts ends with it.
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| failed(&format!("the hook's command {program:?} cannot be run"), &error))?;
        let mut group = Group(child);
        let child = &mut group.0;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // A hook that reads nothing may still answer.
                let _closed = stdin.write_all(request.as_bytes()).await.is_err();
            }
        };
        let ((), answer, complaint) =
            tokio::join!(write, read(stdout, ANSWER_BYTES_MAX + 1), read(stderr, COMPLAINT_BYTES_MAX));
        let status = child.wait().await.map_err(|error| failed("the hook's command was lost", &error))?;
        if !status.success() {
            let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
            return Err(HookError::Failed(format!("the hook's command failed ({status}): {complaint}")));
        }
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(HookError::Failed(format!("the hook answered more than {ANSWER_BYTES_MAX} bytes")));
        }
        Ok(answer)
    }
}

impl CapacityHook for CommandHook {
    fn call(&self, request: String) -> BoxFuture<'_, Result<Vec<u8>, HookError>> {
        Box::pin(within(self.timeout, self.run(request)))
    }
}

/// Ends the command and all that it started, when it is not waited for any longer.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        if let Some(pid) = pid {
            let _gone = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).is_err();
        }
    }
}

/// The first `bytes_max` bytes; the rest is read as well, so that the writer comes to its end.
async fn read(pipe: Option<impl AsyncRead + Unpin>, bytes_max: usize) -> Vec<u8> {
    let Some(mut pipe) = pipe else { return Vec::new() };
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let room = bytes_max - kept.len();
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    kept
}

async fn within(
    timeout: Duration,
    call: impl Future<Output = Result<Vec<u8>, HookError>>,
) -> Result<Vec<u8>, HookError> {
    match tokio::time::timeout(timeout, call).await {
        Ok(result) => result,
        Err(_elapsed) => Err(HookError::TimedOut { seconds: timeout.as_secs() }),
    }
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> HookError {
    HookError::Failed(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(script: &str, timeout: Duration) -> Result<Vec<u8>, HookError> {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        CommandHook { command, timeout }.call("{\"action\":\"acquire\"}".to_owned()).await
    }

    #[tokio::test]
    async fn a_command_gets_the_request_and_gives_the_answer() {
        let long = Duration::from_secs(60);
        assert_eq!(run("cat", long).await.unwrap(), b"{\"action\":\"acquire\"}");
        assert_eq!(run("exec <&-; echo {}", long).await.unwrap(), b"{}\n");
        let error = run("echo no money >&2; exit 3", long).await.unwrap_err().to_string();
        assert!(error.contains("no money") && error.contains('3'), "{error}");
        let error = run("head -c 70000 /dev/zero", long).await.unwrap_err().to_string();
        assert!(error.contains("more than 65536 bytes"), "{error}");
        let missing = CommandHook { command: vec!["/nowhere".to_owned()], timeout: long };
        assert!(missing.call(String::new()).await.unwrap_err().to_string().contains("/nowhere"));
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
        let command = ["sh", "-c", &script].map(str::to_owned).to_vec();
        let hook = CommandHook { command, timeout: Duration::from_millis(500) };
        assert!(matches!(hook.call(String::new()).await, Err(HookError::TimedOut { .. })));
        let pid: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let alive = || state().rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'));
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while alive() {
            assert!(std::time::Instant::now() < deadline, "the command's child is still there");
            tokio::task::yield_now().await;
        }
    }
}
