//! `hearth-agent`: PID 1 of a sandbox. Its one option there is `--parked`: a child that waits to become the runtime, by its number,
//! that of its telemetry pipe, and our ends of its control socket and of its pipes for output and telemetry.
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
            "--parked" => {
                let mut numbers = [0; 5];
                for number in &mut numbers {
                    *number = words.next().and_then(|word| word.parse().ok()).ok_or("--parked needs five numbers")?;
                }
                options.parked = Some(numbers);
            }
            "--any-peer" => options.any_peer = true,
            "--socket" => options.socket = value()?.into_bytes(),
            "--address" => options.address = value()?.parse().map_err(|error| format!("--address: {error}"))?,
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(options)
}
