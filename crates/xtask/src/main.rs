//! `cargo xtask COMMAND`: what is checked and made besides building.
//!
//! - `rooms`: the table of rooms in ARCHITECTURE.md and the crates' dependencies say the same.
//! - `members`: every member of an input that a service's table takes is read by some code, or it is said why not.
//! - `reference`: writes the list of keys in docs/configuration.md; `--check` compares instead.
//! - `models DIR`: makes the service models and their Rust shapes anew from botocore's data in DIR; `--check` compares instead.

mod members;
mod models;
mod reference;
mod rooms;

use std::process::ExitCode;

use anyhow::{Result, bail};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["rooms"] => rooms::check(),
        ["members"] => members::check(),
        ["models", from] => models::write(from.as_ref()),
        ["reference"] => reference::write(),
        ["reference", "--check"] => reference::check(),
        ["models", "--check", from] => models::check(from.as_ref()),
        _ => bail!("usage: cargo xtask rooms | members | models [--check] BOTOCORE_DATA | reference [--check]"),
    }
}

#[expect(clippy::print_stderr, reason = "a command line tool reports on its standard error")]
fn report(count: &mut usize, line: &str) {
    eprintln!("{line}");
    *count += 1;
}
