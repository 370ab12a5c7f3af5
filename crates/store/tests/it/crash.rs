//! What was acknowledged is there after `kill -9`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use hearth_store::{Embedded, Store, Write};

const ROUNDS: usize = 5;
const WRITERS: u64 = 8;

/// Kills a process in the midst of commits, over and over in one directory.
#[test]
fn acknowledged_commits_survive_kill_nine() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        acknowledged.extend(commit_until_killed(dir.path(), round));
        runtime.block_on(check(dir.path(), &acknowledged));
    }
}

fn commit_until_killed(dir: &Path, round: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::commits_without_end", "--nocapture"])
        .env("HEARTH_TEST_CRASH_DIR", dir)
        .env("HEARTH_TEST_CRASH_ROUND", round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let is_key = |line: &String| line.starts_with("key ");
    let mut acknowledged: Vec<String> = lines.by_ref().filter(is_key).take(300 + 50 * round).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines.filter(|line| is_key(line) && line.ends_with('.')));
    acknowledged
}

async fn check(dir: &Path, acknowledged: &[String]) {
    let store = Embedded::open(dir).unwrap();
    for key in acknowledged {
        assert!(store.get("p", key).await.unwrap().is_some(), "{key:?} was acknowledged and is gone");
    }
    let records = store.read_log("p", "log", 0, usize::MAX).await.unwrap();
    let messages: u64 = store.queues("p").await.unwrap().iter().map(|queue| queue.messages).sum();
    let keys = store.list("p", "key ", None, usize::MAX).await.unwrap().len();
    assert_eq!(records.len(), keys, "commits are all or nothing");
    assert_eq!(messages, keys as u64, "commits are all or nothing");
    assert!(records.iter().enumerate().all(|(index, record)| record.sequence == index as u64));
}

/// The child's part of the test above: prints each key once its commit is acknowledged.
#[test]
fn commits_without_end() {
    let Some(dir) = std::env::var_os("HEARTH_TEST_CRASH_DIR") else { return };
    let round = std::env::var("HEARTH_TEST_CRASH_ROUND").unwrap();
    let store = Embedded::open(Path::new(&dir)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let write = async |writer: u64| {
        for number in 0..u64::MAX {
            let key = format!("key {round} {writer} {number}.");
            let writes = vec![
                Write::Put { key: key.clone(), value: vec![b'v'; 300].into() },
                Write::Append { log: "log".to_owned(), record: key.clone().into() },
                Write::Enqueue {
                    queue: "q".to_owned(),
                    id: key.clone(),
                    body: vec![b'b'; 1500].into(),
                    delay: std::time::Duration::ZERO,
                },
            ];
            store.commit("p", vec![], writes).await.unwrap();
            println!("{key}");
        }
    };
    runtime.block_on(async {
        let mut tasks: Vec<_> = (0..WRITERS).map(|writer| Box::pin(write(writer))).collect();
        std::future::poll_fn(|context| {
            for task in &mut tasks {
                assert!(task.as_mut().poll(context).is_pending());
            }
            std::task::Poll::<()>::Pending
        })
        .await;
    });
}
