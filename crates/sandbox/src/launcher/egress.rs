//! The way out: a user-mode network stack per sandbox (slirp4netns), fenced in by routes and a packet filter.
//!
//! Connections leave as the launcher's own. What must not be reached is therefore refused on the near side, inside the sandbox's
//! network name space, where the function has no right to change it: routes answer at once, and a packet filter stops what
//! goes past the routes (sockets bound to the device, multicast).

use std::ffi::CString;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs_err as fs;
use hearth_sys::{
    Cloned, Namespaces, Route, Subnet4, add_routes, clone_process, execute_program, filter_output, reset_signals,
};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, set_parent_process_death_signal};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use super::{Step, StepError};
use crate::linux::wait_readable;
use crate::protocol::{self, Status};

/// The network inside: benchmarking addresses (RFC 2544), which are neither private nor anybody's on the internet.
const INSIDE: &str = "198.19.255.0/24";
const GATEWAY: Ipv4Addr = Ipv4Addr::new(198, 19, 255, 2);
/// Content of `/etc/resolv.conf`; the address passes questions on to the host's name server.
pub(super) const RESOLVER_CONFIG: &str = "nameserver 198.19.255.3\n";
const PROGRAM: &str = "slirp4netns";
const PROGRAM_DIRS: [&str; 4] = ["/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin"];
/// Longest time that the stack may take to be ready.
const READY_MAX: Duration = Duration::from_secs(5);

/// Not the internet (IANA's registry of special addresses), so not reachable unless allowed.
const REFUSED: [Subnet4; 9] = [
    Subnet4::new(Ipv4Addr::new(0, 0, 0, 0), 8),
    Subnet4::new(Ipv4Addr::new(10, 0, 0, 0), 8),
    Subnet4::new(Ipv4Addr::new(100, 64, 0, 0), 10),
    Subnet4::new(Ipv4Addr::new(127, 0, 0, 0), 8),
    Subnet4::new(Ipv4Addr::new(169, 254, 0, 0), 16),
    Subnet4::new(Ipv4Addr::new(172, 16, 0, 0), 12),
    Subnet4::new(Ipv4Addr::new(192, 168, 0, 0), 16),
    Subnet4::new(Ipv4Addr::new(224, 0, 0, 0), 4),
    Subnet4::new(Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// A way out in the making.
#[derive(Debug)]
pub(super) struct Egress {
    /// The stack and the process that sets up the rest; both end by themselves.
    pub(super) processes: [OwnedFd; 2],
    /// Closing it ends the stack.
    pub(super) lifeline: OwnedFd,
    /// For the daemon: [`Status::NetworkReady`] or a failure.
    pub(super) status: OwnedFd,
}

/// Where the stack's program is.
///
/// # Errors
/// It is not installed.
pub(crate) fn find_program() -> Result<PathBuf, StepError> {
    let mut places = PROGRAM_DIRS.iter().map(|dir| Path::new(dir).join(PROGRAM));
    let found = places.find(|path| path.is_file());
    found.ok_or("slirp4netns is not installed; install the Debian package slirp4netns").step("give egress")
}

/// Starts what gives the sandbox of `pid` a way out.
pub(super) fn start_egress(
    pid: Pid,
    pidfd: BorrowedFd<'_>,
    launcher: BorrowedFd<'_>,
    allowed: &[Subnet4],
) -> Result<Egress, StepError> {
    let program = find_program()?;
    let refused = [&REFUSED[..], &own_addresses()?].concat();
    let (ready, tell_ready) = pipe_with(PipeFlags::CLOEXEC).step("give egress")?;
    let (life, lifeline) = pipe_with(PipeFlags::CLOEXEC).step("give egress")?;
    let (status, tell_status) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).step("give egress")?;
    let stack = fork(|| become_stack(&program, pid, &tell_ready, &life).map(|never| match never {}))?;
    drop(tell_ready);
    let fence = fork(|| {
        let result = await_ready(&ready, launcher).and_then(|()| fence_in(pidfd, allowed, &refused));
        let status = result.map_or_else(|error| Status::Failed(error.to_string()), |()| Status::NetworkReady);
        protocol::send(tell_status.as_fd(), &status, &[]).step("tell the daemon")
    })?;
    Ok(Egress { processes: [stack, fence], lifeline, status })
}

/// Runs `action` in a copy of this process.
pub(super) fn fork(action: impl FnOnce() -> Result<(), StepError>) -> Result<OwnedFd, StepError> {
    match clone_process(Namespaces::empty(), None).step("start a process")? {
        Cloned::Parent { pidfd, .. } => Ok(pidfd),
        Cloned::Child => end(action()),
    }
}

#[expect(clippy::exit, reason = "a copy of the launcher must not go on where the launcher does")]
fn end(result: Result<(), StepError>) -> ! {
    std::process::exit(i32::from(result.is_err()))
}

fn become_stack(
    program: &Path,
    pid: Pid,
    ready: &OwnedFd,
    life: &OwnedFd,
) -> Result<std::convert::Infallible, StepError> {
    const STEP: &str = "start slirp4netns";
    set_parent_process_death_signal(Some(Signal::KILL)).step(STEP)?;
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).step(STEP)?;
    rustix::stdio::dup2_stdout(&null).step(STEP)?;
    rustix::stdio::dup2_stderr(&null).step(STEP)?;
    for descriptor in [ready, life] {
        fcntl_setfd(descriptor, FdFlags::empty()).step(STEP)?;
    }
    reset_signals().step(STEP)?;
    let arguments = [
        PROGRAM.to_owned(),
        "--configure".to_owned(),
        "--mtu=65520".to_owned(),
        "--disable-host-loopback".to_owned(),
        "--enable-sandbox".to_owned(),
        "--enable-seccomp".to_owned(),
        format!("--cidr={INSIDE}"),
        format!("--ready-fd={}", ready.as_raw_fd()),
        format!("--exit-fd={}", life.as_raw_fd()),
        pid.as_raw_nonzero().to_string(),
        "tap0".to_owned(),
    ];
    let arguments: Vec<_> = arguments.into_iter().map(CString::new).collect::<Result<_, _>>().step(STEP)?;
    let arguments: Vec<_> = arguments.iter().map(CString::as_c_str).collect();
    let program = CString::new(program.as_os_str().as_encoded_bytes()).step(STEP)?;
    execute_program(&program, &arguments, &[c"PATH=/usr/sbin:/usr/bin:/sbin:/bin"]).step(STEP)
}

