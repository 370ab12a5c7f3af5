//! What this host can do for the tier `linux`, asked without starting anything.

use std::path::Path;

use fs_err as fs;
use rustix::process::geteuid;

use crate::linux::has_subordinate_ids;
use crate::{cgroup, landlock, launcher};

/// How far the host gives one thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    Good,
    /// Sandboxes work, without this.
    Lacking,
    /// No sandbox without it.
    Fatal,
}

/// One thing that sandboxes want of the host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    pub name: &'static str,
    pub finding: Finding,
    /// What was seen.
    pub detail: String,
    /// What to do, where it is not good.
    pub remedy: Option<&'static str>,
}

/// All checks, in the order in which they are worth reading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostReport {
    pub checks: Vec<Check>,
}

impl HostReport {
    /// True if sandboxes can be made at all.
    pub fn is_usable(&self) -> bool {
        self.checks.iter().all(|check| check.finding != Finding::Fatal)
    }
}

/// Looks at the host as the user who runs this process. Reads files, and makes and removes an empty control group.
pub fn probe() -> HostReport {
    let root = geteuid().is_root();
    let mut checks = vec![kernel(), privilege(root), user_namespaces(root), time_namespaces(), system_call_filter()];
    checks.extend(control_groups());
    checks.push(second_layer());
    checks.push(egress(root));
    if !root {
        checks.push(subordinate_ids());
    }
    HostReport { checks }
}

fn check(name: &'static str, good: bool, bad: Finding, detail: String, remedy: &'static str) -> Check {
    let finding = if good { Finding::Good } else { bad };
    Check { name, finding, detail, remedy: (!good).then_some(remedy) }
}

/// The oldest kernel with all calls that the launcher makes: `mount_setattr` and `close_range` with its flags.
const KERNEL_MIN: (u32, u32) = (5, 12);

fn kernel() -> Check {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let good = parse_release(&release).is_some_and(|version| version >= KERNEL_MIN);
    check("kernel", good, Finding::Fatal, format!("Linux {release}"), "use Linux 5.12 or later")
}

fn parse_release(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn privilege(root: bool) -> Check {
    let full = launcher::is_privileged();
    let detail = match (root, full) {
        (_, true) => "root".to_owned(),
        (true, false) => "root without all capabilities, so the launcher works as if without root".to_owned(),
        (false, false) => format!("user {}, without root", geteuid().as_raw()),
    };
    let remedy = "run as root for a uid range per sandbox and limits without delegation";
    check("privilege", full, Finding::Lacking, detail, remedy)
}

fn user_namespaces(root: bool) -> Check {
    let number = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse::<u64>().ok();
    let max = number("user/max_user_namespaces");
    let forbidden = !root
        && (number("kernel/unprivileged_userns_clone") == Some(0)
            || number("kernel/apparmor_restrict_unprivileged_userns") == Some(1));
    let detail = match max {
        None => "this kernel has none".to_owned(),
        Some(_) if forbidden => "forbidden to unprivileged users".to_owned(),
        Some(max) => format!("up to {max}"),
    };
    let good = max.is_some_and(|max| max > 0) && !forbidden;
    let remedy = "set user.max_user_namespaces above 0, kernel.unprivileged_userns_clone to 1 and \
                  kernel.apparmor_restrict_unprivileged_userns to 0 with sysctl, or run as root";
    check("user namespaces", good, Finding::Fatal, detail, remedy)
}

fn time_namespaces() -> Check {
    let good = Path::new("/proc/self/ns/time").exists();
    let detail = if good { "there" } else { "not in this kernel" };
    check("time namespaces", good, Finding::Fatal, detail.to_owned(), "use a kernel with CONFIG_TIME_NS")
}

fn system_call_filter() -> Check {
    let good = Path::new("/proc/sys/kernel/seccomp/actions_avail").exists();
    let detail = if good { "there" } else { "not in this kernel" };
    check("seccomp", good, Finding::Fatal, detail.to_owned(), "use a kernel with CONFIG_SECCOMP_FILTER")
}

fn control_groups() -> Vec<Check> {
    let cgroups = cgroup::prepare(&format!("doctor-{}", std::process::id()));
    cgroups.remove_instance();
    let remedy = "run as root, or in a delegated group: systemd-run --user --scope -p Delegate=yes hearth serve";
    if cgroups.missing.is_empty() {
        return vec![check("control groups", true, Finding::Lacking, "memory, cpu, pids, freezer".to_owned(), remedy)];
    }
    let checks = cgroups.missing.into_iter();
    checks.map(|missing| check("control groups", false, Finding::Lacking, missing, remedy)).collect()
}

fn second_layer() -> Check {
    let good = landlock::is_available();
    let detail = if good { "enforced" } else { "not enforced by this kernel" };
    let remedy = "use Linux 6.2 or later with landlock in its lsm= list";
    check("Landlock", good, Finding::Lacking, detail.to_owned(), remedy)
}

fn egress(root: bool) -> Check {
    let program = launcher::find_egress_program();
    let device = fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    let detail = match (&program, &device) {
        (Err(error), _) => error.reason.clone(),
        (Ok(_), Err(error)) => error.to_string(),
        (Ok(path), Ok(_)) => path.display().to_string(),
    };
    let remedy = if root {
        "apt-get install slirp4netns, and load the kernel module tun"
    } else {
        "have slirp4netns installed and /dev/net/tun made readable and writable for this user"
    };
    check("egress", program.is_ok() && device.is_ok(), Finding::Lacking, detail, remedy)
}

fn subordinate_ids() -> Check {
    let good = has_subordinate_ids();
    let detail =
        if good { "newuidmap and a range" } else { "no newuidmap, or no range in /etc/subuid and /etc/subgid" };
    let remedy = "apt-get install uidmap, and usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER";
    check("user ids for functions", good, Finding::Lacking, detail.to_owned(), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_compare_by_their_numbers() {
        assert_eq!(parse_release("6.18.44-fc-v657"), Some((6, 18)));
        assert_eq!(parse_release("5.10.0-28-amd64"), Some((5, 10)));
        assert_eq!(parse_release("next"), None);
    }

    #[test]
    fn whatever_is_not_good_has_a_remedy() {
        for check in probe().checks {
            assert_eq!(check.finding == Finding::Good, check.remedy.is_none(), "{check:?}");
            assert!(!check.detail.is_empty(), "{check:?}");
        }
    }
}
