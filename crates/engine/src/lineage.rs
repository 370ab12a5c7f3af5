//! Recursion detection: what the `Lineage` of a trace header says of the invocations that led to this one.
//!
//! `Lineage=HOPS:ANCHOR:LOOPS`: invocations in this chain of requests, the hash of one function that is watched, and how often it was
//! met again. SDKs pass the header of the invocation on with every call that the function makes. Only one function is watched at a
//! time; when it is not met again often enough to be part of a loop, the one at the next power of two takes its place, so that
//! whatever repeats is watched sooner or later (Brent's way to find cycles).

use std::fmt;

/// How often a function may be met again in one chain: 16 invocations (Developer Guide, "Recursive loop detection").
const LOOPS_MAX: u8 = 15;
/// As AWS's header has room for.
const HOPS_MAX: u16 = 32_767;
/// Nobody is watched.
const NOBODY: u32 = 0;

/// The invocations that led to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lineage {
    hops: u16,
    anchor: u32,
    loops: u8,
}

impl Lineage {
    /// Of the first invocation of a chain.
    pub fn first(function: u32) -> Self {
        Self { hops: 1, anchor: function, loops: 0 }
    }

    /// The `HOPS:ANCHOR:LOOPS` of a header; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (hops, anchor, loops) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || anchor.len() != 8 {
            return None;
        }
        let hops = hops.parse().ok().filter(|hops| (1..=HOPS_MAX).contains(hops))?;
        Some(Self { hops, anchor: u32::from_str_radix(anchor, 16).ok()?, loops: loops.parse().ok()? })
    }

    /// Of an invocation of `function` that one of this lineage asked for; `None` if that is one too many. A function that may recur is
    /// never watched.
    pub fn next(self, function: u32, may_recur: bool) -> Option<Self> {
        let Self { hops, anchor, loops } = self;
        let hops = hops.saturating_add(1).min(HOPS_MAX);
        if function == anchor && !may_recur {
            return (loops < LOOPS_MAX).then_some(Self { hops, anchor, loops: loops + 1 });
        }
        // Part of a loop of up to 16 functions is met at least once in 16 hops.
        let rarely_met = u32::from(loops) * 16 < u32::from(hops);
        let watch = anchor == NOBODY || (hops.is_power_of_two() && rarely_met);
        Some(match (watch, may_recur) {
            (true, false) => Self { hops, anchor: function, loops: 0 },
            (true, true) => Self { hops, anchor: NOBODY, loops: 0 },
            (false, _) => Self { hops, anchor, loops },
        })
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:08x}:{}", self.hops, self.anchor, self.loops)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many invocations a chain is stopped, within 10,000.
    fn stopped_after(lead: &[u32], cycle: &[u32], may_recur: &[u32]) -> Option<usize> {
        let mut chain = lead.iter().chain(cycle.iter().cycle());
        let mut lineage = Lineage::first(*chain.next()?);
        for invocations in 1..10_000 {
            let function = *chain.next()?;
            match lineage.next(function, may_recur.contains(&function)) {
                Some(next) => lineage = next,
                None => return Some(invocations),
            }
        }
        None
    }

    #[test]
    fn a_function_that_calls_itself_is_stopped_after_sixteen_invocations() {
        assert_eq!(stopped_after(&[7], &[7], &[]), Some(16));
    }

    #[test]
    fn loops_of_any_length_with_any_lead_are_found() {
        for length in [1, 2, 3, 5, 16, 17, 40] {
            for lead in [&[][..], &[100][..], &[100, 100, 101][..], &[100, 101, 102, 103, 104][..]] {
                let cycle: Vec<u32> = (1..=length).collect();
                let stopped = stopped_after(lead, &cycle, &[]).unwrap();
                assert!(stopped <= 64 * cycle.len() + 64, "{length} {lead:?}: {stopped}");
            }
        }
    }

    #[test]
    fn functions_that_may_recur_are_not_stopped_and_do_not_hide_others() {
        assert_eq!(stopped_after(&[], &[1], &[1]), None);
        assert_eq!(stopped_after(&[], &[1, 2], &[1, 2]), None);
        assert!(stopped_after(&[], &[1, 2], &[1]).is_some());
        assert!(stopped_after(&[], &[1, 2], &[2]).is_some());
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let lineage = Lineage::parse("3:00c0ffee:2").unwrap();
        assert_eq!(lineage.to_string(), "3:00c0ffee:2");
        for junk in
            ["", "1", "1:2", "1:0000000g:0", "0:00000001:0", "99999:00000001:0", "1:00000001:256", "1:00000001:0:0"]
        {
            assert_eq!(Lineage::parse(junk), None, "{junk}");
        }
    }
}
