//! System call filters.

use std::ptr;

use crate::error::{SysError, checked};

/// One instruction of a filter program.
pub type FilterInstruction = libc::sock_filter;

/// Puts the calling thread, and all that come of it, under a filter for good. `no_new_privs` has to be set.
///
/// # Errors
/// The program is not valid or too long (4096 instructions).
pub fn install_filter(program: &[FilterInstruction]) -> Result<(), SysError> {
    let length = u16::try_from(program.len()).ok().ok_or(SysError::new("seccomp", rustix::io::Errno::INVAL))?;
    // The kernel only reads through the pointer.
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: `program` names as many instructions as the slice has, and both outlive the call, which copies them.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, ptr::from_ref(&program)) };
    checked("seccomp", result).map(drop)
}
