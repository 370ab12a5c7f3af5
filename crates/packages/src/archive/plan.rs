//! Judging an archive by its central directory, before a byte of it is unpacked.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use zip::CompressionMethod;
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

use super::{ArchiveError, PackageLimits};

/// Longest path; leaves room below the kernel's 4096 for where the package is mounted.
const PATH_BYTES_MAX: usize = 3840;
/// Longest name of one file, as on every Linux file system.
const NAME_BYTES_MAX: usize = 255;
/// Longest target of a symbolic link that the kernel makes.
const TARGET_BYTES_MAX: u64 = 4095;

/// Those of `unzip`, and Zstandard.
const METHODS: [CompressionMethod; 5] = [
    CompressionMethod::Stored,
    CompressionMethod::Deflated,
    CompressionMethod::Deflate64,
    CompressionMethod::Bzip2,
    CompressionMethod::Zstd,
];

const TYPE_MASK: u32 = 0o170_000;
const TYPE_DIRECTORY: u32 = 0o040_000;
const TYPE_LINK: u32 = 0o120_000;

/// An archive whose every entry has been found safe to unpack.
#[derive(Debug)]
pub struct Plan<R> {
    pub(super) zip: R,
    /// Every directory with its mode, parents first, without the top itself.
    pub(super) directories: BTreeMap<String, u32>,
    /// One for each entry of the archive, in its order.
    pub(super) entries: Vec<Entry>,
    unpacked_bytes: u64,
}

impl<R> Plan<R> {
    /// What the archive says it unpacks to; [`super::unpack`] holds it to that.
    pub fn unpacked_bytes(&self) -> u64 {
        self.unpacked_bytes
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    pub path: String,
    pub kind: Kind,
    pub size: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Directory {
        mode: u32,
    },
    File {
        mode: u32,
    },
    Link,
    /// A later entry has its path.
    Replaced,
}

/// Reads the central directory and refuses what must not be unpacked.
pub fn plan<R: Read + Seek + Clone>(mut zip: R, limits: &PackageLimits) -> Result<Plan<R>, ArchiveError> {
    let mut archive = open(zip.clone())?;
    let length = zip.seek(SeekFrom::End(0)).map_err(ArchiveError::io("measure the archive"))?;
    if archive.len() > limits.entries_max {
        return Err(ArchiveError::TooManyEntries { limit: limits.entries_max });
    }
    let mut tree = Tree { nodes: BTreeMap::new(), limit: limits.entries_max };
    let mut entries: Vec<Entry> = Vec::with_capacity(archive.len());
    let mut ranges = Vec::with_capacity(archive.len());
    let mut directory_start = u64::MAX;
    let mut unpacked_bytes = 0u64;
    for entry in archive.files().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        directory_start = directory_start.min(entry.central_header_start());
        ranges.push(byte_range(&mut zip, length, &entry)?);
        let planned = judge(&entry)?;
        unpacked_bytes = unpacked_bytes.saturating_add(planned.size);
        if unpacked_bytes > limits.unpacked_bytes_max {
            return Err(ArchiveError::UnpackedTooLarge { limit: limits.unpacked_bytes_max });
        }
        if let Some(earlier) = tree.insert(&planned, entries.len())? {
            entries[earlier].kind = Kind::Replaced;
        }
        entries.push(planned);
    }
    check_overlaps(ranges, directory_start)?;
    let directories = tree.nodes.into_iter().filter_map(|(path, node)| Some((path, node.directory_mode()?))).collect();
    Ok(Plan { zip, directories, entries, unpacked_bytes })
}

pub(super) fn open<R: Read + Seek + Clone>(zip: R) -> Result<ZipIterable<R>, ArchiveError> {
    ZipIterable::try_new(zip, Config::default()).map_err(|error| ArchiveError::NotAZip { reason: error.to_string() })
}

pub(super) fn broken(error: ZipError) -> ArchiveError {
    ArchiveError::corrupt(error.to_string())
}

fn judge(entry: &ZipFileEntry<'_>) -> Result<Entry, ArchiveError> {
    let name = match std::str::from_utf8(entry.name_raw()) {
        Ok(name) => name.to_owned(),
        Err(_) => entry.name().map_err(broken)?.into_owned(),
    };
    let refuse = |why| ArchiveError::refuse(&name, why);
    if entry.encrypted() {
        return Err(refuse("it is encrypted"));
    }
    let path = clean_path(&name).map_err(refuse)?;
    let kind = kind_of(entry, &name);
    let size = match kind {
        Kind::Directory { .. } => 0,
        Kind::Link if entry.size() > TARGET_BYTES_MAX => return Err(refuse("its link target is too long")),
        _ => entry.size(),
    };
    if path.is_empty() && !matches!(kind, Kind::Directory { .. }) {
        return Err(refuse("it has no name"));
    }
    if !METHODS.contains(&entry.compression()) {
        return Err(refuse("it is compressed by a method that is not supported (deflate always is)"));
    }
    Ok(Entry { path, kind, size })
}

/// The path without empty and `.` parts; empty for the top itself. Like `unzip`, it takes an absolute path as one from the top;
/// a backslash is a letter like any other.
fn clean_path(name: &str) -> Result<String, &'static str> {
    if name.contains('\0') {
        return Err("its name contains NUL");
    }
    if name.len() > PATH_BYTES_MAX {
        return Err("its path is too long");
    }
    let mut path = String::with_capacity(name.len());
    for part in name.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return Err("its path leads out of the archive");
        }
        if part.len() > NAME_BYTES_MAX {
            return Err("its name is too long");
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    Ok(path)
}

