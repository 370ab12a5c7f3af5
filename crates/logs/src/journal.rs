//! The catalogue's own file: what was said about groups and streams beside their events, one checksummed record each. Read
//! and rewritten at every start; in between records are only added.
//!
//! A record that is damaged, or of a kind that another release wrote, costs nothing but itself: reading goes on with the next whole
//! one, and the file as it was found is kept beside the new one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hearth_types::Region;
use serde::{Deserialize, Serialize};

use crate::stored_home::StoredHome;

const NAME: &str = "catalogue";
/// The last one in which something could not be read.
const DAMAGED: &str = "catalogue.damaged";
const HEADER_BYTES: usize = 8;
/// Longer than any record: what claims more is damaged.
const RECORD_BYTES_MAX: usize = 64 * 1024;

/// A group as far as it is not counted from events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    pub created_ms: u64,
    pub retention_days: Option<u32>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum JournalRecord {
    PutGroup {
        home: StoredHome,
        group: String,
        record: GroupRecord,
    },
    /// Streams of the group with a smaller uid are gone, whatever segments say.
    DeleteGroup {
        home: StoredHome,
        group: String,
        below: u64,
    },
    CreateStream {
        home: StoredHome,
        group: String,
        stream: String,
        uid: u64,
        created_ms: u64,
    },
    /// Streams of this name with a smaller uid are gone.
    DeleteStream {
        home: StoredHome,
        group: String,
        stream: String,
        below: u64,
    },
    /// Whatever names no Region, here and in segments, belongs to this one: it was configured when there came to be Regions.
    Regionless {
        region: Region,
    },
}

#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// What was written so far, but for what cannot be read.
    pub(crate) fn read(dir: &Path) -> io::Result<Vec<JournalRecord>> {
        let path = dir.join(NAME);
        let bytes = match fs_err::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let (records, lost) = decode_all(&bytes);
        if lost > 0 {
            fs_err::copy(&path, dir.join(DAMAGED))?;
            tracing::error!(
                places = lost,
                kept = DAMAGED,
                "the catalogue of function logs is damaged; the rest of it is used"
            );
        }
        Ok(records)
    }

    /// Starts a new journal with these records in place of the old one.
    pub(crate) fn rewrite(dir: &Path, records: &[JournalRecord]) -> io::Result<Self> {
        let temporary: PathBuf = dir.join("catalogue.new");
        let mut file = fs_err::File::create(&temporary)?;
        let bytes: Vec<u8> = records.iter().flat_map(encode).collect();
        file.write_all(&bytes)?;
        file.sync_all()?;
        let path = dir.join(NAME);
        fs_err::rename(&temporary, &path)?;
        fs_err::File::open(dir)?.sync_all()?;
        let file = fs_err::OpenOptions::new().append(true).open(path)?.into_file();
        Ok(Self { file })
    }

    /// On disk when this returns.
    pub(crate) fn append_durably(&mut self, record: &JournalRecord) -> io::Result<()> {
        self.append(record)?;
        self.file.sync_data()
    }

    /// On disk some time later.
    pub(crate) fn append(&mut self, record: &JournalRecord) -> io::Result<()> {
        let end = self.file.metadata()?.len();
        self.file.write_all(&encode(record)).inspect_err(|_| {
            // A half-written record would hide those after it.
            if let Err(error) = self.file.set_len(end) {
                tracing::error!(%error, "cannot cut the log catalogue");
            }
        })
    }
}

