//! The daemon's own log: on standard error, text for people, JSON for machines.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum LogStyle {
    #[default]
    Text,
    Json,
}

/// `verbosity`: 0 warnings and what an operator must know, 1 more, 2 everything. `HEARTH_LOG` overrides it.
pub(crate) fn init(style: LogStyle, verbosity: u8) {
    let default = match verbosity {
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("HEARTH_LOG").unwrap_or_else(|_unset| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A log that cannot be written (a full disk, a pipe that nobody reads) is no reason to end: saying so on the same stream would panic.
    let builder = builder.log_internal_errors(false);
    match style {
        LogStyle::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogStyle::Json => builder.json().init(),
    }
}
