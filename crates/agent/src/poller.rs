//! Readiness of descriptors, level-triggered, each under a name of ours.

use std::{fmt, time::Duration};

use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    fd::{AsFd, BorrowedFd, OwnedFd},
    io::{Errno, Result},
};

/// Most events taken at once; what is left comes with the next call.
const EVENTS_MAX: usize = 64;

/// What an event is about. Connections and tunnels are named by slot and generation, so that an event of one that was closed
/// does not reach another in its slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    DaemonListener,
    RuntimeListener,
    EndpointListener,
    Daemon,
    Children,
    Output,
    Telemetry,
    Parked,
    Connection(Key),
    Tunnel(Key),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    pub(crate) slot: u16,
    pub(crate) generation: u32,
}

impl Source {
    fn encode(self) -> u64 {
        let keyed = |kind: u64, key: Key| kind << 56 | u64::from(key.slot) << 32 | u64::from(key.generation);
        match self {
            Self::DaemonListener => 1 << 56,
            Self::RuntimeListener => 2 << 56,
            Self::EndpointListener => 3 << 56,
            Self::Daemon => 4 << 56,
            Self::Children => 5 << 56,
            Self::Output => 6 << 56,
            Self::Telemetry => 7 << 56,
            Self::Parked => 10 << 56,
            Self::Connection(key) => keyed(8, key),
            Self::Tunnel(key) => keyed(9, key),
        }
    }

    fn decode(data: u64) -> Option<Self> {
        let key = Key { slot: (data >> 32) as u16, generation: data as u32 };
        Some(match data >> 56 {
            1 => Self::DaemonListener,
            2 => Self::RuntimeListener,
            3 => Self::EndpointListener,
            4 => Self::Daemon,
            5 => Self::Children,
            6 => Self::Output,
            7 => Self::Telemetry,
            8 => Self::Connection(key),
            9 => Self::Tunnel(key),
            10 => Self::Parked,
            _ => return None,
        })
    }
}

/// What somebody wants to hear of a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Interest {
    pub(crate) const READ: Self = Self { read: true, write: false };
    pub(crate) const NONE: Self = Self { read: false, write: false };

    fn flags(self) -> EventFlags {
        // Hang-ups and errors cannot be silenced, but edge-triggered they are told once and not for ever.
        let mut flags = if self == Self::NONE { EventFlags::ET } else { EventFlags::empty() };
        flags.set(EventFlags::IN, self.read);
        flags.set(EventFlags::OUT, self.write);
        flags
    }
}

/// A descriptor is ready. A hang-up or an error counts as both, because reading or writing tells which.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) source: Source,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl fmt::Debug for Poller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Poller").field("epoll", &self.epoll).finish_non_exhaustive()
    }
}

impl Poller {
    /// # Errors
    /// The process is out of descriptors.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(EVENTS_MAX) })
    }

    /// Listens to `fd`.
    ///
    /// # Errors
    /// The kernel is out of memory, or the descriptor cannot be waited for.
    pub(crate) fn watch(&self, fd: OwnedFd, source: Source) -> Result<Watched> {
        let interest = Interest::READ;
        epoll::add(&self.epoll, &fd, EventData::new_u64(source.encode()), interest.flags())?;
        Ok(Watched { fd, source, interest })
    }

    /// Appends what is ready to `ready`, which is cleared first; waits for it up to `timeout`, or without limit.
    ///
    /// # Errors
    /// Never, with a descriptor that is an epoll's.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> Result<()> {
        ready.clear();
        self.events.clear();
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        });
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        for event in &self.events {
            let (flags, data) = (event.flags, event.data);
            if let Some(source) = Source::decode(data.u64()) {
                let broken = flags.intersects(EventFlags::HUP | EventFlags::ERR);
                let read = broken || flags.contains(EventFlags::IN);
                let write = broken || flags.contains(EventFlags::OUT);
                ready.push(Ready { source, read, write });
            }
        }
        Ok(())
    }
}

/// A descriptor that a poller listens to, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    fd: OwnedFd,
    source: Source,
    interest: Interest,
}

impl Watched {
    pub(crate) fn interest(&self) -> Interest {
        self.interest
    }

    pub(crate) fn set_interest(&mut self, poller: &Poller, interest: Interest) {
        if interest != self.interest {
            self.interest = interest;
            epoll::modify(&poller.epoll, &self.fd, EventData::new_u64(self.source.encode()), interest.flags())
                .expect("the poller listens to the descriptor, and changing that takes no memory");
        }
    }

    pub(crate) fn set_read(&mut self, poller: &Poller, read: bool) {
        self.set_interest(poller, Interest { read, ..self.interest });
    }

    pub(crate) fn set_write(&mut self, poller: &Poller, write: bool) {
        self.set_interest(poller, Interest { write, ..self.interest });
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_kernel() {
        let key = Key { slot: u16::MAX, generation: u32::MAX };
        for source in [Source::Daemon, Source::Telemetry, Source::Parked, Source::Connection(key), Source::Tunnel(key)]
        {
            assert_eq!(Source::decode(source.encode()), Some(source));
        }
    }
}
