//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

mod account;
mod capacity;
mod client;
mod config;
mod demo;
mod deploy;
mod doctor;
mod functions;
mod invoke;
mod key;
mod logs;
mod output;
mod pool;
mod role;
mod runtime;
mod sign;
mod sim;
mod top;

use crate::log::LogStyle;
use output::Output;

/// Functions on demand, on machines you own, through AWS Lambda's protocols.
#[derive(Debug, Parser)]
#[command(name = "hearth", version, propagate_version = true)]
struct Cli {
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    /// The daemon to talk to.
    #[arg(long, global = true, env = "HEARTH_ENDPOINT", default_value = "http://127.0.0.1:4566")]
    endpoint: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    Serve(ServeArgs),
    /// Create or update a function from a directory or zip file.
    Deploy(deploy::DeployArgs),
    /// Call a function and print its answer.
    Invoke(invoke::InvokeArgs),
    /// Show a function's log.
    Logs(logs::LogsArgs),
    /// List functions, or delete one.
    Functions(functions::FunctionsArgs),
    /// Prepare, list and remove language runtimes.
    Runtime(runtime::RuntimeArgs),
    /// Sub-pools: list, make, change, delete.
    Pool(pool::PoolArgs),
    /// Instances, policies and trust groups: list, add, change, take away; the log of changes.
    Capacity(capacity::CapacityArgs),
    /// Access keys: list, create, rotate, delete.
    Key(key::KeyArgs),
    /// Accounts: list, create, disable, enable.
    Account(account::AccountArgs),
    /// Show what runs: sandboxes, starts, queues and rates, live.
    Top(top::TopArgs),
    /// Say what this machine can do, and how to get what is missing.
    Doctor(ConfigArgs),
    /// Check or print the configuration.
    Config(config::ConfigCommand),
    /// Compare keep-alive policies on recorded traffic.
    Sim(Box<sim::SimArgs>),
    /// Start a daemon, deploy sample functions and call them cold and warm.
    Demo(demo::DemoArgs),
    /// Print completions for a shell.
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file (TOML).
    #[arg(long, env = "HEARTH_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of everything that outlives the daemon.
    #[arg(long = "data", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl ConfigArgs {
    pub(crate) fn load(&self) -> Result<crate::config::Config, crate::config::ConfigError> {
        let mut config = crate::config::Config::load(self.config.as_deref())?;
        if let Some(dir) = &self.data_dir {
            config.data_dir.clone_from(dir);
        }
        // The launcher works in another directory.
        config.data_dir = std::path::absolute(&config.data_dir).map_err(crate::config::ConfigError::DataDir)?;
        Ok(config)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address to serve the API on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<std::net::SocketAddr>,
    /// Form of the daemon's own log.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogStyle,
    /// Log more; twice: everything.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    let result = match cli.command {
        Command::Serve(args) => serve(&args),
        Command::Deploy(args) => deploy::run(&args, &cli.endpoint, &output),
        Command::Invoke(args) => invoke::run(&args, &cli.endpoint, &output),
        Command::Logs(args) => logs::run(&args, &cli.endpoint, &output),
        Command::Functions(args) => functions::run(&args, &cli.endpoint, &output),
        Command::Runtime(args) => runtime::run(&args, &output),
        Command::Pool(args) => pool::run(&args, &cli.endpoint, &output),
        Command::Capacity(args) => capacity::run(&args, &cli.endpoint, &output),
        Command::Key(args) => key::run(&args, &cli.endpoint, &output),
        Command::Account(args) => account::run(&args, &cli.endpoint, &output),
        Command::Top(args) => top::run(&args, &cli.endpoint, &output),
        Command::Doctor(args) => doctor::run(&args, &output),
        Command::Config(args) => config::run(&args, &output),
        Command::Sim(args) => sim::run(&args, &output),
        Command::Demo(args) => demo::run(&args, &output),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "hearth", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    result.unwrap_or_else(|error| {
        output.error(&error);
        ExitCode::FAILURE
    })
}

fn serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    crate::log::init(args.log_format, args.verbose);
    let mut config = args.config.load()?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    crate::serve::run(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
