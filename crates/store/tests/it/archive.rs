//! Archives as tools make them, and as attackers do.

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hearth_store::archive::{ArchiveError, ArtifactLimits, plan, unpack};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::raw_zip::{self, RawEntry};

/// A directory to unpack into, with a neighbour that must never change.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("into")).unwrap();
        fs::write(dir.path().join("neighbour"), "mine").unwrap();
        Self { dir }
    }

    fn inside(&self) -> PathBuf {
        self.dir.path().join("into")
    }

    fn unpack(&self, zip: &[u8], limits: &ArtifactLimits) -> Result<u64, ArchiveError> {
        let plan = plan(zip, limits)?;
        unpack(&plan, &self.inside())?;
        Ok(plan.unpacked_bytes())
    }

    fn check_neighbour(&self) {
        assert_eq!(fs::read_to_string(self.dir.path().join("neighbour")).unwrap(), "mine");
        let names = fs::read_dir(self.dir.path()).unwrap().count();
        assert_eq!(names, 2, "something was written beside the destination");
    }
}

fn unpack_raw(entries: &[RawEntry]) -> (Place, Result<u64, ArchiveError>) {
    let place = Place::new();
    let result = place.unpack(&raw_zip::zip(entries), &ArtifactLimits::default());
    place.check_neighbour();
    (place, result)
}

fn refusal(entries: &[RawEntry]) -> &'static str {
    match unpack_raw(entries).1 {
        Err(ArchiveError::Unsafe { why, .. }) => why,
        other => panic!("not refused as unsafe: {other:?} {entries:?}"),
    }
}

fn corruption(entries: &[RawEntry]) -> String {
    match unpack_raw(entries).1 {
        Err(ArchiveError::Corrupt { reason }) => reason,
        other => panic!("not refused as corrupt: {other:?}"),
    }
}

#[test]
fn files_get_their_content_modes_and_times() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let time = zip::DateTime::from_date_and_time(2024, 2, 29, 12, 30, 8).unwrap();
    let options = SimpleFileOptions::default().last_modified_time(time);
    zip.start_file("bootstrap", options.unix_permissions(0o700)).unwrap();
    zip.write_all(b"#!/bin/sh\n").unwrap();
    zip.add_directory("lib", options.unix_permissions(0o700)).unwrap();
    zip.start_file("lib/deep/er/data.bin", options.unix_permissions(0o600)).unwrap();
    let data: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[1]).collect();
    zip.write_all(&data).unwrap();
    zip.start_file("ünïcode", options.compression_method(CompressionMethod::Zstd)).unwrap();
    zip.write_all(b"zstd").unwrap();
    zip.add_symlink("lib/link", "../bootstrap", options).unwrap();
    let zip = zip.finish().unwrap().into_inner();

    let place = Place::new();
    let bytes = place.unpack(&zip, &ArtifactLimits::default()).unwrap();
    assert_eq!(bytes, 10 + 300_000 + 4 + 12);
    let at = |path: &str| place.inside().join(path);
    let mode = |path: &str| fs::symlink_metadata(at(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(fs::read(at("lib/deep/er/data.bin")).unwrap(), data);
    assert_eq!(fs::read(at("ünïcode")).unwrap(), b"zstd");
    assert_eq!(fs::read(at("lib/link")).unwrap(), b"#!/bin/sh\n");
    assert_eq!((mode("bootstrap"), mode("lib/deep/er/data.bin")), (0o755, 0o644));
    assert_eq!((mode(""), mode("lib"), mode("lib/deep")), (0o755, 0o755, 0o755));
    assert_eq!(fs::metadata(at("bootstrap")).unwrap().mtime(), 1_709_209_808);
}

#[test]
fn an_empty_archive_is_an_empty_directory() {
    let (place, result) = unpack_raw(&[]);
    assert_eq!(result.unwrap(), 0);
    assert_eq!(fs::read_dir(place.inside()).unwrap().count(), 0);
}

#[test]
fn what_is_no_archive_is_said_so() {
    for bytes in [&b""[..], b"PK", b"hello", &[0; 100_000], b"\x1f\x8b\x08"] {
        let error = Place::new().unpack(bytes, &ArtifactLimits::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::NotAZip { .. }), "{error:?}");
    }
}

#[test]
fn paths_out_of_the_archive_are_refused() {
    for name in ["/etc/passwd", "//x", "../neighbour", "a/../../neighbour", "a/..", "..", "a/../b"] {
        assert!(refusal(&[RawEntry::file(name, "evil")]).starts_with("its path"), "{name}");
        assert!(refusal(&[RawEntry::link(name, "x")]).starts_with("its path"), "{name}");
    }
    for name in ["..\\neighbour", "a\\b", "C:\\x"] {
        assert_eq!(refusal(&[RawEntry::file(name, "evil")]), "its name contains a backslash");
    }
    assert_eq!(refusal(&[RawEntry::file("a\0/../../x", "")]), "its name contains NUL");
    assert_eq!(refusal(&[RawEntry::file("", "")]), "it has no name");
    assert_eq!(refusal(&[RawEntry::file("a".repeat(300), "")]), "its name is too long");
    assert_eq!(refusal(&[RawEntry::file("a/".repeat(3000) + "b", "")]), "its path is too long");
}

