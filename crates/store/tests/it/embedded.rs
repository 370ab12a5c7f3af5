//! The embedded engine: the conformance suite, and what is its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hearth_store::api::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use hearth_store::{CommitError, Embedded, OpenError, Revision, Store, Write};

use crate::conformance;

macro_rules! conforms {
    ($($test:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $test() {
            let dir = tempfile::tempdir().unwrap();
            let store = Embedded::open(dir.path()).unwrap();
            conformance::$test(&store).await;
        }
    )*};
}

conforms! {
    a_put_is_read_back,
    keys_may_be_any_text,
    an_absent_precondition_lets_one_of_two_win,
    a_revision_precondition_detects_every_change,
    a_prefix_precondition_sees_only_its_prefix,
    a_failed_precondition_writes_nothing_and_is_named,
    revisions_increase_and_an_empty_commit_tells_the_latest,
    concurrent_increments_lose_none,
    pages_follow_each_other_in_key_order,
    partitions_are_apart_and_found_by_prefix,
    limits_are_refused_whole,
    a_watch_starts_with_what_is_there_and_goes_on,
    a_watch_sees_deletions_and_only_its_prefix,
    a_watch_resumes_after_a_revision,
    a_slow_watcher_gets_the_newest_value_of_every_key,
    a_watch_from_a_forgotten_revision_is_compacted,
    log_records_are_dense_and_survive_truncation,
    a_log_precondition_fences_appends,
    messages_are_leased_in_order_and_once,
    queues_are_apart_and_listed_while_they_hold_anything,
    whoever_leases_is_told_when_there_is_more,
    a_delayed_message_appears_later,
    a_lease_that_ran_out_is_given_out_again_and_fences_the_first,
    a_released_message_carries_its_new_body,
    an_extended_lease_stays,
    a_second_enqueue_of_an_id_changes_nothing,
    acknowledging_goes_together_with_other_writes_or_not_at_all,
    one_lease_ends_once_in_a_commit,
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let before = {
        let store = Embedded::open(dir.path()).unwrap();
        let put = Write::Put { key: "a".to_owned(), value: "1".into() };
        let append = Write::Append { log: "l".to_owned(), record: "r".into() };
        store.commit("p", vec![], vec![put, append]).await.unwrap()
    };
    let store = Embedded::open(dir.path()).unwrap();
    assert_eq!(store.get("p", "a").await.unwrap().unwrap().revision, before);
    assert_eq!(store.read_log("p", "l", 0, 9).await.unwrap().len(), 1);
    let after = store.commit("p", vec![], vec![Write::Delete { key: "a".to_owned() }]).await.unwrap();
    assert!(after > before, "{after:?} must be newer than {before:?}");
}

#[tokio::test]
async fn a_second_opener_is_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    match Embedded::open(dir.path()) {
        Err(OpenError::Locked { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("opened twice: {other:?}"),
    }
    drop(store);
    Embedded::open(dir.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Embedded::open(dir.path()).unwrap());
    let connection = rusqlite::Connection::open(dir.path().join("store.sqlite")).unwrap();
    connection.pragma_update(None, "user_version", 1000).unwrap();
    drop(connection);
    let error = Embedded::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 1000, .. }), "{error}");
}

#[test]
fn garbage_instead_of_a_database_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("store.sqlite"), vec![7u8; 8192]).unwrap();
    let error = Embedded::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Database { .. }), "{error}");
}

#[tokio::test]
async fn a_watch_ends_with_its_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let mut watch = store.watch("p", "", Revision::default()).await.unwrap();
    drop(store);
    assert_eq!(watch.recv().await, None);
}

#[tokio::test]
async fn the_write_ahead_log_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    for round in 0..100 {
        let put = Write::Put { key: format!("{}", round % 7), value: vec![round; VALUE_BYTES_MAX].into() };
        store.commit("p", vec![], vec![put]).await.unwrap();
    }
    let wal = std::fs::metadata(dir.path().join("store.sqlite-wal")).unwrap().len();
    assert!(wal < 4 << 20, "{wal} bytes of write-ahead log after 25 MiB of writes");
}

