//! Saving a sandbox into files, and restoring others from them.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs_err as fs;
use hearth_sys::failpoint;
use hearth_types::SandboxId;

use super::files::{pack, unpack};
use super::{LinuxIsolation, connect};
use crate::address::address_of;
use crate::cgroup::Limits;
use crate::criu::{CRIU_VERSION_MIN, Call, LOG_FILE, Notice, RestoreRequest, SaveRequest, Version, rewrite_identity};
use crate::isolation::{AssignSpec, RestoreSpec};
use crate::launcher::{CRIU_WORK, IDS_PER_SANDBOX};
use crate::protocol::{ProtocolError, Reply, Request, RestoreMounts, Status, receive};

/// Longest time that CRIU may take to start, its mounts included.
const START_MAX: Duration = Duration::from_secs(5);
/// Longest time that saving may take. CRIU gives up before.
const SAVE_MAX: Duration = Duration::from_secs(60);
/// Longest time that restoring may take, without what goes by size: a bad image makes CRIU hang.
const RESTORE_MAX: Duration = Duration::from_secs(10);
/// What reading a mebibyte of images may add to it.
const RESTORE_MAX_PER_MIB: Duration = Duration::from_millis(5);
/// Longest time that the restored agent may take to be reached.
const LISTEN_MAX: Duration = Duration::from_secs(5);

/// Where a function may write, and the image file that holds what it wrote there.
const FILLED: [(&str, &str, &str); 2] = [("tmp", "tmp", "hearth-tmp.img"), ("dev/shm", "shm", "hearth-shm.img")];

/// CRIU as it was told to work.
struct Criu {
    call: Call,
    pid: i32,
    first_id: u32,
}

fn mount_names(assign: &AssignSpec) -> Vec<(&'static str, &'static str)> {
    let always =
        [("/", "root"), ("/var/task", "task"), ("/tmp", "tmp"), ("/dev/shm", "shm"), ("/.hearth/agent", "agent")];
    always.into_iter().chain(assign.opt_dir.is_some().then_some(("/opt", "opt"))).collect()
}

impl LinuxIsolation {
    /// The version of a CRIU that works here.
    pub(super) fn ask_criu(&self) -> Result<Version, String> {
        let criu = self.start_criu(&Request::Ask, START_MAX)?;
        let version = criu.call.version().map_err(|error| error.to_string())?;
        let mut wanted = CRIU_VERSION_MIN.split('.').map(|number| number.parse().unwrap_or(0));
        let oldest = Version { major: wanted.next().unwrap_or(0), minor: wanted.next().unwrap_or(0), patch: 0 };
        if version < oldest {
            return Err(format!(
                "it is version {version}, and {CRIU_VERSION_MIN} is the oldest that can save sandboxes"
            ));
        }
        Ok(version)
    }

    fn start_criu(&self, request: &Request, limit: Duration) -> Result<Criu, String> {
        let (pid, first_id, socket, process) = self.call_criu(request)?;
        let deadline = Instant::now() + limit;
        connect::wait_readable(socket.as_fd(), deadline).map_err(|errno| format!("criu does not start: {errno}"))?;
        match receive(socket.as_fd()) {
            Ok((Status::Prepared, _)) => Ok(Criu { call: Call::new(socket, process, deadline), pid, first_id }),
            Ok((Status::Failed(reason), _)) => Err(reason),
            Ok((Status::Socket { .. } | Status::NetworkReady | Status::Attached, _)) => {
                Err(ProtocolError::Malformed.to_string())
            }
            Err(error) => Err(format!("criu does not start: {error}")),
        }
    }

    fn call_criu(&self, request: &Request) -> Result<(i32, u32, OwnedFd, OwnedFd), String> {
        let answer = self.launcher().and_then(|launcher| launcher.call(request));
        match answer.map_err(|error| error.to_string())? {
            (Reply::Criu { pid, first_id }, descriptors) => {
                let mut descriptors = descriptors.into_iter();
                let (socket, process) =
                    descriptors.next().zip(descriptors.next()).ok_or("the launcher sent no socket")?;
                Ok((pid, first_id, socket, process))
            }
            (Reply::Failed { step, reason }, _) => Err(format!("{step}: {reason}")),
            (Reply::Done | Reply::NeedsMaps | Reply::Ready(_), _) => Err(ProtocolError::Malformed.to_string()),
        }
    }

    pub(super) fn try_save(&self, id: SandboxId, assign: &AssignSpec, images: &Path) -> Result<(), String> {
        let criu = self.start_criu(&Request::Save { id }, SAVE_MAX)?;
        failpoint("save.ask");
        let names = mount_names(assign);
        let request = SaveRequest { pid: criu.pid, images, mounts: &names };
        let saved = criu.call.save(&request, |notice| match notice {
            Notice::Saved => {
                failpoint("save.saved");
                pack_all(&criu, assign, images)?;
                failpoint("save.packed");
                Ok(())
            }
            Notice::Namespaces { .. } => Ok(()),
        });
        failpoint("save.done");
        let log = fs::read_to_string(images.join(LOG_FILE)).unwrap_or_default();
        let _never_an_image = fs::remove_file(images.join(LOG_FILE));
        saved.map_err(|error| format!("{error}{}", last_errors(&log)))
    }

