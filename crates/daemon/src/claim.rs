//! What a daemon claims of its machine as it starts: an address and a directory. Where it cannot have them it says why, and what to do.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Error, Result, anyhow};
use rustix::fs::{Access, access};

/// Connections that the kernel holds until they are accepted.
const CONNECTING_MAX: i32 = 4096;

/// Bound and listening.
pub(crate) fn address(listen: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(listen).map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => "another program listens there (--listen names another address)".to_owned(),
            ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            ErrorKind::PermissionDenied => "ports below 1024 are for root (--listen names another)".to_owned(),
            _ => error.to_string(),
        };
        anyhow!("cannot listen on {listen}: {why}")
    })?;
    listener.set_nonblocking(true)?;
    // The library's own queue is soon full of those who connect at once, and others then wait a second.
    rustix::net::listen(&listener, CONNECTING_MAX).context("cannot listen")?;
    Ok(listener)
}

/// Made if need be. What clients store and functions log is for nobody else on this machine to read.
pub(crate) fn data_dir(dir: &Path) -> Result<()> {
    make(dir).map_err(|error| {
        anyhow!(
            "cannot use {} as the data directory: {}. Name another with --data or `data_dir`",
            dir.display(),
            why(dir, &error)
        )
    })
}

fn make(dir: &Path) -> io::Result<()> {
    let private = |dir: &Path| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    private(dir)?;
    access(dir, Access::WRITE_OK | Access::EXEC_OK)?;
    // The directory itself may be somebody's who wants it otherwise.
    for room in ["store", "logs", "code"].map(|room| dir.join(room)) {
        private(&room)?;
        std::fs::set_permissions(&room, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn why(dir: &Path, error: &io::Error) -> String {
    let me = rustix::process::geteuid().as_raw();
    match error.kind() {
        ErrorKind::AlreadyExists => "it is not a directory".to_owned(),
        ErrorKind::NotADirectory => "part of its path is not a directory".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "its file system is read-only".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "its disk is full".to_owned(),
        ErrorKind::PermissionDenied => match dir.metadata() {
            Ok(found) => format!("it belongs to user {}, and user {me} may not write there", found.uid()),
            Err(_not_there) => format!("user {me} may not make it"),
        },
        _ => error.to_string(),
    }
}

/// A start that fails for want of space says so first, whatever it was that did not fit.
pub(crate) fn with_remedy(error: Error, data_dir: &Path) -> Error {
    let is_full = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::StorageFull)
            || cause.to_string().contains("disk is full")
    };
    match error.chain().any(is_full) {
        true => error.context(format!(
            "the disk of {} is full: make room there, or name another directory with --data",
            data_dir.display()
        )),
        false => error,
    }
}
