//! How quickly clients send or read, and who gives way because it stalls.

use std::time::Duration;

use tokio::time::Instant;

use super::pots::{Moving, Source, State};

/// Where others need room, a client must send something within this time,
const SEND_PAUSE_MAX: Duration = Duration::from_secs(1);
/// or read something within this one, as the kernels on the way there tell of what was read in large steps;
const READ_PAUSE_MAX: Duration = Duration::from_secs(5);
/// and from this time on so many bytes per second.
const SLOW_AFTER: Duration = Duration::from_secs(2);
const RATE_MIN: f64 = 32.0 * 1024.0;

/// How a body's client keeps up.
#[derive(Debug)]
pub(super) struct Pace {
    pause_max: Duration,
    moved: usize,
    /// For how long the client was waited for, without `since`.
    waited: Duration,
    /// It is being waited for.
    since: Option<Instant>,
}

impl Pace {
    /// Of a client that sends.
    pub(super) const SENDING: Self = Self::of(SEND_PAUSE_MAX);
    /// Of a client that reads.
    pub(super) const READING: Self = Self::of(READ_PAUSE_MAX);

    const fn of(pause_max: Duration) -> Self {
        Self { pause_max, moved: 0, waited: Duration::ZERO, since: None }
    }

    pub(super) fn await_client(&mut self) {
        self.since = Some(Instant::now());
    }

    /// For how long it was waited for in all.
    pub(super) fn heard(&mut self, bytes: usize) -> Duration {
        self.moved += bytes;
        self.waited += self.since.take().map(|since| since.elapsed()).unwrap_or_default();
        self.waited
    }

    /// Bytes per second for which the client was waited for.
    pub(super) fn rate(&self, now: Instant) -> f64 {
        let waited = self.waited + self.since.map(|since| now - since).unwrap_or_default();
        self.moved as f64 / waited.as_secs_f64().max(0.001)
    }

    /// The rate of a client that has stalled, bytes per second.
    fn stalled(&self, now: Instant) -> Option<f64> {
        let pause = now - self.since?;
        let waited = self.waited + pause;
        let rate = self.rate(now);
        (pause >= self.pause_max || (waited >= SLOW_AFTER && rate < RATE_MIN)).then_some(rate)
    }
}

impl Moving {
    fn stalled(&self, now: Instant) -> Option<f64> {
        if self.given_up.is_cancelled() { None } else { self.pace.stalled(now) }
    }
}

impl State {
    /// Gives up bodies whose clients stall, the slowest first, until so many bytes are free for another.
    pub(super) fn give_up_stalled(&mut self, source: &Source, but: u64, inner_has_room: bool, wanted: usize) {
        let now = Instant::now();
        let proven = source.holder.is_proven();
        let near = |other: &Source| {
            let kin = if inner_has_room { other.holder.is_proven() == proven } else { other.holder == source.holder };
            kin && other.size == source.size
        };
        let moving = self.moving.iter().filter(|(id, other)| **id != but && near(&other.source));
        let mut stalled: Vec<(f64, &Moving)> =
            moving.filter_map(|(_, other)| Some((other.stalled(now)?, other))).collect();
        stalled.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut freed = 0;
        for (_, other) in stalled {
            if freed >= wanted {
                break;
            }
            freed += other.held;
            other.given_up.cancel();
        }
        if freed < wanted && inner_has_room {
            self.give_up_excess(source, wanted - freed);
        }
    }
}
