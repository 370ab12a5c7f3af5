//! Whatever ends before the runtime has the event, the call runs elsewhere.

use std::sync::Arc;

use hearth_engine::EngineConfig;
use hearth_engine::port::{Prepared, Templates as _};

use crate::host::{Host, MEMORY_MIB, eventually};
use crate::sandboxes::{Sandboxes, Step, Victim};

const ORDINARY: [Step; 7] =
    [Step::Making, Step::Lying, Step::Limits, Step::Attaching, Step::Attached, Step::Initialising, Step::Initialised];
const FROM_TEMPLATE: [Step; 3] = [Step::Restoring, Step::Restored, Step::Initialised];
const BLANKS: usize = 4;

fn host(blanks: usize, sandboxes: Arc<Sandboxes>) -> Host {
    Host::new(EngineConfig { blanks_per_root: blanks, ..EngineConfig::default() }, sandboxes)
}

async fn host_with_blanks(sandboxes: Arc<Sandboxes>) -> Host {
    let host = host(BLANKS, sandboxes);
    eventually("blank sandboxes lie ready", async || host.engine().await["sandboxes"]["blank"] == BLANKS).await;
    host
}

/// Nothing of it is left, and the engine has seen nothing that cannot be.
async fn assert_sound(host: &Host, what: &str) {
    assert!(host.sandboxes.plan_is_done(), "{what}: nobody came there");
    host.call(host.spec(99)).await.unwrap_or_else(|error| panic!("{what}: the next call: {error}"));
    assert_eq!(host.engine().await["counters"]["anomalies"], 0, "{what}");
    host.node.drain(std::time::Duration::from_secs(10)).await;
    assert_eq!(host.sandboxes.count(), 0, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_sandbox_or_launcher_dies_before_the_runtime_has_it_runs_elsewhere() {
    for step in ORDINARY {
        for victim in [Victim::Sandbox, Victim::Launcher] {
            for times in [1, 2, 4] {
                let what = format!("{victim:?} dies {times} times: {step:?}");
                let sandboxes = Sandboxes::new();
                if step == Step::Lying {
                    // Nobody knows before they are needed.
                    sandboxes.plan(step, victim, times);
                }
                // Or it is made while the call waits.
                let host = if step == Step::Making { host(0, sandboxes) } else { host_with_blanks(sandboxes).await };
                if step != Step::Lying {
                    host.sandboxes.plan(step, victim, times);
                }
                host.call(host.spec(1)).await.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_sound(&host, &what).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_where_it_starts_from_a_template() {
    for step in FROM_TEMPLATE {
        for victim in [Victim::Sandbox, Victim::Launcher] {
            let what = format!("{victim:?} dies: {step:?}");
            let host = host_with_blanks(Sandboxes::new()).await;
            let spec = host.spec(1);
            assert_eq!(host.node.prepare(spec.clone()).await.unwrap(), Prepared::FromTemplate);
            host.sandboxes.plan(step, victim, 1);
            host.call(spec).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_sound(&host, &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_a_sandbox_that_cannot_be_destroyed_stays_reserved_until_it_can() {
    let memory_mib_max = u64::from(MEMORY_MIB);
    let engine = EngineConfig { memory_mib_max, blanks_per_root: 0, ..EngineConfig::default() };
    let host = Host::new(engine, Sandboxes::new());
    host.call(host.spec(1)).await.unwrap();
    host.sandboxes.set_stubborn(true);
    // It needs the place of the first.
    let second = host.call(host.spec(2));
    tokio::pin!(second);
    let tried_in_vain = async || {
        let engine = host.engine().await;
        engine["counters"]["evicted"].as_u64() == Some(1) && engine["memory_mib"] == MEMORY_MIB
    };
    tokio::select! {
        result = &mut second => panic!("there was no room: {result:?}"),
        () = eventually("the first is to make room", tried_in_vain) => {}
    }
    assert_eq!(host.sandboxes.count(), 1);
    host.sandboxes.set_stubborn(false);
    second.await.unwrap();
    host.node.drain(std::time::Duration::from_secs(10)).await;
    assert_eq!(host.sandboxes.count(), 0);
}
