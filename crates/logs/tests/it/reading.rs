//! What was appended is read back, page by page, filtered, and live.

use std::collections::HashSet;

use bytes::Bytes;
use hearth_logs::{EventsQuery, FilterPattern, FilterQuery, LogConfig, LogError, LogStore, StreamChoice};
use proptest::prelude::*;

use crate::scene::{ALWAYS, GROUP, Scene, home, text};

#[test]
fn an_event_is_there_at_once_and_after_it_was_written() {
    let scene = Scene::new();
    scene.log("s", 5, "one");
    assert_eq!(scene.read("s"), ["one"]);
    assert_eq!(scene.filter(scene.query("")), ["one"]);
    scene.store.flush().unwrap();
    scene.log("s", 6, "two");
    assert_eq!(scene.read("s"), ["one", "two"]);
    assert_eq!(scene.filter(scene.query("")), ["one", "two"]);
}

/// Some on disk in several segments, some in memory.
fn numbered(count: u64) -> Scene {
    let scene = Scene::with(LogConfig { segment_bytes: 4096, ..LogConfig::default() });
    for number in 0..count {
        scene.log("s", 1000 + number, &format!("line {number}"));
        scene.log("noise", 1000 + number, &"x".repeat(40));
        if number % 50 == 49 && number + 20 < count {
            scene.store.flush().unwrap();
        }
    }
    scene
}

fn lines(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("line {number}")).collect()
}

fn page(scene: &Scene, query: &EventsQuery) -> (Vec<String>, String, String) {
    let page = scene.store.get_events(&scene.home, GROUP, "s", query).unwrap();
    let messages = page.events.iter().map(|event| text(&event.message)).collect();
    (messages, page.forward_token, page.backward_token)
}

#[test]
fn a_stream_is_paged_from_its_head() {
    let scene = numbered(500);
    assert!(scene.segments() > 3);
    let mut query = EventsQuery { time: ALWAYS, limit: 120, start_from_head: true, token: None };
    let mut seen = Vec::new();
    loop {
        let (messages, forward, _) = page(&scene, &query);
        seen.extend(messages);
        if query.token.as_ref() == Some(&forward) {
            break;
        }
        query.token = Some(forward);
    }
    assert_eq!(seen, lines(0..500));
    scene.log("s", 9999, "late");
    assert_eq!(page(&scene, &query).0, ["late"], "the last token goes on where the stream goes on");
}

#[test]
fn a_stream_is_paged_from_its_tail() {
    let scene = numbered(500);
    let mut query = EventsQuery { time: ALWAYS, limit: 120, start_from_head: false, token: None };
    let (messages, forward, backward) = page(&scene, &query);
    assert_eq!(messages, lines(380..500));
    query.token = Some(forward.clone());
    assert_eq!(page(&scene, &query), (vec![], forward, format!("b/{:020}", 500)));
    let mut seen = Vec::new();
    query.token = Some(backward);
    loop {
        let (messages, _, backward) = page(&scene, &query);
        seen.splice(0..0, messages);
        if query.token.as_ref() == Some(&backward) {
            break;
        }
        query.token = Some(backward);
    }
    assert_eq!(seen, lines(0..380));
}

#[test]
fn a_stream_is_read_between_times() {
    let scene = numbered(500);
    let query = EventsQuery { time: 1100..1110, limit: 100, start_from_head: true, token: None };
    assert_eq!(page(&scene, &query).0, lines(100..110));
    let query = EventsQuery { time: 0..1490, limit: 3, start_from_head: false, token: None };
    assert_eq!(page(&scene, &query).0, lines(487..490));
}

#[test]
fn a_page_holds_no_more_than_a_mebibyte() {
    let scene = Scene::new();
    for number in 0..30 {
        scene.log("s", number, &"x".repeat(100_000));
    }
    for flushed in [false, true] {
        if flushed {
            scene.store.flush().unwrap();
        }
        for start_from_head in [false, true] {
            let query = EventsQuery { time: ALWAYS, limit: 100, start_from_head, token: None };
            assert_eq!(page(&scene, &query).0.len(), 10);
        }
        let filtered = scene.store.filter_events(&scene.home, GROUP, &scene.query("")).unwrap();
        assert_eq!(filtered.events.len(), 10);
        assert_eq!(scene.filter(scene.query("")).len(), 30);
    }
}

