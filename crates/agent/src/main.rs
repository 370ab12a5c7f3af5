//! `hearth-agent`: PID 1 of a sandbox. It takes no options there.
//!
//! For tests outside of a sandbox: `--any-peer` takes up connections of any process, `--socket NAME` and `--address A.B.C.D`
//! keep several agents of one machine apart.

use std::process::ExitCode;

use hearth_agent::{Agent, Options};

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("hearth-agent: {message}");
            return ExitCode::from(2);
        }
    };
    match Agent::new(&options).and_then(Agent::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hearth-agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--any-peer" => options.any_peer = true,
            "--socket" => options.socket = value()?.into_bytes(),
            "--address" => options.address = value()?.parse().map_err(|error| format!("--address: {error}"))?,
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(options)
}
