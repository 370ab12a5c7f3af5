//! Unpacking what [`plan`](super::plan()) has found safe. The kernel is asked to check once more: every path is opened
//! beneath the destination and without following links.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Timespec, Timestamps};
use rustix::io::Errno;
use zip::extra_fields::ExtraField;
use zip::read::ZipFile;

use super::ArchiveError;
use super::plan::{Entry, Kind, Plan, broken, open};

const BUFFER_BYTES: usize = 64 * 1024;

/// Unpacks into `destination`, an empty directory that nobody else writes to. Files and directories get the modes that the
/// archive gives them, as far as reading and executing go: what only their owner may read there, no function can read. On an
/// error the directory is left half full.
pub fn unpack<R: Read + Seek + Clone>(plan: &Plan<R>, destination: &Path) -> Result<(), ArchiveError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let top = rustix::fs::open(destination, flags, Mode::empty())
        .map_err(|error| ArchiveError::io("open the destination")(error.into()))?;
    let top = top.as_fd();
    set_mode(top, 0o755)?;
    for (path, mode) in &plan.directories {
        make_directory(top, path, *mode)?;
    }
    let mut archive = open(plan.zip.clone())?;
    let mut files = archive.files_with_cloned_reader(zip::ZipReadOptions::default()).map_err(broken)?;
    let mut links = Vec::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    for entry in &plan.entries {
        let mut file =
            files.next().ok_or_else(|| ArchiveError::corrupt("the central directory ends early"))?.map_err(broken)?;
        match entry.kind {
            Kind::Directory { .. } | Kind::Replaced => {}
            Kind::File { mode } => write_file(top, entry, mode, &mut file, &mut buffer)?,
            Kind::Link => links.push((entry, modified(&file), read_target(entry, &mut file)?)),
        }
    }
    links.iter().try_for_each(|(entry, times, target)| make_link(top, entry, times, target))
}

fn set_mode(file: impl AsFd, mode: u32) -> Result<(), ArchiveError> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode)).map_err(|error| ArchiveError::io("set a mode")(error.into()))
}

/// Opens beneath the top; any link on the way is an error.
fn open_beneath(top: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd, ArchiveError> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mode = if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o600) } else { Mode::empty() };
    rustix::fs::openat2(top, path, flags | OFlags::CLOEXEC, mode, resolve)
        .map_err(|error| failed_on(path, "open a file", error))
}

/// What the kernel says of a path, as a word on the archive where it is one.
fn failed_on(path: &str, step: &'static str, error: Errno) -> ArchiveError {
    match error {
        Errno::XDEV | Errno::LOOP => ArchiveError::refuse(path, "its path leads out of the archive"),
        Errno::NAMETOOLONG => ArchiveError::refuse(path, "its path is too long"),
        Errno::EXIST | Errno::NOTDIR | Errno::ISDIR => ArchiveError::refuse(path, "its path occurs twice"),
        Errno::ILSEQ | Errno::INVAL => ArchiveError::refuse(path, "its name cannot be stored"),
        other => ArchiveError::Io { step, source: other.into() },
    }
}

/// The directory that holds `path`, and the name in it.
fn parent<'a>(top: BorrowedFd<'_>, path: &'a str) -> Result<(OwnedFd, &'a str), ArchiveError> {
    let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
    Ok((open_beneath(top, parent, OFlags::RDONLY | OFlags::DIRECTORY)?, name))
}

fn make_directory(top: BorrowedFd<'_>, path: &str, mode: u32) -> Result<(), ArchiveError> {
    let (parent, name) = parent(top, path)?;
    rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755))
        .map_err(|error| failed_on(path, "make a directory", error))?;
    set_mode(open_beneath(top, path, OFlags::RDONLY | OFlags::DIRECTORY)?, mode)
}

fn write_file<R: Read>(
    top: BorrowedFd<'_>,
    entry: &Entry,
    mode: u32,
    source: &mut ZipFile<'_, R>,
    buffer: &mut [u8],
) -> Result<(), ArchiveError> {
    let file = open_beneath(top, &entry.path, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
    let mut file = File::from(file);
    let mut left = entry.size;
    loop {
        let count = source.read(buffer).map_err(|error| ArchiveError::corrupt(error.to_string()))?;
        if count == 0 {
            break;
        }
        left = left
            .checked_sub(count as u64)
            .ok_or_else(|| ArchiveError::corrupt("an entry is longer than its header says"))?;
        file.write_all(&buffer[..count]).map_err(ArchiveError::io("write a file"))?;
    }
    if left != 0 {
        return Err(ArchiveError::corrupt("an entry is shorter than its header says"));
    }
    set_mode(&file, mode)?;
    rustix::fs::futimens(&file, &modified(source)).map_err(|error| ArchiveError::io("set a time")(error.into()))
}

/// Where it leads is not looked at: it is followed in a sandbox alone, where every path ends in the sandbox's own tree.
fn read_target<R: Read>(entry: &Entry, source: &mut ZipFile<'_, R>) -> Result<Vec<u8>, ArchiveError> {
    let mut target = Vec::new();
    source.take(entry.size + 1).read_to_end(&mut target).map_err(|error| ArchiveError::corrupt(error.to_string()))?;
    if target.len() as u64 != entry.size {
        return Err(ArchiveError::corrupt("a link's target is not as long as its header says"));
    }
    if target.is_empty() || target.contains(&0) {
        return Err(ArchiveError::refuse(&entry.path, "its link target is no path"));
    }
    Ok(target)
}

fn make_link(top: BorrowedFd<'_>, entry: &Entry, times: &Timestamps, target: &[u8]) -> Result<(), ArchiveError> {
    let (parent, name) = parent(top, &entry.path)?;
    rustix::fs::symlinkat(target, &parent, name).map_err(|error| failed_on(&entry.path, "make a link", error))?;
    rustix::fs::utimensat(&parent, name, times, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|error| ArchiveError::io("set a time")(error.into()))
}

/// When the entry was last changed. Kept because interpreters compare it with what their compiled files say.
fn modified<R: Read>(file: &ZipFile<'_, R>) -> Timestamps {
    let exact = file.extra_data_fields().find_map(|field| match field {
        ExtraField::ExtendedTimestamp(times) => times.mod_time(),
        _ => None,
    });
    let seconds = match (exact, file.last_modified()) {
        (Some(seconds), _) => i64::from(seconds),
        (None, Some(dos)) => {
            let days = days_since_epoch(i64::from(dos.year()), i64::from(dos.month()), i64::from(dos.day()));
            let seconds = i64::from(dos.hour()) * 3600 + i64::from(dos.minute()) * 60 + i64::from(dos.second());
            days * 86400 + seconds
        }
        (None, None) => 0,
    };
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}

/// Of a date in the Gregorian calendar; years counted from March so that the leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_the_epoch() {
        assert_eq!(days_since_epoch(1970, 1, 1), 0);
        assert_eq!(days_since_epoch(1980, 1, 1), 3652);
        assert_eq!(days_since_epoch(2000, 2, 29), 11_016);
        assert_eq!(days_since_epoch(2024, 12, 31), 20_088);
    }
}
