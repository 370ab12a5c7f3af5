//! System calls that neither the standard library nor rustix offers safely: the one place with `unsafe`.
//!
//! Mechanism only, no policy. Functions are `verb_object(..) -> Result<_, SysError>` and return owned descriptors.
#![expect(unsafe_code, reason = "raw system calls live here so that no other crate needs them")]

pub mod init_process;
