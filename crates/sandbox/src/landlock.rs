//! Landlock: a second lock on files for the case that a hole opens in the mounts. A restored sandbox comes without it, so
//! nothing rests on it alone.

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
};

use crate::launcher::{Step, StepError};

/// The rights that are known to this version of the interface; all of them are denied where no rule grants them.
const INTERFACE: ABI = ABI::V3;
/// Directories in which the function may write.
const WRITABLE: [&str; 2] = ["/tmp", "/dev/shm"];
/// What it may write to without making anything: devices, and its own settings such as `/proc/self/oom_score_adj`.
const CHANGEABLE: [&str; 6] = ["/proc", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// True if this kernel enforces what [`restrict`] asks for.
pub(crate) fn is_available() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(INTERFACE))
        .and_then(Ruleset::create)
        .is_ok()
}

/// The same as names and bits, for those that cannot use this module: first what is handled, then what is granted below a path.
pub(crate) fn rules() -> Vec<(&'static str, u64)> {
    let all = AccessFs::from_all(INTERFACE).bits();
    let change = (AccessFs::WriteFile | AccessFs::ReadFile).bits();
    let mut rules = vec![("", all), ("/", AccessFs::from_read(INTERFACE).bits())];
    rules.extend(WRITABLE.map(|path| (path, all)));
    rules.extend(CHANGEABLE.map(|path| (path, change)));
    rules
}

/// Restricts this process and all that come of it: reading and executing everywhere, writing to few places.
pub(crate) fn restrict() -> Result<(), StepError> {
    const STEP: &str = "restrict file access with Landlock";
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(INTERFACE))
        .and_then(Ruleset::create)
        .step(STEP)?;
    let root = PathFd::new("/").step(STEP)?;
    rules = rules.add_rule(PathBeneath::new(root, AccessFs::from_read(INTERFACE))).step(STEP)?;
    for path in WRITABLE {
        let path = PathFd::new(path).step(STEP)?;
        rules = rules.add_rule(PathBeneath::new(path, AccessFs::from_all(INTERFACE))).step(STEP)?;
    }
    for path in CHANGEABLE {
        let path = PathFd::new(path).step(STEP)?;
        let access = AccessFs::WriteFile | AccessFs::ReadFile;
        rules = rules.add_rule(PathBeneath::new(path, access)).step(STEP)?;
    }
    rules.restrict_self().step(STEP).map(drop)
}
