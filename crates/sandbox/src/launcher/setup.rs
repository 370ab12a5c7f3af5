//! How the launcher comes by its rights, and by its run directory for itself.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use hearth_sys::{Namespaces, unshare_namespaces};
use rustix::fs::{FlockOperation, Mode, OFlags, fcntl_lock, open};
use rustix::process::{
    Flock, FlockType, Resource, Rlimit, Signal, fcntl_getlk, geteuid, getrlimit, kill_process, setrlimit,
};
use rustix::thread::{CapabilitySet, Gid, Uid, capabilities, set_thread_res_gid, set_thread_res_uid};

use super::ids::IdScheme;
use super::{Step, StepError};
use crate::protocol::{Reply, Request, receive, send};

/// How long the launcher of a killed daemon may take to remove its sandboxes.
const PREDECESSOR_GRACE: Duration = Duration::from_secs(2);

/// True for root with the capabilities that making sandboxes takes.
pub(crate) fn is_privileged() -> bool {
    let needed = CapabilitySet::SYS_ADMIN
        | CapabilitySet::SYS_CHROOT
        | CapabilitySet::SETUID
        | CapabilitySet::SETGID
        | CapabilitySet::KILL
        | CapabilitySet::DAC_OVERRIDE;
    geteuid().is_root() && capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
}

/// Without root, the launcher is root of a user name space of its own, whose ids the daemon maps from outside.
pub(super) fn enter_user_namespace(daemon: &OwnedFd) -> Result<IdScheme, StepError> {
    unshare_namespaces(Namespaces::NEWUSER | Namespaces::NEWNS).step("make a user name space")?;
    send(daemon.as_fd(), &Reply::NeedsMaps, &[]).step("ask for ids")?;
    let (Request::Mapped { ids }, _) = receive(daemon.as_fd()).step("ask for ids")? else {
        return Err("not an answer").step("ask for ids");
    };
    set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT).step("become root of the user name space")?;
    set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).step("become root of the user name space")?;
    Ok(if ids > 2 { IdScheme::Pairs { ids } } else { IdScheme::Single })
}

/// Each sandbox takes a descriptor or two; the usual limit is meant for programs that use `select`.
pub(super) fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let _stays_as_it_was = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// One launcher per run directory: waits for that of a killed daemon to end, and ends it if it does not.
pub(super) fn lock_run_dir(run_dir: &Path) -> Result<OwnedFd, StepError> {
    fs_err::create_dir_all(run_dir).step("make the run directory")?;
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC;
    let lock = open(run_dir.join("launcher.lock"), flags, Mode::from_raw_mode(0o600)).step("lock the run directory")?;
    let started = Instant::now();
    while fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        if started.elapsed() > PREDECESSOR_GRACE {
            end_predecessor(&lock)?;
        }
        if started.elapsed() > PREDECESSOR_GRACE * 2 {
            return Err("another launcher holds it").step("lock the run directory");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(lock)
}

fn end_predecessor(lock: &OwnedFd) -> Result<(), StepError> {
    let wanted = Flock::from(FlockType::WriteLock);
    let holder = fcntl_getlk(lock, &wanted).step("find the holder of the run directory")?;
    if let Some(pid) = holder.and_then(|holder| holder.pid) {
        let _ended_by_itself = kill_process(pid, Signal::KILL);
    }
    Ok(())
}
