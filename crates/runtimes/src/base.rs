//! The part of a root that all runtimes share: C library, shell and the usual small programs, certificates, time zones.

use std::env::consts::ARCH;
use std::io;
use std::path::{Path, PathBuf};

use crate::add::{AddError, files};
use crate::host;
use crate::libraries::ODD_LIBRARIES;
use crate::name::RuntimeName;
use crate::root::Root;
use crate::system;

/// The shell, under both names, as in Amazon's images: scripts for `/bin/sh` there use what only this one has.
const SHELL: &str = "bash";
/// Copied where the host has them.
const PROGRAMS: &[&str] = &[
    "[",
    "awk",
    "base64",
    "basename",
    "bzip2",
    "cat",
    "chmod",
    "cksum",
    "cmp",
    "comm",
    "cp",
    "curl",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "egrep",
    "env",
    "expand",
    "expr",
    "false",
    "fgrep",
    "find",
    "fold",
    "getconf",
    "getent",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "id",
    "install",
    "join",
    "kill",
    "ldd",
    "ln",
    "locale",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mv",
    "nice",
    "nl",
    "nohup",
    "nproc",
    "od",
    "openssl",
    "paste",
    "pgrep",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sha1sum",
    "sha256sum",
    "shuf",
    "sleep",
    "sort",
    "split",
    "stat",
    "stdbuf",
    "tac",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "truncate",
    "tsort",
    "tty",
    "uname",
    "uniq",
    "unxz",
    "unzip",
    "uptime",
    "wc",
    "which",
    "whoami",
    "xargs",
    "xz",
    "yes",
    "zcat",
    "zip",
];

/// What packages built elsewhere expect of any Linux, beyond what the programs need.
const LIBRARIES: &[&str] = &[
    "libanl.so.1",
    "libcrypt.so.1",
    "libcrypto.so.3",
    "libdl.so.2",
    "libexpat.so.1",
    "libgcc_s.so.1",
    "libm.so.6",
    "libnss_compat.so.2",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libssl.so.3",
    "libstdc++.so.6",
    "libutil.so.1",
    "libuuid.so.1",
    "libz.so.1",
];

/// The sandbox mounts over these or fills them.
const MOUNT_POINTS: &[&str] =
    &["/proc", "/sys", "/dev/pts", "/dev/shm", "/tmp", "/run", "/opt", "/var/task", "/var/runtime", "/.hearth"];

