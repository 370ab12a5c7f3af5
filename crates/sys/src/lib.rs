//! System calls that neither the standard library nor rustix offers safely: the one place with `unsafe`.
//!
//! Mechanism only, no policy. Functions are `verb_object(..) -> Result<_, SysError>` and return owned descriptors.
#![expect(unsafe_code, reason = "raw system calls live here so that no other crate needs them")]

mod error;
mod failpoint;
pub mod init_process;
mod mount;
mod netlink;
mod network;
mod process;
mod route;
mod seccomp;

pub use error::SysError;
pub use failpoint::{FAILPOINT_VARIABLE, failpoint, failpoint_argument};
pub use mount::{MountAttributes, attach_mount, change_filesystem, clone_tree, make_filesystem, set_mount_attributes};
pub use network::bring_up_loopback;
pub use process::{
    Cloned, Namespaces, adopt_descriptor, block_signals, clone_process, close_from, execute_program, find_dead_child,
    keep_only, place_descriptor, reset_signals, unshare_namespaces,
};
pub use route::{Route, Subnet4, add_routes, filter_output};
pub use seccomp::{FilterInstruction, install_filter};
