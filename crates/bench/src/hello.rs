//! The plain server: reads a request, answers a constant, as little as hyper lets one do.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

/// As long as the answers of the sample functions.
const BODY: &[u8] = br#"{"message": "Hello, bench!", "function": "bench-python", "invocation": 12345}"#;

/// Serves until it is killed; prints its address first.
pub(crate) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service_fn(answer));
                // The client hangs up when it has measured enough.
                let _closed = connection.await.is_err();
            });
        }
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let _read = request.into_body().collect().await.is_ok();
    let mut response = Response::new(Full::new(Bytes::from_static(BODY)));
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The server as a process of its own, ended when dropped.
pub(crate) struct HelloServer {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl HelloServer {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn start() -> Result<Self> {
        let program: PathBuf = std::env::current_exe()?;
        let mut child = Command::new(program).arg("hello-server").stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("stdout is piped")?;
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
        Ok(Self { child, address: line.trim().parse().context("the hello server did not say its address")? })
    }
}

impl Drop for HelloServer {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            let _status = self.child.wait().is_ok();
        }
    }
}
