//! A runtime process that was started ahead of need and waits to become one function's.

use std::io;

use hearth_agent_proto::{Init, Park, write_orders};
use hearth_sys::adopt_descriptor;
use rustix::{
    fd::{AsFd, OwnedFd},
    io::{Errno, read, write},
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
    process::{Pid, Signal},
};

use crate::{
    poller::{Poller, Source, Watched},
    runtime_process::{self, Started},
};

/// What the parked process said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    Nothing,
    Ready,
    /// It has ended, or soon will.
    End,
}

#[derive(Debug)]
pub(crate) struct Parked {
    process: Started,
    telemetry: i32,
    control: Watched,
    /// What it has of its own and keeps.
    park: Option<Park>,
    is_ready: bool,
}

impl Parked {
    /// # Errors
    /// The process could not be started.
    pub(crate) fn start(poller: &Poller, park: Park) -> rustix::io::Result<Self> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        rustix::fs::fcntl_setfl(&ours, rustix::fs::OFlags::NONBLOCK)?;
        let control = poller.watch(ours, Source::Parked)?;
        let (process, telemetry) = runtime_process::start_parked(&park, theirs)?;
        Ok(Self { process, telemetry, control, park: Some(park), is_ready: false })
    }

    /// One that was there before the agent was: its number, that of its telemetry pipe, and our descriptors of its control socket,
    /// its output and its telemetry.
    ///
    /// # Errors
    /// There are no such descriptors.
    pub(crate) fn inherit(poller: &Poller, [pid, telemetry, control, output, records]: [i32; 5]) -> io::Result<Self> {
        let adopt = |number| -> io::Result<OwnedFd> {
            let descriptor = adopt_descriptor(number).map_err(io::Error::other)?;
            rustix::fs::fcntl_setfl(&descriptor, rustix::fs::OFlags::NONBLOCK)?;
            Ok(descriptor)
        };
        let control = poller.watch(adopt(control)?, Source::Parked)?;
        let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
        let process = Started { pid, output: adopt(output)?, telemetry: adopt(records)? };
        runtime_process::open_by_name(&process.output)?;
        Ok(Self { process, telemetry, control, park: None, is_ready: false })
    }

    /// What an inherited process was told to be.
    pub(crate) fn expect(&mut self, park: Park) {
        self.park = Some(park);
    }

    /// Hears what there is to hear.
    pub(crate) fn listen(&mut self) -> Said {
        let mut said = [0; 16];
        match read(self.control.as_fd(), &mut said) {
            Ok(0) => Said::End,
            Ok(_) if !std::mem::replace(&mut self.is_ready, true) => Said::Ready,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Said::Nothing,
            Err(_) => Said::End,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Tells the process to become the runtime of `init`. `None` if it cannot: it is ended then.
    pub(crate) fn become_runtime(self, init: &Init) -> Option<Started> {
        let alike = |park: &Park| park.uid_gid == init.uid_gid && park.rlimits == init.rlimits;
        let fits = init.parked && self.park.as_ref().is_some_and(alike);
        let orders = write_orders(&runtime_process::with_telemetry(init, self.telemetry)).filter(|_| fits);
        // The socket's buffer holds many times what an environment may have.
        let taken = orders.is_some_and(|orders| write(self.control.as_fd(), &orders) == Ok(orders.len()));
        if taken {
            return Some(self.process);
        }
        self.end();
        None
    }

    pub(crate) fn end(self) {
        runtime_process::signal(self.process.pid, Signal::KILL);
    }
}
