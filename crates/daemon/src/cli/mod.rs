//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

mod account;
mod aws_cli;
mod capacity;
mod client;
mod config;
mod daemon;
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
mod sim;
mod top;

use crate::log::LogStyle;
use output::Output;

/// Where the help shows what every command takes.
const GLOBAL: &str = "Global options";

/// Functions on demand, on machines you own, through AWS Lambda's protocols.
#[derive(Debug, Parser)]
#[command(name = "hearth", version, propagate_version = true)]
#[command(
    after_help = "Examples:\n  hearth serve &\n  hearth deploy my-function\n  hearth invoke my-function '{\"number\": 21}'\n  hearth logs -f my-function"
)]
struct Cli {
    /// Print results as JSON.
    #[arg(long, global = true, help_heading = GLOBAL)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DaemonArgs {
    /// The daemon to talk to: a URL, an address, or a port of this machine.
    #[arg(long, global = true, env = "HEARTH_ENDPOINT", default_value = "http://127.0.0.1:4566", help_heading = GLOBAL)]
    pub(crate) endpoint: String,
    /// The Region of functions and logs; without it and AWS_DEFAULT_REGION the daemon's own.
    #[arg(long, global = true, env = "AWS_REGION", value_name = "REGION", help_heading = GLOBAL)]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    #[command(
        after_help = "Examples:\n  hearth serve\n  hearth serve --listen 4599 --data ~/hearth\n  hearth serve --config /etc/hearth.toml"
    )]
    Serve(ServeArgs),
    /// Create or update a function from a directory or zip file.
    #[command(
        after_help = "Examples:\n  hearth deploy my-function\n  hearth deploy app.zip --runtime python3.11 --handler app.handler\n  hearth deploy my-function --network egress --env STAGE=test --watch"
    )]
    Deploy(deploy::DeployArgs),
    /// Call a function and print its answer.
    #[command(
        after_help = "Examples:\n  hearth invoke app '{\"number\": 21}'\n  hearth invoke app @event.json --tail\n  hearth invoke app:live --async\n  echo 1 | hearth invoke app -"
    )]
    Invoke(invoke::InvokeArgs),
    /// Show a function's log.
    #[command(
        after_help = "Examples:\n  hearth logs app\n  hearth logs -f app\n  hearth logs app --since 5 --filter ERROR"
    )]
    Logs(logs::LogsArgs),
    /// List functions, or delete one.
    #[command(after_help = "Examples:\n  hearth functions\n  hearth functions delete app")]
    Functions(functions::FunctionsArgs),
    /// Prepare, list and remove language runtimes.
    #[command(after_help = "Examples:\n  hearth runtime\n  hearth runtime add python3.11 nodejs20.x")]
    Runtime(runtime::RuntimeArgs),
    /// Sub-pools: list, make, change, delete.
    #[command(after_help = "Examples:\n  hearth pool\n  hearth pool set archive --frequency rare")]
    Pool(pool::PoolArgs),
    /// Instances, policies and trust groups: list, add, change, take away; the log of changes.
    #[command(
        after_help = "Examples:\n  hearth capacity\n  hearth capacity add share-1 --memory 4096 --pool gold\n  hearth capacity policy 123456789012 --shortage borrow:general reject"
    )]
    Capacity(capacity::CapacityArgs),
    /// Access keys: list, create, rotate, delete.
    #[command(after_help = "Examples:\n  hearth key\n  hearth key create --account 123456789012 --name ci")]
    Key(key::KeyArgs),
    /// Accounts: list, create, disable, enable.
    #[command(after_help = "Examples:\n  hearth account\n  hearth account create 123456789012 --name shop")]
    Account(account::AccountArgs),
    /// Show what runs: sandboxes, starts, queues and rates, live.
    #[command(
        after_help = "Examples:\n  hearth top\n  hearth top --once\n  hearth top --json --interval 5 | jq .calls"
    )]
    Top(top::TopArgs),
    /// Say what this machine can do, and how to get what is missing.
    #[command(after_help = "Examples:\n  hearth doctor\n  hearth doctor --config /etc/hearth.toml --json")]
    Doctor(ConfigArgs),
    /// Check or print the configuration.
    #[command(after_help = "Examples:\n  hearth config print\n  hearth config check /etc/hearth.toml")]
    Config(config::ConfigCommand),
    /// Compare keep-alive policies on recorded traffic.
    #[command(
        after_help = "Examples:\n  hearth sim --trace calls.csv\n  hearth sim --trace calls.csv --policy hearth fixed:600 --plot curves.svg"
    )]
    Sim(Box<sim::SimArgs>),
    /// Start a daemon, deploy sample functions and call them cold and warm.
    #[command(after_help = "Examples:\n  hearth demo\n  hearth demo --once --listen 4599")]
    Demo(demo::DemoArgs),
    /// Print completions for a shell.
    #[command(
        after_help = "Examples:\n  hearth completions bash > /etc/bash_completion.d/hearth\n  source <(hearth completions zsh)"
    )]
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file (TOML).
    #[arg(long, global = true, value_name = "FILE", env = "HEARTH_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of everything that outlives the daemon.
    #[arg(long = "data", global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl ConfigArgs {
    fn is_given(&self) -> bool {
        self.config.is_some() || self.data_dir.is_some()
    }

    pub(crate) fn load(&self) -> Result<crate::config::Config, crate::config::ConfigError> {
        let mut config = crate::config::Config::load(self.config.as_deref())?;
        if let Some(dir) = &self.data_dir {
            config.data_dir.clone_from(dir);
        }
        config.resolve()?;
        Ok(config)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address to serve the API on, or a port of 127.0.0.1.
    #[arg(long, value_name = "ADDRESS", value_parser = crate::config::parse_listen)]
    listen: Option<std::net::SocketAddr>,
    /// Form of the daemon's own log.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogStyle,
    /// Log more; twice: everything.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) if wrong.use_stderr() => wrong.exit(),
        Err(asked) => return help(&asked),
    };
    let output = Output::new(cli.json);
    let result = match cli.command {
        Command::Serve(args) => serve(&args),
        Command::Deploy(args) => deploy::run(&args, &cli.daemon, &output),
        Command::Invoke(args) => invoke::run(&args, &cli.daemon, &output),
        Command::Logs(args) => logs::run(&args, &cli.daemon, &output),
        Command::Functions(args) => functions::run(&args, &cli.daemon, &output),
        Command::Runtime(args) => runtime::run(&args, &cli.daemon.endpoint, &output),
        Command::Pool(args) => pool::run(&args, &cli.daemon.endpoint, &output),
        Command::Capacity(args) => capacity::run(&args, &cli.daemon.endpoint, &output),
        Command::Key(args) => key::run(&args, &cli.daemon.endpoint, &output),
        Command::Account(args) => account::run(&args, &cli.daemon.endpoint, &output),
        Command::Top(args) => top::run(&args, &cli.daemon.endpoint, &output),
        Command::Doctor(args) => doctor::run(&args, &cli.daemon.endpoint, &output),
        Command::Config(args) => config::run(&args, &output),
        Command::Sim(args) => sim::run(&args, &output),
        Command::Demo(args) => demo::run(&args, &output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hearth", &mut script);
            output.line(String::from_utf8_lossy(&script).trim_end());
            Ok(ExitCode::SUCCESS)
        }
    };
    let code = result.unwrap_or_else(|error| {
        output.error(&error);
        ExitCode::FAILURE
    });
    told(code, &output)
}

