//! The contract of [`Store`] as a list of checks that any engine can be put through, each on a store of its own.

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hearth_store::api::{COMMIT_BYTES_MAX, KEY_BYTES_MAX, MESSAGE_BYTES_MAX, VALUE_BYTES_MAX, WRITES_MAX};
use hearth_store::{
    Change, CommitError, Entry, Lease, Leased, LeasedMessage, Precondition, ReadError, Revision, Store, Watch, Write,
};

const P: &str = "123456789012";
const HOUR: Duration = Duration::from_secs(3600);
const DEADLINE: Duration = Duration::from_secs(20);

fn put(key: &str, value: &str) -> Write {
    Write::Put { key: key.to_owned(), value: Bytes::copy_from_slice(value.as_bytes()) }
}

fn delete(key: &str) -> Write {
    Write::Delete { key: key.to_owned() }
}

fn append(log: &str, record: &str) -> Write {
    Write::Append { log: log.to_owned(), record: Bytes::copy_from_slice(record.as_bytes()) }
}

fn enqueue(id: &str, body: &str) -> Write {
    delayed(id, body, Duration::ZERO)
}

fn delayed(id: &str, body: &str, delay: Duration) -> Write {
    Write::Enqueue { queue: "q".to_owned(), id: id.to_owned(), body: Bytes::copy_from_slice(body.as_bytes()), delay }
}

fn absent(key: &str) -> Precondition {
    Precondition::Absent { key: key.to_owned() }
}

async fn commit(store: &dyn Store, writes: Vec<Write>) -> Revision {
    store.commit(P, vec![], writes).await.unwrap()
}

async fn value(store: &dyn Store, key: &str) -> Option<Bytes> {
    store.get(P, key).await.unwrap().map(|entry| entry.value)
}

async fn lease(store: &dyn Store, limit: usize, duration: Duration) -> Vec<LeasedMessage> {
    store.lease(P, "q", limit, duration).await.unwrap().messages
}

/// Of the queue that these checks use: when its next message becomes visible, and how many it holds.
async fn queue_state(store: &dyn Store) -> (Option<Duration>, u64) {
    let queues = store.queues(P).await.unwrap();
    let state = queues.into_iter().find(|state| state.queue == "q");
    state.map_or((None, 0), |state| (Some(state.next_in), state.messages))
}

/// Takes one message as soon as there is one.
async fn lease_one(store: &dyn Store, duration: Duration) -> LeasedMessage {
    let start = Instant::now();
    loop {
        if let Some(message) = lease(store, 1, duration).await.pop() {
            return message;
        }
        assert!(start.elapsed() < DEADLINE, "no message became visible");
        tokio::task::yield_now().await;
    }
}

async fn next(watch: &mut Watch) -> Change {
    within(watch.recv()).await.expect("the watch goes on")
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::select! {
        output = future => output,
        () = async {
            let start = Instant::now();
            while start.elapsed() < DEADLINE {
                tokio::task::yield_now().await;
            }
        } => panic!("nothing came within {DEADLINE:?}"),
    }
}

pub(crate) async fn a_put_is_read_back(store: &dyn Store) {
    let revision = commit(store, vec![put("a", "1")]).await;
    let entry = Entry { key: "a".to_owned(), value: Bytes::from("1"), revision };
    assert_eq!(store.get(P, "a").await.unwrap(), Some(entry));
    assert_eq!(value(store, "b").await, None);
    commit(store, vec![delete("a"), delete("b")]).await;
    assert_eq!(value(store, "a").await, None);
}

