//! What a function wrote into its own file systems, as one file: CRIU saves processes, not what is mounted from outside.
//!
//! ```text
//!  | length of head, 4 bytes | head (postcard) | content, as long as the head says |  ... until the end of the file
//! ```
//!
//! Both ends work on directories that a function filled: no link in them is followed.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Uid, chmodat, chownat, mkdirat, mkfifoat, openat, readlinkat,
    statat, symlinkat,
};
use serde::{Deserialize, Serialize};

/// Longest head: a path of some depth.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How deep directories may lie in each other.
const DEPTH_MAX: usize = 64;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Kind {
    Directory,
    File { bytes: u64 },
    Link { target: Vec<u8> },
    Pipe,
}

/// One entry. Directories come before what they hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Head {
    /// Names from the top; none for the directory itself.
    path: Vec<Vec<u8>>,
    kind: Kind,
    mode: u32,
    /// Counted from the sandbox's first.
    uid: u32,
    gid: u32,
}

/// Writes all below `dir` into the new file `to`. `first_id` is what the sandbox sees as 0. `room` is how many bytes files may
/// have, and what is left of them afterwards: one with holes takes no memory until its zeros are written out, and one with many
/// names is written as often.
///
/// # Errors
/// Something cannot be read, is of a kind that is not kept (such as a socket), or there is not enough room.
pub(super) fn pack(dir: &Path, first_id: u32, to: &Path, room: &mut u64) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = openat(CWD, dir, flags, Mode::empty())?;
    let writer = BufWriter::new(fs_err::File::create(to)?);
    let mut packer = Packer { first_id, room, path: Vec::new(), writer };
    packer.pack_dir(&dir)?;
    packer.writer.flush()
}

struct Packer<'a, W> {
    first_id: u32,
    room: &'a mut u64,
    /// Where it is.
    path: Vec<Vec<u8>>,
    writer: W,
}

impl<W: Write> Packer<'_, W> {
    fn pack_dir(&mut self, dir: &OwnedFd) -> io::Result<()> {
        if self.path.len() > DEPTH_MAX {
            return Err(io::Error::other("directories lie too deep in each other"));
        }
        for entry in Dir::read_from(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.path.push(name.to_bytes().to_vec());
            self.pack_entry(dir, name)?;
            self.path.pop();
        }
        Ok(())
    }

    fn pack_entry(&mut self, dir: &OwnedFd, name: &CStr) -> io::Result<()> {
        let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let open = |flags| openat(dir, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Kind::Directory,
            FileType::RegularFile => Kind::File { bytes: u64::try_from(stat.st_size).unwrap_or(0) },
            FileType::Symlink => Kind::Link { target: readlinkat(dir, name, Vec::new())?.into_bytes() },
            FileType::Fifo => Kind::Pipe,
            _ => return Err(io::Error::other("a socket or device cannot be kept")),
        };
        let (uid, gid) = (stat.st_uid.wrapping_sub(self.first_id), stat.st_gid.wrapping_sub(self.first_id));
        let head = Head { path: self.path.clone(), kind, mode: stat.st_mode & 0o7777, uid, gid };
        write_head(&head, &mut self.writer)?;
        match head.kind {
            Kind::Directory => self.pack_dir(&open(OFlags::DIRECTORY)?),
            Kind::File { bytes } => {
                let left = self.room.checked_sub(bytes);
                *self.room = left.ok_or_else(|| io::Error::other("files are larger than the function's memory"))?;
                copy_exactly(&mut File::from(open(OFlags::RDONLY)?).take(bytes), &mut self.writer, bytes)
            }
            Kind::Link { .. } | Kind::Pipe => Ok(()),
        }
    }
}

fn write_head(head: &Head, writer: &mut impl Write) -> io::Result<()> {
    let bytes = postcard::to_stdvec(head).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    if bytes.len() > HEAD_BYTES_MAX {
        return Err(io::Error::other("a path is too long"));
    }
    writer.write_all(&length.to_le_bytes())?;
    writer.write_all(&bytes)
}

fn copy_exactly(from: &mut impl Read, to: &mut impl Write, bytes: u64) -> io::Result<()> {
    if io::copy(from, to)? == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Fills the empty directory `dir` from what [`pack`] wrote.
///
/// # Errors
/// The file is not one of `pack`'s, or does not fit.
pub(super) fn unpack(from: &Path, first_id: u32, dir: &Path) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = openat(CWD, dir, flags, Mode::empty())?;
    let mut reader = BufReader::new(fs_err::File::open(from)?);
    let mut length = [0; 4];
    while fill_or_end(&mut reader, &mut length)? {
        let mut bytes = vec![0; (u32::from_le_bytes(length) as usize).min(HEAD_BYTES_MAX)];
        reader.read_exact(&mut bytes)?;
        let head: Head = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
        make(&dir, &head, first_id, &mut reader)?;
    }
    Ok(())
}