/// `--help` and `--version`, which the parser answers.
fn help(asked: &clap::Error) -> ExitCode {
    let output = Output::new(false);
    output.line(asked.render().ansi().to_string().trim_end());
    told(ExitCode::SUCCESS, &output)
}

/// What was asked for and could not be written is a failure, whatever else came out well.
fn told(code: ExitCode, output: &Output) -> ExitCode {
    let Some(error) = output.failure() else { return code };
    output.error(&anyhow::Error::from(error).context("cannot write to standard output"));
    ExitCode::FAILURE
}

fn serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    crate::log::init(args.log_format, args.verbose);
    let mut config = args.config.load()?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    crate::serve::run(&config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The command and all below it, by their full names.
    fn each(command: &clap::Command, above: &str, check: &mut dyn FnMut(&str, &mut clap::Command)) {
        let name = format!("{above} {}", command.get_name()).trim().to_owned();
        check(&name, &mut command.clone());
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        below.for_each(|below| each(below, &name, check));
    }

    #[test]
    fn every_help_has_examples_that_are_commands_and_the_global_options_apart() {
        let mut all = Cli::command();
        all.build();
        each(&all, "", &mut |name, command| {
            let help = command.render_long_help().to_string();
            let (_, global) = help.split_once("\nGlobal options:").unwrap_or_else(|| panic!("{name}: {help}"));
            assert!(global.contains("--json") && global.contains("--endpoint"), "{name}: {help}");
            let (_, examples) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{name} has no examples"));
            for example in examples.lines().map(str::trim_end) {
                assert!(example.len() <= 78 && example.contains("hearth "), "{name}: {example}");
            }
        });
    }
}
