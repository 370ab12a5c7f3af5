//! The first process of a sandbox, from its birth until it becomes the agent.

use std::convert::Infallible;
use std::ffi::CString;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use hearth_sys::{
    FilterInstruction, MountAttributes, Namespaces, attach_mount, bring_up_loopback, clone_tree, close_from,
    execute_program, failpoint, install_filter, make_filesystem, reset_signals, set_mount_attributes,
    unshare_namespaces,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::mount::{UnmountFlags, unmount};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, recv, socket_with};
use rustix::process::{
    Resource, Rlimit, Signal, chdir, getrlimit, pivot_root, set_parent_process_death_signal, setrlimit, setsid, umask,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use rustix::time::Timespec;

use super::ids::{FUNCTION_GID, FUNCTION_UID};
use super::stage::{STAGE_AGENT, STAGE_DEV, STAGE_ROOT};
use super::{Step, StepError};
use crate::protocol::{self, Status};

/// Where the agent lies inside a sandbox.
const AGENT_PATH: &str = ".hearth/agent";
const EMPTY_DIR: &str = ".hearth/empty";
/// `/dev/shm`; its pages count towards the sandbox's memory.
const SHM_SIZE: &str = "64m";
/// `/tmp` until a function is assigned.
const TMP_SIZE_BLANK: &str = "64k";
/// What the agent needs: to start the function as another user and to end it.
const AGENT_CAPABILITIES: CapabilitySet = CapabilitySet::SETUID.union(CapabilitySet::SETGID).union(CapabilitySet::KILL);
/// Highest capability number that kernels may have.
const CAPABILITIES_MAX: u32 = 63;
const OPEN_FILES_MAX: u64 = 4096;
const STACK_BYTES: u64 = 8 << 20;

/// Entries of `/proc` that tell everybody about the host; covered by `/dev/null`. What only the host's root may read needs no
/// cover: nobody in a sandbox is that.
const PROC_FILES_HIDDEN: [&str; 6] = ["cmdline", "interrupts", "kallsyms", "key-users", "keys", "modules"];
/// Directories of `/proc` likewise; covered by an empty directory.
const PROC_DIRS_HIDDEN: [&str; 6] = ["acpi", "bus", "driver", "fs", "irq", "scsi"];

/// What the new process is given.
pub(crate) struct Birth<'a> {
    /// The root, detached and read-only.
    pub(crate) root: OwnedFd,
    pub(crate) root_has_devices: bool,
    /// Takes the failure; at a birth by the launcher it says "go" before, when the ids are mapped.
    pub(crate) status: OwnedFd,
    pub(crate) launcher: BorrowedFd<'a>,
    /// On the loopback device, and the host's name.
    pub(crate) address: Ipv4Addr,
    /// The function has a uid of its own.
    pub(crate) own_uid: bool,
    pub(crate) filter: &'a [FilterInstruction],
    pub(crate) landlock: bool,
    /// Where the empty stage lies.
    pub(crate) stage: &'static str,
    pub(crate) parked: Option<Inheritance>,
}

/// A waiting interpreter, this process' child, as the agent is to take it over.
pub(crate) struct Inheritance {
    pub(crate) pid: u32,
    /// The number that the telemetry pipe has in it.
    pub(crate) telemetry_number: u32,
    /// Its control socket, and the ends of its pipes for output and telemetry that are read.
    pub(crate) descriptors: [OwnedFd; 3],
}

