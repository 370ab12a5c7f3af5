//! `hearth logs NAME [-f]`.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use http::Method;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::client::{Client, is_not_found};
use super::functions::path_segment;
use super::output::Output;

/// How often new records are asked for while following.
const FOLLOW_EVERY: Duration = Duration::from_millis(300);

#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// Function name or ARN.
    name: String,
    /// Go on printing what comes.
    #[arg(short, long)]
    follow: bool,
    /// How far to look back, minutes.
    #[arg(long, default_value_t = 60)]
    since: u64,
    /// CloudWatch filter pattern.
    #[arg(long)]
    filter: Option<String>,
}

pub(crate) fn run(args: &LogsArgs, at: &DaemonArgs, output: &Output) -> Result<ExitCode> {
    let client = Client::of(at)?;
    let group = group_of(&client, &args.name)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let mut from = (now.saturating_sub(Duration::from_secs(60 * args.since))).as_millis();
    let mut seen: Vec<String> = Vec::new();
    loop {
        for event in read(&client, args, &group, from)? {
            let id = event["eventId"].as_str().unwrap_or_default().to_owned();
            let time = u128::from(event["timestamp"].as_u64().unwrap_or_default());
            if seen.contains(&id) {
                continue;
            }
            if time > from {
                from = time;
                seen.clear();
            }
            seen.push(id);
            if !output.result(&event, || event["message"].as_str().unwrap_or_default().trim_end().to_owned()) {
                return Ok(ExitCode::SUCCESS);
            }
        }
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(FOLLOW_EVERY);
    }
}

struct Group {
    name: String,
    /// Else it is what a function of that name would have, or had.
    is_of_function: bool,
}

fn group_of(client: &Client, name: &str) -> Result<Group> {
    let path = format!("/2015-03-31/functions/{}/configuration", path_segment(name));
    match client.json("lambda", Method::GET, &path, &Value::Null) {
        Ok(function) => {
            let group = function["LoggingConfig"]["LogGroup"].as_str().map(str::to_owned);
            let group = group.with_context(|| format!("the daemon does not say where {name} logs"))?;
            Ok(Group { name: group, is_of_function: true })
        }
        Err(error) if is_not_found(&error) => Ok(Group { name: format!("/aws/lambda/{name}"), is_of_function: false }),
        Err(error) => Err(error),
    }
}

/// Every record since `from`, in order of time.
fn read(client: &Client, args: &LogsArgs, group: &Group, from: u128) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut request = json!({"logGroupName": group.name, "startTime": from});
        if let Some(filter) = &args.filter {
            request["filterPattern"] = json!(filter);
        }
        if !token.is_null() {
            request["nextToken"] = token;
        }
        let page = match client.logs("FilterLogEvents", &request) {
            Err(error) if is_not_found(&error) || format!("{error:#}").contains("ResourceNotFound") => {
                if !group.is_of_function {
                    bail!("there is no function {}: `hearth functions` lists those that there are", args.name);
                }
                if !args.follow {
                    bail!("function {} has no log yet: it was never called", args.name);
                }
                return Ok(events);
            }
            page => page?,
        };
        events.extend(page["events"].as_array().cloned().unwrap_or_default());
        token = page["nextToken"].clone();
        if token.is_null() {
            return Ok(events);
        }
    }
}
