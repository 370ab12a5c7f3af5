//! The traces that come with the project.

use std::path::Path;

use hearth_sim::{Sources, Trace};

#[test]
fn they_hold_what_their_readme_says() {
    for (name, functions, calls) in [
        ("az19_100f_8h_invocations.csv", 100, 339_657),
        ("az19_500f_8h_invocations.csv", 500, 3_037_902),
        ("az19_1350f_24h_A_invocations.csv.gz", 1350, 996_503),
        ("az19_1250f_24h_C_invocations.csv.gz", 1250, 18_279_781),
        ("az21_200_invocations_events.csv", 31, 199),
        ("az21_30_invocations_events.csv", 14, 29),
    ] {
        let calls_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(name);
        let trace = Trace::read(&Sources { calls: calls_file, ..Sources::default() }).expect(name);
        assert_eq!((trace.functions.len(), trace.calls_total()), (functions, calls), "{name}");
    }
}
