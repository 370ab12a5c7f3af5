//! Archives as tools make them, and as attackers do.

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hearth_packages::archive::{ArchiveError, PackageLimits, plan, unpack};
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

    fn unpack(&self, zip: &[u8], limits: &PackageLimits) -> Result<u64, ArchiveError> {
        let plan = plan(Cursor::new(zip), limits)?;
        unpack(&plan, &self.inside())?;
        Ok(plan.unpacked_bytes())
    }

    fn check_neighbour(&self) {
        assert_eq!(fs::read_to_string(self.dir.path().join("neighbour")).unwrap(), "mine");
        let names = fs::read_dir(self.dir.path()).unwrap().count();
        assert_eq!(names, 2, "something was written beside the destination");
    }

    /// As [`Self::check_neighbour`], once the destination is gone.
    fn check_neighbour_alone(&self) {
        assert_eq!(fs::read_to_string(self.dir.path().join("neighbour")).unwrap(), "mine");
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn unpack_raw(entries: &[RawEntry]) -> (Place, Result<u64, ArchiveError>) {
    let place = Place::new();
    let result = place.unpack(&raw_zip::zip(entries), &PackageLimits::default());
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
    zip.start_file("bootstrap", options.unix_permissions(0o755)).unwrap();
    zip.write_all(b"#!/bin/sh\n").unwrap();
    zip.add_directory("lib", options.unix_permissions(0o755)).unwrap();
    zip.start_file("lib/deep/er/data.bin", options.unix_permissions(0o644)).unwrap();
    let data: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[1]).collect();
    zip.write_all(&data).unwrap();
    zip.start_file("ünïcode", options.compression_method(CompressionMethod::Zstd)).unwrap();
    zip.write_all(b"zstd").unwrap();
    zip.add_symlink("lib/link", "../bootstrap", options).unwrap();
    let zip = zip.finish().unwrap().into_inner();

    let place = Place::new();
    let bytes = place.unpack(&zip, &PackageLimits::default()).unwrap();
    assert_eq!(bytes, 10 + 300_000 + 4 + 12);
    let at = |path: &str| place.inside().join(path);
    let mode = |path: &str| mode(&at(path));
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
        let error = Place::new().unpack(bytes, &PackageLimits::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::NotAZip { .. }), "{error:?}");
    }
}

#[test]
fn paths_out_of_the_archive_are_refused() {
    for name in ["../neighbour", "/../neighbour", "a/../../neighbour", "a/..", "..", "a/../b"] {
        assert_eq!(refusal(&[RawEntry::file(name, "evil")]), "its path leads out of the archive", "{name}");
        assert_eq!(refusal(&[RawEntry::link(name, "x")]), "its path leads out of the archive", "{name}");
    }
    assert_eq!(refusal(&[RawEntry::file("a\0/../../x", "")]), "its name contains NUL");
    assert_eq!(refusal(&[RawEntry::file("", "")]), "it has no name");
    assert_eq!(refusal(&[RawEntry::file("a".repeat(300), "")]), "its name is too long");
    assert_eq!(refusal(&[RawEntry::file("a/".repeat(3000) + "b", "")]), "its path is too long");
}

/// What was unpacked, which must be possible.
fn unpacked(entries: &[RawEntry]) -> (Place, impl Fn(&str) -> PathBuf + use<>) {
    let (place, result) = unpack_raw(entries);
    result.unwrap();
    let top = place.inside();
    (place, move |path| top.join(path))
}

#[test]
fn names_are_taken_as_unzip_takes_them() {
    let names: [(&[u8], &str); 8] = [
        (b"/etc/own", "etc/own"),
        (b"//double//slashes", "double/slashes"),
        (b"./dot/./s", "dot/s"),
        (b"dir\\file", "dir\\file"),
        (b"..\\up", "..\\up"),
        (b"C:\\x", "C:\\x"),
        // Code page 437, as old archivers of DOS write it.
        (b"\x81bung", "\u{fc}bung"),
        ("\u{fc}bung2".as_bytes(), "\u{fc}bung2"),
    ];
    let entries: Vec<RawEntry> = names.iter().map(|(name, _)| RawEntry::file(name, name)).collect();
    let (_place, at) = unpacked(&entries);
    for (name, path) in names {
        assert_eq!(fs::read(at(path)).unwrap(), name, "{path}");
    }
}

