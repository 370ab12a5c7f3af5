//! How likely a call is in the next minute, learned from a day of other people's functions.
//!
//! The table was fitted on one recorded trace with `cargo run --release -p hearth-sim --example fit`; `crates/sim/traces/README.md` names it.

use super::history::{PLACES, Place};

/// One printable character per place: the logarithm of calls per idle minute, from `LEAST` in steps of `STEP`.
static TABLE: &[u8; PLACES] = include_bytes!("prior.txt");
const FIRST: u8 = b'!';
const LEAST: f64 = 1e-6;
const STEP: f64 = 1.2;
const LEVELS: u8 = 92;

/// Calls per idle minute of a sandbox.
pub(super) fn hazard(place: Place) -> f64 {
    level_hazard(TABLE[place.0] - FIRST)
}

fn level_hazard(level: u8) -> f64 {
    LEVEL_HAZARDS[usize::from(level.min(LEVELS))]
}

static LEVEL_HAZARDS: [f64; LEVELS as usize + 1] = {
    let mut hazards = [LEAST; LEVELS as usize + 1];
    let mut level = 1;
    while level <= LEVELS as usize {
        hazards[level] = hazards[level - 1] * STEP;
        level += 1;
    }
    hazards
};

/// The character for a hazard, as the table has it.
pub fn encode(hazard: f64) -> char {
    let level = (hazard.max(LEAST) / LEAST).ln() / STEP.ln();
    let nearest = (0..LEVELS).find(|candidate| level < f64::from(*candidate) + 0.5).unwrap_or(LEVELS);
    char::from(FIRST + nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_level() {
        assert!(TABLE.iter().all(|level| (FIRST..=FIRST + LEVELS).contains(level)));
    }

    #[test]
    fn levels_read_back() {
        for level in 0..=LEVELS {
            assert_eq!(encode(level_hazard(level)), char::from(FIRST + level));
        }
        assert_eq!((encode(0.0), encode(f64::MAX)), (char::from(FIRST), char::from(FIRST + LEVELS)));
    }
}
