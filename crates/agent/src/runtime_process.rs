//! The runtime's process: how it starts and how it ends.

use std::{
    io,
    os::fd::AsRawFd,
    process::{Command, Stdio},
};

use hearth_agent_proto::{ExitStatus, Init, Park, Rlimits};
use hearth_sys::init_process::{ChildSetup, exec_as_it_is, prepare_child};
use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{FileType, Mode, Stat, stat},
    io::Errno,
    pipe::{PipeFlags, pipe_with},
    process::{Pid, Signal, WaitOptions, kill_process_group, wait},
};

/// Names the descriptor of the telemetry pipe to the runtime.
const TELEMETRY_VARIABLE: &str = "_LAMBDA_TELEMETRY_LOG_FD";

/// A process that was started, and the ends of its pipes that are read.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) pid: Pid,
    pub(crate) output: OwnedFd,
    pub(crate) telemetry: OwnedFd,
}

/// Starts the first of the commands whose program is there.
///
/// # Errors
/// None is there, or the kernel does not run it: another is not tried.
pub(crate) fn start(init: &Init) -> Result<Started, ExitStatus> {
    let (number, command) =
        (0..).zip(&init.commands).find(|(_, command)| is_there(command)).ok_or(ExitStatus::NotFound)?;
    start_command(init, command)
        .map_err(|errno| ExitStatus::NotStarted { command: number, errno: errno.raw_os_error() })
}

/// As Lambda's supervisor looks for a program: links are followed, and directories and what cannot be looked at passed over.
fn is_there(command: &[String]) -> bool {
    let is_directory = |stat: Stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    command.first().is_some_and(|program| stat(program).is_ok_and(|stat| !is_directory(stat)))
}

fn start_command(init: &Init, command: &[String]) -> Result<Started, Errno> {
    let output = pipe()?;
    open_by_name(&output.read)?;
    let telemetry = pipe()?;
    let variable = init.telemetry.then(|| (TELEMETRY_VARIABLE.to_owned(), telemetry.write.as_raw_fd().to_string()));
    let own = Own { cwd: &init.cwd, uid_gid: init.uid_gid, rlimits: init.rlimits };
    let environment = init.environment.iter().chain(&variable);
    let pid = spawn(command, environment, &own, Stdio::null(), (&output.write, &telemetry.write))
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    Ok(Started { pid, output: output.read, telemetry: telemetry.read })
}

/// Starts a process that is to wait, with `control` as its standard input. It is told of its telemetry pipe, whose number is
/// returned, when it is to become a runtime.
///
/// # Errors
/// It could not be started.
pub(crate) fn start_parked(park: &Park, control: OwnedFd) -> Result<(Started, i32), Errno> {
    let output = pipe()?;
    open_by_name(&output.read)?;
    let telemetry = pipe()?;
    let own = Own { cwd: "/", uid_gid: park.uid_gid, rlimits: park.rlimits };
    let pipes = (&output.write, &telemetry.write);
    let pid = spawn(&park.command, park.environment.iter(), &own, control.into(), pipes)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    Ok((Started { pid, output: output.read, telemetry: telemetry.read }, telemetry.write.as_raw_fd()))
}

/// The environment of a runtime whose telemetry pipe has this number.
pub(crate) fn with_telemetry(init: &Init, telemetry: i32) -> Init {
    let mut init = init.clone();
    init.environment.push((TELEMETRY_VARIABLE.to_owned(), telemetry.to_string()));
    init
}

/// What a process has of its own besides its program.
struct Own<'a> {
    cwd: &'a str,
    uid_gid: Option<(u32, u32)>,
    rlimits: Rlimits,
}

struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

/// A pipe that is read without blocking and written as the function expects, with blocking.
fn pipe() -> Result<Pipe, Errno> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::fs::fcntl_setfl(&read, rustix::fs::OFlags::NONBLOCK)?;
    Ok(Pipe { read, write })
}

/// Lets the function's user open its standard output and error by name, such as `/dev/stderr`: the pipe is the agent's, and the
/// kernel asks whose it is as it does of a file. Who reads from it takes away but its own log.
///
/// # Errors
/// The pipe belongs to another user.
pub(crate) fn open_by_name(output: impl AsFd) -> Result<(), Errno> {
    rustix::fs::fchmod(output, Mode::from_raw_mode(0o666))
}

fn spawn<'a>(
    words: &[String],
    environment: impl Iterator<Item = &'a (String, String)>,
    own: &Own<'_>,
    input: Stdio,
    (output, telemetry): (&OwnedFd, &OwnedFd),
) -> io::Result<Pid> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().current_dir(own.cwd);
    for (name, value) in environment {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        command.env(name, value);
    }
    command.stdin(input).stdout(output.try_clone()?).stderr(output.try_clone()?);
    let limits = own.rlimits;
    let setup = ChildSetup {
        uid_gid: own.uid_gid,
        files: limits.files,
        processes: limits.processes,
        core_bytes: limits.core_bytes,
        inherited: Some(telemetry.as_raw_fd()),
    };
    prepare_child(&mut command, setup);
    exec_as_it_is(&mut command)?;
    let child = command.spawn()?;
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reaps whatever has died: how the runtime ended, if it is among them.
pub(crate) fn reap(runtime: Option<Pid>) -> Option<ExitStatus> {
    let mut ended = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if Some(pid) == runtime {
            let code = status.exit_status().map(ExitStatus::Code);
            ended = code.or_else(|| status.terminating_signal().map(ExitStatus::Signal)).or(ended);
        }
    }
    ended
}

/// Signals the runtime and those of its descendants that have stayed in its process group.
pub(crate) fn signal(runtime: Pid, signal: Signal) {
    // Gone already is as good as signalled.
    let _gone = kill_process_group(runtime, signal);
}
