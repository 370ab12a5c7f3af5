//! The system calls that a sandbox may make. All others answer "not implemented", on which C libraries fall back.

mod program;

use std::collections::BTreeMap;

use hearth_sys::FilterInstruction;

/// System calls allowed with any arguments, for one reason.
struct Allowed {
    reason: &'static str,
    calls: &'static [i64],
}

/// One system call allowed only with certain arguments: any of `cases`, each of which is a list of tests to pass; else it
/// answers `error`.
struct Restricted {
    reason: &'static str,
    call: i64,
    error: i32,
    cases: &'static [&'static [Test]],
}

/// A test of one argument: its lower 32 bits (of which the calls in question look at no more) under `mask` are `value`, or
/// are not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Test {
    argument: u8,
    mask: u32,
    value: u32,
    equal: bool,
}

const fn is(argument: u8, value: u32) -> Test {
    Test { argument, mask: u32::MAX, value, equal: true }
}

const fn is_not(argument: u8, value: u32) -> Test {
    Test { argument, mask: u32::MAX, value, equal: false }
}

const fn masked(argument: u8, mask: u32, value: u32) -> Test {
    Test { argument, mask, value, equal: true }
}

macro_rules! calls {
    ($($name:ident)*) => { &[$(libc::$name),*] };
}