/// A real full disk: the store on a tmpfs of 4 MiB, in a mount namespace of a child's own.
#[test]
fn a_full_disk_is_answered_and_gets_over() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: mounting a small file system needs root");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=4m tmpfs \"$1\" && exec \"$2\" --exact embedded::on_a_small_disk --nocapture";
    let output = Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(dir.path())
        .arg(std::env::current_exe().unwrap())
        .env("HEARTH_TEST_SMALL_DISK", dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("got over a full disk"), "{text}");
}

/// The child's part of the test above.
#[test]
fn on_a_small_disk() {
    let Some(dir) = std::env::var_os("HEARTH_TEST_SMALL_DISK") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(fill_and_free(Path::new(&dir)));
    println!("got over a full disk");
}

async fn fill_and_free(dir: &Path) {
    let filler = dir.join("filler");
    std::fs::write(&filler, vec![0u8; 1 << 20]).unwrap();
    let store = Embedded::open(&dir.join("store")).unwrap();
    let mut acknowledged = Vec::new();
    let failure = loop {
        let key = format!("{:04}", acknowledged.len());
        let put = Write::Put { key: key.clone(), value: vec![1; 100_000].into() };
        match store.commit("p", vec![], vec![put]).await {
            Ok(_) => acknowledged.push(key),
            Err(error) => break error,
        }
    };
    assert!(matches!(failure, CommitError::Unknown { .. }), "{failure:?}");
    assert!(store.get("p", &acknowledged[0]).await.unwrap().is_some());
    std::fs::remove_file(filler).unwrap();
    store.commit("p", vec![], vec![Write::Put { key: "after".to_owned(), value: "1".into() }]).await.unwrap();
    acknowledged.push("after".to_owned());
    drop(store);
    let store = Embedded::open(&dir.join("store")).unwrap();
    for key in acknowledged {
        assert!(store.get("p", &key).await.unwrap().is_some(), "{key}");
    }
}

#[tokio::test]
async fn the_longest_key_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let put = Write::Put { key: "k".repeat(KEY_BYTES_MAX), value: vec![0; VALUE_BYTES_MAX].into() };
    store.commit("p", vec![], vec![put]).await.unwrap();
}

/// A store of an earlier format, with what stood in its queue: the due times are those of the clock it was written by.
#[tokio::test]
async fn messages_of_the_first_format_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    drop(Embedded::open(dir.path()).unwrap());
    let connection = rusqlite::Connection::open(dir.path().join("store.sqlite")).unwrap();
    let an_hour_ahead = 3_600_000 + i64::try_from(wall_ms()).unwrap();
    connection
        .execute_batch(&format!(
            "DELETE FROM meta WHERE name <> 'revision'; UPDATE meta SET value = 7;
             INSERT INTO body VALUES (1, x'647565'), (2, x'6c61746572');
             INSERT INTO message VALUES ('events', 'invoke', 'a', {an_hour_ahead}, 0, 1, {an_hour_ahead}, 1),
                 ('events', 'invoke', 'b', {an_hour_ahead} + 60000, 0, 2, {an_hour_ahead}, 2);
             INSERT INTO queue VALUES ('events', 'invoke', 2), ('events', 'empty', 0);
             PRAGMA user_version = 1;"
        ))
        .unwrap();
    drop(connection);
    let store = Embedded::open(dir.path()).unwrap();
    let queues = store.queues("events").await.unwrap();
    assert_eq!(queues.iter().map(|queue| (queue.queue.as_str(), queue.messages)).collect::<Vec<_>>(), [("invoke", 2)]);
    let leased = store.lease("events", "invoke", 9, Duration::from_secs(600)).await.unwrap();
    let [message] = &leased.messages[..] else { panic!("{leased:?}") };
    assert_eq!((&message.body[..], message.deliveries), (&b"due"[..], 2));
    assert!(leased.next_in.is_some_and(|next| next <= Duration::from_secs(60)), "{leased:?}");
}

fn wall_ms() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since_epoch.as_millis()).unwrap()
}
