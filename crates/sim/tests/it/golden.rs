//! Small traces whose figures can be worked out by hand.

use std::path::PathBuf;
use std::time::Duration;

use hearth_sim::{NodeModel, Outcome, PolicyName, Row, Sources, Trace, compare, replay};
use proptest::prelude::*;

/// One function of 1024 MiB, called for a second each, at 0, 100, 200 and 1000 s, and until 1200 s there is another.
const EVENTS: &str = "app,func,end_timestamp,duration\na,f,1,1\na,f,101,1\na,f,201,1\na,f,1001,1\na,g,1200,10\n";
const MEMORY: &str = "HashFunction,HashOwner,HashApp,AverageAllocatedMb\nf,o,a,1024\ng,o,a,512\n";

pub(crate) fn trace(calls: &str, memory: &str) -> Trace {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str, text: &str| -> PathBuf {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let memory = path("m.csv", memory);
    let sources = Sources { calls: path("calls.csv", calls), memory: Some(memory), ..Sources::default() };
    Trace::read(&sources).expect("a trace")
}

fn model() -> NodeModel {
    NodeModel { start: Duration::from_secs(2), blank: Duration::ZERO, ..NodeModel::default() }
}

fn outcome(policy: &str, model: &NodeModel) -> Outcome {
    let trace = trace(EVENTS, MEMORY);
    let policy: PolicyName = policy.parse().expect("a policy");
    replay(&trace, model, policy.policy(&trace, model))
}

fn figures(policy: &str) -> (u64, u64, u64) {
    let outcome = outcome(policy, &model());
    assert_eq!((outcome.invocations, outcome.failed), (5, 0), "{policy}");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and small")]
    let idle = outcome.idle_gib_s().round() as u64;
    (outcome.cold_starts, idle, outcome.loads_ahead)
}

#[test]
fn fixed_times() {
    // Starts at 0 (runs from 2 to 3), warm at 100 and 200, again at 1000 (to 1003), and g at 1190.
    assert_eq!(figures("fixed:300"), (3, 97 + 99 + 300 + 197, 0));
    assert_eq!(figures("fixed:50"), (5, 50 * 4, 0));
    assert_eq!(figures("fixed:900"), (2, 97 + 99 + 799 + 199, 0));
    assert_eq!(figures("never"), figures("fixed:900"));
}

#[test]
fn a_cache_keeps_everything_that_fits() {
    assert_eq!(figures("greedy-dual"), figures("never"));
    assert_eq!(figures("greedy-dual:1000"), (5, 0, 0));
}

#[test]
fn the_oracle_loads_just_before_each_call() {
    // The first call of each function cannot be foreseen; others are loaded four seconds ahead and are ready after two.
    assert_eq!(figures("oracle"), (2, 3 * 2, 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_has_fewer_cold_starts_than_the_oracle(
        calls in prop::collection::vec((0u8..3, 1u64..4_000, 1u64..300), 1..120)
    ) {
        let line = |(function, arrives, takes): &(u8, u64, u64)| format!("a,f{function},{},{takes}\n", arrives + takes);
        let lines: String = calls.iter().map(line).collect();
        let trace = trace(&format!("app,func,end_timestamp,duration\n{lines}"), MEMORY);
        let cold = |name: &str| {
            let (policy, model) = (name.parse::<PolicyName>().expect("a policy"), NodeModel::default());
            replay(&trace, &model, policy.policy(&trace, &model)).cold_starts
        };
        let least = cold("oracle");
        for policy in ["never", "fixed:600", "hybrid", "hearth", "hearth:0.01"] {
            prop_assert!(least <= cold(policy), "{least}, and fewer under {policy}");
        }
    }
}

#[test]
fn what_is_loaded_too_late_is_a_cold_start() {
    let (trace, policy) = (trace(EVENTS, MEMORY), "oracle".parse::<PolicyName>().expect("a policy"));
    // Told that a start takes a second, it loads two seconds ahead; a start takes five.
    let slow = NodeModel { start: Duration::from_secs(5), ..model() };
    let told = NodeModel { start: Duration::from_secs(1), ..model() };
    let outcome = replay(&trace, &slow, policy.policy(&trace, &told));
    assert_eq!((outcome.cold_starts, outcome.loads_ahead), (5, 3));
    assert_eq!(outcome.start_delay(600), Duration::from_secs(3), "what was left of it");
    assert_eq!(outcome.start_delay(1000), Duration::from_secs(5));
    let row = Row::new(&trace.name, "oracle", &outcome);
    assert_eq!((row.cold_starts, row.loads_ahead, row.starts), (5, 3, 8));
}

#[test]
fn cold_starts_delay_and_warm_ones_do_not() {
    let outcome = outcome("fixed:300", &model());
    assert_eq!(outcome.start_delay(400), Duration::ZERO);
    assert_eq!(outcome.start_delay(410), Duration::from_secs(2));
    assert_eq!(outcome.start_delay(1000), Duration::from_secs(2));
}

#[test]
fn one_core_starts_one_sandbox_at_a_time() {
    let calls = "app,func,end_timestamp,duration\na,f,10,9\na,f,10,9\na,f,10,9\n";
    let trace = trace(calls, MEMORY);
    let model = NodeModel { cores: 1, ..model() };
    let policy: PolicyName = "never".parse().expect("a policy");
    let outcome = replay(&trace, &model, policy.policy(&trace, &model));
    // Blank ones take no time, and each start two seconds after the one before.
    assert_eq!([333, 666, 1000].map(|per_mille| outcome.start_delay(per_mille).as_secs()), [2, 4, 6]);
}

#[test]
fn memory_that_is_short_evicts() {
    let model = NodeModel { memory_mib: 1100, ..model() };
    let outcome = outcome("never", &model);
    assert_eq!((outcome.evictions > 0, outcome.cold_starts), (true, 2));
}

#[test]
fn equal_seeds_give_equal_rows_and_faults_cost_something() {
    let minutes: Vec<String> = (1..=180).map(|minute| minute.to_string()).collect();
    let counts = |every: usize| -> Vec<String> {
        (0..180).map(|minute| if minute % every == 0 { "3" } else { "0" }.to_owned()).collect()
    };
    let row = |name: &str, every: usize| format!("o,a,{name},timer,{}", counts(every).join(","));
    let calls =
        format!("HashOwner,HashApp,HashFunction,Trigger,{}\n{}\n{}\n", minutes.join(","), row("f", 1), row("g", 45));
    let trace = [trace(&calls, MEMORY)];
    let policies: Vec<PolicyName> =
        ["fixed:600", "hybrid", "hearth", "oracle"].iter().map(|name| name.parse().expect("a policy")).collect();
    let rows = |faults| -> Vec<Row> { compare(&trace, &policies, &NodeModel { faults, ..NodeModel::default() }) };
    assert_eq!(trace[0].calls_total(), 3 * 180 + 3 * 4);
    assert_eq!(rows(None), rows(None));
    assert_eq!(rows(Some(7)), rows(Some(7)));
    for (whole, faulty) in rows(None).iter().zip(rows(Some(7))) {
        assert_eq!((whole.invocations, whole.failed), (552, 0));
        assert!(faulty.start_delay_p99_ms >= whole.start_delay_p99_ms, "{faulty:?}");
    }
    let cold = |rows: Vec<Row>| -> u64 { rows.iter().map(|row| row.cold_starts).sum() };
    assert!(cold(rows(Some(7))) > cold(rows(None)));
}
