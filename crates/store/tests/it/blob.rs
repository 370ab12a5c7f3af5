//! Content-addressed blobs.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use hearth_store::{BlobError, Blobs};

#[test]
fn a_blob_is_named_after_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let name = blobs.put(b"abc").unwrap();
    assert_eq!(name.to_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(blobs.put(b"abc").unwrap(), name);
    assert_eq!(blobs.get(&name).unwrap().unwrap(), "abc");
    assert_eq!(fs::read(blobs.path(&name)).unwrap(), b"abc");
    drop(blobs);
    let blobs = Blobs::open(dir.path()).unwrap();
    assert_eq!(blobs.get(&name).unwrap().unwrap(), "abc");
    assert!(blobs.delete(&name).unwrap());
    assert!(!blobs.delete(&name).unwrap());
    assert_eq!(blobs.get(&name).unwrap(), None);
}

#[test]
fn damage_is_noticed_and_mended_by_putting_again() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let name = blobs.put(b"content").unwrap();
    fs::write(blobs.path(&name), b"c").unwrap();
    assert!(matches!(blobs.get(&name), Err(BlobError::Damaged { .. })));
    blobs.put(b"content").unwrap();
    assert_eq!(blobs.get(&name).unwrap().unwrap(), "content");
}

#[test]
fn half_written_files_go_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    drop(Blobs::open(dir.path()).unwrap());
    let left = dir.path().join("tmp/left");
    fs::write(&left, b"half").unwrap();
    drop(Blobs::open(dir.path()).unwrap());
    assert!(!left.exists());
}

#[test]
fn a_sweep_spares_the_marked_and_the_young() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let [marked, old, young, renewed] =
        [b"marked", b"old...", b"young.", b"renew."].map(|bytes| blobs.put(bytes).unwrap());
    for name in [marked, old, renewed] {
        let file = fs::File::options().write(true).open(blobs.path(&name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(7200)).unwrap();
    }
    blobs.put(b"renew.").unwrap();
    let removed = blobs.sweep(&HashSet::from([marked]), Duration::from_secs(3600)).unwrap();
    assert_eq!(removed, 1);
    assert_eq!(blobs.get(&old).unwrap(), None);
    for name in [marked, young, renewed] {
        assert!(blobs.get(&name).unwrap().is_some());
    }
}
