//! What is remembered of a version by rank: sandboxes that are in use whenever there is anything to do and those that only the
//! tenth call at a time needs have idle times that have nothing to do with each other.

/// Ranks that are told apart one by one.
const SINGLE: u32 = 4;
/// Bands of an octave beyond them, by the bits that follow the first.
const BITS: u32 = 2;

/// A value for each band of ranks that was met: the first four ranks, then a quarter of an octave each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bands<T>(Vec<(u8, T)>);

impl<T> Default for Bands<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What is known of a band that was not met before.
pub trait Heir: Default {
    /// Given the next lower band that was.
    fn heir(&self) -> Self;
}

impl<T> Bands<T> {
    /// With their bands, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u8, &T)> {
        self.0.iter().map(|(band, value)| (*band, value))
    }

    /// `None` if they are not in order, or of bands that there are not.
    pub(super) fn from_entries(entries: Vec<(u8, T)>) -> Option<Self> {
        let ascend = entries.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let exist = entries.iter().all(|(band, _)| *band <= band_of(u32::MAX));
        (ascend && exist).then_some(Self(entries))
    }
}

impl<T: Heir> Bands<T> {
    /// The value of the rank's band. One that is new takes after the next lower one, if there is any.
    pub fn of(&mut self, rank: u32) -> &mut T {
        let band = band_of(rank);
        let place = match self.0.binary_search_by_key(&band, |(band, _)| *band) {
            Ok(place) => place,
            Err(place) => {
                let lower = place.checked_sub(1).map(|lower| self.0[lower].1.heir());
                self.0.insert(place, (band, lower.unwrap_or_default()));
                place
            }
        };
        &mut self.0[place].1
    }

    /// Those that there are, in order.
    pub fn values(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

/// Less than 128.
fn band_of(rank: u32) -> u8 {
    let rank = rank.max(1);
    let band = if rank <= SINGLE {
        rank
    } else {
        let octave = rank.ilog2();
        (octave << BITS) | ((rank >> (octave - BITS)) & ((1 << BITS) - 1))
    };
    u8::try_from(band).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_grow_with_the_rank() {
        let bands: Vec<u8> = (0..=20).map(band_of).collect();
        assert_eq!(bands, [1, 1, 2, 3, 4, 9, 10, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 16, 16, 17]);
        assert!((1..100_000).all(|rank| band_of(rank) <= band_of(rank + 1)));
        assert_eq!(band_of(u32::MAX), 127);
    }

    impl Heir for u32 {
        fn heir(&self) -> Self {
            self / 2
        }
    }

    #[test]
    fn each_band_has_a_value_of_its_own() {
        let mut bands = Bands::<u32>::default();
        *bands.of(9) += 1;
        *bands.of(2) += 10;
        *bands.of(8) += 100;
        assert_eq!(bands.values().map(|value| *value).collect::<Vec<u32>>(), [10, 101]);
        assert_eq!(*bands.of(1), 0, "nothing is lower");
        assert_eq!([*bands.of(7), *bands.of(50)], [5, 50]);
        *bands.of(2) = 0;
        assert_eq!(*bands.of(7), 5, "only once");
    }
}
