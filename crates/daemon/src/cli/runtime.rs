//! `hearth runtime add|list|remove`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use hearth_runtimes::Runtimes;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::ConfigArgs;
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
    List,
    /// Prepare runtimes, such as python3.11, nodejs20.x or provided.al2023.
    Add {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Remove a prepared runtime.
    Remove { name: String },
}

pub(crate) fn run(args: &RuntimeArgs, output: &Output) -> Result<ExitCode> {
    let config = args.config.load()?;
    let runtimes = Runtimes::open(&config.runtimes_dir())?;
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

/// Prepares one runtime, with a spinner while it takes.
pub(crate) fn add(runtimes: &Runtimes, name: &str, output: &Output) -> Result<()> {
    let bar = if output.is_json() { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    bar.set_style(ProgressStyle::with_template("{spinner} {prefix}: {wide_msg} [{elapsed}]")?);
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    let added = runtimes.add(name, &mut |progress| bar.set_message(progress.doing));
    bar.finish_and_clear();
    let added = added?;
    let version = added.interpreter_version.as_deref().unwrap_or("-");
    output.result(&json!({"name": name, "version": added.interpreter_version}), || {
        format!("{GOOD}ready{GOOD:#} {name} ({version})")
    });
    Ok(())
}
