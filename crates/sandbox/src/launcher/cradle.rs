//! The launcher's program as a zygote's child executes it: the first process of a sandbox goes on from there.
//!
//! It has its ids and all name spaces, and a waiting interpreter as its child. What there is to mount lies below
//! [`STAGE_IN_ROOT`].

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use hearth_sys::{adopt_descriptor, failpoint};
use serde::{Deserialize, Serialize};

use super::child::{Birth, Inheritance};
use super::stage::STAGE_IN_ROOT;
use crate::seccomp;

/// Names what follows: the encoded [`Cradle`], the number of the waiting process and of its telemetry pipe, and the numbers of
/// the descriptors status, root, launcher, gate, control, output, telemetry.
pub(super) const CRADLE_VARIABLE: &str = "HEARTH_CRADLE";

/// What the first process of a sandbox has to know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Cradle {
    pub(super) address: Ipv4Addr,
    pub(super) root_has_devices: bool,
    pub(super) landlock: bool,
}

impl Cradle {
    /// One word.
    pub(super) fn encode(&self) -> String {
        let bytes = postcard::to_stdvec(self).unwrap_or_default();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn decode(word: &str) -> Option<Self> {
        let digits: Vec<u8> =
            word.bytes().map(|digit| (digit as char).to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        postcard::from_bytes(&bytes).ok()
    }
}

/// Becomes the agent, or ends.
pub(super) fn grow_up(text: &OsStr) -> ExitCode {
    failpoint("cradle");
    let Some((cradle, [waiting, telemetry_number, numbers @ ..])) = parse(text) else { return ExitCode::FAILURE };
    let descriptors: Option<Vec<OwnedFd>> =
        numbers.iter().map(|number| adopt_descriptor(i32::try_from(*number).ok()?).ok()).collect();
    let Some(Ok([status, root, launcher, _gate, control, output, telemetry])) =
        descriptors.map(<[OwnedFd; 7]>::try_from)
    else {
        return ExitCode::FAILURE;
    };
    let filter = seccomp::compile();
    let birth = Birth {
        root,
        root_has_devices: cradle.root_has_devices,
        status,
        launcher: launcher.as_fd(),
        address: cradle.address,
        own_uid: true,
        filter: &filter,
        landlock: cradle.landlock,
        stage: STAGE_IN_ROOT,
        parked: Some(Inheritance { pid: waiting, telemetry_number, descriptors: [control, output, telemetry] }),
    };
    birth.live_on()
}

fn parse(text: &OsStr) -> Option<(Cradle, [u32; 9])> {
    let (cradle, numbers) = text.to_str()?.split_once(' ')?;
    let numbers: Vec<u32> = numbers.split(' ').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    Some((Cradle::decode(cradle)?, numbers.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_through_the_zygote_arrives() {
        let cradle = Cradle { address: Ipv4Addr::new(169, 254, 1, 2), root_has_devices: true, landlock: false };
        let text = format!("{} 2 9 3 4 5 6 7 8 10", cradle.encode());
        assert_eq!(parse(OsStr::new(&text)), Some((cradle, [2, 9, 3, 4, 5, 6, 7, 8, 10])));
        for broken in ["", "zz 1 2 3 4 5 6 7 8 9", "00", &text[..text.len() - 3]] {
            assert_eq!(parse(OsStr::new(broken)), None, "{broken}");
        }
    }
}