#[test]
fn a_path_that_occurs_twice_is_refused() {
    let file = |name: &str| RawEntry::file(name, "x");
    let twice = "its path occurs twice";
    assert_eq!(refusal(&[file("a"), file("a")]), twice);
    assert_eq!(refusal(&[file("a"), file("./a")]), twice);
    assert_eq!(refusal(&[RawEntry::dir("a/"), file("a")]), twice);
    assert_eq!(refusal(&[file("a"), RawEntry::dir("a/")]), twice);
    assert_eq!(refusal(&[file("a/b"), file("a")]), twice);
    assert_eq!(refusal(&[file("a"), file("a/b")]), "it lies below a file or link");
    unpack_raw(&[RawEntry::dir("a/"), RawEntry::dir("a"), RawEntry::dir("./"), file("a/b"), file("A")]).1.unwrap();
}

#[test]
fn links_out_of_the_archive_are_refused() {
    for target in ["/etc/passwd", "..", "../x", "a/../../x", "./../x"] {
        assert!(refusal(&[RawEntry::link("link", target)]).starts_with("its link target"), "{target}");
    }
    assert!(refusal(&[RawEntry::link("d/link", "../../neighbour")]).starts_with("its link target"));
    for target in ["", "a\0b"] {
        assert_eq!(refusal(&[RawEntry::link("link", target)]), "its link target is no path");
    }
    assert_eq!(refusal(&[RawEntry::link("link", &"a/".repeat(3000))]), "its link target is too long");
    assert_eq!(refusal(&[RawEntry::link("link/", "x")]), "it is neither file, directory nor link");
}

#[test]
fn a_chain_of_links_cannot_lead_out() {
    let chain = [
        RawEntry::file("a/b/c/file", ""),
        RawEntry::link("a/b/c/up", "../../../a"),
        RawEntry::link("shallow", "a/b/c/up"),
        RawEntry::link("escape", "shallow/../../neighbour"),
    ];
    assert_eq!(refusal(&chain), "its link target leads out of the archive");
    assert_eq!(refusal(&[RawEntry::link("x", "y"), RawEntry::link("y", "x")]), "its link target leads back to itself");
    assert_eq!(refusal(&[RawEntry::link("dir", "."), RawEntry::file("dir/x", "")]), "it lies below a file or link");
    let (place, result) =
        unpack_raw(&[RawEntry::file("d/f", "1"), RawEntry::link("l/k", "../d/f"), RawEntry::link("m", "gone")]);
    result.unwrap();
    assert_eq!(fs::read_to_string(place.inside().join("l/k")).unwrap(), "1");
}

#[test]
fn special_files_and_encrypted_entries_are_refused() {
    for kind in [0o010_000, 0o020_000, 0o060_000, 0o140_000] {
        let entry = RawEntry { mode: kind | 0o644, ..RawEntry::file("dev", "") };
        assert_eq!(refusal(&[entry]), "it is neither file, directory nor link");
    }
    let encrypted = RawEntry { flags: 1, ..RawEntry::file("secret", "x") };
    assert_eq!(refusal(&[encrypted]), "it is encrypted");
}

#[test]
fn set_uid_bits_are_dropped() {
    let (place, result) = unpack_raw(&[RawEntry { mode: 0o106_755, ..RawEntry::file("su", "") }]);
    result.unwrap();
    assert_eq!(fs::metadata(place.inside().join("su")).unwrap().permissions().mode() & 0o7777, 0o755);
}

#[test]
fn headers_that_lie_about_sizes_are_caught() {
    let file = RawEntry::file("a", "12345");
    let longer = RawEntry { size: 4, ..file.clone() };
    let shorter = RawEntry { size: 6, ..file.clone() };
    let outside = RawEntry { compressed_size: 1 << 30, ..file.clone() };
    let bad_crc = RawEntry { crc: 1, ..file.clone() };
    let bad_method = RawEntry { method: 14, ..file.clone() };
    let no_deflate = RawEntry { method: 8, ..file };
    for entry in [longer, shorter, outside, bad_crc, bad_method, no_deflate] {
        corruption(&[entry]);
    }
}

#[test]
fn entries_that_share_bytes_are_caught() {
    let first = RawEntry::file("a", vec![0; 1000]);
    let same = RawEntry { name: b"b".to_vec(), offset: Some(0), ..first.clone() };
    assert_eq!(corruption(&[first.clone(), same]), "entries overlap");
    let inner = raw_zip::zip(&[RawEntry::file("inner", "x")]);
    let offset = 30 + 5;
    let nested = RawEntry { offset: Some(offset), ..RawEntry::file("inner", "x") };
    assert_eq!(corruption(&[RawEntry::file("outer", inner), nested]), "entries overlap");
}

