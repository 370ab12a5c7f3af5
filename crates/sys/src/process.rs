//! Making and replacing processes.

use std::convert::Infallible;
use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

use crate::error::{SysError, checked};

/// `libc`'s own constant is one bit too narrow for its value.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Name spaces to be made anew.
pub type Namespaces = UnshareFlags;

/// On which side of [`clone_process`] the caller is.
#[derive(Debug)]
pub enum Cloned {
    Child,
    Parent { pid: Pid, pidfd: OwnedFd },
}

/// Like `fork`, with new name spaces and, where `cgroup` is given, straight into that version 2 group.
///
/// # Errors
/// `clone3` fails, or this process has more than one thread: the child would hold locks whose owners it lacks.
pub fn clone_process(namespaces: Namespaces, cgroup: Option<BorrowedFd<'_>>) -> Result<Cloned, SysError> {
    if !is_single_threaded() {
        return Err(SysError::new("clone3 in a process of several threads", rustix::io::Errno::INVAL));
    }
    let mut pidfd: RawFd = -1;
    let mut flags = libc::CLONE_PIDFD as u64 | u64::from(namespaces.bits());
    if cgroup.is_some() {
        flags |= CLONE_INTO_CGROUP;
    }
    let args = libc::clone_args {
        flags,
        pidfd: ptr::from_mut(&mut pidfd) as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD as u64,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: cgroup.map_or(0, |fd| fd.as_raw_fd() as u64),
    };
    // SAFETY: `args` is a whole `clone_args` whose only pointer is to `pidfd`, which outlives the call. Without CLONE_VM
    // the child has a copy of all memory and goes on from here; this process has one thread (checked above), so no lock
    // of the allocator or the standard library is held by a thread that the child lacks.
    let result = unsafe { libc::syscall(libc::SYS_clone3, ptr::from_ref(&args), size_of::<libc::clone_args>()) };
    let pid = checked("clone3", result)?;
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(Cloned::Child);
    };
    // SAFETY: the kernel has just stored a new descriptor here, which nobody else knows of.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Cloned::Parent { pid, pidfd })
}

/// The directory's links are itself, its parent and one per thread. Without `/proc` nothing is known: refused.
fn is_single_threaded() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3)
}

/// Moves the calling thread into new name spaces.
///
/// # Errors
/// `unshare` fails, or `namespaces` names shared tables rather than name spaces.
pub fn unshare_namespaces(namespaces: Namespaces) -> Result<(), SysError> {
    if namespaces.intersects(UnshareFlags::FILES) {
        return Err(SysError::new("unshare", rustix::io::Errno::INVAL));
    }
    // SAFETY: the hazard of `unshare` is a thread with its own descriptor table, in which other threads' descriptors
    // mean something else; CLONE_FILES has been refused above.
    unsafe { rustix::thread::unshare_unsafe(namespaces) }.map_err(|errno| SysError::new("unshare", errno))
}

/// Takes over a descriptor that this program was executed with; it is closed at the next execution. To be called once per
/// number, by whoever was told of it.
///
/// # Errors
/// There is none of that number.
pub fn adopt_descriptor(number: RawFd) -> Result<OwnedFd, SysError> {
    // SAFETY: the call takes numbers, and fails for those that are no descriptors.
    let result = unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    checked("fcntl", result.into())?;
    // SAFETY: the descriptor is open (checked above) and was there before this program's first instruction, so that no other
    // owner made it; our caller takes it over once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// A child that has died and that nobody has waited for yet; it stays so.
pub fn find_dead_child() -> Option<Pid> {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the kernel writes at most one `siginfo_t`, for which there is room.
    let result = unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) };
    // SAFETY: zeroed above, of which every field is a value.
    let info = unsafe { info.assume_init() };
    // SAFETY: the kernel fills in the number where it finds a child, else it stays 0.
    let pid = unsafe { info.si_pid() };
    Pid::from_raw(pid).filter(|_| result == 0)
}

/// Closes every descriptor from `first` on when a program is executed.
///
/// # Errors
/// The kernel is older than 5.11.
pub fn close_from(first: u32) -> Result<(), SysError> {
    // SAFETY: only marks descriptors close-on-exec; none is closed under its owner now.
    let result = unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_uint)
    };
    checked("close_range", result).map(drop)
}

/// Closes every descriptor but those and standard input, output and error. For a copy of a process that ends without going back to
/// where the others are owned.
///
/// # Errors
/// The kernel is older than 5.9.
pub fn keep_only(kept: &[BorrowedFd<'_>]) -> Result<(), SysError> {
    let mut kept: Vec<u32> = kept.iter().filter_map(|kept| u32::try_from(kept.as_raw_fd()).ok()).collect();
    kept.sort_unstable();
    let mut first = 3;
    for end in kept.into_iter().chain([u32::MAX]) {
        if first < end {
            // SAFETY: the caller is a copy of a process that does not use them any more.
            let result = unsafe { libc::syscall(libc::SYS_close_range, first, end - 1, 0) };
            checked("close_range", result)?;
        }
        first = first.max(end.saturating_add(1));
    }
    Ok(())
}

/// Holds back the signals with which terminals and service managers end processes.
///
/// # Errors
/// Never seen; the kernel's answer is passed on.
pub fn block_signals() -> Result<(), SysError> {
    set_mask(libc::SIG_BLOCK, &[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT])
}

/// No signal blocked and `SIGPIPE` back at its default, as a program expects it that knows nothing of Rust.
///
/// # Errors
/// Never seen; the kernel's answer is passed on.
pub fn reset_signals() -> Result<(), SysError> {
    set_mask(libc::SIG_SETMASK, &[])?;
    // SAFETY: SIG_DFL runs no code of ours.
    let previous = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    if previous == libc::SIG_ERR { Err(SysError::last("signal")) } else { Ok(()) }
}

fn set_mask(how: libc::c_int, signals: &[libc::c_int]) -> Result<(), SysError> {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set that it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: the set was initialised by `sigemptyset`.
        unsafe { libc::sigaddset(set.as_mut_ptr(), *signal) };
    }
    // SAFETY: the set is initialised and only read; no old mask is asked for.
    let result = unsafe { libc::sigprocmask(how, set.as_ptr(), ptr::null_mut()) };
    checked("sigprocmask", result.into()).map(drop)
}

/// Becomes the program at `path`.
///
/// # Errors
/// The program cannot be executed.
pub fn execute_program(path: &CStr, arguments: &[&CStr], environment: &[&CStr]) -> Result<Infallible, SysError> {
    let arguments = null_terminated(arguments);
    let environment = null_terminated(environment);
    // SAFETY: the path and every element are NUL-terminated strings that live until the call returns, which it does only
    // on failure; both arrays end with a null pointer.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    Err(SysError::last("execve"))
}

fn null_terminated(strings: &[&CStr]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// Makes `number` another name of `descriptor`, one that stays open when a program is executed. For a process that is about
/// to do that: whatever had this number before is closed under its owner.
///
/// # Errors
/// `number` is beyond the limit of open files.
pub fn place_descriptor(descriptor: BorrowedFd<'_>, number: RawFd) -> Result<(), SysError> {
    // SAFETY: takes two numbers. The descriptor that `number` named is gone afterwards; the caller executes a program next, of
    // which no owner of a descriptor knows anything.
    let result = unsafe { libc::dup2(descriptor.as_raw_fd(), number) };
    checked("dup2", result.into()).map(drop)
}
