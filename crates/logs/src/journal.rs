//! The catalogue's own file: what was said about groups and streams beside their events, one checksummed record each. Read
//! and rewritten at every start; in between records are only added.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hearth_types::AccountId;
use serde::{Deserialize, Serialize};

const NAME: &str = "catalogue";

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
        account: AccountId,
        group: String,
        record: GroupRecord,
    },
    /// Streams of the group with a smaller uid are gone, whatever segments say.
    DeleteGroup {
        account: AccountId,
        group: String,
        below: u64,
    },
    CreateStream {
        account: AccountId,
        group: String,
        stream: String,
        uid: u64,
        created_ms: u64,
    },
    /// Streams of this name with a smaller uid are gone.
    DeleteStream {
        account: AccountId,
        group: String,
        stream: String,
        below: u64,
    },
}

#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// What was written so far, up to the first record that is not whole.
    pub(crate) fn read(dir: &Path) -> io::Result<Vec<JournalRecord>> {
        let bytes = match fs_err::read(dir.join(NAME)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut rest = bytes.as_slice();
        let mut records = Vec::new();
        while let Some((record, next)) = decode(rest) {
            records.push(record);
            rest = next;
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

fn decode(bytes: &[u8]) -> Option<(JournalRecord, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (payload, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    if crc32fast::hash(payload) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some((postcard::from_bytes(payload).ok()?, rest))
}
