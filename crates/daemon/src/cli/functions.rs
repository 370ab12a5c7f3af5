//! `hearth functions [delete NAME]`.

use std::process::ExitCode;

use anyhow::Result;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::DaemonArgs;
use super::client::Client;
use super::output::{Output, Table};

#[derive(Debug, clap::Args)]
pub(crate) struct FunctionsArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the functions (the default).
    #[command(after_help = "Examples:\n  hearth functions list\n  hearth functions --json")]
    List,
    /// Delete a function, all its versions and aliases.
    #[command(after_help = "Examples:\n  hearth functions delete app")]
    Delete { name: String },
}

pub(crate) fn run(args: &FunctionsArgs, at: &DaemonArgs, output: &Output) -> Result<ExitCode> {
    let client = Client::of(at)?;
    match &args.action {
        None | Some(Action::List) => list(&client, output)?,
        Some(Action::Delete { name }) => {
            client.json(
                "lambda",
                Method::DELETE,
                &format!("/2015-03-31/functions/{}", path_segment(name)),
                &Value::Null,
            )?;
            output.result(&json!({"deleted": name}), || format!("deleted {name}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(client: &Client, output: &Output) -> Result<()> {
    let mut functions = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let path = match &marker {
            None => "/2015-03-31/functions".to_owned(),
            Some(marker) => format!("/2015-03-31/functions?Marker={}", path_segment(marker)),
        };
        let page = client.json("lambda", Method::GET, &path, &Value::Null)?;
        functions.extend(page["Functions"].as_array().cloned().unwrap_or_default());
        match page["NextMarker"].as_str() {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    output.result(&json!(functions), || {
        if functions.is_empty() {
            return "no functions yet: deploy one with `hearth deploy DIR --name NAME`".to_owned();
        }
        let mut rows = Table::new(&["name", "runtime", "handler", "memory", "timeout", "modified"]);
        for function in &functions {
            rows.row([
                text(&function["FunctionName"]),
                text(&function["Runtime"]),
                text(&function["Handler"]),
                format!("{} MB", function["MemorySize"]),
                format!("{} s", function["Timeout"]),
                text(&function["LastModified"]),
            ]);
        }
        rows.to_string()
    });
    Ok(())
}

/// What a part of a path leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encoded for a path.
pub(crate) fn path_segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}