const ALLOWED: &[Allowed] = &[
    Allowed {
        reason: "reading and writing what is open already",
        calls: calls![
            SYS_read SYS_write SYS_readv SYS_writev SYS_pread64 SYS_pwrite64 SYS_preadv SYS_pwritev SYS_preadv2
            SYS_pwritev2 SYS_lseek SYS_sendfile SYS_splice SYS_tee SYS_vmsplice SYS_copy_file_range SYS_readahead
            SYS_fadvise64 SYS_fallocate SYS_ftruncate SYS_fsync SYS_fdatasync SYS_sync_file_range SYS_syncfs SYS_flock
            SYS_fcntl SYS_dup SYS_dup3 SYS_close SYS_close_range SYS_pipe2 SYS_getdents64
        ],
    },
    Allowed {
        reason: "files by path: the mount name space and permissions decide what there is to find",
        calls: calls![
            SYS_openat SYS_openat2 SYS_newfstatat SYS_fstat SYS_statx SYS_statfs SYS_fstatfs SYS_faccessat
            SYS_faccessat2 SYS_readlinkat SYS_mkdirat SYS_unlinkat SYS_renameat2 SYS_linkat SYS_symlinkat SYS_fchmod
            SYS_fchmodat SYS_fchown SYS_fchownat SYS_truncate SYS_utimensat SYS_chdir SYS_fchdir SYS_getcwd SYS_umask
            SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_getxattr SYS_lgetxattr SYS_fgetxattr SYS_listxattr
            SYS_llistxattr SYS_flistxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr SYS_inotify_init1
            SYS_inotify_add_watch SYS_inotify_rm_watch
        ],
    },
    Allowed {
        reason: "memory of the caller",
        calls: calls![
            SYS_brk SYS_mmap SYS_munmap SYS_mremap SYS_mprotect SYS_madvise SYS_msync SYS_mincore SYS_mlock SYS_mlock2
            SYS_munlock SYS_mlockall SYS_munlockall SYS_memfd_create SYS_membarrier SYS_pkey_alloc SYS_pkey_free
            SYS_pkey_mprotect SYS_get_mempolicy SYS_set_mempolicy SYS_mbind
        ],
    },
    Allowed {
        reason: "programs, threads and waiting for them",
        calls: calls![
            SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_wait4 SYS_waitid SYS_set_tid_address SYS_gettid
            SYS_getpid SYS_getppid SYS_getpgid SYS_setpgid SYS_getsid SYS_setsid SYS_futex SYS_set_robust_list
            SYS_get_robust_list SYS_rseq SYS_sched_yield SYS_sched_getaffinity SYS_sched_setaffinity
            SYS_sched_getscheduler SYS_sched_setscheduler SYS_sched_getparam SYS_sched_setparam SYS_sched_getattr
            SYS_sched_setattr SYS_sched_get_priority_max SYS_sched_get_priority_min SYS_sched_rr_get_interval
            SYS_getpriority SYS_setpriority SYS_getcpu SYS_pidfd_open SYS_pidfd_send_signal SYS_futex_waitv SYS_prctl
        ],
    },
    Allowed {
        reason: "signals, which reach no further than the pid name space",
        calls: calls![
            SYS_kill SYS_tkill SYS_tgkill SYS_rt_sigaction SYS_rt_sigprocmask SYS_rt_sigpending SYS_rt_sigtimedwait
            SYS_rt_sigsuspend SYS_rt_sigqueueinfo SYS_rt_tgsigqueueinfo SYS_rt_sigreturn SYS_sigaltstack
            SYS_restart_syscall
        ],
    },
    Allowed {
        reason: "waiting for events and timers",
        calls: calls![
            SYS_ppoll SYS_pselect6 SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_epoll_pwait2 SYS_eventfd2
            SYS_signalfd4 SYS_timerfd_create SYS_timerfd_settime SYS_timerfd_gettime SYS_timer_create
            SYS_timer_settime SYS_timer_gettime SYS_timer_getoverrun SYS_timer_delete SYS_nanosleep
            SYS_clock_nanosleep SYS_getitimer SYS_setitimer
        ],
    },
    Allowed {
        reason: "asking for time, limits and the machine",
        calls: calls![
            SYS_clock_gettime SYS_clock_getres SYS_gettimeofday SYS_times SYS_getrusage SYS_prlimit64 SYS_getrlimit
            SYS_setrlimit SYS_uname SYS_sysinfo SYS_getrandom
        ],
    },
    Allowed {
        reason: "asking who the caller is; changing it is up to capabilities, which only the agent has",
        calls: calls![
            SYS_getuid SYS_geteuid SYS_getgid SYS_getegid SYS_getresuid SYS_getresgid SYS_getgroups SYS_setuid
            SYS_setgid SYS_setreuid SYS_setregid SYS_setresuid SYS_setresgid SYS_setgroups SYS_setfsuid SYS_setfsgid
            SYS_capget SYS_capset
        ],
    },
    Allowed {
        reason: "sockets once made; `socket` itself is restricted below",
        calls: calls![
            SYS_socketpair SYS_bind SYS_listen SYS_accept SYS_accept4 SYS_connect SYS_getsockname SYS_getpeername
            SYS_sendto SYS_recvfrom SYS_sendmsg SYS_recvmsg SYS_sendmmsg SYS_recvmmsg SYS_setsockopt SYS_getsockopt
            SYS_shutdown
        ],
    },
    Allowed {
        reason: "System V and POSIX queues, memory and semaphores of the ipc name space",
        calls: calls![
            SYS_shmget SYS_shmat SYS_shmdt SYS_shmctl SYS_semget SYS_semop SYS_semtimedop SYS_semctl SYS_msgget
            SYS_msgsnd SYS_msgrcv SYS_msgctl SYS_mq_open SYS_mq_unlink SYS_mq_timedsend SYS_mq_timedreceive
            SYS_mq_notify SYS_mq_getsetattr
        ],
    },
    Allowed {
        reason: "further restrictions that a program puts upon itself",
        calls: calls![SYS_seccomp SYS_landlock_create_ruleset SYS_landlock_add_rule SYS_landlock_restrict_self],
    },
];

#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[Allowed] = &[Allowed {
    reason: "older forms of the calls above, which C libraries for this architecture still use",
    calls: calls![
        SYS_open SYS_creat SYS_stat SYS_lstat SYS_access SYS_readlink SYS_mkdir SYS_rmdir SYS_unlink SYS_rename
        SYS_renameat SYS_link SYS_symlink SYS_chmod SYS_chown SYS_lchown SYS_utime SYS_utimes SYS_futimesat SYS_getdents
        SYS_dup2 SYS_pipe SYS_poll SYS_select SYS_epoll_create SYS_epoll_wait SYS_eventfd SYS_signalfd SYS_inotify_init
        SYS_fork SYS_vfork SYS_getpgrp SYS_alarm SYS_pause SYS_time SYS_arch_prctl
    ],
}];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[Allowed] = &[];

const NAMESPACE_FLAGS: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;
/// `SOCK_TYPE_MASK` of the kernel: the rest of the argument is flags.
const SOCKET_TYPE: u32 = 0xf;

