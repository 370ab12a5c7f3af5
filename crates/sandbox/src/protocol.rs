//! What the daemon and the launcher say to each other: one packet per request, one per reply, descriptors beside them.
//!
//! The launcher is as trusted as the daemon. Nothing from inside a sandbox travels here.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use hearth_agent_proto::Rlimits;
use hearth_types::{NetworkMode, SandboxId};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::cgroup::Cgroups;

/// Largest packet either way.
const PACKET_BYTES_MAX: usize = 64 * 1024;
/// Descriptors that may come with one packet.
const DESCRIPTORS_MAX: usize = 2;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Configure {
    pub(crate) agent_binary: PathBuf,
    pub(crate) run_dir: PathBuf,
    pub(crate) instance: String,
    pub(crate) uid_base: u32,
    /// The program that saves and restores sandboxes.
    pub(crate) criu: Option<PathBuf>,
    /// Address and prefix length of subnets that functions with egress may reach in any case.
    pub(crate) egress_allow: Vec<(Ipv4Addr, u8)>,
}

/// How an interpreter is started that forks waiting ones, and how these are limited.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Zygote {
    /// Program and arguments, inside of the root.
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub rlimits: Rlimits,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// The first one.
    Configure(Configure),
    /// The answer to `NeedsMaps`: how many ids the launcher's user name space has now.
    Mapped { ids: u32 },
    /// Answered by `Done` with the *status socket*. On it the new process sends an unconnected Unix stream socket of its
    /// network name space (a socket stays where it was made), then a failure if there is one; it closes when the agent
    /// runs.
    ///
    /// With a zygote the sandbox is born from that, if it is there; it is started if not.
    Create { id: SandboxId, root: PathBuf, zygote: Option<Zygote>, urgent: bool },
    /// Answered by `Done`. With it goes a status socket for what is not there at once: the network, then the code where `may_hang`.
    Assign {
        id: SandboxId,
        task_dir: PathBuf,
        may_hang: bool,
        opt_dir: Option<PathBuf>,
        tmp_mib: u32,
        network: NetworkMode,
    },
    /// Answered by `Criu` with the sandbox's first process and a socket: on it comes `Prepared` or `Failed`, then it is CRIU's.
    Save { id: SandboxId },
    /// Makes groups for a new sandbox and starts CRIU in them. Answered as `Save`, with CRIU's own process.
    Restore { id: SandboxId, mounts: RestoreMounts },
    /// The first process of a tree that is being restored. Answered by `Done` with an unconnected Unix stream socket of its
    /// network name space, where the loopback device is up now.
    Adopt { id: SandboxId, pid: i32 },
    /// Answered as `Save`, without a sandbox.
    Ask,
    /// Answered by `Done` with a pipe that closes when everything is gone, or without one if it is already.
    Destroy { id: SandboxId },
}

/// What is mounted into a restored sandbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct RestoreMounts {
    pub(crate) root: PathBuf,
    pub(crate) task_dir: PathBuf,
    pub(crate) opt_dir: Option<PathBuf>,
    pub(crate) tmp_mib: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The launcher has entered a user name space of its own, whose ids are to be mapped from outside.
    NeedsMaps,
    Ready(Ready),
    Done,
    /// A process, as the launcher sees it, and the sandbox's first user id on the host. With it go a socket to CRIU and CRIU's own
    /// process descriptor.
    Criu {
        pid: i32,
        first_id: u32,
    },
    Failed {
        step: String,
        reason: String,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) cgroups: Cgroups,
    /// The launcher has the host's root rights.
    pub(crate) root: bool,
    /// The function has a uid of its own beside the agent's.
    pub(crate) own_uid: bool,
    /// What cannot be had besides control groups.
    pub(crate) missing: Vec<String>,
}

/// What comes over a status socket.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Status {
    /// With a socket to reach the agent by. `parked`: the agent has a waiting interpreter from its birth on.
    Socket {
        parked: bool,
    },
    /// CRIU is about to take over this socket.
    Prepared,
    /// The way out is open, and fenced in.
    NetworkReady,
    /// The code is there, and what goes with it.
    Attached,
    Failed(String),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProtocolError {
    #[error("the other side is gone")]
    Gone,
    #[error("packet cannot be sent or received: {0}")]
    Socket(Errno),
    #[error("malformed packet")]
    Malformed,
    /// Such as a path that is not UTF-8.
    #[error("request cannot be put into a packet")]
    Unsendable,
}

pub(crate) fn send<T: Serialize>(
    socket: BorrowedFd<'_>,
    message: &T,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), ProtocolError> {
    let bytes = postcard::to_stdvec(message).ok().filter(|bytes| bytes.len() <= PACKET_BYTES_MAX);
    let bytes = bytes.ok_or(ProtocolError::Unsendable)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(ProtocolError::Unsendable);
    }
    match retry(|| sendmsg(socket, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)) {
        Ok(_) => Ok(()),
        Err(Errno::PIPE | Errno::CONNRESET) => Err(ProtocolError::Gone),
        Err(errno) => Err(ProtocolError::Socket(errno)),
    }
}

pub(crate) fn receive<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> Result<(T, Vec<OwnedFd>), ProtocolError> {
    let mut bytes = vec![0; PACKET_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received =
        retry(|| recvmsg(socket.as_fd(), &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC));
    let received = match received {
        Ok(received) if received.bytes == 0 => return Err(ProtocolError::Gone),
        Ok(received) => received,
        Err(Errno::CONNRESET) => return Err(ProtocolError::Gone),
        Err(errno) => return Err(ProtocolError::Socket(errno)),
    };
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(ProtocolError::Malformed);
    }
    let message = postcard::from_bytes(&bytes[..received.bytes]).ok().ok_or(ProtocolError::Malformed)?;
    Ok((message, descriptors))
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
