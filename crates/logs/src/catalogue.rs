//! Which groups and streams there are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hearth_types::AccountId;

use crate::journal::{GroupRecord, JournalRecord};
use crate::segment::{Contents, Definition};
use crate::stream::{Part, StreamCell, StreamName};

#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    pub accounts: BTreeMap<AccountId, BTreeMap<String, GroupEntry>>,
    pub next_uid: u64,
}

#[derive(Debug)]
pub(crate) struct GroupEntry {
    pub record: GroupRecord,
    pub streams: BTreeMap<String, Arc<StreamCell>>,
}

impl GroupEntry {
    pub(crate) fn new(created_ms: u64) -> Self {
        let record = GroupRecord { created_ms, retention_days: None, tags: BTreeMap::new() };
        Self { record, streams: BTreeMap::new() }
    }
}

impl Catalogue {
    pub(crate) fn group(&self, account: &AccountId, group: &str) -> Option<&GroupEntry> {
        self.accounts.get(account)?.get(group)
    }

    pub(crate) fn group_mut(&mut self, account: &AccountId, group: &str) -> Option<&mut GroupEntry> {
        self.accounts.get_mut(account)?.get_mut(group)
    }

    pub(crate) fn stream(&self, account: &AccountId, group: &str, stream: &str) -> Option<&Arc<StreamCell>> {
        self.group(account, group)?.streams.get(stream)
    }

    pub(crate) fn take_uid(&mut self) -> u64 {
        self.next_uid += 1;
        self.next_uid
    }

    /// The group, made if it is not there.
    pub(crate) fn ensure_group(&mut self, account: &AccountId, group: &str, created_ms: u64) -> &mut GroupEntry {
        let groups = self.accounts.entry(account.clone()).or_default();
        groups.entry(group.to_owned()).or_insert_with(|| GroupEntry::new(created_ms))
    }

    /// What is said about a group, which is made if it is not there.
    pub(crate) fn put_group(&mut self, account: &AccountId, group: &str, record: GroupRecord) {
        let entry = self.ensure_group(account, group, record.created_ms);
        entry.record = record;
    }

    pub(crate) fn remove_group(&mut self, account: &AccountId, group: &str) -> Option<GroupEntry> {
        self.accounts.get_mut(account)?.remove(group)
    }

    /// Removes the group's streams below this number, and with the last of them the group. One that came into being since is not
    /// what was deleted, and neither is its group.
    pub(crate) fn bury(&mut self, account: &AccountId, group: &str, below: u64, now_ms: u64) -> Vec<Arc<StreamCell>> {
        let Some(entry) = self.remove_group(account, group) else { return Vec::new() };
        let (buried, anew): (Vec<_>, Vec<_>) = entry.streams.into_values().partition(|cell| cell.uid < below);
        for cell in anew {
            self.ensure_group(account, group, now_ms);
            self.insert_stream(&cell);
        }
        buried
    }

    pub(crate) fn insert_stream(&mut self, cell: &Arc<StreamCell>) {
        let StreamName { account, group, stream } = &cell.name;
        self.ensure_group(account, group, cell.created_ms).streams.insert(stream.clone(), Arc::clone(cell));
    }
}

/// Builds the catalogue from journal and segments at start.
#[derive(Debug, Default)]
pub(crate) struct Restoration {
    catalogue: Catalogue,
    buried_groups: HashMap<(AccountId, String), Grave>,
    buried_streams: HashMap<StreamName, Grave>,
}

/// Streams below this uid are gone.
#[derive(Clone, Copy, Debug, Default)]
struct Grave {
    below: u64,
    /// Some segment still has events of such a stream.
    is_needed: bool,
}

impl Restoration {
    pub(crate) fn apply(&mut self, record: JournalRecord) {
        match record {
            JournalRecord::PutGroup { account, group, record } => {
                self.catalogue.put_group(&account, &group, record);
            }
            JournalRecord::DeleteGroup { account, group, below } => {
                self.catalogue.remove_group(&account, &group);
                self.see(below);
                self.buried_groups.insert((account, group), Grave { below, is_needed: false });
            }
            JournalRecord::CreateStream { account, group, stream, uid, created_ms } => {
                self.see(uid);
                let name = StreamName { account, group, stream };
                self.catalogue.insert_stream(&Arc::new(StreamCell::new(uid, name, created_ms, true)));
            }
            JournalRecord::DeleteStream { account, group, stream, below } => {
                self.see(below);
                if let Some(entry) = self.catalogue.group_mut(&account, &group) {
                    entry.streams.remove(&stream);
                }
                self.buried_streams.insert(StreamName { account, group, stream }, Grave { below, is_needed: false });
            }
        }
    }

    fn see(&mut self, uid: u64) {
        self.catalogue.next_uid = self.catalogue.next_uid.max(uid);
    }

    /// Segments come oldest first. Returns the streams that live in this one.
    pub(crate) fn add_segment(&mut self, segment: u64, contents: Contents) -> Vec<Arc<StreamCell>> {
        let mut cells = Vec::with_capacity(contents.len());
        for (definition, span) in contents {
            self.see(definition.uid);
            let Some(cell) = self.living(&definition) else { continue };
            let mut state = cell.lock();
            state.parts.push(Part { segment, span });
            state.next_sequence = state.next_sequence.max(span.end_sequence());
            state.last_ingested_ms = state.last_ingested_ms.max(span.ingested_max);
            drop(state);
            cells.push(cell);
        }
        cells
    }

    fn living(&mut self, definition: &Definition) -> Option<Arc<StreamCell>> {
        let name = definition.name();
        let group_grave = self.buried_groups.get_mut(&(name.account.clone(), name.group.clone()));
        let stream_grave = self.buried_streams.get_mut(&name);
        for grave in group_grave.into_iter().chain(stream_grave) {
            if definition.uid < grave.below {
                grave.is_needed = true;
                return None;
            }
        }
        match self.catalogue.stream(&name.account, &name.group, &name.stream) {
            Some(cell) if cell.uid == definition.uid => Some(Arc::clone(cell)),
            Some(cell) if cell.uid > definition.uid => None,
            _ => {
                let cell = Arc::new(StreamCell::new(definition.uid, name, definition.created_ms, false));
                self.catalogue.insert_stream(&cell);
                Some(cell)
            }
        }
    }

    /// The catalogue, and the journal that says as much in the fewest records.
    pub(crate) fn finish(self) -> (Catalogue, Vec<JournalRecord>) {
        let mut records = Vec::new();
        for ((account, group), grave) in self.buried_groups {
            if grave.is_needed {
                records.push(JournalRecord::DeleteGroup { account, group, below: grave.below });
            }
        }
        for (StreamName { account, group, stream }, grave) in self.buried_streams {
            if grave.is_needed {
                records.push(JournalRecord::DeleteStream { account, group, stream, below: grave.below });
            }
        }
        for (account, groups) in &self.catalogue.accounts {
            for (group, entry) in groups {
                let (account, group, record) = (account.clone(), group.clone(), entry.record.clone());
                records.push(JournalRecord::PutGroup { account, group, record });
                records.extend(entry.streams.values().filter(|cell| cell.is_explicit).map(|cell| created(cell)));
            }
        }
        (self.catalogue, records)
    }
}

pub(crate) fn created(cell: &StreamCell) -> JournalRecord {
    let StreamName { account, group, stream } = cell.name.clone();
    JournalRecord::CreateStream { account, group, stream, uid: cell.uid, created_ms: cell.created_ms }
}
