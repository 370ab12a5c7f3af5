//! `hearth doctor`: what this machine can do, and how to get what is missing.

use std::process::ExitCode;

use anyhow::Result;
use hearth_runtimes::Runtimes;
use hearth_sandbox::{Check, Finding};
use serde_json::{Value, json};

use super::ConfigArgs;
use super::output::{BAD, GOOD, Output};

pub(crate) fn run(args: &ConfigArgs, output: &Output) -> Result<ExitCode> {
    let config = args.load()?;
    let host = hearth_sandbox::probe();
    let runtimes = Runtimes::open(&config.runtimes_dir())?.list();
    let names: Vec<&str> = runtimes.iter().map(|runtime| runtime.name.as_str()).collect();
    let checks: Vec<Value> = host.checks.iter().map(as_json).collect();
    let report = json!({"tier": "linux", "usable": host.is_usable(), "checks": checks, "runtimes": names});
    output.result(&report, || {
        let mut lines: Vec<String> = host.checks.iter().map(as_text).collect();
        if names.is_empty() {
            lines.push(format!(
                "{BAD}lacking{BAD:#}  runtimes: none is prepared\n         hearth runtime add python3.11"
            ));
        } else {
            lines.push(format!("{GOOD}good{GOOD:#}     runtimes: {}", names.join(", ")));
        }
        lines.join("\n")
    });
    Ok(if host.is_usable() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
