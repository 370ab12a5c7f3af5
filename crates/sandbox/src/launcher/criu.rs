//! A CRIU process for one save or one restore, among mounts of its own.
//!
//! It gets a `/run` that is the same file system each time, because it keeps there what it found out about the kernel. For a
//! restore a small file system below holds what is put into the sandbox, and CRIU lives in the sandbox's control groups, in
//! which the processes then are that it restores. Killing the groups ends a restore at any moment.

use std::convert::Infallible;
use std::ffi::CString;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use fs_err as fs;
use hearth_sys::{
    Cloned, MountAttributes, Namespaces, attach_mount, bring_up_loopback, clone_process, clone_tree, close_from,
    execute_program, failpoint, make_filesystem, reset_signals, set_mount_attributes,
};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, socketpair};
use rustix::process::{Pid, Signal, set_parent_process_death_signal, setpriority_process, setsid};
use rustix::thread::{LinkNameSpaceType, ThreadNameSpaceType, move_into_link_name_space, move_into_thread_name_spaces};

use super::attach::{AttachError, detached};
use super::ids::{FUNCTION_GID, FUNCTION_UID};
use super::server::Workshop;
use super::stage::STAGE_AGENT;
use super::{Step, StepError};
use crate::cgroup::Entrances;
use crate::protocol::{self, RestoreMounts, Status};

/// Where CRIU keeps what it knows of the kernel.
const RUN: &str = "/run";
/// Where what is put into a sandbox lies, as the CRIU of its restore sees it.
pub(crate) const WORK: &str = "/run/hearth";
/// As in the sandbox that was saved.
const SHM_SIZE: &str = "64m";
/// The descriptor by which CRIU finds its socket.
const SOCKET_NUMBER: i32 = 3;

/// How far a save steps back where processors are short.
const SAVE_NICENESS: i32 = 10;

/// A CRIU process that is starting, and the socket to talk to it.
pub(crate) struct Started {
    pub(crate) pid: Pid,
    pub(crate) pidfd: OwnedFd,
    pub(crate) socket: OwnedFd,
}

/// What the process is given.
struct Plan {
    program: CString,
    socket: OwnedFd,
    run: OwnedFd,
    restore: Option<Contents>,
}

/// For a restore.
struct Contents {
    groups: Vec<OwnedFd>,
    root: OwnedFd,
    task: OwnedFd,
    opt: Option<OwnedFd>,
    agent: OwnedFd,
    tmp_mib: u32,
    first_id: u32,
}

/// Makes the file system that is `/run` for each CRIU; at the launcher's start, in its own mounts.
pub(crate) fn prepare_run(run_dir: &Path) -> Result<(), StepError> {
    const STEP: &str = "make a place for criu";
    let dir = run_dir.join("criu");
    fs::create_dir_all(&dir).step(STEP)?;
    let options = [("size", Some("4m")), ("mode", Some("755"))];
    let run = make_filesystem("tmpfs", &options, MountAttributes::MOUNT_ATTR_NOSUID).step(STEP)?;
    attach_mount(run.as_fd(), &dir).step(STEP)?;
    fs::create_dir(dir.join("hearth")).step(STEP)
}

/// Starts CRIU to save a sandbox.
pub(crate) fn start_save(workshop: &Workshop) -> Result<Started, StepError> {
    start(workshop, None, None)
}

/// Starts CRIU to restore a sandbox into groups that exist already.
pub(crate) fn start_restore(
    workshop: &Workshop,
    mounts: &RestoreMounts,
    entrances: Entrances,
    first_id: u32,
) -> Result<Started, AttachError> {
    let contents = contents(workshop, mounts, entrances.v1, first_id)?;
    start(workshop, Some(contents), entrances.v2.as_ref().map(AsFd::as_fd)).map_err(AttachError::Failed)
}

fn contents(
    workshop: &Workshop,
    mounts: &RestoreMounts,
    groups: Vec<OwnedFd>,
    first_id: u32,
) -> Result<Contents, AttachError> {
    let failed = AttachError::Failed;
    let root = clone_tree(&mounts.root, true).step("mount the root").map_err(failed)?;
    let read_only = MountAttributes::MOUNT_ATTR_RDONLY | MountAttributes::MOUNT_ATTR_NOSUID;
    set_mount_attributes(root.as_fd(), read_only, true).step("mount the root").map_err(failed)?;
    workshop.stages.enter_empty().map_err(AttachError::Lost)?;
    let agent = clone_tree(STAGE_AGENT, false).step("mount the agent");
    workshop.stages.enter_host().map_err(AttachError::Lost)?;
    let agent = agent.map_err(failed)?;
    set_mount_attributes(agent.as_fd(), read_only, false).step("mount the agent").map_err(failed)?;
    Ok(Contents {
        groups,
        root,
        task: detached(&mounts.task_dir).map_err(failed)?,
        opt: mounts.opt_dir.as_deref().map(detached).transpose().map_err(failed)?,
        agent,
        tmp_mib: mounts.tmp_mib,
        first_id,
    })
}

