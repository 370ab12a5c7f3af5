//! A bucket that is a directory. Keys are the words of whoever deploys: nothing outside of it is ever opened.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use hearth_engine::port::{ObjectError, ObjectName, ObjectStream};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::{NO_SUCH_BUCKET, NO_SUCH_KEY, refused, unavailable};

const PIECE_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// Whether each directory in it is a bucket.
    pub(super) holds_buckets: bool,
}

/// A file that is being read, as it was when it was opened.
struct Object {
    file: File,
    opened: Metadata,
}

impl Directory {
    pub(super) fn read(&self, object: ObjectName) -> ObjectStream {
        let path = self.path.clone();
        let bucket = self.holds_buckets.then(|| object.bucket.clone());
        let open = async move { blocking(move || open(path, bucket.as_deref(), &object)).await };
        stream::once(open)
            .flat_map(|opened| match opened {
                Ok(object) => stream::try_unfold(object, |object| blocking(move || object.next())).boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .boxed()
    }
}

impl Object {
    fn next(mut self) -> Result<Option<(Bytes, Self)>, ObjectError> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let read = (&mut self.file).take(PIECE_BYTES as u64).read_to_end(&mut piece);
        read.map_err(|error| unavailable("InternalError", format!("The file cannot be read: {error}")))?;
        if !piece.is_empty() {
            return Ok(Some((piece.into(), self)));
        }
        let now = self.file.metadata();
        let state = |metadata: &Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
        match now {
            Ok(now) if state(&now) == state(&self.opened) => Ok(None),
            _ => Err(unavailable("OperationAborted", "The file was changed while it was read. Please try again.")),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ObjectError> + Send + 'static,
) -> Result<T, ObjectError> {
    let done = hearth_tasks::blocking("read a bucket", work).await;
    done.unwrap_or_else(|_panicked| {
        Err(unavailable("InternalError", "We encountered an internal error. Please try again."))
    })
}

fn open(path: PathBuf, bucket: Option<&str>, object: &ObjectName) -> Result<Object, ObjectError> {
    let no_key = || refused("NoSuchKey", NO_SUCH_KEY);
    let no_bucket = || refused("NoSuchBucket", NO_SUCH_BUCKET);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut top = rustix::fs::openat(CWD, &path, flags, Mode::empty()).map_err(|error| told(error, no_bucket()))?;
    if let Some(name) = bucket {
        if !is_plain(name) || name.contains('/') {
            return Err(no_bucket());
        }
        top = open_beneath(&top, name, flags).map_err(|error| told(error, no_bucket()))?;
    }
    // The only version of an object in a bucket without versions.
    if object.version.as_ref().is_some_and(|version| version != "null") {
        return Err(refused("NoSuchVersion", "The specified version does not exist."));
    }
    if !is_plain(&object.key) {
        return Err(no_key());
    }
    // Not blocking: whatever it is that is no file must not be waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(open_beneath(&top, &object.key, flags).map_err(|error| told(error, no_key()))?);
    match file.metadata() {
        Ok(opened) if opened.is_file() => Ok(Object { file, opened }),
        _ => Err(no_key()),
    }
}

/// Whether a path means what S3 takes it for: letters, of which no part is another way to say the same path.
fn is_plain(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn open_beneath(top: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(top, path, flags, Mode::empty(), resolve)
}

fn told(error: Errno, absent: ObjectError) -> ObjectError {
    match error {
        Errno::ACCESS | Errno::PERM => refused("AccessDenied", "Access Denied"),
        Errno::NOENT | Errno::NOTDIR | Errno::ISDIR | Errno::LOOP | Errno::XDEV | Errno::NAMETOOLONG => absent,
        Errno::NXIO | Errno::NODEV | Errno::ILSEQ | Errno::INVAL => absent,
        other => unavailable("InternalError", format!("The file cannot be opened: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    async fn read(
        path: &std::path::Path,
        holds_buckets: bool,
        key: &str,
        version: Option<&str>,
    ) -> Result<Vec<u8>, String> {
        let directory = Directory { path: path.to_owned(), holds_buckets };
        let version = version.map(str::to_owned);
        let mut pieces = directory.read(ObjectName { bucket: "bucket".to_owned(), key: key.to_owned(), version });
        let mut all = Vec::new();
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => all.extend_from_slice(&piece),
                Err(ObjectError::Refused { code, .. } | ObjectError::Unavailable { code, .. }) => return Err(code),
            }
        }
        Ok(all)
    }

    #[tokio::test]
    async fn a_key_names_a_file_of_the_bucket_or_nothing() {
        let place = tempfile::tempdir().unwrap();
        let bucket = place.path().join("bucket");
        fs_err::create_dir_all(bucket.join("a/b")).unwrap();
        fs_err::write(place.path().join("secret"), "secret").unwrap();
        fs_err::write(bucket.join("a/b/ü +%.zip"), vec![7; PIECE_BYTES + 1]).unwrap();
        fs_err::write(bucket.join("..."), "dots").unwrap();
        symlink("../secret", bucket.join("link")).unwrap();
        symlink("a", bucket.join("inner")).unwrap();
        symlink(place.path(), bucket.join("out")).unwrap();
        symlink("b/ü +%.zip", bucket.join("a/same")).unwrap();
        rustix::fs::mknodat(CWD, bucket.join("pipe"), rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        for (path, holds) in [(&*bucket, false), (place.path(), true)] {
            assert_eq!(read(path, holds, "a/b/ü +%.zip", None).await, Ok(vec![7; PIECE_BYTES + 1]));
            assert_eq!(read(path, holds, "...", Some("null")).await, Ok(b"dots".to_vec()));
            assert_eq!(read(path, holds, "...", Some("v1")).await, Err("NoSuchVersion".to_owned()));
            let long = "a/".repeat(600);
            for key in [
                "../secret",
                "/etc/passwd",
                "a/../../secret",
                "a/../...",
                "./...",
                "a//b",
                "/...",
                "a",
                "a/",
                "link",
                "inner/b",
                "out/secret",
                "a/same",
                "pipe",
                ".",
                "..",
                "a\0",
                "missing",
                ".../x",
                &long,
                "/proc/self/root/etc/passwd",
            ] {
                assert_eq!(read(path, holds, key, None).await, Err("NoSuchKey".to_owned()), "{key:?}");
            }
        }
        assert_eq!(read(&place.path().join("none"), false, "a", None).await, Err("NoSuchBucket".to_owned()));
        assert_eq!(read(&bucket, true, "a", None).await, Err("NoSuchBucket".to_owned()));
    }
}
