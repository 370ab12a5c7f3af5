//! What one function does to the others on its node: it logs faster than that is taken, or hangs.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::EngineConfig;
use hearth_engine::port::{Prepared, Templates as _};
use hearth_types::VersionSpec;

use crate::host::{Host, eventually};
use crate::sandboxes::Sandboxes;

/// The numbers among a function's lines.
fn numbers(lines: &[String]) -> Vec<u64> {
    lines.iter().filter_map(|line| line.trim().parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_logs_more_than_is_taken_at_once_loses_nothing() {
    let host = Host::new(EngineConfig::default(), Sandboxes::new());
    let spec = host.spec(1);
    host.call_with(spec.clone(), "\"log 50000\"").await.unwrap();
    assert_eq!(numbers(&host.log_of(&spec)), (0..50_000).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_beside_many_that_log_without_pause() {
    let host = Arc::new(Host::new(EngineConfig::default(), Sandboxes::new()));
    let flood = futures_util::future::join_all((1..=20).map(|number| {
        let host = Arc::clone(&host);
        async move { host.call_with(host.spec(number), "\"log 4000000000\"").await }
    }));
    let quiet = async {
        for _ in 0..100 {
            host.call(host.spec(99)).await.unwrap();
        }
    };
    // They are never answered.
    tokio::select! {
        _ = flood => panic!("such floods have no end"),
        () = quiet => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_that_is_ended_is_kept_without_a_gap_and_says_that_its_end_is_missing() {
    let host = Host::new(EngineConfig::default(), Sandboxes::new());
    let spec = Arc::new(VersionSpec { timeout_ms: 1000, ..(*host.spec(1)).clone() });
    host.call_with(spec.clone(), "\"log 4000000000\"").await.unwrap();
    let is_told = |line: &String| line.starts_with("[hearth] log records were dropped");
    eventually("the log says so", async || host.log_of(&spec).iter().any(is_told)).await;
    let lines = host.log_of(&spec);
    let kept = numbers(&lines);
    assert_eq!(kept, (0..kept.len() as u64).collect::<Vec<u64>>());
    assert!(lines.iter().any(|line| line.contains("Status: timeout")), "{:?}", lines.last());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn others_are_called_while_one_does_not_thaw() {
    let engine = EngineConfig { freeze_after: Duration::from_millis(1), ..EngineConfig::default() };
    let host = Host::new(engine, Sandboxes::new());
    host.call(host.spec(1)).await.unwrap();
    eventually("it is frozen", async || host.engine().await["sandboxes"]["frozen"] == 1).await;
    host.sandboxes.set_thaws_stuck(true);
    let others = async {
        eventually("its thaw hangs", async || host.sandboxes.stuck_thaws() == 1).await;
        host.call(host.spec(2)).await.unwrap();
        host.sandboxes.set_thaws_stuck(false);
    };
    let (answer, ()) = tokio::join!(host.call(host.spec(1)), others);
    answer.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_gives_way_to_calls() {
    let host = Host::new(EngineConfig::default(), Sandboxes::new());
    let own = rustix::process::getpriority_process(None).unwrap();
    assert_eq!(host.node.prepare(host.spec(1)).await.unwrap(), Prepared::FromTemplate);
    let saves = host.sandboxes.saves();
    assert!(matches!(saves[..], [(false, niceness)] if niceness > own), "{saves:?}");
}