impl Birth<'_> {
    /// Becomes the agent or ends: a copy of the launcher must not go on where the launcher does. `groups` are `cgroup.procs` of
    /// version 1 groups to enter.
    pub(crate) fn live(self, groups: &[OwnedFd]) -> ! {
        let Err(error) = self.enter_name_spaces(groups).and_then(|()| self.become_agent());
        self.fail(&error)
    }

    /// As [`Birth::live`], in a process that has its ids and all its name spaces already.
    pub(crate) fn live_on(self) -> ! {
        let Err(error) = self.become_agent();
        self.fail(&error)
    }

    fn fail(&self, error: &StepError) -> ! {
        let _daemon_gone = protocol::send(self.status.as_fd(), &Status::Failed(error.to_string()), &[]);
        std::process::exit(1)
    }

    fn enter_name_spaces(&self, groups: &[OwnedFd]) -> Result<(), StepError> {
        self.await_go()?;
        failpoint("birth.go");
        for group in groups {
            rustix::io::write(group, b"0").step("enter a control group")?;
        }
        self.take_ids()?;
        failpoint("birth.ids");
        let rest = Namespaces::NEWNET | Namespaces::NEWIPC | Namespaces::NEWUTS | Namespaces::NEWCGROUP;
        unshare_namespaces(rest).step("make name spaces")
    }

    fn become_agent(&self) -> Result<Infallible, StepError> {
        self.send_socket()?;
        setsid().step("start a session")?;
        umask(Mode::from_raw_mode(0o022));
        rustix::system::sethostname(self.address.to_string().as_bytes()).step("set the host name")?;
        bring_up_loopback(self.address).step("bring up the loopback device")?;
        failpoint("birth.net");
        self.mount_all()?;
        failpoint("birth.mounts");
        open_standard_files()?;
        self.give_up_rights()?;
        let program = CString::new(format!("/{AGENT_PATH}")).step("execute the agent")?;
        let arguments = self.agent_arguments()?;
        let arguments: Vec<_> = arguments.iter().map(CString::as_c_str).collect();
        execute_program(&program, &arguments, &[]).step("execute the agent")
    }

    fn agent_arguments(&self) -> Result<Vec<CString>, StepError> {
        let mut words = vec!["hearth-agent".to_owned()];
        if let Some(parked) = &self.parked {
            words.push("--parked".to_owned());
            let numbers = parked.descriptors.iter().map(|descriptor| descriptor.as_raw_fd().to_string());
            words.extend([parked.pid.to_string(), parked.telemetry_number.to_string()].into_iter().chain(numbers));
        }
        words.into_iter().map(|word| CString::new(word).step("execute the agent")).collect()
    }

    fn await_go(&self) -> Result<(), StepError> {
        let mut byte = [0; 1];
        match recv(&self.status, &mut byte[..], RecvFlags::empty()).step("await the launcher")? {
            (1, _) => Ok(()),
            _ => Err("the launcher is gone").step("await the launcher"),
        }
    }

    /// The daemon cannot enter this network name space; the socket takes it there.
    fn send_socket(&self) -> Result<(), StepError> {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .step("make a socket for the daemon")?;
        let parked = self.parked.is_some();
        protocol::send(self.status.as_fd(), &Status::Socket { parked }, &[socket.as_fd()])
            .step("send the daemon a socket")
    }

    fn take_ids(&self) -> Result<(), StepError> {
        let (uid, gid) = (Uid::ROOT, Gid::ROOT);
        if self.own_uid {
            set_thread_groups(&[]).step("give up groups")?;
        }
        set_thread_res_gid(gid, gid, gid).step("become the sandbox's root")?;
        set_thread_res_uid(uid, uid, uid).step("become the sandbox's root")
    }

    /// Assembles the root at a place of the empty stage, moves there, and leaves the stage.
    fn mount_all(&self) -> Result<(), StepError> {
        enter_root(&self.root, self.root_has_devices, self.stage)?;
        self.mount_own("dev/shm", SHM_SIZE).step("mount /dev/shm")?;
        self.mount_own("tmp", TMP_SIZE_BLANK).step("mount /tmp")?;
        let agent = clone_tree(format!("{}{STAGE_AGENT}", self.stage), false).step("mount the agent")?;
        let read_only = MountAttributes::MOUNT_ATTR_RDONLY | MountAttributes::MOUNT_ATTR_NOSUID;
        set_mount_attributes(agent.as_fd(), read_only, false).step("mount the agent")?;
        attach_mount(agent.as_fd(), AGENT_PATH).step("mount the agent")?;
        mount_proc()?;
        leave_stage()
    }

    /// A size-limited file system in memory, which the function may fill.
    fn mount_own(&self, path: &str, size: &str) -> Result<(), hearth_sys::SysError> {
        let (uid, gid) = if self.own_uid { (FUNCTION_UID, FUNCTION_GID) } else { (0, 0) };
        let (uid, gid) = (uid.to_string(), gid.to_string());
        let options = [("size", Some(size)), ("mode", Some("1777")), ("uid", Some(&*uid)), ("gid", Some(&*gid))];
        let attributes = MountAttributes::MOUNT_ATTR_NOSUID | MountAttributes::MOUNT_ATTR_NODEV;
        attach_mount(make_filesystem("tmpfs", &options, attributes)?.as_fd(), path)
    }

    fn give_up_rights(&self) -> Result<(), StepError> {
        limit_resources()?;
        let limit = |value| Rlimit { current: Some(value), maximum: Some(value) };
        setrlimit(Resource::Core, limit(0)).step("limit core dumps")?;
        let files = getrlimit(Resource::Nofile).maximum.map_or(OPEN_FILES_MAX, |most| most.min(OPEN_FILES_MAX));
        setrlimit(Resource::Nofile, limit(files)).step("limit open files")?;
        keep_capabilities(AGENT_CAPABILITIES)?;
        if self.landlock {
            crate::landlock::restrict()?;
        }
        die_with_launcher(self.launcher)?;
        failpoint("birth.tied");
        reset_signals().step("reset signals")?;
        close_from(3).step("close descriptors")?;
        for descriptor in self.parked.iter().flat_map(|parked| &parked.descriptors) {
            fcntl_setfd(descriptor, FdFlags::empty()).step("keep descriptors")?;
        }
        install_filter(self.filter).step("install the system call filter")
    }
}