#[test]
fn of_a_path_that_occurs_twice_the_last_counts() {
    let file = RawEntry::file;
    let dir = |name: &str, mode: u32| RawEntry { mode: 0o040_000 | mode, ..RawEntry::dir(name) };
    let (place, at) = unpacked(&[
        file("a", "first"),
        file("./a", "second"),
        RawEntry::link("turns", "a"),
        file("turns", "into a file"),
        file("other", "a file"),
        RawEntry::link("other", "a"),
        dir("d/", 0o700),
        file("d/x", "x"),
        dir("d", 0o755),
        RawEntry::dir("./"),
        file("A", "another"),
        file("a", "third"),
    ]);
    assert_eq!(fs::read(at("a")).unwrap(), b"third");
    assert_eq!(fs::read(at("turns")).unwrap(), b"into a file");
    assert_eq!(fs::read_link(at("other")).unwrap(), Path::new("a"));
    assert_eq!(mode(&at("d")), 0o755);
    assert_eq!(fs::read_dir(place.inside()).unwrap().count(), 5);
}

#[test]
fn a_path_is_that_of_a_directory_or_of_a_file() {
    let file = |name: &str| RawEntry::file(name, "x");
    let both = "its path is that of a directory and of a file";
    assert_eq!(refusal(&[RawEntry::dir("a/"), file("a")]), both);
    assert_eq!(refusal(&[file("a"), RawEntry::dir("a/")]), both);
    assert_eq!(refusal(&[file("a/b"), file("a")]), both);
    assert_eq!(refusal(&[file("a/b"), RawEntry::link("a", "/etc")]), both);
    assert_eq!(refusal(&[file("a"), file("a/b")]), "it lies below a file or link");
}

#[test]
fn links_are_kept_wherever_they_lead() {
    let targets: [&[u8]; 9] =
        [b"/etc/passwd", b"..", b"../x", b"a/../../x", b"gone", b"link", b".", b"/proc/self/fd/1", b"not \xff text"];
    for target in targets {
        let (place, at) = unpacked(&[RawEntry { mode: 0o120_777, ..RawEntry::file("d/link", target) }]);
        assert_eq!(std::os::unix::ffi::OsStrExt::as_bytes(fs::read_link(at("d/link")).unwrap().as_os_str()), target);
        fs::remove_dir_all(place.inside()).unwrap();
        place.check_neighbour_alone();
    }
    let longest = "x".repeat(4095);
    let (_place, at) = unpacked(&[RawEntry::link("link", &longest)]);
    assert_eq!(fs::read_link(at("link")).unwrap(), Path::new(&longest));
    assert_eq!(refusal(&[RawEntry::link("link", &"x".repeat(4096))]), "its link target is too long");
    for target in ["", "a\0b"] {
        assert_eq!(refusal(&[RawEntry::link("link", target)]), "its link target is no path");
    }
}

/// Whatever the order, and however the link is made to lead there.
#[test]
fn nothing_is_written_through_a_link() {
    for target in ["../neighbour", "..", ".", "/", "/proc/self/cwd"] {
        for below in ["link/x", "link/neighbour", "./link//y/z"] {
            assert_eq!(
                refusal(&[RawEntry::link("link", target), RawEntry::file(below, "evil")]),
                "it lies below a file or link"
            );
        }
        let (place, at) = unpacked(&[RawEntry::link("link", target), RawEntry::file("link", "a file")]);
        assert_eq!(fs::read(at("link")).unwrap(), b"a file");
        place.check_neighbour();
        let (_place, at) = unpacked(&[RawEntry::file("link", "evil"), RawEntry::link("link", target)]);
        assert_eq!(fs::read_link(at("link")).unwrap(), Path::new(target));
    }
}

#[test]
fn modes_count_as_far_as_reading_and_executing_go() {
    let with = |name: &str, mode: u32| RawEntry { mode, ..RawEntry::file(name, "") };
    let (_place, at) = unpacked(&[
        with("plain", 0o100_644),
        with("all", 0o100_777),
        with("group", 0o100_750),
        with("private", 0o100_400),
        with("su", 0o106_755),
        with("none", 0o100_000),
        with("no-type", 0o755),
        with("nothing", 0),
        RawEntry { system: 0, ..with("dos", 0) },
        RawEntry { mode: 0o041_700, ..RawEntry::dir("closed/") },
        RawEntry { mode: 0o040_000, ..RawEntry::dir("open/") },
        RawEntry { system: 0, mode: 0, ..RawEntry::dir("dos-dir/") },
        RawEntry::file("implied/x", ""),
    ]);
    for (name, expected) in [
        ("plain", 0o644),
        ("all", 0o755),
        ("group", 0o750),
        ("private", 0o600),
        ("su", 0o755),
        ("none", 0o644),
        ("no-type", 0o755),
        ("nothing", 0o644),
        ("dos", 0o644),
        ("closed", 0o700),
        ("open", 0o755),
        ("dos-dir", 0o755),
        ("implied", 0o755),
    ] {
        assert_eq!(mode(&at(name)), expected, "{name}");
    }
}

