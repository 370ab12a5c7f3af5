//! `hearth`: the daemon and its command line.

use std::process::ExitCode;

mod buckets;
mod claim;
mod cli;
mod config;
mod fleet;
mod hook;
mod log;
mod secret;
mod serve;
mod sign;
mod tunnel;

fn main() -> ExitCode {
    // The launcher is this program under another first argument; it must come before any thread.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == serve::LAUNCHER_ARGUMENT) {
        return hearth_sandbox::launcher_main();
    }
    if std::env::args_os().nth(1).is_some_and(|argument| argument == hook::GUARD_ARGUMENT) {
        return hook::guard();
    }
    cli::run()
}
