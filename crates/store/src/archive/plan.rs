//! Judging an archive by its central directory, before a byte of it is unpacked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::ops::Range;

use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

use super::{ArchiveError, ArtifactLimits};

/// Longest path; leaves room below the kernel's 4096 for where the package is mounted.
const PATH_BYTES_MAX: usize = 3840;
/// Longest name of one file, as on every Linux file system.
const NAME_BYTES_MAX: usize = 255;
/// Longest target of a symbolic link.
const TARGET_BYTES_MAX: u64 = 3840;

const TYPE_MASK: u32 = 0o170_000;
const TYPE_REGULAR: u32 = 0o100_000;
const TYPE_DIRECTORY: u32 = 0o040_000;
const TYPE_LINK: u32 = 0o120_000;

/// An archive whose every entry has been found safe to unpack.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(super) zip: &'a [u8],
    /// Every directory, parents first, without those at the top.
    pub(super) directories: BTreeSet<String>,
    /// One for each entry of the archive, in its order.
    pub(super) entries: Vec<Entry>,
    unpacked_bytes: u64,
}

impl Plan<'_> {
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
    Directory,
    File { executable: bool },
    Link,
}

/// Reads the central directory and refuses what must not be unpacked.
pub fn plan<'a>(zip: &'a [u8], limits: &ArtifactLimits) -> Result<Plan<'a>, ArchiveError> {
    let mut archive = open(zip)?;
    if archive.len() > limits.entries_max {
        return Err(ArchiveError::TooManyEntries { limit: limits.entries_max });
    }
    let mut tree = Tree { nodes: BTreeMap::new(), limit: limits.entries_max };
    let mut entries = Vec::with_capacity(archive.len());
    let mut ranges = Vec::with_capacity(archive.len());
    let mut directory_start = u64::MAX;
    let mut unpacked_bytes = 0u64;
    for entry in archive.files().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        directory_start = directory_start.min(entry.central_header_start());
        ranges.push(byte_range(zip, &entry)?);
        let planned = judge(&entry)?;
        unpacked_bytes = unpacked_bytes.saturating_add(planned.size);
        if unpacked_bytes > limits.unpacked_bytes_max {
            return Err(ArchiveError::UnpackedTooLarge { limit: limits.unpacked_bytes_max });
        }
        tree.insert(&planned)?;
        entries.push(planned);
    }
    check_overlaps(ranges, directory_start)?;
    let is_directory = |(path, is_directory)| if is_directory { Some(path) } else { None };
    let directories = tree.nodes.into_iter().filter_map(is_directory).collect();
    Ok(Plan { zip, directories, entries, unpacked_bytes })
}

pub(super) fn open(zip: &[u8]) -> Result<ZipIterable<Cursor<&[u8]>>, ArchiveError> {
    ZipIterable::try_new(Cursor::new(zip), Config::default())
        .map_err(|error| ArchiveError::NotAZip { reason: error.to_string() })
}

pub(super) fn broken(error: ZipError) -> ArchiveError {
    ArchiveError::corrupt(error.to_string())
}

fn judge(entry: &ZipFileEntry<'_>) -> Result<Entry, ArchiveError> {
    let name = match std::str::from_utf8(entry.name_raw()) {
        Ok(name) => name.to_owned(),
        Err(_) => entry.name().map_err(broken)?.into_owned(),
    };
    if entry.encrypted() {
        return Err(ArchiveError::refuse(&name, "it is encrypted"));
    }
    let path = clean_path(&name).map_err(|why| ArchiveError::refuse(&name, why))?;
    let kind = kind_of(entry, &name).map_err(|why| ArchiveError::refuse(&name, why))?;
    let size = match kind {
        Kind::Directory => 0,
        Kind::Link if entry.size() > TARGET_BYTES_MAX => {
            return Err(ArchiveError::refuse(&name, "its link target is too long"));
        }
        Kind::Link | Kind::File { .. } => entry.size(),
    };
    if path.is_empty() && kind != Kind::Directory {
        return Err(ArchiveError::refuse(&name, "it has no name"));
    }
    Ok(Entry { path, kind, size })
}

/// The path without empty and `.` parts; empty for the top itself.
fn clean_path(name: &str) -> Result<String, &'static str> {
    if name.contains('\0') {
        return Err("its name contains NUL");
    }
    if name.contains('\\') {
        return Err("its name contains a backslash");
    }
    if name.starts_with('/') {
        return Err("its path is absolute");
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

fn kind_of(entry: &ZipFileEntry<'_>, name: &str) -> Result<Kind, &'static str> {
    let mode = entry.unix_mode().unwrap_or(0);
    let is_named_directory = name.ends_with('/');
    match mode & TYPE_MASK {
        TYPE_DIRECTORY => Ok(Kind::Directory),
        0 | TYPE_REGULAR if is_named_directory => Ok(Kind::Directory),
        0 | TYPE_REGULAR => Ok(Kind::File { executable: mode & 0o111 != 0 }),
        TYPE_LINK if !is_named_directory => Ok(Kind::Link),
        _ => Err("it is neither file, directory nor link"),
    }
}

/// From the entry's local header to the end of its data.
fn byte_range(zip: &[u8], entry: &ZipFileEntry<'_>) -> Result<Range<u64>, ArchiveError> {
    const HEADER: usize = 30;
    let start = entry.header_start();
    let header = usize::try_from(start)
        .ok()
        .and_then(|start| zip.get(start..start.checked_add(HEADER)?))
        .ok_or_else(|| ArchiveError::corrupt("an entry lies outside the archive"))?;
    let name_bytes = u64::from(u16::from_le_bytes([header[26], header[27]]));
    let extra_bytes = u64::from(u16::from_le_bytes([header[28], header[29]]));
    let end = (start + HEADER as u64 + name_bytes + extra_bytes)
        .checked_add(entry.compressed_size())
        .filter(|end| *end <= zip.len() as u64)
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

/// Every path of the archive, and whether it is a directory.
struct Tree {
    nodes: BTreeMap<String, bool>,
    limit: usize,
}

impl Tree {
    fn insert(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        if entry.path.is_empty() {
            return Ok(());
        }
        let is_directory = entry.kind == Kind::Directory;
        match self.nodes.insert(entry.path.clone(), is_directory) {
            None => {}
            Some(true) if is_directory => return Ok(()),
            Some(_) => return Err(ArchiveError::refuse(&entry.path, "its path occurs twice")),
        }
        let mut path = entry.path.as_str();
        while let Some((parent, _)) = path.rsplit_once('/') {
            match self.nodes.get(parent) {
                Some(true) => break,
                Some(false) => return Err(ArchiveError::refuse(&entry.path, "it lies below a file or link")),
                None => drop(self.nodes.insert(parent.to_owned(), true)),
            }
            path = parent;
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
        for path in ["..", "../a", "a/../../b", "a/..", "/a", "//a", "a\\b", "..\\a", "a\0b", &"a".repeat(256)] {
            assert!(clean_path(path).is_err(), "{path:?}");
        }
    }
}