pub(crate) async fn keys_may_be_any_text(store: &dyn Store) {
    let keys = [
        "",
        "\0",
        "a\0b",
        "%_'\"",
        "ä",
        "ÿ",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}x",
    ];
    for key in keys {
        commit(store, vec![put(key, key)]).await;
    }
    let mut sorted: Vec<&str> = keys.to_vec();
    sorted.sort_unstable();
    let listed = store.list(P, "", None, 100).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), sorted);
    for prefix in keys {
        let listed = store.list(P, prefix, None, 100).await.unwrap();
        let expected: Vec<&str> = sorted.iter().copied().filter(|key| key.starts_with(prefix)).collect();
        assert_eq!(listed.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), expected, "{prefix:?}");
    }
}

pub(crate) async fn an_absent_precondition_lets_one_of_two_win(store: &dyn Store) {
    let (one, two) = tokio::join!(
        store.commit(P, vec![absent("a")], vec![put("a", "1")]),
        store.commit(P, vec![absent("a")], vec![put("a", "2")]),
    );
    assert_eq!([&one, &two].iter().filter(|result| result.is_ok()).count(), 1, "{one:?} {two:?}");
    let winner = if one.is_ok() { "1" } else { "2" };
    assert_eq!(value(store, "a").await, Some(Bytes::from(winner)));
}

pub(crate) async fn a_revision_precondition_detects_every_change(store: &dyn Store) {
    let first = commit(store, vec![put("a", "1")]).await;
    let at = |revision| vec![Precondition::AtRevision { key: "a".to_owned(), revision }];
    commit(store, vec![put("other", "1")]).await;
    let second = store.commit(P, at(first), vec![put("a", "1")]).await.unwrap();
    assert_eq!(
        store.commit(P, at(first), vec![put("a", "3")]).await,
        Err(CommitError::Precondition { index: 0 }),
        "the value is the same, the revision is not"
    );
    commit(store, vec![delete("a")]).await;
    assert_eq!(store.commit(P, at(second), vec![]).await, Err(CommitError::Precondition { index: 0 }));
}

pub(crate) async fn a_prefix_precondition_sees_only_its_prefix(store: &dyn Store) {
    commit(store, vec![put("fn/a", ""), put("fo", "")]).await;
    let empty = |prefix: &str| vec![Precondition::PrefixEmpty { prefix: prefix.to_owned() }];
    store.commit(P, empty("fn/b"), vec![]).await.unwrap();
    store.commit(P, empty("fn0"), vec![]).await.unwrap();
    for prefix in ["fn/", "fn/a", "f", ""] {
        assert_eq!(
            store.commit(P, empty(prefix), vec![]).await,
            Err(CommitError::Precondition { index: 0 }),
            "{prefix}"
        );
    }
    commit(store, vec![delete("fn/a")]).await;
    store.commit(P, empty("fn/"), vec![]).await.unwrap();
}

pub(crate) async fn a_failed_precondition_writes_nothing_and_is_named(store: &dyn Store) {
    commit(store, vec![put("a", "1"), enqueue("m", "")]).await;
    let writes = vec![put("b", "2"), delete("a"), append("l", "r"), enqueue("n", "")];
    let result = store.commit(P, vec![absent("b"), absent("a"), absent("c")], writes).await;
    assert_eq!(result, Err(CommitError::Precondition { index: 1 }));
    assert_eq!(value(store, "a").await, Some(Bytes::from("1")));
    assert_eq!(value(store, "b").await, None);
    assert_eq!(store.read_log(P, "l", 0, 9).await.unwrap(), vec![]);
    assert_eq!(queue_state(store).await.1, 1);
}

pub(crate) async fn revisions_increase_and_an_empty_commit_tells_the_latest(store: &dyn Store) {
    let mut last = Revision::default();
    for round in 0..10 {
        let revision = commit(store, vec![put("a", &round.to_string())]).await;
        assert!(revision > last);
        last = revision;
    }
    assert_eq!(commit(store, vec![]).await, last);
}

