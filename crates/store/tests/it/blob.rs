//! Content-addressed blobs.

use std::fs;

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
