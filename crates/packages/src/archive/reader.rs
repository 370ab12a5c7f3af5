//! An archive on disk, read at any place by any number of readers.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// What is read at once of the many small headers; more would be read in vain for archives of small files.
const BUFFER_BYTES: usize = 8 * 1024;

/// Reads a file that nobody writes to. A clone has a place of its own and shares the file.
#[derive(Debug)]
pub struct FileReader {
    file: Arc<File>,
    place: u64,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    buffered_at: u64,
}

impl FileReader {
    pub fn new(file: File) -> Self {
        Self { file: Arc::new(file), place: 0, buffer: Vec::new(), buffered_at: 0 }
    }

    /// What is buffered from the place on.
    fn buffered(&self) -> &[u8] {
        let skip = self.place.checked_sub(self.buffered_at).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.buffer.get(skip..)).unwrap_or_default()
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.resize(BUFFER_BYTES, 0);
        let count = self.file.read_at(&mut self.buffer, self.place)?;
        self.buffer.truncate(count);
        self.buffered_at = self.place;
        Ok(())
    }
}

impl Clone for FileReader {
    fn clone(&self) -> Self {
        Self { file: Arc::clone(&self.file), place: self.place, buffer: Vec::new(), buffered_at: 0 }
    }
}

impl Read for FileReader {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = if self.buffered().is_empty() && target.len() >= BUFFER_BYTES {
            self.file.read_at(target, self.place)?
        } else {
            if self.buffered().is_empty() {
                self.fill()?;
            }
            let source = self.buffered();
            let count = source.len().min(target.len());
            target[..count].copy_from_slice(&source[..count]);
            count
        };
        self.place += count as u64;
        Ok(count)
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(place) => (place, 0),
            SeekFrom::Current(offset) => (self.place, offset),
            SeekFrom::End(offset) => (self.file.metadata()?.len(), offset),
        };
        self.place = base.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn reads_the_same_bytes_as_the_file_from_every_place() {
        let content: Vec<u8> = (0..3 * BUFFER_BYTES + 7).map(|number| (number % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let mut reader = FileReader::new(file);
        for (place, length) in [(0, 1), (1, 100), (8190, 5), (5, 20_000), (24_576, 7), (24_580, 3), (0, content.len())]
        {
            reader.seek(SeekFrom::Start(place as u64)).unwrap();
            let mut read = vec![0; length];
            reader.read_exact(&mut read).unwrap();
            assert_eq!(read, content[place..place + length]);
            let mut rest = Vec::new();
            reader.clone().read_to_end(&mut rest).unwrap();
            assert_eq!(rest, content[place + length..]);
        }
        assert_eq!(reader.seek(SeekFrom::End(-7)).unwrap(), content.len() as u64 - 7);
        assert_eq!(reader.seek(SeekFrom::Current(-1)).unwrap(), content.len() as u64 - 8);
        assert!(reader.seek(SeekFrom::End(i64::MIN)).is_err());
        reader.seek(SeekFrom::Start(1 << 40)).unwrap();
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
    }
}