pub(crate) async fn concurrent_increments_lose_none(store: &dyn Store) {
    commit(store, vec![put("n", "0")]).await;
    let increment = async || {
        for _ in 0..25 {
            loop {
                let entry = store.get(P, "n").await.unwrap().unwrap();
                let number: u32 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
                let at = Precondition::AtRevision { key: "n".to_owned(), revision: entry.revision };
                if store.commit(P, vec![at], vec![put("n", &(number + 1).to_string())]).await.is_ok() {
                    break;
                }
            }
        }
    };
    tokio::join!(increment(), increment(), increment(), increment());
    assert_eq!(value(store, "n").await, Some(Bytes::from("100")));
}

pub(crate) async fn pages_follow_each_other_in_key_order(store: &dyn Store) {
    for number in (0..25).rev() {
        commit(store, vec![put(&format!("k/{number:02}"), "")]).await;
    }
    commit(store, vec![put("j", ""), put("k", ""), put("k0", ""), put("l", "")]).await;
    let mut keys: Vec<String> = Vec::new();
    loop {
        let page = store.list(P, "k/", keys.last().map(String::as_str), 10).await.unwrap();
        keys.extend(page.iter().map(|entry| entry.key.clone()));
        if page.len() < 10 {
            break;
        }
    }
    assert_eq!(keys, (0..25).map(|number| format!("k/{number:02}")).collect::<Vec<_>>());
    assert_eq!(store.list(P, "k/", Some("k/24"), 10).await.unwrap(), vec![]);
    assert_eq!(store.list(P, "k/", Some("a"), 1).await.unwrap()[0].key, "k/00");
    assert_eq!(store.list(P, "k/", None, 0).await.unwrap(), vec![]);
}

