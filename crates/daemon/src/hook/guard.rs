//! Between the daemon and a hook's command stands this program once more: it ends the command, and all that it started, when
//! the daemon is gone, however it went.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, getppid, kill_process_group, pidfd_open};

/// Makes this program the guard of a command.
pub(crate) const GUARD_ARGUMENT: &str = "__guard";

/// The command under a guard that outlives this process only to end it.
pub(crate) fn guarded(command: &[String]) -> Vec<String> {
    let guard = ["/proc/self/exe", GUARD_ARGUMENT, &std::process::id().to_string()].map(str::to_owned);
    guard.into_iter().chain(command.iter().cloned()).collect()
}

/// `__guard PID PROGRAM ARGUMENT...`: runs the program, and ends with it; or ends its process group, which it must lead, with the
/// process of that number, which must be its parent.
pub(crate) fn guard() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(2).collect();
    let [daemon, program, rest @ ..] = &arguments[..] else { return ExitCode::FAILURE };
    match run(daemon, program, rest) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{} cannot be run: {error}", program.display());
            ExitCode::FAILURE
        }
    }
}

fn run(daemon: &OsStr, program: &OsStr, arguments: &[OsString]) -> io::Result<ExitCode> {
    let daemon = daemon.to_str().and_then(|daemon| daemon.parse().ok()).and_then(Pid::from_raw);
    let daemon = daemon.ok_or(io::ErrorKind::InvalidInput)?;
    let parent = pidfd_open(daemon, PidfdFlags::empty())?;
    // If it died before, the number may be another process's by now: then that is not the parent.
    if getppid() != Some(daemon) {
        return Ok(ExitCode::FAILURE);
    }
    let mut child = Command::new(program).args(arguments).spawn()?;
    if !ends_before(&child, &parent)? {
        end_group()?;
    }
    let status = child.wait()?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Waits for the end of either; `false` if the child is not the first.
fn ends_before(child: &Child, parent: &OwnedFd) -> io::Result<bool> {
    let child = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    loop {
        let mut ends = [PollFd::new(&child, PollFlags::IN), PollFd::new(parent, PollFlags::IN)];
        match poll(&mut ends, None) {
            Ok(_) => return Ok(!ends[0].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// With this process in it, if it leads it.
fn end_group() -> io::Result<()> {
    Ok(kill_process_group(getpid(), Signal::KILL)?)
}
