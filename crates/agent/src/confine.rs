//! What the agent may do itself, and what the function may do to it.

use rustix::{
    io::Result,
    process::{DumpableBehavior, set_dumpable_behavior},
    thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities},
};

/// Needed to start the runtime as another user, and to end its processes.
pub(crate) const UNTIL_STARTED: CapabilitySet =
    CapabilitySet::SETUID.union(CapabilitySet::SETGID).union(CapabilitySet::KILL);
/// Needed to end the runtime's processes.
pub(crate) const ONCE_STARTED: CapabilitySet = CapabilitySet::KILL;

/// Hides this process' memory, descriptors and environment from the function, and keeps every process here from gaining
/// privileges.
///
/// # Errors
/// The kernel does not know of such things.
pub(crate) fn hide() -> Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)
}

/// Gives up all capabilities but those of `kept` that are there.
///
/// # Errors
/// Never: giving up is allowed.
pub(crate) fn give_up_capabilities(kept: CapabilitySet) -> Result<()> {
    let permitted = capabilities(None)?.permitted.intersection(kept);
    set_capabilities(None, CapabilitySets { effective: permitted, permitted, inheritable: CapabilitySet::empty() })
}
