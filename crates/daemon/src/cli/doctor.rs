//! `hearth doctor`: what this machine can do, and how to get what is missing.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use hearth_runtimes::{RuntimeDefinition, Runtimes};
use hearth_sandbox::{AssignSpec, BlankSpec, Check, Finding, Parking, RestoreSpec, Saving};
use hearth_types::{NetworkMode, SandboxId};
use serde_json::{Value, json};

use super::ConfigArgs;
use super::client::Client;
use super::daemon;
use super::output::{BAD, DIM, GOOD, Output, columns, text, wrapped};
use crate::config::Config;
use crate::serve::start_isolation;

/// Where what was found stands, behind the word for how good it is.
const INDENT: usize = 9;

pub(crate) fn run(args: &ConfigArgs, endpoint: &str, output: &Output) -> Result<ExitCode> {
    let config = args.load()?;
    let mut host = hearth_sandbox::probe();
    let runtimes = runtimes(args, &config, endpoint)?;
    if host.is_usable() {
        host.checks.push(templates(&config, runtimes.first().map(|runtime| runtime.root.as_path())));
    }
    let names: Vec<&str> = runtimes.iter().map(|runtime| runtime.name.as_str()).collect();
    let checks: Vec<Value> = host.checks.iter().map(as_json).collect();
    let daemon = running(endpoint);
    let report = json!({
        "tier": "linux", "usable": host.is_usable(), "checks": checks, "runtimes": names,
        "daemon": daemon.as_ref().ok().map(|told| json!({"endpoint": endpoint, "told": told})),
    });
    output.result(&report, || {
        let mut lines: Vec<String> = host.checks.iter().map(as_text).collect();
        if names.is_empty() {
            lines.push(format!(
                "{BAD}lacking{BAD:#}  runtimes: none is prepared\n         hearth runtime add python3.11"
            ));
        } else {
            lines.push(format!("{GOOD}good{GOOD:#}     runtimes: {}", names.join(", ")));
        }
        lines.push(match &daemon {
            Ok(told) => format!("{GOOD}good{GOOD:#}     daemon: {told}"),
            Err(problem) => format!("{DIM}absent{DIM:#}   daemon: {problem:#}"),
        });
        wrapped(&lines.join("\n"), columns(&std::io::stdout()), INDENT)
    });
    Ok(if host.is_usable() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Those of the daemon that is asked; without an answer those that the configuration names.
fn runtimes(args: &ConfigArgs, config: &Config, endpoint: &str) -> Result<Vec<Arc<RuntimeDefinition>>> {
    let runtimes = match daemon::runtimes(args, endpoint) {
        Ok(runtimes) => runtimes,
        Err(_not_told) => Runtimes::open(&config.runtimes_dir())?,
    };
    Ok(runtimes.list())
}

/// What the daemon says about how it runs.
fn running(endpoint: &str) -> Result<String> {
    let client = Client::new(endpoint)?;
    let Some(state) = daemon::ask(&client)? else {
        bail!("none answers at {} (start one with `hearth serve`, or name it with --endpoint)", client.endpoint());
    };
    let isolation = &state["isolation"];
    Ok(format!(
        "answers at {}, process {}, isolation {} ({})",
        client.endpoint(),
        text(&state["daemon"]["pid"]),
        text(&isolation["tier"]),
        text(&isolation["privilege"]),
    ))
}

/// Whether sandboxes can be saved and restored: seen by doing it, once.
fn templates(config: &Config, root: Option<&Path>) -> Check {
    let (finding, detail) = match save_and_restore(config, root) {
        Ok(detail) => (Finding::Good, detail),
        Err(error) => (Finding::Lacking, format!("{error:#}")),
    };
    let remedy =
        "run scripts/install-criu as root (CRIU 4.2 or later; templates.criu or HEARTH_CRIU name another place)";
    Check { name: "templates", finding, detail, remedy: (finding != Finding::Good).then_some(remedy) }
}

fn save_and_restore(config: &Config, root: Option<&Path>) -> Result<String> {
    let place = tempfile::tempdir()?;
    let config = Config { data_dir: place.path().join("data"), ..config.clone() };
    fs_err::create_dir_all(&config.data_dir)?;
    let isolation = start_isolation(&config)?;
    let identity = match isolation.saving() {
        Saving::Available { identity } => identity.lines().next().unwrap_or_default().to_owned(),
        Saving::Unavailable { reason } => bail!("{reason}"),
    };
    let root = root.context("a runtime is needed to try it; add one with `hearth runtime add`")?;
    let (task_dir, images) = (place.path().join("task"), place.path().join("images"));
    fs_err::create_dir_all(&task_dir)?;
    fs_err::create_dir_all(&images)?;
    let assign = trial(task_dir);
    let (saved, restored) = (SandboxId(1), SandboxId(2));
    isolation.create(&BlankSpec { id: saved, root: root.to_owned(), parking: Parking::None, urgent: true })?;
    leave(UnixStream::from(isolation.assign(saved, &assign)?))?;
    isolation.save(saved, &assign, &images)?;
    isolation.destroy(saved)?;
    isolation.restore(restored, &RestoreSpec { image_dir: images, root: root.to_owned(), assign })?;
    isolation.destroy(restored)?;
    Ok(format!("{identity} saved and restored a sandbox"))
}

fn trial(task_dir: PathBuf) -> AssignSpec {
    AssignSpec {
        task_dir,
        task_dir_may_hang: false,
        opt_dir: None,
        tmp_mib: 1,
        memory_mib: 128,
        cpu_weight_millis: 1000,
        cpu_limit_millis: None,
        processes_max: 16,
        network: NetworkMode::None,
        urgent: true,
    }
}

/// Ends a connection to an agent, and waits until the agent knows.
fn leave(mut stream: UnixStream) -> std::io::Result<()> {
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn word(finding: Finding) -> &'static str {
    match finding {
        Finding::Good => "good",
        Finding::Lacking => "lacking",
        Finding::Fatal => "fatal",
    }
}

fn as_json(check: &Check) -> Value {
    json!({"name": check.name, "finding": word(check.finding), "detail": check.detail, "remedy": check.remedy})
}

fn as_text(check: &Check) -> String {
    let style = if check.finding == Finding::Good { GOOD } else { BAD };
    let mut line = format!("{style}{:<7}{style:#}  {}: {}", word(check.finding), check.name, check.detail);
    if let Some(remedy) = check.remedy {
        line.push_str("\n         ");
        line.push_str(remedy);
    }
    line
}
