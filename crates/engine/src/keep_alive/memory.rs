//! What a policy has learned of a version, as bytes: it outlives the daemon, whose next one may be of another release.
//!
//! Instants are not among it: they mean nothing to another clock, and while nobody ran nothing was learned.

use hearth_types::{AccountId, FunctionName, Home, Region, VersionLabel};
use serde::{Deserialize, Serialize};

use super::bands::Bands;
use super::history::{Facts, History};

/// What was learned of one version. Losing it costs cold starts and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Memory {
    pub account: AccountId,
    pub function: FunctionName,
    pub version: VersionLabel,
    /// Of the code and configuration that were called.
    pub generation: u64,
    /// Only a policy of the same kind can read it.
    pub learned: Vec<u8>,
    /// Last, as older releases wrote none.
    pub region: Region,
}

impl Memory {
    /// Whose function it is, and where.
    pub fn home(&self) -> Home {
        Home::new(self.account.clone(), self.region.clone())
    }
}

/// Names the form of what follows; others are not read.
const FORM: &[u8] = b"idle times 1";

#[derive(Serialize, Deserialize)]
struct Learned {
    /// Seconds.
    cost: f64,
    /// By band, ascending.
    bands: Vec<(u8, Facts)>,
}

/// `None`: nothing that is worth it.
pub(super) fn encode<T>(cost: f64, bands: &Bands<T>, history: impl Fn(&T) -> &History) -> Option<Vec<u8>> {
    let bands = bands.entries().map(|(band, value)| (band, history(value).facts()));
    let bands: Vec<(u8, Facts)> = bands.filter(|(_, facts)| *facts != Facts::default()).collect();
    if bands.is_empty() {
        return None;
    }
    let learned = postcard::to_stdvec(&Learned { cost, bands }).ok()?;
    Some([FORM, &learned].concat())
}

/// `None`: it is of another form, or damaged.
pub(super) fn decode<T>(bytes: &[u8], value: impl Fn(History) -> T) -> Option<(f64, Bands<T>)> {
    let learned: Learned = postcard::from_bytes(bytes.strip_prefix(FORM)?).ok()?;
    let cost = Some(learned.cost).filter(|cost| cost.is_finite() && *cost >= 0.0)?;
    let bands = learned.bands.iter().map(|(band, facts)| Some((*band, value(History::from_facts(facts)?))));
    Some((cost, Bands::from_entries(bands.collect::<Option<Vec<_>>>()?)?))
}

#[cfg(test)]
mod tests {
    use hearth_types::Instant;
    use proptest::prelude::*;

    use super::*;
    use crate::keep_alive::Heir;

    impl Heir for History {
        fn heir(&self) -> Self {
            Self::default()
        }
    }

    fn bands() -> impl Strategy<Value = Bands<History>> {
        prop::collection::vec((1u32..5000, 0u64..200_000), 1..200).prop_map(|idle_times| {
            let (mut bands, mut now) = (Bands::<History>::default(), Instant::ZERO);
            for (rank, seconds) in idle_times {
                let since = now;
                now = since + std::time::Duration::from_secs(seconds);
                bands.of(rank).learn(since, now);
            }
            bands
        })
    }

    /// All but when something was counted last.
    fn facts(bands: &Bands<History>) -> Vec<(u8, Facts)> {
        bands.entries().map(|(band, history)| (band, history.facts())).collect()
    }

    proptest! {
        #[test]
        fn what_was_learned_reads_back(bands in bands(), cost in 0.0f64..100.0, rank in 1u32..5000) {
            let bytes = encode(cost, &bands, |history| history).expect("there is something");
            let (read_cost, read) = decode(&bytes, |history| history).expect("it can be read");
            prop_assert_eq!((read_cost, facts(&read)), (cost, facts(&bands)));
            let (mut bands, mut read) = (bands, read);
            let places = |history: &History| history.places(rank).collect::<Vec<_>>();
            prop_assert_eq!(places(read.of(rank)), places(bands.of(rank)));
        }

        #[test]
        fn damage_is_no_history_or_a_possible_one(bands in bands(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let mut bytes = encode(1.0, &bands, |history| history).expect("there is something");
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(if cut { at } else { bytes.len() });
            if let Some((cost, mut read)) = decode(&bytes, |history| history) {
                prop_assert!(cost.is_finite());
                for history in read.values() {
                    (0..200u64).for_each(|minute| {
                        let now = Instant::ZERO + std::time::Duration::from_secs(60 * minute);
                        history.learn(Instant::ZERO, now);
                        let _place = history.places(1).count();
                    });
                }
            }
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _read = decode(&[FORM, &bytes].concat(), |history| history);
        }
    }

    #[test]
    fn nothing_learned_is_not_kept() {
        assert_eq!(encode(1.0, &Bands::<History>::default(), |history| history), None);
        assert!(decode(b"idle times 2", |history| history).is_none());
    }
}
