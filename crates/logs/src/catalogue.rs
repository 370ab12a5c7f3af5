//! Which groups and streams there are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hearth_types::{Home, Region};

use crate::journal::{GroupRecord, JournalRecord};
use crate::segment::{Contents, Definition};
use crate::stream::{Part, StreamCell, StreamName};

#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    pub homes: BTreeMap<Home, BTreeMap<String, GroupEntry>>,
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
    pub(crate) fn group(&self, home: &Home, group: &str) -> Option<&GroupEntry> {
        self.homes.get(home)?.get(group)
    }

    pub(crate) fn group_mut(&mut self, home: &Home, group: &str) -> Option<&mut GroupEntry> {
        self.homes.get_mut(home)?.get_mut(group)
    }

    pub(crate) fn stream(&self, home: &Home, group: &str, stream: &str) -> Option<&Arc<StreamCell>> {
        self.group(home, group)?.streams.get(stream)
    }

    pub(crate) fn take_uid(&mut self) -> u64 {
        self.next_uid += 1;
        self.next_uid
    }

    /// The group, made if it is not there.
    pub(crate) fn ensure_group(&mut self, home: &Home, group: &str, created_ms: u64) -> &mut GroupEntry {
        let groups = self.homes.entry(home.clone()).or_default();
        groups.entry(group.to_owned()).or_insert_with(|| GroupEntry::new(created_ms))
    }

    /// What is said about a group, which is made if it is not there.
    pub(crate) fn put_group(&mut self, home: &Home, group: &str, record: GroupRecord) {
        let entry = self.ensure_group(home, group, record.created_ms);
        entry.record = record;
    }

    pub(crate) fn remove_group(&mut self, home: &Home, group: &str) -> Option<GroupEntry> {
        self.homes.get_mut(home)?.remove(group)
    }

    /// Removes the group's streams below this number, and with the last of them the group. One that came into being since is not
    /// what was deleted, and neither is its group.
    pub(crate) fn bury(&mut self, home: &Home, group: &str, below: u64, now_ms: u64) -> Vec<Arc<StreamCell>> {
        let Some(entry) = self.remove_group(home, group) else { return Vec::new() };
        let (buried, anew): (Vec<_>, Vec<_>) = entry.streams.into_values().partition(|cell| cell.uid < below);
        for cell in anew {
            self.ensure_group(home, group, now_ms);
            self.insert_stream(&cell);
        }
        buried
    }

    pub(crate) fn insert_stream(&mut self, cell: &Arc<StreamCell>) {
        let StreamName { home, group, stream } = &cell.name;
        self.ensure_group(home, group, cell.created_ms).streams.insert(stream.clone(), Arc::clone(cell));
    }
}

/// Builds the catalogue from journal and segments at start.
#[derive(Debug)]
pub(crate) struct Restoration {
    /// Where whatever names no Region belongs.
    regionless: Region,
    catalogue: Catalogue,
    buried_groups: HashMap<(Home, String), Grave>,
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
    /// `region`: where whatever names no Region belongs, if the journal does not say.
    pub(crate) fn new(region: Region) -> Self {
        let (catalogue, buried_groups, buried_streams) = Default::default();
        Self { regionless: region, catalogue, buried_groups, buried_streams }
    }

    pub(crate) fn apply(&mut self, record: JournalRecord) {
        match record {
            JournalRecord::Regionless { region } => self.regionless = region,
            JournalRecord::PutGroup { home, group, record } => {
                let home = home.or_in(&self.regionless);
                self.catalogue.put_group(&home, &group, record);
            }
            JournalRecord::DeleteGroup { home, group, below } => {
                let home = home.or_in(&self.regionless);
                self.catalogue.remove_group(&home, &group);
                self.see(below);
                self.buried_groups.insert((home, group), Grave { below, is_needed: false });
            }
            JournalRecord::CreateStream { home, group, stream, uid, created_ms } => {
                self.see(uid);
                let name = StreamName { home: home.or_in(&self.regionless), group, stream };
                self.catalogue.insert_stream(&Arc::new(StreamCell::new(uid, name, created_ms, true)));
            }
            JournalRecord::DeleteStream { home, group, stream, below } => {
                let home = home.or_in(&self.regionless);
                self.see(below);
                if let Some(entry) = self.catalogue.group_mut(&home, &group) {
                    entry.streams.remove(&stream);
                }
                self.buried_streams.insert(StreamName { home, group, stream }, Grave { below, is_needed: false });
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
        let name = definition.name(&self.regionless);
        let group_grave = self.buried_groups.get_mut(&(name.home.clone(), name.group.clone()));
        let stream_grave = self.buried_streams.get_mut(&name);
        for grave in group_grave.into_iter().chain(stream_grave) {
            if definition.uid < grave.below {
                grave.is_needed = true;
                return None;
            }
        }
        match self.catalogue.stream(&name.home, &name.group, &name.stream) {
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
        let mut records = vec![JournalRecord::Regionless { region: self.regionless }];
        for ((home, group), grave) in self.buried_groups {
            if grave.is_needed {
                records.push(JournalRecord::DeleteGroup { home: (&home).into(), group, below: grave.below });
            }
        }
        for (StreamName { home, group, stream }, grave) in self.buried_streams {
            if grave.is_needed {
                records.push(JournalRecord::DeleteStream { home: (&home).into(), group, stream, below: grave.below });
            }
        }
        for (home, groups) in &self.catalogue.homes {
            for (group, entry) in groups {
                let (home, group, record) = (home.into(), group.clone(), entry.record.clone());
                records.push(JournalRecord::PutGroup { home, group, record });
                records.extend(entry.streams.values().filter(|cell| cell.is_explicit).map(|cell| created(cell)));
            }
        }
        (self.catalogue, records)
    }
}

pub(crate) fn created(cell: &StreamCell) -> JournalRecord {
    let StreamName { home, group, stream } = cell.name.clone();
    JournalRecord::CreateStream { home: (&home).into(), group, stream, uid: cell.uid, created_ms: cell.created_ms }
}
