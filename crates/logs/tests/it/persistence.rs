//! What survives: restarts, kill -9, torn and damaged files, full disks; and what goes when there is too much.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use hearth_logs::{LogConfig, LogStore};

use crate::scene::{GROUP, Scene, home, segments};

#[test]
fn everything_is_there_after_a_restart() {
    let mut scene = Scene::new();
    for round in 0..3 {
        scene.log("s", round, &format!("{round}"));
        scene = scene.reopen();
    }
    assert_eq!(scene.read("s"), ["0", "1", "2"]);
    assert_eq!(scene.segments(), 3, "a restart begins a new segment, and only if there is something to write");
}

#[test]
fn a_torn_tail_is_cut() {
    let scene = Scene::new();
    scene.log("s", 1, "whole");
    scene.store.flush().unwrap();
    let mut paths = fs::read_dir(scene.dir.path()).unwrap().map(|e| e.unwrap().path());
    let path = paths.find(|path| path.extension().is_some_and(|e| e == "seg")).unwrap();
    let whole = fs::read(&path).unwrap();
    scene.log("s", 2, "torn away");
    scene.store.flush().unwrap();
    let both = fs::read(&path).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for cut in whole.len()..both.len() {
        for entry in fs::read_dir(dir.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        fs::write(dir.path().join(path.file_name().unwrap()), &both[..cut]).unwrap();
        for _ in 0..2 {
            let store = LogStore::open(dir.path(), LogConfig::default(), &home().region).unwrap();
            let found = store.group(&home(), GROUP).unwrap();
            assert_eq!(found.stored_bytes, 5, "cut at {cut}");
        }
    }
}

/// Damages one byte in each file of this suffix: the first of these bytes in it.
fn damage(dir: &Path, suffix: &str, of: &[u8]) {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.to_str().unwrap().ends_with(suffix)) {
        let mut bytes = fs::read(&path).unwrap();
        let Some(at) = bytes.windows(of.len()).position(|window| window == of) else { continue };
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn one_damaged_record_of_events_costs_no_other() {
    for sealed in [true, false] {
        let scene = Scene::new();
        for message in ["first", "second", "third"] {
            scene.log("s", 1, message);
            scene.store.flush().unwrap();
        }
        let Scene { dir, store, home } = scene;
        let copy = tempfile::tempdir().unwrap();
        let paths = || fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let take = || {
            for path in paths() {
                fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
            }
        };
        if sealed {
            drop(store);
            take();
        } else {
            take();
            drop(store);
        }
        damage(copy.path(), ".seg", b"second");
        let store = LogStore::open(copy.path(), LogConfig::default(), &home.region).unwrap();
        let scene = Scene { dir: copy, store, home };
        assert_eq!(scene.read("s"), ["first", "third"], "sealed: {sealed}");
        assert_eq!(scene.filter(scene.query("")), ["first", "third"]);
        assert_eq!(scene.reopen().read("s"), ["first", "third"], "once more");
    }
}

#[test]
fn one_damaged_record_of_the_catalogue_costs_no_other() {
    let scene = Scene::new();
    let tags = std::collections::BTreeMap::new;
    for group in ["/one", "/two", "/three"] {
        scene.store.create_group(&scene.home, group, tags()).unwrap();
    }
    let Scene { dir, store, home } = scene;
    drop(store);
    damage(dir.path(), "catalogue", b"/two");
    let store = LogStore::open(dir.path(), LogConfig::default(), &home.region).unwrap();
    assert!(store.group(&home, "/one").is_some() && store.group(&home, "/three").is_some());
    assert!(store.group(&home, "/two").is_none());
    assert!(dir.path().join("catalogue.damaged").exists(), "what could not be read is kept");
}

#[test]
fn damaged_files_are_no_reason_not_to_start() {
    let scene = Scene::new();
    for number in 0..100 {
        scene.log("s", number, "some message");
    }
    let Scene { dir, store, .. } = scene;
    drop(store);
    let original: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    for seed in 0..200usize {
        for (bytes, path) in &original {
            let mut bytes = bytes.clone();
            let at = seed * 7919 % bytes.len();
            bytes[at] ^= 1 << (seed % 8);
            fs::write(path, bytes).unwrap();
        }
        let store = LogStore::open(dir.path(), LogConfig::default(), &home().region).unwrap();
        let query = hearth_logs::EventsQuery { time: 0..u64::MAX, limit: 1000, start_from_head: true, token: None };
        if let Ok(page) = store.get_events(&home(), GROUP, "s", &query) {
            assert!(page.events.iter().all(|event| &event.message[..] == b"some message"), "damage is not served");
        }
        drop(store);
        for entry in fs::read_dir(dir.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

#[test]
fn the_oldest_segments_go_when_there_are_too_many() {
    let config = LogConfig { segment_bytes: 10_000, total_bytes_max: 50_000, ..LogConfig::default() };
    let scene = Scene::with(config);
    for number in 0..500 {
        scene.log(&format!("s{}", number / 50), number, &"z".repeat(1000));
        if number % 5 == 4 {
            scene.store.flush().unwrap();
        }
    }
    let entries = fs::read_dir(scene.dir.path()).unwrap();
    let total: u64 = entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(total < 60_000, "{total}");
    let left = scene.filter(scene.query("")).len();
    assert!((30..60).contains(&left), "{left}");
    let order = (hearth_logs::StreamOrder::Name, false);
    let choice = hearth_logs::StreamChoice::All;
    let streams = scene.store.streams(&scene.home, GROUP, &choice, order, None, 100).unwrap().streams;
    assert!(streams.len() <= 2, "streams without events are forgotten: {streams:?}");
}

#[test]
fn segments_of_expired_or_deleted_events_go_at_the_next_start() {
    let mut scene = Scene::new();
    scene.log("s", 1, "1970");
    scene = scene.reopen();
    scene.store.set_retention(&scene.home, GROUP, Some(1)).unwrap();
    scene.store.flush().unwrap();
    scene = scene.reopen();
    scene.store.flush().unwrap();
    assert_eq!(scene.segments(), 0);
    scene.store.stream(&scene.home, "gone", "s").append(u64::MAX, "x".into());
    scene = scene.reopen();
    scene.store.delete_group(&scene.home, "gone").unwrap();
    scene = scene.reopen();
    scene.store.flush().unwrap();
    assert_eq!(scene.segments(), 0);
}

#[test]
fn what_put_events_acknowledged_survives_kill_nine() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for _ in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "persistence::puts_without_end", "--nocapture"])
            .env("HEARTH_TEST_LOG_DIR", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let is_put = |line: &String| line == "put.";
        acknowledged += lines.by_ref().filter(is_put).take(50).count();
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged += lines.filter(is_put).count();
        let store = LogStore::open(dir.path(), LogConfig::default(), &home().region).unwrap();
        let stored = store.group(&home(), "g").unwrap().stored_bytes;
        assert!(stored >= acknowledged as u64, "{acknowledged} events were acknowledged, {stored} are there");
        assert_eq!(store.group(&home(), "g").unwrap().retention_days, Some(30));
    }
    assert!(segments(dir.path()) <= 4);
}

/// The child's part of the test above.
#[test]
fn puts_without_end() {
    let Some(dir) = std::env::var_os("HEARTH_TEST_LOG_DIR") else { return };
    let store = LogStore::open(Path::new(&dir), LogConfig::default(), &home().region).unwrap();
    if store.group(&home(), "g").is_none() {
        store.create_group(&home(), "g", [].into()).unwrap();
        store.create_stream(&home(), "g", "s").unwrap();
        store.set_retention(&home(), "g", Some(30)).unwrap();
    }
    let now = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    loop {
        store.put_events(&home(), "g", "s", vec![(now, "x".into())]).unwrap();
        println!("put.");
    }
}

/// The store on a tmpfs of 1 MiB, in a mount namespace of a child's own.
#[test]
fn a_full_disk_loses_events_and_nothing_else() {
    if !Path::new("/proc/self/ns/mnt").exists() || !is_root() {
        println!("skipped: mounting a small file system needs root");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script =
        "mount -t tmpfs -o size=1m tmpfs \"$1\" && exec \"$2\" --exact persistence::on_a_small_disk --nocapture";
    let output = Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(dir.path())
        .arg(std::env::current_exe().unwrap())
        .env("HEARTH_TEST_SMALL_LOG_DISK", dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("got over a full disk"), "{text}");
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

/// The child's part of the test above.
#[test]
fn on_a_small_disk() {
    let Some(dir) = std::env::var_os("HEARTH_TEST_SMALL_LOG_DISK") else { return };
    let dir = Path::new(&dir);
    let store = LogStore::open(&dir.join("logs"), LogConfig::default(), &home().region).unwrap();
    let stream = store.stream(&home(), GROUP, "s");
    stream.append(1, "first".into());
    store.flush().unwrap();
    fs::write(dir.join("filler"), vec![0; 600 << 10]).unwrap();
    let mut written = 0;
    while store.flush().is_ok() {
        stream.append(2, "x".repeat(50_000).into());
        written += 1;
        assert!(written < 100, "the disk is never full");
    }
    fs::remove_file(dir.join("filler")).unwrap();
    stream.append(3, "last".into());
    store.flush().unwrap();
    drop(store);
    let store = LogStore::open(&dir.join("logs"), LogConfig::default(), &home().region).unwrap();
    let query = hearth_logs::EventsQuery { time: 0..u64::MAX, limit: 1000, start_from_head: false, token: None };
    let page = store.get_events(&home(), GROUP, "s", &query).unwrap();
    let messages: Vec<_> = page.events.iter().map(|event| String::from_utf8_lossy(&event.message)).collect();
    assert_eq!(messages.first().unwrap(), "first");
    assert!(messages.iter().any(|message| message == "last"));
    assert!(messages.iter().any(|message| message.contains("log records dropped")));
    println!("got over a full disk");
}
