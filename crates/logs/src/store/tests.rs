use hearth_types::AccountId;

use super::*;
use crate::segment::Definition;
use crate::stored_home::StoredHome;
use crate::stream::Event;

fn open(dir: &Path) -> (LogStore, Home) {
    let home: Home = "123456789012/eu-west-1".parse().unwrap();
    (LogStore::open(dir, LogConfig::default(), &home.region).unwrap(), home)
}

#[test]
fn a_function_begins_to_log_while_somebody_waits_for_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (store, home) = open(dir.path());
    let waiting = store.core.lock_journal();
    store.stream(&home, "new", "a").append(1, "first".into());
    store.stream(&home, "new", "b").append(1, "second".into());
    assert!(store.group(&home, "new").is_some());
    drop(waiting);
}

#[test]
fn a_group_that_came_with_its_first_stream_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, home) = open(dir.path());
    store.stream(&home, "new", "without events");
    let before = store.group(&home, "new").unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(open(dir.path()).0.group(&home, "new"), Some(before));
}

#[test]
fn what_comes_into_being_while_its_group_is_deleted_is_not_deleted_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, home) = open(dir.path());
    let early = store.stream(&home, "g", "early");
    early.append(1, "gone".into());
    let below = store.core.write_catalogue().take_uid() + 1;
    store.stream(&home, "g", "late").append(2, "kept".into());
    let buried = store.core.write_catalogue().bury(&home, "g", below, 3);
    assert_eq!(buried.iter().map(|cell| &*cell.name.stream).collect::<Vec<_>>(), ["early"]);
    assert!(store.core.find_stream(&home, "g", "early").is_err());
    assert!(store.core.find_stream(&home, "g", "late").is_ok());
}

/// As a release without Regions wrote it.
fn write_without_regions(dir: &Path, account: &AccountId) {
    let home = || StoredHome::without_region(account.clone());
    let record = GroupRecord { created_ms: 1, retention_days: Some(30), tags: BTreeMap::new() };
    let (group, stream) = ("old".to_owned(), "s".to_owned());
    let buried =
        JournalRecord::DeleteStream { home: home(), group: group.clone(), stream: "gone".to_owned(), below: 9 };
    Journal::rewrite(dir, &[JournalRecord::PutGroup { home: home(), group: group.clone(), record }, buried]).unwrap();
    let mut bytes = Vec::new();
    let mut contents = Vec::new();
    for (uid, stream) in [(7, "gone".to_owned()), (8, stream)] {
        let definition = Definition { uid, home: home(), group: group.clone(), stream, created_ms: 1 };
        segment::encode_definition(&mut bytes, &definition);
        let events = [Event { time_ms: now_ms(), ingested_ms: now_ms(), message: "kept".into() }];
        let span = segment::encode_events(&mut bytes, 0, uid, 0, now_ms(), &events);
        contents.push((definition, span));
    }
    let mut file = fs_err::File::create(segment::path(dir, 1)).unwrap().into_file();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
    segment::seal(&mut file, bytes.len() as u64, &contents).unwrap();
}

#[test]
fn what_names_no_region_belongs_for_ever_to_the_one_it_was_first_opened_with() {
    let dir = tempfile::tempdir().unwrap();
    let ours: Home = "123456789012/eu-west-1".parse().unwrap();
    let theirs = Home::new(ours.account.clone(), "us-east-1".parse().unwrap());
    write_without_regions(dir.path(), &ours.account);
    for configured in [&ours, &ours, &theirs] {
        let store = LogStore::open(dir.path(), LogConfig::default(), &configured.region).unwrap();
        let group = store.group(&ours, "old").unwrap();
        assert_eq!((group.retention_days, group.stored_bytes > 0), (Some(30), true));
        assert!(store.core.find_stream(&ours, "old", "s").is_ok());
        assert!(store.core.find_stream(&ours, "old", "gone").is_err());
        assert!(store.group(&theirs, "old").is_none());
    }
}

#[test]
fn groups_of_one_name_in_two_regions_know_nothing_of_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (store, here) = open(dir.path());
    let there = Home::new(here.account.clone(), "us-east-1".parse().unwrap());
    store.stream(&here, "g", "s").append(1, "here".into());
    store.stream(&there, "g", "s").append(1, "there, and longer".into());
    store.flush().unwrap();
    drop(store);
    let store = open(dir.path()).0;
    let bytes = |home| store.group(home, "g").map(|group| group.stored_bytes);
    assert!(bytes(&here) < bytes(&there));
    store.delete_group(&here, "g").unwrap();
    assert!(bytes(&here).is_none() && bytes(&there).is_some());
    drop(store);
    let store = open(dir.path()).0;
    assert!(store.group(&here, "g").is_none() && store.group(&there, "g").is_some());
}