/// What its name and mode say. As with `unzip`, a slash at the end makes a directory whatever the mode is, and pipes, sockets
/// and devices are ordinary files.
fn kind_of(entry: &ZipFileEntry<'_>, name: &str) -> Kind {
    let mode = entry.unix_mode().unwrap_or(0);
    let kind = mode & TYPE_MASK;
    let given = mode & 0o777;
    if name.ends_with('/') || kind == TYPE_DIRECTORY {
        return Kind::Directory { mode: if given == 0 { 0o755 } else { 0o700 | (given & 0o055) } };
    }
    match kind {
        TYPE_LINK => Kind::Link,
        _ => Kind::File { mode: if given == 0 { 0o644 } else { 0o600 | (given & 0o155) } },
    }
}

/// From the entry's local header to the end of its data.
fn byte_range(zip: &mut (impl Read + Seek), length: u64, entry: &ZipFileEntry<'_>) -> Result<Range<u64>, ArchiveError> {
    const HEADER: usize = 30;
    let start = entry.header_start();
    let inside = start.checked_add(HEADER as u64).is_some_and(|end| end <= length);
    if !inside {
        return Err(ArchiveError::corrupt("an entry lies outside the archive"));
    }
    let mut header = [0; HEADER];
    zip.seek(SeekFrom::Start(start))
        .and_then(|_start| zip.read_exact(&mut header))
        .map_err(ArchiveError::io("read the archive"))?;
    let name_bytes = u64::from(u16::from_le_bytes([header[26], header[27]]));
    let extra_bytes = u64::from(u16::from_le_bytes([header[28], header[29]]));
    let end = (start + HEADER as u64 + name_bytes + extra_bytes)
        .checked_add(entry.compressed_size())
        .filter(|end| *end <= length)
        .ok_or_else(|| ArchiveError::corrupt("an entry lies outside the archive"))?;
    Ok(start..end)
}

/// Entries that share bytes make a small archive unpack to a huge one.
fn check_overlaps(mut ranges: Vec<Range<u64>>, directory_start: u64) -> Result<(), ArchiveError> {
    ranges.sort_unstable_by_key(|range| range.start);
    let ends = ranges.iter().map(|range| range.end);
    let next_starts = ranges.iter().skip(1).map(|range| range.start).chain([directory_start]);
    if ends.zip(next_starts).any(|(end, next_start)| end > next_start) {
        return Err(ArchiveError::corrupt("entries overlap"));
    }
    Ok(())
}

/// Every path of the archive.
struct Tree {
    nodes: BTreeMap<String, Node>,
    limit: usize,
}

#[derive(Clone, Copy)]
enum Node {
    Directory {
        mode: u32,
    },
    /// A file or link, by the number of its entry.
    Leaf(usize),
}

impl Node {
    fn directory_mode(self) -> Option<u32> {
        match self {
            Self::Directory { mode } => Some(mode),
            Self::Leaf(_) => None,
        }
    }
}

impl Tree {
    /// Returns the earlier file or link whose place this one takes.
    fn insert(&mut self, entry: &Entry, number: usize) -> Result<Option<usize>, ArchiveError> {
        if entry.path.is_empty() {
            return Ok(None);
        }
        let node = match entry.kind {
            Kind::Directory { mode } => Node::Directory { mode },
            Kind::File { .. } | Kind::Link | Kind::Replaced => Node::Leaf(number),
        };
        match (self.nodes.insert(entry.path.clone(), node), node) {
            (None, _) => self.insert_parents(&entry.path)?,
            (Some(Node::Directory { .. }), Node::Directory { .. }) => {}
            (Some(Node::Leaf(earlier)), Node::Leaf(_)) => return Ok(Some(earlier)),
            _ => return Err(ArchiveError::refuse(&entry.path, "its path is that of a directory and of a file")),
        }
        Ok(None)
    }

    fn insert_parents(&mut self, path: &str) -> Result<(), ArchiveError> {
        let mut below = path;
        while let Some((parent, _)) = below.rsplit_once('/') {
            match self.nodes.get(parent) {
                Some(Node::Directory { .. }) => break,
                Some(Node::Leaf(_)) => return Err(ArchiveError::refuse(path, "it lies below a file or link")),
                None => drop(self.nodes.insert(parent.to_owned(), Node::Directory { mode: 0o755 })),
            }
            below = parent;
        }
        if self.nodes.len() > self.limit {
            return Err(ArchiveError::TooManyEntries { limit: self.limit });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_or_refused() {
        assert_eq!(clean_path("./a//b/./c/"), Ok("a/b/c".to_owned()));
        assert_eq!(clean_path("./"), Ok(String::new()));
        assert_eq!(clean_path("..a/b.."), Ok("..a/b..".to_owned()));
        assert_eq!(clean_path("//a/b"), Ok("a/b".to_owned()));
        assert_eq!(clean_path("..\\a\\b"), Ok("..\\a\\b".to_owned()));
        for path in ["..", "../a", "/../a", "a/../../b", "a/..", "a\0b", &"a".repeat(256)] {
            assert!(clean_path(path).is_err(), "{path:?}");
        }
    }
}