const RESTRICTED: &[Restricted] = &[
    Restricted {
        reason: "threads and processes, but no name spaces; clone3 hides its flags behind a pointer and is not there",
        call: libc::SYS_clone,
        error: libc::EPERM,
        cases: &[&[masked(0, NAMESPACE_FLAGS, 0)]],
    },
    Restricted {
        reason: "local and internet sockets without raw ones, and netlink for routes and addresses only",
        call: libc::SYS_socket,
        error: libc::EAFNOSUPPORT,
        cases: &[
            &[is(0, libc::AF_UNIX as u32)],
            &[is(0, libc::AF_INET as u32), masked(1, SOCKET_TYPE, libc::SOCK_STREAM as u32)],
            &[is(0, libc::AF_INET as u32), masked(1, SOCKET_TYPE, libc::SOCK_DGRAM as u32)],
            &[is(0, libc::AF_INET6 as u32), masked(1, SOCKET_TYPE, libc::SOCK_STREAM as u32)],
            &[is(0, libc::AF_INET6 as u32), masked(1, SOCKET_TYPE, libc::SOCK_DGRAM as u32)],
            &[is(0, libc::AF_NETLINK as u32), is(2, libc::NETLINK_ROUTE as u32)],
        ],
    },
    Restricted {
        reason: "device controls, without typing into somebody's terminal",
        call: libc::SYS_ioctl,
        error: libc::EPERM,
        cases: &[&[is_not(1, libc::TIOCSTI as u32), is_not(1, libc::TIOCLINUX as u32)]],
    },
    Restricted {
        reason: "asking for the execution domain and setting the plain one; others weaken address randomisation",
        call: libc::SYS_personality,
        error: libc::EPERM,
        cases: &[&[is(0, 0)], &[is(0, u32::MAX)]],
    },
    Restricted {
        reason: "named pipes, sockets and files, no device nodes",
        call: libc::SYS_mknodat,
        error: libc::EPERM,
        cases: &[
            &[masked(2, libc::S_IFMT, libc::S_IFIFO)],
            &[masked(2, libc::S_IFMT, libc::S_IFREG)],
            &[masked(2, libc::S_IFMT, libc::S_IFSOCK)],
        ],
    },
    #[cfg(target_arch = "x86_64")]
    Restricted {
        reason: "the older form of mknodat",
        call: libc::SYS_mknod,
        error: libc::EPERM,
        cases: &[
            &[masked(1, libc::S_IFMT, libc::S_IFIFO)],
            &[masked(1, libc::S_IFMT, libc::S_IFREG)],
            &[masked(1, libc::S_IFMT, libc::S_IFSOCK)],
        ],
    },
];

/// What the filter does with one system call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Allow,
    Fail(i32),
    Check { cases: &'static [&'static [Test]], error: i32 },
}

/// The filter as the kernel takes it.
pub(crate) fn compile() -> Vec<FilterInstruction> {
    program::assemble(&verdicts())
}

/// By number; a call that is not here is not implemented.
fn verdicts() -> BTreeMap<u32, Verdict> {
    let groups = ALLOWED.iter().chain(ALLOWED_HERE).inspect(|group| debug_assert!(!group.reason.is_empty()));
    let allowed = groups.flat_map(|group| group.calls.iter().map(|call| (*call, Verdict::Allow)));
    let restricted = RESTRICTED.iter().inspect(|restricted| debug_assert!(!restricted.reason.is_empty()));
    let restricted =
        restricted.map(|Restricted { call, cases, error, .. }| (*call, Verdict::Check { cases, error: *error }));
    allowed.chain(restricted).filter_map(|(call, verdict)| Some((u32::try_from(call).ok()?, verdict))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_call_is_named_twice() {
        let mut seen = BTreeSet::new();
        let groups = ALLOWED.iter().chain(ALLOWED_HERE).flat_map(|group| group.calls.iter().copied());
        for call in groups.chain(RESTRICTED.iter().map(|restricted| restricted.call)) {
            assert!(seen.insert(call), "system call {call} is named twice");
        }
    }

    #[test]
    fn every_rule_says_why() {
        assert!(ALLOWED.iter().chain(ALLOWED_HERE).all(|group| group.reason.len() > 10));
        assert!(RESTRICTED.iter().all(|restricted| restricted.reason.len() > 10));
    }
}
