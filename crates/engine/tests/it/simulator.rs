//! A node and its callers in virtual time, all from one seed: random durations, crashes, failed and lost sandboxes, slow
//! finishing, late ends, duplicate reports, callers that give up, redeployments. What must hold is asserted at each step by the
//! world, which keeps its own books.

mod capacity;
mod check;
mod perform;
mod random;
mod world;

use world::{World, WorldConfig};

/// The same on every run. `HEARTH_SEEDS` says how many others there shall be (`make simulate`: ten thousand).
const SEEDS: u64 = 1_000;

#[test]
fn invariants_hold_for_a_thousand_seeds() {
    let seeds = std::env::var("HEARTH_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("a number"));
    let mut totals = check::Coverage::default();
    for seed in 0..seeds {
        let mut world = World::new(seed, WorldConfig::from_seed(seed));
        world.run();
        world.end();
        totals.add(&world.coverage);
    }
    totals.assert_everything_happened();
}