fn encode(record: &JournalRecord) -> Vec<u8> {
    let payload = postcard::to_stdvec(record).expect("plain data");
    let len = u32::try_from(payload.len()).expect("names and tags are short");
    let mut bytes = Vec::with_capacity(payload.len() + 8);
    bytes.extend(len.to_le_bytes());
    bytes.extend(crc32fast::hash(&payload).to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// The records, and at how many places something in between could not be read. What is cut short at the end is none of them: that is
/// how a record looks whose writer died.
fn decode_all(bytes: &[u8]) -> (Vec<JournalRecord>, usize) {
    let (mut records, mut lost, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        if let Some((payload, next)) = whole(bytes, at) {
            match postcard::from_bytes(payload) {
                Ok(record) => records.push(record),
                Err(_) => lost += 1,
            }
            at = next;
            continue;
        }
        // By its own length first: what somebody wrote into a record is not taken for one.
        let behind = length(bytes, at).map(|len| at + HEADER_BYTES + len).filter(|next| whole(bytes, *next).is_some());
        let Some(next) = behind.or_else(|| (at + 1..bytes.len()).find(|next| whole(bytes, *next).is_some())) else {
            break;
        };
        (lost, at) = (lost + 1, next);
    }
    (records, lost)
}

/// How long the payload claims to be.
fn length(bytes: &[u8], at: usize) -> Option<usize> {
    let len = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*len) as usize).filter(|len| (1..=RECORD_BYTES_MAX).contains(len))
}

/// The payload of the record at this place, if it is as it was written, and where the next one begins.
fn whole(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let len = length(bytes, at)?;
    let crc = bytes.get(at + 4..)?.first_chunk::<4>()?;
    let next = at + HEADER_BYTES + len;
    let payload = bytes.get(at + HEADER_BYTES..next)?;
    (crc32fast::hash(payload) == u32::from_le_bytes(*crc)).then_some((payload, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64) -> JournalRecord {
        JournalRecord::DeleteGroup {
            home: StoredHome::without_region("123456789012".parse().unwrap()),
            group: format!("g{number}"),
            below: number,
        }
    }

    fn bytes() -> (Vec<u8>, usize) {
        let each: Vec<Vec<u8>> = (0..5).map(|number| encode(&record(number))).collect();
        (each.concat(), each[0].len())
    }

    #[test]
    fn damage_costs_one_record_wherever_it_is() {
        let (original, each) = bytes();
        for at in 0..original.len() {
            for flip in [1u8, 0x80, 0xff] {
                let mut bytes = original.clone();
                bytes[at] ^= flip;
                let (found, lost) = decode_all(&bytes);
                let expected: Vec<JournalRecord> = (0..5u64).filter(|n| *n != (at / each) as u64).map(record).collect();
                assert_eq!(found, expected, "byte {at}");
                assert_eq!(lost, usize::from(at / each != 4), "nothing follows the last one");
            }
        }
    }

    #[test]
    fn bytes_that_are_missing_or_too_many_cost_one_record() {
        let (original, each) = bytes();
        for at in each..2 * each {
            let mut less = original.clone();
            less.remove(at);
            let mut more = original.clone();
            more.insert(at, 7);
            for bytes in [less, more] {
                let (found, lost) = decode_all(&bytes);
                assert!(found.len() >= 4 && found.ends_with(&[2, 3, 4].map(record)), "byte {at}: {found:?}");
                assert_eq!(lost, 1);
            }
        }
    }

    #[test]
    fn a_kind_of_another_release_is_passed_over() {
        let payload = [99, 1, 2, 3];
        let mut bytes = encode(&record(1));
        bytes.extend(4u32.to_le_bytes());
        bytes.extend(crc32fast::hash(&payload).to_le_bytes());
        bytes.extend(payload);
        bytes.extend(encode(&record(2)));
        assert_eq!(decode_all(&bytes), (vec![record(1), record(2)], 1));
    }

    #[test]
    fn a_torn_end_is_no_damage() {
        let (original, each) = bytes();
        for end in 4 * each..original.len() {
            assert_eq!(decode_all(&original[..end]), ((0..4).map(record).collect(), 0));
        }
    }

    #[test]
    fn what_stands_in_a_damaged_record_is_not_taken_for_one() {
        let inner = encode(&record(666));
        let mut payload = postcard::to_stdvec(&record(1)).unwrap();
        payload.extend(&inner);
        let mut bytes = u32::try_from(payload.len()).unwrap().to_le_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes.extend(encode(&record(2)));
        assert_eq!(decode_all(&bytes), (vec![record(2)], 1));
    }
}