/// Limits of processes that Linux gives to every user and Lambda leaves as they are; the daemon may have been started with
/// others. None is raised above what it was.
pub(super) fn limit_resources() -> Result<(), StepError> {
    let limits =
        [(Resource::Memlock, 64 << 10), (Resource::Msgqueue, 819_200), (Resource::Nice, 0), (Resource::Rtprio, 0)];
    for (resource, most) in limits {
        let value = Some(getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most)));
        setrlimit(resource, Rlimit { current: value, maximum: value }).step("limit resources")?;
    }
    let maximum = getrlimit(Resource::Stack).maximum;
    let current = Some(maximum.map_or(STACK_BYTES, |maximum| maximum.min(STACK_BYTES)));
    setrlimit(Resource::Stack, Rlimit { current, maximum }).step("limit stacks")
}

/// Attaches a detached root at its place on the stage, with devices, and goes there.
pub(super) fn enter_root(root: &OwnedFd, has_devices: bool, stage: &str) -> Result<(), StepError> {
    let place = format!("{stage}{STAGE_ROOT}");
    attach_mount(root.as_fd(), &*place).step("mount the root")?;
    chdir(&*place).step("enter the root")?;
    if !has_devices {
        let dev = clone_tree(format!("{stage}{STAGE_DEV}"), true).step("mount /dev")?;
        set_mount_attributes(dev.as_fd(), MountAttributes::MOUNT_ATTR_RDONLY, false).step("mount /dev")?;
        attach_mount(dev.as_fd(), "dev").step("mount /dev")?;
    }
    Ok(())
}

/// From the root that was entered: makes it `/`, for all processes of the mount name space.
pub(super) fn leave_stage() -> Result<(), StepError> {
    pivot_root(".", ".").step("pivot to the root")?;
    unmount(".", UnmountFlags::DETACH).step("leave the stage")?;
    chdir("/").step("enter the root")
}

/// Gives up all capabilities but these, and every way to new ones.
pub(super) fn keep_capabilities(kept: CapabilitySet) -> Result<(), StepError> {
    for number in 0..=CAPABILITIES_MAX {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if !kept.contains(capability) && remove_capability_from_bounding_set(capability).is_err() {
            break;
        }
    }
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).step("give up capabilities")?;
    set_no_new_privs(true).step("set no_new_privs")
}

/// The signal comes only for deaths from now on, so the launcher must be seen alive afterwards.
pub(super) fn die_with_launcher(launcher: BorrowedFd<'_>) -> Result<(), StepError> {
    set_parent_process_death_signal(Some(Signal::KILL)).step("tie life to the launcher")?;
    let mut watched = [PollFd::from_borrowed_fd(launcher, PollFlags::IN)];
    match poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).step("tie life to the launcher")? {
        0 => Ok(()),
        _ => Err("the launcher is gone").step("tie life to the launcher"),
    }
}

/// A `/proc` of the new pid name space, in which users see only their own processes and nobody changes settings.
fn mount_proc() -> Result<(), StepError> {
    let attributes =
        MountAttributes::MOUNT_ATTR_NOSUID | MountAttributes::MOUNT_ATTR_NODEV | MountAttributes::MOUNT_ATTR_NOEXEC;
    let proc = make_filesystem("proc", &[("hidepid", Some("invisible"))], attributes).step("mount /proc")?;
    attach_mount(proc.as_fd(), "proc").step("mount /proc")?;
    for name in PROC_FILES_HIDDEN {
        cover("dev/null", name)?;
    }
    for name in PROC_DIRS_HIDDEN {
        cover(EMPTY_DIR, name)?;
    }
    cover("proc/sys", "sys")
}

/// Entries that this kernel does not have need no cover.
fn cover(by: &str, name: &str) -> Result<(), StepError> {
    let path = format!("proc/{name}");
    if rustix::fs::access(&*path, rustix::fs::Access::EXISTS).is_err() {
        return Ok(());
    }
    let cover = clone_tree(by, false).step("cover an entry of /proc")?;
    set_mount_attributes(cover.as_fd(), MountAttributes::MOUNT_ATTR_RDONLY, false).step("cover an entry of /proc")?;
    attach_mount(cover.as_fd(), path).step("cover an entry of /proc")
}

/// Descriptors 0 to 2 of the sandbox's own `/dev/null`.
fn open_standard_files() -> Result<(), StepError> {
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).step("open /dev/null")?;
    rustix::stdio::dup2_stdin(&null).step("open /dev/null")?;
    rustix::stdio::dup2_stdout(&null).step("open /dev/null")?;
    rustix::stdio::dup2_stderr(&null).step("open /dev/null")
}