#[test]
fn tokens_of_others_are_refused() {
    let scene = numbered(3);
    for token in ["", "f", "f/", "x/1", "f/-1", "b/one", "f/99999999999999999999999"] {
        let query = EventsQuery { time: ALWAYS, limit: 1, start_from_head: true, token: Some(token.to_owned()) };
        let result = scene.store.get_events(&scene.home, GROUP, "s", &query);
        assert!(matches!(result, Err(LogError::InvalidToken)), "{token}");
        let query = FilterQuery { token: Some(token.to_owned()), ..scene.query("") };
        let result = scene.store.filter_events(&scene.home, GROUP, &query);
        assert!(matches!(result, Err(LogError::InvalidToken)), "{token}");
    }
    let beyond = EventsQuery { time: ALWAYS, limit: 1, start_from_head: true, token: Some(format!("f/{}", u64::MAX)) };
    assert_eq!(page(&scene, &beyond).0, Vec::<String>::new());
}

#[test]
fn matches_of_many_streams_come_in_order_of_time() {
    let scene = Scene::new();
    for number in 0..300u64 {
        scene.log(&format!("s{}", number % 7), 1000 + number, &format!("line {number}"));
        if number == 200 {
            scene.store.flush().unwrap();
        }
    }
    assert_eq!(scene.filter(scene.query("")), lines(0..300));
    assert_eq!(scene.filter(FilterQuery { limit: 11, ..scene.query("") }), lines(0..300));
    assert_eq!(scene.filter(FilterQuery { time: 1010..1020, ..scene.query("") }), lines(10..20));
    assert_eq!(scene.filter(scene.query("\"line 29\"")).len(), 11);
    let named = StreamChoice::Named(vec!["s3".to_owned(), "none".to_owned()]);
    assert_eq!(scene.filter(FilterQuery { streams: named, ..scene.query("") }).len(), 43);
    let prefixed = StreamChoice::Prefix("s".to_owned());
    assert_eq!(scene.filter(FilterQuery { streams: prefixed, limit: 50, ..scene.query("") }).len(), 300);
    let ids = |query| -> HashSet<String> {
        let page = scene.store.filter_events(&scene.home, GROUP, &query).unwrap();
        page.events.into_iter().map(|event| event.id).collect()
    };
    let before = ids(scene.query(""));
    assert_eq!(before.len(), 300);
    assert!(before.iter().all(|id| id.len() == 56 && id.bytes().all(|byte| byte.is_ascii_digit())));
    scene.store.flush().unwrap();
    assert_eq!(ids(scene.query("")), before, "ids do not change on the way to the disk");
}