fn await_ready(ready: &OwnedFd, launcher: BorrowedFd<'_>) -> Result<(), StepError> {
    const STEP: &str = "await slirp4netns";
    set_parent_process_death_signal(Some(Signal::KILL)).step(STEP)?;
    if wait_readable(launcher, Instant::now()).is_ok() {
        return Err("the launcher is gone").step(STEP);
    }
    wait_readable(ready.as_fd(), Instant::now() + READY_MAX).step(STEP)?;
    match rustix::io::read(ready, &mut [0; 1]).step(STEP)? {
        1 => Ok(()),
        _ => Err("it has ended; see that /dev/net/tun is there and may be opened").step(STEP),
    }
}

fn fence_in(pidfd: BorrowedFd<'_>, allowed: &[Subnet4], refused: &[Subnet4]) -> Result<(), StepError> {
    const STEP: &str = "keep private addresses out of reach";
    move_into_thread_name_spaces(pidfd, ThreadNameSpaceType::NETWORK).step(STEP)?;
    filter_output(allowed, refused).step(STEP)?;
    add_routes(&routes(allowed, refused)).step(STEP)
}

/// Refused subnets lead nowhere, unless all of one is allowed; allowed parts of one lead out.
fn routes(allowed: &[Subnet4], refused: &[Subnet4]) -> Vec<(Subnet4, Route)> {
    let within = |subnet: Subnet4, others: &[Subnet4]| others.iter().any(|other| other.contains(subnet));
    let mut routes = Vec::new();
    // Loopback has routes of its own, and "this network" is a way to name it.
    for subnet in refused.iter().filter(|subnet| !matches!(subnet.address.octets()[0], 0 | 127)) {
        let known = routes.iter().any(|(other, _)| other == subnet);
        if !within(*subnet, allowed) && !known {
            routes.push((*subnet, Route::Prohibited));
        }
    }
    for subnet in allowed.iter().filter(|subnet| within(**subnet, refused)) {
        let known = routes.iter().any(|(other, _)| other == subnet);
        if !known {
            routes.push((*subnet, Route::Via(GATEWAY)));
        }
    }
    routes
}

/// Every address at which this host itself answers.
fn own_addresses() -> Result<Vec<Subnet4>, StepError> {
    let table = fs::read_to_string("/proc/self/net/fib_trie").step("list the host's addresses")?;
    Ok(parse_own_addresses(&table))
}

/// Lines `|-- 192.0.2.2`, each followed by the kinds of its routes, such as `/32 host LOCAL`.
fn parse_own_addresses(table: &str) -> Vec<Subnet4> {
    let mut found = Vec::new();
    let mut current = None;
    for line in table.lines() {
        if let Some((_, address)) = line.split_once("|-- ") {
            current = address.trim().parse::<Ipv4Addr>().ok();
        } else if line.trim().ends_with("host LOCAL")
            && let Some(address) = current
        {
            let subnet = Subnet4::new(address, 32);
            if !found.contains(&subnet) {
                found.push(subnet);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str, length: u8) -> Subnet4 {
        Subnet4::new(text.parse().unwrap(), length)
    }

    #[test]
    fn own_addresses_are_those_that_the_kernel_calls_local() {
        let table = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\nLocal:\n\
            \x20    |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.0.2.2\n        /32 host LOCAL\n\
            \x20    |-- 192.0.2.255\n        /32 link BROADCAST\n     |-- 192.0.2.2\n        /32 host LOCAL\n";
        assert_eq!(parse_own_addresses(table), [subnet("127.0.0.1", 32), subnet("192.0.2.2", 32)]);
    }

    #[test]
    fn allowed_parts_lead_out_and_what_is_wholly_allowed_is_not_refused() {
        let refused = [subnet("10.0.0.0", 8), subnet("192.168.0.0", 16), subnet("127.0.0.0", 8)];
        let allowed = [subnet("10.1.0.0", 16), subnet("192.168.0.0", 16)];
        assert_eq!(
            routes(&allowed, &refused),
            [
                (subnet("10.0.0.0", 8), Route::Prohibited),
                (subnet("10.1.0.0", 16), Route::Via(GATEWAY)),
                (subnet("192.168.0.0", 16), Route::Via(GATEWAY)),
            ]
        );
    }
}
