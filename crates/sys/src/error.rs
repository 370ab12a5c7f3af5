//! One error for all: a system call that the kernel refused.

use rustix::io::Errno;

/// The kernel refused a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{call}: {errno}")]
pub struct SysError {
    pub call: &'static str,
    pub errno: Errno,
}

impl SysError {
    pub fn new(call: &'static str, errno: Errno) -> Self {
        Self { call, errno }
    }

    pub(crate) fn last(call: &'static str) -> Self {
        let raw = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        Self { call, errno: Errno::from_raw_os_error(raw) }
    }
}

/// Turns the result of a raw call (-1 for failure) into one of ours.
pub(crate) fn checked(call: &'static str, result: libc::c_long) -> Result<libc::c_long, SysError> {
    if result < 0 { Err(SysError::last(call)) } else { Ok(result) }
}
