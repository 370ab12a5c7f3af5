//! Groups and streams: made, listed, described, deleted.

use std::collections::BTreeMap;

use bytes::Bytes;
use hearth_logs::{LogError, StreamChoice, StreamOrder};

use crate::scene::{GROUP, Scene};

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_group_keeps_what_was_said_about_it() {
    let mut scene = Scene::new();
    scene.store.create_group(&scene.home, "g", tags(&[("a", "1"), ("b", "2")])).unwrap();
    let again = scene.store.create_group(&scene.home, "g", BTreeMap::new());
    assert!(matches!(again, Err(LogError::AlreadyExists { what: "group" })));
    scene.store.set_retention(&scene.home, "g", Some(7)).unwrap();
    scene.store.tag_group(&scene.home, "g", tags(&[("b", "3"), ("c", "4")])).unwrap();
    scene.store.untag_group(&scene.home, "g", &["a".to_owned(), "x".to_owned()]).unwrap();
    let before = scene.store.group(&scene.home, "g").unwrap();
    assert_eq!((before.retention_days, &before.tags), (Some(7), &tags(&[("b", "3"), ("c", "4")])));
    assert!(before.created_ms > 0);
    scene = scene.reopen();
    assert_eq!(scene.store.group(&scene.home, "g").unwrap(), before);
    scene.store.set_retention(&scene.home, "g", None).unwrap();
    scene = scene.reopen();
    assert_eq!(scene.store.group(&scene.home, "g").unwrap().retention_days, None);
    for result in [
        scene.store.set_retention(&scene.home, "none", None),
        scene.store.tag_group(&scene.home, "none", BTreeMap::new()),
        scene.store.delete_group(&scene.home, "none"),
        scene.store.create_stream(&scene.home, "none", "s"),
        scene.store.delete_stream(&scene.home, "g", "none"),
    ] {
        assert!(matches!(result, Err(LogError::NotFound { .. })));
    }
}

#[test]
fn groups_are_listed_in_pages_by_name() {
    let scene = Scene::new();
    for name in ["/aws/b", "/aws/a", "/aws/c", "/other", "/aws/d"] {
        scene.store.create_group(&scene.home, name, BTreeMap::new()).unwrap();
    }
    let is_aws = |name: &str| name.starts_with("/aws/");
    let names = |page: &hearth_logs::GroupPage| page.groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>();
    let first = scene.store.groups(&scene.home, is_aws, None, 3);
    assert_eq!(
        (names(&first), first.next.as_deref()),
        (vec!["/aws/a".into(), "/aws/b".into(), "/aws/c".into()], Some("/aws/c"))
    );
    let second = scene.store.groups(&scene.home, is_aws, first.next.as_deref(), 3);
    assert_eq!((names(&second), second.next), (vec!["/aws/d".to_owned()], None));
    let whole = scene.store.groups(&scene.home, is_aws, None, 4);
    assert_eq!(whole.next, None, "a page that is full and complete has no next");
    let other = "000000000000/eu-west-1".parse().unwrap();
    assert_eq!(scene.store.groups(&other, |_| true, None, 9).groups, vec![]);
}

#[test]
fn streams_tell_their_times_and_sizes() {
    let mut scene = Scene::new();
    scene.store.create_group(&scene.home, GROUP, BTreeMap::new()).unwrap();
    scene.store.create_stream(&scene.home, GROUP, "empty").unwrap();
    let again = scene.store.create_stream(&scene.home, GROUP, "empty");
    assert!(matches!(again, Err(LogError::AlreadyExists { what: "stream" })));
    scene.log("s", 100, "12345");
    scene.store.flush().unwrap();
    scene.log("s", 50, "678");
    for reopened in [false, true] {
        if reopened {
            scene = scene.reopen();
        }
        let order = (StreamOrder::Name, false);
        let page = scene.store.streams(&scene.home, GROUP, &StreamChoice::All, order, None, 9).unwrap();
        let [empty, s] = &page.streams[..] else { panic!("{page:?}") };
        assert_eq!((empty.name.as_str(), empty.first_event_ms, empty.stored_bytes), ("empty", None, 0));
        assert_eq!((s.first_event_ms, s.last_event_ms, s.stored_bytes), (Some(50), Some(100), 8));
        assert!(s.last_ingestion_ms.unwrap() > 1_000_000_000_000);
        assert_eq!(scene.store.group(&scene.home, GROUP).unwrap().stored_bytes, 8);
    }
}

#[test]
fn streams_are_listed_in_pages_by_name_or_last_event() {
    let scene = Scene::new();
    for (stream, time) in [("a", 30), ("b", 10), ("c", 20), ("d", 20)] {
        scene.log(stream, time, "x");
    }
    let list = |order| {
        let mut names = String::new();
        let mut token: Option<String> = None;
        loop {
            let page = scene.store.streams(&scene.home, GROUP, &StreamChoice::All, order, token.as_deref(), 3).unwrap();
            page.streams.iter().for_each(|stream| names.push_str(&stream.name));
            token = page.next;
            if token.is_none() {
                return names;
            }
        }
    };
    assert_eq!(list((StreamOrder::Name, false)), "abcd");
    assert_eq!(list((StreamOrder::Name, true)), "dcba");
    assert_eq!(list((StreamOrder::LastEvent, false)), "bcda");
    assert_eq!(list((StreamOrder::LastEvent, true)), "adcb");
    let choice = StreamChoice::Prefix("c".to_owned());
    let page = scene.store.streams(&scene.home, GROUP, &choice, (StreamOrder::Name, false), None, 9).unwrap();
    assert_eq!(page.streams.len(), 1);
    let bad = scene.store.streams(&scene.home, GROUP, &choice, (StreamOrder::Name, false), Some("x"), 9);
    assert!(matches!(bad, Err(LogError::InvalidToken)));
}

#[test]
fn what_was_deleted_does_not_come_back() {
    let mut scene = Scene::new();
    let stream = scene.store.stream(&scene.home, GROUP, "s");
    stream.append(1, Bytes::from("old"));
    scene.log("t", 1, "stays");
    scene.store.flush().unwrap();
    stream.append(2, Bytes::from("old too"));
    scene.store.delete_stream(&scene.home, GROUP, "s").unwrap();
    assert_eq!(scene.filter(scene.query("")), ["stays"]);
    stream.append(3, Bytes::from("new"));
    assert_eq!(scene.read("s"), ["new"], "a handle that is older than the deletion goes on");
    scene = scene.reopen();
    assert_eq!((scene.read("s"), scene.read("t")), (vec!["new".to_owned()], vec!["stays".to_owned()]));
    scene.store.delete_group(&scene.home, GROUP).unwrap();
    assert_eq!(scene.store.group(&scene.home, GROUP), None);
    scene = scene.reopen();
    assert_eq!(scene.store.group(&scene.home, GROUP), None);
    scene.log("s", 4, "anew");
    for _ in 0..3 {
        scene = scene.reopen();
        assert_eq!(scene.filter(scene.query("")), ["anew"]);
    }
}

#[test]
fn expired_events_are_not_returned() {
    let scene = Scene::new();
    let now = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let day = 86_400_000;
    scene.log("s", now - 2 * day, "old");
    scene.log("s", now - day / 2, "young");
    assert_eq!(scene.read("s"), ["old", "young"]);
    scene.store.set_retention(&scene.home, GROUP, Some(1)).unwrap();
    assert_eq!((scene.read("s"), scene.filter(scene.query(""))), (vec!["young".to_owned()], vec!["young".to_owned()]));
}
