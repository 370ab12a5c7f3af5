//! Which user and group ids a sandbox gets.

use fs_err as fs;
use rustix::process::Pid;

use super::{Step, StepError};

/// The function's user and group inside its sandbox, as on Lambda.
pub(crate) const FUNCTION_UID: u32 = 993;
/// See [`FUNCTION_UID`].
pub(crate) const FUNCTION_GID: u32 = 990;

/// Ids per sandbox where there are plenty.
pub(crate) const RANGE: u32 = 65_536;

/// Where ids come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdScheme {
    /// 65536 ids per sandbox from `base` on: the launcher is root.
    Ranges { base: u32 },
    /// Two ids per sandbox, one for the agent and one for the function, out of `ids` that the launcher was given.
    Pairs { ids: u32 },
    /// One id for all: the user who started the daemon.
    Single,
}

impl IdScheme {
    pub(crate) fn has_function_uid(self) -> bool {
        self != Self::Single
    }

    /// How many sandboxes there can be at once.
    pub(crate) fn slots(self) -> u32 {
        match self {
            Self::Ranges { base } => (u32::MAX - base) / RANGE,
            Self::Pairs { ids } => ids.saturating_sub(1) / 2,
            Self::Single => u32::MAX,
        }
    }

    /// The first id of `slot` on the host, where the launcher is root.
    pub(crate) fn first_id(self, slot: u32) -> Option<u32> {
        match self {
            Self::Ranges { base } => Some(base + slot * RANGE),
            Self::Pairs { .. } | Self::Single => None,
        }
    }

    /// An id of the slot that is not root's, as the launcher sees it; 0 where there are no slots.
    pub(crate) fn first_of(self, slot: u32) -> u32 {
        match self {
            Self::Ranges { base } => base + slot * RANGE + 1,
            Self::Pairs { .. } => 1 + slot * 2,
            Self::Single => 0,
        }
    }

    /// Gives the new process `pid` the ids of `slot`.
    pub(crate) fn write_maps(self, pid: Pid, slot: u32) -> Result<(), StepError> {
        let (uid_map, gid_map) = match self {
            Self::Ranges { base } => {
                let map = format!("0 {} {RANGE}\n", base + slot * RANGE);
                (map.clone(), map)
            }
            Self::Pairs { .. } => {
                let first = 1 + slot * 2;
                let map = |function: u32| format!("0 {first} 1\n{function} {} 1\n", first + 1);
                (map(FUNCTION_UID), map(FUNCTION_GID))
            }
            Self::Single => ("0 0 1\n".to_owned(), "0 0 1\n".to_owned()),
        };
        let dir = format!("/proc/{}", pid.as_raw_nonzero());
        if self == Self::Single {
            fs::write(format!("{dir}/setgroups"), "deny").step("give up groups")?;
        }
        fs::write(format!("{dir}/uid_map"), uid_map).step("map user ids")?;
        fs::write(format!("{dir}/gid_map"), gid_map).step("map group ids")
    }
}

/// Numbers in use: those given back first, then new ones.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    next: u32,
    free: Vec<u32>,
}

impl Slots {
    /// A number below `count` that nobody has.
    pub(crate) fn take(&mut self, count: u32) -> Result<u32, StepError> {
        if let Some(slot) = self.free.pop() {
            return Ok(slot);
        }
        if self.next >= count {
            return Err("all id ranges are in use").step("map user ids");
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    pub(crate) fn give_back(&mut self, slot: u32) {
        self.free.push(slot);
    }
}
