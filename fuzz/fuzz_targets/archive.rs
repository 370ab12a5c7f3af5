//! Whatever the bytes are, unpacking them neither panics nor takes more than it may, and nothing ends up outside.

#![no_main]

use std::fs;
use std::path::Path;

use hearth_packages::PackageLimits;
use hearth_packages::archive::{plan, unpack};
use libfuzzer_sys::fuzz_target;

const LIMITS: PackageLimits = PackageLimits { unpacked_bytes_max: 1 << 20, entries_max: 100 };

fuzz_target!(|zip: &[u8]| {
    let Ok(plan) = plan(std::io::Cursor::new(zip), &LIMITS) else { return };
    let place = tempfile::tempdir_in("/dev/shm").expect("room in memory");
    let top = place.path().join("top");
    fs::create_dir(&top).expect("room in memory");
    let result = unpack(&plan, &top);
    assert_eq!(fs::read_dir(place.path()).expect("readable").count(), 1, "something lies beside the destination");
    if result.is_ok() {
        assert!(check(&top) <= plan.unpacked_bytes());
        assert!(plan.unpacked_bytes() <= LIMITS.unpacked_bytes_max);
    }
});

/// Follows no link: where they lead is a sandbox's own business. Returns the bytes of all files.
fn check(dir: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).expect("readable") {
        let entry = entry.expect("readable");
        let metadata = entry.metadata().expect("readable");
        if metadata.is_dir() {
            bytes += check(&entry.path());
        } else {
            assert!(metadata.is_file() || metadata.is_symlink());
            bytes += if metadata.is_file() { metadata.len() } else { 0 };
        }
    }
    bytes
}
