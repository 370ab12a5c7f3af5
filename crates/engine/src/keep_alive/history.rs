//! What is remembered of idle times: the last idle times, as places on a grid of ages.

use std::time::Duration;

use hearth_types::Instant;
use serde::{Deserialize, Serialize};

/// Cells below a minute, and where they begin, seconds.
const FIRST: [u64; 6] = [0, 10, 20, 30, 40, 50];
/// Cells of a minute, from the first minute to the second hour; then each is a twentieth longer than the one before.
const MINUTES: usize = 119;
const LATER: usize = 51;
/// Cells of the grid; the last one has no end.
pub const CELLS: usize = FIRST.len() + MINUTES + LATER;
/// Where the cells that are not below a minute begin.
const LONG: usize = FIRST.len();

/// Where each cell begins, seconds since the last use; and where the last one is taken to end.
static STARTS: [u64; CELLS + 1] = starts();

const fn starts() -> [u64; CELLS + 1] {
    let mut starts = [0; CELLS + 1];
    let mut cell = 0;
    while cell <= CELLS {
        starts[cell] = if cell < LONG {
            FIRST[cell]
        } else if cell <= LONG + MINUTES {
            60 * (cell - LONG + 1) as u64
        } else {
            starts[cell - 1] + starts[cell - 1] / 20
        };
        cell += 1;
    }
    starts
}

/// The cell that a time since the last use lies in.
pub fn cell_of(idle: Duration) -> usize {
    let seconds = idle.as_secs();
    if seconds < 60 {
        return usize::try_from(seconds / 10).unwrap_or(0);
    }
    if seconds < 7200 {
        return LONG - 1 + usize::try_from(seconds / 60).unwrap_or(0);
    }
    STARTS[LONG + MINUTES..CELLS].partition_point(|start| *start <= seconds) + LONG + MINUTES - 1
}

/// When the cell begins and how long it is, since the last use.
pub fn bounds(cell: usize) -> (Duration, Duration) {
    let (start, end) = (STARTS[cell], STARTS[cell + 1]);
    (Duration::from_secs(start), Duration::from_secs(end - start))
}

/// The idle times of a version's sandboxes of about one rank: how many ended in each cell. About 200 bytes.
///
/// After a burst many sandboxes are idle at the same time, and the next burst ends it for all of them: that is one gap between
/// bursts, not many, and says as much. So of idle times that overlap and are about as long only the first is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct History {
    counts: [u8; CELLS],
    /// Sum of the counts from a minute on.
    long: u16,
    /// Below a minute; halved when it gets large.
    short: u16,
    /// The cell of the last one of at least a minute.
    last: u8,
    /// When the last one of those that were counted ended.
    counted_at: Instant,
}

impl Default for History {
    fn default() -> Self {
        Self { counts: [0; CELLS], long: 0, short: 0, last: 0, counted_at: Instant::ZERO }
    }
}

/// A cell with so many is halved, with all before it: what is common is learned anew, and does not drive out what is rare.
const COUNT_MAX: u8 = 64;
const SHORT_MAX: u16 = 1024;

impl History {
    /// A sandbox was idle since then, and is needed now. Whether that changed any place.
    pub fn learn(&mut self, since: Instant, now: Instant) -> bool {
        let burst = self.burst();
        let cell = cell_of(now - since);
        if cell < LONG {
            self.short += 1;
            if self.short >= SHORT_MAX {
                self.short /= 2;
            }
            return burst != self.burst();
        }
        if since < self.counted_at && cell.abs_diff(usize::from(self.last)) <= 1 {
            return false;
        }
        self.counted_at = now;
        self.counts[cell] += 1;
        self.last = u8::try_from(cell).unwrap_or(u8::MAX);
        if self.counts[cell] >= COUNT_MAX {
            self.counts[..=cell].iter_mut().for_each(|count| *count /= 2);
        }
        self.long = self.counts.iter().map(|count| u16::from(*count)).sum();
        true
    }

    /// Believes only half of it: the version changed.
    pub fn discount(&mut self) {
        self.counts.iter_mut().for_each(|count| *count = count.div_ceil(2));
        self.long = self.counts.iter().map(|count| u16::from(*count)).sum();
        self.short /= 2;
    }

    /// What it is made of.
    pub(super) fn facts(&self) -> Facts {
        let cells = (0u8..).zip(self.counts).filter(|(_, count)| *count > 0);
        Facts { counts: cells.collect(), short: self.short, last: self.last }
    }

    /// `None` if it cannot be.
    pub(super) fn from_facts(facts: &Facts) -> Option<Self> {
        let mut history = Self { short: facts.short, last: facts.last, ..Self::default() };
        for (cell, count) in &facts.counts {
            let cell = usize::from(*cell);
            if cell < LONG || *count == 0 || *count >= COUNT_MAX {
                return None;
            }
            let place = history.counts.get_mut(cell).filter(|place| **place == 0)?;
            *place = *count;
        }
        history.long = history.counts.iter().map(|count| u16::from(*count)).sum();
        let last = usize::from(history.last);
        let possible = last == 0 || (LONG..CELLS).contains(&last);
        (possible && history.short < SHORT_MAX).then_some(history)
    }