#[test]
fn what_does_not_exist_is_said_so() {
    let scene = Scene::new();
    let query = EventsQuery { time: ALWAYS, limit: 1, start_from_head: true, token: None };
    let missing = |result: Result<_, LogError>| match result {
        Err(LogError::NotFound { what }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(scene.store.get_events(&scene.home, GROUP, "s", &query)), "group");
    scene.log("s", 1, "x");
    assert_eq!(missing(scene.store.get_events(&scene.home, GROUP, "t", &query)), "stream");
    let other = "000000000000/eu-west-1".parse().unwrap();
    assert_eq!(missing(scene.store.get_events(&other, GROUP, "s", &query)), "group");
    assert!(scene.store.filter_events(&scene.home, "none", &scene.query("")).is_err());
    assert!(scene.store.put_events(&scene.home, GROUP, "t", vec![]).is_err());
}

#[test]
fn what_does_not_fit_in_memory_is_dropped_and_counted() {
    let config = LogConfig { queue_bytes_max: 11_000, ..LogConfig::default() };
    let scene = Scene::with(config);
    let line = Bytes::from("y".repeat(1000));
    let stream = scene.store.stream(&scene.home, GROUP, "s");
    stream.append_batch((0..5000).map(|number| (number, line.clone())));
    scene.store.flush().unwrap();
    let messages = scene.read("s");
    let (notice, lines) = messages.split_last().unwrap();
    assert_eq!(lines.len(), 9);
    assert_eq!(notice, "[HEARTH] 4991 log records dropped\n");
    stream.append(1, line);
    scene.store.flush().unwrap();
    assert_eq!(scene.read("s").len(), 11, "there is room again");
}

#[tokio::test]
async fn live_tail_sends_what_matches_from_now_on() {
    let scene = Scene::new();
    scene.log("s1", 1, "before ERROR");
    scene.store.flush().unwrap();
    let pattern = FilterPattern::parse("ERROR").unwrap();
    let choice = StreamChoice::Prefix("s".to_owned());
    let mut tail = scene.store.live_tail(&scene.home, vec![GROUP.to_owned()], choice, pattern);
    scene.log("s1", 2, "fine");
    scene.log("t1", 3, "other stream ERROR");
    scene.store.stream(&scene.home, "/other", "s1").append(4, "other group ERROR".into());
    scene.log("s2", 5, "this ERROR");
    let event = tail.next().await.unwrap();
    assert_eq!((event.stream.as_str(), event.time_ms, &event.message[..]), ("s2", 5, &b"this ERROR"[..]));
    assert_eq!((tail.try_next(), tail.take_left_out()), (None, 0));
    drop(scene);
    assert_eq!(tail.next().await, None);
}

#[tokio::test]
async fn a_slow_live_tail_is_sampled() {
    let scene = Scene::new();
    let pattern = FilterPattern::default();
    let mut tail = scene.store.live_tail(&scene.home, vec![GROUP.to_owned()], StreamChoice::All, pattern);
    for number in 0..6000 {
        scene.log("s", number, "x");
    }
    scene.store.flush().unwrap();
    let mut taken = 0;
    while tail.try_next().is_some() {
        taken += 1;
    }
    assert_eq!(taken + tail.take_left_out(), 6000);
    assert!(taken > 1000);
}

#[test]
fn many_threads_append_and_read_at_once() {
    let scene = Scene::with(LogConfig { segment_bytes: 64 << 10, ..LogConfig::default() });
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let stream = scene.store.stream(&scene.home, GROUP, &format!("s{thread}"));
            scope.spawn(move || (0..5000).for_each(|number| stream.append(number, format!("{number}").into())));
        }
        scope.spawn(|| {
            for _ in 0..20 {
                scene.store.flush().unwrap();
                let messages = scene.read("s0");
                assert!(messages.iter().enumerate().all(|(index, message)| *message == index.to_string()));
            }
        });
    });
    for thread in 0..4 {
        assert_eq!(scene.read(&format!("s{thread}")).len(), 5000);
    }
    assert_eq!(scene.filter(scene.query("")).len(), 20_000);
}

/// Streams, times and flushes in any order.
#[derive(Clone, Debug)]
enum Step {
    Append(u8, u16),
    Flush,
    Reopen,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_a_filter_are_the_sorted_whole(
        steps in proptest::collection::vec(prop_oneof![
            20 => (0..3u8, 0..50u16).prop_map(|(stream, time)| Step::Append(stream, time)),
            2 => Just(Step::Flush),
            1 => Just(Step::Reopen),
        ], 1..80),
        limit in 1..20usize,
        segment_bytes in 50..2000u64,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let config = LogConfig { segment_bytes, ..LogConfig::default() };
        let mut store = LogStore::open(dir.path(), config, &home().region).unwrap();
        let mut expected: Vec<(u64, String, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Append(stream, time) => {
                    let (stream, time) = (format!("s{stream}"), u64::from(time));
                    let number = expected.iter().filter(|(_, of, _)| *of == stream).count();
                    store.stream(&home(), GROUP, &stream).append(time, number.to_string().into());
                    expected.push((time, stream, number));
                }
                Step::Flush => store.flush().unwrap(),
                Step::Reopen => {
                    drop(store);
                    store = LogStore::open(dir.path(), config, &home().region).unwrap();
                }
            }
        }
        expected.sort();
        let mut query = FilterQuery {
            streams: StreamChoice::All, time: ALWAYS, limit, pattern: FilterPattern::default(), token: None,
        };
        let mut found = Vec::new();
        while !expected.is_empty() {
            let page = store.filter_events(&home(), GROUP, &query).unwrap();
            prop_assert!(page.events.len() <= limit);
            found.extend(page.events.into_iter().map(|filtered| {
                (filtered.event.time_ms, filtered.stream, text(&filtered.event.message).parse::<usize>().unwrap())
            }));
            match page.next {
                Some(next) => query.token = Some(next),
                None => break,
            }
        }
        prop_assert_eq!(found, expected);
    }
}
