//! Ids for a launcher without root.

use std::path::Path;
use std::process::Command;

use fs_err as fs;
use rustix::process::{getegid, geteuid};

/// Gives the launcher's user name space the user's own id as 0 and, where `/etc/subuid` and the programs of the Debian package
/// `uidmap` allow it, more. Returns how many there are.
pub(super) fn map_ids(pid: u32) -> Result<u32, String> {
    if let Some(ids) = map_ranges(pid) {
        return Ok(ids);
    }
    let dir = format!("/proc/{pid}");
    let write = |file: &str, text: String| fs::write(format!("{dir}/{file}"), text).map_err(|error| error.to_string());
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("0 {} 1\n", geteuid().as_raw()))?;
    write("gid_map", format!("0 {} 1\n", getegid().as_raw()))?;
    Ok(1)
}

fn map_ranges(pid: u32) -> Option<u32> {
    let user = geteuid().as_raw();
    let (first_uid, uids) = subordinate_range("/etc/subuid", user)?;
    let (first_gid, gids) = subordinate_range("/etc/subgid", user)?;
    let ids = uids.min(gids);
    let map = |program: &str, own: u32, first: u32| {
        let numbers = [pid, 0, own, 1, 1, first, ids].map(|number| number.to_string());
        Command::new(program).args(numbers).output().is_ok_and(|output| output.status.success())
    };
    let mapped = map("newgidmap", getegid().as_raw(), first_gid) && map("newuidmap", user, first_uid);
    mapped.then(|| ids.saturating_add(1))
}

/// True if [`map_ids`] finds more than the user's own.
pub(crate) fn has_subordinate_ids() -> bool {
    let user = geteuid().as_raw();
    let programs = ["newuidmap", "newgidmap"].iter().all(|program| Path::new("/usr/bin").join(program).is_file());
    programs && ["/etc/subuid", "/etc/subgid"].iter().all(|file| subordinate_range(file, user).is_some())
}

/// The user's first range in a file of `user:first:count` lines; the user by name or number.
fn subordinate_range(path: &str, user: u32) -> Option<(u32, u32)> {
    let names = user_names(user);
    fs::read_to_string(path).ok()?.lines().find_map(|line| parse_range(line, &names))
}

fn parse_range(line: &str, names: &[String]) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    let user = fields.next()?;
    let range = (fields.next()?.parse().ok()?, fields.next()?.trim().parse().ok()?);
    names.iter().any(|name| name == user).then_some(range)
}

fn user_names(user: u32) -> Vec<String> {
    let mut names = vec![user.to_string()];
    for line in fs::read_to_string("/etc/passwd").unwrap_or_default().lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(_), Some(id)) = (fields.next(), fields.next(), fields.next())
            && id == names[0]
        {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_found_by_name_or_number() {
        let names = ["1000".to_owned(), "ada".to_owned()];
        assert_eq!(parse_range("ada:100000:65536", &names), Some((100_000, 65_536)));
        assert_eq!(parse_range("1000:5:7", &names), Some((5, 7)));
        assert_eq!(parse_range("bob:100000:65536", &names), None);
        assert_eq!(parse_range("ada:x:65536", &names), None);
        assert_eq!(parse_range("", &names), None);
    }
}
