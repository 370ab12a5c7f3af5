//! `hearth invoke NAME`.

use std::io::Read as _;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::client::{Answer, Client};
use super::functions::path_segment;
use super::output::{BAD, DIM, Output};

/// As shells have it for what Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

#[derive(Debug, clap::Args)]
pub(crate) struct InvokeArgs {
    /// Function name or ARN, with `:QUALIFIER` if wanted.
    name: String,
    /// JSON, `{}` if nothing is given; `@FILE` reads a file, `-` standard input.
    payload: Option<String>,
    /// The same as an option.
    #[arg(short = 'p', long = "payload", value_name = "PAYLOAD", conflicts_with = "payload")]
    named_payload: Option<String>,
    /// Queue it and return at once.
    #[arg(long = "async")]
    asynchronous: bool,
    /// Show the end of the log as well.
    #[arg(short, long)]
    tail: bool,
}

pub(crate) fn run(args: &InvokeArgs, at: &DaemonArgs, output: &Output) -> Result<ExitCode> {
    let client = Client::of(at)?;
    let payload = args.payload.as_ref().or(args.named_payload.as_ref());
    let payload = read_payload(payload.map_or("{}", String::as_str))?;
    let started = Instant::now();
    let Some(answer) = call(&client, args, payload)? else {
        let waited = started.elapsed().as_secs();
        output.note(&format!(
            "stopped waiting for {name} after {waited} s; what runs goes on until it ends: hearth logs {name}",
            name = args.name
        ));
        return Ok(INTERRUPTED.into());
    };
    if answer.status >= 300 {
        answer.into_json()?;
        return Ok(ExitCode::FAILURE);
    }
    if args.asynchronous {
        output.result(&json!({"status": answer.status}), || "queued".to_owned());
        return Ok(ExitCode::SUCCESS);
    }
    let log =
        answer.header("x-amz-log-result").and_then(|log| base64::engine::general_purpose::STANDARD.decode(log).ok());
    let failed = answer.header("x-amz-function-error");
    let timeline = answer.header("x-hearth-timeline");
    if output.is_json() {
        let payload: Value =
            serde_json::from_slice(&answer.body).unwrap_or_else(|_binary| json!(String::from_utf8_lossy(&answer.body)));
        output.line(
            &json!({
                "payload": payload, "functionError": failed, "timeline": timeline,
                "executedVersion": answer.header("x-amz-executed-version"),
                "log": log.map(|log| String::from_utf8_lossy(&log).into_owned()),
            })
            .to_string(),
        );
    } else {
        if let Some(log) = log {
            output.aside(&format!("{DIM}{}{DIM:#}", String::from_utf8_lossy(&log).trim_end()));
        }
        if let Some(kind) = failed {
            output.note(&format!("{BAD}the function failed ({kind}){BAD:#}"));
        }
        if let Some(timeline) = timeline {
            output.note(&format!("{DIM}{timeline}{DIM:#}"));
        }
        output.bytes(&answer.body);
    }
    Ok(if failed.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// `None` if Ctrl-C came before the answer.
fn call(client: &Client, args: &InvokeArgs, payload: Bytes) -> Result<Option<Answer>> {
    let headers = headers(args.asynchronous, args.tail);
    client.call_unless_interrupted("lambda", Method::POST, &path(&args.name), &headers, payload)
}

pub(crate) fn invoke(client: &Client, name: &str, payload: Bytes) -> Result<Answer> {
    client.call("lambda", Method::POST, &path(name), &headers(false, false), payload)
}

fn path(name: &str) -> String {
    format!("/2015-03-31/functions/{}/invocations", path_segment(name))
}

fn headers(asynchronous: bool, tail: bool) -> [(&'static str, &'static str); 4] {
    [
        ("x-amz-invocation-type", if asynchronous { "Event" } else { "RequestResponse" }),
        ("x-amz-log-type", if tail && !asynchronous { "Tail" } else { "None" }),
        ("x-hearth-timeline", "1"),
        ("content-type", "application/json"),
    ]
}

fn read_payload(argument: &str) -> Result<Bytes> {
    if argument == "-" {
        let mut payload = Vec::new();
        std::io::stdin().read_to_end(&mut payload).context("cannot read the payload from standard input")?;
        return Ok(payload.into());
    }
    match argument.strip_prefix('@') {
        Some(file) => Ok(fs_err::read(file)?.into()),
        None => Ok(Bytes::copy_from_slice(argument.as_bytes())),
    }
}
