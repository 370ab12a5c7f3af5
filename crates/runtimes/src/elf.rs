//! The little of an ELF file that says which shared objects it needs. 64-bit, little-endian.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
const PROGRAM_HEADER_LEN: usize = 56;
/// More than any linker writes; bounds what is read.
const DYNAMIC_LEN_MAX: u64 = 1 << 20;
const NAME_LEN_MAX: usize = 4096;

/// What the dynamic linker would look for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Elf {
    pub(crate) machine: u16,
    /// The dynamic linker itself.
    pub(crate) interpreter: Option<String>,
    pub(crate) needed: Vec<String>,
    /// Directories to search first; may begin with `$ORIGIN`.
    pub(crate) search: Vec<String>,
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    len: u64,
}

impl Elf {
    /// `None` if the file is not a 64-bit little-endian ELF file or is cut short.
    pub(crate) fn read(path: &Path) -> io::Result<Option<Self>> {
        let file: File = fs_err::File::open(path)?.into_parts().0;
        let mut header = [0; 64];
        match file.read_exact_at(&mut header, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        if header[..6] != *b"\x7fELF\x02\x01" {
            return Ok(None);
        }
        match Self::parse(&file, &header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            other => other.map(Some),
        }
    }

    fn parse(file: &File, header: &[u8; 64]) -> io::Result<Self> {
        let mut elf = Self { machine: u16_at(header, 18), ..Self::default() };
        let segments = segments(file, header)?;
        for segment in &segments {
            match segment.kind {
                PT_INTERP => elf.interpreter = Some(string(file, segment.offset)?),
                PT_DYNAMIC => elf.read_dynamic(file, segment, &segments)?,
                _ => {}
            }
        }
        Ok(elf)
    }

    fn read_dynamic(&mut self, file: &File, dynamic: &Segment, segments: &[Segment]) -> io::Result<()> {
        let bytes = read(file, dynamic.offset, dynamic.len.min(DYNAMIC_LEN_MAX))?;
        let entries: Vec<(u64, u64)> =
            bytes.chunks_exact(16).map(|entry| (u64_at(entry, 0), u64_at(entry, 8))).collect();
        let Some(&(_, address)) = entries.iter().find(|(tag, _)| *tag == DT_STRTAB) else { return Ok(()) };
        let holds = |s: &&Segment| s.kind == PT_LOAD && address.checked_sub(s.address).is_some_and(|at| at < s.len);
        let Some(load) = segments.iter().find(holds) else { return Ok(()) };
        let strings = load.offset.wrapping_add(address - load.address);
        for (tag, value) in entries {
            let at = strings.wrapping_add(value);
            match tag {
                DT_NEEDED => self.needed.push(string(file, at)?),
                DT_RPATH | DT_RUNPATH => self.search.extend(string(file, at)?.split(':').map(str::to_owned)),
                _ => {}
            }
        }
        Ok(())
    }
}

fn segments(file: &File, header: &[u8; 64]) -> io::Result<Vec<Segment>> {
    let count = u64::from(u16_at(header, 56));
    let table = read(file, u64_at(header, 32), count * PROGRAM_HEADER_LEN as u64)?;
    let segment = |bytes: &[u8]| Segment {
        kind: u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        offset: u64_at(bytes, 8),
        address: u64_at(bytes, 16),
        len: u64_at(bytes, 32),
    };
    Ok(table.chunks_exact(PROGRAM_HEADER_LEN).map(segment).collect())
}

fn read(file: &File, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// The zero-terminated string at `offset`.
fn string(file: &File, offset: u64) -> io::Result<String> {
    let mut bytes = vec![0; NAME_LEN_MAX];
    let len = file.read_at(&mut bytes, offset)?;
    let end = bytes[..len].iter().position(|byte| *byte == 0).ok_or(io::ErrorKind::UnexpectedEof)?;
    bytes.truncate(end);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_names_its_linker_and_the_c_library() {
        let elf = Elf::read(&std::env::current_exe().unwrap()).unwrap().unwrap();
        assert!(elf.interpreter.unwrap().contains("ld-"));
        assert!(elf.needed.iter().any(|name| name.starts_with("libc.so")));
    }

    #[test]
    fn other_files_and_every_prefix_of_a_program_are_taken_without_panic() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let program = std::fs::read("/bin/true").unwrap();
        for len in (0..1024.min(program.len())).chain([program.len() / 2]) {
            std::fs::write(&path, &program[..len]).unwrap();
            Elf::read(&path).unwrap();
        }
        std::fs::write(&path, vec![b'x'; 4096]).unwrap();
        assert_eq!(Elf::read(&path).unwrap(), None);
    }

    #[test]
    fn hostile_offsets_are_taken_without_panic() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let program = std::fs::read("/bin/true").unwrap();
        for at in 16..1000.min(program.len()) {
            let mut broken = program.clone();
            broken[at] ^= 0xff;
            std::fs::write(&path, &broken).unwrap();
            let _outcome = Elf::read(&path);
        }
    }
}