fn start(workshop: &Workshop, restore: Option<Contents>, group: Option<BorrowedFd<'_>>) -> Result<Started, StepError> {
    const STEP: &str = "start criu";
    let (program, run_dir) = workshop.criu.as_ref().ok_or("there is none").step("find criu")?;
    let program = CString::new(program.as_os_str().as_encoded_bytes()).step(STEP)?;
    let run = clone_tree(run_dir.join("criu"), false).step(STEP)?;
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).step(STEP)?;
    let plan = Plan { program, socket: theirs, run, restore };
    match clone_process(Namespaces::NEWNS, group).step(STEP)? {
        Cloned::Child => {
            drop(ours);
            plan.live()
        }
        Cloned::Parent { pid, pidfd } => Ok(Started { pid, pidfd, socket: ours }),
    }
}

impl Plan {
    /// Becomes CRIU or ends.
    fn live(self) -> ! {
        let Err(error) = self.become_criu();
        let _daemon_gone = protocol::send(self.socket.as_fd(), &Status::Failed(error.to_string()), &[]);
        std::process::exit(1)
    }

    fn become_criu(&self) -> Result<Infallible, StepError> {
        const STEP: &str = "execute criu";
        // A save is not broken off: that would cost the sandbox its life in a way that nobody notices.
        setsid().step("start a session")?;
        attach_mount(self.run.as_fd(), RUN).step("mount /run")?;
        if self.restore.is_none() {
            // As the rest of a save: nobody's call waits for it.
            let _as_any_other = setpriority_process(None, SAVE_NICENESS).is_err();
        }
        if let Some(contents) = &self.restore {
            set_parent_process_death_signal(Some(Signal::KILL)).step("tie life to the launcher")?;
            for group in &contents.groups {
                rustix::io::write(group, b"0").step("enter a control group")?;
            }
            contents.furnish()?;
        }
        failpoint("criu.exec");
        protocol::send(self.socket.as_fd(), &Status::Prepared, &[]).step("tell the daemon")?;
        reset_signals().step("reset signals")?;
        let socket = rustix::io::fcntl_dupfd_cloexec(&self.socket, SOCKET_NUMBER + 1).step(STEP)?;
        close_from(SOCKET_NUMBER.unsigned_abs()).step(STEP)?;
        hearth_sys::place_descriptor(socket.as_fd(), SOCKET_NUMBER).step(STEP)?;
        let environment = [c"PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
        execute_program(&self.program, &[c"criu", c"swrk", c"3"], &environment).step(STEP)
    }
}

impl Contents {
    /// Puts everything in its place below [`WORK`].
    fn furnish(&self) -> Result<(), StepError> {
        let options = [("size", Some("64k")), ("mode", Some("755"))];
        let work =
            make_filesystem("tmpfs", &options, MountAttributes::MOUNT_ATTR_NOSUID).step("mount the work place")?;
        attach_mount(work.as_fd(), WORK).step("mount the work place")?;
        for dir in ["root", "task", "opt", "tmp", "shm"] {
            fs::create_dir(format!("{WORK}/{dir}")).step("furnish the work place")?;
        }
        fs::write(format!("{WORK}/agent"), "").step("furnish the work place")?;
        self.attach(&self.root, "root")?;
        self.attach(&self.task, "task")?;
        if let Some(opt) = &self.opt {
            self.attach(opt, "opt")?;
        }
        self.attach(&self.agent, "agent")?;
        self.mount_own("tmp", &format!("{}m", self.tmp_mib))?;
        self.mount_own("shm", SHM_SIZE)
    }

    fn attach(&self, mount: &OwnedFd, name: &str) -> Result<(), StepError> {
        attach_mount(mount.as_fd(), format!("{WORK}/{name}")).step("furnish the work place")
    }

    fn mount_own(&self, name: &str, size: &str) -> Result<(), StepError> {
        let (uid, gid) = ((self.first_id + FUNCTION_UID).to_string(), (self.first_id + FUNCTION_GID).to_string());
        let options = [("size", Some(size)), ("mode", Some("1777")), ("uid", Some(&*uid)), ("gid", Some(&*gid))];
        let attributes = MountAttributes::MOUNT_ATTR_NOSUID | MountAttributes::MOUNT_ATTR_NODEV;
        let mount = make_filesystem("tmpfs", &options, attributes).step("mount what the function may fill")?;
        self.attach(&mount, name)
    }
}

/// Brings up the loopback device of a restored tree and makes a socket there for the daemon. `own` is the launcher's own
/// network.
pub(crate) fn open_network(
    process: BorrowedFd<'_>,
    own: BorrowedFd<'_>,
    address: Ipv4Addr,
) -> Result<OwnedFd, AttachError> {
    move_into_thread_name_spaces(process, ThreadNameSpaceType::NETWORK)
        .step("enter the sandbox's network")
        .map_err(AttachError::Failed)?;
    let socket = bring_up_loopback(address).step("bring up the loopback device").and_then(|()| {
        socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .step("make a socket for the daemon")
    });
    move_into_link_name_space(own, Some(LinkNameSpaceType::Network))
        .step("return to the host's network")
        .map_err(AttachError::Lost)?;
    socket.map_err(AttachError::Failed)
}
