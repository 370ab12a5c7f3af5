//! Packages and layers on disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hearth_packages::archive::ArchiveError;
use hearth_packages::{PackageError, PackageLimits, Packages};
use hearth_types::Sha256;

use crate::raw_zip::{self, RawEntry};

fn open(dir: &Path) -> Packages {
    Packages::open(dir, PackageLimits::default()).unwrap()
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn a_package_is_kept_and_unpacked_once() {
    let dir = tempfile::tempdir().unwrap();
    let zip = raw_zip::zip(&[RawEntry::file("app.py", "print()"), RawEntry::file("lib/x", "1")]);
    let packages = open(dir.path());
    let package = packages.ingest_zip(&zip).unwrap();
    assert_eq!((package.zip_bytes, package.unpacked_bytes), (zip.len() as u64, 8));
    assert_eq!(fs::read(packages.zip(&package.code).unwrap()).unwrap(), zip);
    let unpacked = packages.dir(&package.code).unwrap();
    assert_eq!(read(&unpacked, "app.py"), "print()");
    assert_eq!(fs::metadata(&unpacked).unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(packages.ingest_zip(&zip).unwrap(), package);
    drop(packages);
    assert_eq!(open(dir.path()).dir(&package.code).unwrap(), unpacked);
}

#[test]
fn a_refused_archive_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let packages = open(dir.path());
    for zip in [raw_zip::zip(&[RawEntry::file("ok", ""), RawEntry::file("../x", "")]), b"no zip".to_vec()] {
        let error = packages.ingest_zip(&zip).unwrap_err();
        assert!(
            matches!(error, PackageError::Archive(ArchiveError::Unsafe { .. } | ArchiveError::NotAZip { .. })),
            "{error:?}"
        );
    }
    let corrupt = raw_zip::zip(&[RawEntry { crc: 1, ..RawEntry::file("a", "x") }]);
    assert!(packages.ingest_zip(&corrupt).is_err());
    for place in ["code", "opt", "tmp"] {
        assert_eq!(fs::read_dir(dir.path().join(place)).unwrap().count(), 0, "{place}");
    }
}

#[test]
fn a_lost_directory_is_unpacked_again() {
    let dir = tempfile::tempdir().unwrap();
    let packages = open(dir.path());
    let package = packages.ingest_zip(&raw_zip::zip(&[RawEntry::file("a", "1")])).unwrap();
    fs::remove_dir_all(packages.dir(&package.code).unwrap()).unwrap();
    assert_eq!(packages.dir(&package.code), None);
    assert_eq!(read(&packages.ensure_unpacked(&package.code).unwrap(), "a"), "1");
    packages.remove(&package.code).unwrap();
    assert_eq!((packages.dir(&package.code), packages.zip(&package.code)), (None, None));
    let missing = packages.ensure_unpacked(&package.code);
    assert!(matches!(missing, Err(PackageError::Missing { .. })), "{missing:?}");
    packages.remove(&Sha256([0; 32])).unwrap();
}

#[test]
fn later_layers_win() {
    let dir = tempfile::tempdir().unwrap();
    let packages = open(dir.path());
    let layer = |entries: &[RawEntry]| packages.ingest_zip(&raw_zip::zip(entries)).unwrap().code;
    let first = layer(&[
        RawEntry::file("python/a.py", "first"),
        RawEntry::file("python/only.py", "first"),
        RawEntry::file("swap/file", "first"),
        RawEntry::file("turn", "first"),
        RawEntry::link("lib", "python"),
    ]);
    let second = layer(&[
        RawEntry::file("python/a.py", "second"),
        RawEntry::file("swap", "second"),
        RawEntry::file("turn/into", "second"),
        RawEntry::file("lib/so", "second"),
        RawEntry::link("link", "python/a.py"),
    ]);
    let merged = packages.merged_layers(&[first, second]).unwrap().unwrap();
    for (path, content) in [
        ("python/a.py", "second"),
        ("python/only.py", "first"),
        ("swap", "second"),
        ("turn/into", "second"),
        ("lib/so", "second"),
        ("link", "second"),
    ] {
        assert_eq!(read(&merged, path), content, "{path}");
    }
    assert!(!merged.join("python/so").exists(), "nothing is written through a link");
    assert_eq!(read(&packages.dir(&first).unwrap(), "python/a.py"), "first", "the layer itself is as it was");
    assert_eq!(packages.merged_layers(&[first, second]).unwrap().unwrap(), merged);
    assert_ne!(packages.merged_layers(&[second, first]).unwrap().unwrap(), merged);
    assert_eq!(packages.merged_layers(&[second]).unwrap(), packages.dir(&second));
    assert_eq!(packages.merged_layers(&[]).unwrap(), None);
    packages.remove_merged(&[first, second]).unwrap();
    assert!(!merged.exists());
    assert_eq!(read(&packages.dir(&second).unwrap(), "swap"), "second");
}

/// On the host, where links of a package could lead to what is not the function's.
#[test]
fn layers_are_merged_without_following_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "mine").unwrap();
    let target = outside.path().to_str().unwrap();
    let packages = open(dir.path());
    let layer = |entries: &[RawEntry]| packages.ingest_zip(&raw_zip::zip(entries)).unwrap().code;
    let links = layer(&[
        RawEntry::link("dir", target),
        RawEntry::link("file", &format!("{target}/secret")),
        RawEntry::link("kept", &format!("{target}/secret")),
        RawEntry { mode: 0o040_700, ..RawEntry::dir("closed/") },
    ]);
    let over = layer(&[
        RawEntry::file("dir/new", "x"),
        RawEntry::file("dir/secret", "x"),
        RawEntry::file("file", "x"),
        RawEntry::dir("closed/in/"),
    ]);
    for order in [[links, over], [over, links]] {
        let merged = packages.merged_layers(&order).unwrap().unwrap();
        assert_eq!(fs::read_link(merged.join("kept")).unwrap(), outside.path().join("secret"));
        let wins = order[1] == over;
        assert_eq!(fs::symlink_metadata(merged.join("dir")).unwrap().is_dir(), wins);
        assert_eq!(fs::symlink_metadata(merged.join("file")).unwrap().is_file(), wins);
        // The last layer that has the directory says what its mode is.
        let mode = fs::metadata(merged.join("closed")).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, if wins { 0o755 } else { 0o700 });
        packages.remove_merged(&order).unwrap();
    }
    packages.remove(&links).unwrap();
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "mine");
}

#[test]
fn two_at_once_make_one() {
    let dir = tempfile::tempdir().unwrap();
    let packages = open(dir.path());
    let entries: Vec<RawEntry> = (0..200).map(|n| RawEntry::file(format!("d/{n}"), "x")).collect();
    let zip = raw_zip::zip(&entries);
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| packages.ingest_zip(&zip).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(made.iter().all(|package| *package == made[0]));
    assert_eq!(fs::read_dir(packages.dir(&made[0].code).unwrap().join("d")).unwrap().count(), 200);
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
}
