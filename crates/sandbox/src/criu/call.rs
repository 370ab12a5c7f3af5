//! One request to one CRIU process.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::wire::{self, Answer, Encoder, Version};
use crate::linux::wait_any;

/// Largest answer; they are a few dozen bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What CRIU writes its log to, in the directory of images.
pub(crate) const LOG_FILE: &str = "criu.log";
/// How long CRIU itself may take to stop and save a tree, seconds; it then lets the tree go on.
const SAVE_TIMEOUT_S: u64 = 20;
/// Errors alone: what CRIU writes is read when something failed.
const LOG_LEVEL: u64 = 2;

/// Why is in the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("criu did not answer in time")]
    Late,
    #[error("criu cannot be spoken to: {0}")]
    Socket(Errno),
    #[error("criu has ended without an answer")]
    Ended,
    #[error(transparent)]
    Malformed(#[from] wire::Malformed),
    #[error("criu gave an answer to another question")]
    Unexpected,
    #[error("criu could not do it")]
    Refused,
    #[error("{0}")]
    Notice(String),
}

/// A point at which CRIU waits for leave to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Notice {
    /// The tree is saved and stands still.
    Saved,
    /// The first process of a restored tree exists with its name spaces, and nothing runs in it yet.
    Namespaces { pid: i32 },
}

pub(crate) struct SaveRequest<'a> {
    pub(crate) pid: i32,
    pub(crate) images: &'a Path,
    /// Mount points in the sandbox, and the names by which they are put back.
    pub(crate) mounts: &'a [(&'a str, &'a str)],
}

pub(crate) struct RestoreRequest<'a> {
    /// As CRIU sees it.
    pub(crate) images: &'a Path,
    pub(crate) root: &'a Path,
    /// Names as they were saved, and what to put there, as CRIU sees it.
    pub(crate) mounts: &'a [(&'a str, &'a Path)],
}

#[derive(Debug)]
pub(crate) struct Call {
    socket: OwnedFd,
    /// What it restores has the socket open too, so that it says nothing of CRIU's own end.
    process: OwnedFd,
    deadline: Instant,
}

impl Call {
    pub(crate) fn new(socket: OwnedFd, process: OwnedFd, deadline: Instant) -> Self {
        Self { socket, process, deadline }
    }

    pub(crate) fn version(&self) -> Result<Version, CallError> {
        self.say(&wire::encode_version_request())?;
        match self.hear()? {
            Answer::Version(version) => Ok(version),
            _ => Err(CallError::Unexpected),
        }
    }

    /// Saves a tree and ends it. `on_notice` is asked for leave.
    pub(crate) fn save(
        &self,
        request: &SaveRequest<'_>,
        on_notice: impl FnMut(Notice) -> Result<(), String>,
    ) -> Result<(), CallError> {
        let message = wire::encode_request(wire::DUMP, |options| {
            common(options, request.images);
            options.number(2, u64::from(request.pid.unsigned_abs()));
            options.number(45, SAVE_TIMEOUT_S);
            for (point, name) in request.mounts {
                options.text(37, format!("mnt[{point}]:{name}").as_bytes());
            }
        });
        self.say(&message)?;
        self.converse(on_notice).map(drop)
    }

    /// Restores a tree and returns its first process.
    pub(crate) fn restore(
        &self,
        request: &RestoreRequest<'_>,
        on_notice: impl FnMut(Notice) -> Result<(), String>,
    ) -> Result<i32, CallError> {
        let message = wire::encode_request(wire::RESTORE, |options| {
            common(options, request.images);
            options.text(13, request.root.as_os_str().as_encoded_bytes());
            // The first process becomes the launcher's child.
            options.flag(26);
            for (name, path) in request.mounts {
                let value = [b"mnt[", name.as_bytes(), b"]:", path.as_os_str().as_encoded_bytes()].concat();
                options.text(37, &value);
            }
        });
        self.say(&message)?;
        self.converse(on_notice)?.ok_or(CallError::Unexpected)
    }

    fn converse(&self, mut on_notice: impl FnMut(Notice) -> Result<(), String>) -> Result<Option<i32>, CallError> {
        loop {
            match self.hear()? {
                Answer::Notice { script, pid } => {
                    let notice = match script.as_str() {
                        "post-dump" => Some(Notice::Saved),
                        "setup-namespaces" => Some(Notice::Namespaces { pid }),
                        _ => None,
                    };
                    if let Some(notice) = notice {
                        on_notice(notice).map_err(CallError::Notice)?;
                    }
                    self.say(&wire::encode_leave())?;
                }
                Answer::Done { pid } => return Ok(pid),
                Answer::Refused => return Err(CallError::Refused),
                Answer::Version(_) => return Err(CallError::Unexpected),
            }
        }
    }

    fn say(&self, message: &[u8]) -> Result<(), CallError> {
        match send(&self.socket, message, SendFlags::NOSIGNAL) {
            Ok(_) => Ok(()),
            Err(Errno::PIPE | Errno::CONNRESET) => Err(CallError::Ended),
            Err(errno) => Err(CallError::Socket(errno)),
        }
    }

    fn hear(&self) -> Result<Answer, CallError> {
        let [answered, _ended] =
            wait_any([self.socket.as_fd(), self.process.as_fd()], self.deadline).map_err(|errno| match errno {
                Errno::TIMEDOUT => CallError::Late,
                errno => CallError::Socket(errno),
            })?;
        if !answered {
            return Err(CallError::Ended);
        }
        let mut bytes = vec![0; ANSWER_BYTES_MAX];
        match recv(&self.socket, &mut bytes[..], RecvFlags::empty()) {
            Ok((0, _)) | Err(Errno::CONNRESET) => Err(CallError::Ended),
            Ok((length, _)) => Ok(wire::decode_answer(&bytes[..length.min(ANSWER_BYTES_MAX)])?),
            Err(errno) => Err(CallError::Socket(errno)),
        }
    }
}

/// What saving and restoring have in common: the shape of a sandbox.
fn common(options: &mut Encoder, images: &Path) {
    const IGNORE_CGROUPS: u64 = 0;
    const LOCK_NOTHING: u64 = 3;
    // No descriptor: the directory is named (68).
    options.number(1, u64::MAX);
    options.text(68, images.as_os_str().as_encoded_bytes());
    options.flag(5);
    options.flag(8);
    options.number(9, LOG_LEVEL);
    options.text(10, LOG_FILE.as_bytes());
    options.flag(12);
    options.number(34, IGNORE_CGROUPS);
    options.number(38, u64::from(rustix::thread::UnshareFlags::NEWNET.bits()));
    options.number(64, LOCK_NOTHING);
}