pub(crate) async fn partitions_are_apart_and_found_by_prefix(store: &dyn Store) {
    for (partition, key) in [("a", "fn/1"), ("a", "fn/2"), ("b", "role/1"), ("c", "fn/3"), ("", "fn/4")] {
        store.commit(partition, vec![absent(key)], vec![put(key, partition)]).await.unwrap();
    }
    assert_eq!(store.get("b", "fn/1").await.unwrap(), None);
    assert_eq!(store.list("a", "", None, 9).await.unwrap().len(), 2);
    assert_eq!(store.partitions("fn/").await.unwrap(), ["", "a", "c"]);
    assert_eq!(store.partitions("").await.unwrap(), ["", "a", "b", "c"]);
    assert_eq!(store.partitions("x").await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn limits_are_refused_whole(store: &dyn Store) {
    let long_key = "k".repeat(KEY_BYTES_MAX + 1);
    let value = |bytes| Write::Put { key: "v".to_owned(), value: vec![0; bytes].into() };
    let message = |bytes| Write::Enqueue {
        queue: "q".to_owned(),
        id: "m".to_owned(),
        body: vec![0; bytes].into(),
        delay: Duration::ZERO,
    };
    let too_large = [
        vec![put(&long_key, "")],
        vec![delete(&long_key)],
        vec![value(VALUE_BYTES_MAX + 1)],
        vec![message(MESSAGE_BYTES_MAX + 1)],
        vec![put("a", ""); WRITES_MAX + 1],
        vec![value(VALUE_BYTES_MAX); COMMIT_BYTES_MAX / VALUE_BYTES_MAX + 1],
    ];
    for mut writes in too_large {
        writes.insert(0, put("first", ""));
        let error = store.commit(P, vec![], writes).await.unwrap_err();
        assert!(matches!(error, CommitError::TooLarge { .. }), "{error:?}");
    }
    assert_eq!(store.get(P, "first").await.unwrap(), None);
    commit(store, vec![value(VALUE_BYTES_MAX), message(MESSAGE_BYTES_MAX)]).await;
    commit(store, vec![put("a", ""); WRITES_MAX]).await;
    assert_eq!(lease(store, 1, HOUR).await[0].body.len(), MESSAGE_BYTES_MAX);
}

pub(crate) async fn a_watch_starts_with_what_is_there_and_goes_on(store: &dyn Store) {
    commit(store, vec![put("a", "1"), put("b", "1")]).await;
    let mut watch = store.watch(P, "", Revision::default()).await.unwrap();
    let mut seen = [next(&mut watch).await, next(&mut watch).await];
    seen.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(seen.iter().map(|change| change.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let revision = commit(store, vec![put("a", "2")]).await;
    let expected = Change { key: "a".to_owned(), value: Some(Bytes::from("2")), revision };
    assert_eq!(next(&mut watch).await, expected);
}

pub(crate) async fn a_watch_sees_deletions_and_only_its_prefix(store: &dyn Store) {
    commit(store, vec![put("x/1", "1"), put("y/1", "1")]).await;
    let mut watch = store.watch(P, "x/", Revision::default()).await.unwrap();
    assert_eq!(next(&mut watch).await.key, "x/1");
    store.commit("other", vec![], vec![put("x/2", "2")]).await.unwrap();
    commit(store, vec![put("y/1", "2")]).await;
    let revision = commit(store, vec![delete("x/1"), delete("y/1")]).await;
    assert_eq!(next(&mut watch).await, Change { key: "x/1".to_owned(), value: None, revision });
    commit(store, vec![put("x/1", "back")]).await;
    assert_eq!(next(&mut watch).await.value, Some(Bytes::from("back")));
}

pub(crate) async fn a_watch_resumes_after_a_revision(store: &dyn Store) {
    commit(store, vec![put("a", "1"), put("c", "1")]).await;
    let seen = commit(store, vec![put("b", "1")]).await;
    commit(store, vec![delete("a")]).await;
    commit(store, vec![put("b", "2")]).await;
    let mut watch = store.watch(P, "", seen).await.unwrap();
    let first = next(&mut watch).await;
    assert_eq!((first.key.as_str(), first.value), ("a", None));
    let second = next(&mut watch).await;
    assert_eq!((second.key.as_str(), second.value), ("b", Some(Bytes::from("2"))));
}

pub(crate) async fn a_slow_watcher_gets_the_newest_value_of_every_key(store: &dyn Store) {
    let mut watch = store.watch(P, "", Revision::default()).await.unwrap();
    for round in 0..5 {
        for half in 0..2 {
            let writes = (0..100).map(|key| put(&format!("{}", half * 100 + key), &round.to_string())).collect();
            commit(store, writes).await;
        }
    }
    let last = commit(store, vec![put("end", "")]).await;
    let mut newest = std::collections::HashMap::new();
    loop {
        let change = next(&mut watch).await;
        let before = newest.insert(change.key, (change.revision, change.value));
        assert!(before.is_none_or(|(revision, _)| revision <= change.revision), "out of order");
        if change.revision == last {
            break;
        }
    }
    assert_eq!(newest.len(), 201);
    assert!(newest.iter().all(|(key, (_, value))| key == "end" || *value == Some(Bytes::from("4"))));
}

pub(crate) async fn a_watch_from_a_forgotten_revision_is_compacted(store: &dyn Store) {
    let old = commit(store, vec![put("a", "1")]).await;
    let deadline = Instant::now() + DEADLINE;
    let oldest = loop {
        for batch in 0..50 {
            let keys: Vec<String> = (0..WRITES_MAX).map(|key| format!("{batch}/{key}")).collect();
            commit(store, keys.iter().map(|key| put(key, "")).collect()).await;
            commit(store, keys.iter().map(|key| delete(key)).collect()).await;
        }
        match store.watch(P, "", old).await {
            Ok(_) => assert!(Instant::now() < deadline, "deletions are remembered without end"),
            Err(ReadError::Compacted { oldest }) => break oldest,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(oldest > old);
    let mut watch = store.watch(P, "", Revision::default()).await.unwrap();
    assert_eq!(next(&mut watch).await.key, "a");
    let now = commit(store, vec![]).await;
    store.watch(P, "", now).await.unwrap();
}

pub(crate) async fn log_records_are_dense_and_survive_truncation(store: &dyn Store) {
    commit(store, vec![append("l", "0"), append("l", "1"), append("m", "other")]).await;
    commit(store, vec![append("l", "2")]).await;
    let records = store.read_log(P, "l", 0, 9).await.unwrap();
    let texts: Vec<(u64, Bytes)> = records.into_iter().map(|record| (record.sequence, record.record)).collect();
    assert_eq!(texts, (0..3u64).map(|n| (n, Bytes::from(n.to_string()))).collect::<Vec<_>>());
    assert_eq!(store.read_log(P, "l", 1, 1).await.unwrap()[0].sequence, 1);
    store.truncate_log(P, "l", 2).await.unwrap();
    assert_eq!(store.read_log(P, "l", 0, 9).await.unwrap()[0].sequence, 2);
    store.truncate_log(P, "l", 100).await.unwrap();
    assert_eq!(store.read_log(P, "l", 0, 9).await.unwrap(), vec![]);
    commit(store, vec![append("l", "3")]).await;
    assert_eq!(store.read_log(P, "l", 0, 9).await.unwrap()[0].sequence, 3, "numbers are never used twice");
    assert_eq!(store.read_log(P, "none", 0, 9).await.unwrap(), vec![]);
}

pub(crate) async fn a_log_precondition_fences_appends(store: &dyn Store) {
    let at = |next| vec![Precondition::LogAt { log: "l".to_owned(), next }];
    store.commit(P, at(0), vec![append("l", "0"), append("l", "1")]).await.unwrap();
    let stale = store.commit(P, at(1), vec![append("l", "x")]).await;
    assert_eq!(stale, Err(CommitError::Precondition { index: 0 }));
    store.commit(P, at(2), vec![append("l", "2")]).await.unwrap();
}

pub(crate) async fn messages_are_leased_in_order_and_once(store: &dyn Store) {
    commit(store, vec![enqueue("c", "3"), enqueue("a", "1"), enqueue("b", "2")]).await;
    let (next_visible, count) = queue_state(store).await;
    assert_eq!(next_visible, Some(Duration::ZERO));
    assert_eq!(count, 3);
    let first = lease(store, 2, HOUR).await;
    assert_eq!(first.iter().map(|message| message.lease.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(first.iter().all(|message| message.deliveries == 1 && message.age < DEADLINE));
    let second = lease(store, 2, HOUR).await;
    assert_eq!(second.iter().map(|message| message.lease.id.as_str()).collect::<Vec<_>>(), ["c"]);
    assert_eq!(lease(store, 2, HOUR).await, vec![]);
    assert_eq!(store.lease(P, "other", 1, HOUR).await.unwrap(), Leased::default());
    assert_eq!(store.lease("other", "q", 1, HOUR).await.unwrap(), Leased::default());
    for message in first.into_iter().chain(second) {
        commit(store, vec![Write::Acknowledge(message.lease)]).await;
    }
    assert_eq!(queue_state(store).await, (None, 0));
}

pub(crate) async fn a_delayed_message_appears_later(store: &dyn Store) {
    commit(store, vec![delayed("far", "", HOUR), delayed("near", "", Duration::from_millis(30))]).await;
    let (next_in, _) = queue_state(store).await;
    assert!(next_in <= Some(Duration::from_millis(30)), "{next_in:?}");
    let message = lease_one(store, HOUR).await;
    assert_eq!(message.lease.id, "near");
    assert!(message.age >= Duration::from_millis(30), "{message:?}");
    assert_eq!(lease(store, 9, HOUR).await, vec![]);
}

pub(crate) async fn queues_are_apart_and_listed_while_they_hold_anything(store: &dyn Store) {
    let to = |queue: &str, id: &str, delay| Write::Enqueue {
        queue: queue.to_owned(),
        id: id.to_owned(),
        body: Bytes::from(queue.to_owned()),
        delay,
    };
    let writes =
        vec![to("b", "1", HOUR), to("a", "1", Duration::ZERO), to("a", "2", HOUR), to("c", "1", Duration::ZERO)];
    commit(store, writes).await;
    store.commit("other", vec![], vec![to("d", "1", Duration::ZERO)]).await.unwrap();
    let listed = store.queues(P).await.unwrap();
    let names: Vec<(&str, u64)> = listed.iter().map(|state| (state.queue.as_str(), state.messages)).collect();
    assert_eq!(names, [("a", 2), ("b", 1), ("c", 1)]);
    assert_eq!((listed[0].next_in, listed[2].next_in), (Duration::ZERO, Duration::ZERO));
    assert!(listed[1].next_in > HOUR - DEADLINE);
    let leased = store.lease(P, "a", 9, HOUR).await.unwrap();
    assert_eq!(leased.messages.iter().map(|message| &message.body[..]).collect::<Vec<_>>(), [b"a"]);
    assert!(leased.next_in.is_some_and(|next| next > HOUR - DEADLINE), "{leased:?}");
    let other = store.lease(P, "c", 9, HOUR).await.unwrap().messages.remove(0);
    let moved = vec![Write::Acknowledge(other.lease), to("b", "2", Duration::ZERO)];
    commit(store, moved).await;
    let listed = store.queues(P).await.unwrap();
    let names: Vec<(&str, u64)> = listed.iter().map(|state| (state.queue.as_str(), state.messages)).collect();
    assert_eq!(names, [("a", 2), ("b", 2)], "one that is empty is no more");
    assert_eq!(store.lease(P, "b", 1, HOUR).await.unwrap().messages[0].lease.id, "2");
}

pub(crate) async fn whoever_leases_is_told_when_there_is_more(store: &dyn Store) {
    assert_eq!(store.lease(P, "q", 1, HOUR).await.unwrap(), Leased::default());
    commit(store, vec![enqueue("1", ""), enqueue("2", ""), delayed("3", "", HOUR)]).await;
    let first = store.lease(P, "q", 1, 2 * HOUR).await.unwrap();
    assert_eq!((first.messages.len(), first.next_in), (1, Some(Duration::ZERO)));
    let second = store.lease(P, "q", 9, 2 * HOUR).await.unwrap();
    assert_eq!(second.messages.len(), 1);
    assert!(second.next_in.is_some_and(|next| next > HOUR - DEADLINE && next <= HOUR), "{second:?}");
}

pub(crate) async fn a_lease_that_ran_out_is_given_out_again_and_fences_the_first(store: &dyn Store) {
    commit(store, vec![enqueue("m", "body")]).await;
    let first = lease_one(store, Duration::from_millis(1)).await;
    let second = lease_one(store, HOUR).await;
    assert_eq!((second.deliveries, &second.body), (2, &Bytes::from("body")));
    assert_ne!(first.lease, second.lease);
    let lost = first.lease;
    let held = |lease: &Lease| vec![Precondition::LeaseHeld(lease.clone())];
    let refused = store.commit(P, held(&lost), vec![put("a", "1")]).await;
    assert_eq!(refused, Err(CommitError::Precondition { index: 0 }));
    let ends: [Write; 3] = [
        Write::Acknowledge(lost.clone()),
        Write::Extend { lease: lost.clone(), duration: HOUR },
        Write::Release { lease: lost.clone(), delay: Duration::ZERO, body: None },
    ];
    for end in ends {
        let refused = store.commit(P, vec![], vec![put("a", "1"), end]).await;
        assert_eq!(refused, Err(CommitError::LeaseLost { write: 1 }));
    }
    assert_eq!(value(store, "a").await, None);
    store.commit(P, held(&second.lease), vec![Write::Acknowledge(second.lease.clone())]).await.unwrap();
    let again = store.commit(P, vec![], vec![Write::Acknowledge(second.lease)]).await;
    assert_eq!(again, Err(CommitError::LeaseLost { write: 0 }));
}

pub(crate) async fn a_released_message_carries_its_new_body(store: &dyn Store) {
    commit(store, vec![enqueue("m", "old")]).await;
    let first = lease_one(store, HOUR).await;
    let release = Write::Release { lease: first.lease.clone(), delay: Duration::ZERO, body: Some(Bytes::from("new")) };
    commit(store, vec![release]).await;
    let lost = store.commit(P, vec![Precondition::LeaseHeld(first.lease)], vec![]).await;
    assert_eq!(lost, Err(CommitError::Precondition { index: 0 }), "given back is no longer held");
    let second = lease_one(store, HOUR).await;
    assert_eq!((second.body, second.deliveries), (Bytes::from("new"), 2));
    assert!(second.age >= first.age, "its age goes on");
    commit(store, vec![Write::Release { lease: second.lease, delay: HOUR, body: None }]).await;
    assert_eq!(lease(store, 1, HOUR).await, vec![]);
    assert_eq!(queue_state(store).await.1, 1);
}

pub(crate) async fn an_extended_lease_stays(store: &dyn Store) {
    commit(store, vec![enqueue("m", "")]).await;
    let message = lease_one(store, Duration::from_millis(1)).await;
    commit(store, vec![Write::Extend { lease: message.lease.clone(), duration: HOUR }]).await;
    let (next_in, _) = queue_state(store).await;
    assert!(next_in > Some(HOUR - DEADLINE), "{next_in:?}");
    assert_eq!(lease(store, 1, HOUR).await, vec![]);
    commit(store, vec![Write::Acknowledge(message.lease)]).await;
}

pub(crate) async fn a_second_enqueue_of_an_id_changes_nothing(store: &dyn Store) {
    commit(store, vec![enqueue("m", "first")]).await;
    commit(store, vec![delayed("m", "second", HOUR)]).await;
    assert_eq!(queue_state(store).await.1, 1);
    let message = lease_one(store, HOUR).await;
    assert_eq!(message.body, Bytes::from("first"));
    commit(store, vec![enqueue("m", "third")]).await;
    assert_eq!(lease(store, 1, HOUR).await, vec![], "an enqueue does not end a lease");
    commit(store, vec![Write::Acknowledge(message.lease)]).await;
    commit(store, vec![enqueue("m", "fourth")]).await;
    assert_eq!(lease_one(store, HOUR).await.body, Bytes::from("fourth"));
}

pub(crate) async fn acknowledging_goes_together_with_other_writes_or_not_at_all(store: &dyn Store) {
    commit(store, vec![enqueue("m", ""), put("taken", "")]).await;
    let message = lease_one(store, HOUR).await;
    let acknowledge = Write::Acknowledge(message.lease);
    let refused = store.commit(P, vec![absent("taken")], vec![acknowledge.clone(), put("result", "x")]).await;
    assert_eq!(refused, Err(CommitError::Precondition { index: 0 }));
    assert_eq!(queue_state(store).await.1, 1);
    commit(store, vec![acknowledge, put("result", "x"), enqueue("next", "")]).await;
    assert_eq!(lease_one(store, HOUR).await.lease.id, "next");
    assert_eq!(value(store, "result").await, Some(Bytes::from("x")));
}

pub(crate) async fn one_lease_ends_once_in_a_commit(store: &dyn Store) {
    commit(store, vec![enqueue("m", "")]).await;
    let message = lease_one(store, HOUR).await;
    let acknowledge = Write::Acknowledge(message.lease);
    let twice = store.commit(P, vec![], vec![acknowledge.clone(), acknowledge]).await;
    assert_eq!(twice, Err(CommitError::LeaseLost { write: 1 }));
    assert_eq!(queue_state(store).await.1, 1);
}