/// False at the end of the file.
fn fill_or_end(reader: &mut impl Read, length: &mut [u8; 4]) -> io::Result<bool> {
    match reader.read(length)? {
        0 => Ok(false),
        4 => Ok(true),
        some => reader.read_exact(&mut length[some..]).map(|()| true),
    }
}

fn make(top: &OwnedFd, head: &Head, first_id: u32, content: &mut impl Read) -> io::Result<()> {
    let (name, parents) = head.path.split_last().ok_or(io::ErrorKind::InvalidData)?;
    if head.path.iter().any(|part| part.is_empty() || part.contains(&b'/') || matches!(&part[..], b"." | b"..")) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut dir = top.try_clone()?;
    for parent in parents {
        dir = openat(&dir, parent.as_slice(), flags, Mode::empty())?;
    }
    let name = name.as_slice();
    let private = Mode::from_raw_mode(0o700);
    match &head.kind {
        Kind::Directory => mkdirat(&dir, name, private)?,
        Kind::Pipe => mkfifoat(&dir, name, private)?,
        Kind::Link { target } => symlinkat(target.as_slice(), &dir, name)?,
        Kind::File { bytes } => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let mut file = File::from(openat(&dir, name, flags, private)?);
            copy_exactly(&mut content.take(*bytes), &mut file, *bytes)?;
        }
    }
    own(dir.as_fd(), name, head, first_id)
}

fn own(dir: BorrowedFd<'_>, name: &[u8], head: &Head, first_id: u32) -> io::Result<()> {
    let (uid, gid) = (first_id.wrapping_add(head.uid), first_id.wrapping_add(head.gid));
    chownat(dir, name, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), AtFlags::SYMLINK_NOFOLLOW)?;
    if !matches!(head.kind, Kind::Link { .. }) {
        chmodat(dir, name, Mode::from_raw_mode(head.mode), AtFlags::empty())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_tree_comes_back_as_it_was() {
        let from = tempfile::tempdir().unwrap();
        let own = rustix::process::geteuid().as_raw();
        fs_err::create_dir_all(from.path().join("a/b")).unwrap();
        fs_err::write(from.path().join("a/b/file"), [7; 100_000]).unwrap();
        fs_err::set_permissions(from.path().join("a/b"), std::fs::Permissions::from_mode(0o1750)).unwrap();
        fs_err::os::unix::fs::symlink("/etc/passwd", from.path().join("a/link")).unwrap();
        let (to, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let image = image.path().join("image");
        pack(from.path(), own, &image, &mut 100_000).unwrap();
        unpack(&image, own, to.path()).unwrap();
        assert_eq!(fs_err::read(to.path().join("a/b/file")).unwrap(), [7; 100_000]);
        assert_eq!(fs_err::metadata(to.path().join("a/b")).unwrap().permissions().mode() & 0o7777, 0o1750);
        assert_eq!(fs_err::read_link(to.path().join("a/link")).unwrap(), Path::new("/etc/passwd"));
    }

    #[test]
    fn files_with_holes_or_many_names_do_not_grow_beyond_the_room_for_them() {
        let (from, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let image = image.path().join("image");
        let sparse = from.path().join("sparse");
        fs_err::File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
        pack(from.path(), 0, &image, &mut (1 << 20)).unwrap_err();
        assert!(fs_err::metadata(&image).unwrap().len() < 1 << 20);
        fs_err::write(&sparse, [1; 1000]).unwrap();
        for name in 0..9 {
            fs_err::hard_link(&sparse, from.path().join(name.to_string())).unwrap();
        }
        let mut room = 12_000;
        pack(from.path(), 0, &image, &mut room).unwrap();
        assert_eq!(room, 2000);
        pack(from.path(), 0, &image, &mut room).unwrap_err();
    }

    #[test]
    fn a_cut_file_or_a_way_out_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs_err::create_dir(&from).unwrap();
        fs_err::write(from.join("file"), "content").unwrap();
        let image = dir.path().join("image");
        let own = rustix::process::geteuid().as_raw();
        pack(&from, own, &image, &mut 7).unwrap();
        let whole = fs_err::read(&image).unwrap();
        for length in 1..whole.len() {
            fs_err::write(&image, &whole[..length]).unwrap();
            assert!(unpack(&image, own, tempfile::tempdir().unwrap().path()).is_err(), "{length}");
        }
        for path in [vec![b"..".to_vec(), b"x".to_vec()], vec![b"a/b".to_vec()], vec![Vec::new()], vec![]] {
            let mut bytes = Vec::new();
            write_head(&Head { path, kind: Kind::Directory, mode: 0o700, uid: 0, gid: 0 }, &mut bytes).unwrap();
            fs_err::write(&image, &bytes).unwrap();
            assert!(unpack(&image, own, dir.path()).is_err());
        }
    }
}
