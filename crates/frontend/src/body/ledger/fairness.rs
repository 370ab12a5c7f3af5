//! Which unproven bodies give way though they move: those of who sends more of them than its part, to who sends less.
//!
//! Anybody may name any key, and many of them. So the addresses that bodies come from share the memory first, then the keys that are named
//! from one address. The largest body of each goes on in any case: no two large ones take the room from each other in turn.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use tokio::time::Instant;

use super::Holder;
use super::pots::{Moving, Pot, Source, State};

/// Who sends an unproven body.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Claimant {
    /// The access key that is named.
    key: String,
    /// The first 64 bits of an address of IPv6: whoever has one has all that begin alike.
    network: IpAddr,
}

impl Claimant {
    pub(crate) fn new(key: &str, address: IpAddr) -> Self {
        let network = match address {
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(address) => IpAddr::V4(address),
                None => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
            },
            IpAddr::V4(_) => address,
        };
        Self { key: key.to_owned(), network }
    }
}

/// One who has more than its part, and what part that is.
struct Greedy<'a> {
    of: Box<dyn Fn(&Claimant) -> bool + 'a>,
    held: usize,
    part: usize,
}

impl State {
    /// Gives up bodies of whoever has most above its part, the slowest first, until so many bytes are free.
    pub(super) fn give_up_excess(&self, source: &Source, wanted: usize) {
        let Some(Greedy { of, mut held, part }) = self.greedy(source) else { return };
        let mut theirs: Vec<&Moving> =
            self.rivals(source.size).filter(|(_, whose)| of(whose)).map(|(body, _)| body).collect();
        theirs.sort_by_key(|body| std::cmp::Reverse(body.held));
        let mut spare: Vec<&Moving> = theirs.into_iter().skip(1).filter(|body| !body.given_up.is_cancelled()).collect();
        let now = Instant::now();
        spare.sort_by(|one, other| one.pace.rate(now).total_cmp(&other.pace.rate(now)));
        let mut freed = 0;
        for body in spare {
            if freed >= wanted || held <= part {
                break;
            }
            (freed, held) = (freed + body.held, held - body.held);
            body.given_up.cancel();
        }
    }

    /// Whether a body has to leave what is free to others, which have less than their part and wait.
    pub(super) fn yields(&self, id: u64, source: &Source) -> bool {
        let Holder::Claimed(own) = &source.holder else { return false };
        let Some(all) = self.pots(source)[1].map(Pot::max) else { return false };
        let rivals = || self.rivals(source.size);
        if !rivals().any(|(body, whose)| body.waits && whose != own) {
            return false;
        }
        let held = self.moving.get(&id).map_or(0, |body| body.held);
        let by_network = totals(rivals().map(|(body, whose)| (&whose.network, body.held)), &own.network);
        let part = all / by_network.len();
        let waits = |(body, whose): (&Moving, &Claimant)| body.waits && by_network[&whose.network] < part;
        if by_network[&own.network] > part && rivals().any(waits) {
            return rivals().any(|(body, whose)| whose.network == own.network && body.held > held);
        }
        let near = || rivals().filter(|(_, whose)| whose.network == own.network);
        let by_key = totals(near().map(|(body, whose)| (&whose.key, body.held)), &own.key);
        let part = part / by_key.len();
        let waits = |(body, whose): (&Moving, &Claimant)| body.waits && by_key[&whose.key] < part;
        by_key[&own.key] > part && near().any(waits) && near().any(|(body, whose)| whose == own && body.held > held)
    }

    /// Who stands in the way of `source`, which has less than its part.
    fn greedy<'a>(&'a self, source: &'a Source) -> Option<Greedy<'a>> {
        let Holder::Claimed(asker) = &source.holder else { return None };
        let all = self.pots(source)[1]?.max();
        let by_network =
            totals(self.rivals(source.size).map(|(body, whose)| (&whose.network, body.held)), &asker.network);
        if let Some((network, held, part)) = heaviest(&by_network, &asker.network, all) {
            return Some(Greedy { of: Box::new(move |whose| whose.network == *network), held, part });
        }
        let near = self.rivals(source.size).filter(|(_, whose)| whose.network == asker.network);
        let by_key = totals(near.map(|(body, whose)| (&whose.key, body.held)), &asker.key);
        let (key, held, part) = heaviest(&by_key, &asker.key, all / by_network.len())?;
        let of = move |whose: &Claimant| whose.network == asker.network && whose.key == *key;
        Some(Greedy { of: Box::new(of), held, part })
    }

    /// Unproven bodies out of the same pot.
    fn rivals(&self, size: usize) -> impl Iterator<Item = (&Moving, &Claimant)> {
        self.moving.values().filter(move |body| body.source.size == size).filter_map(|body| match &body.source.holder {
            Holder::Claimed(whose) => Some((body, whose)),
            Holder::Account(_) | Holder::Operator => None,
        })
    }
}

fn totals<'a, K: Eq + Hash>(bodies: impl Iterator<Item = (&'a K, usize)>, asker: &'a K) -> HashMap<&'a K, usize> {
    let mut totals = HashMap::from([(asker, 0)]);
    for (whose, held) in bodies {
        *totals.entry(whose).or_default() += held;
    }
    totals
}

/// Who has most, if that is more than an equal part of `all` and `asker` has less; with what it has and the part.
fn heaviest<'a, K: Eq + Hash>(totals: &HashMap<&'a K, usize>, asker: &K, all: usize) -> Option<(&'a K, usize, usize)> {
    let part = all / totals.len();
    let (heaviest, held) = totals.iter().max_by_key(|(_, held)| **held)?;
    let applies = totals.get(asker).is_some_and(|held| *held < part) && *held > part;
    applies.then_some((*heaviest, *held, part))
}