#[test]
fn a_slash_at_the_end_makes_a_directory_and_special_files_are_ordinary_ones() {
    for kind in [0o010_000, 0o020_000, 0o060_000, 0o140_000, 0o120_000, 0o100_000, 0o030_000] {
        let (_place, at) = unpacked(&[
            RawEntry { mode: kind | 0o755, ..RawEntry::file("dir/", "") },
            RawEntry { mode: kind | 0o644, ..RawEntry::file("leaf", "content") },
        ]);
        assert!(fs::symlink_metadata(at("dir")).unwrap().is_dir(), "{kind:o}");
        if kind != 0o120_000 {
            assert!(fs::symlink_metadata(at("leaf")).unwrap().is_file(), "{kind:o}");
            assert_eq!(fs::read(at("leaf")).unwrap(), b"content");
        }
    }
}

#[test]
fn encrypted_entries_and_unknown_methods_are_refused() {
    let encrypted = RawEntry { flags: 1, ..RawEntry::file("secret", "x") };
    assert_eq!(refusal(&[encrypted]), "it is encrypted");
    // PKWARE's DCL, LZMA, xz, PPMd, and none at all.
    for method in [10, 14, 95, 98, 4711] {
        let entry = RawEntry { method, ..RawEntry::file("a", "x") };
        assert!(refusal(&[entry]).starts_with("it is compressed by a method that is not supported"), "{method}");
    }
}

/// As self-extracting archives and streams have it: something before the archive, a comment behind it, sizes behind the data.
#[test]
fn archives_may_be_wrapped_and_written_as_streams() {
    let mut writer = ZipWriter::new_stream(Vec::new());
    for name in ["a", "b/c"] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(name.repeat(1000).as_bytes()).unwrap();
    }
    writer.set_comment("a comment").unwrap();
    let streamed = writer.finish().unwrap().into_inner();
    let wrapped = [b"#!/bin/sh\nexec unzip $0\n", &streamed[..]].concat();
    for zip in [streamed, wrapped] {
        let place = Place::new();
        place.unpack(&zip, &PackageLimits::default()).unwrap();
        assert_eq!(fs::read_to_string(place.inside().join("b/c")).unwrap(), "b/c".repeat(1000));
    }
}

#[test]
fn large_headers_and_every_method_of_unzip_are_read() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let methods =
        [CompressionMethod::Stored, CompressionMethod::Deflated, CompressionMethod::Bzip2, CompressionMethod::Zstd];
    let content = b"some content, ".repeat(10_000);
    for (number, method) in methods.into_iter().enumerate() {
        let options = SimpleFileOptions::default().compression_method(method).large_file(true);
        writer.start_file(number.to_string(), options).unwrap();
        writer.write_all(&content).unwrap();
    }
    let place = Place::new();
    place.unpack(&writer.finish().unwrap().into_inner(), &PackageLimits::default()).unwrap();
    for number in 0..methods.len() {
        assert_eq!(fs::read(place.inside().join(number.to_string())).unwrap(), content);
    }
    // No writer makes this one: a stored block, as in DEFLATE.
    let deflate64 = [&[1, 5, 0, 0xfa, 0xff][..], b"hello"].concat();
    let compressed_size = u32::try_from(deflate64.len()).unwrap();
    let entry = RawEntry { data: deflate64, method: 9, compressed_size, ..RawEntry::file("d64", "hello") };
    let (_place, at) = unpacked(&[entry]);
    assert_eq!(fs::read(at("d64")).unwrap(), b"hello");
}

#[test]
fn headers_that_lie_about_sizes_are_caught() {
    let file = RawEntry::file("a", "12345");
    let longer = RawEntry { size: 4, ..file.clone() };
    let shorter = RawEntry { size: 6, ..file.clone() };
    let outside = RawEntry { compressed_size: 1 << 30, ..file.clone() };
    let bad_crc = RawEntry { crc: 1, ..file.clone() };
    let no_deflate = RawEntry { method: 8, ..file.clone() };
    let no_deflate64 = RawEntry { method: 9, ..file.clone() };
    let no_bzip2 = RawEntry { method: 12, ..file };
    for entry in [longer, shorter, outside, bad_crc, no_deflate, no_deflate64, no_bzip2] {
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
    let limits = PackageLimits { unpacked_bytes_max: 1000, entries_max: 10 };
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
    let error = place.unpack(&zip, &PackageLimits::default()).unwrap_err();
    assert!(matches!(error, ArchiveError::Corrupt { .. }), "{error:?}");
    assert!(fs::metadata(place.inside().join("bomb")).unwrap().len() <= 1000);
}

/// Everything below `dir` is a directory, a file or a link; no link is followed.
fn assert_contained(dir: &Path) {
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                pending.push(entry.path());
            } else {
                assert!(kind.is_file() || kind.is_symlink());
                let mode = entry.metadata().unwrap().permissions().mode();
                assert!(kind.is_symlink() || mode & 0o7022 == 0, "{mode:o}");
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
        let result = place.unpack(&zip, &PackageLimits::default());
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
        match place.unpack(&zip, &PackageLimits::default()) {
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
