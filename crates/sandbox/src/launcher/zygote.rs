//! Zygotes: per root one process with everything trusted loaded, from which interpreters are forked into new sandboxes.
//!
//! A zygote has no rights, a user, mounts and a network of its own, and holds nothing of a tenant's. What it forks is a child of
//! the launcher; where a zygote is missing, dead or still loading, sandboxes are made without it.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use hearth_sys::{
    Cloned, Namespaces, attach_mount, clone_process, clone_tree, close_from, execute_program, failpoint, reset_signals,
};
use hearth_types::SandboxId;
use rustix::fs::{Mode, OFlags, open, stat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recv,
    sendmsg, socketpair, sockopt,
};
use rustix::process::{Signal, pidfd_send_signal, setsid, umask};
use rustix::thread::{CapabilitySet, Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::birth::{detach_root, prepare_once};
use super::child::{die_with_launcher, enter_root, keep_capabilities, leave_stage, limit_resources};
use super::cradle::Cradle;
use super::ids::{FUNCTION_GID, FUNCTION_UID, Slots};
use super::root::identify_root;
use super::server::Workshop;
use super::stage::STAGE_IN_ROOT;
use super::{Step, StepError};
use crate::address::address_of;
use crate::cgroup::Entrances;
use crate::landlock;
use crate::protocol::Zygote;

/// Zygotes that died before they were ready, in a row, after which a root is made without.
const DEATHS_MAX: u32 = 3;
/// Roots with zygotes at once: old ones of replaced roots make room.
const ZYGOTES_MAX: usize = 8;

/// A sandbox that a zygote was asked for, and whose first process has not reported yet.
#[derive(Debug)]
pub(super) struct Unborn {
    /// The new process says a byte on it, with its credentials, and waits for one.
    pub(super) go: OwnedFd,
    pub(super) entrances: Entrances,
    root: (u64, u64),
}

/// The launcher's ends of what a new process was given, and the identity of its root.
#[derive(Debug)]
pub(super) struct Conceived {
    go: OwnedFd,
    /// For the daemon.
    status: OwnedFd,
    root: (u64, u64),
}

#[derive(Debug)]
struct Living {
    control: OwnedFd,
    process: OwnedFd,
    slot: u32,
    ready: bool,
}

#[derive(Debug, Default)]
pub(super) struct Zygotes {
    living: HashMap<(u64, u64), Living>,
    deaths: HashMap<(u64, u64), u32>,
}

impl Zygotes {
    /// Asks for a sandbox. `None` where there is no zygote for the root now: `start` says what became of that.
    pub(super) fn conceive(
        &mut self,
        workshop: &mut Workshop,
        id: SandboxId,
        root: &Path,
        zygote: &Zygote,
    ) -> Result<Option<Conceived>, StepError> {
        let identity = identify_root(root)?;
        let Some(living) = self.living.get_mut(&identity).filter(|living| living.hears()) else { return Ok(None) };
        living.ready = true;
        let has_devices = prepare_once(workshop, root)?;
        let root = detach_root(root)?;
        let pair = || socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (go, their_go) = pair().step("make a socket for the new process")?;
        sockopt::set_socket_passcred(&go, true).step("make a socket for the new process")?;
        let (status, their_status) = pair().step("make a status socket")?;
        let cradle = Cradle { address: address_of(id), root_has_devices: has_devices, landlock: workshop.landlock };
        let limits = zygote.rlimits;
        let order = format!(
            "{} {FUNCTION_UID} {FUNCTION_GID} {} {} {}",
            cradle.encode(),
            limits.files,
            limits.processes,
            limits.core_bytes
        );
        let descriptors = [their_go.as_fd(), their_status.as_fd(), root.as_fd(), workshop.own_pidfd.as_fd()];
        // A zygote that does not take it is as good as dead.
        match send_packet(&living.control, order.as_bytes(), &descriptors) {
            Ok(()) => {
                failpoint("zyg.asked");
                Ok(Some(Conceived { go, status, root: identity }))
            }
            Err(_) => Ok(None),
        }
    }

    /// Starts one for the root unless there is one, or there is no use in it. Returns what to watch for its end.
    pub(super) fn start(
        &mut self,
        workshop: &mut Workshop,
        root: &Path,
        zygote: &Zygote,
        slots: &mut Slots,
    ) -> Result<Option<&OwnedFd>, StepError> {
        let identity = identify_root(root)?;
        let hopeless = self.deaths.get(&identity).is_some_and(|deaths| *deaths >= DEATHS_MAX);
        if self.living.contains_key(&identity) || hopeless || !workshop.ids.has_function_uid() || !is_for_everybody() {
            return Ok(None);
        }
        if self.living.len() >= ZYGOTES_MAX {
            self.living.values().for_each(Living::kill);
            return Ok(None);
        }
        let slot = slots.take(workshop.ids.slots())?;
        let (control, process) =
            give_life(workshop, root, zygote, slot).inspect_err(|_failed| slots.give_back(slot))?;
        let living = Living { control, process, slot, ready: false };
        Ok(Some(&self.living.entry(identity).or_insert(living).process))
    }

    /// Forgets zygotes for which `is_over` and returns the slots that they had.
    pub(super) fn reap(&mut self, mut is_over: impl FnMut(&OwnedFd) -> bool) -> Vec<u32> {
        let mut slots = Vec::new();
        let deaths = &mut self.deaths;
        self.living.retain(|root, living| {
            let over = is_over(&living.process);
            if over {
                slots.push(living.slot);
                if living.ready {
                    deaths.remove(root);
                } else {
                    *deaths.entry(*root).or_default() += 1;
                }
            }
            !over
        });
        slots
    }

    /// Ends the zygote that was asked for a sandbox which never reported.
    pub(super) fn give_up(&self, unborn: &Unborn) {
        if let Some(living) = self.living.get(&unborn.root) {
            living.kill();
        }
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = &OwnedFd> {
        self.living.values().map(|living| &living.process)
    }
}

impl Unborn {
    /// And the daemon's status socket.
    pub(super) fn new(conceived: Conceived, entrances: Entrances) -> (Self, OwnedFd) {
        let Conceived { go, status, root } = conceived;
        (Self { go, entrances, root }, status)
    }
}

impl Living {
    /// Whether it has said that it is ready.
    fn hears(&self) -> bool {
        self.ready || matches!(recv(&self.control, &mut [0; 1][..], RecvFlags::DONTWAIT), Ok((1, _)))
    }

    fn kill(&self) {
        let _dead_already = pidfd_send_signal(&self.process, Signal::KILL);
    }
}

fn send_packet(socket: &OwnedFd, packet: &[u8], descriptors: &[std::os::fd::BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL);
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg(socket, &[std::io::IoSlice::new(packet)], &mut ancillary, flags).map(drop)
}

/// Whether the users of sandboxes may execute this program, as the first processes that a zygote makes have to.
fn is_for_everybody() -> bool {
    stat("/proc/self/exe").is_ok_and(|stat| Mode::from_raw_mode(stat.st_mode).contains(Mode::XOTH))
}

/// Starts the process; it is told at once what confines those that it forks.
fn give_life(
    workshop: &mut Workshop,
    root: &Path,
    zygote: &Zygote,
    slot: u32,
) -> Result<(OwnedFd, OwnedFd), StepError> {
    const STEP: &str = "start a zygote";
    let root_has_devices = prepare_once(workshop, root)?;
    let root = detach_root(root)?;
    let (control, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).step(STEP)?;
    let exe = open("/proc/self/exe", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).step(STEP)?;
    send_packet(&control, &instructions(workshop), &[exe.as_fd()]).step(STEP)?;
    workshop.stages.enter_empty()?;
    let cloned = clone_process(Namespaces::NEWNS | Namespaces::NEWNET | Namespaces::NEWIPC, None);
    if matches!(cloned, Ok(Cloned::Child)) {
        let user = workshop.ids.first_of(slot);
        end(&become_zygote(workshop, &root, root_has_devices, &theirs, zygote, user));
    }
    failpoint("zyg.cloned");
    workshop.stages.enter_host()?;
    match cloned.step(STEP)? {
        Cloned::Parent { pidfd, .. } => Ok((control, pidfd)),
        Cloned::Child => Err("the child went on as its parent").step(STEP),
    }
}

#[expect(clippy::exit, reason = "a copy of the launcher must not go on where the launcher does")]
fn end(result: &Result<(), StepError>) -> ! {
    if let Err(error) = result {
        super::server::tell(error);
    }
    std::process::exit(1)
}

/// The filter of system calls, the rules for files, and how to execute the launcher's program.
fn instructions(workshop: &Workshop) -> Vec<u8> {
    let filter = workshop.filter.iter().flat_map(|instruction| {
        let [code_low, code_high] = instruction.code.to_ne_bytes();
        let [a, b, c, d] = instruction.k.to_ne_bytes();
        [code_low, code_high, instruction.jt, instruction.jf, a, b, c, d]
    });
    let filter: Vec<u8> = filter.collect();
    let mut packet = u32::try_from(filter.len()).unwrap_or(0).to_le_bytes().to_vec();
    packet.extend(filter);
    if workshop.landlock {
        let rules: Vec<String> = landlock::rules().iter().map(|(path, access)| format!("{path}={access}")).collect();
        packet.extend(rules.join("\0").as_bytes());
    }
    packet.extend(b"\0\0");
    let arguments: Vec<Vec<u8>> = std::env::args_os().map(|argument| argument.as_bytes().to_vec()).collect();
    packet.extend(arguments.join(&0));
    packet
}

fn become_zygote(
    workshop: &Workshop,
    root: &OwnedFd,
    root_has_devices: bool,
    control: &OwnedFd,
    zygote: &Zygote,
    user: u32,
) -> Result<(), StepError> {
    const STEP: &str = "start a zygote";
    setsid().step(STEP)?;
    umask(Mode::from_raw_mode(0o022));
    limit_resources()?;
    let stage = clone_tree("/", true).step(STEP)?;
    enter_root(root, root_has_devices, "")?;
    // Where those that are forked find what every sandbox is made of.
    attach_mount(stage.as_fd(), &STAGE_IN_ROOT[1..]).step(STEP)?;
    leave_stage()?;
    rustix::stdio::dup2_stdin(control).step(STEP)?;
    set_thread_groups(&[]).step(STEP)?;
    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
    set_thread_res_gid(gid, gid, gid).step(STEP)?;
    // Kept until the bounding set is empty: the last change of user would take them too early.
    rustix::thread::set_keep_capabilities(true).step(STEP)?;
    set_thread_res_uid(uid, uid, uid).step(STEP)?;
    keep_nothing()?;
    die_with_launcher(workshop.own_pidfd.as_fd())?;
    failpoint("zyg.exec");
    reset_signals().step(STEP)?;
    close_from(3).step(STEP)?;
    let words = |words: &[String]| words.iter().map(|word| CString::new(word.as_str())).collect::<Result<Vec<_>, _>>();
    let arguments = words(&zygote.command).step(STEP)?;
    let environment: Vec<String> = zygote.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let environment = words(&environment).step(STEP)?;
    let program = arguments.first().ok_or("no program").step(STEP)?;
    match execute_program(program, &borrowed(&arguments), &borrowed(&environment)).step(STEP) {
        Ok(never) => match never {},
        Err(error) => Err(error),
    }
}

fn borrowed(texts: &[CString]) -> Vec<&CStr> {
    texts.iter().map(CString::as_c_str).collect()
}

/// Gives up all rights. Capabilities that were kept over the change of user have to be put in force to empty the bounding set.
fn keep_nothing() -> Result<(), StepError> {
    const STEP: &str = "start a zygote";
    let mut sets = rustix::thread::capabilities(None).step(STEP)?;
    sets.effective = sets.permitted & CapabilitySet::SETPCAP;
    rustix::thread::set_capabilities(None, sets).step(STEP)?;
    keep_capabilities(CapabilitySet::empty())
}
