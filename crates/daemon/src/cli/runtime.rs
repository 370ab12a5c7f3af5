//! `hearth runtime add|list|remove`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use hearth_runtimes::Runtimes;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::ConfigArgs;
use super::daemon;
use super::output::{GOOD, Output, Table};

#[derive(Debug, clap::Args)]
pub(crate) struct RuntimeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the prepared runtimes (the default).
    #[command(after_help = "Examples:\n  hearth runtime list")]
    List,
    /// Prepare runtimes, such as python3.11, nodejs20.x or provided.al2023.
    #[command(after_help = "Examples:\n  hearth runtime add python3.11 nodejs20.x provided.al2023")]
    Add {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Remove a prepared runtime.
    #[command(after_help = "Examples:\n  hearth runtime remove nodejs18.x")]
    Remove { name: String },
}

pub(crate) fn run(args: &RuntimeArgs, endpoint: &str, output: &Output) -> Result<ExitCode> {
    let runtimes = daemon::runtimes(&args.config, endpoint)?;
    match &args.action {
        None | Some(Action::List) => list(&runtimes, output),
        Some(Action::Add { names }) => {
            for name in names {
                add(&runtimes, name, output)?;
            }
        }
        Some(Action::Remove { name }) => {
            let removed = runtimes.remove(name)?;
            output.result(&json!({"removed": removed}), || {
                if removed { format!("removed {name}") } else { format!("{name} is not there") }
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(runtimes: &Runtimes, output: &Output) {
    let runtimes = runtimes.list();
    let rows: Vec<_> = runtimes
        .iter()
        .map(|runtime| json!({"name": runtime.name, "version": runtime.interpreter_version, "root": runtime.root}))
        .collect();
    output.result(&json!(rows), || {
        if runtimes.is_empty() {
            return "no runtimes yet: prepare one with `hearth runtime add python3.11`".to_owned();
        }
        let mut rows = Table::new(&["runtime", "version", "root"]);
        for runtime in &runtimes {
            let version = runtime.interpreter_version.as_deref().unwrap_or("-");
            rows.row([runtime.name.clone(), version.to_owned(), runtime.root.display().to_string()]);
        }
        rows.to_string()
    });
}

/// Prepares one runtime, with a bar while it takes.
pub(crate) fn add(runtimes: &Runtimes, name: &str, output: &Output) -> Result<()> {
    let bar = if output.is_json() { ProgressBar::hidden() } else { ProgressBar::new(1) };
    bar.set_style(ProgressStyle::with_template("{prefix} [{bar:20}] {elapsed} {wide_msg}")?);
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    let added = runtimes.add(name, &mut |progress| {
        bar.set_length(progress.steps.into());
        bar.set_position(progress.done.into());
        bar.set_message(progress.doing);
    });
    bar.finish_and_clear();
    let added = added?;
    let version = added.interpreter_version.as_deref().unwrap_or("-");
    output.result(&json!({"name": name, "version": added.interpreter_version}), || {
        format!("{GOOD}ready{GOOD:#} {name} ({version})")
    });
    Ok(())
}
