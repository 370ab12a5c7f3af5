//! Which hierarchies there are, and this instance's place in each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use rustix::process::{getpid, getppid};

use super::{Cgroups, Tree, Version};

const WANTED: [&str; 5] = ["memory", "cpu", "pids", "freezer", "cpuacct"];
/// Controllers of version 2; there, freezing and counting CPU time come without one.
const WANTED_V2: [&str; 3] = ["memory", "cpu", "pids"];

/// The version 2 group of the daemon and the launcher themselves, where they had to make room for sandboxes.
const DAEMON_GROUP: &str = "hearth-daemon";

/// A mounted hierarchy as this process sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mounted {
    version: Version,
    controllers: Vec<String>,
    mount_point: PathBuf,
    /// The directory of this process's own group.
    own: PathBuf,
}

/// Finds the hierarchies and makes this instance's directory in each, named `hearth-<instance>`.
pub(crate) fn prepare(instance: &str) -> Cgroups {
    let mut cgroups = Cgroups::default();
    let mounted = match read_mounted() {
        Ok(mounted) => mounted,
        Err(error) => {
            cgroups.missing.push(format!("control groups: {error}; mount /proc and /sys/fs/cgroup"));
            return cgroups;
        }
    };
    let name = format!("hearth-{instance}");
    if let Some(v2) = mounted.iter().find(|mounted| mounted.version == Version::V2) {
        use_v2(&mut cgroups, v2, &name);
    }
    for controller in WANTED {
        if !cgroups.has(controller) {
            let v1 = mounted.iter().find(|m| m.version == Version::V1 && m.controllers.iter().any(|c| c == controller));
            if let Some(v1) = v1 {
                use_v1(&mut cgroups, v1, &name, controller);
            }
        }
    }
    cgroups.note_missing();
    cgroups
}

fn use_v1(cgroups: &mut Cgroups, mounted: &Mounted, name: &str, controller: &str) {
    let dir = mounted.own.join(name);
    let index = cgroups.trees.iter().position(|tree| tree.dir == dir).or_else(|| {
        fs::create_dir_all(&dir).ok()?;
        cgroups.trees.push(Tree { version: Version::V1, dir });
        Some(cgroups.trees.len() - 1)
    });
    *cgroups.role(controller) = index;
}

fn use_v2(cgroups: &mut Cgroups, mounted: &Mounted, name: &str) {
    let (base, controllers) = choose_base(mounted);
    let dir = base.join(name);
    if fs::create_dir_all(&dir).is_err() {
        return;
    }
    let version = Version::V2;
    cgroups.trees.push(Tree { version, dir: dir.clone() });
    let index = Some(cgroups.trees.len() - 1);
    for controller in controllers {
        if fs::write(dir.join("cgroup.subtree_control"), format!("+{controller}")).is_ok() {
            *cgroups.role(controller) = index;
        }
    }
    if dir.join("cgroup.freeze").exists() {
        cgroups.freezer = index;
    }
    if fs::read_to_string(dir.join("cpu.stat")).is_ok_and(|stat| stat.contains("usage_usec")) {
        cgroups.cpu_time = index;
    }
}

/// This process's own group, as a service manager wants it, unless the top of the hierarchy gives more: a session's group has
/// other processes, so that there can be no groups with controllers below it.
fn choose_base(mounted: &Mounted) -> (&Path, Vec<&'static str>) {
    let own = usable_controllers(&mounted.own, mounted);
    if own.len() < WANTED_V2.len() && mounted.own != mounted.mount_point {
        let top = usable_controllers(&mounted.mount_point, mounted);
        if top.len() > own.len() {
            return (&mounted.mount_point, top);
        }
    }
    (&mounted.own, own)
}

/// The controllers that groups below `base` can have, after trying to switch them on.
fn usable_controllers(base: &Path, mounted: &Mounted) -> Vec<&'static str> {
    let available = words(&base.join("cgroup.controllers"));
    let control = base.join("cgroup.subtree_control");
    let usable = WANTED_V2.into_iter().filter(|controller| available.iter().any(|word| word == controller));
    usable
        .filter(|controller| {
            if words(&control).iter().any(|word| word == controller) {
                return true;
            }
            let enable = || fs::write(&control, format!("+{controller}")).is_ok();
            enable() || (base == mounted.own && move_own_processes(base) && enable())
        })
        .collect()
}

/// A version 2 group with processes cannot have groups with controllers below it. Where the daemon and this process are
/// alone in it (a delegated group), both move to a group of their own beside the sandboxes.
fn move_own_processes(base: &Path) -> bool {
    let own: Vec<i32> =
        [Some(getpid()), getppid()].into_iter().flatten().map(|pid| pid.as_raw_nonzero().get()).collect();
    let present = words(&base.join("cgroup.procs"));
    if present.is_empty() || !present.iter().all(|word| word.parse().is_ok_and(|pid: i32| own.contains(&pid))) {
        return false;
    }
    let leaf = base.join(DAEMON_GROUP);
    fs::create_dir_all(&leaf).is_ok() && present.iter().all(|pid| fs::write(leaf.join("cgroup.procs"), pid).is_ok())
}

