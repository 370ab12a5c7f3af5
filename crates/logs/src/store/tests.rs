use super::*;

fn open(dir: &Path) -> (LogStore, AccountId) {
    (LogStore::open(dir, LogConfig::default()).unwrap(), "123456789012".parse().unwrap())
}

#[test]
fn a_function_begins_to_log_while_somebody_waits_for_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (store, account) = open(dir.path());
    let waiting = store.core.lock_journal();
    store.stream(&account, "new", "a").append(1, "first".into());
    store.stream(&account, "new", "b").append(1, "second".into());
    assert!(store.group(&account, "new").is_some());
    drop(waiting);
}

#[test]
fn a_group_that_came_with_its_first_stream_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, account) = open(dir.path());
    store.stream(&account, "new", "without events");
    let before = store.group(&account, "new").unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(open(dir.path()).0.group(&account, "new"), Some(before));
}

#[test]
fn what_comes_into_being_while_its_group_is_deleted_is_not_deleted_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, account) = open(dir.path());
    let early = store.stream(&account, "g", "early");
    early.append(1, "gone".into());
    let below = store.core.write_catalogue().take_uid() + 1;
    store.stream(&account, "g", "late").append(2, "kept".into());
    let buried = store.core.write_catalogue().bury(&account, "g", below, 3);
    assert_eq!(buried.iter().map(|cell| &*cell.name.stream).collect::<Vec<_>>(), ["early"]);
    assert!(store.core.find_stream(&account, "g", "early").is_err());
    assert!(store.core.find_stream(&account, "g", "late").is_ok());
}