#[test]
fn more_than_the_limit_is_refused_with_its_own_error() {
    let limits = ArtifactLimits { unpacked_bytes_max: 1000, entries_max: 10 };
    let unpack = |entries: &[RawEntry]| Place::new().unpack(&raw_zip::zip(entries), &limits);
    assert_eq!(unpack(&[RawEntry::file("a", vec![0; 1000])]).unwrap(), 1000);
    let halves = [RawEntry::file("a", vec![0; 501]), RawEntry::file("b", vec![0; 500])];
    assert!(matches!(unpack(&halves), Err(ArchiveError::UnpackedTooLarge { limit: 1000 })));
    let many: Vec<RawEntry> = (0..11).map(|n| RawEntry::file(n.to_string(), "")).collect();
    assert!(matches!(unpack(&many), Err(ArchiveError::TooManyEntries { limit: 10 })));
    unpack(&many[..10]).unwrap();
    let deep = [RawEntry::file("1/2/3/4/5/6/7/8/9/10/11", "")];
    assert!(matches!(unpack(&deep), Err(ArchiveError::TooManyEntries { limit: 10 })));
}

/// A header that promises little before a stream that yields a lot.
#[test]
fn a_bomb_that_lies_about_its_size_stops_at_its_promise() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bomb", SimpleFileOptions::default()).unwrap();
    for _ in 0..64 {
        writer.write_all(&[0; 1 << 20]).unwrap();
    }
    let mut zip = writer.finish().unwrap().into_inner();
    let honest = (64u32 << 20).to_le_bytes();
    let places: Vec<usize> = (0..zip.len() - 4).filter(|at| zip[*at..*at + 4] == honest).collect();
    assert_eq!(places.len(), 2, "in the local and in the central header");
    for at in places {
        zip[at..at + 4].copy_from_slice(&1000u32.to_le_bytes());
    }
    let place = Place::new();
    let error = place.unpack(&zip, &ArtifactLimits::default()).unwrap_err();
    assert!(matches!(error, ArchiveError::Corrupt { .. }), "{error:?}");
    assert!(fs::metadata(place.inside().join("bomb")).unwrap().len() <= 1000);
}

/// Everything below `dir` is a directory, a file or a link that stays below it.
fn assert_contained(dir: &Path) {
    let top = dir.canonicalize().unwrap();
    let mut pending = vec![top.clone()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_symlink() {
                let end = entry.path().canonicalize();
                assert!(end.as_ref().is_err() || end.as_ref().unwrap().starts_with(&top), "{entry:?} leads to {end:?}");
            } else {
                assert!(kind.is_file());
            }
        }
    }
}

fn entry() -> impl Strategy<Value = RawEntry> {
    let part = prop_oneof![4 => "[ab]", 1 => Just("..".to_owned()), 1 => Just(".".to_owned()), 1 => "[a/\\\\\0]{0,3}"];
    let path = proptest::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"));
    let kind = prop_oneof![Just(0o100_644u32), Just(0o040_755), Just(0o120_777), any::<u16>().prop_map(u32::from)];
    (path.clone(), path, kind).prop_map(|(name, data, mode)| RawEntry { mode, ..RawEntry::file(name, data) })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_entries_are_nothing_leaves_the_destination(entries in proptest::collection::vec(entry(), 0..6)) {
        if let (place, Ok(_)) = unpack_raw(&entries) {
            assert_contained(&place.inside());
        }
    }

    #[test]
    fn flipped_bytes_are_refused_or_harmless(
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut zip = raw_zip::zip(&[RawEntry::file("d/f", "content"), RawEntry::link("l", "d/f"), RawEntry::dir("e/")]);
        for (index, byte) in flips {
            let at = index.index(zip.len());
            zip[at] = byte;
        }
        let place = Place::new();
        let result = place.unpack(&zip, &ArtifactLimits::default());
        place.check_neighbour();
        if result.is_ok() {
            assert_contained(&place.inside());
        }
    }

    #[test]
    fn what_the_zip_crate_writes_comes_back(
        files in proptest::collection::btree_map("[a-z]{1,3}(/[a-z]{4,6}){0,2}", proptest::collection::vec(any::<u8>(), 0..2000), 0..8),
        stored in any::<bool>(),
    ) {
        let method = if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, data) in &files {
            writer.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(data).unwrap();
        }
        let zip = writer.finish().unwrap().into_inner();
        let place = Place::new();
        match place.unpack(&zip, &ArtifactLimits::default()) {
            Ok(bytes) => {
                prop_assert_eq!(bytes, files.values().map(|data| data.len() as u64).sum::<u64>());
                for (name, data) in &files {
                    prop_assert_eq!(&fs::read(place.inside().join(name)).unwrap(), data);
                }
            }
            Err(ArchiveError::Unsafe { .. }) => {
                let below_another = |name: &&String| files.keys().any(|other| name.starts_with(&format!("{other}/")));
                prop_assert!(files.keys().find(below_another).is_some());
            }
            Err(error) => prop_assert!(false, "{:?}", error),
        }
    }
}