fn words(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

impl Cgroups {
    fn role(&mut self, controller: &str) -> &mut Option<usize> {
        match controller {
            "memory" => &mut self.memory,
            "cpu" => &mut self.cpu,
            "pids" => &mut self.pids,
            "freezer" => &mut self.freezer,
            _ => &mut self.cpu_time,
        }
    }

    fn has(&mut self, controller: &str) -> bool {
        self.role(controller).is_some()
    }

    fn note_missing(&mut self) {
        const REMEDY: &str =
            "run as root, or in a delegated cgroup v2 such as `systemd-run --user --scope -p Delegate=yes`";
        let losses = [
            ("memory", "memory limits and figures"),
            ("cpu", "CPU shares and limits"),
            ("pids", "limits on the number of processes"),
            ("freezer", "freezing idle sandboxes"),
            ("cpuacct", "figures of CPU time"),
        ];
        for (controller, loss) in losses {
            if !self.has(controller) {
                self.missing
                    .push(format!("{loss}: no writable control group has the {controller} controller; {REMEDY}"));
            }
        }
    }
}

fn read_mounted() -> std::io::Result<Vec<Mounted>> {
    Ok(parse_mounted(&fs::read_to_string("/proc/self/mountinfo")?, &fs::read_to_string("/proc/self/cgroup")?))
}

fn parse_mounted(mountinfo: &str, own_groups: &str) -> Vec<Mounted> {
    let own: HashMap<&str, &str> = own_groups.lines().filter_map(parse_own).flatten_controllers().collect();
    mountinfo.lines().filter_map(|line| parse_mount(line, &own)).collect()
}

/// `5:cpu,cpuacct:/a` as its controllers and its path; version 2 has no controllers.
fn parse_own(line: &str) -> Option<(&str, &str)> {
    let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
    Some((controllers, path))
}

trait FlattenControllers<'a>: Iterator<Item = (&'a str, &'a str)> + Sized {
    fn flatten_controllers(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.flat_map(|(controllers, path)| controllers.split(',').map(move |controller| (controller, path)))
    }
}

impl<'a, I: Iterator<Item = (&'a str, &'a str)>> FlattenControllers<'a> for I {}

/// One line of `/proc/self/mountinfo`: `36 35 98:0 /root /mount/point rw,... [optional]... - type source options`.
fn parse_mount(line: &str, own: &HashMap<&str, &str>) -> Option<Mounted> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let (root, mount_point) = (fields.next()?, PathBuf::from(unescape(fields.next()?)));
    let mut rest = after.split(' ');
    let version = match rest.next()? {
        "cgroup" => Version::V1,
        "cgroup2" => Version::V2,
        _ => return None,
    };
    let controllers: Vec<String> = rest.nth(1)?.split(',').map(str::to_owned).collect();
    let path = match version {
        Version::V2 => own.get("").copied(),
        Version::V1 => controllers.iter().find_map(|controller| own.get(controller.as_str()).copied()),
    }?;
    let inside = Path::new(path).strip_prefix(unescape(root)).unwrap_or(Path::new(""));
    let inside = inside.strip_prefix("/").unwrap_or(inside);
    let seen = mount_point.join(inside);
    let own = if seen.is_dir() { seen } else { mount_point.clone() };
    // The daemon has moved before.
    let own = if own.ends_with(DAEMON_GROUP) { own.parent().unwrap_or(&mount_point).to_owned() } else { own };
    Some(Mounted { version, controllers, mount_point, own })
}

/// Spaces, tabs, newlines and backslashes stand in octal there.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 25 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";

    #[test]
    fn hybrid_host_has_hierarchies_of_both_versions() {
        let mounted = parse_mounted(HYBRID, "4:memory:/nowhere/to/be/found\n3:cpu,cpuacct:/\n0::/\n");
        let summary: Vec<_> = mounted.iter().map(|m| (m.version, m.mount_point.to_str().unwrap())).collect();
        assert_eq!(
            summary,
            [
                (Version::V1, "/sys/fs/cgroup/cpu,cpuacct"),
                (Version::V1, "/sys/fs/cgroup/memory"),
                (Version::V2, "/sys/fs/cgroup/unified"),
            ]
        );
        assert!(mounted[0].controllers.iter().any(|controller| controller == "cpuacct"));
    }

    #[test]
    fn own_group_that_is_not_visible_falls_back_to_the_mount_point() {
        let mounted = parse_mounted(HYBRID, "4:memory:/nowhere/to/be/found\n0::/\n");
        assert_eq!(mounted[0].own, Path::new("/sys/fs/cgroup/memory"));
    }

    #[test]
    fn garbage_is_no_hierarchy() {
        assert_eq!(parse_mounted("x\n - \n1 2 3 - cgroup\n", "::\n"), []);
    }
}
