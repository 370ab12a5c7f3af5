//! What the first process of a sandbox asks of the kernel: who connects, which child died, how the runtime is born.

use std::{
    ffi::{CString, OsStr, OsString, c_char},
    io,
    mem::{MaybeUninit, size_of},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    process::Command,
};

use rustix::{
    process::{Gid, Resource, Rlimit, Uid},
    thread::{CapabilitySet, CapabilitySets},
};

/// The process behind the other end of a connected Unix socket, as it was when it connected. 0 is a process that has no
/// number in the caller's pid namespace: one outside of it.
///
/// # Errors
/// `socket` is not a connected Unix socket.
pub fn read_peer_pid(socket: impl AsFd) -> io::Result<i32> {
    let mut credentials = MaybeUninit::<libc::ucred>::zeroed();
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, the size of the structure that both pointers outlive.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            credentials.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: three integers, zeroed above, of which every bit pattern is a value.
    Ok(unsafe { credentials.assume_init() }.pid)
}

/// Blocks SIGCHLD and returns a descriptor that is readable when a child has died. One read takes up to as many bytes as the
/// reader offers; what they say is not worth reading, because signals merge.
///
/// # Errors
/// The process is out of descriptors.
pub fn open_child_signals() -> io::Result<OwnedFd> {
    let signals = signal_set(Some(libc::SIGCHLD));
    // SAFETY: `signals` was initialised by `signal_set` and outlives the call.
    if unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &raw const signals, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn signal_set(signal: Option<libc::c_int>) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` is large enough and aligned by its type; the call initialises it.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    if let Some(signal) = signal {
        // SAFETY: `set` was initialised by the line above; the number is a signal's.
        unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    }
    // SAFETY: initialised above.
    unsafe { set.assume_init() }
}

/// What the runtime's process is before its first instruction.
#[derive(Clone, Copy, Debug)]
pub struct ChildSetup {
    /// In the caller's user namespace. `None` keeps the caller's own. Supplementary groups go either way, where allowed.
    pub uid_gid: Option<(u32, u32)>,
    /// Open files, soft and hard.
    pub files: u64,
    /// Processes and threads of the user, soft and hard.
    pub processes: u64,
    /// Largest core dump, bytes, soft and hard.
    pub core_bytes: u64,
    /// The one descriptor that the child inherits besides its standard three.
    pub inherited: Option<RawFd>,
}

/// Lets `command` start a process in a session of its own, with an empty signal mask, first in line for the out-of-memory
/// killer, without capabilities, supplementary groups, other descriptors or any way to gain privileges.
pub fn prepare_child(command: &mut Command, setup: ChildSetup) {
    // SAFETY: between fork and exec the closure makes system calls alone: it neither allocates nor takes a lock.
    unsafe { command.pre_exec(move || set_up_child(setup)) };
}

/// Lets the kernel alone decide whether the program is one: the C library would hand what the kernel refuses to a shell.
/// For a command that names its program by path, whose environment was cleared before it was set, and of which nothing
/// changes any more.
///
/// # Errors
/// A word or a variable contains a NUL.
pub fn exec_as_it_is(command: &mut Command) -> io::Result<()> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let variables = command.get_envs().filter_map(|(name, value)| {
        let mut variable = OsString::from(name);
        variable.push("=");
        variable.push(value?);
        Some(variable)
    });
    let image = Image { words: strings(words)?, variables: strings(variables)? };
    // SAFETY: between fork and exec the closure makes one system call: it neither allocates nor takes a lock.
    unsafe { command.pre_exec(move || Err(image.exec())) };
    Ok(())
}

/// What a process begins with, made before the fork, after which nothing may be allocated.
struct Image {
    words: Strings,
    variables: Strings,
}

impl Image {
    /// Returns only if the kernel refuses.
    fn exec(&self) -> io::Error {
        let Some(program) = self.words.owned.first() else {
            return io::ErrorKind::InvalidInput.into();
        };
        let (words, variables) = (self.words.pointers.as_ptr(), self.variables.pointers.as_ptr());
        // SAFETY: both lists end in a null pointer, and what they point to lives in `self`.
        unsafe { libc::execve(program.as_ptr(), words, variables) };
        io::Error::last_os_error()
    }
}

/// Strings as the kernel takes them.
struct Strings {
    /// To the strings in `owned`, with a null pointer at the end.
    pointers: Vec<*const c_char>,
    owned: Vec<CString>,
}

// SAFETY: the pointers lead to memory that the value itself owns and nobody changes.
unsafe impl Send for Strings {}
// SAFETY: as above; all access is reading.
unsafe impl Sync for Strings {}

fn strings<S: AsRef<OsStr>>(items: impl Iterator<Item = S>) -> io::Result<Strings> {
    let owned = items.map(|item| CString::new(item.as_ref().as_bytes())).collect::<Result<Vec<_>, _>>()?;
    let pointers = owned.iter().map(|item| item.as_ptr()).chain([std::ptr::null()]).collect();
    Ok(Strings { pointers, owned })
}

/// Kills every process of the caller's pid namespace but the caller, which must be its first.
///
/// # Errors
/// The caller is not the first process of its namespace.
pub fn kill_all_others() -> io::Result<()> {
    if rustix::process::getpid().as_raw_pid() != 1 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    // SAFETY: the call takes numbers. As the first process of a namespace the caller reaches none outside of it.
    match unsafe { libc::kill(-1, libc::SIGKILL) } {
        0 => Ok(()),
        _ => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            error => Err(error),
        },
    }
}

fn set_up_child(setup: ChildSetup) -> io::Result<()> {
    let signals = signal_set(None);
    // SAFETY: `signals` was initialised by `signal_set` and outlives the call.
    if unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const signals, std::ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    inherit_only(setup.inherited)?;
    prefer_for_out_of_memory();
    rustix::process::setsid()?;
    for (resource, limit) in
        [(Resource::Nofile, setup.files), (Resource::Nproc, setup.processes), (Resource::Core, setup.core_bytes)]
    {
        lower_limit(resource, limit)?;
    }
    if let Some((uid, gid)) = setup.uid_gid {
        rustix::thread::set_thread_groups(&[])?;
        let gid = Gid::from_raw(gid);
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        let uid = Uid::from_raw(uid);
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    }
    // A user 0 would get its capabilities back from exec without it.
    rustix::thread::set_no_new_privs(true)?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    Ok(rustix::thread::set_capabilities(None, none)?)
}

/// Marks every descriptor behind the standard three to be closed at exec, but for `inherited`.
fn inherit_only(inherited: Option<RawFd>) -> io::Result<()> {
    let first = libc::STDERR_FILENO + 1;
    let Some(inherited) = inherited.filter(|&fd| fd >= first) else {
        return close_at_exec(first, RawFd::MAX);
    };
    if inherited > first {
        close_at_exec(first, inherited - 1)?;
    }
    close_at_exec(inherited + 1, RawFd::MAX)?;
    // SAFETY: the call takes numbers, and changes a flag of a descriptor that our caller means the child to have.
    match unsafe { libc::fcntl(inherited, libc::F_SETFD, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn close_at_exec(first: RawFd, last: RawFd) -> io::Result<()> {
    let flags = libc::c_long::from(libc::CLOSE_RANGE_CLOEXEC as i32);
    // SAFETY: the call takes numbers; descriptors stay open until exec, which leaves nobody here to use them.
    match unsafe { libc::syscall(libc::SYS_close_range, libc::c_long::from(first), libc::c_long::from(last), flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A sandbox out of memory loses its function, not the process that can tell of it. Where /proc is missing or not
/// writable, the kernel's own choice stands.
fn prefer_for_out_of_memory() {
    if let Ok(file) = rustix::fs::open(
        c"/proc/self/oom_score_adj",
        rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    ) {
        let _unchanged = rustix::io::write(&file, b"1000");
    }
}

/// Lowers a limit; one that is lower already stays.
fn lower_limit(resource: Resource, limit: u64) -> io::Result<()> {
    let old = rustix::process::getrlimit(resource);
    let lower = |old: Option<u64>| Some(old.map_or(limit, |old| old.min(limit)));
    let new = Rlimit { current: lower(old.maximum), maximum: lower(old.maximum) };
    Ok(rustix::process::setrlimit(resource, new)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_peer_in_our_own_pid_namespace_has_its_number() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert_eq!(read_peer_pid(&ours).unwrap(), i32::try_from(std::process::id()).unwrap());
    }

    #[test]
    fn a_prepared_child_leads_its_session_under_its_limits_without_blocked_signals_or_capabilities() {
        let script = "grep -E '^(SigBlk|CapPrm|CapEff|NoNewPrivs)' /proc/self/status; cat /proc/self/limits; \
                      read -r pid _ _ _ _ session _ < /proc/$$/stat; [ $pid = $session ] && echo leader";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        prepare_child(
            &mut command,
            ChildSetup { uid_gid: None, files: 64, processes: 500, core_bytes: 0, inherited: None },
        );
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let words: Vec<_> = output.split_whitespace().collect();
        let words = words.join(" ");
        for expected in [
            "SigBlk: 0000000000000000",
            "CapPrm: 0000000000000000",
            "CapEff: 0000000000000000",
            "NoNewPrivs: 1",
            "Max open files 64 64",
            "Max processes 500 500",
            "Max core file size 0 0",
            "leader",
        ] {
            assert!(words.contains(expected), "{expected} is not in {words}");
        }
    }

    #[test]
    fn what_the_kernel_does_not_run_is_not_handed_to_a_shell() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("program");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o755);
        let run = |content: &[u8]| {
            io::Write::write_all(&mut options.open(&file).unwrap(), content).unwrap();
            let mut command = Command::new(&file);
            command.arg("one word").env_clear().env("NAME", "value");
            exec_as_it_is(&mut command).unwrap();
            command.output().map(|output| String::from_utf8(output.stdout).unwrap())
        };
        assert_eq!(run(b"#!/bin/sh\necho $1, $NAME\n").unwrap(), "one word, value\n");
        for content in [&b"echo ran"[..], b"\x7fELF nonsense", b""] {
            assert_eq!(run(content).unwrap_err().raw_os_error(), Some(libc::ENOEXEC));
        }
    }

    #[test]
    fn a_child_becomes_another_user_without_groups() {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: only root becomes another user");
            return;
        }
        let mut command = Command::new("/usr/bin/id");
        let setup =
            ChildSetup { uid_gid: Some((1234, 2345)), files: 64, processes: 500, core_bytes: 0, inherited: None };
        prepare_child(&mut command, setup);
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert_eq!(output, "uid=1234 gid=2345 groups=2345\n");
    }
}