    /// The table's place for each cell of the grid, for sandboxes of this rank.
    pub fn places(&self, rank: u32) -> Places {
        let mut near = [0; CELLS + 2];
        near[1..=CELLS].copy_from_slice(&self.counts);
        let beyond = self.long - u16::from(self.counts[0]);
        let last = (self.last > 0).then_some(usize::from(self.last));
        Places {
            near,
            beyond,
            length: length_class(self.long),
            burst: self.burst(),
            rank: if self.long == 0 && rank <= ALIKE_MAX { 0 } else { rank_class(rank) },
            last,
            cell: 0,
        }
    }

    /// The table's place for one cell.
    pub fn place(&self, rank: u32, cell: usize) -> Place {
        self.places(rank).nth(cell).unwrap_or(Place(0))
    }

    /// Whether calls come in bursts: how common short idle times are beside long ones, if there are any.
    fn burst(&self) -> usize {
        let (short, long) = (u32::from(self.short), u32::from(self.long));
        match () {
            () if short == 0 || long == 0 => 0,
            () if short < 2 * long + 2 => 1,
            () => 2,
        }
    }
}

/// A history as it is written down.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Cells in which any ended, and how many.
    counts: Vec<(u8, u8)>,
    short: u16,
    last: u8,
}

/// A place in the table of hazards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(pub usize);

/// How many classes of each feature there are. A place is a number with these digits.
pub const CLASSES: [usize; 7] = [6, 8, 6, 3, 3, 4, AGES];
/// Classes of ages.
const AGES: usize = 16;
/// Places in the table.
pub const PLACES: usize = CLASSES[0] * CLASSES[1] * CLASSES[2] * CLASSES[3] * CLASSES[4] * CLASSES[5] * CLASSES[6];

impl Place {
    /// The classes it stands for: length of the history, idle times near the age, beyond it, the last one, bursts, rank, age.
    pub fn classes(self) -> [usize; 7] {
        let mut rest = self.0;
        let mut classes = [0; 7];
        for feature in (0..7).rev() {
            classes[feature] = rest % CLASSES[feature];
            rest /= CLASSES[feature];
        }
        classes
    }

    fn new(classes: [usize; 7]) -> Self {
        Self(classes.iter().zip(CLASSES).fold(0, |place, (class, count)| place * count + class))
    }
}

/// Goes through the grid.
#[derive(Clone, Debug)]
pub struct Places {
    /// Idle times that ended in each cell, shifted by one.
    near: [u8; CELLS + 2],
    /// Those after the current cell's right neighbour; before the first, those after the first.
    beyond: u16,
    length: usize,
    burst: usize,
    rank: usize,
    last: Option<usize>,
    cell: usize,
}

impl Iterator for Places {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let cell = self.cell;
        if cell == CELLS {
            return None;
        }
        self.cell += 1;
        let [before, here, after] = [self.near[cell], self.near[cell + 1], self.near[cell + 2]];
        self.beyond = self.beyond.saturating_sub(u16::from(after));
        let last = match self.last {
            None => 0,
            Some(last) if last + 1 < cell => 0,
            Some(last) if last <= cell + 1 => 1,
            Some(_) => 2,
        };
        let near = near_class(2 * here + before + after);
        Some(Place::new([self.length, near, beyond_class(self.beyond), last, self.burst, self.rank, age_class(cell)]))
    }
}

/// Ranks that are treated alike while no long idle time is known: without anything of a version's own, a fixed time for all is hard
/// to beat. Beyond that so much memory is at stake that it matters how rarely so many are needed at a time.
const ALIKE_MAX: u32 = 31;

/// One at a time; two; some; many.
fn rank_class(rank: u32) -> usize {
    match rank {
        0 | 1 => 0,
        2 => 1,
        3..=8 => 2,
        _ => 3,
    }
}

fn length_class(length: u16) -> usize {
    match length {
        0 => 0,
        1 => 1,
        2..=3 => 2,
        4..=9 => 3,
        10..=30 => 4,
        _ => 5,
    }
}

/// Of twice those in the same cell and those in its neighbours.
fn near_class(near: u8) -> usize {
    match near {
        0 => 0,
        1 => 1,
        2 => 2,
        3..=4 => 3,
        5..=9 => 4,
        10..=20 => 5,
        21..=45 => 6,
        _ => 7,
    }
}

fn beyond_class(beyond: u16) -> usize {
    match beyond {
        0 => 0,
        1 => 1,
        2..=4 => 2,
        5..=12 => 3,
        13..=40 => 4,
        _ => 5,
    }
}

/// Ages in about equal ratios, and the first minutes one by one.
fn age_class(cell: usize) -> usize {
    const UPPER: [usize; AGES - 1] = [0, 1, 2, 5, 6, 7, 9, 11, 15, 20, 29, 40, 66, 110, 135];
    UPPER.iter().position(|upper| cell <= *upper).unwrap_or(AGES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_no_holes() {
        for cell in 0..CELLS {
            let (start, length) = bounds(cell);
            assert!(!length.is_zero());
            assert_eq!(cell_of(start), cell);
            assert_eq!(cell_of(start + length - Duration::from_nanos(1)), cell);
        }
        assert_eq!(cell_of(Duration::MAX), CELLS - 1);
        assert!(bounds(CELLS - 1).0 > Duration::from_secs(79_000));
    }

    #[test]
    fn places_and_classes_are_the_same_thing() {
        for place in 0..PLACES {
            assert_eq!(Place::new(Place(place).classes()), Place(place));
        }
    }
}
