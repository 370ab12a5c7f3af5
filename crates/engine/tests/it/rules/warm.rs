//! Reuse of sandboxes.

use hearth_engine::{Action, ColdReason, Event, Start};

use crate::harness::{Bench, config, demand, key, made};

#[test]
fn cold_then_warm_in_the_same_sandbox() {
    let mut bench = Bench::new(config());
    let key = key(1, 1, 1);
    let (first, actions) = bench.invoke(demand(&key));
    let sandbox = made(&actions)[0];
    let actions = bench.step(Event::BlankReady { sandbox });
    assert_eq!(actions, [Action::Assign { sandbox, key: key.clone(), ticket: first }]);
    let actions = bench.step(Event::Initialised { sandbox });
    assert_eq!(actions, [Action::Dispatch { sandbox, ticket: first, start: Start::Cold(ColdReason::NoSandbox) }]);
    assert_eq!(bench.finish(sandbox), []);
    let (second, actions) = bench.invoke(demand(&key));
    assert_eq!(actions, [Action::Dispatch { sandbox, ticket: second, start: Start::Warm }]);
    assert_eq!(bench.engine.view().counters.anomalies, 0);
}