    pub(super) fn try_restore(&self, id: SandboxId, spec: &RestoreSpec) -> Result<OwnedFd, String> {
        let assign = &spec.assign;
        let mounts = RestoreMounts {
            root: spec.root.clone(),
            task_dir: assign.task_dir.clone(),
            opt_dir: assign.opt_dir.clone(),
            tmp_mib: assign.tmp_mib,
        };
        let limit = RESTORE_MAX + RESTORE_MAX_PER_MIB * size_mib(&spec.image_dir);
        let criu = self.start_criu(&Request::Restore { id, mounts }, limit)?;
        self.cgroups.set_limits(id, &Limits::from(assign)).map_err(|error| error.to_string())?;
        let own = OwnImages::make(id, &spec.image_dir, criu.first_id)?;
        failpoint("rest.images");
        let work = PathBuf::from(format!("/proc/{}/root{CRIU_WORK}", criu.pid));
        unpack_all(&work, criu.first_id, &spec.image_dir)?;
        let socket = self.converse(id, &criu, assign, &own.0);
        let log = fs::read_to_string(own.0.join(LOG_FILE)).unwrap_or_default();
        let socket = socket.map_err(|error| format!("{error}{}", last_errors(&log)))?;
        failpoint("rest.done");
        connect::connect_agent(&socket, Instant::now() + LISTEN_MAX)
            .map_err(|errno| format!("the restored agent does not listen: {errno}"))?;
        Ok(socket)
    }

    /// Has CRIU restore the tree: a socket to reach its agent by.
    fn converse(&self, id: SandboxId, criu: &Criu, assign: &AssignSpec, images: &Path) -> Result<OwnedFd, String> {
        let place = |name: &str| PathBuf::from(format!("{CRIU_WORK}/{name}"));
        let names = mount_names(assign);
        let places: Vec<(&str, PathBuf)> =
            names.iter().filter(|(point, _)| *point != "/").map(|(_, name)| (*name, place(name))).collect();
        let mounts: Vec<(&str, &Path)> = places.iter().map(|(name, path)| (*name, path.as_path())).collect();
        let request = RestoreRequest { images, root: &place("root"), mounts: &mounts };
        let mut socket = None;
        let restored = criu.call.restore(&request, |notice| match notice {
            Notice::Namespaces { pid } => {
                failpoint("rest.spaces");
                let adopted = self.request(id, "restore", &Request::Adopt { id, pid });
                socket = adopted.map_err(|error| error.to_string())?.into_iter().next();
                failpoint("rest.adopted");
                Ok(())
            }
            Notice::Saved => Ok(()),
        });
        restored.map_err(|error| error.to_string())?;
        socket.ok_or_else(|| "criu never told of the restored process".to_owned())
    }
}

fn pack_all(criu: &Criu, assign: &AssignSpec, images: &Path) -> Result<(), String> {
    // All that was written counts towards the function's memory.
    let mut room = u64::from(assign.memory_mib) << 20;
    for (point, _, file) in FILLED {
        let from = format!("/proc/{}/root/{point}", criu.pid);
        pack(Path::new(&from), criu.first_id, &images.join(file), &mut room)
            .map_err(|error| format!("/{point} cannot be kept: {error}"))?;
    }
    Ok(())
}

fn unpack_all(work: &Path, first_id: u32, images: &Path) -> Result<(), String> {
    for (point, name, file) in FILLED {
        unpack(&images.join(file), first_id, &work.join(name))
            .map_err(|error| format!("/{point} cannot be filled: {error}"))?;
    }
    Ok(())
}

/// The images of one restore, beside those that they were made from; removed when it is over.
struct OwnImages(PathBuf);

impl OwnImages {
    fn make(id: SandboxId, shared: &Path, first_id: u32) -> Result<Self, String> {
        let mut name = shared.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{id}"));
        let own = Self(shared.with_file_name(name));
        let made = rewrite_identity(shared, &own.0, first_id, IDS_PER_SANDBOX, &address_of(id).to_string());
        made.map(|()| own).map_err(|error| format!("the images cannot be read: {error}"))
    }
}

impl Drop for OwnImages {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "files of a restored template could not be removed");
        }
    }
}

fn size_mib(dir: &Path) -> u32 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let bytes: u64 = entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum();
    u32::try_from(bytes >> 20).unwrap_or(u32::MAX)
}

/// What CRIU logged last, for the message.
fn last_errors(log: &str) -> String {
    const LINES: usize = 3;
    const LINE_BYTES_MAX: usize = 300;
    // CRIU cannot raise its limit of files without the right to, which is harmless.
    let errors: Vec<&str> =
        log.lines().filter(|line| line.contains("Error") && !line.contains("RLIMIT_NOFILE")).collect();
    let last = errors.iter().skip(errors.len().saturating_sub(LINES));
    last.map(|line| format!("; {}", line.get(..LINE_BYTES_MAX).unwrap_or(line))).collect()
}
