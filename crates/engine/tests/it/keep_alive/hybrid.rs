//! The histogram policy against a model that keeps every idle time and sorts.

use std::time::Duration;

use hearth_engine::keep_alive::{Choice, Found, Idle, Keep, Known, Policy, Rest};
use hearth_types::Instant;
use proptest::prelude::*;

use crate::harness::key;

const VERSION: Known = Known(3);
const HOURS_4: u64 = 240 * 60;

/// Load after, keep until, in seconds since the last use.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Window {
    load_after: f64,
    keep_until: f64,
}

fn count(items: usize) -> f64 {
    f64::from(u32::try_from(items).expect("few"))
}

fn naive(idle_times: &[u64]) -> Window {
    let whole = Window { load_after: 0.0, keep_until: 14_400.0 };
    let (mut inside, beyond): (Vec<u64>, Vec<u64>) = idle_times.iter().partition(|seconds| **seconds < HOURS_4);
    if beyond.len() > inside.len() {
        let last: Vec<f64> =
            beyond.iter().rev().take(8).map(|seconds| Duration::from_secs(*seconds).as_secs_f64()).collect();
        let mean = last.iter().sum::<f64>() / count(last.len());
        return if last.len() < 2 { whole } else { Window { load_after: mean * 0.85, keep_until: mean * 1.15 } };
    }
    inside.sort_unstable();
    let minutes: Vec<u64> = inside.iter().map(|seconds| seconds / 60).collect();
    let mean = count(minutes.len()) / 240.0;
    let squares: f64 = (0..240u64)
        .map(|minute| (count(minutes.iter().filter(|other| **other == minute).count()) - mean).powi(2))
        .sum();
    if minutes.len() < 10 || (squares / 240.0).sqrt() / mean < 2.0 {
        return whole;
    }
    let at = |share: f64| {
        let wanted = share * count(minutes.len());
        let index = (1..=minutes.len()).find(|seen| count(*seen) >= wanted).expect("the last one reaches it");
        count(usize::try_from(minutes[index - 1]).expect("small"))
    };
    Window { load_after: at(0.05) * 60.0 * 0.9, keep_until: (at(0.99) + 1.0) * 60.0 * 1.1 }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn near(a: Instant, b: Instant) -> bool {
    a.since(b).max(b.since(a)) < Duration::from_millis(1)
}

/// What the policy does with a sandbox that became idle at `now`, and with the one loaded in its place, as the engine asks it.
fn check(policy: &mut dyn Policy, expected: Window, now: Instant) {
    let idle = Idle { version: VERSION, rest: Rest { since: now, rank: 1 }, memory_mib: 128 };
    let end = now + seconds(expected.keep_until);
    match policy.idle(idle, now) {
        Keep::Until { at, .. } => assert!(expected.load_after == 0.0 && near(at, end), "{expected:?}"),
        Keep::End => {
            assert!(expected.load_after > 0.0);
            let at = policy.load_at(VERSION, now).expect("to be loaded");
            assert!(near(at, now + seconds(expected.load_after)), "{expected:?}");
            assert_eq!(policy.load(VERSION, at), Some(idle.rest));
            assert_eq!(policy.load(VERSION, at), None, "one stands for one");
            assert!(matches!(policy.idle(idle, at), Keep::Until { at, .. } if near(at, end)));
        }
    }
    assert_eq!(policy.review(idle, end + Duration::from_millis(1)), Keep::End);
}

proptest! {
    #[test]
    fn windows_are_those_of_the_histogram(
        idle_times in prop::collection::vec(prop_oneof![
            4 => 0u64..60,
            2 => 1_700u64..2_000,
            1 => 0u64..14_400,
            2 => 14_000u64..40_000,
        ], 0..40),
        regular in prop::option::of(0u64..14_000),
    ) {
        let mut policy = Choice::Hybrid.policy();
        policy.meet(VERSION, &key(1, 1, 1), None);
        let mut now = Instant::from_nanos(1_000_000_000);
        let mut seen = Vec::new();
        check(&mut *policy, naive(&seen), now);
        for idle in idle_times {
            let idle = regular.map_or(idle, |regular| regular + idle % 60);
            now = now + Duration::from_secs(idle);
            seen.push(idle);
            policy.arrived(VERSION, now, Found::Nothing);
            policy.arrived(VERSION, now, Found::Nothing);
            now = now + Duration::from_millis(10);
            check(&mut *policy, naive(&seen), now);
        }
    }
}
