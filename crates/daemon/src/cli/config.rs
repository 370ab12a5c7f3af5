//! `hearth config check|print`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::output::{GOOD, Output};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say whether a file is valid, and what is wrong with it.
    #[command(after_help = "Examples:\n  hearth config check /etc/hearth.toml")]
    Check { file: PathBuf },
    /// Print what is in force: the file's values and the defaults.
    #[command(after_help = "Examples:\n  hearth config print\n  hearth config print --config /etc/hearth.toml")]
    Print {
        /// Configuration file (TOML).
        #[arg(long, env = "HEARTH_CONFIG")]
        config: Option<PathBuf>,
    },
}

pub(crate) fn run(command: &ConfigCommand, output: &Output) -> Result<ExitCode> {
    match &command.action {
        Action::Check { file } => {
            Config::load(Some(file))?;
            output.result(&json!({"valid": true}), || format!("{GOOD}ok{GOOD:#} {} is valid", file.display()));
        }
        Action::Print { config } => {
            let mut config = Config::load(config.as_deref())?;
            let accounts = config.access_keys.iter_mut().map(|key| &mut key.secret);
            for secret in accounts.chain(config.operator_keys.iter_mut().map(|key| &mut key.secret)) {
                "(hidden)".clone_into(secret);
            }
            for secret in config.code.buckets.values_mut().filter_map(|bucket| bucket.secret_access_key.as_mut()) {
                "(hidden)".clone_into(secret);
            }
            if let Some(token) = &mut config.metrics.token {
                "(hidden)".clone_into(token);
            }
            let text = toml::to_string(&config).context("the configuration cannot be written as TOML")?;
            output.result(&serde_json::to_value(&config)?, || text);
        }
    }
    Ok(ExitCode::SUCCESS)
}
