//! Reaching the agent of a sandbox.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use hearth_agent_proto::AGENT_SOCKET;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{SocketAddrUnix, connect};
use rustix::time::Timespec;

/// Waits until `descriptor` has something to read or its other end is closed.
pub(crate) fn wait_readable(descriptor: BorrowedFd<'_>, deadline: Instant) -> Result<(), Errno> {
    wait_any([descriptor], deadline).map(|[_readable]| ())
}

/// Which of them can be read, as soon as one can.
pub(crate) fn wait_any<const N: usize>(
    descriptors: [BorrowedFd<'_>; N],
    deadline: Instant,
) -> Result<[bool; N], Errno> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok().ok_or(Errno::INVAL)?;
        let mut watched = descriptors.map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN));
        match poll(&mut watched, Some(&timeout)) {
            Ok(0) => return Err(Errno::TIMEDOUT),
            Ok(_) => return Ok(watched.each_ref().map(|watched| !watched.revents().is_empty())),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether the other end is closed.
pub(super) fn is_hung_up(descriptor: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(descriptor, PollFlags::empty())];
    poll(&mut watched, Some(&Timespec::default())).is_ok() && watched[0].revents().contains(PollFlags::HUP)
}

/// Connects a socket of the sandbox's network name space to the agent there, as soon as it listens.
pub(crate) fn connect_agent(socket: &OwnedFd, deadline: Instant) -> Result<(), Errno> {
    let address = SocketAddrUnix::new_abstract_name(AGENT_SOCKET)?;
    ioctl_fionbio(socket, true)?;
    let mut pause = Duration::from_micros(20);
    loop {
        match connect(socket, &address) {
            Ok(()) => return ioctl_fionbio(socket, false),
            // Not listening yet, or not accepting.
            Err(Errno::CONNREFUSED | Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => {}
            Err(errno) => return Err(errno),
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}