/// Name, major and minor number (Documentation/admin-guide/devices.txt).
const DEVICES: &[(&str, u32, u32)] =
    &[("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

pub(crate) const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Changes when the host's C library or certificates do.
pub(crate) fn identity() -> String {
    let shell = host::program(SHELL).unwrap_or_default();
    let libc = PathBuf::from(format!("/lib/{ARCH}-linux-gnu/libc.so.6"));
    [shell, libc, CERTIFICATES.into()].iter().map(|path| host::file_identity(path)).collect::<Vec<_>>().join("\n")
}

pub(crate) fn install(root: &mut Root, runtime: RuntimeName) -> Result<(), AddError> {
    let shell = host::program(SHELL).ok_or_else(|| AddError::Missing {
        what: format!("no {SHELL}"),
        install: format!("apt-get install {SHELL}"),
    })?;
    make_skeleton(root).map_err(files("making its directories"))?;
    copy_programs(root, &shell).map_err(files("copying programs"))?;
    copy_data(root, runtime.locales()).map_err(files("copying certificates and time zones"))?;
    system::write(root, runtime).map_err(files("writing /etc"))
}

/// Writes the linker's cache, once all libraries are in place. Without `ldconfig` the linker searches its usual directories.
pub(crate) fn finish(root: &Root) -> Result<(), AddError> {
    let dirs = root.library_dirs().iter().map(|dir| dir.display().to_string()).chain([ODD_LIBRARIES.to_owned()]);
    let conf = dirs.filter(|dir| root.at(dir).is_dir()).map(|dir| dir + "\n").collect::<String>();
    root.write("/etc/ld.so.conf", conf).map_err(files("writing /etc"))?;
    if let Some(ldconfig) = host::program("ldconfig") {
        host::run(host::command(&ldconfig).arg("-X").arg("-r").arg(root.at("/")))?;
    }
    link_libraries(root).map_err(files("linking libraries"))
}

/// The system's libraries can be found where `LD_LIBRARY_PATH` names them, before those of functions, whatever the host's layout.
fn link_libraries(root: &Root) -> io::Result<()> {
    let usual = Path::new("/usr/lib64");
    for dir in root.library_dirs().iter().filter(|dir| *dir != usual && root.at(dir).is_dir()) {
        for entry in fs_err::read_dir(root.at(dir))? {
            let entry = entry?;
            let link = usual.join(entry.file_name());
            if !entry.file_type()?.is_dir() && root.at(&link).symlink_metadata().is_err() {
                root.link(link, &dir.join(entry.file_name()).display().to_string())?;
            }
        }
    }
    Ok(())
}

fn make_skeleton(root: &Root) -> io::Result<()> {
    for dir in ["bin", "sbin", "lib", "lib64"] {
        root.make_dir(Path::new("/usr").join(dir))?;
        root.link(dir, &format!("usr/{dir}"))?;
    }
    for dir in MOUNT_POINTS {
        root.make_dir(dir)?;
    }
    root.link("/var/tmp", "/tmp")?;
    for (name, target) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        root.link(format!("/dev/{name}"), &format!("/proc/self/fd{target}"))?;
    }
    for (name, major, minor) in DEVICES {
        let path = format!("/dev/{name}");
        if !root.make_device(&path, *major, *minor)? {
            // A file to mount the host's device on.
            root.write(&path, "")?;
        }
    }
    Ok(())
}

fn copy_programs(root: &mut Root, shell: &Path) -> io::Result<()> {
    root.copy(shell, format!("/usr/bin/{SHELL}"))?;
    root.link("/usr/bin/sh", SHELL)?;
    for name in PROGRAMS {
        if let Some(program) = host::program(name) {
            root.copy(&program, format!("/usr/bin/{name}"))?;
        }
    }
    for name in LIBRARIES {
        root.copy_library(name)?;
    }
    Ok(())
}

fn copy_data(root: &mut Root, locales: &[&str]) -> io::Result<()> {
    root.copy_if_present(CERTIFICATES, CERTIFICATES)?;
    root.link("/etc/pki/tls/certs/ca-bundle.crt", CERTIFICATES)?;
    root.link("/etc/pki/tls/cert.pem", CERTIFICATES)?;
    // OpenSSL's own directory, as Debian configures it.
    root.link("/etc/ssl/cert.pem", CERTIFICATES)?;
    root.link("/usr/lib/ssl/cert.pem", CERTIFICATES)?;
    root.link("/usr/lib/ssl/certs", "/etc/ssl/certs")?;
    root.link("/usr/lib/ssl/openssl.cnf", "/etc/ssl/openssl.cnf")?;
    for path in ["/etc/ssl/openssl.cnf", "/etc/services", "/etc/protocols", "/etc/mime.types"] {
        root.copy_if_present(path, path)?;
    }
    let zones = Path::new("/usr/share/zoneinfo");
    if zones.is_dir() {
        // These repeat all zones, with and without leap seconds.
        root.copy_tree(zones, "/usr/share/zoneinfo", &|path| path.starts_with("posix") || path.starts_with("right"))?;
    }
    root.link("/etc/localtime", "/usr/share/zoneinfo/UTC")?;
    // Whatever they are called, their character handling is that of C.UTF-8, which every host has.
    let locale = Path::new("/usr/lib/locale/C.utf8");
    if locale.is_dir() {
        for name in locales {
            root.copy_tree(locale, &format!("/usr/lib/locale/{name}"), &|_| false)?;
        }
    }
    Ok(())
}
